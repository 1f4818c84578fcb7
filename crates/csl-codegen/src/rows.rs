//! Rows of the tables that vector instructions, DSR loads and iterators name.

use csl_ir::{
    Addr, AddrBase, Completion, DsrFile, OnControl, Opnd, Priority, Scalar, TaskTarget, VecConfig, VecInst, VecOperand,
};
use csl_isa::Op;
use csl_isa::vec::{self, Action, DsrLoad, IterDsd, RegOrImm, Target, VecArg, VecDesc};

use crate::func::FnGen;

pub fn dsr_file(file: DsrFile) -> vec::DsrFile {
    match file {
        DsrFile::Dest | DsrFile::FifoDest => vec::DsrFile::Dest,
        DsrFile::Src0 => vec::DsrFile::Src0,
        DsrFile::Src1 | DsrFile::FifoSrc1 => vec::DsrFile::Src1,
    }
}

pub fn priority(priority: Priority) -> vec::Priority {
    match priority {
        Priority::Low => vec::Priority::Low,
        Priority::Medium => vec::Priority::Medium,
        Priority::High => vec::Priority::High,
    }
}

impl FnGen<'_, '_> {
    /// Adds a vector operation's row; its number within the function.
    pub fn vec_row(&mut self, inst: &VecInst) -> u16 {
        let dest = self.vec_arg(&inst.dest);
        let srcs = inst.srcs.iter().map(|src| self.vec_arg(src)).collect();
        let config = self.vec_config(&inst.config);
        self.vecs.push(VecDesc { op: inst.op as u8, dest, srcs, config });
        (self.vecs.len() - 1) as u16
    }

    pub fn load_row(&mut self, load: &csl_ir::DsrLoad) -> u16 {
        let row = self.dsr_load(load);
        self.loads.push(row);
        (self.loads.len() - 1) as u16
    }

    fn dsr_load(&mut self, load: &csl_ir::DsrLoad) -> DsrLoad {
        DsrLoad {
            file: dsr_file(load.file),
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
        (self.iters.len() - 1) as u16
    }

    fn vec_arg(&mut self, operand: &VecOperand) -> VecArg {
        match operand {
            VecOperand::Dsd(Opnd::Reg(reg)) => VecArg::Dsd(self.reg(*reg)),
            VecOperand::Dsd(other) => VecArg::DsdConst(self.constant(other).unwrap_or(0)),
            VecOperand::Mem4d(addr) => self.mem4d(addr),
            VecOperand::Mem4dConst(desc) => VecArg::Mem4dConst(self.ctx.descriptor_index(desc)),
            VecOperand::Fifo(fifo) => VecArg::Fifo(fifo.0 as u8),
            VecOperand::Dsr { file, id } => VecArg::Dsr { file: dsr_file(*file), id: *id },
            VecOperand::Scalar(value @ (Opnd::Reg(_) | Opnd::Tile(_)), ty) => {
                VecArg::Scalar { reg: self.operand(value), bits: elem_bits(*ty) }
            }
            VecOperand::Scalar(other, ty) => {
                let value = self.constant(other).unwrap_or(0) as u32;
                let bits = elem_bits(*ty);
                VecArg::ScalarConst { value: if bits == 16 { value & 0xffff } else { value }, bits }
            }
            VecOperand::Ptr(Opnd::Reg(reg)) => VecArg::Ptr(self.reg(*reg)),
            VecOperand::Ptr(other) => VecArg::PtrAt(self.constant(other).unwrap_or(0) as u16),
        }
    }

    fn mem4d(&mut self, addr: &Addr) -> VecArg {
        match addr.base {
            AddrBase::Global(id) => VecArg::Mem4dAt(self.ctx.global(id, addr.offset)),
            AddrBase::Absolute => VecArg::Mem4dAt(addr.offset as u16),
            AddrBase::Slot(_) | AddrBase::Reg(_) => VecArg::Mem4d(self.address_register(addr)),
        }
    }

    fn vec_config(&mut self, config: &VecConfig) -> vec::VecConfig {
        vec_config(config, &mut |operand| match operand {
            Opnd::Reg(_) | Opnd::Tile(_) => RegOrImm::Reg(self.operand(operand)),
            other => RegOrImm::Imm(self.constant(other).unwrap_or(0) as u16),
        })
    }
}

/// The configuration of an operation or a load, whose operands `value` finds.
pub fn vec_config(config: &VecConfig, value: &mut dyn FnMut(&Opnd) -> RegOrImm) -> vec::VecConfig {
    vec::VecConfig {
        is_async: config.is_async,
        completion: match &config.completion {
            Completion::Nothing => Action::Nothing,
            Completion::Activate(task) => Action::Activate(target(task, value)),
            Completion::Unblock(task) => Action::Unblock(target(task, value)),
        },
        on_control: config.on_control.as_ref().map(|on_control| match on_control {
            OnControl::Terminate => vec::OnControl::Terminate,
            OnControl::Activate(task) => vec::OnControl::Then(Action::Activate(target(task, value))),
            OnControl::Unblock(task) => vec::OnControl::Then(Action::Unblock(target(task, value))),
        }),
        priority: config.priority.map(priority),
        ut: config.ut.as_ref().map(&mut *value),
        index: config.index.as_ref().map(value),
        save_address: config.save_address,
        single_step: config.single_step,
    }
}

fn target(target: &TaskTarget, value: &mut dyn FnMut(&Opnd) -> RegOrImm) -> Target {
    let id = value(target.operand());
    match target {
        TaskTarget::LocalTask(_) => Target::LocalTask(id),
        TaskTarget::DataTask(_) => Target::DataTask(id),
        TaskTarget::ControlTask(_) => Target::ControlTask(id),
        TaskTarget::Color(_) => Target::Color(id),
        TaskTarget::InputQueue(_) => Target::InputQueue(id),
    }
}

fn elem_bits(ty: Scalar) -> u8 {
    if ty.bytes() > 2 { 32 } else { 16 }
}

/// Moves a finished function's rows into the program's tables, with the final register numbers.
pub fn intern(generator: &mut FnGen<'_, '_>, rename: &dyn Fn(u16) -> u16) {
    let ctx = &mut *generator.ctx;
    let bases = (ctx.vecs.len() as u16, ctx.dsr_loads.len() as u16, ctx.iters.len() as u16);
    for mut row in generator.vecs.drain(..) {
        row.srcs.iter_mut().for_each(|arg| rename_arg(arg, rename));
        rename_arg(&mut row.dest, rename);
        rename_config(&mut row.config, rename);
        ctx.vecs.push(row);
    }
    for mut row in generator.loads.drain(..) {
        rename_arg(&mut row.dsd, rename);
        rename_config(&mut row.config, rename);
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

fn rename_config(config: &mut vec::VecConfig, rename: &dyn Fn(u16) -> u16) {
    rename_action(&mut config.completion, rename);
    if let Some(vec::OnControl::Then(action)) = &mut config.on_control {
        rename_action(action, rename);
    }
    for option in config.ut.iter_mut().chain(&mut config.index) {
        rename_option(option, rename);
    }
}

fn rename_action(action: &mut Action, rename: &dyn Fn(u16) -> u16) {
    if let Action::Activate(target) | Action::Unblock(target) = action {
        let (Target::LocalTask(id)
        | Target::DataTask(id)
        | Target::ControlTask(id)
        | Target::Color(id)
        | Target::InputQueue(id)) = target;
        rename_option(id, rename);
    }
}

fn rename_option(option: &mut RegOrImm, rename: &dyn Fn(u16) -> u16) {
    if let RegOrImm::Reg(reg) = option {
        *reg = rename(*reg);
    }
}
