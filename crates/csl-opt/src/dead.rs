//! Removes dead code: results that are never read, stack slots that are only written, functions that nothing names.

use csl_ir::{
    AddrBase, BlockId, Callee, DsdValue, Exported, FnRef, Func, FuncId, Inst, Opnd, Program, PtrRoot, Reg, RelocTarget,
    Scalar, VecOperand,
};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::edit::{is_within, keep, retain};
use crate::pool::{Around, Body, BodyId, Pool};

/// Removes instructions without effect from a function; whether there were any.
pub fn run(around: &Around, func: &mut Func) -> bool {
    let mut changed = drop_unread_slots(func);
    loop {
        let (dropped, is_less_live) = drop_unread_results(around, func);
        changed |= dropped;
        if !is_less_live {
            return changed;
        }
    }
}

/// A set of registers.
#[derive(Clone)]
pub struct Set(Vec<u64>);

impl Set {
    fn new(size: usize) -> Set {
        Set(vec![0; size.div_ceil(64)])
    }

    pub fn has(&self, reg: Reg) -> bool {
        self.0[reg.index() / 64] >> (reg.index() % 64) & 1 == 1
    }

    fn insert(&mut self, reg: Reg) {
        self.0[reg.index() / 64] |= 1 << (reg.index() % 64);
    }

    fn remove(&mut self, reg: Reg) {
        self.0[reg.index() / 64] &= !(1 << (reg.index() % 64));
    }
}

/// The registers that are read after the end of each block.
pub struct LiveOut {
    /// Registers that some block reads before it writes them: no other is read after the end of a block. They are few.
    crossing: Vec<Reg>,
    /// The position there of each register.
    places: Vec<Option<u32>>,
    /// The words of each block's set of positions, one set after the other.
    words: Vec<u64>,
    words_per_set: usize,
}

impl LiveOut {
    fn read(&self, block: usize, into: &mut Set) {
        into.0.fill(0);
        for (number, &word) in self.words[block * self.words_per_set..][..self.words_per_set].iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                into.insert(self.crossing[number * 64 + rest.trailing_zeros() as usize]);
                rest &= rest - 1;
            }
        }
    }

    pub fn has(&self, block: BlockId, reg: Reg) -> bool {
        self.places[reg].is_some_and(|place| {
            let (word, bit) = position(block.index() * self.words_per_set, place);
            self.words[word] & bit != 0
        })
    }
}

/// The word and the bit of a position in the set that begins at a word.
fn position(start: usize, place: u32) -> (usize, u64) {
    (start + place as usize / 64, 1 << (place % 64))
}

pub fn live_out(func: &Func) -> LiveOut {
    // Registers that a block reads before it writes them, and those that it writes.
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    let mut writer = vec![usize::MAX; func.regs.len()];
    let mut preds: Vec<SmallVec<[usize; 2]>> = vec![SmallVec::new(); func.blocks.len()];
    for (block, body) in func.blocks.iter().enumerate() {
        let mut read = |reg: Reg, writer: &[usize]| {
            if writer[reg] != block {
                reads.push((block, reg));
            }
        };
        for inst in &body.insts {
            inst.for_each_use(&mut |reg| read(reg, &writer));
            for reg in inst.defs() {
                if std::mem::replace(&mut writer[reg], block) != block {
                    writes.push((block, reg));
                }
            }
        }
        if let Some(Opnd::Reg(reg)) = body.term.operand() {
            read(*reg, &writer);
        }
        body.term.successors().into_iter().for_each(|to| preds[to].push(block));
    }
    let (mut crossing, mut places) = (Vec::new(), vec![None; func.regs.len()]);
    for &(_, reg) in &reads {
        if places[reg].is_none() {
            places[reg] = Some(crossing.len() as u32);
            crossing.push(reg);
        }
    }
    let words_per_set = crossing.len().div_ceil(64);
    let sets = |members: Vec<(usize, Reg)>| {
        let mut words = vec![0u64; func.blocks.len() * words_per_set];
        for (block, reg) in members {
            if let Some(place) = places[reg] {
                let (word, bit) = position(block * words_per_set, place);
                words[word] |= bit;
            }
        }
        words
    };
    let (read, written) = (sets(reads), sets(writes));
    let mut live = vec![0u64; read.len()];
    let mut pending: Vec<usize> = (0..func.blocks.len()).collect();
    let mut is_pending = vec![true; func.blocks.len()];
    while let Some(block) = pending.pop() {
        is_pending[block] = false;
        for &pred in &preds[block] {
            let mut changed = false;
            for at in 0..words_per_set {
                let (here, there) = (block * words_per_set + at, pred * words_per_set + at);
                let new = (read[here] | live[here] & !written[here]) & !live[there];
                live[there] |= new;
                changed |= new != 0;
            }
            if changed && !std::mem::replace(&mut is_pending[pred], true) {
                pending.push(pred);
            }
        }
    }
    LiveOut { crossing, places, words: live, words_per_set }
}

