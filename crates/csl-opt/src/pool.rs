//! The pool of functions: those of all programs, each once.
//!
//! Tiles that differ a little have programs of their own, most of whose functions are equal. The result of a pass
//! depends on the function and on the facts in [`Around`] about its program; where both are equal, the pass runs once.

use std::cmp::Reverse;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use csl_ir::{
    AddrBase, DsdKind, DsdValue, Func, Global, GlobalId, Opnd, Program, Reloc, RelocTarget, Scalar, Ty, threads,
};
use csl_num::{FloatKind, IntTy, wrap64};
use rustc_hash::{FxHashMap, FxHasher};

/// The facts about the program around a function that a pass may use.
pub struct Around<'a> {
    pub fp16: FloatKind,
    globals: &'a [Global],
    /// Whether nothing writes a global, by number ([`crate::fixed`]); empty where that is not asked for.
    fixed: &'a [bool],
}

/// What a pass may know of a global: its size, its type, the descriptor in it, its value if nothing writes it.
type Facts<'a> = (u32, Ty, Option<&'a DsdValue>, Option<(&'a [u8], &'a [Reloc])>);

impl Around<'_> {
    fn of<'a>(program: &'a Program, fixed: &'a [bool]) -> Around<'a> {
        Around { fp16: program.fp16, globals: &program.globals, fixed }
    }

    /// The value of this type at a byte offset of a global that nothing writes.
    pub fn fixed_value(&self, id: GlobalId, offset: i32, ty: Scalar) -> Option<Opnd> {
        let (init, relocs) = self.fixed_bytes(id)?;
        let (start, bytes) = (u32::try_from(offset).ok()?, ty.bytes());
        // Checked runs tell of words at odd addresses.
        if start + bytes > self.size(id) || bytes > 1 && start % 2 != 0 {
            return None;
        }
        let reloc = relocs.iter().find(|reloc| reloc.at < start + bytes && start < reloc.at + reloc.target.bytes());
        match (reloc, ty) {
            (None, Scalar::Dsd) => None,
            (None, _) => {
                let byte = |at: u32| init.get(at as usize).copied().unwrap_or(0);
                let bits = (start..start + bytes).rev().fold(0, |bits, at| bits << 8 | u64::from(byte(at)));
                Some(Opnd::Imm(match ty {
                    Scalar::Int { signed, bits: width } => wrap64(IntTy::new(signed, width.into()), bits),
                    _ => bits,
                }))
            }
            (Some(reloc), _) if reloc.at != start || reloc.target.bytes() != bytes => None,
            (Some(Reloc { target: RelocTarget::Dsd(desc), .. }), Scalar::Dsd) => Some(Opnd::Dsd(desc.clone())),
            (Some(Reloc { target: RelocTarget::Global(global, at), .. }), Scalar::PTR) => {
                Some(Opnd::Global(*global, *at))
            }
            (Some(Reloc { target: RelocTarget::Func(func), .. }), Scalar::PTR) => Some(Opnd::Func(*func)),
            _ => None,
        }
    }

    fn fixed_bytes(&self, id: GlobalId) -> Option<(&[u8], &[Reloc])> {
        let global = &self.globals[id];
        let is_fixed = self.fixed.get(id.index()).is_some_and(|&fixed| fixed);
        is_fixed.then_some((&global.init[..], &global.relocs[..]))
    }

    pub fn size(&self, id: GlobalId) -> u32 {
        self.globals[id].size
    }

    pub fn ty(&self, id: GlobalId) -> Ty {
        self.globals[id].ty
    }

    /// The mem4d descriptor in a constant.
    pub fn descriptor(&self, id: GlobalId) -> Option<&DsdValue> {
        let global = &self.globals[id];
        match &global.relocs[..] {
            [Reloc { at: 0, target: RelocTarget::Dsd(desc) }]
                if global.is_const && global.varying.is_empty() && desc.kind == DsdKind::Mem4d =>
            {
                Some(desc)
            }
            _ => None,
        }
    }

    fn agrees(&self, other: &Around, on: &[GlobalId]) -> bool {
        self.fp16 == other.fp16 && on.iter().all(|&id| self.facts(id) == other.facts(id))
    }

    fn facts(&self, id: GlobalId) -> Facts<'_> {
        (self.size(id), self.ty(id), self.descriptor(id), self.fixed_bytes(id))
    }
}

