//! A router's registers, as the program on its tile reads and writes them (semantics.md 22).

use csl_chip::Chip;
use csl_fabric::{ColorConfig, Row};
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
}

impl RouterRegisters<'_> {
    fn decode(&self, word: u16) -> Option<Register> {
        let color = |base: u16| word.checked_sub(base).filter(|color| *color < u16::from(self.chip.fabric.colors));
        let routes = color(self.chip.config.color_routes).map(|color| Register::Routes(color as u8));
        routes.or_else(|| color(self.chip.config.color_switches).map(|color| Register::Switches(color as u8)))
    }
}

impl Registers for RouterRegisters<'_> {
    fn read(&mut self, word: u16) -> Option<u16> {
        let unrouted = ColorConfig::default();
        let config = |color| self.fabric.color_config(self.x, color).unwrap_or(&unrouted);
        match self.decode(word)? {
            Register::Routes(color) => Some(config(color).route_word()),
            Register::Switches(color) => Some(config(color).switch_word()),
        }
    }

    /// A color that the program routes nowhere has no registers to write: such a write is refused.
    fn write(&mut self, word: u16, value: u16) -> bool {
        let Some(register) = self.decode(word) else { return false };
        let (x, now) = (self.x, self.now);
        match register {
            Register::Routes(color) => self.fabric.reconfigure(x, color, now, |config| config.set_route_word(value)),
            Register::Switches(color) => self.fabric.reconfigure(x, color, now, |config| config.set_switch_word(value)),
        }
    }
}
