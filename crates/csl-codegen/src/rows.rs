//! Makes rows of the tables that vector instructions, DSR loads and iterators name.

use csl_ir::{Addr, AddrBase, Opnd, Scalar, VecInst, VecOperand};
use csl_isa::Op;
use csl_isa::vec::{IterDsd, RegOrImm, VecArg, VecDesc};
use csl_machine::{DsrLoad, LAST_CONTROL_TASK, VecConfig};
use csl_num::LowBits;

use crate::func::FnGen;

impl FnGen<'_, '_> {
    /// Adds a vector operation's row; returns its number within the function.
    pub fn vec_row(&mut self, inst: &VecInst) -> u16 {
        let dest = self.vec_arg(&inst.dest);
        let srcs = inst.srcs.iter().map(|src| self.vec_arg(src)).collect();
        let config = self.vec_config(&inst.config);
        self.vecs.push(VecDesc { op: inst.op.number(), dest, srcs, config });
        (self.vecs.len() - 1).low16()
    }

    pub fn load_row(&mut self, load: &DsrLoad<VecOperand, Opnd>) -> u16 {
        let row = self.dsr_load(load);
        self.loads.push(row);
        (self.loads.len() - 1).low16()
    }

    fn dsr_load(&mut self, load: &DsrLoad<VecOperand, Opnd>) -> DsrLoad<VecArg, RegOrImm> {
        DsrLoad {
            file: load.file,
            id: load.id,
            xdsr: load.xdsr,
            srs: load.srs.clone(),
            dsd: self.vec_arg(&load.dsd),
            config: self.vec_config(&load.config),
        }
    }

    pub fn iter_row(&mut self, dsd: &VecOperand, elem_bits: u8) -> u16 {
        let dsd = self.vec_arg(dsd);
        self.iters.push(IterDsd { dsd, elem_bits });
        (self.iters.len() - 1).low16()
    }

    fn vec_arg(&mut self, operand: &VecOperand) -> VecArg {
        match operand {
            VecOperand::Dsd(Opnd::Reg(reg)) => VecArg::Dsd(self.reg(*reg)),
            VecOperand::Dsd(other) => VecArg::DsdConst(self.constant(other).unwrap_or(0)),
            VecOperand::Mem4d(addr) => self.mem4d(addr),
            VecOperand::Mem4dConst(desc) => VecArg::Mem4dConst(self.ctx.descriptor_index(desc)),
            VecOperand::Fifo(fifo) => VecArg::Fifo(fifo.number().low8()),
            VecOperand::Dsr { file, id } => VecArg::Dsr { file: *file, id: *id },
            VecOperand::Scalar(value @ (Opnd::Reg(_) | Opnd::Tile(_)), ty) => {
                VecArg::Scalar { reg: self.operand(value), bits: elem_bits(*ty) }
            }
            VecOperand::Scalar(other, ty) => {
                let value = self.constant(other).unwrap_or(0) as u32;
                let bits = elem_bits(*ty);
                VecArg::ScalarConst { value: if bits == 16 { value & 0xffff } else { value }, bits }
            }
            VecOperand::Ptr(Opnd::Reg(reg)) => VecArg::Ptr(self.reg(*reg)),
            VecOperand::Ptr(other) => VecArg::PtrAt(self.constant(other).unwrap_or(0).low16()),
        }
    }

    fn mem4d(&mut self, addr: &Addr) -> VecArg {
        match addr.base {
            AddrBase::Global(id) => VecArg::Mem4dAt(self.ctx.global(id, addr.offset)),
            AddrBase::Absolute => VecArg::Mem4dAt(addr.offset.low16()),
            AddrBase::Slot(_) | AddrBase::Reg(_) => VecArg::Mem4d(self.address_register(addr)),
        }
    }

    fn vec_config(&mut self, config: &VecConfig<Opnd>) -> VecConfig<RegOrImm> {
        config.map(&mut |operand| match operand {
            Opnd::Reg(_) | Opnd::Tile(_) => RegOrImm::Reg(self.operand(operand)),
            // A number that no task has is the running program's fault, as from a variable.
            Opnd::Imm(id) if *id > u64::from(LAST_CONTROL_TASK) => RegOrImm::Reg(self.operand(operand)),
            other => RegOrImm::Imm(self.constant(other).unwrap_or(0).low16()),
        })
    }
}

fn elem_bits(ty: Scalar) -> u8 {
    if ty.bytes() > 2 { 32 } else { 16 }
}

/// Moves a finished function's rows into the program's tables, with the final register numbers.
pub fn intern(generator: &mut FnGen<'_, '_>, rename: &dyn Fn(u16) -> u16) {
    let ctx = &mut *generator.ctx;
    let bases = (ctx.vecs.len().low16(), ctx.dsr_loads.len().low16(), ctx.iters.len().low16());
    for mut row in generator.vecs.drain(..) {
        row.srcs.iter_mut().for_each(|arg| rename_arg(arg, rename));
        rename_arg(&mut row.dest, rename);
        row.config.operands_mut().for_each(|operand| rename_option(operand, rename));
        ctx.vecs.push(row);
    }
    for mut row in generator.loads.drain(..) {
        rename_arg(&mut row.dsd, rename);
        row.config.operands_mut().for_each(|operand| rename_option(operand, rename));
        ctx.dsr_loads.push(row);
    }
    for mut row in generator.iters.drain(..) {
        rename_arg(&mut row.dsd, rename);
        ctx.iters.push(row);
    }
    for insn in &mut generator.insns {
        match insn.op {
            Op::Vec => insn.a += bases.0,
            Op::LoadDsr => insn.a += bases.1,
            Op::IterLoad => insn.b += bases.2,
            _ => {}
        }
    }
}

fn rename_arg(arg: &mut VecArg, rename: &dyn Fn(u16) -> u16) {
    if let VecArg::Dsd(reg) | VecArg::Mem4d(reg) | VecArg::Scalar { reg, .. } | VecArg::Ptr(reg) = arg {
        *reg = rename(*reg);
    }
}

fn rename_option(option: &mut RegOrImm, rename: &dyn Fn(u16) -> u16) {
    if let RegOrImm::Reg(reg) = option {
        *reg = rename(*reg);
    }
}
