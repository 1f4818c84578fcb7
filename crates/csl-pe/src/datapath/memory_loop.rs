//! The loop of local operations, which access memory and scalars only.

use csl_machine::VecOp;
use csl_num::FloatKind;

use super::alu::{self, Body};
use super::contiguous;
use super::cursor::{Cursor, Linear, Operand};
use super::memory::Memory;
use super::operation::Operation;

/// Runs `elements` elements in order, so that overlapping operands see earlier results.
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

/// The loop for any cursors.
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

/// The sources of the next element, without moving on.
pub(super) fn next_sources(run: &Operation, memory: &Memory) -> [u32; 3] {
    let mut ahead = run.clone();
    [0, 1, 2].map(|i| ahead.srcs[i].next(memory))
}

/// The loop for mem1d and scalar operands: it does not test the kind of cursor for each element.
struct Strided<'a> {
    run: &'a mut Operation,
    memory: &'a mut Memory,
    elements: u32,
}

/// An operand of the strided loop: an address that steps, or a value.
#[derive(Clone, Copy)]
struct StridedOperand {
    at: Linear,
    value: u32,
    words: u8,
}

impl StridedOperand {
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

fn strided_operand(operand: &Operand) -> Option<StridedOperand> {
    let nowhere = Linear { addr: 0, step: 0 };
    match operand.cursor {
        Cursor::None => Some(StridedOperand { at: nowhere, value: 0, words: 0 }),
        Cursor::Scalar(value) => Some(StridedOperand { at: nowhere, value, words: 0 }),
        Cursor::Mem(at) => Some(StridedOperand { at, value: 0, words: operand.words }),
        _ => None,
    }
}

/// Destination and sources, if all are mem1d or scalar.
fn linear(run: &Operation) -> Option<[StridedOperand; 4]> {
    let operand_of = |i: usize| strided_operand(&run.srcs[i]);
    let dest = strided_operand(&run.dest).filter(|dest| dest.words != 0)?;
    Some([dest, operand_of(0)?, operand_of(1)?, operand_of(2)?])
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
        for (src, strided_operand) in run.srcs.iter_mut().zip([a, b, c]) {
            advance(&mut src.cursor, strided_operand);
        }
    }
}

fn advance(cursor: &mut Cursor, strided_operand: StridedOperand) {
    if let Cursor::Mem(at) = cursor {
        *at = strided_operand.at;
    }
}
