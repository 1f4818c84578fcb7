//! Bit layout of a router's registers, as published programs read and write it (inferred, WSE-2; taken for WSE-3 too).

/// Route register: five output bits from bit 0, five input bits from bit 5, in the order of [`DIRECTION_BITS`].
pub const ROUTE_OUTPUT_SHIFT: u32 = 0;
pub const ROUTE_INPUT_SHIFT: u32 = 5;
/// Color swap in x and in y.
pub const ROUTE_SWAP_X_BIT: u32 = 10;
pub const ROUTE_SWAP_Y_BIT: u32 = 11;
/// Two bits: 0 no pop, 1 always pop, 2 pop on advance, 3 pop on advance or no-op (the codes: chosen).
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
pub const SWITCH_SELECT_INPUT: u16 = 1 << 3;

/// The shift of position `position`'s field (1 to 3) in the switch register.
pub const fn switch_field_shift(position: u32) -> u32 {
    (position - 1) * SWITCH_FIELD_BITS
}
