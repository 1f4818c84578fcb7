//! One PE program.

use std::sync::Arc;

use csl_diag::Span;
use csl_machine::{
    Arch, Color, ColorConfig, Dialect, DsrLoad, FifoConfig, FlushId, Priority, QueueDir, QueueId, RotatingTasks, Sdk,
    Startup, TaskId, TaskKind,
};
use csl_num::{FloatKind, IntTy};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::func::{Func, FuncId, GlobalId, Opnd, TileConst, VecOperand};
use crate::types::{Ty, Types};

/// A value inside a global that depends on addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloc {
    /// Byte offset of the 16-bit word in the global.
    pub at: u32,
    pub target: RelocTarget,
}

/// The address or descriptor that a relocation puts into memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelocTarget {
    /// The address of a global plus an offset in bytes.
    Global(GlobalId, i32),
    Func(FuncId),
    /// A whole descriptor: the packed word (8 bytes), or a mem4d descriptor (20 bytes), as for `Opnd::Dsd`.
    Dsd(Box<crate::value::DsdValue>),
}

impl RelocTarget {
    /// The bytes that it takes in memory.
    pub fn bytes(&self) -> u32 {
        match self {
            RelocTarget::Global(..) | RelocTarget::Func(_) => 2,
            RelocTarget::Dsd(desc) => crate::size::descriptor_bytes(desc.kind),
        }
    }
}

/// An integer inside a global that differs between tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaryingInt {
    /// Byte offset in the global, and size in bytes.
    pub at: u32,
    pub bytes: u8,
    /// Its values: one of [`Program::tile_consts`].
    pub tile_const: TileConst,
}

/// A variable with an address that lives as long as the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// Symbol name: `x`, `module.x`, or the linkname.
    pub name: String,
    pub ty: Ty,
    /// Size in bytes.
    pub size: u32,
    pub align: u32,
    pub is_const: bool,
    /// The initial bytes; the rest up to `size` is zero. An uninitialised global has none.
    pub init: Vec<u8>,
    pub relocs: Vec<Reloc>,
    /// The integers in it that differ between tiles.
    pub varying: Vec<VaryingInt>,
    pub linksection: Option<String>,
    pub span: Span,
    /// Whether the compiler made the global, such as a FIFO's buffer; such globals are left out of symbol lists.
    pub is_hidden: bool,
    /// Whether the source gives it no initial value. (An array of zeros has no bytes in `init` either.)
    pub is_undefined: bool,
    /// Whether the source declares it `export` or `extern`: code and tools outside the program know its name.
    pub is_linked: bool,
}

/// A task bound to an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskBind {
    pub kind: TaskKind,
    /// The id. Local: 0 to 30. Data: the color on WSE-2, the input queue on WSE-3. Control: 0 to 63.
    pub id: TaskId,
    pub func: FuncId,
    /// Width in bits of each parameter.
    pub params: Vec<u8>,
    pub span: Span,
}

/// `@initialize_queue`, or a binding that a fabric DSD of an older program implies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueInit {
    pub dir: QueueDir,
    pub id: QueueId,
    pub color: Option<Color>,
    pub priority: Option<Priority>,
    pub ctrl_table_id: u8,
    pub dense_mode: bool,
    pub span: Span,
}

/// The colors whose wavelets queues, DSDs and data tasks of a program take, and those on which it sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColorEnds {
    pub received: Vec<Color>,
    pub sent: Vec<Color>,
    /// The queues that fabric DSDs name, each time; none where a DSD has a queue of a color's, or of a run-time value.
    pub queues: Vec<(QueueDir, Option<QueueId>)>,
    /// Whether there may be others: a color that is known at run time only, a queue that changes its color, control
    /// wavelets, which need no queue.
    pub may_have_others: bool,
}

impl ColorEnds {
    /// Whether the program neither takes nor sends anything.
    pub fn names_no_color(&self) -> bool {
        self.received.is_empty() && self.sent.is_empty() && !self.may_have_others
    }
}

/// `@allocate_fifo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FifoInit {
    pub buffer: GlobalId,
    /// Capacity in 16-bit words.
    pub words: u32,
    pub config: FifoConfig<Opnd>,
    pub span: Span,
}

/// `@export_symbol`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedSymbol {
    pub name: String,
    /// The id of the name in the layout's table.
    pub id: u16,
    pub what: Exported,
    pub span: Span,
}

/// The thing that an exported name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    Global(GlobalId),
    Func(FuncId),
}

/// `@set_control_task_table` (WSE-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlTable {
    /// The number of entries between the starts of the local tables of consecutive input queues.
    pub stride: u8,
}

