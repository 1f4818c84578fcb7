//! Random programs end with the same result and the same memory with the passes and without them.
//!
//! `WAFERLAB_RANDOM_PROGRAMS` sets the number of programs, `WAFERLAB_RANDOM_SEED` the number of the first one.

use std::sync::Arc;

use csl_codegen::Options;
use csl_diag::{FileId, SourceMap, Span};
use csl_image::PeImage;
use csl_ir::*;
use csl_machine::{Arch, Coord, TaskId, TaskKind};
use csl_opt::{Pass, Passes, optimise};
use csl_pe::Memory;
use csl_pe::scalar::Cpu;
use csl_pe::scalar::{Exit, run};

const SPAN: Span = Span { file: FileId(0), lo: 0, hi: 1 };

/// Elements of each array.
const LEN: u64 = 8;

/// xorshift64: the same programs in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 11) as usize % limit
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const fn int(signed: bool, bits: u8) -> Scalar {
    Scalar::Int { signed, bits }
}

const TYPES: [Scalar; 10] = [
    int(true, 16),
    int(false, 16),
    int(true, 16),
    int(false, 16),
    int(true, 32),
    int(false, 32),
    int(true, 8),
    int(false, 24),
    Scalar::F32,
    Scalar::Half,
];

/// A function under construction.
struct Maker<'a> {
    random: &'a mut Random,
    func: Func,
    /// Variables, all set before anything reads them.
    vars: Vec<Reg>,
    current: usize,
    /// The product of the turns of the loops around the current place.
    turns: u64,
    /// Functions that may be called, by number.
    callees: Vec<(FuncId, Vec<Scalar>, Option<Scalar>)>,
    budget: usize,
    /// The targets of `continue` and `break` of the loops around.
    targets: Vec<(BlockId, BlockId)>,
}

