//! Every operator and cast agrees with csl-num, through code generation and the interpreter.

use csl_ir::*;
use csl_num::{FloatKind, FloatOp, IntTy};
use csl_pe::Memory;
use csl_pe::scalar::CpuFault;
use csl_pe::scalar::Exit;
use proptest::prelude::*;

use crate::build::*;

const INT_OPS: [BinOp; 10] = BinOp::ALL;

fn scalar(ty: IntTy) -> Scalar {
    Scalar::Int { signed: ty.signed, bits: ty.bits as u8 }
}

/// Runs one instruction on two arguments of types `a` and `b`; register 2 of type `to` is the result.
fn eval(fp16: FloatKind, a: Scalar, b: Scalar, to: Scalar, inst: Inst, args: [u64; 2]) -> Result<u64, Exit> {
    let body = vec![block(vec![inst], Term::Return(Some(reg(2))))];
    let pe = pe(program(fp16, Types::new(), vec![], vec![func("f", 2, Some(to), vec![a, b, to], body)]));
    match run_func(&pe, &mut Memory::new(), &args) {
        (Exit::Returned, cpu) => Ok(cpu.result()),
        (exit, _) => Err(exit),
    }
}

fn int_ty() -> impl Strategy<Value = IntTy> {
    let bits = prop_oneof![Just(8), Just(16), Just(32), Just(64), 1u32..=64];
    (any::<bool>(), bits).prop_map(|(signed, bits)| IntTy::new(signed, bits))
}

/// Bits that are often near the limits.
fn bits() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), 0u64..70, (0u64..70).prop_map(u64::wrapping_neg), Just(1 << 15), Just(1 << 31)]
}

fn float_kind() -> impl Strategy<Value = FloatKind> {
    prop_oneof![Just(FloatKind::F16), Just(FloatKind::Bf16), Just(FloatKind::Cb16), Just(FloatKind::F32)]
}

/// The register type of a float format, and the program's 16-bit format.
fn float_scalar(kind: FloatKind) -> (Scalar, FloatKind) {
    if kind == FloatKind::F32 { (Scalar::F32, FloatKind::F16) } else { (Scalar::Half, kind) }
}

fn float_bits(kind: FloatKind, bits: u64) -> u64 {
    bits & (u64::MAX >> (64 - kind.bits()))
}

/// The operands as registers, or the second as a constant of the instruction.
fn operands(constant: bool, b: u64) -> (Opnd, Opnd) {
    (reg(0), if constant { imm(b) } else { reg(1) })
}

fn holds(op: CmpOp, order: Option<std::cmp::Ordering>) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match op {
        CmpOp::Eq => order == Some(Equal),
        CmpOp::Ne => order != Some(Equal),
        CmpOp::Lt => order == Some(Less),
        CmpOp::Le => matches!(order, Some(Less | Equal)),
        CmpOp::Gt => order == Some(Greater),
        CmpOp::Ge => matches!(order, Some(Greater | Equal)),
    }
}

const CMP_OPS: [CmpOp; 6] = [CmpOp::Eq, CmpOp::Ne, CmpOp::Lt, CmpOp::Le, CmpOp::Gt, CmpOp::Ge];

