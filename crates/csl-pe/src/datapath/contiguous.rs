//! The loop of operations whose operands in memory are contiguous: pieces of [`PIECE`] elements are gathered, computed and
//! scattered in three loops that the compiler can vectorise (measured: 3 to 10 times the element-wise loop).

use csl_machine::REGISTERS_START;
use csl_num::{FloatKind, Lanes, LowBits, fma_f32, fma_f32_each};

use super::alu::{self, Body};
use super::cursor::{Cursor, Linear, Operand};
use super::memory::Memory;
use super::operation::Operation;

/// Elements of a piece: three sources of it fit the first-level cache.
const PIECE: usize = 64;

/// The least number of elements for which pieces pay.
pub(super) const WORTH_IT: u32 = 8;

/// A contiguous part of memory (byte address, bytes of an element), or a scalar.
#[derive(Clone, Copy)]
enum Span {
    Memory { addr: usize, bytes: usize },
    Scalar(u32),
}

/// Runs `elements` elements if the operands allow it; else changes nothing and returns false.
pub(super) fn run(run: &mut Operation, memory: &mut Memory, half: FloatKind, elements: u32) -> bool {
    if elements < WORTH_IT {
        return false;
    }
    let Some((dest, srcs)) = spans(run, elements) else { return false };
    let Some(bytes) = memory.slice_mut(0, end_of_all(&srcs, dest, elements as usize)) else { return false };
    alu::dispatch(run.op, half, Pieces { bytes, dest, srcs, elements: elements as usize });
    step(&mut run.dest, elements);
    run.srcs.iter_mut().for_each(|src| step(src, elements));
    true
}

/// The end, excluded, of the highest byte that is accessed.
fn end_of_all(srcs: &[Span; 3], dest: Span, elements: usize) -> usize {
    let end = |span: &Span| match *span {
        Span::Memory { addr, bytes } => addr + bytes * elements,
        Span::Scalar(_) => 0,
    };
    srcs.iter().chain([&dest]).map(end).max().unwrap_or(0)
}

/// Destination and sources, if all are contiguous or scalar and lie in data memory, and no element of a source can have
/// been written by an earlier element of the same operation.
fn spans(run: &Operation, elements: u32) -> Option<(Span, [Span; 3])> {
    let dest = span(&run.dest, elements)?;
    let Span::Memory { addr: to, bytes: width } = dest else { return None };
    let length = elements as usize;
    let mut srcs = [Span::Scalar(0); 3];
    for (src, operand) in srcs.iter_mut().zip(&run.srcs) {
        *src = span(operand, elements)?;
        if let Span::Memory { addr, bytes } = *src {
            let apart = to + width * length <= addr || addr + bytes * length <= to;
            let behind = to <= addr && bytes == width;
            if !apart && !behind {
                return None;
            }
        }
    }
    Some((dest, srcs))
}

fn span(operand: &Operand, elements: u32) -> Option<Span> {
    let bytes = usize::from(operand.words) * 2;
    match operand.cursor {
        Cursor::None => Some(Span::Scalar(0)),
        Cursor::Scalar(value) => Some(Span::Scalar(value)),
        Cursor::Mem(Linear { addr, step }) if usize::from(step) == bytes => {
            let addr = usize::from(addr);
            let inside = addr + bytes * elements as usize <= usize::from(REGISTERS_START);
            inside.then_some(Span::Memory { addr, bytes })
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
    dest: Span,
    srcs: [Span; 3],
    elements: usize,
}

/// A piece of each source.
type Sources = [[u32; PIECE]; 3];

impl Pieces<'_> {
    /// Gathers, computes and scatters piece by piece. A whole piece is always computed: a fixed count vectorises, and surplus
    /// results are not stored.
    #[inline(always)]
    fn each(self, compute: impl Fn(&Sources, &mut [u32; PIECE])) {
        let mut values = [[0u32; PIECE]; 3];
        let mut results = [0u32; PIECE];
        for (values, src) in values.iter_mut().zip(&self.srcs) {
            if let Span::Scalar(value) = *src {
                values.fill(value);
            }
        }
        for first in (0..self.elements).step_by(PIECE) {
            let count = PIECE.min(self.elements - first);
            for (values, src) in values.iter_mut().zip(&self.srcs) {
                gather(self.bytes, *src, first, &mut values[..count]);
            }
            compute(&values, &mut results);
            scatter(self.bytes, self.dest, first, &results[..count]);
        }
    }
}

impl Body for Pieces<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self, f: impl Fn(u32, u32, u32) -> u32) {
        self.each(|[a, b, c], results| {
            for i in 0..PIECE {
                results[i] = f(a[i], b[i], c[i]);
            }
        });
    }

    fn run_fmacs(self) {
        // The two forms of programs have loops of their own: `@fmacs(y, y, x, a)` and `@fmacs(y, y, x, z)`.
        match (self.dest, self.srcs) {
            (
                Span::Memory { addr: dest, .. },
                [Span::Memory { addr: c, .. }, Span::Memory { addr: a, .. }, Span::Scalar(b)],
            ) => fma_f32_each(&mut Scaled { bytes: self.bytes, dest, a, b, c }, self.elements),
            (
                Span::Memory { addr: dest, .. },
                [Span::Memory { addr: c, .. }, Span::Memory { addr: a, .. }, Span::Memory { addr: b, .. }],
            ) => fma_f32_each(&mut Product { bytes: self.bytes, dest, a, b, c }, self.elements),
            _ => self.each(|[c, a, b], results| {
                for i in 0..PIECE {
                    let [a, b, c] = [a[i], b[i], c[i]].map(f32::from_bits);
                    results[i] = fma_f32(a, b, c).to_bits();
                }
            }),
        }
    }
}

