//! A router's registers, as the program on its tile reads and writes them (docs/decisions/machine.md M45, M46).
//!
//! A write takes the way of a wavelet that is issued in the same cycle, and as long: it overtakes no moving wavelet. It
//! does not wait for stalled ones either: a program can free a stalled wavelet by such a write. A read gives the
//! register after all writes of the program itself, those on their way included.

use std::borrow::Cow;
use std::collections::VecDeque;

use csl_fabric::{ColorState, FilterState, Row};
use csl_machine::registers::{SWITCH_SIDES, filter};
use csl_machine::{Chip, Color};
use csl_pe::Registers;

/// The registers of a tile's router, as its PE reads and writes them.
pub(crate) struct RouterRegisters<'a> {
    pub fabric: &'a Row,
    pub chip: &'static Chip,
    /// Writes of the row on their way, the oldest first.
    pub writes: &'a mut VecDeque<Write>,
    pub x: u32,
    pub now: u64,
}

/// A write on its way to the router of a tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write {
    pub x: u32,
    /// The cycle in which it takes effect, before any wavelet of that cycle lands from the ramp.
    pub due: u64,
    register: Register,
    value: u16,
}

/// A register of a color.
#[derive(Clone, Copy, Debug)]
struct Register {
    color: Color,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Routes,
    Switches,
    SwitchSides,
    FilterCounter,
    FilterMaximum,
    FilterLimit,
    FilterEnable,
    /// A counter in half wavelets; whether it is the high word.
    HalfCounter(bool),
    HalfMaximum(bool),
    HalfLimit(bool),
}

const FILTER_BANKS: [(u16, Kind); 10] = [
    (filter::COUNTERS, Kind::FilterCounter),
    (filter::MAXIMA, Kind::FilterMaximum),
    (filter::LIMITS, Kind::FilterLimit),
    (filter::ENABLES, Kind::FilterEnable),
    (filter::HALF_COUNTERS, Kind::HalfCounter(false)),
    (filter::HALF_MAXIMA, Kind::HalfMaximum(false)),
    (filter::HALF_LIMITS, Kind::HalfLimit(false)),
    (filter::HALF_COUNTERS + filter::HIGH_WORD, Kind::HalfCounter(true)),
    (filter::HALF_MAXIMA + filter::HIGH_WORD, Kind::HalfMaximum(true)),
    (filter::HALF_LIMITS + filter::HIGH_WORD, Kind::HalfLimit(true)),
];

/// One word of a double register.
fn word_of(value: u32, is_high: bool) -> u16 {
    (if is_high { value >> 16 } else { value & 0xffff }) as u16
}

fn set_word(value: &mut u32, is_high: bool, word: u16) {
    let word = u32::from(word);
    *value = if is_high { *value & 0xffff | word << 16 } else { *value & !0xffff | word };
}

impl Kind {
    /// The register's word; `None` where it cannot be read or the color has no filter.
    fn word(self, config: &ColorState) -> Option<u16> {
        let filter = config.filter.as_ref();
        match self {
            Kind::Routes => Some(config.route_word()),
            Kind::Switches => Some(config.switch_word()),
            Kind::SwitchSides => None,
            Kind::FilterCounter => filter.map(|filter| FilterState::wavelets_of(filter.counter)),
            Kind::FilterMaximum => filter.map(|filter| FilterState::wavelets_of(filter.max_counter)),
            Kind::FilterLimit => filter.map(|filter| FilterState::wavelets_of(filter.limit1)),
            Kind::FilterEnable => filter.map(|filter| u16::from(!filter.disabled)),
            Kind::HalfCounter(high) => filter.map(|filter| word_of(filter.counter, high)),
            Kind::HalfMaximum(high) => filter.map(|filter| word_of(filter.max_counter, high)),
            Kind::HalfLimit(high) => filter.map(|filter| word_of(filter.limit1, high)),
        }
    }

    /// Whether a color has the register: those of filters exist only where the color has a filter.
    fn exists(self, config: &ColorState) -> bool {
        matches!(self, Kind::Routes | Kind::Switches | Kind::SwitchSides) || config.filter.is_some()
    }

    fn set(self, config: &mut ColorState, value: u16) {
        match self {
            Kind::Routes => config.set_route_word(value),
            Kind::Switches => config.set_switch_word(value),
            Kind::SwitchSides => config.set_sides_word(value),
            _ => config.filter.iter_mut().for_each(|filter| self.set_filter(filter, value)),
        }
    }

    fn set_filter(self, filter: &mut FilterState, value: u16) {
        match self {
            Kind::Routes | Kind::Switches | Kind::SwitchSides => {}
            Kind::FilterCounter => filter.counter = FilterState::count_of(value),
            Kind::FilterMaximum => filter.max_counter = FilterState::limit_of(value),
            Kind::FilterLimit => filter.limit1 = FilterState::limit_of(value),
            Kind::FilterEnable => filter.disabled = value == 0,
            Kind::HalfCounter(high) => set_word(&mut filter.counter, high, value),
            Kind::HalfMaximum(high) => set_word(&mut filter.max_counter, high, value),
            Kind::HalfLimit(high) => set_word(&mut filter.limit1, high, value),
        }
    }
}

impl Write {
    pub fn color(self) -> Color {
        self.register.color
    }

    /// Carries the write out.
    pub fn carry_out(self, fabric: &mut Row, now: u64) {
        let Register { color, kind } = self.register;
        fabric.reconfigure(self.x, color, now, |config| kind.set(config, self.value));
    }
}

impl RouterRegisters<'_> {
    fn decode(&self, word: u16) -> Option<Register> {
        let routes = [
            (self.chip.config.color_routes, Kind::Routes),
            (self.chip.config.color_switches, Kind::Switches),
            (SWITCH_SIDES, Kind::SwitchSides),
        ];
        let color = |base: u16| word.checked_sub(base).filter(|color| *color < u16::from(self.chip.fabric.colors));
        let register = |&(base, kind): &(u16, Kind)| {
            color(base).map(|color| Register { color: Color::of_bits(color.into()), kind })
        };
        routes.iter().chain(&FILTER_BANKS).find_map(register)
    }

    /// The configuration of a color after the program's writes so far.
    fn config(&self, color: Color) -> Cow<'_, ColorState> {
        let now = self.fabric.color_state(self.x, color);
        let mut config = now.map_or_else(|| Cow::Owned(ColorState::default()), Cow::Borrowed);
        for write in self.writes.iter().filter(|write| (write.x, write.register.color) == (self.x, color)) {
            write.register.kind.set(config.to_mut(), write.value);
        }
        config
    }
}

impl Registers for RouterRegisters<'_> {
    fn read(&mut self, word: u16) -> Option<u16> {
        let Register { color, kind } = self.decode(word)?;
        kind.word(&self.config(color))
    }

    fn write(&mut self, word: u16, value: u16) -> bool {
        let Some(register) = self.decode(word).filter(|register| register.kind.exists(&self.config(register.color)))
        else {
            return false;
        };
        let due = self.now + u64::from(self.chip.timing.dispatch_to_ramp);
        self.writes.push_back(Write { x: self.x, due, register, value });
        true
    }
}
