//! Services of the PE: counters, random numbers, registers, and the dispatch of system operations.

use csl_machine::{Arch, Chip, DsrFile, PRNGS, SysOp, TaskTarget};
use csl_num::{LowBits, Prng};

use crate::event::{Event, EventKind, Printed};
use crate::fault::FaultKind;
use crate::main_thread::Flow;
use crate::pe::Pe;
use crate::ports::{Ports, Registers};
use crate::scalar::RegisterLoad;

/// The timestamp counter and the random number generators.
#[derive(Clone, Debug)]
pub(crate) struct System {
    /// The cycle at which the running counter was 0.
    tsc_zero: u64,
    tsc_runs: bool,
    /// The 48-bit value of a stopped counter, or the last that was latched.
    tsc_held: u64,
    prngs: [Prng; PRNGS as usize],
    active_prng: u8,
}

impl System {
    pub fn new(chip: &Chip) -> System {
        let prng = Prng::new(chip.registers.prng_seed);
        System { tsc_zero: 0, tsc_runs: false, tsc_held: 0, prngs: [prng; PRNGS as usize], active_prng: 0 }
    }

    /// Starts the counter from 0 (since SDK 1.1, `enable_tsc` clears it).
    fn enable_tsc(&mut self, cycle: u64) {
        (self.tsc_zero, self.tsc_runs) = (cycle, true);
    }

    fn disable_tsc(&mut self, cycle: u64) {
        self.latch(cycle);
        self.tsc_runs = false;
    }

    fn latch(&mut self, cycle: u64) {
        if self.tsc_runs {
            self.tsc_held = cycle.wrapping_sub(self.tsc_zero) & 0xffff_ffff_ffff;
        }
    }

    /// 16 bits of the counter; word 0 latches the others.
    pub fn tsc_word(&mut self, index: u64, cycle: u64) -> u64 {
        if index == 0 {
            self.latch(cycle);
        }
        self.tsc_held >> (16 * index.min(3)) & 0xffff
    }

    pub fn tsc_runs(&self) -> bool {
        self.tsc_runs
    }

    /// Lets the counter run on from where it stands, or stops it.
    pub fn run_tsc(&mut self, runs: bool, cycle: u64) {
        self.latch(cycle);
        self.tsc_runs = runs;
        self.tsc_zero = cycle.wrapping_sub(self.tsc_held);
    }

    pub fn set_tsc_word(&mut self, index: u16, value: u16, cycle: u64) {
        self.latch(cycle);
        let shift = 16 * u32::from(index);
        self.tsc_held = self.tsc_held & !(0xffff << shift) | u64::from(value) << shift;
        self.tsc_zero = cycle.wrapping_sub(self.tsc_held);
    }

    fn prng(&mut self) -> &mut Prng {
        &mut self.prngs[usize::from(self.active_prng) % usize::from(PRNGS)]
    }
}

impl Pe {
    /// Carries out a system operation and writes its result.
    pub(crate) fn serve(
        &mut self,
        op: SysOp,
        args: u16,
        dst: u16,
        ports: &mut Ports,
        registers: &mut dyn Registers,
    ) -> Result<Flow, FaultKind> {
        let arg = |i: u16| if usize::from(i) < op.args().len() { self.cpu.reg(args + i) } else { 0 };
        let (a, b) = (arg(0), arg(1));
        let value = self.service(op, a, b, ports, registers)?;
        if op.has_result() && dst != csl_isa::NO_REG {
            self.cpu.set_reg(dst, value);
        }
        Ok(Flow::On)
    }

