//! Cycles of IR instructions, from the chip's table. They are counted on the optimised IR and before anything is folded
//! or fused here, so that no fusion changes a count.

use csl_ir::{AddrBase, BinOp, Block, Func, Inst, MathFn, Opnd, Reg, Scalar};
use csl_machine::{Arch, Chip, PrintKind, ScalarCosts, SysOp, TOOLCHAIN};
use rustc_hash::FxHashSet;

/// The cycles of each instruction of a function, by block.
pub fn of(arch: Arch, func: &Func) -> Vec<Vec<u32>> {
    let counts = Counts::of(func);
    func.blocks.iter().map(|block| counts.block(arch, block)).collect()
}

/// The facts beside an instruction itself on which its cost depends.
struct Counts {
    /// Registers that some instruction raises by a constant.
    is_stepped: Vec<bool>,
    /// Registers that addresses start at.
    is_address: Vec<bool>,
    /// Counters of `for` loops that only count: read by their step and their test.
    only_counts: Vec<bool>,
    is_counter: Vec<bool>,
}

impl Counts {
    fn of(func: &Func) -> Counts {
        let none = vec![false; func.regs.len()];
        let mut uses = vec![0; func.regs.len()];
        let mut counts =
            Counts { is_stepped: none.clone(), is_address: none.clone(), only_counts: none.clone(), is_counter: none };
        for block in &func.blocks {
            for inst in &block.insts {
                inst.for_each_use(&mut |reg| uses[reg] += 1);
                inst.for_each_addr(&mut |addr| {
                    if let AddrBase::Reg(reg) = addr.base {
                        counts.is_address[reg] = true;
                    }
                });
                if let Some(reg) = stepped(inst) {
                    counts.is_stepped[reg] = true;
                }
            }
            if let Some(Opnd::Reg(reg)) = block.term.operand() {
                uses[*reg] += 1;
            }
        }
        for &reg in &func.counters {
            counts.is_counter[reg] = true;
            counts.only_counts[reg] = uses[reg] == 2 && counts.is_stepped[reg];
        }
        counts
    }

    fn block(&self, arch: Arch, block: &Block) -> Vec<u32> {
        let mut products: FxHashSet<Reg> = FxHashSet::default();
        let mut floats: FxHashSet<Reg> = FxHashSet::default();
        let mut costs = Vec::new();
        for inst in &block.insts {
            let stores_float = matches!(inst, Inst::Store { src: Opnd::Reg(reg), .. } if floats.contains(reg));
            let wait = if stores_float { arch.chip().scalar.float_to_store } else { 0 };
            costs.push(self.inst(arch, inst, &products) + wait);
            for reg in inst.defs() {
                products.remove(&reg);
                floats.remove(&reg);
            }
            if makes_float(inst) {
                floats.extend(inst.defs());
            }
            if let Inst::Bin { op: BinOp::Mul, ty: Scalar::F32 | Scalar::Half, dst, .. } = inst {
                products.insert(*dst);
            }
        }
        costs
    }

    fn inst(&self, arch: Arch, inst: &Inst, products: &FxHashSet<Reg>) -> u32 {
        let costs = &arch.chip().scalar;
        let is_product = |operand: &Opnd| matches!(operand, Opnd::Reg(reg) if products.contains(reg));
        match inst {
            // The access steps its address itself.
            _ if stepped(inst).is_some_and(|reg| self.is_address[reg]) => 0,
            // The step of a loop that only counts is part of the back edge.
            _ if stepped(inst).is_some_and(|reg| self.only_counts[reg]) => 0,
            Inst::Cmp { a: Opnd::Reg(counter), .. } if self.only_counts[*counter] => 0,
            Inst::Index { index: Opnd::Reg(index), .. } if self.is_counter[*index] => 0,
            Inst::Index { index: Opnd::Reg(index), .. } if !self.is_stepped[*index] => {
                cycles(arch, inst) + costs.computed_index
            }
            Inst::Bin { op: BinOp::Add | BinOp::Sub, ty: Scalar::F32 | Scalar::Half, a, b, .. }
                if is_product(a) || is_product(b) =>
            {
                cycles(arch, inst) + costs.product_latency
            }
            _ => cycles(arch, inst),
        }
    }
}

/// Whether the instruction's result comes from the floating-point unit, or depends on it.
fn makes_float(inst: &Inst) -> bool {
    match inst {
        Inst::Bin { ty, .. } | Inst::Un { ty, .. } | Inst::Select { ty, .. } | Inst::Math { ty, .. } => {
            matches!(ty, Scalar::F32 | Scalar::Half)
        }
        _ => false,
    }
}

/// The register that the instruction raises by a constant.
fn stepped(inst: &Inst) -> Option<Reg> {
    match inst {
        Inst::Bin { op: BinOp::Add, ty: Scalar::Int { .. }, dst, a: Opnd::Reg(a), b: Opnd::Imm(_) } if dst == a => {
            Some(*dst)
        }
        _ => None,
    }
}

/// The cycles of one instruction on its own. Instructions that the engine times (vector operations, DSR loads,
/// iterators) have 0 here.
fn cycles(arch: Arch, inst: &Inst) -> u32 {
    let chip: &Chip = arch.chip();
    let costs = &chip.scalar;
    match inst {
        // A copy between registers is an artefact of the IR.
        Inst::Copy { src: Opnd::Reg(_), .. } => 0,
        Inst::Copy { src: Opnd::Dsd(_), .. } => costs.known_descriptor,
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
        Inst::MakeMem1d { .. } => 3 * costs.alu + costs.change_descriptor,
        Inst::MakeFabric { .. } => 2 * costs.alu,
        Inst::MakeMem4d { .. } => 10 * costs.store,
        Inst::SetDsd { .. } => costs.change_descriptor,
        Inst::SetMem4d { .. } => costs.load + costs.alu + costs.store,
        Inst::Sys { op: SysOp::TscWord, args, .. } if args.first() == Some(&Opnd::Imm(0)) => first_tsc_word(chip),
        Inst::Sys { op: SysOp::SetConfig, .. } => costs.config_write,
        Inst::Sys { op: SysOp::PrintFlush, .. } => TOOLCHAIN.print_line,
        Inst::Sys { op: SysOp::PrintValue, args, .. } if args.first() == Some(&Opnd::Imm(PrintKind::Text as u64)) => {
            TOOLCHAIN.print_text
        }
        Inst::Sys { op: SysOp::PrintValue, .. } => TOOLCHAIN.print_value,
        inst if inst.is_note() => 0,
        Inst::Sys { .. } => costs.alu,
        Inst::Vec(_)
        | Inst::LoadDsr(_)
        | Inst::IterLoad { .. }
        | Inst::IterMore { .. }
        | Inst::IterNext { .. }
        | Inst::IterPut { .. } => 0,
    }
}

/// The cycles of a timestamp, less its two other reads and three stores.
fn first_tsc_word(chip: &Chip) -> u32 {
    chip.timing.timestamp_pair - 2 * chip.scalar.alu - 3 * chip.scalar.store
}

/// The number of memory accesses of a value: 32 bits move at once.
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

/// The cycles of a selection: a predicated move for each side that is not in its place already; constants are brought
/// into registers first.
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
