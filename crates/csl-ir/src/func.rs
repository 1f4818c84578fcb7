//! Functions: registers, blocks, instructions.

use csl_diag::Span;
use csl_machine::{DsrFile, DsrLoad, SysOp, VecConfig, VecOp, index_types};

/// Operators of integers and, the first five, of floats. A shift count is unsigned, of any width.
pub use csl_num::IntOp as BinOp;
pub use csl_num::MathFn;

use crate::value::{DsdValue, FifoRef};

/// The type of a register's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// An integer, `bits` from 1 to 64. `bool` is `Int { signed: false, bits: 8 }` with the values 0 and 1; pointers,
    /// colors, ids, queues, directions and function pointers are unsigned with 16 bits.
    Int {
        signed: bool,
        bits: u8,
    },
    /// The program's 16-bit float.
    Half,
    F32,
    /// The packed word of a mem1d, circbuf, fabin or fabout DSD (64 bits in memory).
    Dsd,
}

impl Scalar {
    pub const BOOL: Scalar = Scalar::Int { signed: false, bits: 8 };
    pub const U16: Scalar = Scalar::Int { signed: false, bits: 16 };
    pub const I16: Scalar = Scalar::Int { signed: true, bits: 16 };
    pub const U32: Scalar = Scalar::Int { signed: false, bits: 32 };
    pub const PTR: Scalar = Scalar::U16;

    /// Size in memory in bytes: 1, 2, 4 or 8.
    pub fn bytes(self) -> u32 {
        match self {
            Scalar::Int { bits, .. } => u32::from(bits).div_ceil(8).next_power_of_two(),
            Scalar::Half => 2,
            Scalar::F32 => 4,
            Scalar::Dsd => 8,
        }
    }
}

index_types! {
    /// A register of a function.
    pub struct Reg;
    /// A block of a function.
    pub struct BlockId;
    /// A stack slot of a function: memory for an aggregate, or for a variable whose address is taken.
    pub struct SlotId;
    /// A global of the [`crate::Program`], by its index there.
    pub struct GlobalId;
    /// A function of the [`crate::Program`], by its index there.
    pub struct FuncId;
    /// A DSD iterator of one `@map`; numbered within the function.
    pub struct IterId;
    /// A constant that differs between tiles, by its number in the layout.
    pub struct TileConst;
    /// An inlined call, by its index in [`Func::inlined`].
    pub struct InlinedId;
}

/// An operand of an instruction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Opnd {
    Reg(Reg),
    /// A constant, in canonical bits.
    Imm(u64),
    /// The byte address of a global plus an offset in bytes.
    Global(GlobalId, i32),
    /// A function pointer.
    Func(FuncId),
    /// A constant that differs between tiles, one of [`crate::Program::tile_consts`].
    Tile(TileConst),
    /// The packed word of a constant DSD. Its base names a global by `PtrRoot::Global(GlobalRef(i))`, where `i` is the
    /// global's index in the program.
    Dsd(Box<DsdValue>),
}

/// The start of an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AddrBase {
    Global(GlobalId),
    Slot(SlotId),
    Reg(Reg),
    /// A fixed byte address (registers as memory).
    Absolute,
}

/// A byte address: `base + offset`, wrapping at 16 bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Addr {
    pub base: AddrBase,
    pub offset: i32,
}

/// Operations on one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnOp {
    Neg,
    /// Inverts all bits of the type.
    BitNot,
    /// Negates a bool.
    Not,
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CmpOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl CmpOp {
    /// Whether the comparison holds for two values in this order.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            CmpOp::Eq => order.is_eq(),
            CmpOp::Ne => order.is_ne(),
            CmpOp::Lt => order.is_lt(),
            CmpOp::Le => order.is_le(),
            CmpOp::Gt => order.is_gt(),
            CmpOp::Ge => order.is_ge(),
        }
    }
}

/// The function that a call goes to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Callee {
    Direct(FuncId),
    /// A call through a function pointer.
    Indirect(Opnd),
}