    fn service(
        &mut self,
        op: SysOp,
        a: u64,
        b: u64,
        ports: &mut Ports,
        registers: &mut dyn Registers,
    ) -> Result<u64, FaultKind> {
        let tau = self.cpu.tau;
        let channel = |id: u64| TaskTarget::DataTask(id.min(255).low8());
        let mut value = 0;
        match op {
            SysOp::ActivateTask => self.tasks.activate_local(a as u16)?,
            SysOp::BlockTask => self.block_number(a, true),
            SysOp::UnblockTask => self.block_number(a, false),
            SysOp::BlockColor => self.tasks.set_blocked(self.channel_of_color(a, ports), true),
            SysOp::UnblockColor => self.tasks.set_blocked(self.channel_of_color(a, ports), false),
            SysOp::BlockQueue => self.tasks.set_blocked(channel(a), true),
            SysOp::UnblockQueue => self.tasks.set_blocked(channel(a), false),
            SysOp::BlockUt => self.ut_blocked |= 1 << (a & 7),
            SysOp::UnblockUt => self.ut_blocked &= !(1 << (a & 7)),
            SysOp::Random16 => value = u64::from(self.system.prng().next_u16()),
            SysOp::SetActivePrng => self.system.active_prng = (a % u64::from(PRNGS)).low8(),
            SysOp::SetPrngSeed => *self.system.prng() = Prng::new(a as u32),
            SysOp::Assert if a == 0 => return Err(FaultKind::AssertionFailed),
            SysOp::Assert => {}
            SysOp::GetConfig => value = u64::from(self.read_register(a as u16, ports, registers)),
            SysOp::SetConfig => self.write_register(a as u16, b as u16, ports, registers)?,
            SysOp::TscEnable => self.system.enable_tsc(tau),
            SysOp::TscDisable => self.system.disable_tsc(tau),
            SysOp::TscWord => value = self.system.tsc_word(a, tau),
            SysOp::UnblockCmdStream => ports.cmd_stream_unblocked = true,
            SysOp::GetX => value = u64::from(self.x),
            SysOp::GetY => value = u64::from(self.y),
            SysOp::SetFifoReadLength => self.fifo_mut(a)?.read_len = b as u16,
            SysOp::SetFifoWriteLength => self.fifo_mut(a)?.write_len = b as u16,
            SysOp::QueueFlush => self.flush(a, ports),
            SysOp::SetDsrAddr => self.set_dsr_addr(a, b as u16)?,
            SysOp::MessageHeader => self.message_header = a as u32,
            SysOp::PrintValue => self.printing.push(Printed { kind: a as u16, value: b }),
            SysOp::PrintFlush => self.flush_print(),
        }
        Ok(value)
    }

    fn block_number(&mut self, id: u64, blocked: bool) {
        let target = self.tasks.task_of_id(&self.program, id.low16());
        self.tasks.set_blocked(target, blocked);
    }

    /// WSE-3 blocks the input queue that the color is bound to.
    fn channel_of_color(&self, color: u64, ports: &Ports) -> TaskTarget {
        let color = color.min(255).low8();
        let queue = ports.color_slot(color).map(|slot| ports.inputs[slot].queue);
        match self.chip.arch {
            Arch::Wse2 => TaskTarget::Color(color),
            Arch::Wse3 => TaskTarget::InputQueue(queue.unwrap_or(color)),
        }
    }

    fn fifo_mut(&mut self, id: u64) -> Result<&mut crate::fifo::FifoState, FaultKind> {
        self.fifos.get_mut(id as usize).ok_or(FaultKind::BadOperand("no such FIFO"))
    }

    fn set_dsr_addr(&mut self, number: u64, addr: u16) -> Result<(), FaultKind> {
        let file = DsrFile::ALL[(number >> 4 & 3).min(2) as usize];
        let id = (number & 15).low8();
        let at = self.dsrs.find(file, id).ok_or(FaultKind::EmptyDsr { file, id })?;
        if self.dsrs.set_base(at, addr) {
            return Ok(());
        }
        Err(FaultKind::BadOperand("a fabric DSD or FIFO has no base address"))
    }

    fn flush(&mut self, queue: u64, ports: &Ports) {
        self.flushing |= 1 << (queue & 15);
        self.watch_flushes(ports);
    }

    fn flush_print(&mut self) {
        let print = std::mem::take(&mut self.printing);
        self.events.push(Event { cycle: self.cpu.tau, what: EventKind::Print(print) });
    }

    pub(crate) fn load_register(
        &mut self,
        load: RegisterLoad,
        ports: &Ports,
        registers: &mut dyn Registers,
    ) -> Result<Flow, FaultKind> {
        let words = u16::from(load.bytes).div_ceil(2);
        let mut raw = 0;
        for i in 0..words {
            let word = (load.addr >> 1).wrapping_add(i);
            raw |= u64::from(self.read_register(word, ports, registers)) << (16 * i);
        }
        if load.bytes == 1 && load.addr & 1 == 1 {
            raw >>= 8;
        }
        self.cpu.finish_load(load, raw);
        Ok(Flow::On)
    }

    pub(crate) fn store_register(
        &mut self,
        addr: u16,
        bytes: u8,
        value: u64,
        ports: &mut Ports,
        registers: &mut dyn Registers,
    ) -> Result<Flow, FaultKind> {
        if bytes == 1 {
            return Err(FaultKind::Unsupported("a store of one byte to a register"));
        }
        for i in 0..u16::from(bytes / 2) {
            let word = (addr >> 1).wrapping_add(i);
            self.write_register(word, (value >> (16 * i)).low16(), ports, registers)?;
        }
        Ok(Flow::On)
    }
}
