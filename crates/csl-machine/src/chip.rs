//! The facts about a generation, as plain tables. The values stand in `wse2.rs`, `wse3.rs` and, where both agree, in
//! `shared.rs`; each with its source:
//!
//! - *documented*: the vendor's language guide or SDK pages say so.
//! - *silicon* (S): measured on a machine. *vendor simulator log* (M): read from a published log or table.
//!   *vendor simulator, reported* (m): a figure published without the log. *derived* (X): follows from S or M.
//!   *in-sample*: chosen from figures that `tests/timing/recorded.tsv` has, which therefore do not confirm it.
//! - *inferred*: no page says it, but a published program depends on it.
//! - *chosen*: not public; our choice, kept in this one place.

use crate::Arch;
use crate::color::Color;
use crate::ids::{QueueId, TaskId};

/// One generation of the machine.
#[derive(Debug)]
pub struct Chip {
    pub arch: Arch,
    pub memory: MemoryTable,
    pub fabric: Fabric,
    pub queues: Queues,
    pub tasks: TaskTable,
    pub registers: DataRegisters,
    pub config: ConfigSpace,
    pub memcpy: MemcpyTable,
    pub timing: Timing,
    pub scalar: ScalarCosts,
}

/// The memory of a PE. Addresses are in bytes.
#[derive(Debug)]
pub struct MemoryTable {
    pub bytes: u32,
    /// The number of banks, interleaved by 16-bit word: bits 3:1 of a byte address give the bank.
    pub banks: u32,
    /// Bits that can be read in a cycle in all; several memory sources share them.
    pub read_bits_per_cycle: u32,
}

/// Colors and routers.
#[derive(Debug)]
pub struct Fabric {
    /// The number of routable colors, which are 0 up to it, excluded.
    pub colors: u8,
    /// The colors with switches, one bit a color.
    pub switchable_colors: u32,
    /// The number of positions of a switch, the original one included.
    pub switch_positions: u8,
    /// Whether a position may name several tx directions, and both a tx and an rx side.
    pub wide_switch_positions: bool,
}

/// Queues between the router and the compute element. Capacities are in 32-bit wavelets.
#[derive(Debug)]
pub struct Queues {
    /// Capacity of each input queue.
    pub input_depth: &'static [u8],
    /// Capacity of each output queue.
    pub output_depth: &'static [u8],
    /// Capacity of the path that a synchronous `fabout_dsd` without a queue takes.
    pub unnamed_output_depth: u8,
    /// Capacity at the ramp of a color that no input queue is bound to; `None` where its wavelets stay in the router.
    pub unbound_color_depth: Option<u8>,
    pub microthreads: u8,
    /// The greatest number of fabric inputs of one DSD operation.
    pub fabric_inputs_per_op: u8,
}

/// Task ids.
#[derive(Debug)]
pub struct TaskTable {
    pub first_local: u8,
    pub last_local: u8,
    /// The greatest data task id: a color on WSE-2, an input queue on WSE-3.
    pub last_data: u8,
    pub last_control: u8,
    /// The local task that runs teardown and empty-queue handlers.
    pub teardown: TaskId,
    /// The control entrypoint that means "none".
    pub no_entrypoint: TaskId,
}

/// Registers that hold DSDs, and the other register files of a PE.
#[derive(Debug)]
pub struct DataRegisters {
    /// DSRs in each of the files dest, src0 and src1.
    pub dsrs: u8,
    pub xdsrs: u8,
    pub srs: u8,
    pub prng_seed: u32,
}

/// Memory-mapped registers. Addresses count 16-bit words, as `@get_config` does; the byte address is twice that.
#[derive(Debug)]
pub struct ConfigSpace {
    /// Word address of color 0's route register; color c stands c words further.
    pub color_routes: u16,
    /// Word address of color 0's switch register.
    pub color_switches: u16,
}