impl Maker<'_> {
    fn reg(&mut self, ty: Scalar) -> Reg {
        self.func.regs.push(ty);
        Reg::at(self.func.regs.len() - 1)
    }

    fn block(&mut self) -> BlockId {
        let end = Block { insts: Vec::new(), sites: Vec::new(), term: Term::Unreachable, term_site: SPAN.into() };
        self.func.blocks.push(end);
        BlockId::at(self.func.blocks.len() - 1)
    }

    fn emit(&mut self, inst: Inst) {
        let block = &mut self.func.blocks[self.current];
        block.insts.push(inst);
        block.sites.push(SPAN.into());
    }

    fn end(&mut self, term: Term, next: BlockId) {
        self.func.blocks[self.current].term = term;
        self.current = next.index();
    }

    fn constant(&mut self, ty: Scalar) -> u64 {
        let small = self.random.below(20) as u64;
        let edges = [0, 1, 2, 3, 4, 7, 8, 10, 16, 64, u64::MAX, 1 << 15, 1 << 31, small, self.random.next()];
        let value = self.random.pick(&edges);
        match ty {
            Scalar::Int { signed, bits } => csl_num::wrap64(csl_num::IntTy::new(signed, u32::from(bits)), value),
            Scalar::F32 => {
                u64::from(self.random.pick(&[0.0f32, 1.0, 2.0, 4.0, -0.5, 3.0, 0.1, 1e30, f32::INFINITY]).to_bits())
            }
            Scalar::Half => self.random.pick(&[0, 0x3c00, 0x4000, 0x4400, 0xb800, 0x4200, 1, 0x7bff]),
            Scalar::Dsd => 0,
        }
    }

    /// A variable of the type or a constant.
    fn operand(&mut self, ty: Scalar) -> Opnd {
        let fitting: Vec<Reg> = self.vars.iter().copied().filter(|reg| self.func.regs[*reg] == ty).collect();
        if fitting.is_empty() || self.random.one_in(4) {
            return Opnd::Imm(self.constant(ty));
        }
        Opnd::Reg(self.random.pick(&fitting))
    }

    /// The address of an element, in bounds or, sometimes, one that wraps around the whole memory of data.
    fn addr(&mut self, ty: Scalar) -> Addr {
        let global = GlobalId::new(global_of(ty));
        let place = self.random.below(LEN as usize) as u64;
        match self.random.below(4) {
            0 => Addr { base: AddrBase::Global(global), offset: (place * u64::from(ty.bytes())) as i32 },
            1 if !self.func.slots.is_empty() => {
                let bytes = ty.bytes() as usize;
                let offset = self.random.below(32 / bytes) * bytes;
                Addr {
                    base: AddrBase::Slot(SlotId::new(self.random.below(self.func.slots.len()) as u32)),
                    offset: offset as i32,
                }
            }
            _ => {
                let value = self.operand(Scalar::U16);
                let masked = self.reg(Scalar::U16);
                self.emit(Inst::Bin {
                    op: BinOp::And,
                    ty: Scalar::U16,
                    dst: masked,
                    a: value,
                    b: Opnd::Imm(LEN / 2 - 1),
                });
                let (dst, scale) = (self.reg(Scalar::U16), ty.bytes());
                self.emit(Inst::Index {
                    dst,
                    base: Opnd::Global(global, 0),
                    index: Opnd::Reg(masked),
                    scale,
                    values: 0,
                });
                Addr { base: AddrBase::Reg(dst), offset: self.random.below(LEN as usize / 2) as i32 * scale as i32 }
            }
        }
    }

    /// A new value in a register.
    fn value(&mut self, ty: Scalar) -> Opnd {
        let dst = self.reg(ty);
        let inst = match (ty, self.random.below(10)) {
            (_, 0) => {
                let addr = self.addr(ty);
                Inst::Load { ty, dst, addr, keeps: false }
            }
            (_, 1) => {
                let from = self.random.pick(&TYPES);
                let a = self.operand(from);
                Inst::Cast { from, to: ty, to_bool: false, dst, a }
            }
            (Scalar::Int { .. }, 2) => {
                let op = self.random.pick(&[UnOp::Neg, UnOp::BitNot]);
                Inst::Un { op, ty, dst, a: self.operand(ty) }
            }
            (Scalar::Int { bits, .. }, 3..) => {
                let op = self.random.pick(&BinOp::ALL);
                let b = match op {
                    BinOp::Div | BinOp::Rem if !self.random.one_in(50) => Opnd::Imm(self.constant(ty).max(1)),
                    BinOp::Shl | BinOp::Shr => Opnd::Imm(self.random.below(usize::from(bits) + 2) as u64),
                    _ => self.operand(ty),
                };
                Inst::Bin { op, ty, dst, a: self.operand(ty), b }
            }
            _ => {
                let op = self.random.pick(&[BinOp::Add, BinOp::Sub, BinOp::Mul, BinOp::Div]);
                Inst::Bin { op, ty, dst, a: self.operand(ty), b: self.operand(ty) }
            }
        };
        self.emit(inst);
        Opnd::Reg(dst)
    }

    fn condition(&mut self) -> Opnd {
        let ty = self.random.pick(&TYPES);
        let op = self.random.pick(&[CmpOp::Eq, CmpOp::Ne, CmpOp::Lt, CmpOp::Le, CmpOp::Gt, CmpOp::Ge]);
        let (a, b) = (self.operand(ty), self.operand(ty));
        let dst = self.reg(Scalar::BOOL);
        self.emit(Inst::Cmp { op, ty, dst, a, b });
        Opnd::Reg(dst)
    }

    fn statements(&mut self, most: usize) {
        for _ in 0..1 + self.random.below(most) {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            self.statement();
        }
    }

    fn statement(&mut self) {
        match self.random.below(16) {
            0..6 => {
                let dst = self.random.pick(&self.vars.clone());
                let src = self.value(self.func.regs[dst]);
                self.emit(Inst::Copy { dst, src });
            }
            6..9 => {
                let ty = self.random.pick(&TYPES);
                let src = if self.random.one_in(2) { self.operand(ty) } else { self.value(ty) };
                let addr = self.addr(ty);
                self.emit(Inst::Store { ty, addr, src });
            }
            9..12 => self.branch(),
            12 | 13 if self.turns < 500 => self.counted_loop(),
            14 if !self.callees.is_empty() && self.turns < 200 => self.call(),
            15 if !self.targets.is_empty() && self.random.one_in(3) => self.leave(),
            _ => self.copy_descriptor(),
        }
    }

    /// Makes a descriptor, moves it and stores it as the number that it is.
    fn copy_descriptor(&mut self) {
        let [made, moved] = [(); 2].map(|()| self.reg(Scalar::Dsd));
        let offset =
            if self.random.one_in(2) { self.operand(Scalar::I16) } else { Opnd::Imm(self.constant(Scalar::I16)) };
        let base = Opnd::Global(GlobalId::new(self.random.below(4) as u32), 4);
        let (stride, extent) = (Opnd::Imm(2), Opnd::Imm(self.random.below(9) as u64));
        let elem_words = self.random.pick(&[1, 2]);
        self.emit(Inst::MakeMem1d {
            dst: made,
            base,
            offset: offset.clone(),
            elem_words,
            stride,
            extent,
            index_offset: false,
        });
        let what = match self.random.below(4) {
            0 => DsdChange::BaseAddr,
            1 => DsdChange::Length,
            2 => DsdChange::Stride,
            _ => DsdChange::Offset { elem_words: self.random.pick(&[1, 2]) },
        };
        let value = Opnd::Imm(self.constant(Scalar::U16));
        self.emit(Inst::SetDsd { dst: moved, dsd: Opnd::Reg(made), what, value });
        let addr = Addr { base: AddrBase::Global(GlobalId::new(DESCRIPTOR)), offset: 0 };
        self.emit(Inst::Store { ty: Scalar::Dsd, addr, src: Opnd::Reg(moved) });
    }

    fn branch(&mut self) {
        let cond = self.condition();
        let [then, otherwise, join] = [(); 3].map(|()| self.block());
        self.end(Term::Branch { cond, then, otherwise }, then);
        self.statements(3);
        self.end(Term::Jump(join), otherwise);
        if self.random.one_in(2) {
            self.statements(3);
        }
        self.end(Term::Jump(join), join);
    }

    fn counted_loop(&mut self) {
        let ty = self.random.pick(&[Scalar::U16, Scalar::I16]);
        let counter = self.reg(ty);
        let [head, body, next, exit] = [(); 4].map(|()| self.block());
        let turns = self.random.below(6) as u64;
        let (start, step) = (self.random.below(3) as u64, 1 + self.random.below(3) as u64);
        self.emit(Inst::Copy { dst: counter, src: Opnd::Imm(start) });
        self.func.counters.push(counter);
        self.end(Term::Jump(head), head);
        let cond = self.reg(Scalar::BOOL);
        let b = Opnd::Imm(start + turns * step - u64::from(turns > 0 && self.random.one_in(2)));
        self.emit(Inst::Cmp { op: CmpOp::Lt, ty, dst: cond, a: Opnd::Reg(counter), b });
        self.end(Term::Branch { cond: Opnd::Reg(cond), then: body, otherwise: exit }, body);
        let outer = self.turns;
        self.turns *= turns.max(1);
        self.targets.push((next, exit));
        if self.random.one_in(2) {
            let dst = self.reg(ty);
            self.emit(Inst::Copy { dst, src: Opnd::Reg(counter) });
            self.vars.push(dst);
            self.statements(4);
            self.vars.pop();
        } else {
            self.statements(4);
        }
        self.targets.pop();
        self.turns = outer;
        self.end(Term::Jump(next), next);
        self.emit(Inst::Bin { op: BinOp::Add, ty, dst: counter, a: Opnd::Reg(counter), b: Opnd::Imm(step) });
        self.end(Term::Jump(head), exit);
        if self.random.one_in(2) {
            let dst = self.vars.iter().copied().find(|reg| self.func.regs[*reg] == ty);
            if let Some(dst) = dst {
                self.emit(Inst::Copy { dst, src: Opnd::Reg(counter) });
            }
        }
    }

    fn leave(&mut self) {
        let cond = self.condition();
        let (next, exit) = self.random.pick(&self.targets.clone());
        let on = self.block();
        let then = if self.random.one_in(2) && Some(&(next, exit)) == self.targets.last() { next } else { exit };
        self.end(Term::Branch { cond, then, otherwise: on }, on);
    }

    fn call(&mut self) {
        let place = self.random.below(self.callees.len());
        let (id, params, ret) = self.callees[place].clone();
        let args = params.iter().map(|&ty| self.operand(ty)).collect();
        let dst = ret.map(|ty| self.reg(ty));
        self.emit(Inst::Call { dst, callee: Callee::Direct(id), args });
        if let Some((src, ty)) = dst.zip(ret)
            && let Some(into) = self.vars.iter().copied().find(|reg| self.func.regs[*reg] == ty)
        {
            self.emit(Inst::Copy { dst: into, src: Opnd::Reg(src) });
        }
    }
}

