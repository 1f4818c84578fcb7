//! The rates of operations (docs/decisions/machine.md M57).

use csl_machine::{Chip, Elem, VecOp};
use csl_num::LowBits;

use super::cursor::{Cursor, Linear};
use super::length::Length;

/// Elements of one issue, and cycles from one issue to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub group: u8,
    pub period: u8,
    /// Cycles before the first issue beyond those of every operation.
    pub lead: u8,
}

fn bits(elem: Elem) -> u32 {
    u32::from(elem.words()) * 16
}

/// The widest element of an operation, in bits.
fn width(op: VecOp) -> u32 {
    op.sources().iter().map(|&elem| bits(elem)).chain([bits(op.dest())]).max().unwrap_or(16)
}

/// The SIMD width at a stride, by the guide's appendix. For strides of 4 mod 8 elements it says two things ("two
/// operations a cycle, or a SIMD width of 4"); two is taken.
fn stride_limit(step_bytes: u16, elem_bits: u32) -> Option<u32> {
    let stride = step_bytes.signed16() / (elem_bits / 8).signed16();
    match stride {
        0 | 1 => None,
        _ => match stride.rem_euclid(8) {
            0 => Some(1),
            1 | 4 | 7 => Some(2),
            _ => None,
        },
    }
}

/// The rate of an operation of `op` over `dest` and `srcs`; `per_wavelet` elements travel in one wavelet where an
/// operand is on the fabric.
pub(crate) fn rate(chip: &Chip, op: VecOp, dest: &Cursor, srcs: &[&Cursor], per_wavelet: Option<u8>) -> Rate {
    let memory_sources = srcs.iter().filter(|src| src.is_memory() || matches!(src, Cursor::Fifo(_))).count() as u32;
    let width = width(op);
    let lanes = u32::from(op.simd_width(chip.arch));
    let read = chip.memory.read_bits_per_cycle / memory_sources.max(1);
    let mut elements = lanes.min(chip.timing.lane_bits / width).min(read / width).max(1);
    for (cursor, elem) in srcs.iter().copied().zip(op.sources()).chain([(dest, &op.dest())]) {
        if let Cursor::Mem(linear) = cursor
            && let Some(limit) = stride_limit(linear.step, bits(*elem))
        {
            elements = elements.min(limit);
        }
    }
    if matches!(dest, Cursor::Ptr { .. }) {
        elements = 1; // A scalar destination takes one element a cycle.
    }
    let conflict = bank_conflict(chip, srcs, elements, width);
    let slow = if conflict { 2 } else { 1 };
    if let Some(group) = per_wavelet {
        let period = u32::from(group).div_ceil(elements) * slow;
        return Rate { group, period: period.low8(), lead: 0 };
    }
    let lead = if memory_sources >= 2 && elements == 4 { chip.timing.two_sources_at_four_lanes } else { 0 };
    Rate { group: elements.low8(), period: slow.low8(), lead: lead.low8() }
}

/// Whether the reads of two sources in memory meet in a bank: 32-bit reads in the same pair of banks, 64-bit groups in
/// banks that are equal mod 4. Sources that move at different strides drift apart: taken as no conflict.
fn bank_conflict(chip: &Chip, srcs: &[&Cursor], elements: u32, width: u32) -> bool {
    let Some([a, b]) = pair(srcs, elements, width) else { return false };
    let (a, b) = (chip.bank(a.addr), chip.bank(b.addr));
    if elements * width > 32 { a % 4 == b % 4 } else { a / 2 == b / 2 }
}

/// The positions of two sources in memory that move in step. For mem4d operands the positions are known only with
/// 32-bit elements, one a cycle (derived, X: tiled stencils, whose cycles follow from the addresses of their arrays).
fn pair(srcs: &[&Cursor], elements: u32, width: u32) -> Option<[Linear; 2]> {
    let mut rows = srcs.iter().copied().filter_map(|src| match src {
        Cursor::Mem(linear) => Some(*linear),
        Cursor::Mem4(mem4) if elements == 1 && width == 32 => Some(Linear { addr: mem4.addr, step: mem4.steps[0] }),
        _ => None,
    });
    let (a, b) = (rows.next()?, rows.next()?);
    (a.step == b.step).then_some([a, b])
}

/// The elements to the next row of a mem4d source, where the banks of two sources must be compared again; endless where
/// they cannot matter.
pub(crate) fn row(op: VecOp, rate: Rate, srcs: &[&Cursor]) -> Length {
    if pair(srcs, rate.group.into(), width(op)).is_none() {
        return Length::ENDLESS;
    }
    let mut rows = srcs.iter().copied().filter_map(|src| match src {
        Cursor::Mem4(mem4) => Some(mem4.as_ref()),
        _ => None,
    });
    match (rows.next(), rows.next()) {
        (Some(a), Some(b)) if a.keeps_distance(b) => Length::ENDLESS,
        (Some(a), b) => b.map_or(Length::ENDLESS, |b| b.row_left()).min(a.row_left()),
        (None, _) => Length::ENDLESS,
    }
}

/// The rate at the beginning of a row, of an operation to which [`row`] applies.
pub(crate) fn at_row(chip: &Chip, op: VecOp, rate: Rate, srcs: &[&Cursor]) -> Rate {
    let conflict = bank_conflict(chip, srcs, rate.group.into(), width(op));
    Rate { period: if conflict { 2 } else { 1 }, ..rate }
}
