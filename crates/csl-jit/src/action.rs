//! What native code does for each instruction: one row an operation. An operation without a row is left to the
//! interpreter, so that a new one needs nothing here.

use csl_isa::{Insn, IntCode, Op};
use csl_num::{FloatKind, IntTy};

/// How an integer result is brought into canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    I16,
    U16,
    I32,
    U32,
    /// All 64 bits.
    None,
    Any(IntTy),
}

/// The second operand of an integer operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Reg(u16),
    /// A constant, as the instruction's operation extends it.
    Value(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Int {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    /// Copies of the sign, or 0, for counts of 64 and more.
    ShrS,
    ShrU,
}

/// A comparison of integers or of floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    Eq,
    Ne,
    LtS,
    LeS,
    GtS,
    GeS,
    LtU,
    LeU,
    GtU,
    GeU,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatTest {
    Eq,
    Ne,
    Lt,
    Le,
    NotLt,
    NotLe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    Add,
    Sub,
    Mul,
    Div,
}

/// An address in data memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A register and an offset.
    Base {
        reg: u16,
        offset: u16,
    },
    At(u16),
    /// A register and so many bytes for each step of an index.
    Index {
        reg: u16,
        index: u16,
        scale: u16,
    },
    AtIndex {
        base: u16,
        index: u16,
        scale: u16,
    },
    /// An element of a row; the `ext` word has the bytes of a row and the base.
    Row {
        row: u16,
        index: u16,
        scale: u16,
    },
}

/// A function of `csl-num` that is called, of the float format of the program where it needs one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    Half(Float),
    HalfTest(FloatTest),
    Rem(FloatKind),
    MulAccHalf,
    Math(FloatKind),
    IntToFloat(FloatKind),
    FloatToInt(FloatKind),
    Convert(FloatKind, FloatKind),
}

/// The work of an instruction; `a` is the register that its result goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The interpreter carries it out.
    Leave,
    Charge(u64),
    Jump,
    Table,
    Branch(Test, Right),
    /// `a += 1`, wrapped, and a branch where that is below the operand.
    Next(Wrap, Right),
    BranchF32(FloatTest),
    /// A branch by a function that gives 0 or 1.
    BranchHalf(FloatTest),
    Copy,
    /// `a = c` where `b` is not 0 (or is 0).
    Move {
        when_zero: bool,
    },
    Const(u64),
    Tile,
    Slot,
    Int(Int, Wrap, Right),
    Div {
        signed: bool,
        remainder: bool,
    },
    /// `a <<= count`.
    Shl(IntTy, Right),
    Neg(Wrap),
    Not(Wrap),
    Wrap(Wrap),
    Compare(Test, Right),
    CompareF32(FloatTest),
    F32(Float),
    /// `a + b * c`, each operation rounded.
    MulAccF32,
    /// Flips bits of a float.
    FlipSign(FloatKind),
    /// Whether a float is not zero.
    IsNotZero(FloatKind),
    SignedToF32,
    Call(Callee),
    Load {
        bytes: u8,
        signed: bool,
        from: Place,
    },
    Store {
        bytes: u8,
        to: Place,
    },
    Address(Place),
}

/// The type that the code of an integer type stands for.
fn int_ty(code: u16) -> IntTy {
    IntTy::new(IntCode(code).signed(), IntCode(code).bits())
}

/// An immediate value as a signed number.
fn signed(immediate: u16) -> i64 {
    immediate.cast_signed().into()
}

