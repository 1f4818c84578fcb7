//! The header of a message of `<message_passing>` (WSE-3), which composes it in CSL: the column in the low bits, then
//! the row and the number of elements. Its form is not public; this one is a choice.

/// The mask of a column or row.
pub const PLACE_MASK: u32 = 0x3ff;
pub const ROW_SHIFT: u32 = 10;
pub const LENGTH_SHIFT: u32 = 20;
