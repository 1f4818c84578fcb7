//! The loop of local operations, which access memory and scalars only.

use csl_num::{FloatKind, LowBits};

use super::alu::{self, Body};
use super::contiguous;
use super::cursor::{Cursor, Linear, Operand};
use super::memory::Memory;
use super::operation::Operation;

/// Runs `elements` elements in order, so that overlapping operands see earlier results.
pub(crate) fn run(run: &mut Operation, memory: &mut Memory, half: FloatKind, elements: u32) {
    let is_independent = run.accumulate.is_none() && run.carry.is_none();
    if !is_independent {
        alu::dispatch(run.op, half, General { run, memory, elements });
    } else if elements >= contiguous::WORTH_IT && has_long_rows(run) {
        run_rows(run, memory, half, elements);
    } else {
        run_evenly(run, memory, half, elements);
    }
}

/// Whether there are mem4d operands, whose rows are long enough to be looked at as a whole.
fn has_long_rows(run: &Operation) -> bool {
    let rows = run.operands().filter_map(|operand| match &operand.cursor {
        Cursor::Mem4(mem4) => Some(mem4.extents[0]),
        _ => None,
    });
    rows.min().is_some_and(|shortest| u32::from(shortest) >= contiguous::WORTH_IT)
}

/// Runs an operation with mem4d operands row by row: within a row each operand steps evenly.
fn run_rows(run: &mut Operation, memory: &mut Memory, half: FloatKind, elements: u32) {
    let mut left = elements;
    while left > 0 {
        let in_row = run.operands().fold(left.min(u16::MAX.into()), |least, operand| match &operand.cursor {
            Cursor::Mem4(mem4) => mem4.row_left().at_most(least),
            _ => least,
        });
        if in_row < contiguous::WORTH_IT {
            alu::dispatch(run.op, half, General { run, memory, elements: in_row });
        } else {
            let rows = run.operands_mut().map(|operand| match &operand.cursor {
                Cursor::Mem4(mem4) => {
                    let row = Cursor::Mem(mem4.along_row());
                    Some(std::mem::replace(&mut operand.cursor, row))
                }
                _ => None,
            });
            run_evenly(run, memory, half, in_row);
            for (operand, mut row) in run.operands_mut().into_iter().zip(rows) {
                if let Some(Cursor::Mem4(mem4)) = &mut row {
                    mem4.pass(in_row.low16());
                }
                if let Some(row) = row {
                    operand.cursor = row;
                }
            }
        }
        left -= in_row;
    }
}

/// Runs an operation whose elements do not depend on each other but through memory.
fn run_evenly(run: &mut Operation, memory: &mut Memory, half: FloatKind, elements: u32) {
    if contiguous::run(run, memory, half, elements) {
        return;
    }
    let op = run.op;
    match linear(run) {
        Some(_) => alu::dispatch(op, half, Strided { run, memory, elements }),
        None => alu::dispatch(op, half, General { run, memory, elements }),
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
        for _ in 0..elements {
            let [a, b, c] = [0, 1, 2].map(|i| run.srcs[i].next(memory));
            let value = match &mut run.carry {
                None => f(a, b, c),
                Some(carry) => alu::add_with_carry(run.op, a, b, carry),
            };
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
