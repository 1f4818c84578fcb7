//! Explicit data structure registers (docs/decisions/machine.md M6). Only loaded ones take room. XDSRs and SRs have no
//! state of their own here: it is kept in the DSR that was loaded together with them.

use csl_isa::dsd::{Dsd, DsdClass};
use csl_machine::DsrFile;

use super::config::Config;
use super::cursor::{DsrSlot, Mem4Desc};

/// A descriptor as it was loaded; element sizes come from the operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Loaded {
    /// A mem1d or fabric descriptor.
    Packed(Dsd),
    /// A circular buffer, and its present address.
    Circ {
        dsd: Dsd,
        at: u16,
    },
    Mem4(Mem4Desc),
    Fifo(u8),
}

#[derive(Clone, Debug)]
pub(crate) struct Dsr {
    file: DsrFile,
    id: u8,
    pub value: Loaded,
    pub config: Config,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Dsrs(Vec<Dsr>);

impl Dsrs {
    pub fn find(&self, file: DsrFile, id: u8) -> Option<DsrSlot> {
        self.0.iter().position(|dsr| dsr.file == file && dsr.id == id).and_then(DsrSlot::of)
    }

    pub fn get(&self, at: DsrSlot) -> &Dsr {
        &self.0[at]
    }

    pub fn load(&mut self, file: DsrFile, id: u8, value: Loaded, config: Config) {
        match self.find(file, id) {
            Some(at) => (self.0[at].value, self.0[at].config) = (value, config),
            None => self.0.push(Dsr { file, id, value, config }),
        }
    }

    /// Saves the address of an ended operation, `.save_address`: the register points after the elements that it has
    /// used.
    pub fn save(&mut self, at: DsrSlot, stands: u16) {
        if self.0.get(at.index()).is_some_and(|dsr| dsr.config.save_address) {
            self.set_addr(at, stands);
        }
    }

    /// Changes the address of a descriptor. Returns false for one that is not in memory.
    pub fn set_addr(&mut self, at: DsrSlot, addr: u16) -> bool {
        match &mut self.0[at].value {
            Loaded::Packed(dsd) if dsd.class() == DsdClass::Mem1d => *dsd = dsd.with_addr(addr),
            Loaded::Circ { at, .. } => *at = addr,
            Loaded::Mem4(desc) => desc.addr = addr,
            Loaded::Packed(_) | Loaded::Fifo(_) => return false,
        }
        true
    }

    /// `@set_dsr_base_addr`: as [`Dsrs::set_addr`], but a circular buffer moves as a whole.
    pub fn set_base(&mut self, at: DsrSlot, addr: u16) -> bool {
        if let Loaded::Circ { dsd, .. } = &mut self.0[at].value {
            *dsd = dsd.with_addr(addr);
        }
        self.set_addr(at, addr)
    }
}

/// The DSD, without its color if it is a fabin: in an explicit DSR that reads from the color of its queue and binds none
/// (docs/decisions/machine.md M29).
pub(crate) fn queue_alone(dsd: Dsd) -> Dsd {
    if dsd.class() != DsdClass::Fabin || dsd.queue().is_none() {
        return dsd;
    }
    Dsd::fabric(DsdClass::Fabin, None, dsd.queue(), dsd.extent(), dsd.flags(), dsd.index_offset())
}