/// The global whose elements have the type.
fn global_of(ty: Scalar) -> u32 {
    match ty.bytes() {
        1 => 0,
        2 => 1,
        _ => 2,
    }
}

/// The global with a descriptor.
const DESCRIPTOR: u32 = 4;

fn global(types: &mut Types, name: &str, elem: Ty) -> Global {
    let ty = types.array(vec![LEN], elem);
    let size = size_of(types, ty).expect("arrays of scalars have a size");
    let (init, relocs) = ((0..size).map(|at| (at * 37 + 11) as u8).collect(), Vec::new());
    Global {
        name: name.into(),
        ty,
        size,
        align: 4,
        is_const: false,
        init,
        relocs,
        varying: Vec::new(),
        linksection: None,
        span: SPAN,
        is_hidden: false,
        is_undefined: false,
        is_linked: false,
    }
}

/// A program. Function 0 runs first; each function may call those after it.
fn program(seed: u64) -> Program {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..4 {
        random.next();
    }
    let mut types = Types::new();
    let globals = [("b", Ty::U8), ("h", Ty::U16), ("w", Ty::U32), ("f", Ty::F32), ("d", Ty::U32)]
        .map(|(name, elem)| global(&mut types, name, elem));
    let count = 1 + random.below(4);
    let mut funcs: Vec<Func> = Vec::new();
    for number in (0..count).rev() {
        let callees = funcs.iter().rev().enumerate().map(|(at, func)| {
            let params = func.regs[..func.params as usize].to_vec();
            (FuncId::new((number + 1 + at) as u32), params, func.ret)
        });
        let callees = callees.collect();
        funcs.push(function(&mut random, number, callees));
    }
    funcs.reverse();
    Program {
        types: Arc::new(types),
        globals: globals.to_vec(),
        funcs: funcs.into_iter().map(Arc::new).collect(),
        tasks: vec![TaskBind {
            kind: TaskKind::Local,
            id: TaskId::at(8),
            func: FuncId::new(0),
            params: Vec::new(),
            span: SPAN,
        }],
        ..Program::empty("pe.csl", Arch::Wse3)
    }
}

