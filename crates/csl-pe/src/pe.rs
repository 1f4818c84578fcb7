//! One PE: its state, and what the simulator asks of it.

use std::sync::Arc;

use csl_image::PeImage;
use csl_isa::vec::VecArg;
use csl_machine::registers::ce;
use csl_machine::{Chip, QueueDir};
use csl_num::FloatKind;

use crate::cpu::Cpu;
use crate::event::{Event, Printed};
use crate::fault::{Fault, FaultKind};
use crate::fifo::FifoState;
use crate::hold::Hold;
use crate::iterator::Iter;
use crate::main_thread::Main;
use crate::memory::Memory;
use crate::microthread::{self, Completion, Microthread};
use crate::ports::{NONE, NoRegisters, Ports, Registers, Wake};
use crate::registers::Unserved;
use crate::rpc::RpcCall;
use crate::scalar::half_kind;
use crate::system::System;
use crate::tasks::Tasks;
use crate::trace::Tracer;
use crate::vec::dsr::Dsrs;
use crate::vec::run::VecRun;

/// What an operation touches in one issue at `$now`: the fields of a PE beside the operation itself, which is run in place.
macro_rules! io {
    ($pe:ident, $ports:expr, $now:expr, $activated:ident) => {
        crate::vec::run::Io {
            chip: $pe.chip,
            memory: &mut $pe.memory,
            ports: $ports,
            fifos: &mut $pe.fifos,
            half: $pe.half,
            unmasked: $pe.unmasked,
            raised: 0,
            now: $now,
            ramp: u64::from($pe.chip.timing.dispatch_to_ramp),
            transform: $pe.transform,
            activated: &mut $activated,
        }
    };
}
pub(crate) use io;

/// One PE.
///
/// Its clock is `tau`, the cycle in which the main thread issues next. While no microthread runs, nothing that the PE
/// does can be seen from outside before its next *sync point*, so it runs ahead of the fabric's clock up to there.
///
/// In this order in memory: what each cycle of a streaming PE looks at lies together (measured).
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Pe {
    pub(crate) fault: Option<Box<Fault>>,
    pub(crate) tracer: Option<Box<Tracer>>,
    pub(crate) chip: &'static Chip,
    pub(crate) uts: Vec<Microthread>,
    pub(crate) completions: Vec<Completion>,
    pub(crate) fifos: Vec<FifoState>,
    /// The thread that issued last in the arbitration.
    pub(crate) holder: u8,
    /// When a microthread issued last.
    pub(crate) last_issue: u64,
    /// A memcpy transfer runs up to this cycle.
    pub(crate) armed_until: u64,
    /// What `control_transform` flips of a control wavelet's word.
    pub(crate) transform: u32,
    /// Queues, as `SysOp::QueueFlush` counts them: those that are to drain.
    pub(crate) flushing: u16,
    /// Floating-point exceptions that stop the PE, in the bits of their register.
    pub(crate) unmasked: u16,
    pub(crate) ut_blocked: u8,
    /// Priority of the main thread, in the scale of `microthread::class`.
    pub(crate) main_class: u8,
    /// Priority bits of the input queues' registers, for the microthreads of their numbers.
    pub(crate) queue_priority: [u16; 8],
    pub(crate) half: FloatKind,
    pub(crate) packed: bool,
    pub(crate) x: u16,
    pub(crate) y: u16,
    pub(crate) memory: Memory,
    pub(crate) cpu: Cpu,
    pub(crate) main: Main,
    pub(crate) tasks: Tasks,
    pub(crate) calls: Vec<Call>,
    pub(crate) program: Arc<PeImage>,
    pub(crate) dsrs: Dsrs,
    /// The first cycle in which an operation may use the DSRs loaded last.
    pub(crate) dsr_ready: u64,
    /// Where the last synchronous operation began to write, and the first cycles in which the next may issue: any, and one
    /// that reads there.
    pub(crate) last_dest: Option<u16>,
    pub(crate) next_ready: u64,
    pub(crate) dependent_ready: u64,
    pub(crate) iters: Vec<Iter>,
    pub(crate) system: System,
    pub(crate) calls_started: u64,
    /// The main thread runs a launched function.
    pub(crate) in_call: bool,
    /// Colors whose teardown handler has to run.
    pub(crate) teardown: u32,
    /// Queues that have drained (a register), and those of them whose handler has to run.
    pub(crate) flushed: u16,
    pub(crate) drained: u16,
    /// The call whose wavelets the server of `@rpc` is taking.
    pub(crate) rpc_call: Option<RpcCall>,
    /// What the next message starts with.
    pub(crate) message_header: u32,
    pub(crate) rotations: Vec<u32>,
    pub(crate) holds: Vec<Hold>,
    /// Registers that do nothing here, and what they hold.
    pub(crate) kept: Vec<(u16, u16)>,
    pub(crate) unserved: Vec<Unserved>,
    pub(crate) events: Vec<Event>,
    pub(crate) printing: Vec<Printed>,
}