/// The resources that memcpy uses itself, and its rates.
#[derive(Debug)]
pub struct MemcpyTable {
    pub colors: &'static [u8],
    pub local_tasks: &'static [u8],
    pub control_tasks: &'static [u8],
    /// The task that launched functions run in: that of the command color (WSE-2) or input queue (WSE-3).
    pub command_task: TaskId,
    pub input_queues: &'static [u8],
    pub output_queues: &'static [u8],
    pub dest_dsr: u8,
    pub src1_dsr: u8,
    /// The greatest number of I/O channels of memcpy.
    pub max_channels: u8,
    /// Columns and rows that memcpy's own PEs need around the program's rectangle.
    pub margins: Margins,
    /// The greatest number of arguments of a function that the host can call.
    pub max_rpc_params: u8,
    /// Cycles from one command to the next.
    pub command_period: u32,
    /// Cycles of memcpy's command task after the function that it has called.
    pub behind_a_call: u32,
    /// Cycles from the answer to a blocking call to the host's next command, a launch or a copy.
    pub launch_latency: u32,
    pub copy_latency: u32,
    /// Hundredths of a cycle a word of a copy to the device, in a row of 128 words.
    pub h2d_centicycles_per_word: u32,
    /// Cycles a word of a copy to the host.
    pub d2h_copy_cycles_per_word: u32,
    pub d2h_stream_cycles_per_word: u32,
    /// Words of a stream to one PE that its router and those before it hold when the PE takes none. The stream has
    /// ended for the host when its last word is among them.
    pub words_on_the_way: u32,
    /// Words that one PE of `--width-west-buf` holds in the same way; each row has a line of such PEs.
    pub buffer_words: u32,
}

/// PEs around the program's rectangle, without the optional west and east buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    pub west: u16,
    pub east: u16,
    pub north: u16,
    pub south: u16,
}

/// Cycles of fabric and vector operations.
#[derive(Debug)]
pub struct Timing {
    /// From the landing of a wavelet on a PE to its landing on the neighbour.
    pub hop: u32,
    /// From the dispatch of a send to its landing from RAMP.
    pub dispatch_to_ramp: u32,
    /// From the dispatch of an element to its execution.
    pub dispatch_to_execute: u32,
    /// From the last dispatch of an operation to the task that its completion activates.
    pub completion_to_task: u32,
    /// Wavelets (no cycles) that a router holds for one color and input while it is blocked.
    pub router_buffer: u32,
    /// The load of a DSR; once more before the operation that follows.
    pub dsr_load: u32,
    pub before_operation: u32,
    /// A scalar operand of a DSD operation.
    pub scalar_operand: u32,
    /// Added once to an operation with two memory sources at four lanes.
    pub two_sources_at_four_lanes: u32,
    /// Between two timestamp reads without code between.
    pub timestamp_pair: u32,
    /// Bits (no cycles) that the datapath processes in a cycle, in any number of lanes.
    pub lane_bits: u32,
    /// The start of an asynchronous operation, in the thread that starts it.
    pub async_issue: u32,
    /// From the last instruction of a task to the first of the next.
    pub task_switch: u32,
    /// From the last issue of a synchronous operation to the first of the next; below, if that reads the result of the
    /// first.
    pub between_operations: u32,
    pub between_dependent_operations: u32,
    /// Whether scalar code keeps the issue slot from microthreads of low priority except at branches.
    pub scalar_code_holds_slot: bool,
    /// Cycles for which a wavelet from a PE's own ramp takes a place in its input queue, whether it has been taken or
    /// not.
    pub loopback_hold: u32,
}

