//! Generates the code of one function: virtual registers, constants, block ends and their cycles.

use csl_image::Function;
use csl_ir::{Block, BlockId, DsdValue, Func, FuncId, GlobalId, Inst, Opnd, Program, PtrRoot, Reg, Site, threads};
use csl_isa::vec::{IterDsd, RegOrImm, VecArg, VecDesc};
use csl_isa::{Field, Insn, NO_REG, Op};
use csl_machine::{Arch, DsrLoad};
use csl_num::LowBits;
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::context::Context;
use crate::flow::Flow;
use crate::fuse::fuse;
use crate::plan::Plan;
use crate::rows;

/// Register numbers while code is generated: the IR's registers from 0, constants and temporaries from here.
const CONSTS: u16 = 0x4000;
const TEMPS: u16 = 0x8000;

/// A value that a register holds for the whole function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Held {
    Value(u64),
    /// The address of a stack slot, by the slot's offset in bytes.
    Slot(u16),
    /// A constant of the tile, by its number.
    Tile(u16),
}

/// A branch whose target is not known yet.
#[derive(Debug)]
struct Fixup {
    /// The instruction; its `ext` word follows for branches.
    at: usize,
    to: BlockId,
    kind: FixupKind,
}

#[derive(Debug)]
enum FixupKind {
    Jump,
    Branch,
    /// The branch target in an `ext` word of a table.
    Ext,
}

/// A finished function; positions are relative to its first instruction.
#[derive(Debug)]
pub struct Code {
    pub insns: Vec<Insn>,
    pub frame: u16,
    pub stack: u16,
    pub lines: Vec<(u32, Site)>,
    /// The instructions that make or use an address, with the object that it is meant to lie in.
    pub pointers: Vec<(u32, Meant)>,
    /// The loads of bits that are kept.
    pub kept: Vec<u32>,
}

/// The object that an address is meant to lie in, and the number of values that its index may have, or 0.
#[derive(Clone, Copy, Debug)]
pub struct Meant {
    pub object: GlobalId,
    pub values: u16,
}

/// The generator of one function's instructions.
#[derive(Debug)]
pub struct FnGen<'a, 'p> {
    pub ctx: &'a mut Context<'p>,
    pub id: FuncId,
    pub func: &'a Func,
    pub draft: &'a Draft,
    pub insns: Vec<Insn>,
    consts: IndexMap<Held, u16, FxBuildHasher>,
    temps: u16,
    most_temps: u16,
    /// Cycles not yet charged.
    pub pending: u32,
    pub block: BlockId,
    in_loop: bool,
    starts: Vec<u32>,
    fixups: Vec<Fixup>,
    lines: Vec<(u32, Site)>,
    pointers: Vec<(u32, Meant)>,
    kept: Vec<u32>,
    /// The objects that held constants are addresses of.
    held_objects: FxHashMap<Held, GlobalId>,
    pub vecs: Vec<VecDesc>,
    pub loads: Vec<DsrLoad<VecArg, RegOrImm>>,
    pub iters: Vec<IterDsd>,
}

