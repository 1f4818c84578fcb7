//! The instruction table: one row an operation.

/// The content of one of the three fields of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Not used; 0.
    None,
    /// A register that is written.
    Dst,
    /// A register that is written, or [`crate::NO_REG`].
    OptDst,
    /// A register that is read.
    Src,
    /// A register that is read and written.
    Acc,
    /// The first of the consecutive registers that are read; the operation gives their number.
    Args,
    /// First register of a callee's frame.
    Window,
    /// A signed constant.
    Imm,
    /// An unsigned constant.
    Uimm,
    /// A byte address or the offset added to one.
    Offset,
    /// An [`crate::IntCode`].
    Ty,
    /// High half of a branch target; the low half is in the `ext` word that follows.
    Target,
    /// High and low half of a jump target.
    TargetHigh,
    TargetLow,
    /// Cycles.
    Cost,
    /// Number of `ext` words that follow.
    Count,
    /// A function of the program.
    Func,
    /// A row of the program's table of 64-bit constants, the tile's own constants, vector operations, DSR loads,
    /// iterators.
    Pool,
    TileConst,
    VecRow,
    LoadRow,
    IterRow,
    /// An iterator of the running function.
    Iter,
    /// A [`csl_machine::SysOp`] by its number.
    Sys,
    /// A function of `csl_num::MathFn::ALL`, by its index.
    Math,
}

macro_rules! ops {
    (
        $($(#[doc = $doc:literal])* $op:ident $name:literal ($a:ident, $b:ident, $c:ident);)*
        @fused { $($fused:ident $fused_name:literal $head:ident $([$($part:ident)|+])+;)* }
    ) => {
        /// An operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Op { $($(#[doc = $doc])* $op,)* $($fused,)* }

        impl Op {
            /// Every operation; its index is its number.
            pub const ALL: &[Op] = &[$(Op::$op,)* $(Op::$fused,)*];

            /// The operations that carry out several instructions.
            pub const FUSED: &[Op] = &[$(Op::$fused,)*];

            /// The name in listings.
            pub fn name(self) -> &'static str {
                match self { $(Op::$op => $name,)* $(Op::$fused => $fused_name,)* }
            }

            /// The contents of the fields `a`, `b` and `c`.
            pub fn fields(self) -> [Field; 3] {
                match self {
                    $(Op::$op => [Field::$a, Field::$b, Field::$c],)*
                    $(Op::$fused => Op::$head.fields(),)*
                }
            }

            /// The operation as one that carries out its own instruction alone.
            pub const fn alone(self) -> Op {
                match self { $(Op::$fused => Op::$head,)* op => op }
            }

            /// The instructions that are carried out with a fused one: for each, the operations that may stand in its place.
            pub fn followers(self) -> &'static [&'static [Op]] {
                match self { $(Op::$fused => &[$(&[$(Op::$part,)+],)+],)* _ => &[] }
            }
        }
    };
}