/// The number of a function of the pool.
pub type BodyId = usize;

/// A function, with a program that has it.
pub struct Body {
    pub func: Func,
    /// One program with the function. [`Around`] is the same in all others that have it.
    pub home: usize,
}

/// The functions of all programs, each once however many programs share it.
pub struct Pool {
    pub bodies: Vec<Body>,
    /// The functions of each program.
    pub tables: Vec<Vec<BodyId>>,
    /// The globals of each program that nothing writes.
    fixed: Vec<Vec<bool>>,
}

impl Pool {
    /// Takes the functions out of the programs. `fixed` tells of each program which of its globals nothing writes.
    pub fn of(programs: &mut [Program], fixed: Vec<Vec<bool>>) -> Pool {
        let taken: Vec<Vec<Arc<Func>>> =
            programs.iter_mut().map(|program| std::mem::take(&mut program.funcs)).collect();
        let mut bodies: Vec<Body> = Vec::new();
        let mut alike: FxHashMap<u64, Vec<(BodyId, Vec<GlobalId>)>> = FxHashMap::default();
        let mut tables = Vec::new();
        for (home, funcs) in taken.into_iter().enumerate() {
            let around = Around::of(&programs[home], &fixed[home]);
            let place = |func: Arc<Func>| {
                let alike = alike.entry(hash(&func)).or_default();
                let known = alike.iter().find(|(id, globals)| {
                    let body = &bodies[*id];
                    body.func == *func && around.agrees(&Around::of(&programs[body.home], &fixed[body.home]), globals)
                });
                known.map(|known| known.0).unwrap_or_else(|| {
                    alike.push((bodies.len(), named_globals(&func)));
                    bodies.push(Body { func: Arc::unwrap_or_clone(func), home });
                    bodies.len() - 1
                })
            };
            tables.push(funcs.into_iter().map(place).collect());
        }
        Pool { bodies, tables, fixed }
    }

    /// Runs a pass over each function of the pool, on up to `threads` threads.
    pub fn each(&mut self, programs: &[Program], threads: usize, pass: impl Fn(&Around, &mut Func) + Sync) {
        let uses = self.uses();
        let fixed = &self.fixed;
        let mut bodies: Vec<&mut Body> =
            self.bodies.iter_mut().zip(uses).filter(|(_, uses)| *uses > 0).map(|(body, _)| body).collect();
        // The longest ones first, so that no thread is left with one when the others have ended.
        bodies.sort_by_cached_key(|body| Reverse(body.func.instructions()));
        let work = bodies.iter().map(|body| body.func.instructions()).sum();
        threads::each(bodies, threads::threads_for(work, threads), |body| {
            pass(&Around::of(&programs[body.home], &fixed[body.home]), &mut body.func);
        });
    }

    /// Gives every program its functions back.
    pub fn put_back(self, programs: &mut [Program]) {
        let funcs: Vec<Arc<Func>> = self.bodies.into_iter().map(|body| Arc::new(body.func)).collect();
        for (program, table) in programs.iter_mut().zip(self.tables) {
            program.funcs = table.into_iter().map(|id| Arc::clone(&funcs[id])).collect();
        }
    }

    fn uses(&self) -> Vec<u32> {
        let mut uses = vec![0; self.bodies.len()];
        self.tables.iter().flatten().for_each(|&id| uses[id] += 1);
        uses
    }
}

fn hash(func: &Func) -> u64 {
    let mut hasher = FxHasher::default();
    func.hash(&mut hasher);
    hasher.finish()
}

fn named_globals(func: &Func) -> Vec<GlobalId> {
    let mut found = Vec::new();
    for block in &func.blocks {
        for inst in &block.insts {
            inst.for_each_operand(&mut |operand| found.extend(global(operand)));
            inst.for_each_addr(&mut |addr| {
                if let AddrBase::Global(id) = addr.base {
                    found.push(id);
                }
            });
        }
        found.extend(block.term.operand().and_then(global));
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn global(operand: &Opnd) -> Option<GlobalId> {
    match operand {
        Opnd::Global(id, _) => Some(*id),
        _ => None,
    }
}