/// A call by the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub func: u16,
    pub args: Vec<u64>,
}

impl Pe {
    /// A PE before its first cycle: memory initialised, queues bound in `ports`, startup done. `x`, `y` are the PE's
    /// coordinates in the program's rectangle. Of the writes to configuration registers (`PeImage::configs`) those to
    /// the compute element's own are done; the router's and the colors are the simulator's.
    ///
    /// `program` has passed [`csl_image::Image::check`].
    pub fn new(program: Arc<PeImage>, chip: &'static Chip, x: u16, y: u16, ports: &mut Ports) -> Pe {
        let mut pe = Pe {
            chip,
            half: half_kind(program.half),
            packed: program.dialect.packs_halves,
            x,
            y,
            memory: Memory::of(&program),
            cpu: Cpu::new(program.tile_consts),
            main: Main::Idle,
            tasks: Tasks::new(chip.arch, &program),
            uts: Vec::new(),
            completions: Vec::new(),
            ut_blocked: 0,
            holder: 0,
            last_issue: 0,
            dsrs: Dsrs::default(),
            dsr_ready: 0,
            last_dest: None,
            next_ready: 0,
            dependent_ready: 0,
            fifos: program.fifos.iter().map(FifoState::new).collect(),
            iters: Vec::new(),
            system: System::new(chip),
            armed_until: 0,
            calls: Vec::new(),
            calls_started: 0,
            in_call: false,
            teardown: 0,
            flushing: 0,
            flushed: 0,
            drained: 0,
            unmasked: 0,
            rpc_call: None,
            message_header: 0,
            transform: 0,
            main_class: microthread::main_class(program.main_thread_priority),
            queue_priority: [0; 8],
            rotations: program.rotating.iter().map(|pair| pair.init).collect(),
            holds: Vec::new(),
            kept: Vec::new(),
            unserved: Vec::new(),
            events: Vec::new(),
            printing: Vec::new(),
            tracer: None,
            fault: None,
            program,
        };
        if let Err(kind) = pe.start_up(ports) {
            pe.stop(kind, 0);
        }
        pe
    }

    /// Gives a constant of which every tile has its own (`PeImage::tile_consts`) this tile's value, in canonical form.
    pub fn set_const(&mut self, number: u16, value: u64) {
        self.cpu.tile_consts[usize::from(number)] = value;
    }

    fn start_up(&mut self, ports: &mut Ports) -> Result<(), FaultKind> {
        let program = self.program.clone();
        for queue in &program.queues {
            let color = queue.color.unwrap_or(NONE);
            let bound = match queue.dir {
                QueueDir::In if color == NONE => continue,
                QueueDir::In => ports.bind_input(queue.id, color),
                QueueDir::Out => ports.bind_output(queue.id, color),
            };
            match (queue.dir, bound) {
                (QueueDir::In, Ok(slot)) => ports.inputs[slot].dense = queue.dense_mode,
                (QueueDir::Out, Ok(slot)) => ports.outputs[slot].dense = queue.dense_mode,
                (_, Err(_)) => {}
            }
        }
        for load in &program.dsr_inits {
            debug_assert!(!matches!(load.dsd, VecArg::Dsd(_)), "checked by the image's reader");
            self.load_dsr(load)?;
        }
        for &(word, value) in &program.configs {
            if ce::holds(word) {
                self.write_register(word, value, ports, &mut NoRegisters)?;
            } else {
                // The router's are read from it; of the rest this is all there is.
                self.keep(word, value);
            }
        }
        self.tasks.start_up(&program)
    }

    /// Runs the PE in the fabric's cycle `now`: everything that has landed in it is in `ports`. The main thread may run
    /// ahead of `now`, but starts nothing at or after `limit` (the cycle at which the host will look at memory).
    /// To be called again when the returned [`Wake`] says; calls in between are harmless.
    pub fn advance(
        &mut self,
        now: u64,
        limit: u64,
        ports: &mut Ports,
        registers: &mut dyn Registers,
    ) -> Result<Wake, Fault> {
        let mut wake = Wake::at(0);
        self.visit(now, limit, ports, registers, &mut wake).map(|()| wake)
    }