ops! {
    // Words that are not instructions of their own, and control.
    /// The word behind a branch: cycles when not taken, cycles when taken, low half of the target. Behind `table`:
    /// cycles, high half, low half of the target. Behind an access to a row: bytes of a row, base. Never executed.
    Ext "ext" (Cost, Cost, Uimm);
    /// Adds `a + (b << 16)` cycles.
    Charge "charge" (Cost, Uimm, None);
    Jump "jump" (TargetHigh, TargetLow, Cost);
    Call "call" (Func, Window, Cost);
    /// Through a function pointer ([`crate::fn_address`]).
    CallPtr "call_ptr" (Src, Window, Cost);
    /// The value in `a` goes to register 0 of the frame.
    Ret "ret" (Src, Cost, None);
    RetVoid "ret_void" (None, Cost, None);
    /// Jumps by `ext` word number `a` of the `b` that follow, or by the last of them where `a` is not less than `b - 1`.
    Table "table" (Src, Count, None);
    /// Control never comes here.
    Unreachable "unreachable" (None, None, None);

    // Compare and branch. Signed and unsigned orders are those of 64 bits.
    BrZero "br_zero" (Src, None, Target);
    BrNonZero "br_nonzero" (Src, None, Target);
    BrEq "br_eq" (Src, Src, Target);
    BrNe "br_ne" (Src, Src, Target);
    BrLtS "br_lt_s" (Src, Src, Target);
    BrLeS "br_le_s" (Src, Src, Target);
    BrLtU "br_lt_u" (Src, Src, Target);
    BrLeU "br_le_u" (Src, Src, Target);
    BrEqImm "br_eq_imm" (Src, Imm, Target);
    BrNeImm "br_ne_imm" (Src, Imm, Target);
    BrLtSImm "br_lt_s_imm" (Src, Imm, Target);
    BrLeSImm "br_le_s_imm" (Src, Imm, Target);
    BrGtSImm "br_gt_s_imm" (Src, Imm, Target);
    BrGeSImm "br_ge_s_imm" (Src, Imm, Target);
    BrLtUImm "br_lt_u_imm" (Src, Uimm, Target);
    BrLeUImm "br_le_u_imm" (Src, Uimm, Target);
    BrGtUImm "br_gt_u_imm" (Src, Uimm, Target);
    BrGeUImm "br_ge_u_imm" (Src, Uimm, Target);
    /// `a += 1`, wrapped, and a branch where that is below `b`: the end of a counting loop.
    NextI16 "next_i16" (Acc, Src, Target);
    NextU16 "next_u16" (Acc, Src, Target);
    NextI16Imm "next_i16_imm" (Acc, Imm, Target);
    NextU16Imm "next_u16_imm" (Acc, Uimm, Target);
    // Floats have the negations too: with a NaN, `not a < b` is not `a >= b`.
    BrEqF32 "br_eq_f32" (Src, Src, Target);
    BrNeF32 "br_ne_f32" (Src, Src, Target);
    BrLtF32 "br_lt_f32" (Src, Src, Target);
    BrLeF32 "br_le_f32" (Src, Src, Target);
    BrNotLtF32 "br_not_lt_f32" (Src, Src, Target);
    BrNotLeF32 "br_not_le_f32" (Src, Src, Target);
    BrEqHalf "br_eq_half" (Src, Src, Target);
    BrNeHalf "br_ne_half" (Src, Src, Target);
    BrLtHalf "br_lt_half" (Src, Src, Target);
    BrLeHalf "br_le_half" (Src, Src, Target);
    BrNotLtHalf "br_not_lt_half" (Src, Src, Target);
    BrNotLeHalf "br_not_le_half" (Src, Src, Target);

    // Moves and constants.
    Copy "copy" (Dst, Src, None);
    /// `a = c` where `b` is not 0; where it is 0.
    MoveIf "move_if" (Acc, Src, Src);
    MoveUnless "move_unless" (Acc, Src, Src);
    /// A sign-extended 16-bit constant.
    Imm "imm" (Dst, Imm, None);
    /// `b | c << 16`, zero-extended.
    Imm32 "imm32" (Dst, Uimm, Uimm);
    Pool "pool" (Dst, Pool, None);
    /// A constant of which every tile has its own.
    Tile "tile" (Dst, TileConst, None);
    /// Byte address of the function's stack slots, plus `b`.
    Slot "slot" (Dst, Offset, None);

    // Integers.
    AddI16 "add_i16" (Dst, Src, Src);
    AddU16 "add_u16" (Dst, Src, Src);
    AddI32 "add_i32" (Dst, Src, Src);
    AddU32 "add_u32" (Dst, Src, Src);
    Add64 "add_64" (Dst, Src, Src);
    SubI16 "sub_i16" (Dst, Src, Src);
    SubU16 "sub_u16" (Dst, Src, Src);
    SubI32 "sub_i32" (Dst, Src, Src);
    SubU32 "sub_u32" (Dst, Src, Src);
    Sub64 "sub_64" (Dst, Src, Src);
    MulI16 "mul_i16" (Dst, Src, Src);
    MulU16 "mul_u16" (Dst, Src, Src);
    MulI32 "mul_i32" (Dst, Src, Src);
    MulU32 "mul_u32" (Dst, Src, Src);
    Mul64 "mul_64" (Dst, Src, Src);
    AddI16Imm "add_i16_imm" (Dst, Src, Imm);
    AddU16Imm "add_u16_imm" (Dst, Src, Imm);
    AddI32Imm "add_i32_imm" (Dst, Src, Imm);
    AddU32Imm "add_u32_imm" (Dst, Src, Imm);
    Add64Imm "add_64_imm" (Dst, Src, Imm);
    MulI16Imm "mul_i16_imm" (Dst, Src, Imm);
    MulU16Imm "mul_u16_imm" (Dst, Src, Imm);
    MulI32Imm "mul_i32_imm" (Dst, Src, Imm);
    MulU32Imm "mul_u32_imm" (Dst, Src, Imm);
    Mul64Imm "mul_64_imm" (Dst, Src, Imm);
    /// Canonical operands of any signed type; the quotient of the smallest value and -1 still has to be wrapped.
    DivS "div_s" (Dst, Src, Src);
    DivU "div_u" (Dst, Src, Src);
    RemS "rem_s" (Dst, Src, Src);
    RemU "rem_u" (Dst, Src, Src);
    /// `a <<= b`, wrapped to the type `c`; counts of the width or more give 0.
    Shl "shl" (Acc, Src, Ty);
    ShrS "shr_s" (Dst, Src, Src);
    ShrU "shr_u" (Dst, Src, Src);
    And "and" (Dst, Src, Src);
    Or "or" (Dst, Src, Src);
    Xor "xor" (Dst, Src, Src);
    /// The constant is sign-extended to 64 bits.
    AndImm "and_imm" (Dst, Src, Imm);
    OrImm "or_imm" (Dst, Src, Imm);
    XorImm "xor_imm" (Dst, Src, Imm);
    ShlImm "shl_imm" (Acc, Uimm, Ty);
    ShrSImm "shr_s_imm" (Dst, Src, Uimm);
    ShrUImm "shr_u_imm" (Dst, Src, Uimm);
    Neg "neg" (Dst, Src, Ty);
    BitNot "bit_not" (Dst, Src, Ty);
    /// 1 where the source is 0, else 0.
    IsZero "is_zero" (Dst, Src, None);
    NonZero "non_zero" (Dst, Src, None);
    /// Brings the low bits into canonical form.
    Wrap "wrap" (Dst, Src, Ty);

    // Comparisons into a register: 0 or 1.
    Eq "eq" (Dst, Src, Src);
    Ne "ne" (Dst, Src, Src);
    LtS "lt_s" (Dst, Src, Src);
    LeS "le_s" (Dst, Src, Src);
    LtU "lt_u" (Dst, Src, Src);
    LeU "le_u" (Dst, Src, Src);
    EqF32 "eq_f32" (Dst, Src, Src);
    NeF32 "ne_f32" (Dst, Src, Src);
    LtF32 "lt_f32" (Dst, Src, Src);
    LeF32 "le_f32" (Dst, Src, Src);
    EqHalf "eq_half" (Dst, Src, Src);
    NeHalf "ne_half" (Dst, Src, Src);
    LtHalf "lt_half" (Dst, Src, Src);
    LeHalf "le_half" (Dst, Src, Src);

    // Floats.
    AddF32 "add_f32" (Dst, Src, Src);
    SubF32 "sub_f32" (Dst, Src, Src);
    MulF32 "mul_f32" (Dst, Src, Src);
    DivF32 "div_f32" (Dst, Src, Src);
    RemF32 "rem_f32" (Dst, Src, Src);
    NegF32 "neg_f32" (Dst, Src, None);
    AddHalf "add_half" (Dst, Src, Src);
    SubHalf "sub_half" (Dst, Src, Src);
    MulHalf "mul_half" (Dst, Src, Src);
    DivHalf "div_half" (Dst, Src, Src);
    RemHalf "rem_half" (Dst, Src, Src);
    NegHalf "neg_half" (Dst, Src, None);
    /// `a = a + b * c`, each operation rounded.
    MulAccF32 "mul_acc_f32" (Acc, Src, Src);
    MulAccHalf "mul_acc_half" (Acc, Src, Src);
    /// The second operand of a function of two is the register behind the first.
    MathF32 "math_f32" (Dst, Args, Math);
    MathHalf "math_half" (Dst, Args, Math);

    // Casts.
    IntToF32 "int_to_f32" (Dst, Src, Ty);
    IntToHalf "int_to_half" (Dst, Src, Ty);
    F32ToInt "f32_to_int" (Dst, Src, Ty);
    HalfToInt "half_to_int" (Dst, Src, Ty);
    F32ToHalf "f32_to_half" (Dst, Src, None);
    HalfToF32 "half_to_f32" (Dst, Src, None);
    F32ToBool "f32_to_bool" (Dst, Src, None);
    HalfToBool "half_to_bool" (Dst, Src, None);

    // Memory. Address: register plus offset.
    LoadU8 "load_u8" (Dst, Src, Offset);
    LoadI8 "load_i8" (Dst, Src, Offset);
    LoadU16 "load_u16" (Dst, Src, Offset);
    LoadI16 "load_i16" (Dst, Src, Offset);
    LoadU32 "load_u32" (Dst, Src, Offset);
    LoadI32 "load_i32" (Dst, Src, Offset);
    Load64 "load_64" (Dst, Src, Offset);
    Store8 "store_8" (Src, Src, Offset);
    Store16 "store_16" (Src, Src, Offset);
    Store32 "store_32" (Src, Src, Offset);
    Store64 "store_64" (Src, Src, Offset);
    // Address: a constant.
    LoadU8At "load_u8_at" (Dst, Offset, None);
    LoadI8At "load_i8_at" (Dst, Offset, None);
    LoadU16At "load_u16_at" (Dst, Offset, None);
    LoadI16At "load_i16_at" (Dst, Offset, None);
    LoadU32At "load_u32_at" (Dst, Offset, None);
    LoadI32At "load_i32_at" (Dst, Offset, None);
    Load64At "load_64_at" (Dst, Offset, None);
    Store8At "store_8_at" (Src, Offset, None);
    Store16At "store_16_at" (Src, Offset, None);
    Store32At "store_32_at" (Src, Offset, None);
    Store64At "store_64_at" (Src, Offset, None);
    // Address: register plus index times the size.
    LoadU8Idx "load_u8_idx" (Dst, Src, Src);
    LoadI8Idx "load_i8_idx" (Dst, Src, Src);
    LoadU16Idx "load_u16_idx" (Dst, Src, Src);
    LoadI16Idx "load_i16_idx" (Dst, Src, Src);
    LoadU32Idx "load_u32_idx" (Dst, Src, Src);
    LoadI32Idx "load_i32_idx" (Dst, Src, Src);
    Load64Idx "load_64_idx" (Dst, Src, Src);
    Store8Idx "store_8_idx" (Src, Src, Src);
    Store16Idx "store_16_idx" (Src, Src, Src);
    Store32Idx "store_32_idx" (Src, Src, Src);
    Store64Idx "store_64_idx" (Src, Src, Src);
    // Address: a constant plus index times the size.
    LoadU8AtIdx "load_u8_at_idx" (Dst, Offset, Src);
    LoadI8AtIdx "load_i8_at_idx" (Dst, Offset, Src);
    LoadU16AtIdx "load_u16_at_idx" (Dst, Offset, Src);
    LoadI16AtIdx "load_i16_at_idx" (Dst, Offset, Src);
    LoadU32AtIdx "load_u32_at_idx" (Dst, Offset, Src);
    LoadI32AtIdx "load_i32_at_idx" (Dst, Offset, Src);
    Load64AtIdx "load_64_at_idx" (Dst, Offset, Src);
    Store8AtIdx "store_8_at_idx" (Src, Offset, Src);
    Store16AtIdx "store_16_at_idx" (Src, Offset, Src);
    Store32AtIdx "store_32_at_idx" (Src, Offset, Src);
    Store64AtIdx "store_64_at_idx" (Src, Offset, Src);
    // Address: row `b` times the first constant of the `ext` word that follows, plus its second constant, plus index `c`
    // times the size. An element of an array of two dimensions.
    LoadU16Row "load_u16_row" (Dst, Src, Src);
    LoadI16Row "load_i16_row" (Dst, Src, Src);
    LoadU32Row "load_u32_row" (Dst, Src, Src);
    LoadI32Row "load_i32_row" (Dst, Src, Src);
    Store16Row "store_16_row" (Src, Src, Src);
    Store32Row "store_32_row" (Src, Src, Src);
    // Addresses: register or constant plus index times 1, 2, 4, 8 bytes, wrapped to 16 bits.
    Index1 "index_1" (Dst, Src, Src);
    Index2 "index_2" (Dst, Src, Src);
    Index4 "index_4" (Dst, Src, Src);
    Index8 "index_8" (Dst, Src, Src);
    Index1At "index_1_at" (Dst, Offset, Src);
    Index2At "index_2_at" (Dst, Offset, Src);
    Index4At "index_4_at" (Dst, Offset, Src);
    Index8At "index_8_at" (Dst, Offset, Src);
    /// Copies `c` bytes from address `b` to address `a`.
    MemCopy "mem_copy" (Src, Src, Uimm);
    /// Stores `b` at address `a`, `c` times, one behind the other.
    MemFill8 "mem_fill_8" (Src, Src, Uimm);
    MemFill16 "mem_fill_16" (Src, Src, Uimm);
    MemFill32 "mem_fill_32" (Src, Src, Uimm);
    MemFill64 "mem_fill_64" (Src, Src, Uimm);

    // Packed DSDs.
    /// From base in bytes, offset in 16-bit words, stride in elements, extent: four consecutive registers.
    /// `c`: 1 for `wavelet_index_offset`.
    MakeMem1d "make_mem1d" (Dst, Args, Uimm);
    SetDsdAddr "set_dsd_addr" (Dst, Src, Src);
    /// Adds a number of 16-bit words to the address.
    AddDsdWords "add_dsd_words" (Dst, Src, Src);
    SetDsdLength "set_dsd_length" (Dst, Src, Src);
    SetDsdStride "set_dsd_stride" (Dst, Src, Src);

    // Instructions that leave the interpreter: the engine carries them out and resumes after them.
    /// A vector operation; the bool goes to `b`.
    Vec "vec" (VecRow, OptDst, None);
    LoadDsr "load_dsr" (LoadRow, None, None);
    IterLoad "iter_load" (Iter, IterRow, None);
    /// Element into `a`; `c` becomes 0 at the end.
    IterNext "iter_next" (Dst, Iter, Dst);
    IterPut "iter_put" (Src, Iter, Dst);
    Sys "sys" (Sys, Args, OptDst);
    // The last row, so that existing images keep their numbers.
    /// Whether an iterator has an element left, into `a`.
    IterMore "iter_more" (Dst, Iter, None);

    // Several instructions at once: the first, with its fields, and those that follow it. The latter stay in their places
    // unchanged, so that control can jump to each of them, stop at it, and go on at it. The rows are the sequences that loops
    // of published programs hold. Of two with the same first instruction, the longer stands first.
    @fused {
        // A step of a sum of products.
        DotIdx "load_u32_idx+3" LoadU32Idx [LoadU32Idx | LoadU32AtIdx | LoadU32Row] [MulAccF32] [NextU16 | NextU16Imm];
        DotAtIdx "load_u32_at_idx+3" LoadU32AtIdx [LoadU32Idx | LoadU32AtIdx | LoadU32Row] [MulAccF32] [NextU16 | NextU16Imm];
        DotRow "load_u32_row+3" LoadU32Row [LoadU32Idx | LoadU32AtIdx | LoadU32Row] [MulAccF32] [NextU16 | NextU16Imm];
        // An element becomes another one.
        LoadMulAddStore "load_u32+3" LoadU32 [MulF32] [AddF32] [Store32];
        LoadAddStore "load_u32+2" LoadU32 [AddF32] [Store32];
        LoadAddStore16 "load_u16+2" LoadU16 [AddU16] [Store16];
        LoadStore32 "load_u32+1" LoadU32 [Store32 | Store32Idx | Store32AtIdx];
        // The end of a loop over an array.
        Store32IdxNext "store_32_idx+1" Store32Idx [NextU16 | NextU16Imm];
        Store32AtIdxNext "store_32_at_idx+1" Store32AtIdx [NextU16 | NextU16Imm];
        Store16AtIdxNext "store_16_at_idx+1" Store16AtIdx [NextU16 | NextU16Imm];
        // A descriptor goes on by a number of elements.
        MulAddDsdWords "mul_i16_imm+1" MulI16Imm [AddDsdWords];
    }
}

impl Op {
    /// The operation with the number.
    pub fn from_number(number: u16) -> Option<Op> {
        Op::ALL.get(usize::from(number)).copied()
    }

    /// Whether an `ext` word with the rest of the target follows.
    pub fn is_branch(self) -> bool {
        self.fields()[2] == Field::Target
    }

    /// Whether an `ext` word with the row size and base address follows.
    pub fn is_row_access(self) -> bool {
        let op = self.alone();
        let loads = matches!(op, Op::LoadU16Row | Op::LoadI16Row | Op::LoadU32Row | Op::LoadI32Row);
        loads || matches!(op, Op::Store16Row | Op::Store32Row)
    }

    /// Whether one `ext` word follows.
    pub fn has_ext(self) -> bool {
        self.is_branch() || self.is_row_access()
    }

    /// Whether control never continues after the instruction.
    pub fn is_end(self) -> bool {
        matches!(self, Op::Jump | Op::Ret | Op::RetVoid | Op::Table | Op::Unreachable)
    }
}
