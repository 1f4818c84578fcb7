//! The validator: checks the rules that later stages rely on.

mod inst;

use csl_num::IntTy;

use crate::func::{Block, BlockId, Func, FuncId, GlobalId, Opnd, Reg, Scalar, Site, Term, TileConst};
use crate::program::{Exported, Global, Program, RelocTarget};
use crate::value::{DsdValue, PtrRoot};

/// A violation of the contract at the head of this crate: always a defect of the compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    pub func: String,
    pub what: String,
}

/// The violated rule, in words.
type Check = Result<(), String>;

/// Checks every rule of the contract.
pub fn validate(program: &Program) -> Result<(), Invalid> {
    tables(program).map_err(|what| Invalid { func: String::new(), what })?;
    for func in &program.funcs {
        Validator { program, func }.func().map_err(|what| Invalid { func: func.name.clone(), what })?;
    }
    Ok(())
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(what()) }
}

fn tables(program: &Program) -> Check {
    program.globals.iter().try_for_each(|global| self::global(program, global))?;
    for task in &program.tasks {
        known_func(program, task.func)?;
        let func = &program.funcs[task.func];
        ensure(task.params.len() == func.params as usize, || format!("task {} takes other arguments", func.name))?;
    }
    let handlers = (program.teardown_handlers.iter().map(|handler| handler.1))
        .chain(program.empty_queue_handlers.iter().map(|handler| handler.1));
    handlers.chain(program.rotating.iter().map(|tasks| tasks.alt)).try_for_each(|func| known_func(program, func))?;
    program.fifos.iter().try_for_each(|fifo| known_global(program, fifo.buffer))?;
    program.exports.iter().try_for_each(|export| match export.what {
        Exported::Global(id) => known_global(program, id),
        Exported::Func(id) => known_func(program, id),
    })
}

fn global(program: &Program, global: &Global) -> Check {
    let fits = |end: usize| end <= global.size as usize;
    ensure(fits(global.init.len()), || format!("global {} has more bytes than its size", global.name))?;
    for reloc in &global.relocs {
        match &reloc.target {
            RelocTarget::Global(id, _) => known_global(program, *id),
            RelocTarget::Func(id) => known_func(program, *id),
            RelocTarget::Dsd(desc) => dsd(program, desc),
        }?;
        ensure(fits((reloc.at + reloc.target.bytes()) as usize), || {
            format!("a relocation leaves global {}", global.name)
        })?;
    }
    Ok(())
}

fn known_global(program: &Program, id: GlobalId) -> Check {
    ensure(id.index() < program.globals.len(), || format!("no global g{id}"))
}

fn known_func(program: &Program, id: FuncId) -> Check {
    ensure(id.index() < program.funcs.len(), || format!("no function f{id}"))
}

/// Checks that a constant descriptor starts at a global, a function or a fixed address.
fn dsd(program: &Program, desc: &DsdValue) -> Check {
    match desc.base.as_ref().map(|base| base.root) {
        Some(PtrRoot::Global(id)) => known_global(program, GlobalId::new(id.number())),
        Some(PtrRoot::Fn(id)) => known_func(program, FuncId::new(id.number())),
        Some(PtrRoot::Cell(_)) => Err("a DSD over comptime memory".into()),
        Some(PtrRoot::Absolute(_)) | None => Ok(()),
    }
}

struct Validator<'a> {
    program: &'a Program,
    func: &'a Func,
}

