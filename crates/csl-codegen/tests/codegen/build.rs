//! Builds small IR by hand, and runs it.

use std::sync::Arc;

use csl_codegen::Options;
use csl_diag::{FileId, SourceMap, Span};
use csl_image::{Image, PeImage};
use csl_ir::*;
use csl_machine::{Arch, Coord};
use csl_num::FloatKind;
use csl_pe::Memory;
use csl_pe::scalar::Cpu;
use csl_pe::scalar::{Exit, run};

pub const SPAN: Span = Span { file: FileId(0), lo: 0, hi: 1 };

pub fn reg(number: u32) -> Opnd {
    Opnd::Reg(Reg::new(number))
}

pub fn imm(value: u64) -> Opnd {
    Opnd::Imm(value)
}

pub fn block(insts: Vec<Inst>, term: Term) -> Block {
    let sites = vec![SPAN.into(); insts.len()];
    Block { insts, sites, term, term_site: SPAN.into() }
}

pub fn func(name: &str, params: u32, ret: Option<Scalar>, regs: Vec<Scalar>, blocks: Vec<Block>) -> Func {
    Func {
        name: name.into(),
        span: SPAN,
        params,
        ret,
        regs,
        slots: Vec::new(),
        iters: 0,
        blocks,
        counters: Vec::new(),
        inlined: Vec::new(),
        linksection: None,
    }
}

pub fn bin(op: BinOp, ty: Scalar, dst: u32, a: Opnd, b: Opnd) -> Inst {
    Inst::Bin { op, ty, dst: Reg::new(dst), a, b }
}

pub fn cmp(op: CmpOp, ty: Scalar, dst: u32, a: Opnd, b: Opnd) -> Inst {
    Inst::Cmp { op, ty, dst: Reg::new(dst), a, b }
}

pub fn copy(dst: u32, src: Opnd) -> Inst {
    Inst::Copy { dst: Reg::new(dst), src }
}

/// `count` elements of `elem`, without initial value.
pub fn array(types: &mut Types, name: &str, count: u64, elem: Ty) -> Global {
    let ty = types.array(vec![count], elem);
    let size = size_of(types, ty).expect("arrays of scalars have a size");
    Global {
        name: name.into(),
        ty,
        size,
        align: align_of(types, ty),
        is_const: false,
        init: Vec::new(),
        relocs: Vec::new(),
        varying: Vec::new(),
        linksection: None,
        span: SPAN,
        is_hidden: false,
        is_undefined: false,
        is_linked: false,
    }
}

pub fn program(fp16: FloatKind, types: Types, globals: Vec<Global>, funcs: Vec<Func>) -> Program {
    let funcs = funcs.into_iter().map(Arc::new).collect();
    Program { fp16, types: Arc::new(types), globals, funcs, ..Program::empty("pe.csl", Arch::Wse3) }
}

pub fn image(program: Program) -> Image {
    let wafer = Wafer::of_one(program);
    let mut sources = SourceMap::new();
    sources.add("pe.csl", "fn f() void {}\n");
    let (fabric, offset) = (wafer.size, Coord::default());
    let options = Options { fabric, offset, memcpy: None, sections: Vec::new(), threads: 1 };
    let image = csl_codegen::generate(&wafer, &sources, &options).expect("the program is valid");
    image.check().expect("generated images pass the reader's checks");
    image
}

pub fn pe(program: Program) -> Arc<PeImage> {
    image(program).programs[0].clone()
}

/// Runs function 0 to its first exit.
pub fn run_func(pe: &PeImage, memory: &mut Memory, args: &[u64]) -> (Exit, Cpu) {
    let mut cpu = Cpu::new(pe.tile_consts);
    cpu.start(pe, 0, args);
    let exit = run(&mut cpu, memory, pe, u64::MAX);
    (exit, cpu)
}
