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
}

impl RouterRegisters<'_> {
    fn decode(&self, word: u16) -> Option<Register> {
        let banks: [(u16, fn(u8) -> Register); 7] = [
            (self.chip.config.color_routes, Register::Routes),
            (self.chip.config.color_switches, Register::Switches),
            (SWITCH_SIDES, Register::SwitchSides),
            (filter::COUNTERS, Register::FilterCounter),
            (filter::MAXIMA, Register::FilterMaximum),
            (filter::LIMITS, Register::FilterLimit),
            (filter::ENABLES, Register::FilterEnable),
        ];
        let color = |base: u16| word.checked_sub(base).filter(|color| *color < u16::from(self.chip.fabric.colors));
        banks.iter().find_map(|(base, register)| color(*base).map(|color| register(color as u8)))
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
        match self.decode(word)? {
            Register::Routes(color) => Some(config(color).route_word()),
            Register::Switches(color) => Some(config(color).switch_word()),
            Register::SwitchSides(_) => None,
            Register::FilterCounter(color) => config(color).filter.map(|filter| filter.counter),
            Register::FilterMaximum(color) => config(color).filter.map(|filter| filter.max_counter),
            Register::FilterLimit(color) => config(color).filter.map(|filter| filter.limit1),
            Register::FilterEnable(color) => config(color).filter.map(|filter| u16::from(!filter.disabled)),
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
            Register::FilterCounter(color) => self.change_filter(color, |filter| filter.counter = value),
            Register::FilterMaximum(color) => self.change_filter(color, |filter| filter.max_counter = value),
            Register::FilterLimit(color) => self.change_filter(color, |filter| filter.limit1 = value),
            Register::FilterEnable(color) => self.change_filter(color, |filter| filter.disabled = value == 0),
        }
    }
}
