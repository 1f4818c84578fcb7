//! A router's registers, as the program on its tile reads and writes them (semantics.md 22).

use csl_chip::Chip;
use csl_chip::registers::{SWITCH_SIDES, filter};
use csl_fabric::{ColorConfig, FilterConfig, Row};
use csl_pe::Registers;

pub(crate) struct RouterRegisters<'a> {
    pub fabric: &'a mut Row,
    pub chip: &'static Chip,
    pub x: u32,
    pub now: u64,
}

enum Register {
    Routes(u8),
    Switches(u8),
    SwitchSides(u8),
    FilterCounter(u8),
    FilterMaximum(u8),
    FilterLimit(u8),
    FilterEnable(u8),
    /// In half wavelets; whether it is the high word.
    HalfCounter(u8, bool),
    HalfMaximum(u8, bool),
    HalfLimit(u8, bool),
}

type Bank = (u16, fn(u8) -> Register);

const FILTER_BANKS: [Bank; 10] = [
    (filter::COUNTERS, Register::FilterCounter),
    (filter::MAXIMA, Register::FilterMaximum),
    (filter::LIMITS, Register::FilterLimit),
    (filter::ENABLES, Register::FilterEnable),
    (filter::HALF_COUNTERS, |color| Register::HalfCounter(color, false)),
    (filter::HALF_MAXIMA, |color| Register::HalfMaximum(color, false)),
    (filter::HALF_LIMITS, |color| Register::HalfLimit(color, false)),
    (filter::HALF_COUNTERS + filter::HIGH_WORD, |color| Register::HalfCounter(color, true)),
    (filter::HALF_MAXIMA + filter::HIGH_WORD, |color| Register::HalfMaximum(color, true)),
    (filter::HALF_LIMITS + filter::HIGH_WORD, |color| Register::HalfLimit(color, true)),
];

/// One word of a double register.
fn word_of(value: u32, is_high: bool) -> u16 {
    if is_high { (value >> 16) as u16 } else { value as u16 }
}

fn set_word(value: &mut u32, is_high: bool, word: u16) {
    let word = u32::from(word);
    *value = if is_high { *value & 0xffff | word << 16 } else { *value & !0xffff | word };
}

impl RouterRegisters<'_> {
    fn decode(&self, word: u16) -> Option<Register> {
        let routes: [Bank; 3] = [
            (self.chip.config.color_routes, Register::Routes),
            (self.chip.config.color_switches, Register::Switches),
            (SWITCH_SIDES, Register::SwitchSides),
        ];
        let color = |base: u16| word.checked_sub(base).filter(|color| *color < u16::from(self.chip.fabric.colors));
        routes.iter().chain(&FILTER_BANKS).find_map(|(base, register)| color(*base).map(|color| register(color as u8)))
    }
}

impl RouterRegisters<'_> {
    /// A color without a filter has no such registers.
    fn change_filter(&mut self, color: u8, change: impl FnOnce(&mut FilterConfig)) -> bool {
        let has_filter = self.fabric.color_config(self.x, color).is_some_and(|config| config.filter.is_some());
        has_filter
            && self.fabric.reconfigure(self.x, color, self.now, |config| {
                if let Some(filter) = &mut config.filter {
                    change(filter);
                }
            })
    }
}

impl Registers for RouterRegisters<'_> {
    fn read(&mut self, word: u16) -> Option<u16> {
        let unrouted = ColorConfig::default();
        let config = |color| self.fabric.color_config(self.x, color).unwrap_or(&unrouted);
        let filter = |color| config(color).filter;
        match self.decode(word)? {
            Register::Routes(color) => Some(config(color).route_word()),
            Register::Switches(color) => Some(config(color).switch_word()),
            Register::SwitchSides(_) => None,
            Register::FilterCounter(color) => filter(color).map(|filter| FilterConfig::wavelets_of(filter.counter)),
            Register::FilterMaximum(color) => filter(color).map(|filter| FilterConfig::wavelets_of(filter.max_counter)),
            Register::FilterLimit(color) => filter(color).map(|filter| FilterConfig::wavelets_of(filter.limit1)),
            Register::HalfCounter(color, high) => filter(color).map(|filter| word_of(filter.counter, high)),
            Register::HalfMaximum(color, high) => filter(color).map(|filter| word_of(filter.max_counter, high)),
            Register::HalfLimit(color, high) => filter(color).map(|filter| word_of(filter.limit1, high)),
            Register::FilterEnable(color) => filter(color).map(|filter| u16::from(!filter.disabled)),
        }
    }

    /// A color that is routed nowhere has registers where the program is seen to write such (`routes`); elsewhere the write
    /// is refused.
    fn write(&mut self, word: u16, value: u16) -> bool {
        let Some(register) = self.decode(word) else { return false };
        let (x, now) = (self.x, self.now);
        match register {
            Register::Routes(color) => self.fabric.reconfigure(x, color, now, |config| config.set_route_word(value)),
            Register::Switches(color) => self.fabric.reconfigure(x, color, now, |config| config.set_switch_word(value)),
            Register::SwitchSides(color) => {
                self.fabric.reconfigure(x, color, now, |config| config.set_sides_word(value))
            }
            Register::FilterCounter(color) => {
                self.change_filter(color, |filter| filter.counter = FilterConfig::count_of(value))
            }
            Register::FilterMaximum(color) => {
                self.change_filter(color, |filter| filter.max_counter = FilterConfig::limit_of(value))
            }
            Register::FilterLimit(color) => {
                self.change_filter(color, |filter| filter.limit1 = FilterConfig::limit_of(value))
            }
            Register::HalfCounter(color, high) => {
                self.change_filter(color, |filter| set_word(&mut filter.counter, high, value))
            }
            Register::HalfMaximum(color, high) => {
                self.change_filter(color, |filter| set_word(&mut filter.max_counter, high, value))
            }
            Register::HalfLimit(color, high) => {
                self.change_filter(color, |filter| set_word(&mut filter.limit1, high, value))
            }
            Register::FilterEnable(color) => self.change_filter(color, |filter| filter.disabled = value == 0),
        }
    }
}