fn function(random: &mut Random, number: usize, callees: Vec<(FuncId, Vec<Scalar>, Option<Scalar>)>) -> Func {
    let params = if number == 0 { 0 } else { random.below(4) };
    let ret = (number == 0 || random.one_in(2)).then(|| if number == 0 { Scalar::U32 } else { random.pick(&TYPES) });
    let param_types: Vec<Scalar> = (0..params).map(|_| random.pick(&TYPES)).collect();
    let slots = (0..random.below(3)).map(|_| StackSlot { size: 32, align: 4, name: "s".into() }).collect();
    let func = Func {
        name: format!("f{number}"),
        span: SPAN,
        params: params as u32,
        ret,
        regs: param_types,
        slots,
        iters: 0,
        blocks: Vec::new(),
        counters: Vec::new(),
        inlined: Vec::new(),
        linksection: None,
    };
    let budget = 10 + random.below(30);
    let vars = (0..params as u32).map(Reg::new).collect();
    let mut maker = Maker { random, func, vars, current: 0, turns: 1, callees, budget, targets: Vec::new() };
    maker.block();
    for slot in 0..maker.func.slots.len() as u32 {
        let dst = Addr { base: AddrBase::Slot(SlotId::new(slot)), offset: 0 };
        maker.emit(Inst::MemFill { ty: Scalar::U32, dst, src: Opnd::Imm(u64::from(slot) + 5), count: 8 });
    }
    for ty in TYPES {
        let (dst, src) = (maker.reg(ty), Opnd::Imm(maker.constant(ty)));
        maker.emit(Inst::Copy { dst, src });
        maker.vars.push(dst);
    }
    maker.statements(12);
    let value = ret.map(|ty| maker.operand(ty));
    maker.end(Term::Return(value), BlockId::new(0));
    maker.func
}

