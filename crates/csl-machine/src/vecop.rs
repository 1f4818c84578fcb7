//! The vector (DSD) operations of the hardware: one row an operation.

/// The type of an operand's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Elem {
    /// 16-bit integer, signed or not.
    I16,
    /// 32-bit integer, signed or not.
    I32,
    /// The program's 16-bit float (`@fp16()`).
    Half,
    F32,
}

impl Elem {
    /// Size in 16-bit words.
    pub fn words(self) -> u16 {
        match self {
            Elem::I16 | Elem::Half => 1,
            Elem::I32 | Elem::F32 => 2,
        }
    }
}

/// The operand kinds that an operation's forms allow, beyond DSDs everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Forms {
    /// `(dsd, src)` where src is a DSD or scalar.
    Unary,
    /// [`Forms::Unary`] or `(pointer, scalar)`: conversions to integers, moves also `(pointer, dsd)`.
    UnaryPtr,
    /// `(dsd, a, b)`, at least one of a and b a DSD.
    Binary,
    /// [`Forms::Binary`], or `(pointer, scalar, dsd)`.
    BinaryPtr,
    /// `(dsd, a, b, scalar)`: multiply-add.
    Fma,
    /// `(pointer, scalar)` only.
    ScalarUnary,
    /// `(pointer, scalar, i16)` only.
    ScalarBinary,
}

macro_rules! vec_ops {
    ($($variant:ident $name:literal $forms:ident ($dest:ident; $($src:ident),*) $w2:literal $w3:literal;)*) => {
        /// A vector operation; named after its builtin.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum VecOp { $($variant,)* }

        impl VecOp {
            pub const ALL: &[VecOp] = &[$(VecOp::$variant,)*];

            /// The index in [`VecOp::ALL`], as images hold it.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The builtin's name, without `@`.
            pub fn name(self) -> &'static str {
                match self { $(VecOp::$variant => $name,)* }
            }

            pub fn forms(self) -> Forms {
                match self { $(VecOp::$variant => Forms::$forms,)* }
            }

            pub fn dest(self) -> Elem {
                match self { $(VecOp::$variant => Elem::$dest,)* }
            }

            /// Element types of the sources, the multiply-add's scalar factor included.
            pub fn sources(self) -> &'static [Elem] {
                match self { $(VecOp::$variant => &[$(Elem::$src),*],)* }
            }

            /// The greatest number of elements a cycle, by the vendor guide's SIMD table; 1 where it lists none.
            pub fn simd_width(self, arch: crate::Arch) -> u16 {
                match (self, arch) {
                    $((VecOp::$variant, crate::Arch::Wse2) => $w2, (VecOp::$variant, crate::Arch::Wse3) => $w3,)*
                }
            }
        }
    };
}

vec_ops! {
    Add16   "add16"   Binary    (I16; I16, I16) 4 8;
    Addc16  "addc16"  Binary    (I16; I16, I16) 1 8;
    And16   "and16"   Binary    (I16; I16, I16) 4 8;
    Clz     "clz"     Unary     (I16; I16) 1 1;
    Ctz     "ctz"     Unary     (I16; I16) 1 1;
    Fabsh   "fabsh"   Unary     (Half; Half) 4 8;
    Fabss   "fabss"   Unary     (F32; F32) 2 4;
    Faddh   "faddh"   BinaryPtr (Half; Half, Half) 4 8;
    Faddhs  "faddhs"  BinaryPtr (F32; Half, F32) 2 4;
    Fadds   "fadds"   BinaryPtr (F32; F32, F32) 2 4;
    Fh2s    "fh2s"    Unary     (F32; Half) 1 4;
    Fh2xp16 "fh2xp16" UnaryPtr  (I16; Half) 1 8;
    Fmach   "fmach"   Fma       (Half; Half, Half, Half) 4 8;
    Fmachs  "fmachs"  Fma       (F32; F32, Half, Half) 2 4;
    Fmacs   "fmacs"   Fma       (F32; F32, F32, F32) 1 1;
    Fmaxh   "fmaxh"   BinaryPtr (Half; Half, Half) 1 8;
    Fmaxs   "fmaxs"   BinaryPtr (F32; F32, F32) 1 4;
    Fmovh   "fmovh"   UnaryPtr  (Half; Half) 4 8;
    Fmovs   "fmovs"   UnaryPtr  (F32; F32) 2 4;
    Fmulh   "fmulh"   BinaryPtr (Half; Half, Half) 4 8;
    Fmuls   "fmuls"   BinaryPtr (F32; F32, F32) 1 1;
    Fnegh   "fnegh"   Unary     (Half; Half) 4 8;
    Fnegs   "fnegs"   Unary     (F32; F32) 2 4;
    Fnormh  "fnormh"  ScalarUnary (Half; Half) 4 8;
    Fnorms  "fnorms"  ScalarUnary (F32; F32) 2 4;
    Fs2h    "fs2h"    Unary     (Half; F32) 1 4;
    Fs2xp16 "fs2xp16" UnaryPtr  (I16; F32) 1 4;
    Fscaleh "fscaleh" ScalarBinary (Half; Half, I16) 4 8;
    Fscales "fscales" ScalarBinary (F32; F32, I16) 2 4;
    Fsubh   "fsubh"   BinaryPtr (Half; Half, Half) 4 8;
    Fsubs   "fsubs"   BinaryPtr (F32; F32, F32) 2 4;
    Mov16   "mov16"   UnaryPtr  (I16; I16) 4 8;
    Mov32   "mov32"   UnaryPtr  (I32; I32) 2 4;
    Or16    "or16"    Binary    (I16; I16, I16) 4 8;
    Popcnt  "popcnt"  Unary     (I16; I16) 1 1;
    Sar16   "sar16"   Binary    (I16; I16, I16) 1 4;
    Sll16   "sll16"   Binary    (I16; I16, I16) 1 4;
    Slr16   "slr16"   Binary    (I16; I16, I16) 1 4;
    Sub16   "sub16"   Binary    (I16; I16, I16) 4 8;
    Xor16   "xor16"   Binary    (I16; I16, I16) 4 8;
    Xp162fh "xp162fh" Unary     (Half; I16) 1 8;
    Xp162fs "xp162fs" Unary     (F32; I16) 1 4;
    // `@dfilt(fabin, config)` moves nothing: it drops data wavelets until `extent` control wavelets came.
    Dfilt   "dfilt"   Unary     (I32; I32) 1 1;
}

impl VecOp {
    /// The operation of the builtin `@name`.
    pub fn from_name(name: &str) -> Option<VecOp> {
        VecOp::ALL.iter().copied().find(|op| op.name() == name)
    }
}
