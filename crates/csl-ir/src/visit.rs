//! Visits instructions, and the registers that they read and write.

use csl_diag::Span;
use csl_machine::{DsrLoad, SysOp};

use crate::func::{Addr, AddrBase, BlockId, Callee, Func, Inst, Opnd, Reg, Term, VecInst, VecOperand};
use crate::program::Program;
use smallvec::{SmallVec, smallvec};

impl Program {
    /// The instructions of all functions, with the places that they come from.
    pub fn insts(&self) -> impl Iterator<Item = (&Inst, Span)> {
        self.funcs.iter().flat_map(|func| func.insts())
    }
}

impl Func {
    /// The instructions of all blocks, with the places that they come from.
    pub fn insts(&self) -> impl Iterator<Item = (&Inst, Span)> {
        let blocks = self.blocks.iter();
        blocks.flat_map(|block| block.insts.iter().zip(&block.sites).map(|(inst, site)| (inst, site.span)))
    }
}

impl Inst {
    /// The registers that the instruction writes, in order.
    #[inline]
    pub fn defs(&self) -> impl Iterator<Item = Reg> + use<> {
        let (first, second) = match self {
            Inst::Copy { dst, .. }
            | Inst::Bin { dst, .. }
            | Inst::Un { dst, .. }
            | Inst::Cmp { dst, .. }
            | Inst::Cast { dst, .. }
            | Inst::Select { dst, .. }
            | Inst::Math { dst, .. }
            | Inst::Load { dst, .. }
            | Inst::Lea { dst, .. }
            | Inst::Index { dst, .. }
            | Inst::MakeMem1d { dst, .. }
            | Inst::MakeFabric { dst, .. }
            | Inst::SetDsd { dst, .. } => (Some(*dst), None),
            Inst::Call { dst, .. } | Inst::Sys { dst, .. } => (*dst, None),
            Inst::Vec(vec) => (vec.result, None),
            Inst::IterNext { dst, ok, .. } => (Some(*dst), Some(*ok)),
            Inst::IterMore { ok, .. } | Inst::IterPut { ok, .. } => (Some(*ok), None),
            Inst::Store { .. }
            | Inst::MemCopy { .. }
            | Inst::MemFill { .. }
            | Inst::MakeMem4d { .. }
            | Inst::SetMem4d { .. }
            | Inst::LoadDsr(_)
            | Inst::IterLoad { .. } => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// The walks over operands, in one form for reading and one for changing.
macro_rules! walks {
    ($operands:ident, $addrs:ident, $vec_operand:ident, $vec_addr:ident, $config_operands:ident, [$($m:tt)?]) => {
        impl Inst {
            /// Calls `f` for each value operand.
            pub fn $operands<'a>(&'a $($m)? self, f: &mut impl FnMut(&'a $($m)? Opnd)) {
                match self {
                    Inst::Copy { src, .. } | Inst::IterPut { src, .. } => f(src),
                    Inst::Store { src, .. } | Inst::MemFill { src, .. } => f(src),
                    Inst::Un { a, .. } | Inst::Cast { a, .. } => f(a),
                    Inst::Bin { a, b, .. } | Inst::Cmp { a, b, .. } => [a, b].into_iter().for_each(f),
                    Inst::Select { cond, a, b, .. } => [cond, a, b].into_iter().for_each(f),
                    Inst::Math { a, b, .. } => std::iter::once(a).chain(b).for_each(f),
                    Inst::Index { base, index, .. } => [base, index].into_iter().for_each(f),
                    Inst::Call { callee, args, .. } => {
                        if let Callee::Indirect(pointer) = callee {
                            f(pointer);
                        }
                        args.into_iter().for_each(f);
                    }
                    Inst::MakeMem1d { base, offset, stride, extent, .. } => {
                        [base, offset, stride, extent].into_iter().for_each(f);
                    }
                    Inst::MakeFabric { extent, .. } => f(extent),
                    Inst::MakeMem4d { base, offset, extents, .. } => {
                        base.into_iter().chain(offset).chain(extents.into_iter().flatten()).for_each(f);
                    }
                    Inst::SetDsd { dsd, value, .. } => [dsd, value].into_iter().for_each(f),
                    Inst::SetMem4d { value, .. } => f(value),
                    Inst::Vec(vec) => {
                        let VecInst { srcs, dest, config, .. } = &$($m)? **vec;
                        srcs.into_iter().chain([dest]).for_each(|operand| $vec_operand(operand, f));
                        config.$config_operands().for_each(f);
                    }
                    Inst::LoadDsr(load) => {
                        let DsrLoad { dsd, config, .. } = &$($m)? **load;
                        $vec_operand(dsd, f);
                        config.$config_operands().for_each(f);
                    }
                    Inst::IterLoad { dsd, .. } => $vec_operand(dsd, f),
                    Inst::Sys { args, .. } => args.into_iter().for_each(f),
                    Inst::Load { .. }
                    | Inst::MemCopy { .. }
                    | Inst::Lea { .. }
                    | Inst::IterMore { .. }
                    | Inst::IterNext { .. } => {}
                }
            }

            /// Calls `f` for each memory address.
            pub fn $addrs<'a>(&'a $($m)? self, f: &mut impl FnMut(&'a $($m)? Addr)) {
                match self {
                    Inst::Load { addr, .. } | Inst::Store { addr, .. } | Inst::Lea { addr, .. } => f(addr),
                    Inst::SetMem4d { addr, .. }
                    | Inst::MemFill { dst: addr, .. }
                    | Inst::MakeMem4d { dst: addr, .. } => f(addr),
                    Inst::MemCopy { dst, src, .. } => [dst, src].into_iter().for_each(f),
                    Inst::Vec(vec) => {
                        let VecInst { srcs, dest, .. } = &$($m)? **vec;
                        srcs.into_iter().chain([dest]).for_each(|operand| $vec_addr(operand, f));
                    }
                    Inst::LoadDsr(load) => $vec_addr(&$($m)? load.dsd, f),
                    Inst::IterLoad { dsd, .. } => $vec_addr(dsd, f),
                    _ => {}
                }
            }
        }

        fn $vec_operand<'a>(operand: &'a $($m)? VecOperand, f: &mut impl FnMut(&'a $($m)? Opnd)) {
            match operand {
                VecOperand::Dsd(value) | VecOperand::Scalar(value, _) | VecOperand::Ptr(value) => f(value),
                VecOperand::Mem4d(_)
                | VecOperand::Mem4dConst(_)
                | VecOperand::Fifo(_)
                | VecOperand::Dsr { .. } => {}
            }
        }

        fn $vec_addr<'a>(operand: &'a $($m)? VecOperand, f: &mut impl FnMut(&'a $($m)? Addr)) {
            if let VecOperand::Mem4d(addr) = operand {
                f(addr);
            }
        }
    };
}

walks!(for_each_operand, for_each_addr, vec_operand, vec_addr, operands, []);
walks!(for_each_operand_mut, for_each_addr_mut, vec_operand_mut, vec_addr_mut, operands_mut, [mut]);

impl Inst {
    /// Whether it only notes something for reports: it touches no memory, and changes no cycle.
    pub fn is_note(&self) -> bool {
        matches!(self, Inst::Sys { op: SysOp::LookAtRoot, .. })
    }

    /// Calls `f` for each register that the instruction writes.
    pub fn for_each_def_mut(&mut self, f: &mut impl FnMut(&mut Reg)) {
        match self {
            Inst::Copy { dst, .. }
            | Inst::Bin { dst, .. }
            | Inst::Un { dst, .. }
            | Inst::Cmp { dst, .. }
            | Inst::Cast { dst, .. }
            | Inst::Select { dst, .. }
            | Inst::Math { dst, .. }
            | Inst::Load { dst, .. }
            | Inst::Lea { dst, .. }
            | Inst::Index { dst, .. }
            | Inst::MakeMem1d { dst, .. }
            | Inst::MakeFabric { dst, .. }
            | Inst::SetDsd { dst, .. } => f(dst),
            Inst::Call { dst, .. } | Inst::Sys { dst, .. } => dst.iter_mut().for_each(f),
            Inst::Vec(vec) => vec.result.iter_mut().for_each(f),
            Inst::IterNext { dst, ok, .. } => [dst, ok].into_iter().for_each(f),
            Inst::IterMore { ok, .. } | Inst::IterPut { ok, .. } => f(ok),
            Inst::Store { .. }
            | Inst::MemCopy { .. }
            | Inst::MemFill { .. }
            | Inst::MakeMem4d { .. }
            | Inst::SetMem4d { .. }
            | Inst::LoadDsr(_)
            | Inst::IterLoad { .. } => {}
        }
    }

    /// Whether the instruction writes or reads the register.
    pub fn mentions(&self, reg: Reg) -> bool {
        let mut is_mentioned = self.defs().any(|def| def == reg);
        self.for_each_use(&mut |used| is_mentioned |= used == reg);
        is_mentioned
    }

    /// Calls `f` for each register that the instruction reads, as often as it does.
    pub fn for_each_use(&self, f: &mut impl FnMut(Reg)) {
        self.for_each_operand(&mut |operand| {
            if let Opnd::Reg(reg) = operand {
                f(*reg);
            }
        });
        self.for_each_addr(&mut |addr| {
            if let AddrBase::Reg(reg) = addr.base {
                f(reg);
            }
        });
    }
}

impl Term {
    /// The value operand, if there is one.
    pub fn operand(&self) -> Option<&Opnd> {
        match self {
            Term::Branch { cond, .. } => Some(cond),
            Term::Switch { value, .. } => Some(value),
            Term::Return(value) => value.as_ref(),
            Term::Jump(_) | Term::Unreachable => None,
        }
    }

    pub fn operand_mut(&mut self) -> Option<&mut Opnd> {
        match self {
            Term::Branch { cond, .. } => Some(cond),
            Term::Switch { value, .. } => Some(value),
            Term::Return(value) => value.as_mut(),
            Term::Jump(_) | Term::Unreachable => None,
        }
    }

    /// Calls `f` for each block that control may go to next.
    pub fn for_each_successor_mut(&mut self, f: &mut impl FnMut(&mut BlockId)) {
        match self {
            Term::Jump(to) => f(to),
            Term::Branch { then, otherwise, .. } => [then, otherwise].into_iter().for_each(f),
            Term::Switch { cases, default, .. } => {
                cases.iter_mut().map(|case| &mut case.1).chain([default]).for_each(f);
            }
            Term::Return(_) | Term::Unreachable => {}
        }
    }

    /// The blocks that control may go to next.
    pub fn successors(&self) -> SmallVec<[BlockId; 2]> {
        match self {
            Term::Jump(to) => smallvec![*to],
            Term::Branch { then, otherwise, .. } => smallvec![*then, *otherwise],
            Term::Switch { cases, default, .. } => cases.iter().map(|case| case.1).chain([*default]).collect(),
            Term::Return(_) | Term::Unreachable => SmallVec::new(),
        }
    }
}
