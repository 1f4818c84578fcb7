//! One PE: its three parts, its program, and the interface for the simulator.

use std::sync::Arc;

use csl_image::PeImage;
use csl_isa::vec::VecArg;
use csl_machine::registers::ce;
use csl_machine::{Chip, Color, Draws, QueueDir};

use crate::check::Shadow;
use crate::complaint::{Access, Complaint};
use crate::datapath::{Datapath, Memory};
use crate::event::Event;
use crate::fault::{Fault, FaultKind};
use crate::outside::{NoRegisters, Registers, Wake};
use crate::ports::Ports;
use crate::queues::InQueue;
use crate::scalar::Cpu;
use crate::sched::{
    AstrayRoot, Call, Hazard, NamedTask, Outlet, Sched, TaskState, UnboundActivation, Unserved, Visit, Waiting,
};

/// What a program gets that reads the time in a run without a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeReads {
    /// A fault: any number would be wrong.
    Refused,
    /// The PE's own time, which grows and means nothing else.
    OwnTime,
}

/// One PE.
///
/// Its clock is `local_time`, the cycle in which the main thread issues next. While no microthread runs, nothing that the PE
/// does can be seen from outside before its next *sync point*, so it runs ahead of the fabric's clock up to there.
///
/// The order of the fields is that in memory: those that each cycle of a streaming PE reads lie together (measured).
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Pe {
    data: Datapath,
    sched: Sched,
    cpu: Cpu,
    program: Arc<PeImage>,
    /// Coordinates in the program's rectangle.
    at: (u16, u16),
    #[cfg(feature = "jit")]
    native: Option<Arc<csl_jit::Native>>,
}

impl Pe {
    /// A PE before its first cycle: memory initialised, queues bound in `ports`, startup done. `x`, `y` are the PE's
    /// coordinates in the program's rectangle. Of the writes to configuration registers (`PeImage::configs`) those to
    /// the compute element's own are done; the router's and the colors are the simulator's.
    ///
    /// `program` has passed [`csl_image::Image::check`].
    pub fn new(program: Arc<PeImage>, chip: &'static Chip, x: u16, y: u16, ports: &mut Ports) -> Pe {
        let mut pe = Pe {
            data: Datapath::new(&program, chip),
            sched: Sched::new(&program, chip),
            cpu: Cpu::new(program.tile_consts),
            program,
            at: (x, y),
            #[cfg(feature = "jit")]
            native: None,
        };
        if let Err(kind) = pe.start_up(ports) {
            pe.sched.raise_fault(kind, 0, &pe.cpu);
        }
        pe
    }

    /// Sets a constant that differs between tiles (`PeImage::tile_consts`) to this tile's value, in canonical form.
    pub fn set_const(&mut self, number: u16, value: u64) {
        self.cpu.set_const(number, value);
    }

    fn start_up(&mut self, ports: &mut Ports) -> Result<(), FaultKind> {
        bind_queues(&self.program, ports);
        let mut visit = Visit {
            now: 0,
            limit: 0,
            cpu: &mut self.cpu,
            data: &mut self.data,
            program: &self.program,
            #[cfg(feature = "jit")]
            native: None,
            at: self.at,
            ports,
            registers: &mut NoRegisters,
        };
        for load in &visit.program.dsr_inits {
            debug_assert!(!matches!(load.dsd, VecArg::Dsd(_)), "checked by the image's reader");
            visit.data.load_dsr(load, visit.program, &|number| visit.cpu.reg(number))?;
        }
        for &(word, value) in &visit.program.configs {
            if ce::holds(word) {
                self.sched.write_register(word, value, &mut visit)?;
            } else {
                // The router's registers are read from it; all others are kept here.
                self.sched.unserved.write(word, value);
            }
        }
        self.sched.tasks.start_up(&self.program)
    }

    /// Runs the PE in the fabric's cycle `now`, with everything that has landed in it in `ports`. The main thread may
    /// run ahead of `now`, but starts nothing at or after `limit` (the cycle at which the host will read memory). To be
    /// called again as the returned [`Wake`] says; calls in between are harmless, but with a clock no cycle is run twice.
    pub fn advance(
        &mut self,
        now: u64,
        limit: u64,
        ports: &mut Ports,
        registers: &mut dyn Registers,
    ) -> Result<Wake, Fault> {
        let mut wake = Wake::at(0);
        self.visit(now, limit, ports, registers, &mut wake).map(|()| wake).map_err(|fault| *fault)
    }