/// Cycles of scalar instructions.
#[derive(Debug)]
pub struct ScalarCosts {
    /// Moves, integer and float arithmetic, one issue.
    pub alu: u32,
    pub load: u32,
    pub store: u32,
    /// Added for the store of a value that a float operation of the same block has made.
    pub float_to_store: u32,
    /// A write to a configuration register.
    pub config_write: u32,
    /// From a float result to a dependent float operation.
    pub float_latency: u32,
    pub multiply_i16: u32,
    pub multiply_i32: u32,
    /// Added for 32-bit integer additions and the like, which take a word at a time.
    pub alu_i32: u32,
    pub divide_int: u32,
    pub divide_f32: u32,
    pub divide_f16: u32,
    pub branch_not_taken: u32,
    pub branch_taken: u32,
    /// The backward branch of a loop.
    pub loop_back_edge: u32,
    /// The backward branch of `@map`'s loop.
    pub map_back_edge: u32,
    /// Cycles until an operation can use a descriptor that the compiler knows.
    pub known_descriptor: u32,
    /// Cycles until an operation can use a descriptor that the program makes or changes.
    pub change_descriptor: u32,
    /// Added for an index that is computed: stepping a pointer does not reach the element.
    pub computed_index: u32,
    /// Added for a float operation on the product of the one before.
    pub product_latency: u32,
    pub call: u32,
    pub ret: u32,
}

/// Constants of the compiler and its library, not of the machine: the cost of a program's own code around an operation.
#[derive(Debug)]
pub struct Toolchain {
    /// Bytes of a PE's memory that memcpy's code and data take.
    pub memcpy_bytes: u32,
    /// Cycles of the library's functions beside those of their instructions.
    pub sqrt: u32,
    pub transcendental: u32,
    /// Cycles of `<simprint>`: a text, a value, the end of a line.
    pub print_text: u32,
    pub print_value: u32,
    pub print_line: u32,
}

/// Constants of the compiler and its library; the same for both generations.
pub const TOOLCHAIN: Toolchain = Toolchain {
    memcpy_bytes: 4100, // compiled programs, WSE-3, reported (m)
    sqrt: 50,           // chosen: as the documented f32 division
    transcendental: 83, // derived (X): exp_f32 takes 81 to 85 in all
    // public logs (M), in-sample: 29 a line with a text, 76 to 123 with coordinates
    print_text: 7,
    print_value: 20,
    print_line: 22,
};

impl Chip {
    /// Whether `color` can be routed.
    pub fn is_routable_color(&self, color: u32) -> bool {
        color < u32::from(self.fabric.colors)
    }

    /// The color of a number that can be routed.
    pub fn routable_color(&self, number: u32) -> Option<Color> {
        Some(Color::of_bits(number)).filter(|_| self.is_routable_color(number))
    }

    /// Whether `color` has switches.
    pub fn is_switchable_color(&self, color: u32) -> bool {
        self.is_routable_color(color) && self.fabric.switchable_colors >> color & 1 == 1
    }

    pub fn valid_local_task_id(&self, id: u32) -> bool {
        (u32::from(self.tasks.first_local)..=u32::from(self.tasks.last_local)).contains(&id)
    }

    /// Whether the id is a data task's: a color on WSE-2, an input queue on WSE-3.
    pub fn valid_data_task_id(&self, id: u32) -> bool {
        id <= u32::from(self.tasks.last_data)
    }

    pub fn valid_control_task_id(&self, id: u32) -> bool {
        id <= u32::from(self.tasks.last_control)
    }

    pub fn valid_input_queue(&self, id: u32) -> bool {
        (id as usize) < self.queues.input_depth.len()
    }

    pub fn valid_output_queue(&self, id: u32) -> bool {
        (id as usize) < self.queues.output_depth.len()
    }

    pub fn valid_microthread(&self, id: u32) -> bool {
        id < u32::from(self.queues.microthreads)
    }

    /// Capacity in wavelets of an input queue; `None` where the chip has no such queue.
    pub fn input_queue_depth(&self, queue: QueueId) -> Option<u8> {
        self.queues.input_depth.get(queue.index()).copied()
    }

    /// Capacity in wavelets of an output queue; `None` where the chip has no such queue.
    pub fn output_queue_depth(&self, queue: QueueId) -> Option<u8> {
        self.queues.output_depth.get(queue.index()).copied()
    }

    /// The bank of a byte address.
    pub fn bank(&self, address: u16) -> u16 {
        (address >> 1) % self.memory.banks as u16
    }
}