/// An instruction. `dst` registers have the type that the instruction gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Inst {
    /// A copy; both sides have the same scalar type.
    Copy {
        dst: Reg,
        src: Opnd,
    },
    Bin {
        op: BinOp,
        ty: Scalar,
        dst: Reg,
        a: Opnd,
        b: Opnd,
    },
    Un {
        op: UnOp,
        ty: Scalar,
        dst: Reg,
        a: Opnd,
    },
    /// A comparison; `dst` is a bool.
    Cmp {
        op: CmpOp,
        ty: Scalar,
        dst: Reg,
        a: Opnd,
        b: Opnd,
    },
    /// `@as`: integers wrap to the new width, floats round, float to integer truncates. A cast to `bool`
    /// (`Scalar::BOOL` with `to_bool`) compares with zero.
    Cast {
        from: Scalar,
        to: Scalar,
        to_bool: bool,
        dst: Reg,
        a: Opnd,
    },
    /// `dst` is `a` where `cond`, a bool, holds, else `b`.
    Select {
        ty: Scalar,
        dst: Reg,
        cond: Opnd,
        a: Opnd,
        b: Opnd,
    },
    Math {
        f: MathFn,
        ty: Scalar,
        dst: Reg,
        a: Opnd,
        b: Option<Opnd>,
    },
    Load {
        ty: Scalar,
        dst: Reg,
        addr: Addr,
        /// Whether the program reads none of the bits: a store behind it changes some, those of a field of a packed type, and
        /// keeps the others.
        keeps: bool,
    },
    Store {
        ty: Scalar,
        addr: Addr,
        src: Opnd,
    },
    /// A copy of memory; the regions do not overlap, or are the same.
    MemCopy {
        dst: Addr,
        src: Addr,
        bytes: u32,
    },
    /// Stores `src` `count` times at consecutive addresses.
    MemFill {
        ty: Scalar,
        dst: Addr,
        src: Opnd,
        count: u32,
    },
    /// `dst` = the address.
    Lea {
        dst: Reg,
        addr: Addr,
    },
    /// `dst = base + index * scale`, in bytes, wrapping at 16 bits.
    Index {
        dst: Reg,
        base: Opnd,
        index: Opnd,
        scale: u32,
        /// The number of values that the index may have, where the array has more than one dimension and this is known; else
        /// 0. Code does not depend on it: checked runs do.
        values: u16,
    },
    Call {
        dst: Option<Reg>,
        callee: Callee,
        args: Vec<Opnd>,
    },
    /// Makes a mem1d DSD from run-time parts: base in bytes, offset in elements of `elem_words`, stride in elements.
    MakeMem1d {
        dst: Reg,
        base: Opnd,
        offset: Opnd,
        elem_words: u16,
        stride: Opnd,
        extent: Opnd,
        index_offset: bool,
    },
    /// Makes a fabin or fabout DSD whose extent is known at run time only; the rest is constant in `desc`.
    MakeFabric {
        dst: Reg,
        desc: Box<DsdValue>,
        extent: Opnd,
    },
    /// Writes a mem4d descriptor into memory: `desc` with the parts replaced that are `Some` here.
    MakeMem4d {
        dst: Addr,
        desc: Box<DsdValue>,
        base: Option<Opnd>,
        offset: Option<Opnd>,
        extents: Vec<Option<Opnd>>,
    },
    /// A changed copy of a packed DSD.
    SetDsd {
        dst: Reg,
        dsd: Opnd,
        what: DsdChange,
        value: Opnd,
    },
    /// Changes a mem4d descriptor in memory, in place. `Length` is not among the allowed changes.
    SetMem4d {
        addr: Addr,
        what: DsdChange,
        value: Opnd,
    },
    Vec(Box<VecInst>),
    LoadDsr(Box<DsrLoad<VecOperand, Opnd>>),
    /// Reads one element of an iterator of `@map`: `ok` becomes false at its end.
    IterLoad {
        iter: IterId,
        dsd: VecOperand,
        elem_bits: u8,
    },
    /// Whether the iterator has an element left, without taking it.
    IterMore {
        iter: IterId,
        ok: Reg,
    },
    IterNext {
        iter: IterId,
        ty: Scalar,
        dst: Reg,
        ok: Reg,
    },
    IterPut {
        iter: IterId,
        ty: Scalar,
        src: Opnd,
        ok: Reg,
    },
    Sys {
        op: SysOp,
        dst: Option<Reg>,
        args: Vec<Opnd>,
    },
}