fn image(program: Program) -> Arc<PeImage> {
    let wafer = Wafer::of_one(program);
    let mut sources = SourceMap::new();
    sources.add("pe.csl", "fn f() void {}\n");
    let (fabric, offset) = (wafer.size, Coord::default());
    let options = Options { fabric, offset, memcpy: None, sections: Vec::new(), threads: 1 };
    let image = csl_codegen::generate(&wafer, &sources, &options).expect("the program is valid");
    image.check().expect("generated images pass the reader's checks");
    image.programs[0].clone()
}

/// How the program ends, the value that it returns, and the final contents of its globals.
fn outcome(program: Program) -> (Exit, u64, Vec<u8>) {
    let pe = image(program);
    let mut memory = Memory::of(&pe);
    let mut cpu = Cpu::new(pe.tile_consts);
    cpu.start(&pe, 0, &[]);
    let exit = run(&mut cpu, &mut memory, &pe, u64::MAX);
    let mut data = vec![0; usize::from(pe.data_end)];
    memory.read_bytes(0, &mut data);
    let result = if exit == Exit::Returned { cpu.result() } else { 0 };
    (exit, result, data)
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

/// All passes, and each alone with those that it builds on.
fn variants() -> impl Iterator<Item = Passes> {
    let alone = Pass::ALL.iter().map(|&pass| Passes::NONE.with(pass));
    std::iter::once(Passes::ALL).chain(alone)
}

#[test]
fn random_programs_do_the_same_with_the_passes_and_without() {
    let first = number("WAFERLAB_RANDOM_SEED", 1);
    let mut faults = 0;
    let count = number("WAFERLAB_RANDOM_PROGRAMS", 600);
    for seed in first..first + count {
        let plain = program(seed);
        validate(&plain).unwrap_or_else(|invalid| panic!("seed {seed}: {invalid:?}"));
        let wanted = outcome(plain.clone());
        faults += u64::from(wanted.0 != Exit::Returned);
        // One of the passes alone in turn, and always all of them.
        let every =
            variants().enumerate().filter(|(at, _)| *at == 0 || *at as u64 == 1 + seed % Pass::ALL.len() as u64);
        for (_, passes) in every {
            let mut better = plain.clone();
            optimise(std::slice::from_mut(&mut better), passes, 1);
            validate(&better).unwrap_or_else(|invalid| panic!("seed {seed}, {passes:?}: {invalid:?}"));
            assert_eq!(outcome(better), wanted, "seed {seed}, {passes:?}\n{}", dump_program(&plain));
        }
    }
    assert!(faults * 4 < count, "{faults} of {count} programs end in a fault");
}

#[test]
fn any_number_of_threads_gives_the_same_programs() {
    let programs: Vec<Program> = (1..200).map(program).collect();
    let optimised = |threads| {
        let mut programs = programs.clone();
        optimise(&mut programs, Passes::ALL, threads);
        programs.iter().map(dump_program).collect::<Vec<_>>()
    };
    assert_eq!(optimised(4), optimised(1));
}
