//! Images of a few instructions, and a PE that runs them alone.

use std::sync::Arc;

use csl_image::{Fifo, Function, HalfFormat, PeImage, Queue, Region, Section, Task, TaskParam};
use csl_isa::dsd::{Dsd, DsdClass};
use csl_isa::vec::{RegOrImm, VecArg, VecDesc};
use csl_isa::{Insn, NO_REG, Op};
use csl_machine::{
    Action, Arch, Dialect, DsrFile, DsrLoad, FifoAction, FifoConfig, QueueDir, Sdk, Startup, SysOp, TaskKind,
    TaskTarget, VecConfig, VecOp,
};
use csl_pe::{Fault, NoRegisters, Pe, Ports, Wake};

pub const STACK: u16 = 0xa000;

/// Nowhere near the end of a test.
pub const FOREVER: u64 = u64::MAX;

pub fn image() -> PeImage {
    PeImage {
        name: "test".into(),
        dialect: Dialect::CURRENT,
        half: HalfFormat::F16,
        code: Vec::new(),
        funcs: Vec::new(),
        sections: Vec::new(),
        data_end: 0,
        stack: Region { start: STACK, end: 0xb000 },
        vecs: Vec::new(),
        dsr_loads: Vec::new(),
        iters: Vec::new(),
        pool: Vec::new(),
        tile_consts: 0,
        tasks: Vec::new(),
        startup: Vec::new(),
        queues: Vec::new(),
        fifos: Vec::new(),
        dsr_inits: Vec::new(),
        colors: Vec::new(),
        configs: Vec::new(),
        exports: Vec::new(),
        rpc: None,
        teardown_handlers: Vec::new(),
        empty_queue_handlers: Vec::new(),
        rotating: Vec::new(),
        separate_control_table: false,
        main_thread_priority: None,
        strings: Vec::new(),
        symbols: Vec::new(),
        lines: Vec::new(),
        inlined: Vec::new(),
        descriptors: Vec::new(),
    }
}

/// Adds a function; `ret_void` without cost is put behind its code.
pub fn func(image: &mut PeImage, params: u16, code: &[Insn]) -> u16 {
    let entry = image.code.len() as u32;
    image.code.extend_from_slice(code);
    image.code.push(Insn::new(Op::RetVoid, 0, 0, 0));
    image.funcs.push(Function {
        name: format!("f{}", image.funcs.len()),
        entry,
        end: image.code.len() as u32,
        frame: 16,
        params,
        has_result: false,
        stack: 0,
        iters: 4,
    });
    image.funcs.len() as u16 - 1
}

pub fn bind(image: &mut PeImage, kind: TaskKind, id: u8, bits: &[u8], func: u16) {
    let params = bits.iter().map(|&bits| TaskParam { bits, signed: false }).collect();
    image.tasks.push(Task { kind, id, func, params });
}

/// A local task with this code.
pub fn task(image: &mut PeImage, id: u8, code: &[Insn]) {
    let func = func(image, 0, code);
    bind(image, TaskKind::Local, id, &[], func);
}

/// A local task that is active at the start.
pub fn main_task(image: &mut PeImage, code: &[Insn]) {
    task(image, 8, code);
    image.startup.push(Startup::Activate(TaskTarget::LocalTask(8)));
}

pub fn section(image: &mut PeImage, addr: u16, bytes: Vec<u8>) {
    image.sections.push(Section { addr, bytes });
}

/// A vector operation; its bool goes to register `dst`.
pub fn vec_to(
    image: &mut PeImage,
    dst: u16,
    op: VecOp,
    dest: VecArg,
    srcs: &[VecArg],
    config: VecConfig<RegOrImm>,
) -> Insn {
    image.vecs.push(VecDesc { op: op as u8, dest, srcs: srcs.to_vec(), config });
    Insn::new(Op::Vec, image.vecs.len() as u16 - 1, dst, 0)
}

pub fn vec(image: &mut PeImage, op: VecOp, dest: VecArg, srcs: &[VecArg]) -> Insn {
    vec_to(image, NO_REG, op, dest, srcs, VecConfig::default())
}

/// An asynchronous operation that activates a local task.
pub fn vec_async(image: &mut PeImage, op: VecOp, dest: VecArg, srcs: &[VecArg], then: u8) -> Insn {
    let completion = Action::Activate(TaskTarget::LocalTask(RegOrImm::Imm(u16::from(then))));
    vec_to(image, NO_REG, op, dest, srcs, VecConfig { is_async: true, completion, ..VecConfig::default() })
}

pub fn load_dsr(image: &mut PeImage, file: DsrFile, id: u8, dsd: VecArg, config: VecConfig<RegOrImm>) -> Insn {
    image.dsr_loads.push(DsrLoad { file, id, xdsr: None, srs: Vec::new(), dsd, config });
    Insn::new(Op::LoadDsr, image.dsr_loads.len() as u16 - 1, 0, 0)
}

pub fn mem(addr: u16, extent: u16, stride: i16) -> VecArg {
    VecArg::DsdConst(Dsd::mem1d(addr, extent, stride, false).0)
}

pub fn fabin(color: u8, queue: u8, extent: u16) -> VecArg {
    VecArg::DsdConst(Dsd::fabric(DsdClass::Fabin, color, queue, extent, 0, false).0)
}

pub fn fabout(color: u8, queue: u8, extent: u16) -> VecArg {
    VecArg::DsdConst(Dsd::fabric(DsdClass::Fabout, color, queue, extent, 0, false).0)
}

pub fn scalar(value: u32, bits: u8) -> VecArg {
    VecArg::ScalarConst { value, bits }
}

pub fn queue(image: &mut PeImage, dir: QueueDir, id: u8, color: u8) {
    image.queues.push(Queue { dir, id, color: Some(color), priority: None, control_base: 0, dense_mode: false });
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

    /// Runs from `from` until the PE sleeps for good or for its queues; the cycle of the last visit.
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
