//! Cycles of IR instructions, from the chip's table. They are counted before any optimisation of ours, so that none
//! changes a count.

use csl_chip::{Arch, Chip, ScalarCosts, SysOp, TOOLCHAIN};
use csl_ir::{BinOp, Inst, MathFn, Opnd, Reg, Scalar};

/// Cycles of one instruction. Those that the engine times (vector operations, DSR loads, iterators) are 0 here.
pub fn cycles(arch: Arch, inst: &Inst) -> u32 {
    let chip: &Chip = arch.chip();
    let costs = &chip.scalar;
    match inst {
        // A copy between registers is an artefact of the IR.
        Inst::Copy { src: Opnd::Reg(_), .. } => 0,
        Inst::Copy { .. } => costs.alu,
        Inst::Bin { op, ty, .. } => binary(costs, *op, *ty),
        Inst::Un { ty, .. } | Inst::Cmp { ty, .. } => alu(costs, *ty),
        Inst::Cast { from, to, .. } => cast(costs, *from, *to),
        Inst::Select { ty, dst, a, b, .. } => select(costs, *ty, *dst, [a, b]),
        Inst::Math { f, .. } => math(costs, *f),
        Inst::Load { ty, .. } => costs.load * accesses(*ty),
        Inst::Store { ty, .. } => costs.store * accesses(*ty),
        Inst::MemCopy { bytes, .. } => (costs.load + costs.store) * bytes.div_ceil(4),
        Inst::MemFill { ty, count, .. } => costs.store * accesses(*ty) * count,
        Inst::Lea { .. } | Inst::Index { .. } => costs.alu,
        Inst::Call { args, .. } => costs.call + costs.alu * args.len() as u32,
        Inst::MakeMem1d { .. } => 4 * costs.alu,
        Inst::MakeFabric { .. } => 2 * costs.alu,
        Inst::MakeMem4d { .. } => 10 * costs.store,
        Inst::SetDsd { .. } => costs.alu,
        Inst::SetMem4d { .. } => costs.load + costs.alu + costs.store,
        Inst::Sys { op: SysOp::TscWord, args, .. } if args.first() == Some(&Opnd::Imm(0)) => first_tsc_word(chip),
        Inst::Sys { .. } => costs.alu,
        Inst::Vec(_) | Inst::LoadDsr(_) | Inst::IterLoad { .. } | Inst::IterNext { .. } | Inst::IterPut { .. } => 0,
    }
}

/// What a timestamp takes, less its two other reads and three stores.
fn first_tsc_word(chip: &Chip) -> u32 {
    chip.timing.timestamp_pair - 2 * chip.scalar.alu - 3 * chip.scalar.store
}

/// 32 bits move at once.
fn accesses(ty: Scalar) -> u32 {
    ty.bytes().div_ceil(4)
}

fn alu(costs: &ScalarCosts, ty: Scalar) -> u32 {
    match ty {
        Scalar::Int { bits: 0..=16, .. } | Scalar::Half | Scalar::F32 => costs.alu,
        Scalar::Int { bits: 17..=32, .. } => costs.alu_i32,
        Scalar::Int { .. } | Scalar::Dsd => 2 * costs.alu_i32,
    }
}

fn binary(costs: &ScalarCosts, op: BinOp, ty: Scalar) -> u32 {
    let narrow = matches!(ty, Scalar::Int { bits: 0..=16, .. });
    match (op, ty) {
        (BinOp::Div | BinOp::Rem, Scalar::F32) => costs.divide_f32,
        (BinOp::Div | BinOp::Rem, Scalar::Half) => costs.divide_f16,
        (_, Scalar::F32 | Scalar::Half) => costs.float_latency,
        (BinOp::Div | BinOp::Rem, _) => costs.divide_int,
        (BinOp::Mul, _) if narrow => costs.multiply_i16,
        (BinOp::Mul, _) => costs.multiply_i32,
        _ => alu(costs, ty),
    }
}

fn cast(costs: &ScalarCosts, from: Scalar, to: Scalar) -> u32 {
    match (from, to) {
        (Scalar::Int { bits: a, .. }, Scalar::Int { bits: b, .. }) if a == b => 0,
        (Scalar::Int { .. }, Scalar::Int { .. }) => costs.alu,
        _ => costs.float_latency,
    }
}

/// A predicated move for each side that is not in its place already; constants are brought into registers first.
fn select(costs: &ScalarCosts, ty: Scalar, dst: Reg, sides: [&Opnd; 2]) -> u32 {
    let halves = ty.bytes().div_ceil(2) * costs.alu;
    let side = |side: &Opnd| match side {
        Opnd::Reg(reg) if *reg == dst => 0,
        Opnd::Reg(_) => halves,
        _ => 2 * halves,
    };
    sides.into_iter().map(side).sum()
}

fn math(costs: &ScalarCosts, f: MathFn) -> u32 {
    match f {
        MathFn::Ceil | MathFn::Floor => costs.float_latency,
        MathFn::Sqrt | MathFn::Inv | MathFn::InvSqrt => TOOLCHAIN.sqrt,
        _ => TOOLCHAIN.transcendental,
    }
}
