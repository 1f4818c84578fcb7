//! The interpreter of scalar code: runs the main thread up to an instruction that its surroundings carry out.

use csl_image::PeImage;
use csl_isa::{Insn, Op, fn_index};
use csl_machine::SysOp;
use csl_num::{
    FloatKind, LowBits, float_add, float_div, float_eq, float_le, float_lt, float_mul, float_neg, float_sub,
};

use super::block;
use super::cpu::{Cpu, CpuFault};
use super::exit::{Exit, load_exit};
use super::ops::{
    self, address, extended, f32_operation, index_address, int_ty, math, row_address, signed, wrap_add, wrap_mul,
    wrap_sub,
};
use super::surroundings::{Instant, Surroundings};

const F32: FloatKind = FloatKind::F32;

/// Runs `cpu` until an exit. `QuantumEnd` comes at the first branch taken with `cpu.local_time >= until`; accesses to
/// shared memory in that cycle or later are exits too.
///
/// `pe` must have passed [`csl_image::Image::check`]; otherwise this may panic.
pub fn run<S: Surroundings>(cpu: &mut Cpu, around: &mut S, pe: &PeImage, until: u64) -> Exit {
    let code: &[Insn] = &pe.code;
    let half = pe.half.kind();
    let mut pc = cpu.pc as usize;
    let start = cpu.block_start();
    let mut local_time = start;
    let mut frame: &mut [u64] = &mut cpu.regs[cpu.fp as usize..];

    loop {
        let mut insn = if S::ALONE { code[pc].alone() } else { code[pc] };
        pc += 1;

        // The instruction that runs, for what looks on.
        macro_rules! running {
            () => {
                Instant { local_time, behind: pc, frame: &*frame, first: cpu.fp as usize }
            };
        }
        let raised = around.before(running!(), insn);

        macro_rules! leave {
            ($exit:expr) => {{
                let exit = $exit;
                cpu.stop(pc.low32(), start, local_time);
                return exit;
            }};
        }
        macro_rules! fault {
            ($fault:expr) => {
                leave!(Exit::Fault($fault))
            };
        }
        macro_rules! a {
            () => {
                frame[usize::from(insn.a)]
            };
        }
        macro_rules! b {
            () => {
                frame[usize::from(insn.b)]
            };
        }
        macro_rules! c {
            () => {
                frame[usize::from(insn.c)]
            };
        }
        macro_rules! turn {
            () => {
                if around.turn(cpu.func, pc.low32()) {
                    leave!(Exit::QuantumEnd)
                }
            };
        }
        macro_rules! jump {
            ($high:expr, $low:expr) => {{
                pc = (usize::from($high) << 16) | usize::from($low);
                if local_time >= until {
                    leave!(Exit::QuantumEnd)
                }
                turn!()
            }};
        }
        macro_rules! branch {
            ($taken:expr) => {{
                let ext = code[pc];
                if $taken {
                    local_time += u64::from(ext.b);
                    jump!(insn.c, ext.c)
                } else {
                    local_time += u64::from(ext.a);
                    pc += 1;
                }
            }};
        }
        macro_rules! next {
            ($ty:ty, $limit:expr) => {{
                a!() = wrap_add::<$ty>(a!(), 1);
                branch!(a!().cast_signed() < $limit)
            }};
        }
        macro_rules! row {
            ($scale:literal) => {{
                let ext = code[pc];
                pc += 1;
                row_address::<$scale>(ext, b!(), c!())
            }};
        }
        macro_rules! call {
            ($func:expr, $cost:expr) => {{
                local_time += u64::from($cost);
                cpu.pc = pc.low32();
                if let Err(fault) = cpu.enter(pe, $func, insn.b) {
                    fault!(fault)
                }
                pc = cpu.pc as usize;
                frame = &mut cpu.regs[cpu.fp as usize..];
                turn!()
            }};
        }
        macro_rules! ret {
            () => {{
                local_time += u64::from(insn.b);
                if !cpu.leave() {
                    leave!(Exit::Returned)
                }
                pc = cpu.pc as usize;
                frame = &mut cpu.regs[cpu.fp as usize..];
                turn!()
            }};
        }
        macro_rules! f32 {
            ($value:expr) => {{
                let value: u64 = $value;
                around.float(running!(), insn, value);
                a!() = value
            }};
        }
        // Stops at an access to memory that other threads use, unless it is its time.
        macro_rules! stop_if_early {
            ($ty:ty, $addr:ident, $is_store:literal, $exit:expr) => {
                if around.is_shared($addr, size_of::<$ty>(), $is_store) {
                    let passed = block::position(code, pc);
                    if local_time + passed >= until {
                        let exit = $exit;
                        cpu.stop_in_block(pc.low32(), local_time, passed);
                        return exit;
                    }
                }
            };
        }
        macro_rules! load {
            ($ty:ty, $wide:ty, $addr:expr) => {{
                let addr: u16 = $addr;
                around.access::<{ size_of::<$ty>() }>(running!(), insn, addr, false);
                stop_if_early!($ty, addr, false, load_exit(insn.a, addr, size_of::<$ty>(), <$ty>::MIN != 0));
                a!() = match around.load(addr) {
                    Some(bytes) => <$wide>::from(<$ty>::from_le_bytes(bytes)) as u64,
                    None => leave!(load_exit(insn.a, addr, size_of::<$ty>(), <$ty>::MIN != 0)),
                };
            }};
        }
        macro_rules! store {
            ($ty:ty, $addr:expr) => {{
                let addr: u16 = $addr;
                around.access::<{ size_of::<$ty>() }>(running!(), insn, addr, true);
                let value = a!() as $ty;
                let exit = Exit::Store { addr, bytes: size_of::<$ty>().low8(), value: u64::from(value) };
                stop_if_early!($ty, addr, true, exit);
                if !around.store(addr, value.to_le_bytes()) {
                    leave!(exit)
                }
            }};
        }
        macro_rules! divide {
            ($quotient:expr) => {{
                if c!() == 0 {
                    fault!(CpuFault::DivisionByZero)
                }
                a!() = $quotient;
            }};
        }
        macro_rules! fill {
            ($ty:ty) => {{
                if !around.fill(a!().low16(), (b!() as $ty).to_le_bytes(), insn.c) {
                    fault!(CpuFault::CopyOfRegisters)
                }
            }};
        }

        // Instructions that fused ones carry out too.
        macro_rules! load_u32 {
            () => {
                load!(u32, u64, address(b!(), insn.c))
            };
        }
        macro_rules! load_u32_idx {
            () => {
                load!(u32, u64, index_address::<4>(b!().low16(), c!()))
            };
        }
        macro_rules! load_u32_at_idx {
            () => {
                load!(u32, u64, index_address::<4>(insn.b, c!()))
            };
        }
        macro_rules! load_u32_row {
            () => {
                load!(u32, u64, row!(4))
            };
        }
        macro_rules! store_32 {
            () => {
                store!(u32, address(b!(), insn.c))
            };
        }
        macro_rules! store_32_idx {
            () => {
                store!(u32, index_address::<4>(b!().low16(), c!()))
            };
        }
        macro_rules! store_32_at_idx {
            () => {
                store!(u32, index_address::<4>(insn.b, c!()))
            };
        }
        macro_rules! mul_acc_f32 {
            () => {{
                // A product that is NaN makes the sum NaN.
                let addend = f32::from_bits(a!().low32());
                f32!(f32_operation(b!(), c!(), |b, c| addend + b * c))
            }};
        }
        // Goes on to the next instruction of a fused one.
        macro_rules! then {
            () => {{
                insn = code[pc];
                pc += 1;
            }};
        }
        macro_rules! then_next {
            () => {{
                then!();
                match insn.op {
                    Op::NextU16 => next!(u16, b!().cast_signed()),
                    _ => next!(u16, i64::from(insn.b)),
                }
            }};
        }
        macro_rules! then_dot {
            () => {{
                then!();
                match insn.op {
                    Op::LoadU32Idx => load_u32_idx!(),
                    Op::LoadU32AtIdx => load_u32_at_idx!(),
                    _ => load_u32_row!(),
                }
                then!();
                mul_acc_f32!();
                then_next!()
            }};
        }

        if raised != 0 {
            leave!(Exit::FpException { raised })
        }

        match insn.op {
            Op::Ext | Op::Unreachable => fault!(CpuFault::Unreachable),
            Op::Charge => local_time += u64::from(insn.a) | u64::from(insn.b) << 16,
            Op::Jump => {
                local_time += u64::from(insn.c);
                jump!(insn.a, insn.b)
            }
            Op::Call => call!(insn.a, insn.c),
            Op::CallPtr => match fn_index(a!().low16()).filter(|&func| usize::from(func) < pe.funcs.len()) {
                Some(func) => call!(func, insn.c),
                None => fault!(CpuFault::BadFunctionPointer),
            },
            Op::Ret => {
                frame[0] = a!();
                ret!()
            }
            Op::RetVoid => ret!(),
            Op::Table => {
                let ext = code[pc + usize::from(a!().min(u64::from(insn.b) - 1).low16())];
                local_time += u64::from(ext.a);
                jump!(ext.b, ext.c)
            }

            Op::BrZero => branch!(a!() == 0),
            Op::BrNonZero => branch!(a!() != 0),
            Op::BrEq => branch!(a!() == b!()),
            Op::BrNe => branch!(a!() != b!()),
            Op::BrLtS => branch!(a!().cast_signed() < b!().cast_signed()),
            Op::BrLeS => branch!(a!().cast_signed() <= b!().cast_signed()),
            Op::BrLtU => branch!(a!() < b!()),
            Op::BrLeU => branch!(a!() <= b!()),
            Op::BrEqImm => branch!(a!().cast_signed() == signed(insn.b)),
            Op::BrNeImm => branch!(a!().cast_signed() != signed(insn.b)),
            Op::BrLtSImm => branch!(a!().cast_signed() < signed(insn.b)),
            Op::BrLeSImm => branch!(a!().cast_signed() <= signed(insn.b)),
            Op::BrGtSImm => branch!(a!().cast_signed() > signed(insn.b)),
            Op::BrGeSImm => branch!(a!().cast_signed() >= signed(insn.b)),
            Op::BrLtUImm => branch!(a!() < u64::from(insn.b)),
            Op::BrLeUImm => branch!(a!() <= u64::from(insn.b)),
            Op::BrGtUImm => branch!(a!() > u64::from(insn.b)),
            Op::BrGeUImm => branch!(a!() >= u64::from(insn.b)),
            Op::NextI16 => next!(i16, b!().cast_signed()),
            Op::NextU16 => next!(u16, b!().cast_signed()),
            Op::NextI16Imm => next!(i16, signed(insn.b)),
            Op::NextU16Imm => next!(u16, i64::from(insn.b)),
            Op::BrEqF32 => branch!(float_eq(F32, a!(), b!())),
            Op::BrNeF32 => branch!(!float_eq(F32, a!(), b!())),
            Op::BrLtF32 => branch!(float_lt(F32, a!(), b!())),
            Op::BrLeF32 => branch!(float_le(F32, a!(), b!())),
            Op::BrNotLtF32 => branch!(!float_lt(F32, a!(), b!())),
            Op::BrNotLeF32 => branch!(!float_le(F32, a!(), b!())),
            Op::BrEqHalf => branch!(float_eq(half, a!(), b!())),
            Op::BrNeHalf => branch!(!float_eq(half, a!(), b!())),
            Op::BrLtHalf => branch!(float_lt(half, a!(), b!())),
            Op::BrLeHalf => branch!(float_le(half, a!(), b!())),
            Op::BrNotLtHalf => branch!(!float_lt(half, a!(), b!())),
            Op::BrNotLeHalf => branch!(!float_le(half, a!(), b!())),

            Op::Copy => a!() = b!(),
            Op::MoveIf => a!() = if b!() != 0 { c!() } else { a!() },
            Op::MoveUnless => a!() = if b!() == 0 { c!() } else { a!() },
            Op::Imm => a!() = extended(insn.b),
            Op::Imm32 => a!() = u64::from(insn.b) | u64::from(insn.c) << 16,
            Op::Pool => a!() = pe.pool[usize::from(insn.b)],
            Op::Tile => a!() = cpu.tile_consts[usize::from(insn.b)],
            Op::Slot => a!() = u64::from(cpu.sp.wrapping_add(insn.b)),

            Op::AddI16 => a!() = wrap_add::<i16>(b!(), c!()),
            Op::AddU16 => a!() = wrap_add::<u16>(b!(), c!()),
            Op::AddI32 => a!() = wrap_add::<i32>(b!(), c!()),
            Op::AddU32 => a!() = wrap_add::<u32>(b!(), c!()),
            Op::Add64 => a!() = b!().wrapping_add(c!()),
            Op::SubI16 => a!() = wrap_sub::<i16>(b!(), c!()),
            Op::SubU16 => a!() = wrap_sub::<u16>(b!(), c!()),
            Op::SubI32 => a!() = wrap_sub::<i32>(b!(), c!()),
            Op::SubU32 => a!() = wrap_sub::<u32>(b!(), c!()),
            Op::Sub64 => a!() = b!().wrapping_sub(c!()),
            Op::MulI16 => a!() = wrap_mul::<i16>(b!(), c!()),
            Op::MulU16 => a!() = wrap_mul::<u16>(b!(), c!()),
            Op::MulI32 => a!() = wrap_mul::<i32>(b!(), c!()),
            Op::MulU32 => a!() = wrap_mul::<u32>(b!(), c!()),
            Op::Mul64 => a!() = b!().wrapping_mul(c!()),
            Op::AddI16Imm => a!() = wrap_add::<i16>(b!(), extended(insn.c)),
            Op::AddU16Imm => a!() = wrap_add::<u16>(b!(), extended(insn.c)),
            Op::AddI32Imm => a!() = wrap_add::<i32>(b!(), extended(insn.c)),
            Op::AddU32Imm => a!() = wrap_add::<u32>(b!(), extended(insn.c)),
            Op::Add64Imm => a!() = b!().wrapping_add(extended(insn.c)),
            Op::MulI16Imm => a!() = wrap_mul::<i16>(b!(), extended(insn.c)),
            Op::MulU16Imm => a!() = wrap_mul::<u16>(b!(), extended(insn.c)),
            Op::MulI32Imm => a!() = wrap_mul::<i32>(b!(), extended(insn.c)),
            Op::MulU32Imm => a!() = wrap_mul::<u32>(b!(), extended(insn.c)),
            Op::Mul64Imm => a!() = b!().wrapping_mul(extended(insn.c)),
            Op::DivS => divide!(b!().cast_signed().wrapping_div(c!().cast_signed()).cast_unsigned()),
            Op::DivU => divide!(b!() / c!()),
            Op::RemS => divide!(b!().cast_signed().wrapping_rem(c!().cast_signed()).cast_unsigned()),
            Op::RemU => divide!(b!() % c!()),
            Op::Shl => a!() = csl_num::int_shl(int_ty(insn.c), a!(), b!()),
            Op::ShrS => a!() = (b!().cast_signed() >> c!().min(63)).cast_unsigned(),
            Op::ShrU => a!() = b!().checked_shr(c!().min(64).low32()).unwrap_or(0),
            Op::And => a!() = b!() & c!(),
            Op::Or => a!() = b!() | c!(),
            Op::Xor => a!() = b!() ^ c!(),
            Op::AndImm => a!() = b!() & extended(insn.c),
            Op::OrImm => a!() = b!() | extended(insn.c),
            Op::XorImm => a!() = b!() ^ extended(insn.c),
            Op::ShlImm => a!() = csl_num::int_shl(int_ty(insn.c), a!(), u64::from(insn.b)),
            Op::ShrSImm => a!() = (b!().cast_signed() >> insn.c.min(63)).cast_unsigned(),
            Op::ShrUImm => a!() = b!().checked_shr(u32::from(insn.c)).unwrap_or(0),
            Op::Neg => a!() = csl_num::int_neg(int_ty(insn.c), b!()),
            Op::BitNot => a!() = csl_num::int_not(int_ty(insn.c), b!()),
            Op::IsZero => a!() = u64::from(b!() == 0),
            Op::NonZero => a!() = u64::from(b!() != 0),
            Op::Wrap => a!() = csl_num::wrap64(int_ty(insn.c), b!()),

            Op::Eq => a!() = u64::from(b!() == c!()),
            Op::Ne => a!() = u64::from(b!() != c!()),
            Op::LtS => a!() = u64::from(b!().cast_signed() < c!().cast_signed()),
            Op::LeS => a!() = u64::from(b!().cast_signed() <= c!().cast_signed()),
            Op::LtU => a!() = u64::from(b!() < c!()),
            Op::LeU => a!() = u64::from(b!() <= c!()),
            Op::EqF32 => a!() = u64::from(float_eq(F32, b!(), c!())),
            Op::NeF32 => a!() = u64::from(!float_eq(F32, b!(), c!())),
            Op::LtF32 => a!() = u64::from(float_lt(F32, b!(), c!())),
            Op::LeF32 => a!() = u64::from(float_le(F32, b!(), c!())),
            Op::EqHalf => a!() = u64::from(float_eq(half, b!(), c!())),
            Op::NeHalf => a!() = u64::from(!float_eq(half, b!(), c!())),
            Op::LtHalf => a!() = u64::from(float_lt(half, b!(), c!())),
            Op::LeHalf => a!() = u64::from(float_le(half, b!(), c!())),

            Op::AddF32 => f32!(f32_operation(b!(), c!(), |b, c| b + c)),
            Op::SubF32 => f32!(f32_operation(b!(), c!(), |b, c| b - c)),
            Op::MulF32 => f32!(f32_operation(b!(), c!(), |b, c| b * c)),
            Op::DivF32 => f32!(f32_operation(b!(), c!(), |b, c| b / c)),
            Op::RemF32 => a!() = csl_num::float_rem(F32, b!(), c!()),
            Op::NegF32 => a!() = float_neg(F32, b!()),
            Op::AddHalf => a!() = float_add(half, b!(), c!()),
            Op::SubHalf => a!() = float_sub(half, b!(), c!()),
            Op::MulHalf => a!() = float_mul(half, b!(), c!()),
            Op::DivHalf => a!() = float_div(half, b!(), c!()),
            Op::RemHalf => a!() = csl_num::float_rem(half, b!(), c!()),
            Op::NegHalf => a!() = float_neg(half, b!()),
            Op::MulAccF32 => mul_acc_f32!(),
            Op::MulAccHalf => a!() = float_add(half, a!(), float_mul(half, b!(), c!())),
            Op::MathF32 => a!() = math(F32, frame, insn),
            Op::MathHalf => a!() = math(half, frame, insn),

            Op::IntToF32 => a!() = csl_num::int_to_float(F32, int_ty(insn.c), b!()),
            Op::IntToHalf => a!() = csl_num::int_to_float(half, int_ty(insn.c), b!()),
            Op::F32ToInt => a!() = csl_num::float_to_int(F32, b!(), int_ty(insn.c)),
            Op::HalfToInt => a!() = csl_num::float_to_int(half, b!(), int_ty(insn.c)),
            Op::F32ToHalf => a!() = csl_num::float_convert(F32, half, b!()),
            Op::HalfToF32 => a!() = csl_num::float_convert(half, F32, b!()),
            Op::F32ToBool => a!() = u64::from(csl_num::float_to_bool(F32, b!())),
            Op::HalfToBool => a!() = u64::from(csl_num::float_to_bool(half, b!())),

            Op::LoadU8 => load!(u8, u64, address(b!(), insn.c)),
            Op::LoadI8 => load!(i8, i64, address(b!(), insn.c)),
            Op::LoadU16 => load!(u16, u64, address(b!(), insn.c)),
            Op::LoadI16 => load!(i16, i64, address(b!(), insn.c)),
            Op::LoadU32 => load_u32!(),
            Op::LoadI32 => load!(i32, i64, address(b!(), insn.c)),
            Op::Load64 => load!(u64, u64, address(b!(), insn.c)),
            Op::Store8 => store!(u8, address(b!(), insn.c)),
            Op::Store16 => store!(u16, address(b!(), insn.c)),
            Op::Store32 => store_32!(),
            Op::Store64 => store!(u64, address(b!(), insn.c)),
            Op::LoadU8At => load!(u8, u64, insn.b),
            Op::LoadI8At => load!(i8, i64, insn.b),
            Op::LoadU16At => load!(u16, u64, insn.b),
            Op::LoadI16At => load!(i16, i64, insn.b),
            Op::LoadU32At => load!(u32, u64, insn.b),
            Op::LoadI32At => load!(i32, i64, insn.b),
            Op::Load64At => load!(u64, u64, insn.b),
            Op::Store8At => store!(u8, insn.b),
            Op::Store16At => store!(u16, insn.b),
            Op::Store32At => store!(u32, insn.b),
            Op::Store64At => store!(u64, insn.b),
            Op::LoadU8Idx => load!(u8, u64, index_address::<1>(b!().low16(), c!())),
            Op::LoadI8Idx => load!(i8, i64, index_address::<1>(b!().low16(), c!())),
            Op::LoadU16Idx => load!(u16, u64, index_address::<2>(b!().low16(), c!())),
            Op::LoadI16Idx => load!(i16, i64, index_address::<2>(b!().low16(), c!())),
            Op::LoadU32Idx => load_u32_idx!(),
            Op::LoadI32Idx => load!(i32, i64, index_address::<4>(b!().low16(), c!())),
            Op::Load64Idx => load!(u64, u64, index_address::<8>(b!().low16(), c!())),
            Op::Store8Idx => store!(u8, index_address::<1>(b!().low16(), c!())),
            Op::Store16Idx => store!(u16, index_address::<2>(b!().low16(), c!())),
            Op::Store32Idx => store_32_idx!(),
            Op::Store64Idx => store!(u64, index_address::<8>(b!().low16(), c!())),
            Op::LoadU8AtIdx => load!(u8, u64, index_address::<1>(insn.b, c!())),
            Op::LoadI8AtIdx => load!(i8, i64, index_address::<1>(insn.b, c!())),
            Op::LoadU16AtIdx => load!(u16, u64, index_address::<2>(insn.b, c!())),
            Op::LoadI16AtIdx => load!(i16, i64, index_address::<2>(insn.b, c!())),
            Op::LoadU32AtIdx => load_u32_at_idx!(),
            Op::LoadI32AtIdx => load!(i32, i64, index_address::<4>(insn.b, c!())),
            Op::Load64AtIdx => load!(u64, u64, index_address::<8>(insn.b, c!())),
            Op::Store8AtIdx => store!(u8, index_address::<1>(insn.b, c!())),
            Op::Store16AtIdx => store!(u16, index_address::<2>(insn.b, c!())),
            Op::Store32AtIdx => store_32_at_idx!(),
            Op::Store64AtIdx => store!(u64, index_address::<8>(insn.b, c!())),
            Op::LoadU16Row => load!(u16, u64, row!(2)),
            Op::LoadI16Row => load!(i16, i64, row!(2)),
            Op::LoadU32Row => load_u32_row!(),
            Op::LoadI32Row => load!(i32, i64, row!(4)),
            Op::Store16Row => store!(u16, row!(2)),
            Op::Store32Row => store!(u32, row!(4)),
            Op::Index1 => a!() = u64::from(index_address::<1>(b!().low16(), c!())),
            Op::Index2 => a!() = u64::from(index_address::<2>(b!().low16(), c!())),
            Op::Index4 => a!() = u64::from(index_address::<4>(b!().low16(), c!())),
            Op::Index8 => a!() = u64::from(index_address::<8>(b!().low16(), c!())),
            Op::Index1At => a!() = u64::from(index_address::<1>(insn.b, c!())),
            Op::Index2At => a!() = u64::from(index_address::<2>(insn.b, c!())),
            Op::Index4At => a!() = u64::from(index_address::<4>(insn.b, c!())),
            Op::Index8At => a!() = u64::from(index_address::<8>(insn.b, c!())),
            Op::MemCopy => {
                if !around.copy(a!().low16(), b!().low16(), insn.c) {
                    fault!(CpuFault::CopyOfRegisters)
                }
            }
            Op::MemFill8 => fill!(u8),
            Op::MemFill16 => fill!(u16),
            Op::MemFill32 => fill!(u32),
            Op::MemFill64 => fill!(u64),

            Op::MakeMem1d => a!() = ops::make_mem1d(frame, insn),
            Op::SetDsdAddr => a!() = ops::dsd(b!()).with_addr(c!().low16()).0,
            Op::AddDsdWords => a!() = ops::add_dsd_words(b!(), c!()),
            Op::SetDsdLength => a!() = ops::dsd(b!()).with_extent(c!().low16()).0,
            Op::SetDsdStride => a!() = ops::dsd(b!()).with_stride(c!().signed16()).0,

            Op::Vec => leave!(Exit::Vec { row: insn.a, dst: insn.b }),
            Op::LoadDsr => leave!(Exit::LoadDsr { row: insn.a }),
            Op::IterLoad => leave!(Exit::IterLoad { iter: cpu.iters.wrapping_add(insn.a), row: insn.b }),
            Op::IterMore => leave!(Exit::IterMore { iter: cpu.iters.wrapping_add(insn.b), ok: insn.a }),
            Op::IterNext => leave!(Exit::IterNext { iter: cpu.iters.wrapping_add(insn.b), dst: insn.a, ok: insn.c }),
            Op::IterPut => leave!(Exit::IterPut { iter: cpu.iters.wrapping_add(insn.b), src: insn.a, ok: insn.c }),
            Op::Sys => leave!(Exit::Sys { op: SysOp::ALL[usize::from(insn.a)], args: insn.b, dst: insn.c }),

            Op::DotIdx => {
                load_u32_idx!();
                then_dot!()
            }
            Op::DotAtIdx => {
                load_u32_at_idx!();
                then_dot!()
            }
            Op::DotRow => {
                load_u32_row!();
                then_dot!()
            }
            Op::LoadMulAddStore => {
                load_u32!();
                then!();
                f32!(f32_operation(b!(), c!(), |b, c| b * c));
                then!();
                f32!(f32_operation(b!(), c!(), |b, c| b + c));
                then!();
                store_32!()
            }
            Op::LoadAddStore => {
                load_u32!();
                then!();
                f32!(f32_operation(b!(), c!(), |b, c| b + c));
                then!();
                store_32!()
            }
            Op::LoadAddStore16 => {
                load!(u16, u64, address(b!(), insn.c));
                then!();
                around.then(running!(), insn);
                a!() = wrap_add::<u16>(b!(), c!());
                then!();
                store!(u16, address(b!(), insn.c))
            }
            Op::LoadStore32 => {
                load_u32!();
                then!();
                match insn.op {
                    Op::Store32 => store_32!(),
                    Op::Store32Idx => store_32_idx!(),
                    _ => store_32_at_idx!(),
                }
            }
            Op::Store32IdxNext => {
                store_32_idx!();
                then_next!()
            }
            Op::Store32AtIdxNext => {
                store_32_at_idx!();
                then_next!()
            }
            Op::Store16AtIdxNext => {
                store!(u16, index_address::<2>(insn.b, c!()));
                then_next!()
            }
            Op::MulAddDsdWords => {
                a!() = wrap_mul::<i16>(b!(), extended(insn.c));
                then!();
                around.then(running!(), insn);
                a!() = ops::add_dsd_words(b!(), c!())
            }
        }
    }
}