/// The work of an instruction of a program with this 16-bit float format and these constants.
pub fn action(insn: Insn, half: FloatKind, pool: &[u64]) -> Action {
    use Action::{
        Address, Branch, BranchF32, BranchHalf, Call, Compare, CompareF32, Const, Div, F32, FlipSign, IsNotZero, Load,
        Neg, Next, Not, Shl, Store,
    };
    use Callee::{Convert, FloatToInt, Half, HalfTest, IntToFloat, Math, Rem};
    let Insn { a, b, c, .. } = insn;
    let int = |op, wrap| Action::Int(op, wrap, Right::Reg(c));
    let int_imm = |op, wrap| Action::Int(op, wrap, Right::Value(signed(c)));
    let any = || Wrap::Any(int_ty(c));
    let branch = |test| Branch(test, Right::Reg(b));
    let branch_s = |test| Branch(test, Right::Value(signed(b)));
    let branch_u = |test| Branch(test, Right::Value(b.into()));
    let compare = |test| Compare(test, Right::Reg(c));
    let load = |bytes, signed, from| Load { bytes, signed, from };
    let store = |bytes, to| Store { bytes, to };
    let base = Place::Base { reg: b, offset: c };
    let at = Place::At(b);
    let index = |scale| Place::Index { reg: b, index: c, scale };
    let at_index = |scale| Place::AtIndex { base: b, index: c, scale };
    let row = |scale| Place::Row { row: b, index: c, scale };
    const SINGLE: FloatKind = FloatKind::F32;
    match insn.op.alone() {
        Op::Charge => Action::Charge(u64::from(a) | u64::from(b) << 16),
        Op::Jump => Action::Jump,
        Op::Table => Action::Table,

        Op::BrZero => Branch(Test::Eq, Right::Value(0)),
        Op::BrNonZero => Branch(Test::Ne, Right::Value(0)),
        Op::BrEq => branch(Test::Eq),
        Op::BrNe => branch(Test::Ne),
        Op::BrLtS => branch(Test::LtS),
        Op::BrLeS => branch(Test::LeS),
        Op::BrLtU => branch(Test::LtU),
        Op::BrLeU => branch(Test::LeU),
        Op::BrEqImm => branch_s(Test::Eq),
        Op::BrNeImm => branch_s(Test::Ne),
        Op::BrLtSImm => branch_s(Test::LtS),
        Op::BrLeSImm => branch_s(Test::LeS),
        Op::BrGtSImm => branch_s(Test::GtS),
        Op::BrGeSImm => branch_s(Test::GeS),
        Op::BrLtUImm => branch_u(Test::LtU),
        Op::BrLeUImm => branch_u(Test::LeU),
        Op::BrGtUImm => branch_u(Test::GtU),
        Op::BrGeUImm => branch_u(Test::GeU),
        Op::NextI16 => Next(Wrap::I16, Right::Reg(b)),
        Op::NextU16 => Next(Wrap::U16, Right::Reg(b)),
        Op::NextI16Imm => Next(Wrap::I16, Right::Value(signed(b))),
        Op::NextU16Imm => Next(Wrap::U16, Right::Value(b.into())),
        Op::BrEqF32 => BranchF32(FloatTest::Eq),
        Op::BrNeF32 => BranchF32(FloatTest::Ne),
        Op::BrLtF32 => BranchF32(FloatTest::Lt),
        Op::BrLeF32 => BranchF32(FloatTest::Le),
        Op::BrNotLtF32 => BranchF32(FloatTest::NotLt),
        Op::BrNotLeF32 => BranchF32(FloatTest::NotLe),
        Op::BrEqHalf => BranchHalf(FloatTest::Eq),
        Op::BrNeHalf => BranchHalf(FloatTest::Ne),
        Op::BrLtHalf => BranchHalf(FloatTest::Lt),
        Op::BrLeHalf => BranchHalf(FloatTest::Le),
        Op::BrNotLtHalf => BranchHalf(FloatTest::NotLt),
        Op::BrNotLeHalf => BranchHalf(FloatTest::NotLe),

        Op::Copy => Action::Copy,
        Op::MoveIf => Action::Move { when_zero: false },
        Op::MoveUnless => Action::Move { when_zero: true },
        Op::Imm => Const(signed(b).cast_unsigned()),
        Op::Imm32 => Const(u64::from(b) | u64::from(c) << 16),
        Op::Pool => Const(pool[usize::from(b)]),
        Op::Tile => Action::Tile,
        Op::Slot => Action::Slot,

        Op::AddI16 => int(Int::Add, Wrap::I16),
        Op::AddU16 => int(Int::Add, Wrap::U16),
        Op::AddI32 => int(Int::Add, Wrap::I32),
        Op::AddU32 => int(Int::Add, Wrap::U32),
        Op::Add64 => int(Int::Add, Wrap::None),
        Op::SubI16 => int(Int::Sub, Wrap::I16),
        Op::SubU16 => int(Int::Sub, Wrap::U16),
        Op::SubI32 => int(Int::Sub, Wrap::I32),
        Op::SubU32 => int(Int::Sub, Wrap::U32),
        Op::Sub64 => int(Int::Sub, Wrap::None),
        Op::MulI16 => int(Int::Mul, Wrap::I16),
        Op::MulU16 => int(Int::Mul, Wrap::U16),
        Op::MulI32 => int(Int::Mul, Wrap::I32),
        Op::MulU32 => int(Int::Mul, Wrap::U32),
        Op::Mul64 => int(Int::Mul, Wrap::None),
        Op::AddI16Imm => int_imm(Int::Add, Wrap::I16),
        Op::AddU16Imm => int_imm(Int::Add, Wrap::U16),
        Op::AddI32Imm => int_imm(Int::Add, Wrap::I32),
        Op::AddU32Imm => int_imm(Int::Add, Wrap::U32),
        Op::Add64Imm => int_imm(Int::Add, Wrap::None),
        Op::MulI16Imm => int_imm(Int::Mul, Wrap::I16),
        Op::MulU16Imm => int_imm(Int::Mul, Wrap::U16),
        Op::MulI32Imm => int_imm(Int::Mul, Wrap::I32),
        Op::MulU32Imm => int_imm(Int::Mul, Wrap::U32),
        Op::Mul64Imm => int_imm(Int::Mul, Wrap::None),
        Op::DivS => Div { signed: true, remainder: false },
        Op::DivU => Div { signed: false, remainder: false },
        Op::RemS => Div { signed: true, remainder: true },
        Op::RemU => Div { signed: false, remainder: true },
        Op::Shl => Shl(int_ty(c), Right::Reg(b)),
        Op::ShrS => int(Int::ShrS, Wrap::None),
        Op::ShrU => int(Int::ShrU, Wrap::None),
        Op::And => int(Int::And, Wrap::None),
        Op::Or => int(Int::Or, Wrap::None),
        Op::Xor => int(Int::Xor, Wrap::None),
        Op::AndImm => int_imm(Int::And, Wrap::None),
        Op::OrImm => int_imm(Int::Or, Wrap::None),
        Op::XorImm => int_imm(Int::Xor, Wrap::None),
        Op::ShlImm => Shl(int_ty(c), Right::Value(b.into())),
        Op::ShrSImm => Action::Int(Int::ShrS, Wrap::None, Right::Value(c.into())),
        Op::ShrUImm => Action::Int(Int::ShrU, Wrap::None, Right::Value(c.into())),
        Op::Neg => Neg(any()),
        Op::BitNot => Not(any()),
        Op::IsZero => Compare(Test::Eq, Right::Value(0)),
        Op::NonZero => Compare(Test::Ne, Right::Value(0)),
        Op::Wrap => Action::Wrap(any()),

        Op::Eq => compare(Test::Eq),
        Op::Ne => compare(Test::Ne),
        Op::LtS => compare(Test::LtS),
        Op::LeS => compare(Test::LeS),
        Op::LtU => compare(Test::LtU),
        Op::LeU => compare(Test::LeU),
        Op::EqF32 => CompareF32(FloatTest::Eq),
        Op::NeF32 => CompareF32(FloatTest::Ne),
        Op::LtF32 => CompareF32(FloatTest::Lt),
        Op::LeF32 => CompareF32(FloatTest::Le),
        Op::EqHalf => Call(HalfTest(FloatTest::Eq)),
        Op::NeHalf => Call(HalfTest(FloatTest::Ne)),
        Op::LtHalf => Call(HalfTest(FloatTest::Lt)),
        Op::LeHalf => Call(HalfTest(FloatTest::Le)),

        Op::AddF32 => F32(Float::Add),
        Op::SubF32 => F32(Float::Sub),
        Op::MulF32 => F32(Float::Mul),
        Op::DivF32 => F32(Float::Div),
        Op::RemF32 => Call(Rem(SINGLE)),
        Op::NegF32 => FlipSign(SINGLE),
        Op::AddHalf => Call(Half(Float::Add)),
        Op::SubHalf => Call(Half(Float::Sub)),
        Op::MulHalf => Call(Half(Float::Mul)),
        Op::DivHalf => Call(Half(Float::Div)),
        Op::RemHalf => Call(Rem(half)),
        Op::NegHalf => FlipSign(half),
        Op::MulAccF32 => Action::MulAccF32,
        Op::MulAccHalf => Call(Callee::MulAccHalf),
        Op::MathF32 => Call(Math(SINGLE)),
        Op::MathHalf => Call(Math(half)),

        Op::IntToF32 if int_ty(c).signed => Action::SignedToF32,
        Op::IntToF32 => Call(IntToFloat(SINGLE)),
        Op::IntToHalf => Call(IntToFloat(half)),
        Op::F32ToInt => Call(FloatToInt(SINGLE)),
        Op::HalfToInt => Call(FloatToInt(half)),
        Op::F32ToHalf => Call(Convert(SINGLE, half)),
        Op::HalfToF32 => Call(Convert(half, SINGLE)),
        Op::F32ToBool => IsNotZero(SINGLE),
        Op::HalfToBool => IsNotZero(half),

        Op::LoadU8 => load(1, false, base),
        Op::LoadI8 => load(1, true, base),
        Op::LoadU16 => load(2, false, base),
        Op::LoadI16 => load(2, true, base),
        Op::LoadU32 => load(4, false, base),
        Op::LoadI32 => load(4, true, base),
        Op::Load64 => load(8, false, base),
        Op::Store8 => store(1, base),
        Op::Store16 => store(2, base),
        Op::Store32 => store(4, base),
        Op::Store64 => store(8, base),
        Op::LoadU8At => load(1, false, at),
        Op::LoadI8At => load(1, true, at),
        Op::LoadU16At => load(2, false, at),
        Op::LoadI16At => load(2, true, at),
        Op::LoadU32At => load(4, false, at),
        Op::LoadI32At => load(4, true, at),
        Op::Load64At => load(8, false, at),
        Op::Store8At => store(1, at),
        Op::Store16At => store(2, at),
        Op::Store32At => store(4, at),
        Op::Store64At => store(8, at),
        Op::LoadU8Idx => load(1, false, index(1)),
        Op::LoadI8Idx => load(1, true, index(1)),
        Op::LoadU16Idx => load(2, false, index(2)),
        Op::LoadI16Idx => load(2, true, index(2)),
        Op::LoadU32Idx => load(4, false, index(4)),
        Op::LoadI32Idx => load(4, true, index(4)),
        Op::Load64Idx => load(8, false, index(8)),
        Op::Store8Idx => store(1, index(1)),
        Op::Store16Idx => store(2, index(2)),
        Op::Store32Idx => store(4, index(4)),
        Op::Store64Idx => store(8, index(8)),
        Op::LoadU8AtIdx => load(1, false, at_index(1)),
        Op::LoadI8AtIdx => load(1, true, at_index(1)),
        Op::LoadU16AtIdx => load(2, false, at_index(2)),
        Op::LoadI16AtIdx => load(2, true, at_index(2)),
        Op::LoadU32AtIdx => load(4, false, at_index(4)),
        Op::LoadI32AtIdx => load(4, true, at_index(4)),
        Op::Load64AtIdx => load(8, false, at_index(8)),
        Op::Store8AtIdx => store(1, at_index(1)),
        Op::Store16AtIdx => store(2, at_index(2)),
        Op::Store32AtIdx => store(4, at_index(4)),
        Op::Store64AtIdx => store(8, at_index(8)),
        Op::LoadU16Row => load(2, false, row(2)),
        Op::LoadI16Row => load(2, true, row(2)),
        Op::LoadU32Row => load(4, false, row(4)),
        Op::LoadI32Row => load(4, true, row(4)),
        Op::Store16Row => store(2, row(2)),
        Op::Store32Row => store(4, row(4)),
        Op::Index1 => Address(index(1)),
        Op::Index2 => Address(index(2)),
        Op::Index4 => Address(index(4)),
        Op::Index8 => Address(index(8)),
        Op::Index1At => Address(at_index(1)),
        Op::Index2At => Address(at_index(2)),
        Op::Index4At => Address(at_index(4)),
        Op::Index8At => Address(at_index(8)),

        _ => Action::Leave,
    }
}
