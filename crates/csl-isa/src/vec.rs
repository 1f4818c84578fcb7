//! Vector operations: one instruction names a row of the image's table of these.

use csl_machine::{DsrFile, VecConfig};
use serde::{Deserialize, Serialize};

/// A register of the running frame.
pub type RegNo = u16;

/// The source of an operand of a vector operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VecArg {
    /// A register with a packed DSD.
    Dsd(RegNo),
    /// A constant packed DSD.
    DsdConst(u64),
    /// A register with the byte address of a mem4d descriptor.
    Mem4d(RegNo),
    /// The mem4d descriptor at a fixed byte address.
    Mem4dAt(u16),
    /// A constant mem4d descriptor: a row of the program's table of these.
    Mem4dConst(u16),
    Fifo(u8),
    Dsr {
        file: DsrFile,
        id: u8,
    },
    /// A register with a scalar; its format is the operation's, or for `bits` 32 of a mixed operation the wide one.
    Scalar {
        reg: RegNo,
        bits: u8,
    },
    ScalarConst {
        value: u32,
        bits: u8,
    },
    /// A register with the byte address of a scalar destination.
    Ptr(RegNo),
    PtrAt(u16),
}

/// A register, or a constant number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegOrImm {
    Reg(RegNo),
    Imm(u16),
}

/// A vector operation, ready to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VecDesc {
    /// [`csl_machine::VecOp`] by its number.
    pub op: u8,
    pub dest: VecArg,
    /// The sources, at most three: the multiply-add's scalar factor is the last.
    pub srcs: Vec<VecArg>,
    pub config: VecConfig<RegOrImm>,
}

/// The operand that an iterator of `@map` runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IterDsd {
    pub dsd: VecArg,
    /// The width of an element in bits: 16 or 32.
    pub elem_bits: u8,
}