impl Validator<'_> {
    fn func(&self) -> Check {
        let func = self.func;
        ensure(!func.blocks.is_empty(), || "no blocks".into())?;
        ensure(func.params as usize <= func.regs.len(), || "more parameters than registers".into())?;
        func.regs.iter().try_for_each(|&ty| {
            let width = !matches!(ty, Scalar::Int { bits, .. } if !(1..=64).contains(&bits));
            ensure(width, || format!("a register of type {ty:?}"))
        })?;
        let mut calls = func.inlined.iter().enumerate();
        calls.try_for_each(|(number, call)| self.site(&call.call, number))?;
        func.blocks
            .iter()
            .enumerate()
            .try_for_each(|(number, block)| self.block(block).map_err(|what| format!("b{number}: {what}")))
    }

    fn block(&self, block: &Block) -> Check {
        ensure(block.insts.len() == block.sites.len(), || "not one site an instruction".into())?;
        block.sites.iter().chain([&block.term_site]).try_for_each(|site| self.site(site, self.func.inlined.len()))?;
        for inst in &block.insts {
            let text = || crate::dump::inst_text(self.program, self.func, inst);
            self.inst(inst).map_err(|what| format!("{what} in '{}'", text()))?;
        }
        self.term(&block.term).map_err(|what| format!("{what} at its end"))
    }

    fn term(&self, term: &Term) -> Check {
        term.successors().into_iter().try_for_each(|to| self.known_block(to))?;
        match term {
            Term::Branch { cond, .. } => self.opnd(cond, Scalar::BOOL),
            Term::Switch { ty, value, cases, .. } => {
                self.opnd(value, *ty)?;
                cases.iter().try_for_each(|case| self.opnd(&Opnd::Imm(case.0), *ty))
            }
            Term::Return(value) => match (value, self.func.ret) {
                (Some(value), Some(ty)) => self.opnd(value, ty),
                (None, None) => Ok(()),
                (None, Some(_)) => Err("no value is returned".into()),
                (Some(_), None) => Err("a value is returned".into()),
            },
            Term::Jump(_) | Term::Unreachable => Ok(()),
        }
    }

    /// Checks that calls lead outwards: each has a number below that of the call inside it.
    fn site(&self, site: &Site, below: usize) -> Check {
        let known = site.inlined.is_none_or(|call| (call.index()) < below);
        ensure(known, || "an instruction of an inlined call that there is not".into())
    }

    fn known_block(&self, id: BlockId) -> Check {
        ensure(id.index() < self.func.blocks.len(), || format!("no block b{id}"))
    }

    fn reg_ty(&self, reg: Reg) -> Result<Scalar, String> {
        self.func.regs.get(reg.index()).copied().ok_or_else(|| format!("no register r{}", reg))
    }

    fn reg(&self, reg: Reg, ty: Scalar) -> Check {
        let actual = self.reg_ty(reg)?;
        ensure(actual == ty, || format!("r{} is {actual:?}, not {ty:?}", reg))
    }

    /// Checks an operand of the type; constants must be in canonical form.
    fn opnd(&self, operand: &Opnd, ty: Scalar) -> Check {
        match operand {
            Opnd::Reg(reg) => self.reg(*reg, ty),
            Opnd::Imm(bits) => ensure(is_canonical(*bits, ty), || format!("{bits:#x} is no {ty:?}")),
            Opnd::Global(id, _) => {
                known_global(self.program, *id)?;
                ensure(is_pointer(ty), || format!("an address where {ty:?} is needed"))
            }
            Opnd::Func(id) => {
                known_func(self.program, *id)?;
                ensure(is_pointer(ty), || format!("a function where {ty:?} is needed"))
            }
            Opnd::Tile(number) => {
                let own = self.tile_const(*number)?;
                // A float is its raw bits.
                let needed = match ty {
                    Scalar::Int { signed, bits } => IntTy::new(signed, bits.into()),
                    Scalar::F32 => IntTy::new(false, 32),
                    Scalar::Half => IntTy::new(false, 16),
                    _ => IntTy::new(false, 0),
                };
                let fits = needed == own;
                ensure(fits, || format!("tile{number} is {own}, not {ty:?}"))
            }
            Opnd::Dsd(desc) => {
                dsd(self.program, desc)?;
                ensure(ty == Scalar::Dsd, || format!("a DSD where {ty:?} is needed"))
            }
        }
    }

    fn tile_const(&self, number: TileConst) -> Result<IntTy, String> {
        self.program.tile_consts.get(&number).copied().ok_or_else(|| format!("no tile{number}"))
    }

    /// Checks an integer operand of any width and sign.
    fn any_int(&self, operand: &Opnd) -> Check {
        match operand {
            Opnd::Reg(reg) => {
                let ty = self.reg_ty(*reg)?;
                ensure(matches!(ty, Scalar::Int { .. }), || format!("r{} is {ty:?}, not an integer", reg))
            }
            Opnd::Imm(_) => Ok(()),
            Opnd::Tile(number) => self.tile_const(*number).map(|_| ()),
            other => self.opnd(other, Scalar::PTR),
        }
    }
}

fn is_pointer(ty: Scalar) -> bool {
    matches!(ty, Scalar::Int { bits: 16, .. })
}

fn is_canonical(bits: u64, ty: Scalar) -> bool {
    match ty {
        Scalar::Int { signed, bits: width } => {
            csl_num::wrap64(csl_num::IntTy::new(signed, u32::from(width)), bits) == bits
        }
        Scalar::Half => bits <= 0xffff,
        Scalar::F32 => bits <= 0xffff_ffff,
        Scalar::Dsd => true,
    }
}
