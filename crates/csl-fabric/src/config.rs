//! What `@set_color_config` says of one color at one tile, and the router registers that show it to programs.

use csl_machine::registers as bits;

use crate::filter::FilterConfig;

/// Sets of directions are bit masks; bit numbers are those of the routing registers.
pub const WEST: usize = 0;
pub const EAST: usize = 1;
pub const SOUTH: usize = 2;
pub const NORTH: usize = 3;
pub const RAMP: usize = 4;

/// The bits of the four links in a direction set.
pub const LINKS: u8 = 0xf;
pub const RAMP_BIT: u8 = 1 << RAMP;
const DIRECTIONS: u16 = 0x1f;

/// The side on which a neighbour sees what leaves by `side`.
pub fn opposite(side: usize) -> usize {
    [EAST, WEST, NORTH, SOUTH][side]
}

/// A switch position: the side that it does not name stays as the position before has it (semantics.md 16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Position {
    #[default]
    Invalid,
    Rx(u8),
    Tx(u8),
    Both(u8, u8),
}

/// When a router takes command 0 off a control wavelet. Codes are those of the route register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PopMode {
    #[default]
    NoPop,
    AlwaysPop,
    PopOnAdvance,
    PopOnAdvanceNop,
}

const POP_MODES: [PopMode; 4] = [PopMode::NoPop, PopMode::AlwaysPop, PopMode::PopOnAdvance, PopMode::PopOnAdvanceNop];

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ColorConfig {
    pub rx: u8,
    pub tx: u8,
    pub swap_x: bool,
    pub swap_y: bool,
    pub positions: [Position; 3],
    /// The current switch position, 0 to 3.
    pub position: u8,
    pub ring: bool,
    pub pop: PopMode,
    pub filter: Option<FilterConfig>,
    pub teardown: bool,
    /// Select bits (bit k: position k + 1) that a register write left at invalid positions. Programs disable a position by
    /// its direction alone and count on finding the select bit again (allreduce of the published solvers, up to 1.1).
    pub invalid_selects: u8,
    /// One of the five colors of a message network (`messages`), of which this is the first.
    pub messages: Option<u8>,
}

impl ColorConfig {
    /// A plain route.
    pub fn route(rx: u8, tx: u8) -> ColorConfig {
        ColorConfig { rx, tx, ..ColorConfig::default() }
    }

    /// Whether arrivals on `side` are swapped with the other color of the pair (advanced features, color swapping).
    pub fn swaps(&self, side: usize) -> bool {
        match side {
            WEST | EAST => self.swap_x,
            SOUTH | NORTH => self.swap_y,
            _ => self.swap_x && self.swap_y,
        }
    }

    /// Inputs and outputs at the current position: those of position 0, changed by positions 1 to the current one.
    pub fn current(&self) -> (u8, u8) {
        let passed = &self.positions[..usize::from(self.position.min(3))];
        passed.iter().fold((self.rx, self.tx), |(rx, tx), position| match *position {
            Position::Invalid => (rx, tx),
            Position::Rx(set) => (set, tx),
            Position::Tx(set) => (rx, set),
            Position::Both(rx, tx) => (rx, tx),
        })
    }

    /// Inputs of any position.
    pub fn all_inputs(&self) -> u8 {
        self.positions.iter().fold(self.rx, |all, position| match *position {
            Position::Rx(set) | Position::Both(set, _) => all | set,
            _ => all,
        })
    }

    /// Goes to the next valid position, in a ring back to 0. Returns whether the position changed.
    pub fn advance(&mut self) -> bool {
        let old = self.position;
        let next = usize::from(old);
        self.position = match self.positions.get(next) {
            Some(position) if *position != Position::Invalid => old + 1,
            _ if self.ring => 0,
            _ => old,
        };
        self.position != old
    }

    /// Goes back to position 0. Returns whether the position changed.
    pub fn reset(&mut self) -> bool {
        std::mem::take(&mut self.position) != 0
    }

    /// The route register.
    pub fn route_word(&self) -> u16 {
        u16::from(self.tx) << bits::ROUTE_OUTPUT_SHIFT
            | u16::from(self.rx) << bits::ROUTE_INPUT_SHIFT
            | u16::from(self.swap_x) << bits::ROUTE_SWAP_X_BIT
            | u16::from(self.swap_y) << bits::ROUTE_SWAP_Y_BIT
            | (self.pop as u16) << bits::ROUTE_POP_MODE_SHIFT
            | u16::from(self.teardown) << bits::ROUTE_TEARDOWN_BIT
    }

    /// Writes the route register. Swaps are fixed when the program starts: a write leaves them as they are.
    pub fn set_route_word(&mut self, word: u16) {
        self.tx = (word >> bits::ROUTE_OUTPUT_SHIFT & DIRECTIONS) as u8;
        self.rx = (word >> bits::ROUTE_INPUT_SHIFT & DIRECTIONS) as u8;
        self.pop = POP_MODES[usize::from(word >> bits::ROUTE_POP_MODE_SHIFT & 3)];
        self.teardown = word >> bits::ROUTE_TEARDOWN_BIT & 1 == 1;
    }

    /// The switch register. A position with two sides or several directions shows its lowest output.
    pub fn switch_word(&self) -> u16 {
        let fields = (1u32..).zip(&self.positions).map(|(k, position)| self.field(k, *position));
        fields.fold(0, |word, field| word | field)
            | u16::from(self.position) << bits::SWITCH_POSITION_SHIFT
            | u16::from(self.ring) << bits::SWITCH_RING_BIT
    }

    /// Writes the switch register. A position whose field does not change keeps what the register cannot show.
    pub fn set_switch_word(&mut self, word: u16) {
        self.position = (word >> bits::SWITCH_POSITION_SHIFT & 3) as u8;
        self.ring = word >> bits::SWITCH_RING_BIT & 1 == 1;
        for (k, position) in (1u32..).zip(&mut self.positions) {
            let new = word >> bits::switch_field_shift(k) & 0xf;
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
        let side = |shift: u32| word >> shift & bits::SIDES_DIRECTION;
        let (rx, tx) = (side(bits::SIDES_INPUT_SHIFT), side(0));
        if position > 0 && rx.max(tx) < bits::INVALID_DIRECTION {
            self.positions[position - 1] = Position::Both(1 << rx, 1 << tx);
        }
    }

    /// The field of position `k`, in its place.
    fn field(&self, k: u32, position: Position) -> u16 {
        let kept = position == Position::Invalid && self.invalid_selects >> (k - 1) & 1 == 1;
        let select = if kept { bits::SWITCH_SELECT_INPUT } else { 0 };
        (field(position) | select) << bits::switch_field_shift(k)
    }
}

fn field(position: Position) -> u16 {
    let lowest = |set: u8| (set.trailing_zeros() as u16).min(bits::INVALID_DIRECTION);
    match position {
        Position::Invalid => bits::INVALID_DIRECTION,
        Position::Rx(set) => lowest(set) | bits::SWITCH_SELECT_INPUT,
        Position::Tx(set) | Position::Both(_, set) => lowest(set),
    }
}

fn position_of(field: u16) -> Position {
    let direction = field & !bits::SWITCH_SELECT_INPUT;
    match (direction < bits::INVALID_DIRECTION, field & bits::SWITCH_SELECT_INPUT != 0) {
        (false, _) => Position::Invalid,
        (true, true) => Position::Rx(1 << direction),
        (true, false) => Position::Tx(1 << direction),
    }
}