/// The operands of `a * b + c`, one of them a scalar, as they lie in memory: a few fit the processor's registers, so that
/// none is copied on the way (measured: a third of the time of pieces).
struct Scaled<'a> {
    bytes: &'a mut [u8],
    dest: usize,
    a: usize,
    b: u32,
    c: usize,
}

impl Lanes for Scaled<'_> {
    #[inline(always)]
    fn load<const N: usize>(&self, first: usize) -> [[u32; N]; 3] {
        [words(self.bytes, self.a + 4 * first), [self.b; N], words(self.bytes, self.c + 4 * first)]
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, first: usize, results: [u32; N]) {
        put_words(self.bytes, self.dest + 4 * first, results);
    }
}

/// The same with all operands in memory.
struct Product<'a> {
    bytes: &'a mut [u8],
    dest: usize,
    a: usize,
    b: usize,
    c: usize,
}

impl Lanes for Product<'_> {
    #[inline(always)]
    fn load<const N: usize>(&self, first: usize) -> [[u32; N]; 3] {
        [self.a, self.b, self.c].map(|addr| words(self.bytes, addr + 4 * first))
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, first: usize, results: [u32; N]) {
        put_words(self.bytes, self.dest + 4 * first, results);
    }
}

#[inline(always)]
fn words<const N: usize>(memory: &[u8], addr: usize) -> [u32; N] {
    let (words, _) = memory[addr..addr + 4 * N].as_chunks::<4>();
    std::array::from_fn(|i| u32::from_le_bytes(words[i]))
}

#[inline(always)]
fn put_words<const N: usize>(memory: &mut [u8], addr: usize, values: [u32; N]) {
    let (words, _) = memory[addr..addr + 4 * N].as_chunks_mut::<4>();
    words.iter_mut().zip(values).for_each(|(word, value)| *word = value.to_le_bytes());
}

/// Copies elements out of memory; scalars are there already.
fn gather(memory: &[u8], span: Span, first: usize, into: &mut [u32]) {
    match span {
        Span::Scalar(_) => {}
        Span::Memory { addr, bytes: 2 } => {
            let (words, _) = memory[addr + 2 * first..].as_chunks::<2>();
            into.iter_mut().zip(words).for_each(|(value, word)| *value = u32::from(u16::from_le_bytes(*word)));
        }
        Span::Memory { addr, .. } => {
            let (words, _) = memory[addr + 4 * first..].as_chunks::<4>();
            into.iter_mut().zip(words).for_each(|(value, word)| *value = u32::from_le_bytes(*word));
        }
    }
}

fn scatter(memory: &mut [u8], span: Span, first: usize, from: &[u32]) {
    match span {
        Span::Scalar(_) => {}
        Span::Memory { addr, bytes: 2 } => {
            let (words, _) = memory[addr + 2 * first..].as_chunks_mut::<2>();
            words.iter_mut().zip(from).for_each(|(word, value)| *word = value.low16().to_le_bytes());
        }
        Span::Memory { addr, .. } => {
            let (words, _) = memory[addr + 4 * first..].as_chunks_mut::<4>();
            words.iter_mut().zip(from).for_each(|(word, value)| *word = value.to_le_bytes());
        }
    }
}