/// The reason why a function cannot be translated: a table or frame that is too large.
#[derive(Debug)]
pub struct TooLarge(pub &'static str);

/// The facts that follow from a function alone, in any program.
#[derive(Debug)]
pub struct Draft {
    pub plan: Plan,
    pub flow: Flow,
    /// The cycles of each instruction, by block.
    pub costs: Vec<Vec<u32>>,
    /// The slot of each IR register.
    slots: Vec<u16>,
    frame: u32,
}

impl Draft {
    fn of(arch: Arch, func: &Func) -> Draft {
        let plan = Plan::of(func);
        let flow = Flow::of(func);
        let (slots, frame) = crate::regs::assign(func, &plan, &flow);
        Draft { costs: crate::cost::of(arch, func), plan, flow, slots, frame }
    }
}

/// The drafts of the functions of all programs, each made once however many programs share it: a function is known by
/// its address.
#[derive(Debug)]
pub struct Drafts(FxHashMap<usize, Draft>);

impl Drafts {
    pub fn of(programs: &[Program], threads: usize) -> Drafts {
        let funcs = programs.iter().flat_map(|program| program.funcs.iter().map(|func| (program.arch, &**func)));
        let mut known = FxHashSet::default();
        let funcs: Vec<_> = funcs.filter(|(_, func)| known.insert(address(func))).collect();
        let work = funcs.iter().map(|(_, func)| func.instructions()).sum();
        let made =
            threads::map(funcs, threads::threads_for(work, threads), |(arch, func)| (func, Draft::of(arch, func)));
        Drafts(made.into_iter().map(|(func, draft)| (address(func), draft)).collect())
    }

    fn get(&self, func: &Func) -> &Draft {
        &self.0[&address(func)]
    }
}

fn address(func: &Func) -> usize {
    std::ptr::from_ref(func).addr()
}

/// Translates one function of the program.
pub fn generate(ctx: &mut Context<'_>, id: FuncId, drafts: &Drafts) -> Result<Code, TooLarge> {
    let func = &*ctx.program.funcs[id];
    let draft = drafts.get(func);
    if draft.frame >= u32::from(CONSTS) {
        return Err(TooLarge("more than 16,383 scalar variables live at once"));
    }
    let starts = vec![0; func.blocks.len()];
    let mut generator = FnGen {
        ctx,
        id,
        func,
        draft,
        insns: Vec::new(),
        consts: IndexMap::default(),
        temps: 0,
        most_temps: 0,
        pending: 0,
        block: BlockId::new(0),
        in_loop: false,
        starts,
        fixups: Vec::new(),
        lines: Vec::new(),
        pointers: Vec::new(),
        kept: Vec::new(),
        held_objects: FxHashMap::default(),
        vecs: Vec::new(),
        loads: Vec::new(),
        iters: Vec::new(),
    };
    for &block in &draft.flow.order {
        generator.block(block);
    }
    generator.finish(draft.frame.low16())
}

impl FnGen<'_, '_> {
    fn block(&mut self, id: BlockId) {
        self.flush_unless_sole_fallthrough(id);
        self.block = id;
        self.in_loop = self.draft.flow.is_in_loop(id);
        self.starts[id] = self.insns.len() as u32;
        let (func, draft) = (self.func, self.draft);
        let block: &Block = &func.blocks[id];
        let insts = draft.plan.insts[id].iter().zip(&draft.costs[id]);
        for ((inst, &cost), &site) in insts.zip(&block.sites) {
            self.temps = 0;
            self.line(site);
            match inst {
                Some(inst) => self.inst(inst, cost),
                None => self.pending += cost,
            }
        }
        self.temps = 0;
        self.line(block.term_site);
        self.term(&block.term);
    }

    /// Charges pending cycles at the end of a block, unless it falls through into a block with no other predecessor,
    /// which can charge them.
    fn flush_unless_sole_fallthrough(&mut self, id: BlockId) {
        if self.draft.flow.preds[id] != 1 {
            self.flush();
        }
    }

    /// Charges pending cycles, so that the next instruction sees the right time.
    pub fn flush(&mut self) {
        if self.pending > 0 {
            self.emit(Op::Charge, self.pending.low16(), (self.pending >> 16).low16(), 0);
            self.pending = 0;
        }
    }

    /// Takes the pending cycles for a cost field, together with `more`.
    pub fn take_pending(&mut self, more: u32) -> u16 {
        match u16::try_from(self.pending + more) {
            Ok(cost) => {
                self.pending = 0;
                cost
            }
            Err(_) => {
                self.flush();
                more.min(u32::from(u16::MAX)).low16()
            }
        }
    }

    fn line(&mut self, site: Site) {
        let at = self.insns.len() as u32;
        match self.lines.last_mut() {
            Some((place, last)) if *place == at => *last = site,
            Some((_, last)) if *last == site => {}
            _ => self.lines.push((at, site)),
        }
    }

    /// Notes that the next instruction makes or uses an address in an object, for checks of bounds.
    pub fn points_to(&mut self, object: Option<GlobalId>) {
        self.indexes(object, 0);
    }

    /// The same of an instruction whose index may have `values` values, where this is not 0.
    pub fn indexes(&mut self, object: Option<GlobalId>, values: u16) {
        self.pointers.extend(object.map(|object| (self.insns.len() as u32, Meant { object, values })));
    }

    /// Notes whether the next instruction loads bits that are kept, of which the program reads none.
    pub fn note_kept(&mut self, keeps: bool) {
        self.kept.extend(keeps.then_some(self.insns.len() as u32));
    }

    pub fn emit(&mut self, op: Op, a: u16, b: u16, c: u16) {
        self.insns.push(Insn::new(op, a, b, c));
    }

    /// The position of the running block's first instruction; no jump leads further into the block.
    pub fn block_start(&self) -> usize {
        self.starts[self.block] as usize
    }

    pub fn jump_to(&mut self, to: BlockId, cost: u16) {
        self.fixups.push(Fixup { at: self.insns.len(), to, kind: FixupKind::Jump });
        self.emit(Op::Jump, 0, 0, cost);
    }

    pub fn branch_to(&mut self, op: Op, a: u16, b: u16, to: BlockId, costs: (u16, u16)) {
        self.fixups.push(Fixup { at: self.insns.len(), to, kind: FixupKind::Branch });
        self.emit(op, a, b, 0);
        self.emit(Op::Ext, costs.0, costs.1, 0);
    }

    pub fn table_entry(&mut self, to: BlockId, cost: u16) {
        self.fixups.push(Fixup { at: self.insns.len(), to, kind: FixupKind::Ext });
        self.emit(Op::Ext, cost, 0, 0);
    }

    /// A new temporary register, valid until the next IR instruction.
    pub fn temp(&mut self) -> u16 {
        self.window(1)
    }

    /// Consecutive new temporary registers.
    pub fn window(&mut self, count: u16) -> u16 {
        let first = TEMPS + self.temps;
        self.temps += count;
        self.most_temps = self.most_temps.max(self.temps);
        first
    }

    pub fn reg(&self, reg: Reg) -> u16 {
        self.draft.slots[reg]
    }

    /// The value of an operand that is known at compile time.
    pub fn constant(&self, operand: &Opnd) -> Option<u64> {
        self.ctx.constant(operand)
    }

    /// A register that holds the operand.
    pub fn operand(&mut self, operand: &Opnd) -> u16 {
        match operand {
            Opnd::Reg(reg) => self.reg(*reg),
            Opnd::Tile(number) => self.held(Held::Tile(self.ctx.tile_const(*number))),
            other => {
                let value = self.constant(other).expect("only registers and a tile's own constants are not known");
                self.held_constant(value, object_of(other))
            }
        }
    }

    /// A register with a constant, the address of an object or a DSD over it if there is one.
    pub fn held_constant(&mut self, value: u64, object: Option<GlobalId>) -> u16 {
        let held = Held::Value(value);
        if let Some(object) = object {
            self.held_objects.entry(held).or_insert(object);
        }
        self.held(held)
    }

    /// A register with the value: set once, at the head of the function, if this is in a loop.
    pub fn held(&mut self, held: Held) -> u16 {
        if self.in_loop || self.consts.contains_key(&held) {
            // A function with more constants than there are numbers is refused at its end.
            let next = CONSTS.wrapping_add(self.consts.len().low16());
            return *self.consts.entry(held).or_insert(next);
        }
        let temp = self.temp();
        self.load_held(held, temp);
        temp
    }

    fn load_held(&mut self, held: Held, into: u16) {
        self.points_to(self.held_objects.get(&held).copied());
        match held {
            Held::Value(value) => self.load_constant(into, value),
            Held::Slot(offset) => self.emit(Op::Slot, into, offset, 0),
            Held::Tile(number) => self.emit(Op::Tile, into, number, 0),
        }
    }

    pub fn load_constant(&mut self, into: u16, value: u64) {
        if let Ok(small) = i16::try_from(value as i64) {
            self.emit(Op::Imm, into, small.low16(), 0);
        } else if value <= u64::from(u32::MAX) {
            self.emit(Op::Imm32, into, value.low16(), (value >> 16).low16());
        } else {
            let row = self.ctx.pool_index(value);
            self.emit(Op::Pool, into, row, 0);
        }
    }

    /// Moves the operand into a particular register.
    pub fn load_into(&mut self, into: u16, operand: &Opnd) {
        match self.constant(operand) {
            Some(value) => {
                self.points_to(object_of(operand));
                self.load_constant(into, value);
            }
            None => {
                let from = self.operand(operand);
                self.copy(into, from);
            }
        }
    }

    pub fn copy(&mut self, into: u16, from: u16) {
        if into != from {
            self.emit(Op::Copy, into, from, 0);
        }
    }

    /// The offset of a stack slot in bytes from the function's first.
    pub fn slot_offset(&self, slot: csl_ir::SlotId) -> u32 {
        let before = self.func.slots[..slot.index()].iter();
        let end = before.fold(0, |end, slot| place_slot(end, slot).1);
        place_slot(end, &self.func.slots[slot]).0
    }

    fn finish(mut self, frame: u16) -> Result<Code, TooLarge> {
        let body = std::mem::take(&mut self.insns);
        let in_body = std::mem::take(&mut self.pointers);
        for (held, reg) in self.consts.clone() {
            self.load_held(held, reg);
        }
        let head = self.insns.len();
        self.pointers.extend(in_body.into_iter().map(|(at, object)| (at + head as u32, object)));
        let kept = self.kept.iter().map(|at| at + head as u32).collect();
        self.insns.extend(body);
        self.resolve(head);
        let consts = self.consts.len().low16();
        let total = u32::from(frame) + u32::from(consts) + u32::from(self.most_temps);
        if self.consts.len() > usize::from(TEMPS - CONSTS) || total >= u32::from(NO_REG) {
            return Err(TooLarge("more registers than a frame has"));
        }
        let rename = |reg| rename(reg, frame, consts);
        self.insns.iter_mut().for_each(|insn| rename_fields(insn, &rename));
        rows::intern(&mut self, &rename);
        fuse(&mut self.insns);
        let stack =
            self.func.slots.iter().fold(0, |end, slot| place_slot(end, slot).1).next_multiple_of(self.ctx.stack_align);
        let stack = u16::try_from(stack).map_err(|_| TooLarge("more stack than a PE has memory"))?;
        let lines = self.lines.iter().map(|&(at, site)| (if at == 0 { 0 } else { at + head as u32 }, site)).collect();
        Ok(Code { insns: self.insns, frame: total.low16(), stack, lines, pointers: self.pointers, kept })
    }

    /// Fills in branch targets, still relative to the function, now that its head has `head` instructions.
    fn resolve(&mut self, head: usize) {
        for fixup in &self.fixups {
            let target = head as u32 + self.starts[fixup.to];
            let (high, low) = ((target >> 16).low16(), target.low16());
            let at = head + fixup.at;
            match fixup.kind {
                FixupKind::Jump => (self.insns[at].a, self.insns[at].b) = (high, low),
                FixupKind::Branch => (self.insns[at].c, self.insns[at + 1].c) = (high, low),
                FixupKind::Ext => (self.insns[at].b, self.insns[at].c) = (high, low),
            }
        }
    }
}

/// The object that an operand is an address of, or a DSD over.
pub fn object_of(operand: &Opnd) -> Option<GlobalId> {
    match operand {
        Opnd::Global(id, _) => Some(*id),
        Opnd::Dsd(desc) => object_of_dsd(desc),
        Opnd::Reg(_) | Opnd::Tile(_) | Opnd::Imm(_) | Opnd::Func(_) => None,
    }
}

/// The object that a DSD is over.
pub fn object_of_dsd(desc: &DsdValue) -> Option<GlobalId> {
    match desc.base.as_ref()?.root {
        PtrRoot::Global(global) => Some(GlobalId::at(global.index())),
        PtrRoot::Absolute(_) | PtrRoot::Fn(_) | PtrRoot::Cell(_) => None,
    }
}

/// The alignment in bytes of an object in memory: those of four bytes or more have four, as the vendor guide's appendix
/// recommends for vector operands.
pub fn object_align(size: u32, align: u32) -> u32 {
    align.max(if size >= 4 { 4 } else { 1 })
}

/// Start and end, in bytes, of a stack slot placed after `end`.
fn place_slot(end: u32, slot: &csl_ir::StackSlot) -> (u32, u32) {
    let start = end.next_multiple_of(object_align(slot.size, slot.align));
    (start, start + slot.size)
}

/// The final number of a register: IR registers, then constants, then temporaries.
fn rename(reg: u16, frame: u16, consts: u16) -> u16 {
    match reg {
        NO_REG => NO_REG,
        TEMPS.. => frame + consts + (reg - TEMPS),
        CONSTS.. => frame + (reg - CONSTS),
        _ => reg,
    }
}

fn rename_fields(insn: &mut Insn, rename: &dyn Fn(u16) -> u16) {
    let is_register =
        |field| matches!(field, Field::Dst | Field::OptDst | Field::Src | Field::Acc | Field::Args | Field::Window);
    let fields = insn.op.fields();
    for (field, value) in fields.into_iter().zip([&mut insn.a, &mut insn.b, &mut insn.c]) {
        if is_register(field) {
            *value = rename(*value);
        }
    }
}

/// Turns branch targets relative to the function into absolute ones.
pub fn relocate(insns: &mut [Insn], base: u32) {
    let mut at = 0;
    while at < insns.len() {
        let insn = insns[at];
        match insn.op {
            Op::Jump => (insns[at].a, insns[at].b) = shifted(insn.a, insn.b, base),
            Op::Table => {
                for ext in &mut insns[at + 1..=at + usize::from(insn.b)] {
                    (ext.b, ext.c) = shifted(ext.b, ext.c, base);
                }
                at += usize::from(insn.b);
            }
            op if op.is_branch() => {
                (insns[at].c, insns[at + 1].c) = shifted(insn.c, insns[at + 1].c, base);
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
}

fn shifted(high: u16, low: u16, base: u32) -> (u16, u16) {
    let target = (u32::from(high) << 16 | u32::from(low)) + base;
    ((target >> 16).low16(), target.low16())
}

/// The image's entry for a translated function.
pub fn entry(func: &Func, code: &Code, base: u32) -> Function {
    Function {
        name: func.name.clone(),
        entry: base,
        end: base + code.insns.len() as u32,
        frame: code.frame,
        params: func.params.low16(),
        has_result: func.ret.is_some(),
        stack: code.stack,
        iters: func.iters.low16(),
    }
}

/// Whether the engine has to see the right time at this instruction.
pub fn is_exit(inst: &Inst) -> bool {
    matches!(
        inst,
        Inst::Vec(_)
            | Inst::LoadDsr(_)
            | Inst::IterLoad { .. }
            | Inst::IterNext { .. }
            | Inst::IterPut { .. }
            | Inst::Sys { .. }
    )
}
