//! The route of a color at one tile: inputs and outputs, switch positions, a filter.

use crate::color::Color;
use serde::{Deserialize, Serialize};

use crate::geometry::{DirSet, Direction};

/// A switch position, as written: a side that it does not name stays as the position before has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SwitchPos {
    #[default]
    Invalid,
    Rx(DirSet),
    Tx(DirSet),
    /// Both sides (WSE-3); either may be empty.
    Both(DirSet, DirSet),
}

impl SwitchPos {
    /// Inputs and outputs at this position, given those of the position before.
    pub fn after(self, (rx, tx): (DirSet, DirSet)) -> (DirSet, DirSet) {
        match self {
            SwitchPos::Invalid => (rx, tx),
            SwitchPos::Rx(rx) => (rx, tx),
            SwitchPos::Tx(tx) => (rx, tx),
            SwitchPos::Both(rx, tx) => (rx, tx),
        }
    }
}

/// The cases in which a router takes command 0 off a control wavelet. The order is that of the codes in the route
/// register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PopMode {
    #[default]
    NoPop,
    AlwaysPop,
    PopOnAdvance,
    PopOnAdvanceNop,
}

impl PopMode {
    pub const ALL: [PopMode; 4] = [PopMode::NoPop, PopMode::AlwaysPop, PopMode::PopOnAdvance, PopMode::PopOnAdvanceNop];

    /// The code in the route register.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The name in CSL.
    pub const fn name(self) -> &'static str {
        match self {
            PopMode::NoPop => "no_pop",
            PopMode::AlwaysPop => "always_pop",
            PopMode::PopOnAdvance => "pop_on_advance",
            PopMode::PopOnAdvanceNop => "pop_on_advance_nop",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FilterKind {
    Counter,
    SparseCounter,
    Range,
}

/// A filter, which decides which wavelets of a color reach the compute element, as `@set_color_config` gives it.
/// Counters and limits count wavelets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Filter {
    pub kind: FilterKind,
    pub count_data: bool,
    pub count_control: bool,
    pub filter_control: bool,
    /// A field that programs may set and that no document explains; it has no effect here.
    pub fast_mode: bool,
    pub init_counter: u16,
    pub limit1: u16,
    pub limit2: Option<u16>,
    pub max_counter: u16,
    pub min_idx: u16,
    pub max_idx: u16,
}

impl Filter {
    /// A filter of a kind with defaults for all else.
    pub fn new(kind: FilterKind) -> Filter {
        Filter {
            kind,
            count_data: false,
            count_control: false,
            filter_control: false,
            fast_mode: false,
            init_counter: 0,
            limit1: 0,
            limit2: None,
            max_counter: 0,
            min_idx: 0,
            max_idx: 0,
        }
    }
}

/// The configuration of one color at one tile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColorConfig {
    pub rx: DirSet,
    pub tx: DirSet,
    pub swap_x: bool,
    pub swap_y: bool,
    /// The positions 1, 2 and 3.
    pub positions: [SwitchPos; 3],
    /// The current position, 0 to 3.
    pub current_pos: u8,
    pub ring_mode: bool,
    pub pop_mode: PopMode,
    pub filter: Option<Filter>,
    pub teardown: bool,
    /// The first of the five colors of `<message_passing>`, if this is one of them (WSE-3).
    pub messages: Option<Color>,
}

impl ColorConfig {
    /// A route without switches.
    pub fn route(rx: DirSet, tx: DirSet) -> ColorConfig {
        ColorConfig { rx, tx, ..ColorConfig::default() }
    }

    /// Inputs and outputs at the current position: those of position 0, changed by positions 1 to the current one.
    pub fn current(&self) -> (DirSet, DirSet) {
        let passed = &self.positions[..usize::from(self.current_pos.min(3))];
        passed.iter().fold((self.rx, self.tx), |ways, position| position.after(ways))
    }

    /// The inputs of all positions together.
    pub fn all_inputs(&self) -> DirSet {
        self.positions.iter().fold(self.rx, |all, position| match *position {
            SwitchPos::Rx(set) | SwitchPos::Both(set, _) => all.union(set),
            _ => all,
        })
    }

    /// Whether arrivals on `side` are swapped with the other color of the pair (advanced features, color swapping).
    pub fn swaps(&self, side: Direction) -> bool {
        match side {
            Direction::West | Direction::East => self.swap_x,
            Direction::South | Direction::North => self.swap_y,
            Direction::Ramp => self.swap_x && self.swap_y,
        }
    }

    /// Moves to the next valid position, in a ring back to 0. Returns whether the position changed.
    pub fn advance(&mut self) -> bool {
        let old = self.current_pos;
        self.current_pos = match self.positions.get(usize::from(old)) {
            Some(position) if *position != SwitchPos::Invalid => old + 1,
            _ if self.ring_mode => 0,
            _ => old,
        };
        self.current_pos != old
    }

    /// Moves back to position 0. Returns whether the position changed.
    pub fn reset(&mut self) -> bool {
        std::mem::take(&mut self.current_pos) != 0
    }
}