    /// [`Pe::advance`], with the result where the simulator keeps it.
    pub fn visit(
        &mut self,
        now: u64,
        limit: u64,
        ports: &mut Ports,
        registers: &mut dyn Registers,
        wake: &mut Wake,
    ) -> Result<(), Fault> {
        if self.fault.is_none() {
            self.cycle(now, limit, ports, registers);
        }
        match &self.fault {
            Some(fault) if fault.cycle <= now => return Err(fault.as_ref().clone()),
            Some(fault) => *wake = Wake::at(fault.cycle),
            None => self.sleep(now, ports, wake),
        }
        Ok(())
    }

    /// One cycle in the order of the reference: due completions, the main thread's own work, the one issue slot.
    fn cycle(&mut self, now: u64, limit: u64, ports: &mut Ports, registers: &mut dyn Registers) {
        if ports.stray_half != NONE {
            return self.stop(FaultKind::HalfWavelet { queue: ports.stray_half }, now);
        }
        self.settle(now);
        if !self.completions.is_empty() {
            self.take_completions(now);
        }
        self.watch_flushes(ports);
        let has_code = !self.uts.is_empty() && self.code_until(now, ports) > now;
        if !matches!(&self.main, Main::Vec { run, .. } if run.is_fabric) {
            self.run_main(now, limit, ports, registers);
        }
        if self.fault.is_none() {
            self.arbitrate(now, has_code, ports);
            self.watch_flushes(ports);
        }
    }

    /// Whether a microthread or transfer could see what the main thread does.
    pub(crate) fn is_armed(&self, now: u64) -> bool {
        !self.uts.is_empty() || !self.completions.is_empty() || now < self.armed_until
    }

    pub(crate) fn stop(&mut self, kind: FaultKind, cycle: u64) {
        let running = !matches!(self.main, Main::Idle);
        let stack = if running { self.cpu.call_stack() } else { Vec::new() };
        self.fault = Some(Box::new(Fault { kind, cycle, pc: stack.first().copied(), stack }));
    }

    pub(crate) fn save_dsrs(&mut self, run: &VecRun) {
        for (dsr, addr) in run.saved() {
            self.dsrs.save(dsr, addr);
        }
    }

    /// The cycle in which the main thread goes on: the fabric's clock may lie behind it.
    pub fn clock(&self) -> u64 {
        self.cpu.tau
    }

    /// The last cycle in which a thread had the issue slot; it may lie ahead of the fabric's clock.
    pub fn last_issue(&self) -> u64 {
        self.cpu.tau.max(self.last_issue)
    }

    // ---- what memcpy asks ----

    /// A host call of function number `func` of the program, with its arguments in canonical form. It becomes ready like
    /// a task; further calls wait for their turn.
    pub fn call(&mut self, func: u16, args: &[u64]) {
        self.calls.push(Call { func, args: args.to_vec() });
    }

    /// How many host calls have started so far: a launch returns to the host when its function has been called.
    pub fn calls_started(&self) -> u64 {
        self.calls_started
    }

    /// Whether no task runs and no synchronous operation holds the main thread, so that memcpy's own tasks could run
    /// (docs/decisions/machine.md M15).
    pub fn memcpy_ready(&self, now: u64) -> bool {
        matches!(self.main, Main::Idle) && self.cpu.tau <= now
    }

    /// A memcpy transfer runs on microthread 0 up to, not including, that cycle: the main thread does not run ahead of it.
    pub fn arm(&mut self, until: u64) {
        self.armed_until = self.armed_until.max(until);
    }

    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    pub fn memory_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// Writes the low `bytes` bytes of `value`: a patch of the image, before the first cycle.
    pub fn patch(&mut self, addr: u16, bytes: u8, value: u64) {
        let bytes = usize::from(bytes).min(8);
        self.memory.write_bytes(addr, &value.to_le_bytes()[..bytes]);
    }

    /// A TEARDOWN wavelet of `color` has passed: the teardown task becomes ready (docs/decisions/machine.md M22).
    pub fn tear_down(&mut self, color: u8) {
        self.teardown |= 1u32.checked_shl(u32::from(color)).unwrap_or(0);
        self.tasks.activate_mask(1 << self.chip.tasks.teardown);
    }

    /// Output with its cycles, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    pub fn program(&self) -> &Arc<PeImage> {
        &self.program
    }
}
