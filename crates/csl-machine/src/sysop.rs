//! Services of a PE beyond arithmetic, memory and vector operations: one row a service.

macro_rules! sys_ops {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal ($($arg:ident),*) $result:ident $sync:ident;)*) => {
        /// A service of the PE: tasks, queues, registers, counters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum SysOp { $($(#[doc = $doc])* $variant,)* }

        impl SysOp {
            pub const ALL: &[SysOp] = &[$(SysOp::$variant,)*];

            /// The index in [`SysOp::ALL`], as instructions hold it.
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// The name in IR and bytecode listings.
            pub fn name(self) -> &'static str {
                match self { $(SysOp::$variant => $name,)* }
            }

            /// Names of the arguments.
            pub fn args(self) -> &'static [&'static str] {
                match self { $(SysOp::$variant => &[$(stringify!($arg)),*],)* }
            }

            pub fn has_result(self) -> bool {
                match self { $(SysOp::$variant => sys_ops!(@result $result),)* }
            }

            /// Whether the main thread must stand at the fabric's clock for this service.
            pub fn is_sync_point(self) -> bool {
                match self { $(SysOp::$variant => sys_ops!(@sync $sync),)* }
            }
        }
    };
    (@result value) => { true };
    (@result none) => { false };
    (@sync sync) => { true };
    (@sync free) => { false };
}

sys_ops! {
    /// Activates the local task `id`.
    ActivateTask "activate" (id) none free;
    /// Blocks or unblocks a local or control task id, or on WSE-3 a data task id (an input queue).
    BlockTask "block_task" (id) none free;
    UnblockTask "unblock_task" (id) none free;
    /// Blocks or unblocks a color (WSE-2).
    BlockColor "block_color" (color) none sync;
    UnblockColor "unblock_color" (color) none sync;
    /// Blocks or unblocks an input queue (WSE-3).
    BlockQueue "block_queue" (queue) none sync;
    UnblockQueue "unblock_queue" (queue) none sync;
    /// Blocks or unblocks a microthread (WSE-3).
    BlockUt "block_ut" (ut) none sync;
    UnblockUt "unblock_ut" (ut) none sync;
    Random16 "random16" () value free;
    SetActivePrng "set_active_prng" (prng) none free;
    SetPrngSeed "set_prng_seed" (seed) none free;
    /// Faults the PE when `cond` is 0.
    Assert "assert" (cond) none free;
    /// Reads or writes the configuration register at word address `addr`.
    GetConfig "get_config" (addr) value sync;
    SetConfig "set_config" (addr, value) none sync;
    TscEnable "tsc_enable" () none free;
    TscDisable "tsc_disable" () none free;
    /// Word 0, 1 or 2 of the 48-bit timestamp counter; word 0 latches the others.
    TscWord "tsc_word" (index) value free;
    /// Lets memcpy's command stream deliver its next command to this PE.
    UnblockCmdStream "unblock_cmd_stream" () none sync;
    /// Coordinates of the PE in the program's rectangle.
    GetX "get_x" () value free;
    GetY "get_y" () value free;
    /// Sets the length that the next read from / write to a FIFO has, in elements.
    SetFifoReadLength "set_fifo_read_length" (fifo, length) none free;
    SetFifoWriteLength "set_fifo_write_length" (fifo, length) none free;
    /// Asks for the empty-queue handler of an output queue, or with [`FLUSH_INPUT`] of an input queue, to run once it
    /// has drained (WSE-3).
    QueueFlush "queue_flush" (queue) none sync;
    /// Moves what a DSR describes to byte address `addr`; `dsr` is its file (0 dest, 1 src0, 2 src1) above four bits of id.
    SetDsrAddr "set_dsr_addr" (dsr, addr) none free;
    /// Sets the header of the next message: length, row and column (`<message_passing>`).
    MessageHeader "message_header" (header) none free;
    /// Prints: `kind` says how `value` is to be shown; collected until `PrintFlush`.
    PrintValue "print_value" (kind, value) none free;
    PrintFlush "print_flush" () none free;
    /// Notes for reports a root of a collective operation that is not below `size`, the number of PEs of its row or column.
    LookAtRoot "look_at_root" (root, size) none free;
}

/// In `SysOp::QueueFlush` and in tables of handlers: the number is that of an input queue.
pub const FLUSH_INPUT: u8 = 8;

macro_rules! print_kinds {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal;)*) => {
        /// How `SysOp::PrintValue` shows its value; its first argument is the number of the row here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum PrintKind { $($(#[doc = $doc])* $variant,)* }

        impl PrintKind {
            pub const ALL: &[PrintKind] = &[$(PrintKind::$variant,)*];

            pub fn name(self) -> &'static str {
                match self { $(PrintKind::$variant => $name,)* }
            }
        }
    };
}

print_kinds! {
    /// Text number `value` of the program's string table.
    Text "text";
    Unsigned "unsigned";
    Signed "signed";
    /// Four (eight) digits in upper case.
    Hex16 "hex16";
    Hex32 "hex32";
    /// Sixteen (thirty-two) digits.
    Binary16 "binary16";
    Binary32 "binary32";
    /// Bits of the program's 16-bit float.
    Half "half";
    F32 "f32";
    Bool "bool";
}

impl PrintKind {
    pub fn from_number(number: u16) -> Option<PrintKind> {
        PrintKind::ALL.get(usize::from(number)).copied()
    }
}