    /// [`Pe::advance`], with the result stored where the simulator keeps it.
    pub fn visit(
        &mut self,
        now: u64,
        limit: u64,
        ports: &mut Ports,
        registers: &mut dyn Registers,
        wake: &mut Wake,
    ) -> Result<(), Box<Fault>> {
        let Pe { data, sched, cpu, program, at, .. } = self;
        if sched.steady && sched.stream(now, cpu, data, ports, wake) {
            return Ok(());
        }
        if sched.fault.is_none() {
            sched.cycle(&mut Visit {
                now,
                limit,
                cpu,
                data,
                program,
                #[cfg(feature = "jit")]
                native: self.native.as_deref(),
                at: *at,
                ports,
                registers,
            });
        }
        match &sched.fault {
            Some(fault) if fault.cycle <= now => {
                sched.steady = false;
                return Err(fault.clone());
            }
            Some(fault) => *wake = Wake::at(fault.cycle),
            None => sched.sleep(now, cpu, data, program, ports, wake),
        }
        sched.settle(now, data);
        Ok(())
    }

    /// The cycle in which the main thread goes on: the fabric's clock may lie behind it.
    pub fn clock(&self) -> u64 {
        self.cpu.local_time
    }

    /// The last cycle in which a thread had the issue slot; it may lie ahead of the fabric's clock.
    pub fn last_issue(&self) -> u64 {
        self.cpu.local_time.max(self.sched.last_issue)
    }

    /// Brings memory up to date for the host at a stop cycle: the main thread's local operation does its issues before
    /// `now`.
    #[inline]
    pub fn synchronize(&mut self, now: u64) {
        self.sched.synchronize(now, &mut self.cpu, &mut self.data);
    }

    pub fn program(&self) -> &Arc<PeImage> {
        &self.program
    }
}

/// The requests of memcpy.
impl Pe {
    /// A host call of function number `func` of the program, with its arguments in canonical form. It becomes ready like
    /// a task; further calls wait for their turn.
    pub fn call(&mut self, func: u16, args: &[u64]) {
        self.sched.steady = false;
        self.sched.calls.waiting.push(Call { func, args: args.to_vec() });
    }

    /// The number of host calls that have started: a launch returns to the host when its function has been called.
    pub fn calls_started(&self) -> u64 {
        self.sched.calls.started
    }

    /// Whether no task runs and no synchronous operation holds the main thread, so that memcpy's own tasks could run
    /// (docs/decisions/machine.md M15).
    pub fn memcpy_ready(&self, now: u64) -> bool {
        self.sched.main.is_idle() && self.cpu.local_time <= now
    }

    pub fn memory(&self) -> &Memory {
        &self.data.memory
    }

    pub fn memory_mut(&mut self) -> &mut Memory {
        &mut self.data.memory
    }

    /// Writes the low `bytes` bytes of `value`: a patch of the image, before the first cycle.
    pub fn patch(&mut self, addr: u16, bytes: u8, value: u64) {
        let bytes = usize::from(bytes).min(8);
        self.data.memory.write_bytes(addr, &value.to_le_bytes()[..bytes]);
    }

    /// Notes that a TEARDOWN wavelet of `color` has passed: the teardown task becomes ready (docs/decisions/machine.md
    /// M22).
    pub fn tear_down(&mut self, color: Color) {
        self.sched.steady = false;
        self.sched.handlers.torn |= color.bit();
        self.sched.tasks.activate_mask(self.data.chip.tasks.teardown.bit());
    }
}

/// The queries of reports and debuggers.
impl Pe {
    /// Records every instruction from here on.
    pub fn trace(&mut self) {
        self.sched.steady = false;
        self.sched.tracer = Some(Box::default());
    }

    /// Runs by another schedule than the machine's own from here on: the turns of ready tasks and of microthreads, and
    /// the delays of tasks and completions, are drawn.
    pub fn draw_from(&mut self, draws: Draws) {
        self.sched.steady = false;
        self.sched.draws = Some(draws);
    }

    /// Runs functions that have run long in native code from here on; `native` is that of the PE's program.
    #[cfg(feature = "jit")]
    pub fn run_natively(&mut self, native: Arc<csl_jit::Native>) {
        assert!(native.is_of(&self.program), "the native code of the PE's program");
        self.native = Some(native);
    }

