//! One PE program.

use csl_isa::Insn;
use csl_isa::vec::{IterDsd, RegOrImm, VecArg, VecDesc};
use csl_machine::{
    Color, ColorConfig, Dialect, DsrLoad, FifoConfig, FlushId, Priority, QueueDir, QueueId, RotatingTasks, Startup,
    TaskId, TaskKind,
};
use csl_num::FloatKind;
use serde::{Deserialize, Serialize};

use crate::symbols::{ExportedSymbol, Inlined, Line, Pointers, Symbol};

/// The program's 16-bit float format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HalfFormat {
    F16,
    Bf16,
    Cb16,
}

impl HalfFormat {
    /// The format as that of a number.
    #[inline]
    pub fn kind(self) -> FloatKind {
        match self {
            HalfFormat::F16 => FloatKind::F16,
            HalfFormat::Bf16 => FloatKind::Bf16,
            HalfFormat::Cb16 => FloatKind::Cb16,
        }
    }
}

/// A program that tiles share. Function numbers index `funcs`, addresses are bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeImage {
    /// The file, as the layout names it.
    pub name: String,
    /// The rules of the program's generation.
    pub dialect: Dialect,
    pub half: HalfFormat,
    pub code: Vec<Insn>,
    pub funcs: Vec<Function>,
    /// Initial memory, by address, without overlap; bytes outside all sections are zero.
    pub sections: Vec<Section>,
    /// The end, excluded, of the data, as a byte address.
    pub data_end: u16,
    /// The bytes that stack slots may use.
    pub stack: Region,
    pub vecs: Vec<VecDesc>,
    pub dsr_loads: Vec<DsrLoad<VecArg, RegOrImm>>,
    pub iters: Vec<IterDsd>,
    pub pool: Vec<u64>,
    /// The number of constants that differ between tiles ([`crate::Image::patches`] has their values).
    pub tile_consts: u16,
    /// mem4d descriptors that operations name by their row, in words as in memory.
    pub descriptors: Vec<[u16; 10]>,
    pub tasks: Vec<Task>,
    /// Actions before the first cycle, in source order.
    pub startup: Vec<Startup>,
    pub queues: Vec<Queue>,
    /// The colors that the program takes and sends; `None` where some of them are known at run time only.
    pub ends: Option<ColorEnds>,
    pub fifos: Vec<Fifo>,
    /// DSR loads before the first cycle; their operands are constants.
    pub dsr_inits: Vec<DsrLoad<VecArg, RegOrImm>>,
    /// Colors that the program configures at its own tile.
    pub colors: Vec<(Color, ColorConfig)>,
    /// Writes to configuration registers before the first cycle: word address, value.
    pub configs: Vec<(u16, u16)>,
    pub exports: Vec<ExportedSymbol>,
    pub rpc: Option<Rpc>,
    /// Handlers of torn-down colors: color and function.
    pub teardown_handlers: Vec<(Color, u16)>,
    /// Handlers of empty queues: queue and function (WSE-3).
    pub empty_queue_handlers: Vec<(FlushId, u16)>,
    pub rotating: Vec<RotatingTasks<u16>>,
    /// Whether control tasks have a table of their own (WSE-3).
    pub separate_control_table: bool,
    pub main_thread_priority: Option<Priority>,
    /// Texts of traps and prints.
    pub strings: Vec<String>,
    /// Objects by address.
    pub symbols: Vec<Symbol>,
    pub pointers: Pointers,
    /// The line table, by `pc`.
    pub lines: Vec<Line>,
    /// Calls whose bodies were inlined into the caller's code.
    pub inlined: Vec<Inlined>,
}

/// A function: instructions `entry..end` of the program's code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// The name: `module.function`.
    pub name: String,
    pub entry: u32,
    pub end: u32,
    /// The number of registers that the code names, those of calls' arguments and results included.
    pub frame: u16,
    /// The number of parameters, which are the first registers.
    pub params: u16,
    pub has_result: bool,
    /// Size of the stack slots in bytes.
    pub stack: u16,
    /// The number of `@map` iterators.
    pub iters: u16,
}

/// Bytes that are in memory at the start, from a byte address on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub addr: u16,
    pub bytes: Vec<u8>,
}

/// Addresses from `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    pub start: u16,
    pub end: u16,
}

/// A task bound to an id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub kind: TaskKind,
    /// The id. Local: 0 to 30. Data: the color on WSE-2, the input queue on WSE-3. Control: 0 to 63.
    pub id: TaskId,
    pub func: u16,
    pub params: Vec<TaskParam>,
}

/// A parameter of a task: the bits that it takes of a wavelet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskParam {
    /// The width in bits, 1 to 32.
    pub bits: u8,
    /// Whether the value is sign-extended.
    pub signed: bool,
}

/// The colors whose wavelets a program takes, and those on which it sends, each in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColorEnds {
    pub received: Vec<Color>,
    pub sent: Vec<Color>,
}

/// The binding of a queue at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    pub dir: QueueDir,
    pub id: QueueId,
    pub color: Option<Color>,
    pub priority: Option<Priority>,
    /// The number added to the entry point of control wavelets that come by this queue (WSE-3).
    pub control_base: u8,
    pub dense_mode: bool,
}

/// A FIFO of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fifo {
    /// The byte address of the buffer.
    pub addr: u16,
    /// Capacity in 16-bit words.
    pub words: u16,
    pub config: FifoConfig,
}

/// The RPC server: it listens to a color (WSE-2) or an input queue (WSE-3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rpc {
    pub task_id: TaskId,
    pub functions: Vec<RpcFunction>,
}

/// A function that wavelets can call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcFunction {
    /// The id of the export.
    pub id: u16,
    pub func: u16,
    pub params: Vec<TaskParam>,
}

impl PeImage {
    /// The source place of an instruction.
    pub fn line_of(&self, pc: u32) -> Option<Line> {
        let after = self.lines.partition_point(|line| line.pc <= pc);
        after.checked_sub(1).map(|at| self.lines[at])
    }

    /// The source places of an instruction, innermost first: its own place and function, then the inlined calls around
    /// it.
    pub fn origins(&self, pc: u32) -> Vec<(&str, Line)> {
        let outermost = self.func_of(pc).map_or("", |func| &func.name);
        let mut found = Vec::new();
        let mut next = self.line_of(pc);
        while let Some(line) = next {
            let call = line.call.and_then(|call| self.inlined.get(call as usize));
            found.push((call.map_or(outermost, |call| &call.func), line));
            next = call.map(|call| call.at);
        }
        found
    }

    /// The function that an instruction belongs to.
    pub fn func_of(&self, pc: u32) -> Option<&Function> {
        self.funcs.iter().find(|f| (f.entry..f.end).contains(&pc))
    }
}