/// Drops unread results; whether there were any, and whether fewer registers are live across blocks now.
fn drop_unread_results(around: &Around, func: &mut Func) -> (bool, bool) {
    let live_out = live_out(func);
    let mut live = Set::new(func.regs.len());
    let (mut changed, mut is_less_live) = (false, false);
    let mut is_read = Vec::new();
    for block in 0..func.blocks.len() {
        live_out.read(block, &mut live);
        is_read.clear();
        is_read.resize(func.blocks[block].insts.len(), true);
        let body = &func.blocks[block];
        if let Some(Opnd::Reg(reg)) = body.term.operand() {
            live.insert(*reg);
        }
        // A removed instruction keeps nothing alive: registers of earlier blocks that it reads may be dead there, too.
        let mut unread: Vec<Reg> = Vec::new();
        let mut drops = false;
        for (place, inst) in body.insts.iter().enumerate().rev() {
            if is_pure(around, func, inst) && inst.defs().all(|reg| !live.has(reg)) {
                is_read[place] = false;
                drops = true;
                unread.retain(|&reg| inst.defs().all(|def| def != reg));
                inst.for_each_use(&mut |reg| unread.push(reg));
                continue;
            }
            if !unread.is_empty() {
                unread.retain(|&reg| inst.defs().all(|def| def != reg));
            }
            inst.defs().for_each(|reg| live.remove(reg));
            inst.for_each_use(&mut |reg| live.insert(reg));
        }
        // Even where it is live at the start of the block: two blocks of a loop can each be the only reason why it is in
        // the other.
        is_less_live |= !unread.is_empty();
        if drops {
            changed = true;
            keep(&mut func.blocks[block], &is_read);
        }
    }
    // A value that only a loop itself keeps alive stays. Another round finds values that were live across blocks.
    (changed, is_less_live)
}

/// Whether an instruction has no effect but its result. A division may fault, a float operation may raise an exception
/// that is not masked, a load through a pointer may read a register that counts its reads.
pub fn is_pure(around: &Around, func: &Func, inst: &Inst) -> bool {
    match inst {
        Inst::Bin { op, ty, b, .. } => {
            let divides = matches!(op, csl_ir::BinOp::Div | csl_ir::BinOp::Rem);
            is_int(*ty) && (!divides || matches!(b, Opnd::Imm(1..)))
        }
        Inst::Cast { from, to, .. } => is_int(*from) && is_int(*to),
        Inst::Un { ty, .. } | Inst::Cmp { ty, .. } => is_int(*ty),
        Inst::Load { ty, addr, .. } => is_within(around, func, addr, ty.bytes()),
        Inst::Copy { .. }
        | Inst::Select { .. }
        | Inst::Lea { .. }
        | Inst::Index { .. }
        | Inst::MakeMem1d { .. }
        | Inst::MakeFabric { .. }
        | Inst::SetDsd { .. } => true,
        _ => false,
    }
}

pub fn is_int(ty: Scalar) -> bool {
    matches!(ty, Scalar::Int { .. } | Scalar::Dsd)
}

/// Removes stack slots that are written and never read, and whose address is not taken.
fn drop_unread_slots(func: &mut Func) -> bool {
    let mut is_read = vec![false; func.slots.len()];
    for inst in func.blocks.iter().flat_map(|block| &block.insts) {
        let written = written_slot(inst);
        let mut skipped = false;
        inst.for_each_addr(&mut |addr| {
            let AddrBase::Slot(slot) = addr.base else { return };
            // The target is the first address of an instruction that writes; the source of a copy may be the same slot.
            let is_target = written == Some(slot) && !std::mem::replace(&mut skipped, true);
            is_read[slot] |= !is_target;
        });
    }
    if is_read.iter().all(|&read| read) {
        return false;
    }
    let mut changed = false;
    for block in &mut func.blocks {
        changed |= retain(block, |inst| written_slot(inst).is_none_or(|slot| is_read[slot]));
    }
    changed
}

fn written_slot(inst: &Inst) -> Option<csl_ir::SlotId> {
    let (Inst::Store { addr, .. }
    | Inst::SetMem4d { addr, .. }
    | Inst::MemFill { dst: addr, .. }
    | Inst::MemCopy { dst: addr, .. }
    | Inst::MakeMem4d { dst: addr, .. }) = inst
    else {
        return None;
    };
    match addr.base {
        AddrBase::Slot(slot) => Some(slot),
        _ => None,
    }
}

/// Functions that the program's tables name, by number.
pub fn named_by_tables(program: &mut Program) -> Vec<usize> {
    let mut found = Vec::new();
    tables(program, &mut |id| found.push(id.index()));
    found
}

/// Functions whose address the code takes, by number.
pub fn named_by_pointers(func: &mut Func) -> Vec<usize> {
    let mut found = Vec::new();
    pointers(func, &mut |id| found.push(id.index()));
    found
}

