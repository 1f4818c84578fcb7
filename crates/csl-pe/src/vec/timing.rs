//! How fast an operation goes (the small model of the timing reference, with the figures of `csl-chip`).

use csl_chip::{Chip, Elem, VecOp};

use super::cursor::Cursor;

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

/// The guide's appendix: what strides (in elements) leave of the SIMD width. It says two things of strides of
/// 4 mod 8 ("two operations a cycle, or a SIMD width of 4"); two is taken.
fn stride_limit(step_bytes: u16, elem_bits: u32) -> u32 {
    let stride = step_bytes as i16 / (elem_bits / 8) as i16;
    match stride {
        0 | 1 => u32::MAX,
        _ => match stride.rem_euclid(8) {
            0 => 1,
            1 | 4 | 7 => 2,
            _ => u32::MAX,
        },
    }
}

/// The rate of an operation of `op` over `dest` and `srcs`; `per_wavelet` elements travel in one wavelet where an
/// operand is on the fabric.
pub(crate) fn rate(chip: &Chip, op: VecOp, dest: &Cursor, srcs: &[Cursor], per_wavelet: Option<u8>) -> Rate {
    let memory_sources = srcs.iter().filter(|src| src.is_memory() || matches!(src, Cursor::Fifo(_))).count() as u32;
    let width = width(op);
    let lanes = u32::from(op.simd_width(chip.arch));
    let read = chip.memory.read_bits_per_cycle / memory_sources.max(1);
    let mut elements = lanes.min(chip.timing.lane_bits / width).min(read / width).max(1);
    for (cursor, elem) in srcs.iter().zip(op.sources()).chain([(dest, &op.dest())]) {
        if let Cursor::Mem(linear) = cursor {
            elements = elements.min(stride_limit(linear.step, bits(*elem)));
        }
    }
    if matches!(dest, Cursor::Ptr { .. }) {
        elements = 1; // a scalar destination takes one element a cycle
    }
    let conflict = bank_conflict(chip, srcs, elements * width);
    let slow = if conflict { 2 } else { 1 };
    if let Some(group) = per_wavelet {
        let period = u32::from(group).div_ceil(elements) * slow;
        return Rate { group, period: period as u8, lead: 0 };
    }
    let lead = if memory_sources >= 2 && elements == 4 { chip.timing.two_sources_at_four_lanes } else { 0 };
    Rate { group: elements as u8, period: slow as u8, lead: lead as u8 }
}

/// Whether the reads of two sources in memory always meet in a bank: 32-bit reads in the same pair of banks, 64-bit
/// groups in banks that are equal mod 4. Sources that move at different strides drift apart: taken as no conflict.
fn bank_conflict(chip: &Chip, srcs: &[Cursor], group_bits: u32) -> bool {
    let mut linear = srcs.iter().filter_map(|src| match src {
        Cursor::Mem(linear) => Some(*linear),
        _ => None,
    });
    let (Some(a), Some(b)) = (linear.next(), linear.next()) else { return false };
    if a.step != b.step {
        return false;
    }
    let (a, b) = (chip.bank(a.addr), chip.bank(b.addr));
    if group_bits > 32 { a % 4 == b % 4 } else { a / 2 == b / 2 }
}
