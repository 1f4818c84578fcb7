//! Bit layout of a router's registers, as published programs read and write it (inferred, WSE-2; taken for WSE-3 too).

use crate::chip::Chip;

/// Route register: five output bits from bit 0, five input bits from bit 5, in the order of [`DIRECTION_BITS`].
pub const ROUTE_OUTPUT_SHIFT: u32 = 0;
pub const ROUTE_INPUT_SHIFT: u32 = 5;
/// The bits of color swap in x and, one higher, in y.
pub const ROUTE_SWAP_X_BIT: u32 = 10;
pub const ROUTE_SWAP_Y_BIT: u32 = 11;
/// The two bits of the pop mode: 0 no pop, 1 always pop, 2 pop on advance, 3 pop on advance or no-op (the codes:
/// chosen).
pub const ROUTE_POP_MODE_SHIFT: u32 = 12;
pub const ROUTE_TEARDOWN_BIT: u32 = 14;

/// Bits of west, east, south, north and RAMP within a direction set.
pub const DIRECTION_BITS: [(&str, u32); 5] = [("WEST", 0), ("EAST", 1), ("SOUTH", 2), ("NORTH", 3), ("RAMP", 4)];
/// The direction code of a switch position that is not valid.
pub const INVALID_DIRECTION: u16 = 5;

/// Switch register: the current position in bits 14:13, ring mode in bit 12, then four bits each for positions 3, 2, 1
/// from bit 8 down: a select bit (1 = input) over a three-bit direction.
pub const SWITCH_POSITION_SHIFT: u32 = 13;
pub const SWITCH_RING_BIT: u32 = 12;
pub const SWITCH_FIELD_BITS: u32 = 4;
pub const SWITCH_FIELD: u16 = (1 << SWITCH_FIELD_BITS) - 1;
pub const SWITCH_SELECT_INPUT: u16 = 1 << 3;

/// The register that gives both sides of a switch position, for which the switch register has no room (WSE-3): the
/// position in bits 6 and 7, the codes of its input in bits 3 to 5 and of its output in bits 0 to 2; color c stands c
/// words further. Chosen, and only written.
pub const SWITCH_SIDES: u16 = 0x7ea0;
pub const SIDES_POSITION_SHIFT: u32 = 6;
pub const SIDES_INPUT_SHIFT: u32 = 3;
pub const SIDES_DIRECTION: u16 = 7;

/// The shift of position `position`'s field (1 to 3) in the switch register.
pub const fn switch_field_shift(position: u32) -> u32 {
    (position - 1) * SWITCH_FIELD_BITS
}

/// Registers of the compute element, which `<tile_config>` reads and writes. Word addresses and layouts are not public:
/// chosen, in a range that no published program touches, but for the input queues'.
pub mod ce {
    /// An input queue's color in bits 0 to 4 ([`NO_COLOR`]: none), its filter's enable in bit 5, and the priority of the
    /// microthread of its number: bit 8 medium, bit 9 high; queue q stands q words further. Address and priorities are
    /// those that spmv-hypersparse of SDK 0.9 writes. Writing another color while the queue holds wavelets is a fault.
    pub const INPUT_QUEUES: u16 = 0x7f58;
    pub const FILTER_ENABLE: u16 = 1 << 5;
    pub const MEDIUM_PRIORITY: u16 = 1 << 8;
    pub const HIGH_PRIORITY: u16 = 1 << 9;
    /// The color of an output queue.
    pub const OUTPUT_QUEUES: u16 = 0x7e88;
    pub const NO_COLOR: u16 = 0x1f;
    /// The states of queues: bit q, input queue q is empty; bit 8 + q, it is full.
    pub const INPUT_STATUS: u16 = 0x7e90;
    pub const OUTPUT_STATUS: u16 = 0x7e91;
    /// Colors 0 to 15, and in the next word 16 to 31, whose teardown is pending. Reading a word clears it.
    pub const TEARDOWN_PENDING: u16 = 0x7e92;
    /// Queues that `@queue_flush` has found empty: bit q for input (output) queue q. Writing a 1 clears a bit.
    pub const INPUT_FLUSHED: u16 = 0x7e94;
    pub const OUTPUT_FLUSHED: u16 = 0x7e95;
    /// Priority of the main thread: 0 between low and medium, 1 medium, 2 between medium and high, 3 high.
    pub const MAIN_PRIORITY: u16 = 0x7e96;
    /// Local tasks with high priority: bit i for task i (and in the next word 16 + i).
    pub const LOCAL_TASK_PRIORITY: u16 = 0x7e98;
    /// Data and control tasks with high priority, by color on WSE-2 and input queue on WSE-3.
    pub const CHANNEL_PRIORITY: u16 = 0x7e9a;
    /// The floating-point exceptions that stop the PE, one bit each.
    pub const EXCEPTIONS: u16 = 0x7e9c;
    pub const FP_UNDERFLOW: u16 = 1 << 3;
    pub const FP_OVERFLOW: u16 = 1 << 4;
    pub const FP_INEXACT: u16 = 1 << 5;
    pub const FP_INVALID: u16 = 1 << 6;
    pub const FP_DIV_BY_0: u16 = 1 << 7;
    /// The exceptions that the simulated machine can raise, with their names.
    pub const EXCEPTION_NAMES: [(u16, &str); 5] = [
        (FP_DIV_BY_0, "division by zero"),
        (FP_INVALID, "invalid operation"),
        (FP_OVERFLOW, "overflow"),
        (FP_UNDERFLOW, "underflow"),
        (FP_INEXACT, "inexact result"),
    ];
    /// The six bits that `control_transform` flips.
    pub const CONTROL_TRANSFORM: u16 = 0x7e9d;
    pub const TRANSFORMED: u16 = 0x3f;
    /// The three words of the cycle counter, the lowest first, and the word whose lowest bit lets it run: published code
    /// writes 7 there and reads the counter so.
    pub const TIMESTAMP: u16 = 0x7ec0;
    pub const TIMESTAMP_WORDS: u16 = 3;
    pub const COUNTER_CONTROL: u16 = 0x7ec3;
    pub const COUNTER_RUNS: u16 = 1;
    /// Blocked microthreads, one bit each (WSE-3).
    pub const UT_BLOCKED: u16 = 0x7e9e;
    /// Whether a word is a register of priorities, exceptions or the control transform: 0 until a program writes it.
    pub const fn starts_clear(word: u16) -> bool {
        word >= MAIN_PRIORITY && word <= CONTROL_TRANSFORM
    }