/// The part of a descriptor that an instruction changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DsdChange {
    /// The base address: `value` is a byte address; the offset is dropped.
    BaseAddr,
    /// The offset: `value` is a number of elements of this many words, added to the address.
    Offset {
        elem_words: u16,
    },
    Length,
    Stride,
    /// The ends of a fabric DSD: `value` has the color in its low byte and the queue in its high byte; 0xff for none.
    Ends,
}

/// An operand of a vector operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VecOperand {
    /// A packed mem1d, circbuf, fabin or fabout DSD.
    Dsd(Opnd),
    /// A mem4d descriptor in memory.
    Mem4d(Addr),
    /// A mem4d descriptor known at compile time, which takes no memory.
    Mem4dConst(Box<DsdValue>),
    Fifo(FifoRef),
    Dsr {
        file: DsrFile,
        id: u8,
    },
    /// A scalar source.
    Scalar(Opnd, Scalar),
    /// A pointer to a scalar destination.
    Ptr(Opnd),
}

/// A vector operation. The multiply-add's scalar factor is the last source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VecInst {
    pub op: VecOp,
    pub dest: VecOperand,
    pub srcs: Vec<VecOperand>,
    pub config: VecConfig<Opnd>,
    /// The bool that the builtin returns.
    pub result: Option<Reg>,
}

/// The end of a block.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    Jump(BlockId),
    /// A branch; `cond` is a bool.
    Branch {
        cond: Opnd,
        then: BlockId,
        otherwise: BlockId,
    },
    Switch {
        ty: Scalar,
        value: Opnd,
        cases: Vec<(u64, BlockId)>,
        default: BlockId,
    },
    Return(Option<Opnd>),
    /// Control does not reach this point: it follows an endless loop or a trap.
    Unreachable,
}

/// The origin of an instruction: its place in the source and, in an inlined body, the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    pub span: Span,
    pub inlined: Option<InlinedId>,
}

impl From<Span> for Site {
    fn from(span: Span) -> Site {
        Site { span, inlined: None }
    }
}

/// A call that was replaced by the callee's body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Inlined {
    /// The callee's name.
    pub func: String,
    /// The place of the call. A call within an inlined body comes after that one in the list.
    pub call: Site,
}

/// A basic block: instructions without branches, then a terminator.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    pub insts: Vec<Inst>,
    /// The sites, one an instruction.
    pub sites: Vec<Site>,
    pub term: Term,
    pub term_site: Site,
}

/// Memory of a function's frame.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StackSlot {
    /// Size in bytes.
    pub size: u32,
    pub align: u32,
    /// The variable's name, for listings.
    pub name: String,
}

/// A function: its registers, blocks and stack slots.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Func {
    /// For listings and stack traces: `module.function`.
    pub name: String,
    pub span: Span,
    /// The number of parameters, which are the first registers, in order.
    pub params: u32,
    pub ret: Option<Scalar>,
    pub regs: Vec<Scalar>,
    pub slots: Vec<StackSlot>,
    /// The number of `@map` iterators.
    pub iters: u32,
    /// The blocks; the first one is the entry.
    pub blocks: Vec<Block>,
    /// Registers that count the turns of a `for` and never pass the end of their type.
    pub counters: Vec<Reg>,
    /// Calls whose bodies are inlined in `blocks`.
    pub inlined: Vec<Inlined>,
    pub linksection: Option<String>,
}
