//! Variables that nothing writes: a load of one is its initial value.
//!
//! Such a variable is the program's own: no code stores to it or takes its address, no descriptor lies on it, and the
//! source neither exports it nor gives it a section. It keeps its memory, where debuggers find it. Up to SDK 0.9 only
//! constants count: hosts of that time write any variable before the run (`CSELFRunner.set_symbol`).

use std::sync::Arc;

use csl_ir::{AddrBase, DsdValue, Exported, Func, GlobalId, Inst, Opnd, Program, PtrRoot, RelocTarget, VecOperand};
use rustc_hash::FxHashMap;

use crate::pool::Around;

/// The globals of each program that nothing writes, by number.
pub fn of_programs(programs: &[Program]) -> Vec<Vec<bool>> {
    let mut known: FxHashMap<*const Func, Vec<GlobalId>> = FxHashMap::default();
    programs.iter().map(|program| of_program(program, &mut known)).collect()
}

fn of_program(program: &Program, known: &mut FxHashMap<*const Func, Vec<GlobalId>>) -> Vec<bool> {
    let host_writes = program.is_written_by_hosts();
    let is_own = |global: &csl_ir::Global| {
        let is_others = host_writes && !global.is_const
            || global.is_linked
            || global.is_hidden && !global.is_const
            || global.linksection.is_some();
        !is_others && !global.is_undefined && global.varying.is_empty()
    };
    let mut fixed: Vec<bool> = program.globals.iter().map(is_own).collect();
    let mut touch = |id: GlobalId| fixed[id.index()] = false;
    for func in &program.funcs {
        known.entry(Arc::as_ptr(func)).or_insert_with(|| touched(func)).iter().copied().for_each(&mut touch);
    }
    for export in &program.exports {
        if let Exported::Global(id) = export.what {
            touch(id);
        }
    }
    for reloc in program.globals.iter().flat_map(|global| &global.relocs) {
        match &reloc.target {
            RelocTarget::Global(id, _) => touch(*id),
            RelocTarget::Dsd(desc) => base(desc).into_iter().for_each(&mut touch),
            RelocTarget::Func(_) => {}
        }
    }
    program.fifos.iter().for_each(|fifo| touch(fifo.buffer));
    for (load, _) in &program.dsr_loads {
        touched_by(&Inst::LoadDsr(Box::new(load.clone())), &mut touch);
    }
    fixed
}

/// The globals that a function does more with than to load them.
fn touched(func: &Func) -> Vec<GlobalId> {
    let mut found = Vec::new();
    let mut touch = |id: GlobalId| found.push(id);
    for block in &func.blocks {
        block.insts.iter().for_each(|inst| touched_by(inst, &mut touch));
        if let Some(operand) = block.term.operand() {
            self::operand(operand, &mut touch);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The globals that an instruction does more with than to load them.
fn touched_by(inst: &Inst, touch: &mut impl FnMut(GlobalId)) {
    inst.for_each_operand(&mut |operand| self::operand(operand, touch));
    match inst {
        Inst::Load { .. } => return,
        Inst::MakeMem4d { desc, .. } => base(desc).into_iter().for_each(&mut *touch),
        Inst::Vec(vec) => vec.srcs.iter().chain([&vec.dest]).for_each(|operand| mem4d_const(operand, touch)),
        Inst::LoadDsr(load) => mem4d_const(&load.dsd, touch),
        Inst::IterLoad { dsd, .. } => mem4d_const(dsd, touch),
        _ => {}
    }
    inst.for_each_addr(&mut |addr| {
        if let AddrBase::Global(id) = addr.base {
            touch(id);
        }
    });
}

fn operand(operand: &Opnd, touch: &mut impl FnMut(GlobalId)) {
    match operand {
        Opnd::Global(id, _) => touch(*id),
        Opnd::Dsd(desc) => base(desc).into_iter().for_each(touch),
        Opnd::Reg(_) | Opnd::Imm(_) | Opnd::Func(_) | Opnd::Tile(_) => {}
    }
}

/// A constant descriptor that stands in a vector operation itself: it is no operand that [`Inst::for_each_operand`] visits.
fn mem4d_const(found: &VecOperand, touch: &mut impl FnMut(GlobalId)) {
    if let VecOperand::Mem4dConst(desc) = found {
        base(desc).into_iter().for_each(touch);
    }
}

/// The global that a descriptor lies on.
fn base(desc: &DsdValue) -> Option<GlobalId> {
    match desc.base.as_ref()?.root {
        PtrRoot::Global(id) => Some(GlobalId::new(id.number())),
        PtrRoot::Cell(_) | PtrRoot::Fn(_) | PtrRoot::Absolute(_) => None,
    }
}

/// Runs the pass on a function; whether anything changed.
pub fn run(around: &Around, func: &mut Func) -> bool {
    let mut changed = false;
    for inst in func.blocks.iter_mut().flat_map(|block| &mut block.insts) {
        let Inst::Load { ty, dst, addr, .. } = inst else { continue };
        let AddrBase::Global(id) = addr.base else { continue };
        if let Some(src) = around.fixed_value(id, addr.offset, *ty) {
            *inst = Inst::Copy { dst: *dst, src };
            changed = true;
        }
    }
    changed
}