    /// Does every cycle in the general way from here on, to compare the short ways with.
    pub fn go_the_general_way(&mut self) {
        (self.sched.steady, self.sched.is_general) = (false, true);
    }

    /// Runs without a clock from here on: each cycle is the PE's own.
    pub fn run_untimed(&mut self, reads: TimeReads) {
        self.sched.is_untimed = true;
        self.sched.refuses_time = reads == TimeReads::Refused;
    }

    /// Moves all that streams in a run without a clock, but for what ends an operation.
    pub fn stream_ahead(&mut self, now: u64, ports: &mut Ports, outlet: &mut dyn Outlet) {
        self.sched.stream_ahead(now, &mut self.cpu, &mut self.data, ports, outlet);
    }

    /// Looks for mistakes of the program from here on; with `stops`, the first is a fault. `library` says which files of the
    /// image are of the standard library.
    pub fn check(&mut self, stops: bool, library: Arc<[bool]>) {
        self.sched.steady = false;
        self.sched.shadow = Some(Box::new(Shadow::new(&self.program, &self.data.memory, stops, library)));
    }

    /// The mistakes that were found so far, each once, in the order in which they were met.
    pub fn complaints(&self) -> &[Complaint] {
        self.sched.shadow.as_ref().map_or(&[], |shadow| &shadow.complaints)
    }

    /// A copy of the host is about to read or write memory in cycle `now`.
    pub fn look_at_copy(&mut self, access: Access, now: u64) {
        if let Some(shadow) = &mut self.sched.shadow {
            shadow.host_copy(access, now);
        }
    }

    /// Bytes of memory have got values before the run, by the host or by a patch: to checks they count as written.
    pub fn note_written(&mut self, addr: u16, bytes: u16) {
        if let Some(shadow) = &mut self.sched.shadow {
            shadow.written(addr, bytes);
        }
    }

    /// The events with their cycles, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.sched.events)
    }

    /// Threads that wait for something outside themselves.
    pub fn waiting(&self, ports: &Ports) -> Vec<Waiting> {
        self.sched.waiting(&self.cpu, &self.data, &self.program, ports)
    }

    pub fn task_state(&self) -> TaskState {
        self.sched.task_state()
    }

    /// The control task that the head of an input queue names, if it is a control wavelet that names one.
    pub fn named_task(&self, input: &InQueue) -> Option<NamedTask> {
        self.sched.named_task(&self.program, input)
    }

    /// Whether a task runs, as far as the PE has run.
    pub fn is_running(&self) -> bool {
        !self.sched.main.is_idle()
    }

    /// The instruction of the main thread while a task runs.
    pub fn running(&self) -> Option<u32> {
        self.sched.running(&self.cpu)
    }

    /// The instruction of the main thread and its callers, innermost first; empty while no task runs.
    pub fn call_stack(&self) -> Vec<u32> {
        if self.is_running() { self.cpu.call_stack() } else { Vec::new() }
    }

    /// The places that have accessed registers which do not exist, in the order in which the program came to them.
    pub fn unserved(&self) -> &[Unserved] {
        &self.sched.unserved.places
    }

    /// The activations of ids that nothing is bound to, the first of each.
    pub fn unbound_activations(&self) -> &[UnboundActivation] {
        &self.sched.tasks.unbound
    }

    /// The first instruction that has read the time stamp counter, if the program has never started it.
    pub fn unstarted_read(&self) -> Option<u32> {
        self.sched.counters.unstarted_read()
    }

    /// The first root of a collective operation that is no PE of its row or column.
    pub fn astray_root(&self) -> Option<&AstrayRoot> {
        self.sched.astray.as_deref()
    }

    /// The places where the main thread has waited for an earlier operation, in the order in which it came to them.
    pub fn hazards(&self) -> &[Hazard] {
        &self.sched.hazards
    }
}

fn bind_queues(program: &PeImage, ports: &mut Ports) {
    for queue in &program.queues {
        match (queue.dir, queue.color) {
            (QueueDir::In, None) => {}
            (QueueDir::In, Some(color)) => {
                if let Ok(slot) = ports.bind_input(queue.id, color) {
                    ports.inputs[slot].dense = queue.dense_mode;
                }
            }
            (QueueDir::Out, color) => {
                if let Ok(slot) = ports.bind_output(queue.id, color) {
                    ports.outputs[slot].dense = queue.dense_mode;
                }
            }
        }
    }
}
