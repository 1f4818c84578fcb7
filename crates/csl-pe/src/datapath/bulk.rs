//! Many elements of an operation at once, in runs without a clock.

use std::ops::Range;

use csl_num::LowBits;

use super::alu::{self, Body};
use super::cursor::{Cursor, Linear, Operand};
use super::memory::Memory;
use super::operation::{Operation, Step};
use super::state::Datapath;
use crate::ports::Ports;

/// Elements of a piece.
const PIECE: usize = 64;

/// The most elements of a call; more go in the next.
const MOST: usize = 1 << 12;

type Piece = [u32; PIECE];

impl Operation {
    /// Moves elements of an operation on the fast path as far as their wavelets are there; the last one only if it may
    /// end. Words that leave are added to `sent`. Returns the number of elements.
    pub fn move_many(&mut self, may_end: bool, data: &mut Datapath, ports: &mut Ports, sent: &mut Vec<u32>) -> usize {
        let mut moved = 0;
        while moved < MOST {
            let count = self.piece(may_end, ports);
            if count == 0 {
                break;
            }
            self.move_piece(count, data, ports, sent);
            moved += count;
        }
        moved
    }

    /// The number of elements of the next piece.
    fn piece(&self, may_end: bool, ports: &Ports) -> usize {
        let kept = u32::from(!may_end);
        let most = self.left.at_most(PIECE as u32 + kept).saturating_sub(kept) as usize;
        let available = |src: &Operand| match src.cursor {
            Cursor::In(input) => ports.available(input.slot),
            _ => PIECE,
        };
        let there = self.srcs.iter().map(available).fold(most, usize::min);
        if there > 1 && self.overlaps(there as u32) { 1 } else { there }
    }

    /// Whether an element may read what an earlier one of the piece has written.
    fn overlaps(&self, count: u32) -> bool {
        let bytes = |operand: &Operand| 2 * u32::from(operand.words);
        let written = self.dest.cursor.range(count, bytes(&self.dest));
        self.srcs.iter().any(|src| {
            let read = src.cursor.range(count, bytes(src));
            let meets = read.start < written.end && written.start < read.end;
            // Step by step through the same places, each element reads its own.
            let is_in_step = matches!((&src.cursor, &self.dest.cursor), (Cursor::Mem(from), Cursor::Mem(to))
                if from == to && src.words == self.dest.words
                    && u32::from(from.step.signed16().unsigned_abs()) >= bytes(src));
            meets && !is_in_step
        })
    }

    /// Ends the operation where no element is left.
    pub fn end_of_many(&mut self, data: &mut Datapath) -> Step {
        self.after_move(&mut data.memory)
    }

    fn move_piece(&mut self, count: usize, data: &mut Datapath, ports: &mut Ports, sent: &mut Vec<u32>) {
        let mut values: [Piece; 3] = [[0; PIECE]; 3];
        for (values, src) in values.iter_mut().zip(&mut self.srcs).take(usize::from(self.sources)) {
            gather(src, &data.memory, ports, &mut values[..count]);
        }
        let mut results = [0; PIECE];
        let work =
            Work { values: &values, results: &mut results[..count], accumulate: self.accumulate.map(usize::from) };
        alu::dispatch(self.op, data.half, work);
        if let Some(i) = self.accumulate {
            self.srcs[usize::from(i)].cursor = Cursor::Scalar(results[count - 1]);
        }
        match self.dest.cursor {
            Cursor::Out(out) => {
                let with_index = |word: u32| out.index.map_or(word, |index| word & 0xffff | u32::from(index) << 16);
                sent.extend(results[..count].iter().map(|word| with_index(*word)));
            }
            _ => scatter(&mut self.dest, &mut data.memory, &results[..count]),
        }
        self.left.count_off(count as u32);
    }
}

struct Work<'a> {
    values: &'a [Piece; 3],
    results: &'a mut [u32],
    accumulate: Option<usize>,
}

impl Body for Work<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self, f: impl Fn(u32, u32, u32) -> u32) {
        let [a, b, c] = self.values;
        let Some(place) = self.accumulate else {
            for (i, result) in self.results.iter_mut().enumerate() {
                *result = f(a[i], b[i], c[i]);
            }
            return;
        };
        let mut sum = self.values[place][0];
        for (i, result) in self.results.iter_mut().enumerate() {
            let mut values = [a[i], b[i], c[i]];
            values[place] = sum;
            sum = f(values[0], values[1], values[2]);
            *result = sum;
        }
    }
}

/// Does something with `count` elements of an operand, row by row where it is mem4d: within a row it steps evenly.
fn by_rows(operand: &mut Operand, count: usize, mut each: impl FnMut(&mut Operand, Range<usize>)) {
    let Cursor::Mem4(mem4) = &mut operand.cursor else { return each(operand, 0..count) };
    let (words, dsr) = (operand.words, operand.dsr);
    let mut first = 0;
    while first < count {
        let in_row = mem4.row_left().at_most((count - first).low32());
        let behind = first + in_row as usize;
        each(&mut Operand { cursor: Cursor::Mem(mem4.along_row()), words, dsr }, first..behind);
        mem4.pass(in_row.low16());
        first = behind;
    }
}

fn gather(src: &mut Operand, memory: &Memory, ports: &mut Ports, values: &mut [u32]) {
    by_rows(src, values.len(), |src, row| gather_row(src, memory, ports, &mut values[row]));
}

fn scatter(dest: &mut Operand, memory: &mut Memory, results: &[u32]) {
    by_rows(dest, results.len(), |dest, row| scatter_row(dest, memory, &results[row]));
}

fn gather_row(src: &mut Operand, memory: &Memory, ports: &mut Ports, values: &mut [u32]) {
    match &mut src.cursor {
        Cursor::In(input) => {
            ports.take_words(input.slot, values);
            if src.words == 1 {
                values.iter_mut().for_each(|value| *value &= 0xffff);
            }
        }
        Cursor::Mem(linear) if src.words == 2 && linear.step == 4 => {
            let Some(bytes) = memory.slice(linear.addr, 4 * values.len()) else {
                return values.iter_mut().for_each(|value| *value = src.next(memory));
            };
            let (words, _) = bytes.as_chunks::<4>();
            values.iter_mut().zip(words).for_each(|(value, word)| *value = u32::from_le_bytes(*word));
            linear.addr += 4 * values.len() as u16;
        }
        Cursor::Mem(Linear { addr, step: 0 }) => values.fill(memory.read_element(*addr, src.words)),
        _ => values.iter_mut().for_each(|value| *value = src.next(memory)),
    }
}

fn scatter_row(dest: &mut Operand, memory: &mut Memory, results: &[u32]) {
    if let Cursor::Mem(linear) = &mut dest.cursor
        && dest.words == 2
        && linear.step == 4
        && let Some(bytes) = memory.slice_mut(linear.addr, 4 * results.len())
    {
        let (words, _) = bytes.as_chunks_mut::<4>();
        words.iter_mut().zip(results).for_each(|(word, result)| *word = result.to_le_bytes());
        linear.addr = linear.addr.wrapping_add(4 * results.len() as u16);
        return;
    }
    results.iter().for_each(|result| dest.put(memory, *result));
}
