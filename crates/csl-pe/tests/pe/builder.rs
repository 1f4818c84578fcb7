//! Images of a few instructions, and a PE that runs them alone.

use std::sync::Arc;

use csl_image::{Fifo, PeImage, Section};
use csl_isa::vec::{RegOrImm, VecArg};
use csl_isa::{Insn, Op};
use csl_machine::{Arch, Dialect, DsrFile, DsrLoad, FifoAction, FifoConfig, Sdk, SysOp, VecConfig};
use csl_pe::{Fault, NoRegisters, Pe, Ports, Wake};
pub use csl_testkit::{
    bind, fabin, fabout, func, main_task, mem, program as image, queue, task, vec, vec_async, vec_to,
};

/// A cycle far beyond the end of any test.
pub const FOREVER: u64 = u64::MAX;

pub fn section(image: &mut PeImage, addr: u16, bytes: Vec<u8>) {
    image.sections.push(Section { addr, bytes });
}

pub fn load_dsr(image: &mut PeImage, file: DsrFile, id: u8, dsd: VecArg, config: VecConfig<RegOrImm>) -> Insn {
    image.dsr_loads.push(DsrLoad { file, id, xdsr: None, srs: Vec::new(), dsd, config });
    Insn::new(Op::LoadDsr, image.dsr_loads.len() as u16 - 1, 0, 0)
}

pub fn scalar(value: u32, bits: u8) -> VecArg {
    VecArg::ScalarConst { value, bits }
}

pub fn fifo(image: &mut PeImage, addr: u16, words: u16, elem_words: u16) -> VecArg {
    image.fifos.push(Fifo {
        addr,
        words,
        config: FifoConfig {
            elem_words,
            empty_action: FifoAction::TestOrSuspend,
            full_action: FifoAction::TestOrSuspend,
            activate_push: None,
            activate_pop: None,
            priority: None,
            simd: None,
        },
    });
    VecArg::Fifo(image.fifos.len() as u8 - 1)
}

pub fn sys(op: SysOp, args: u16, dst: u16) -> Insn {
    let number = SysOp::ALL.iter().position(|&known| known == op).expect("every operation is listed");
    Insn::new(Op::Sys, number as u16, args, dst)
}

pub fn imm(reg: u16, value: u16) -> Insn {
    Insn::new(Op::Imm, reg, value, 0)
}

pub fn store16(reg: u16, addr: u16) -> Insn {
    Insn::new(Op::Store16At, reg, addr, 0)
}

pub fn charge(cycles: u16) -> Insn {
    Insn::new(Op::Charge, cycles, 0, 0)
}

/// A PE with its ports.
pub struct Bench {
    pub pe: Pe,
    pub ports: Ports,
}

impl Bench {
    pub fn new(image: PeImage) -> Bench {
        Bench::on(image, Arch::Wse2, Sdk { major: 1, minor: 4 })
    }

    pub fn on(image: PeImage, arch: Arch, sdk: Sdk) -> Bench {
        let image = PeImage { dialect: Dialect::of(sdk), ..image };
        let mut ports = Ports::new(arch);
        let pe = Pe::new(Arc::new(image), arch.chip(), 3, 5, &mut ports);
        Bench { pe, ports }
    }

    pub fn advance(&mut self, now: u64) -> Result<Wake, Fault> {
        self.pe.advance(now, FOREVER, &mut self.ports, &mut NoRegisters)
    }

    /// Runs from `from` until the PE sleeps for good or for its queues; returns the cycle of the last visit.
    pub fn run_from(&mut self, from: u64) -> Result<u64, Fault> {
        let mut now = from;
        for _ in 0..100_000 {
            let wake = self.advance(now)?;
            if wake.at == u64::MAX {
                return Ok(now);
            }
            assert!(wake.at > now, "a PE wakes later than it fell asleep");
            now = wake.at;
        }
        panic!("the PE does not come to rest");
    }

    pub fn run(&mut self) -> Result<u64, Fault> {
        self.run_from(0)
    }

    pub fn word(&self, addr: u16) -> u16 {
        self.pe.memory().read16(addr)
    }

    pub fn words(&self, addr: u16, count: u16) -> Vec<u16> {
        (0..count).map(|i| self.word(addr + 2 * i)).collect()
    }

    pub fn f32s(&self, addr: u16, count: u16) -> Vec<f32> {
        (0..count).map(|i| f32::from_bits(self.pe.memory().read32(addr + 4 * i))).collect()
    }
}

pub fn run(image: PeImage) -> Bench {
    let mut bench = Bench::new(image);
    bench.run().expect("the program runs without fault");
    bench
}

pub fn bytes16(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub fn bytes_f32(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
