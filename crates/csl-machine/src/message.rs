//! The header of a message of `<message_passing>` (WSE-3), which composes it in CSL: the column in the low bits, the row, the
//! number of elements. Its form is not public; this is a choice.

/// Columns and rows.
pub const PLACE_MASK: u32 = 0x3ff;
pub const ROW_SHIFT: u32 = 10;
pub const LENGTH_SHIFT: u32 = 20;