/// Evaluates the comparison as a value, and as a branch either way round.
fn eval_cmp(fp16: FloatKind, ty: Scalar, op: CmpOp, constant: Option<u64>, args: [u64; 2]) -> [u64; 3] {
    let b = constant.map_or(reg(1), imm);
    let test = cmp(op, ty, 2, reg(0), b);
    let branch = |then, otherwise| {
        vec![
            block(
                vec![test.clone()],
                Term::Branch { cond: reg(2), then: BlockId::new(then), otherwise: BlockId::new(otherwise) },
            ),
            block(vec![], Term::Return(Some(imm(u64::from(then == 1))))),
            block(vec![], Term::Return(Some(imm(u64::from(then == 2))))),
        ]
    };
    let value = vec![block(vec![test.clone()], Term::Return(Some(reg(2))))];
    [value, branch(1, 2), branch(2, 1)].map(|blocks| {
        let regs = vec![ty, ty, Scalar::BOOL];
        let pe = pe(program(fp16, Types::new(), vec![], vec![func("f", 2, Some(Scalar::BOOL), regs, blocks)]));
        run_func(&pe, &mut Memory::new(), &args).1.result()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn integer_operators(ty in int_ty(), a in bits(), b in bits(), constant: bool) {
        let (a, b) = (csl_num::wrap64(ty, a), csl_num::wrap64(ty, b));
        for op in INT_OPS {
            let (x, y) = operands(constant, b);
            let inst = bin(op, scalar(ty), 2, x, y);
            let expected = csl_num::int_binop(op, ty, a, b).map_err(|_| Exit::Fault(CpuFault::DivisionByZero));
            prop_assert_eq!(eval(FloatKind::F16, scalar(ty), scalar(ty), scalar(ty), inst, [a, b]), expected, "{:?}", op);
        }
    }

    #[test]
    fn integer_unary_operators(ty in int_ty(), a in bits()) {
        let a = csl_num::wrap64(ty, a);
        let expected = [(UnOp::Neg, csl_num::int_neg(ty, a)), (UnOp::BitNot, csl_num::int_not(ty, a))];
        for (op, expected) in expected {
            let inst = Inst::Un { op, ty: scalar(ty), dst: Reg::new(2), a: reg(0) };
            prop_assert_eq!(eval(FloatKind::F16, scalar(ty), scalar(ty), scalar(ty), inst, [a, 0]), Ok(expected));
        }
    }

    #[test]
    fn integer_comparisons(ty in int_ty(), a in bits(), b in bits(), constant: bool) {
        let (a, b) = (csl_num::wrap64(ty, a), csl_num::wrap64(ty, b));
        for op in CMP_OPS {
            let expected = u64::from(holds(op, Some(csl_num::int_cmp(ty, a, b))));
            let results = eval_cmp(FloatKind::F16, scalar(ty), op, constant.then_some(b), [a, b]);
            prop_assert_eq!(results, [expected; 3], "{:?}", op);
        }
    }

    #[test]
    fn integer_casts(from in int_ty(), to in int_ty(), a in bits()) {
        let a = csl_num::wrap64(from, a);
        let inst = Inst::Cast { from: scalar(from), to: scalar(to), to_bool: false, dst: Reg::new(2), a: reg(0) };
        let result = eval(FloatKind::F16, scalar(from), scalar(from), scalar(to), inst, [a, 0]);
        prop_assert_eq!(result, Ok(csl_num::wrap64(to, a)));
    }

    #[test]
    fn float_operators(kind in float_kind(), a: u64, b: u64, constant: bool) {
        let (a, b) = (float_bits(kind, a), float_bits(kind, b));
        let (ty, fp16) = float_scalar(kind);
        let ops = [(BinOp::Add, FloatOp::Add), (BinOp::Sub, FloatOp::Sub), (BinOp::Mul, FloatOp::Mul), (BinOp::Div, FloatOp::Div)];
        for (op, float_op) in ops {
            let (x, y) = operands(constant, b);
            let expected = csl_num::float_binop(float_op, kind, a, b);
            prop_assert_eq!(eval(fp16, ty, ty, ty, bin(op, ty, 2, x, y), [a, b]), Ok(expected), "{:?}", op);
        }
    }

    #[test]
    fn float_comparisons(kind in float_kind(), a: u64, b: u64, same: bool) {
        let a = float_bits(kind, a);
        let b = if same { a } else { float_bits(kind, b) };
        let (ty, fp16) = float_scalar(kind);
        for op in CMP_OPS {
            let expected = u64::from(holds(op, csl_num::float_cmp(kind, a, b)));
            prop_assert_eq!(eval_cmp(fp16, ty, op, None, [a, b]), [expected; 3], "{:?}", op);
        }
    }

    #[test]
    fn float_casts(kind in float_kind(), int in int_ty(), a: u64, n in bits()) {
        let (ty, fp16) = float_scalar(kind);
        let (a, n) = (float_bits(kind, a), csl_num::wrap64(int, n));
        let cast = |from, to, to_bool| Inst::Cast { from, to, to_bool, dst: Reg::new(2), a: reg(0) };
        let to_int = eval(fp16, ty, ty, scalar(int), cast(ty, scalar(int), false), [a, 0]);
        prop_assert_eq!(to_int, Ok(csl_num::float_to_int(kind, a, int)));
        let from_int = eval(fp16, scalar(int), ty, ty, cast(scalar(int), ty, false), [n, 0]);
        prop_assert_eq!(from_int, Ok(csl_num::int_to_float(kind, int, n)));
        let to_bool = eval(fp16, ty, ty, Scalar::BOOL, cast(ty, Scalar::BOOL, true), [a, 0]);
        prop_assert_eq!(to_bool, Ok(u64::from(csl_num::float_to_bool(kind, a))));
        let half = FloatKind::Bf16;
        let narrowed = eval(half, Scalar::F32, Scalar::F32, Scalar::Half, cast(Scalar::F32, Scalar::Half, false), [a & 0xffff_ffff, 0]);
        prop_assert_eq!(narrowed, Ok(csl_num::float_convert(FloatKind::F32, half, a & 0xffff_ffff)));
    }

    #[test]
    fn math_functions(kind in float_kind(), a: u64, b: u64) {
        let (ty, fp16) = float_scalar(kind);
        let (a, b) = (float_bits(kind, a), float_bits(kind, b));
        for f in MathFn::ALL {
            let second = (f.arity() == 2).then(|| reg(1));
            let inst = Inst::Math { f, ty, dst: Reg::new(2), a: reg(0), b: second };
            prop_assert_eq!(eval(fp16, ty, ty, ty, inst, [a, b]), Ok(csl_num::math_fn(f, kind, a, b)), "{:?}", f);
        }
    }

    #[test]
    fn memory_keeps_every_type(ty in int_ty(), a in bits(), at in 0u64..32) {
        let a = csl_num::wrap64(ty, a);
        let mut types = Types::new();
        let x = array(&mut types, "x", 64, Ty::U64);
        let addr = Addr { base: AddrBase::Reg(Reg::new(3)), offset: 0 };
        let scale = scalar(ty).bytes();
        let insts = vec![
            Inst::Index { dst: Reg::new(3), base: Opnd::Global(GlobalId::new(0), 0), index: reg(1), scale, values: 0 },
            Inst::Store { ty: scalar(ty), addr: addr.clone(), src: reg(0) },
            Inst::Index { dst: Reg::new(4), base: Opnd::Global(GlobalId::new(0), 0), index: reg(1), scale, values: 0 },
            Inst::Load {
                ty: scalar(ty),
                dst: Reg::new(2),
                addr: Addr { base: AddrBase::Reg(Reg::new(4)), offset: 0 },
                keeps: false,
            },
        ];
        let regs = vec![scalar(ty), Scalar::U16, scalar(ty), Scalar::PTR, Scalar::PTR];
        let body = vec![block(insts, Term::Return(Some(reg(2))))];
        let pe = pe(program(FloatKind::F16, types, vec![x], vec![func("f", 2, Some(scalar(ty)), regs, body)]));
        prop_assert_eq!(run_func(&pe, &mut Memory::new(), &[a, at]).1.result(), a);
    }
}
