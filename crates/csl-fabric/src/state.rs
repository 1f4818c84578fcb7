//! The running state of one color at one router, after register writes, and the router registers that show it to
//! programs.

use csl_machine::registers as bits;
use csl_machine::{ColorConfig, DirSet, Direction, PopMode, SwitchPos};

use crate::filter::FilterState;

/// The running state of a color at a router, shared by all virtual channels that are still as the layout set them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ColorState {
    pub config: ColorConfig,
    /// The running filter: registers and wavelets change the one that the layout set.
    pub filter: Option<FilterState>,
    /// Select bits (bit k: position k + 1) that a register write left at invalid positions. Programs disable a position
    /// by its direction alone and count on finding the select bit again (allreduce of the published solvers, up to
    /// 1.1).
    pub invalid_selects: u8,
}

impl ColorState {
    /// The state at the start of a run.
    pub fn new(config: ColorConfig) -> ColorState {
        let filter = config.filter.as_ref().map(FilterState::new);
        ColorState { config, filter, invalid_selects: 0 }
    }

    /// The route register.
    pub fn route_word(&self) -> u16 {
        let config = &self.config;
        u16::from(config.tx.0) << bits::ROUTE_OUTPUT_SHIFT
            | u16::from(config.rx.0) << bits::ROUTE_INPUT_SHIFT
            | u16::from(config.swap_x) << bits::ROUTE_SWAP_X_BIT
            | u16::from(config.swap_y) << bits::ROUTE_SWAP_Y_BIT
            | config.pop_mode.code() << bits::ROUTE_POP_MODE_SHIFT
            | u16::from(config.teardown) << bits::ROUTE_TEARDOWN_BIT
    }

    /// Writes the route register. Swaps are fixed when the program starts: a write does not change them.
    pub fn set_route_word(&mut self, word: u16) {
        let config = &mut self.config;
        config.tx = DirSet::from_bits((word >> bits::ROUTE_OUTPUT_SHIFT).into());
        config.rx = DirSet::from_bits((word >> bits::ROUTE_INPUT_SHIFT).into());
        config.pop_mode = PopMode::ALL[usize::from(word >> bits::ROUTE_POP_MODE_SHIFT & 3)];
        config.teardown = word >> bits::ROUTE_TEARDOWN_BIT & 1 == 1;
    }

    /// The switch register. A position with two sides or several directions shows its lowest output.
    pub fn switch_word(&self) -> u16 {
        let fields = (1..).zip(&self.config.positions).map(|(k, position)| self.field(k, *position));
        fields.fold(0, |word, field| word | field)
            | u16::from(self.config.current_pos) << bits::SWITCH_POSITION_SHIFT
            | u16::from(self.config.ring_mode) << bits::SWITCH_RING_BIT
    }

    /// Writes the switch register. A position whose field does not change keeps the details that the register cannot
    /// show.
    pub fn set_switch_word(&mut self, word: u16) {
        self.config.current_pos = (word >> bits::SWITCH_POSITION_SHIFT & 3) as u8;
        self.config.ring_mode = word >> bits::SWITCH_RING_BIT & 1 == 1;
        for (k, position) in (1..).zip(&mut self.config.positions) {
            let new = word >> bits::switch_field_shift(k) & bits::SWITCH_FIELD;
            let selects = u8::from(new & bits::SWITCH_SELECT_INPUT != 0) << (k - 1);
            self.invalid_selects = self.invalid_selects & !(1 << (k - 1)) | selects;
            if new != field(*position) {
                *position = position_of(new);
            }
        }
    }

    /// Writes the register that gives a position both sides; a word without a position or a direction changes nothing.
    pub fn set_sides_word(&mut self, word: u16) {
        let position = usize::from(word >> bits::SIDES_POSITION_SHIFT & 3);
        let side = |shift: u32| Direction::from_bit((word >> shift & bits::SIDES_DIRECTION).into()).map(DirSet::of);
        if let (1.., Some(rx), Some(tx)) = (position, side(bits::SIDES_INPUT_SHIFT), side(0)) {
            self.config.positions[position - 1] = SwitchPos::Both(rx, tx);
        }
    }

    /// The field of position `k`, shifted into place.
    fn field(&self, k: u32, position: SwitchPos) -> u16 {
        let kept = position == SwitchPos::Invalid && self.invalid_selects >> (k - 1) & 1 == 1;
        let select = if kept { bits::SWITCH_SELECT_INPUT } else { 0 };
        (field(position) | select) << bits::switch_field_shift(k)
    }
}

fn field(position: SwitchPos) -> u16 {
    let lowest = |set: DirSet| set.first().map_or(bits::INVALID_DIRECTION, |direction| direction.bit().into());
    match position {
        SwitchPos::Invalid => bits::INVALID_DIRECTION,
        SwitchPos::Rx(set) => lowest(set) | bits::SWITCH_SELECT_INPUT,
        SwitchPos::Tx(set) | SwitchPos::Both(_, set) => lowest(set),
    }
}

fn position_of(field: u16) -> SwitchPos {
    let direction = Direction::from_bit((field & !bits::SWITCH_SELECT_INPUT).into()).map(DirSet::of);
    match (direction, field & bits::SWITCH_SELECT_INPUT != 0) {
        (None, _) => SwitchPos::Invalid,
        (Some(set), true) => SwitchPos::Rx(set),
        (Some(set), false) => SwitchPos::Tx(set),
    }
}
