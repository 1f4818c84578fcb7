//! The pool of functions: those of all programs, each once.
//!
//! Tiles that differ a little have programs of their own, most of whose functions are equal. The result of a pass
//! depends on the function and on the facts in [`Around`] about its program; where both are equal, the pass runs once.

use std::cmp::Reverse;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use csl_ir::{AddrBase, DsdKind, DsdValue, Func, Global, GlobalId, Opnd, Program, Reloc, RelocTarget, Ty, threads};
use csl_num::FloatKind;
use rustc_hash::{FxHashMap, FxHasher};

/// The facts about the program around a function that a pass may use.
pub struct Around<'a> {
    pub fp16: FloatKind,
    globals: &'a [Global],
}

impl Around<'_> {
    pub fn of(program: &Program) -> Around<'_> {
        Around { fp16: program.fp16, globals: &program.globals }
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

    fn facts(&self, id: GlobalId) -> (u32, Ty, Option<&DsdValue>) {
        (self.size(id), self.ty(id), self.descriptor(id))
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
}

impl Pool {
    /// Takes the functions out of the programs.
    pub fn of(programs: &mut [Program]) -> Pool {
        let taken: Vec<Vec<Arc<Func>>> =
            programs.iter_mut().map(|program| std::mem::take(&mut program.funcs)).collect();
        let mut bodies: Vec<Body> = Vec::new();
        let mut alike: FxHashMap<u64, Vec<(BodyId, Vec<GlobalId>)>> = FxHashMap::default();
        let mut tables = Vec::new();
        for (home, funcs) in taken.into_iter().enumerate() {
            let around = Around::of(&programs[home]);
            let place = |func: Arc<Func>| {
                let alike = alike.entry(hash(&func)).or_default();
                let known = alike.iter().find(|(id, globals)| {
                    let body = &bodies[*id];
                    body.func == *func && around.agrees(&Around::of(&programs[body.home]), globals)
                });
                known.map(|known| known.0).unwrap_or_else(|| {
                    alike.push((bodies.len(), named_globals(&func)));
                    bodies.push(Body { func: Arc::unwrap_or_clone(func), home });
                    bodies.len() - 1
                })
            };
            tables.push(funcs.into_iter().map(place).collect());
        }
        Pool { bodies, tables }
    }

    /// Runs a pass over each function of the pool, on up to `threads` threads.
    pub fn each(&mut self, programs: &[Program], threads: usize, pass: impl Fn(&Around, &mut Func) + Sync) {
        let uses = self.uses();
        let mut bodies: Vec<&mut Body> =
            self.bodies.iter_mut().zip(uses).filter(|(_, uses)| *uses > 0).map(|(body, _)| body).collect();
        // The longest ones first, so that no thread is left with one when the others have ended.
        bodies.sort_by_cached_key(|body| Reverse(body.func.instructions()));
        let work = bodies.iter().map(|body| body.func.instructions()).sum();
        threads::each(bodies, threads::threads_for(work, threads), |body| {
            pass(&Around::of(&programs[body.home]), &mut body.func);
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
