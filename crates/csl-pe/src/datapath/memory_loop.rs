//! The loop of operations that touch nothing but memory and scalars.

use csl_machine::VecOp;
use csl_num::FloatKind;

use super::alu::{self, Body};
use super::contiguous;
use super::cursor::{Cursor, Linear};
use super::memory::Memory;
use super::operation::Operation;

/// Runs `elements` elements in their order, so that overlapping operands see what was written before.
pub(crate) fn run(run: &mut Operation, memory: &mut Memory, half: FloatKind, elements: u32) {
    let op = run.op;
    let independent = run.accumulate.is_none() && op != VecOp::Addc16;
    if independent && contiguous::run(run, memory, half, elements) {
        return;
    }
    if independent && linear(run).is_some() {
        alu::dispatch(op, half, Strided { run, memory, elements })
    } else {
        alu::dispatch(op, half, General { run, memory, elements })
    }
}

/// Any cursors.
struct General<'a> {
    run: &'a mut Operation,
    memory: &'a mut Memory,
    elements: u32,
}

impl Body for General<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self, f: impl Fn(u32, u32, u32) -> u32) {
        let General { run, memory, elements } = self;
        let with_carry = run.op == VecOp::Addc16;
        for _ in 0..elements {
            let [a, b, c] = [0, 1, 2].map(|i| run.srcs[i].next(memory));
            let mut value = f(a, b, if with_carry { run.carry } else { c });
            if with_carry {
                (run.carry, value) = (value >> 16, value & 0xffff);
            }
            if let Some(i) = run.accumulate {
                run.srcs[usize::from(i)].cursor = Cursor::Scalar(value);
            }
            run.dest.put(memory, value);
        }
    }
}

/// The sources of the next element, which stays where it is.
pub(super) fn next_sources(run: &Operation, memory: &Memory) -> [u32; 3] {
    let mut ahead = run.clone();
    [0, 1, 2].map(|i| ahead.srcs[i].next(memory))
}

/// Every operand a mem1d or a scalar: no look at the kind of cursor for each element.
struct Strided<'a> {
    run: &'a mut Operation,
    memory: &'a mut Memory,
    elements: u32,
}

/// An operand of the strided loop: an address that steps, or a value.
#[derive(Clone, Copy)]
struct Lane {
    at: Linear,
    value: u32,
    words: u8,
}

impl Lane {
    #[inline(always)]
    fn fetch(&mut self, memory: &Memory) -> u32 {
        let addr = self.at.addr;
        self.at.addr = addr.wrapping_add(self.at.step);
        match self.words {
            0 => self.value,
            1 => u32::from(memory.read16(addr)),
            _ => memory.read32(addr),
        }
    }
}

fn lane(cursor: Cursor, words: u8) -> Option<Lane> {
    let nowhere = Linear { addr: 0, step: 0 };
    match cursor {
        Cursor::None => Some(Lane { at: nowhere, value: 0, words: 0 }),
        Cursor::Scalar(value) => Some(Lane { at: nowhere, value, words: 0 }),
        Cursor::Mem(at) => Some(Lane { at, value: 0, words }),
        _ => None,
    }
}

/// Destination and sources, if all are.
fn linear(run: &Operation) -> Option<[Lane; 4]> {
    let lane_of = |i: usize| lane(run.srcs[i].cursor, run.srcs[i].words);
    let dest = lane(run.dest.cursor, run.dest.words).filter(|dest| dest.words != 0)?;
    Some([dest, lane_of(0)?, lane_of(1)?, lane_of(2)?])
}

impl Body for Strided<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self, f: impl Fn(u32, u32, u32) -> u32) {
        let Strided { run, memory, elements } = self;
        let Some([mut dest, mut a, mut b, mut c]) = linear(run) else { return };
        for _ in 0..elements {
            let value = f(a.fetch(memory), b.fetch(memory), c.fetch(memory));
            memory.write_element(dest.at.addr, dest.words, value);
            dest.at.addr = dest.at.addr.wrapping_add(dest.at.step);
        }
        advance(&mut run.dest.cursor, dest);
        for (src, lane) in run.srcs.iter_mut().zip([a, b, c]) {
            advance(&mut src.cursor, lane);
        }
    }
}

fn advance(cursor: &mut Cursor, lane: Lane) {
    if let Cursor::Mem(at) = cursor {
        *at = lane.at;
    }
}