/// Drops the functions that cannot be reached.
pub fn functions(programs: &mut [Program], pool: &mut Pool) {
    let mut named: FxHashMap<BodyId, Vec<FuncId>> = FxHashMap::default();
    // The result for a function with other numbers for the functions that it names.
    let mut made: FxHashMap<(BodyId, Vec<FuncId>), BodyId> = FxHashMap::default();
    let Pool { bodies, tables: all, .. } = pool;
    for (home, (program, table)) in programs.iter_mut().zip(all).enumerate() {
        let mut pending = named_by_tables(program);
        let mut is_named = vec![false; table.len()];
        while let Some(id) = pending.pop() {
            if !std::mem::replace(&mut is_named[id], true) {
                let named = named.entry(table[id]).or_insert_with(|| names(&mut bodies[table[id]].func));
                pending.extend(named.iter().map(|id| id.index()));
            }
        }
        let mut next = 0;
        let mut numbers = Vec::new();
        for &named in &is_named {
            numbers.push(FuncId::new(next));
            next += u32::from(named);
        }
        let mut which = is_named.iter();
        table.retain(|_| *which.next().expect("one a function"));
        let mut renumber = |id: &mut FuncId| *id = numbers[*id];
        tables(program, &mut renumber);
        for body in table {
            let renumbered: Vec<FuncId> = named[body].iter().map(|&id| numbers[id]).collect();
            if renumbered != named[body] {
                *body = *made.entry((*body, renumbered)).or_insert_with(|| {
                    let mut func = bodies[*body].func.clone();
                    all_names(&mut func, &mut renumber);
                    bodies.push(Body { func, home });
                    bodies.len() - 1
                });
            }
        }
    }
}

/// The functions that a function's code names.
fn names(func: &mut Func) -> Vec<FuncId> {
    let mut found = Vec::new();
    all_names(func, &mut |id| found.push(*id));
    found
}

fn all_names(func: &mut Func, f: &mut impl FnMut(&mut FuncId)) {
    pointers(func, f);
    calls(func, f);
}

/// Functions that the program's tables name.
fn tables(program: &mut Program, f: &mut impl FnMut(&mut FuncId)) {
    program.tasks.iter_mut().for_each(|task| f(&mut task.func));
    program.teardown_handlers.iter_mut().for_each(|handler| f(&mut handler.1));
    program.empty_queue_handlers.iter_mut().for_each(|handler| f(&mut handler.1));
    program.rotating.iter_mut().for_each(|tasks| f(&mut tasks.alt));
    for export in &mut program.exports {
        if let Exported::Func(id) = &mut export.what {
            f(id);
        }
    }
    for reloc in program.globals.iter_mut().flat_map(|global| &mut global.relocs) {
        match &mut reloc.target {
            RelocTarget::Func(id) => f(id),
            RelocTarget::Dsd(desc) => descriptor(desc, f),
            RelocTarget::Global(..) => {}
        }
    }
    program.dsr_loads.iter_mut().for_each(|(load, _)| vec_operand(&mut load.dsd, f));
}

/// Functions whose address code takes.
fn pointers(func: &mut Func, f: &mut impl FnMut(&mut FuncId)) {
    for block in &mut func.blocks {
        for inst in &mut block.insts {
            inst.for_each_operand_mut(&mut |operand| self::operand(operand, f));
            match inst {
                Inst::MakeFabric { desc, .. } | Inst::MakeMem4d { desc, .. } => descriptor(desc, f),
                Inst::Vec(vec) => vec.srcs.iter_mut().chain([&mut vec.dest]).for_each(|operand| mem4d(operand, f)),
                Inst::LoadDsr(load) => mem4d(&mut load.dsd, f),
                Inst::IterLoad { dsd, .. } => mem4d(dsd, f),
                _ => {}
            }
        }
        if let Some(operand) = block.term.operand_mut() {
            self::operand(operand, f);
        }
    }
}

fn calls(func: &mut Func, f: &mut impl FnMut(&mut FuncId)) {
    for inst in func.blocks.iter_mut().flat_map(|block| &mut block.insts) {
        if let Inst::Call { callee: Callee::Direct(id), .. } = inst {
            f(id);
        }
    }
}

fn operand(operand: &mut Opnd, f: &mut impl FnMut(&mut FuncId)) {
    match operand {
        Opnd::Func(id) => f(id),
        Opnd::Dsd(desc) => descriptor(desc, f),
        Opnd::Reg(_) | Opnd::Imm(_) | Opnd::Global(..) | Opnd::Tile(_) => {}
    }
}

fn vec_operand(found: &mut VecOperand, f: &mut impl FnMut(&mut FuncId)) {
    match found {
        VecOperand::Dsd(value) | VecOperand::Scalar(value, _) | VecOperand::Ptr(value) => operand(value, f),
        other => mem4d(other, f),
    }
}

fn mem4d(operand: &mut VecOperand, f: &mut impl FnMut(&mut FuncId)) {
    if let VecOperand::Mem4dConst(desc) = operand {
        descriptor(desc, f);
    }
}

fn descriptor(desc: &mut DsdValue, f: &mut impl FnMut(&mut FuncId)) {
    if let Some(PtrRoot::Fn(id)) = desc.base.as_mut().map(|base| &mut base.root) {
        let mut func = FuncId::new(id.number());
        f(&mut func);
        *id = FnRef::new(func.number());
    }
}
