//! Tests of the IR's text, and of the validator's rules.

use std::sync::Arc;

use csl_diag::{FileId, Span};
use csl_ir::*;
use csl_machine::{Arch, Startup, SysOp, TaskId, TaskKind, TaskTarget, VecConfig, VecOp};

const SPAN: Span = Span { file: FileId(0), lo: 0, hi: 1 };
const I16: Scalar = Scalar::I16;

fn reg(number: u32) -> Opnd {
    Opnd::Reg(Reg::new(number))
}

fn block(insts: Vec<Inst>, term: Term) -> Block {
    Block { sites: vec![SPAN.into(); insts.len()], insts, term, term_site: SPAN.into() }
}

fn func(params: u32, ret: Option<Scalar>, regs: Vec<Scalar>, blocks: Vec<Block>) -> Func {
    let (slots, linksection) = (Vec::new(), None);
    Func {
        name: "f".into(),
        span: SPAN,
        params,
        ret,
        regs,
        slots,
        iters: 0,
        blocks,
        counters: Vec::new(),
        inlined: Vec::new(),
        linksection,
    }
}

fn program(func: Func) -> Program {
    let mut types = Types::new();
    let ty = types.array(vec![4], Ty::I16);
    let x = Global {
        name: "x".into(),
        ty,
        size: 8,
        align: 2,
        is_const: false,
        init: vec![1, 0, 0, 0, 0, 0, 0, 0],
        relocs: Vec::new(),
        varying: Vec::new(),
        linksection: None,
        span: SPAN,
        is_hidden: false,
        is_undefined: false,
        is_linked: false,
    };
    Program {
        types: Arc::new(types),
        globals: vec![x],
        funcs: vec![Arc::new(func)],
        tasks: vec![TaskBind {
            kind: TaskKind::Local,
            id: TaskId::at(8),
            func: FuncId::new(0),
            params: vec![16],
            span: SPAN,
        }],
        startup: vec![Startup::Activate(TaskTarget::LocalTask(Opnd::Imm(8)))],
        ..Program::empty("pe.csl", Arch::Wse3)
    }
}

fn dsd_of_x() -> DsdValue {
    let ty = Types::new().array(vec![4], Ty::I16);
    DsdValue {
        kind: DsdKind::Mem1d,
        base: Some(Pointer { root: PtrRoot::Global(GlobalRef::new(0)), root_ty: ty, path: vec![] }),
        offset: 1,
        elem_words: 1,
        extents: vec![3],
        strides: vec![1],
        wraparound: 0,
        wavelet_index_offset: false,
        fabric: None,
    }
}

/// `task f(n: i16) { while (n > 0) { x[1..] += n; n -= 1; } @activate(8); }`
fn shrink() -> Func {
    let dsd = || VecOperand::Dsd(Opnd::Dsd(Box::new(dsd_of_x())));
    let add = VecInst {
        op: VecOp::Add16,
        dest: dsd(),
        srcs: vec![dsd(), VecOperand::Scalar(reg(0), I16)],
        config: VecConfig::default(),
        result: None,
    };
    let blocks = vec![
        block(
            vec![Inst::Cmp { op: CmpOp::Gt, ty: I16, dst: Reg::new(1), a: reg(0), b: Opnd::Imm(0) }],
            Term::Branch { cond: reg(1), then: BlockId::new(1), otherwise: BlockId::new(2) },
        ),
        block(
            vec![
                Inst::Vec(Box::new(add)),
                Inst::Bin { op: BinOp::Sub, ty: I16, dst: Reg::new(0), a: reg(0), b: Opnd::Imm(1) },
            ],
            Term::Jump(BlockId::new(0)),
        ),
        block(vec![Inst::Sys { op: SysOp::ActivateTask, dst: None, args: vec![Opnd::Imm(8)] }], Term::Return(None)),
    ];
    func(1, None, vec![I16, Scalar::BOOL], blocks)
}

#[test]
fn a_program_as_text() {
    insta::assert_snapshot!(dump_program(&program(shrink())), @"
    program pe.csl for wse3, fp16 f16
    g0 var x: [4]i16 size 8 align 2 = 01(00 x 7)
    local task 8: f (16)
    start: activate local task 8

    fn f0 f(r0: i16) void {
    b0:
      r1: u8 = gt i16 r0, 0
      branch r1, b1, b2
    b1:
      add16 mem1d(&g0:x, offset 1 of 1 words, extents [3], strides [1]), mem1d(&g0:x, offset 1 of 1 words, extents [3], strides [1]), i16 r0
      r0: i16 = sub i16 r0, 1
      jump b0
    b2:
      activate(8)
      return
    }
    ");
}

#[test]
fn a_good_program_is_valid() {
    assert_eq!(validate(&program(shrink())), Ok(()));
}

/// The rule that a function of one block violates, in the validator's words.
fn broken(regs: Vec<Scalar>, insts: Vec<Inst>, term: Term) -> String {
    validate(&program(func(1, Some(I16), regs, vec![block(insts, term)]))).expect_err("a rule is broken").what
}

#[test]
fn broken_rules_are_named() {
    let add = |ty, a, b| Inst::Bin { op: BinOp::Add, ty, dst: Reg::new(1), a, b };
    let ret = || Term::Return(Some(reg(0)));
    let regs = || vec![I16, I16, Scalar::F32];
    let single = |inst| broken(regs(), vec![inst], ret());
    assert_eq!(single(add(I16, reg(0), reg(9))), "b0: no register r9 in 'r1: i16 = add i16 r0, r9'");
    assert_eq!(
        single(add(I16, reg(0), reg(2))),
        "b0: r2 is F32, not Int { signed: true, bits: 16 } in 'r1: i16 = add i16 r0, r2'"
    );
    assert_eq!(
        single(add(I16, reg(0), Opnd::Imm(0x8000))),
        "b0: 0x8000 is no Int { signed: true, bits: 16 } in 'r1: i16 = add i16 r0, 32768'"
    );
    assert_eq!(
        single(Inst::Call { dst: None, callee: Callee::Direct(FuncId::new(0)), args: vec![] }),
        "b0: the wrong number of arguments in 'call f()'"
    );
    assert_eq!(broken(regs(), vec![], Term::Jump(BlockId::new(4))), "b0: no block b4 at its end");
    assert_eq!(broken(regs(), vec![], Term::Return(None)), "b0: no value is returned at its end");
    assert_eq!(broken(vec![], vec![], ret()), "more parameters than registers");
}
