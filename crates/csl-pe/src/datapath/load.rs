//! Loads of explicit data structure registers.

use csl_image::PeImage;
use csl_isa::dsd::{Dsd, DsdClass};
use csl_isa::vec::{RegOrImm, VecArg};
use csl_machine::{DsrFile, DsrLoad};
use csl_num::LowBits;

use super::config::Config;
use super::cursor::Mem4Desc;
use super::dsr::Loaded;
use super::state::Datapath;
use crate::fault::FaultKind;

impl Datapath {
    /// Loads a DSR; `reg` are the registers of the running function.
    pub fn load_dsr(
        &mut self,
        load: &DsrLoad<VecArg, RegOrImm>,
        program: &PeImage,
        reg: &dyn Fn(u16) -> u64,
    ) -> Result<(), FaultKind> {
        let packed = |dsd: Dsd| match dsd.class() {
            DsdClass::Circbuf => Loaded::Circ { dsd, at: dsd.addr() },
            _ => Loaded::Packed(dsd),
        };
        let value = match load.dsd {
            VecArg::Dsd(number) => packed(Dsd(reg(number))),
            VecArg::DsdConst(word) => packed(Dsd(word)),
            VecArg::Mem4d(number) => Loaded::Mem4(Mem4Desc::read(&self.memory, reg(number).low16())),
            VecArg::Mem4dAt(addr) => Loaded::Mem4(Mem4Desc::read(&self.memory, addr)),
            VecArg::Mem4dConst(row) => Loaded::Mem4(Mem4Desc::of_words(&program.descriptors[usize::from(row)])),
            VecArg::Fifo(id) => Loaded::Fifo(id),
            _ => return Err(FaultKind::BadOperand("only a DSD can be loaded into a DSR")),
        };
        self.dsrs.load(load.file, load.id, value, Config::resolve(&load.config, reg));
        Ok(())
    }

    /// `@set_dsr_base_addr` of the DSR with a number ([`dsr_of`]).
    pub fn set_dsr_addr(&mut self, number: u64, addr: u16) -> Result<(), FaultKind> {
        let (file, id) = dsr_of(number);
        let at = self.dsrs.find(file, id).ok_or(FaultKind::EmptyDsr { file, id })?;
        if self.dsrs.set_base(at, addr) {
            return Ok(());
        }
        Err(FaultKind::BadOperand("a fabric DSD or FIFO has no base address"))
    }
}

/// The DSR of a number: bits 4 and 5 give the file, the low four the id.
pub fn dsr_of(number: u64) -> (DsrFile, u8) {
    (DsrFile::ALL[usize::from((number >> 4 & 3).min(2).low8())], (number & 15).low8())
}
