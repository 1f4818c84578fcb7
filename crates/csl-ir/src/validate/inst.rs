//! Checks single instructions.

use csl_machine::{DsrLoad, VecConfig};

use super::{Check, Validator, dsd, ensure, is_pointer, known_func, known_global};
use crate::func::{Addr, AddrBase, BinOp, Callee, Inst, IterId, Opnd, Reg, Scalar, UnOp, VecInst, VecOperand};

impl Validator<'_> {
    pub(super) fn inst(&self, inst: &Inst) -> Check {
        inst.defs().try_for_each(|def| self.reg_ty(def).map(|_| ()))?;
        match inst {
            Inst::Copy { dst, src } => self.opnd(src, self.reg_ty(*dst)?),
            Inst::Bin { op, ty, dst, a, b } => self.binary(*op, *ty, *dst, a, b),
            Inst::Un { op, ty, dst, a } => {
                self.reg(*dst, *ty)?;
                self.opnd(a, *ty)?;
                ensure(*op == UnOp::Neg || is_int(*ty), || format!("{op:?} of {ty:?}"))
            }
            Inst::Cmp { ty, dst, a, b, .. } => {
                self.reg(*dst, Scalar::BOOL)?;
                self.opnd(a, *ty)?;
                self.opnd(b, *ty)
            }
            Inst::Cast { from, to, dst, a, .. } => self.cast(*from, *to, *dst, a),
            Inst::Select { ty, dst, cond, a, b } => {
                self.reg(*dst, *ty)?;
                self.opnd(cond, Scalar::BOOL)?;
                [a, b].into_iter().try_for_each(|operand| self.opnd(operand, *ty))
            }
            Inst::Math { f, ty, dst, a, b } => {
                ensure(is_float(*ty), || format!("{} of {ty:?}", f.name()))?;
                ensure(f.arity() == 1 + usize::from(b.is_some()), || "the wrong number of operands".into())?;
                self.reg(*dst, *ty)?;
                std::iter::once(a).chain(b).try_for_each(|operand| self.opnd(operand, *ty))
            }
            Inst::Load { ty, dst, addr, .. } => self.reg(*dst, *ty).and_then(|()| self.addr(addr)),
            Inst::Store { ty, addr, src } => self.opnd(src, *ty).and_then(|()| self.addr(addr)),
            Inst::MemCopy { dst, src, bytes } => {
                self.addr(dst)?;
                self.addr(src)?;
                ensure(*bytes <= 0xffff, || format!("a copy of {bytes} bytes"))
            }
            Inst::MemFill { ty, dst, src, count } => {
                self.addr(dst)?;
                ensure(*count <= 0xffff, || format!("{count} elements"))?;
                self.opnd(src, *ty)
            }
            Inst::Lea { dst, addr } => self.reg(*dst, Scalar::PTR).and_then(|()| self.addr(addr)),
            Inst::Index { dst, base, index, scale, .. } => {
                self.reg(*dst, Scalar::PTR)?;
                self.any_int(base)?;
                self.any_int(index)?;
                ensure(*scale <= 0xffff, || format!("a scale of {scale} bytes"))
            }
            Inst::Call { dst, callee, args } => self.call(*dst, callee, args),
            Inst::MakeMem1d { dst, base, offset, stride, extent, .. } => {
                self.reg(*dst, Scalar::Dsd)?;
                [base, offset, stride, extent].into_iter().try_for_each(|operand| self.any_int(operand))
            }
            Inst::MakeFabric { dst, desc, extent } => {
                self.reg(*dst, Scalar::Dsd)?;
                dsd(self.program, desc)?;
                self.any_int(extent)
            }
            Inst::MakeMem4d { dst, desc, base, offset, extents } => {
                self.addr(dst)?;
                dsd(self.program, desc)?;
                let parts = base.iter().chain(offset).chain(extents.iter().flatten());
                parts.into_iter().try_for_each(|operand| self.any_int(operand))
            }
            Inst::SetDsd { dst, dsd, value, .. } => {
                self.reg(*dst, Scalar::Dsd)?;
                self.opnd(dsd, Scalar::Dsd)?;
                self.any_int(value)
            }
            Inst::SetMem4d { addr, value, .. } => self.addr(addr).and_then(|()| self.any_int(value)),
            Inst::Vec(vec) => self.vec(vec),
            Inst::LoadDsr(load) => self.dsr_load(load),
            Inst::IterLoad { iter, dsd, elem_bits } => {
                self.iter(*iter)?;
                ensure(matches!(elem_bits, 16 | 32), || format!("elements of {elem_bits} bits"))?;
                self.vec_operand(dsd)
            }
            Inst::IterMore { iter, ok } => {
                self.iter(*iter)?;
                self.reg(*ok, Scalar::BOOL)
            }
            Inst::IterNext { iter, ty, dst, ok } => {
                self.iter(*iter)?;
                self.reg(*dst, *ty)?;
                self.reg(*ok, Scalar::BOOL)
            }
            Inst::IterPut { iter, ty, src, ok } => {
                self.iter(*iter)?;
                self.opnd(src, *ty)?;
                self.reg(*ok, Scalar::BOOL)
            }
            Inst::Sys { op, dst, args } => {
                ensure(args.len() == op.args().len(), || "the wrong number of arguments".into())?;
                ensure(dst.is_none() || op.has_result(), || "a result that there is not".into())?;
                args.iter().try_for_each(|arg| self.any_scalar(arg))
            }
        }
    }

    fn binary(&self, op: BinOp, ty: Scalar, dst: Reg, a: &Opnd, b: &Opnd) -> Check {
        let allowed =
            is_int(ty) || is_float(ty) && matches!(op, BinOp::Add | BinOp::Sub | BinOp::Mul | BinOp::Div | BinOp::Rem);
        ensure(allowed, || format!("{op:?} of {ty:?}"))?;
        self.reg(dst, ty)?;
        self.opnd(a, ty)?;
        if matches!(op, BinOp::Shl | BinOp::Shr) { self.any_int(b) } else { self.opnd(b, ty) }
    }

    /// Checks that raw bits pass between a float and the unsigned integer of its width.
    fn cast(&self, from: Scalar, to: Scalar, dst: Reg, a: &Opnd) -> Check {
        let dst = self.reg_ty(dst)?;
        ensure(dst == to || raw(dst) == to, || format!("the destination is {dst:?}"))?;
        match a {
            Opnd::Reg(reg) => {
                let source = self.reg_ty(*reg)?;
                ensure(source == from || raw(source) == from, || format!("the source is {source:?}"))
            }
            other => self.opnd(other, from),
        }
    }

    fn call(&self, dst: Option<Reg>, callee: &Callee, args: &[Opnd]) -> Check {
        let id = match callee {
            Callee::Direct(id) => *id,
            Callee::Indirect(pointer) => {
                self.any_int(pointer)?;
                return args.iter().try_for_each(|arg| self.any_scalar(arg));
            }
        };
        known_func(self.program, id)?;
        let func = &self.program.funcs[id];
        ensure(args.len() == func.params as usize, || "the wrong number of arguments".into())?;
        args.iter().zip(&func.regs).try_for_each(|(arg, &ty)| self.opnd(arg, ty))?;
        match (dst, func.ret) {
            (Some(dst), Some(ty)) => self.reg(dst, ty),
            (Some(_), None) => Err("the result of a function that has none".into()),
            (None, _) => Ok(()),
        }
    }

    fn any_scalar(&self, operand: &Opnd) -> Check {
        match operand {
            Opnd::Reg(reg) => self.reg_ty(*reg).map(|_| ()),
            Opnd::Imm(_) => Ok(()),
            Opnd::Tile(number) => self.tile_const(*number).map(|_| ()),
            Opnd::Dsd(desc) => dsd(self.program, desc),
            other => self.opnd(other, Scalar::PTR),
        }
    }

    fn addr(&self, addr: &Addr) -> Check {
        match addr.base {
            AddrBase::Global(id) => known_global(self.program, id),
            AddrBase::Slot(id) => ensure(id.index() < self.func.slots.len(), || format!("no slot{id}")),
            AddrBase::Reg(reg) => {
                let ty = self.reg_ty(reg)?;
                ensure(is_pointer(ty), || format!("r{} is {ty:?}, not an address", reg))
            }
            AddrBase::Absolute => Ok(()),
        }
    }

    fn vec(&self, vec: &VecInst) -> Check {
        let expected = vec.op.sources().len();
        ensure(vec.srcs.len() == expected, || format!("{} sources, not {expected}", vec.srcs.len()))?;
        vec.srcs.iter().chain([&vec.dest]).try_for_each(|operand| self.vec_operand(operand))?;
        self.config(&vec.config)?;
        vec.result.map_or(Ok(()), |result| self.reg(result, Scalar::BOOL))
    }

    fn dsr_load(&self, load: &DsrLoad<VecOperand, Opnd>) -> Check {
        self.vec_operand(&load.dsd)?;
        self.config(&load.config)
    }

    fn vec_operand(&self, operand: &VecOperand) -> Check {
        match operand {
            VecOperand::Dsd(value) => self.opnd(value, Scalar::Dsd),
            VecOperand::Mem4d(addr) => self.addr(addr),
            VecOperand::Mem4dConst(desc) => dsd(self.program, desc),
            VecOperand::Fifo(fifo) => ensure((fifo.index()) < self.program.fifos.len(), || format!("no fifo{fifo}")),
            VecOperand::Dsr { .. } => Ok(()),
            VecOperand::Scalar(value, ty) => self.opnd(value, *ty),
            VecOperand::Ptr(value) => self.any_int(value),
        }
    }

    fn config(&self, config: &VecConfig<Opnd>) -> Check {
        config.operands().try_for_each(|operand| self.any_int(operand))
    }

    fn iter(&self, iter: IterId) -> Check {
        ensure(iter.number() < self.func.iters, || format!("no iterator {iter}"))
    }
}

fn is_int(ty: Scalar) -> bool {
    matches!(ty, Scalar::Int { .. })
}

fn is_float(ty: Scalar) -> bool {
    matches!(ty, Scalar::Half | Scalar::F32)
}

fn raw(ty: Scalar) -> Scalar {
    match ty {
        Scalar::Half => Scalar::U16,
        Scalar::F32 => Scalar::U32,
        other => other,
    }
}