    /// Whether a word is one of these registers.
    pub const fn holds(word: u16) -> bool {
        (word >= OUTPUT_QUEUES && word < END)
            || (word >= INPUT_QUEUES && word < INPUT_QUEUES + 8)
            || (word >= TIMESTAMP && word <= COUNTER_CONTROL)
    }

    /// The end of these registers, excluded, but for the input queues'.
    pub const END: u16 = 0x7ea0;
}

/// A color's filter: its running counter, the greatest that passes, the value after which it goes back to 0, and whether
/// it is on; color c stands c words further. Chosen like those of [`ce`]; a filter's id is its color.
pub mod filter {
    pub const COUNTERS: u16 = 0x7e00;
    pub const MAXIMA: u16 = 0x7e20;
    pub const LIMITS: u16 = 0x7e40;
    /// The enable bits of filters, written with an input queue's register.
    pub const ENABLES: u16 = 0x7e60;
    /// The counters in half wavelets (WSE-3): low words, and [`HIGH_WORD`] words further the high words.
    pub const HALF_COUNTERS: u16 = 0x7d40;
    pub const HALF_MAXIMA: u16 = 0x7d80;
    pub const HALF_LIMITS: u16 = 0x7dc0;
    pub const HIGH_WORD: u16 = 0x20;
}

/// Registers that both chips have at the same word address, by the names under which the library's `@wl_register` asks.
const NAMES: [(&str, u16); 23] = [
    ("switch_sides", SWITCH_SIDES),
    ("input_queues", ce::INPUT_QUEUES),
    ("output_queues", ce::OUTPUT_QUEUES),
    ("input_status", ce::INPUT_STATUS),
    ("output_status", ce::OUTPUT_STATUS),
    ("teardown_pending", ce::TEARDOWN_PENDING),
    ("input_flushed", ce::INPUT_FLUSHED),
    ("output_flushed", ce::OUTPUT_FLUSHED),
    ("main_priority", ce::MAIN_PRIORITY),
    ("local_task_priority", ce::LOCAL_TASK_PRIORITY),
    ("channel_priority", ce::CHANNEL_PRIORITY),
    ("exceptions", ce::EXCEPTIONS),
    ("control_transform", ce::CONTROL_TRANSFORM),
    ("ut_blocked", ce::UT_BLOCKED),
    ("timestamp", ce::TIMESTAMP),
    ("counter_control", ce::COUNTER_CONTROL),
    ("filter_counters", filter::COUNTERS),
    ("filter_maxima", filter::MAXIMA),
    ("filter_limits", filter::LIMITS),
    ("filter_half_counters", filter::HALF_COUNTERS),
    ("filter_half_maxima", filter::HALF_MAXIMA),
    ("filter_half_limits", filter::HALF_LIMITS),
    ("end", ce::END),
];

/// The word address of the register that the library's `@wl_register` calls `name`.
pub fn address(chip: &Chip, name: &str) -> Option<u16> {
    match name {
        "color_routes" => Some(chip.config.color_routes),
        "color_switches" => Some(chip.config.color_switches),
        _ => NAMES.iter().find(|n| n.0 == name).map(|n| n.1),
    }
}
