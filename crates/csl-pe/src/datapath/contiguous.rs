//! The loop of operations whose operands in memory are contiguous: pieces of [`PIECE`] elements are gathered, computed and
//! scattered in three loops that the compiler can vectorise (measured: 3 to 10 times the element-wise loop).

use csl_machine::REGISTERS_START;
use csl_num::{FloatKind, LowBits};

use super::alu::{self, Body};
use super::cursor::{Cursor, Linear, Operand};
use super::memory::Memory;
use super::operation::Operation;

/// Elements of a piece: three sources of it fit the first cache.
const PIECE: usize = 64;

/// Shorter operations are not worth the pieces.
const WORTH_IT: u32 = 8;

/// A contiguous stretch of memory: byte address, bytes of an element; or a scalar.
#[derive(Clone, Copy)]
enum Lane {
    Memory { addr: usize, bytes: usize },
    Scalar(u32),
}

/// Runs `elements` elements if the operands allow it; else does nothing and returns false.
pub(super) fn run(run: &mut Operation, memory: &mut Memory, half: FloatKind, elements: u32) -> bool {
    if elements < WORTH_IT {
        return false;
    }
    let Some((dest, srcs)) = lanes(run, elements) else { return false };
    let Some(bytes) = memory.slice_mut(0, end_of_all(&srcs, dest, elements as usize)) else { return false };
    alu::dispatch(run.op, half, Pieces { bytes, dest, srcs, elements: elements as usize });
    step(&mut run.dest, elements);
    run.srcs.iter_mut().for_each(|src| step(src, elements));
    true
}

/// One behind the highest byte that is touched.
fn end_of_all(srcs: &[Lane; 3], dest: Lane, elements: usize) -> usize {
    let end = |lane: &Lane| match *lane {
        Lane::Memory { addr, bytes } => addr + bytes * elements,
        Lane::Scalar(_) => 0,
    };
    srcs.iter().chain([&dest]).map(end).max().unwrap_or(0)
}

/// Destination and sources, where all are contiguous or scalar, lie in data memory, and no element of a source can have
/// been written by an element before it in the same operation.
fn lanes(run: &Operation, elements: u32) -> Option<(Lane, [Lane; 3])> {
    let dest = lane(&run.dest, elements)?;
    let Lane::Memory { addr: to, bytes: width } = dest else { return None };
    let length = elements as usize;
    let mut srcs = [Lane::Scalar(0); 3];
    for (src, operand) in srcs.iter_mut().zip(&run.srcs) {
        *src = lane(operand, elements)?;
        if let Lane::Memory { addr, bytes } = *src {
            let apart = to + width * length <= addr || addr + bytes * length <= to;
            let behind = to <= addr && bytes == width;
            if !apart && !behind {
                return None;
            }
        }
    }
    Some((dest, srcs))
}

fn lane(operand: &Operand, elements: u32) -> Option<Lane> {
    let bytes = usize::from(operand.words) * 2;
    match operand.cursor {
        Cursor::None => Some(Lane::Scalar(0)),
        Cursor::Scalar(value) => Some(Lane::Scalar(value)),
        Cursor::Mem(Linear { addr, step }) if usize::from(step) == bytes => {
            let addr = usize::from(addr);
            let inside = addr + bytes * elements as usize <= usize::from(REGISTERS_START);
            inside.then_some(Lane::Memory { addr, bytes })
        }
        _ => None,
    }
}

fn step(operand: &mut Operand, elements: u32) {
    if let Cursor::Mem(linear) = &mut operand.cursor {
        linear.addr = linear.addr.wrapping_add(linear.step.wrapping_mul(elements.low16()));
    }
}

struct Pieces<'a> {
    bytes: &'a mut [u8],
    dest: Lane,
    srcs: [Lane; 3],
    elements: usize,
}

impl Body for Pieces<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self, f: impl Fn(u32, u32, u32) -> u32) {
        let mut values = [[0u32; PIECE]; 3];
        let mut results = [0u32; PIECE];
        for first in (0..self.elements).step_by(PIECE) {
            let count = PIECE.min(self.elements - first);
            for (values, src) in values.iter_mut().zip(&self.srcs) {
                gather(self.bytes, *src, first, &mut values[..count]);
            }
            // Always a whole piece: a fixed count vectorises, and what is too much is not stored.
            let [a, b, c] = &values;
            for i in 0..PIECE {
                results[i] = f(a[i], b[i], c[i]);
            }
            scatter(self.bytes, self.dest, first, &results[..count]);
        }
    }
}

fn gather(memory: &[u8], lane: Lane, first: usize, into: &mut [u32]) {
    match lane {
        Lane::Scalar(value) => into.fill(value),
        Lane::Memory { addr, bytes: 2 } => {
            let (words, _) = memory[addr + 2 * first..].as_chunks::<2>();
            into.iter_mut().zip(words).for_each(|(value, word)| *value = u32::from(u16::from_le_bytes(*word)));
        }
        Lane::Memory { addr, .. } => {
            let (words, _) = memory[addr + 4 * first..].as_chunks::<4>();
            into.iter_mut().zip(words).for_each(|(value, word)| *value = u32::from_le_bytes(*word));
        }
    }
}

fn scatter(memory: &mut [u8], lane: Lane, first: usize, from: &[u32]) {
    match lane {
        Lane::Scalar(_) => {}
        Lane::Memory { addr, bytes: 2 } => {
            let (words, _) = memory[addr + 2 * first..].as_chunks_mut::<2>();
            words.iter_mut().zip(from).for_each(|(word, value)| *word = value.low16().to_le_bytes());
        }
        Lane::Memory { addr, .. } => {
            let (words, _) = memory[addr + 4 * first..].as_chunks_mut::<4>();
            words.iter_mut().zip(from).for_each(|(word, value)| *word = value.to_le_bytes());
        }
    }
}