impl Default for ControlTable {
    /// The stride without a `@set_control_task_table`.
    fn default() -> ControlTable {
        ControlTable { stride: 1 }
    }
}

impl ControlTable {
    /// The id of the control task that a control wavelet with id 0 starts, if it comes by a queue with that
    /// `.ctrl_table_id`: local tables are windows of the one table that `@bind_control_task` fills.
    pub fn first_entry(self, ctrl_table_id: u8) -> u8 {
        self.stride * ctrl_table_id
    }
}

/// The RPC server of `@rpc`, or that of memcpy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcBind {
    /// The color (WSE-2) or input queue (WSE-3) that it listens to.
    pub task_id: TaskId,
    pub span: Span,
}

/// The result of semantic analysis for one kind of PE.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file, as the layout names it.
    pub name: String,
    pub arch: Arch,
    /// The release of the vendor's SDK that the program was written for; its rules follow.
    pub release: Sdk,
    pub dialect: Dialect,
    /// The 16-bit float type of run-time code.
    pub fp16: FloatKind,
    pub types: Arc<Types>,
    pub globals: Vec<Global>,
    /// Programs share those that are equal.
    pub funcs: Vec<Arc<Func>>,
    pub tasks: Vec<TaskBind>,
    /// Actions before the first cycle, in source order.
    pub startup: Vec<Startup<Opnd>>,
    pub queues: Vec<QueueInit>,
    /// The ends of the program's colors.
    pub ends: ColorEnds,
    /// Colors whose filters the program names, with the places.
    pub filters: Vec<(Color, Span)>,
    pub fifos: Vec<FifoInit>,
    pub dsr_loads: Vec<(DsrLoad<VecOperand, Opnd>, Span)>,
    pub colors: Vec<(Color, ColorConfig, Span)>,
    /// Writes of `@set_config` before the start: word address, value.
    pub configs: Vec<(u16, u16)>,
    pub exports: Vec<ExportedSymbol>,
    pub rpc: Option<RpcBind>,
    pub teardown_handlers: Vec<(Color, FuncId)>,
    /// The handlers by queue (WSE-3).
    pub empty_queue_handlers: Vec<(FlushId, FuncId)>,
    pub rotating: Vec<RotatingTasks<FuncId>>,
    /// The table of control tasks, if they have one of their own (WSE-3).
    pub control_table: Option<ControlTable>,
    /// Priority of the main thread against microthreads, where the program sets it.
    pub main_thread_priority: Option<Priority>,
    /// Texts that `SysOp::PrintValue` names by index.
    pub strings: Vec<String>,
    /// The constants that differ between tiles, with their types; the values are in [`crate::Wafer::tile_consts`], in
    /// this order. They are numbered in the layout, so that programs which use different ones have equal functions.
    pub tile_consts: IndexMap<TileConst, IntTy, FxBuildHasher>,
}

impl Program {
    /// The alignment in bytes of the stack, and of each function's part of it: the greatest that any variable there asks
    /// for.
    pub fn stack_align(&self) -> u32 {
        let slots = self.funcs.iter().flat_map(|func| &func.slots);
        slots.map(|slot| slot.align).fold(4, u32::max)
    }

    /// A program without code and data, by the rules of the current release.
    pub fn empty(name: &str, arch: Arch) -> Program {
        Program {
            name: name.to_owned(),
            arch,
            release: Sdk::CURRENT,
            dialect: Dialect::CURRENT,
            fp16: FloatKind::F16,
            types: Arc::new(Types::new()),
            globals: Vec::new(),
            funcs: Vec::new(),
            tasks: Vec::new(),
            startup: Vec::new(),
            queues: Vec::new(),
            ends: ColorEnds::default(),
            filters: Vec::new(),
            fifos: Vec::new(),
            dsr_loads: Vec::new(),
            colors: Vec::new(),
            configs: Vec::new(),
            exports: Vec::new(),
            rpc: None,
            teardown_handlers: Vec::new(),
            empty_queue_handlers: Vec::new(),
            rotating: Vec::new(),
            control_table: None,
            main_thread_priority: None,
            strings: Vec::new(),
            tile_consts: IndexMap::default(),
        }
    }

    /// Whether hosts of the program's time write variables that nothing exports, before the run: `CSELFRunner` of SDK 0.4 to
    /// 0.8, by `set_symbol`.
    pub fn is_written_by_hosts(&self) -> bool {
        self.release <= Sdk::LAST_WITH_TASK_COLORS
    }
}
