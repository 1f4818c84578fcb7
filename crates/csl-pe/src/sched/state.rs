//! The state of the scheduler, and the context of one visit.

use csl_image::PeImage;
use csl_machine::{Chip, Delay, Draws, MicrothreadId, Priority};

use super::astray::AstrayRoot;
use super::calls::Calls;
use super::counters::Counters;
use super::handlers::Handlers;
use super::hazard::{Hazard, Search};
use super::main_thread::{Main, Pace};
use super::microthread::{self, Completion, Microthread};
use super::rpc::RpcServer;
use super::streams::Streams;
use super::tasks::Tasks;
use super::tracer::Tracer;
use super::unserved::UnservedRegisters;
use crate::check::Shadow;
use crate::datapath::Datapath;
use crate::event::{Event, Printed};
use crate::fault::{Fault, FaultKind};
use crate::outside::Registers;
use crate::ports::Ports;
use crate::scalar::{Cpu, Exit};

/// Tasks, the main thread, microthreads and their one issue slot, completions, and the registers of the compute element
/// that govern them.
///
/// The order of the fields is that in memory: those that each cycle of a streaming PE reads lie together (measured).
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Sched {
    /// The threads of a steady PE.
    pub streams: Streams,
    /// Whether its cycles are those of a PE that only streams ([`Sched::is_steady`]).
    pub steady: bool,
    /// Whether it never counts as one of these.
    pub is_general: bool,
    /// Whether there is no clock: the main thread runs ahead whatever else is under way.
    pub is_untimed: bool,
    /// Whether a program that reads the time then gets a fault.
    pub refuses_time: bool,
    /// The turn of the microthread that issued last.
    pub last_turn: u8,
    pub ut_blocked: u8,
    /// Priority of the main thread, in the scale of `microthread::class`.
    pub main_class: u8,
    /// The last cycle in which a microthread issued.
    pub last_issue: u64,
    pub uts: Vec<Microthread>,
    pub main: Main,
    pub fault: Option<Box<Fault>>,
    pub tracer: Option<Box<Tracer>>,
    /// Looks for mistakes, where the run is checked.
    pub shadow: Option<Box<Shadow>>,
    pub completions: Vec<Completion>,
    /// Priority bits of the input queues' registers, for the microthreads of their numbers.
    pub queue_priority: [u16; 8],
    pub handlers: Handlers,
    pub tasks: Tasks,
    pub calls: Calls,
    pub pace: Pace,
    pub counters: Counters,
    pub rpc: RpcServer,
    /// The number of runs of each pair's data task in this turn (`@bind_rotating_tasks`).
    pub rotations: Vec<u32>,
    pub hazards: Vec<Hazard>,
    pub unserved: UnservedRegisters,
    pub astray: Option<Box<AstrayRoot>>,
    pub events: Vec<Event>,
    pub printing: Vec<Printed>,
    /// Draws orders and delays, where another schedule than the machine's own runs.
    pub draws: Option<Draws>,
}

const _: () = assert!(
    std::mem::offset_of!(Sched, uts) + size_of::<Vec<Microthread>>() <= 128,
    "a cycle of a streaming PE reads two cache lines of its scheduler"
);

/// One visit of a PE: the window of cycles, the parts below the scheduler, and the wavelets that have arrived.
pub(crate) struct Visit<'a> {
    /// The fabric's cycle.
    pub now: u64,
    /// The end of the window: nothing starts in this cycle or later.
    pub limit: u64,
    pub cpu: &'a mut Cpu,
    pub data: &'a mut Datapath,
    pub program: &'a PeImage,
    #[cfg(feature = "jit")]
    pub native: Option<&'a csl_jit::Native>,
    /// Coordinates in the program's rectangle.
    pub at: (u16, u16),
    pub ports: &'a mut Ports,
    pub registers: &'a mut dyn Registers,
}

impl Sched {
    pub fn new(program: &PeImage, chip: &Chip) -> Sched {
        Sched {
            fault: None,
            steady: false,
            is_general: false,
            is_untimed: false,
            refuses_time: false,
            tracer: None,
            shadow: None,
            uts: Vec::new(),
            completions: Vec::new(),
            last_issue: 0,
            last_turn: 0,
            ut_blocked: 0,
            main_class: microthread::main_class(program.main_thread_priority),
            queue_priority: [0; 8],
            handlers: Handlers::default(),
            streams: Streams::default(),
            main: Main::Idle,
            tasks: Tasks::new(chip.arch, program),
            calls: Calls::default(),
            pace: Pace::default(),
            counters: Counters::new(chip),
            rpc: RpcServer::default(),
            rotations: program.rotating.iter().map(|pair| pair.init).collect(),
            hazards: Vec::new(),
            unserved: UnservedRegisters::default(),
            astray: None,
            events: Vec::new(),
            printing: Vec::new(),
            draws: None,
        }
    }

    /// A number below `bound` by the schedule; 0 in the machine's own.
    pub fn draw(&mut self, bound: u8) -> u8 {
        self.draws.as_mut().map_or(0, |draws| draws.next_below(bound))
    }

    /// A delay by the schedule; 0 in the machine's own.
    #[inline]
    pub fn draw_delay(&mut self, kind: Delay) -> u64 {
        self.draws.as_mut().map_or(0, |draws| draws.delay(kind))
    }

    /// As [`Sched::draw_delay`], one time of so many.
    #[inline]
    pub fn draw_rare_delay(&mut self, rarity: u8, kind: Delay) -> u64 {
        self.draws.as_mut().map_or(0, |draws| if draws.next_below(rarity) == 0 { draws.delay(kind) } else { 0 })
    }

    /// Whether a microthread or completion is pending, which could see the effects of the main thread.
    pub fn has_pending(&self) -> bool {
        !self.uts.is_empty() || !self.completions.is_empty()
    }

    /// Input slots whose wavelets go to a running operation.
    pub fn busy_inputs(&self) -> u32 {
        self.uts.iter().fold(self.main.inputs(), |mask, ut| mask | ut.run.needs.inputs)
    }

    /// Whether each element is looked at by itself: traced, checked, or for exceptions.
    #[inline]
    pub fn is_observed(&self, data: &Datapath) -> bool {
        self.tracer.is_some() || self.shadow.is_some() || data.unmasked != 0
    }

    pub fn is_ut_blocked(&self, ut: &Microthread) -> bool {
        ut.id.is_some_and(|id| self.ut_blocked >> (id.number() & 7) & 1 == 1)
    }

    /// Whether a microthread could issue.
    pub fn any_ut_goes_on(&self, data: &Datapath, ports: &Ports) -> bool {
        self.uts.iter().any(|ut| !self.is_ut_blocked(ut) && ut.run.can_issue(ports, &data.fifos))
    }

    /// The class of a microthread: of its operation's own priority, else of the register of its queue.
    pub fn class_of(&self, id: Option<MicrothreadId>, own: Option<Priority>) -> u8 {
        let of_queue = id.and_then(|id| microthread::queue_priority(self.queue_priority[usize::from(id.number() & 7)]));
        microthread::class(own.or(of_queue))
    }

    /// Gives the running microthreads their classes anew, after a write to a queue's register.
    pub fn classify_uts(&mut self) {
        for at in 0..self.uts.len() {
            self.uts[at].class = self.class_of(self.uts[at].id, self.uts[at].run.needs.priority);
        }
    }

    /// Stops the PE with a fault.
    pub fn raise_fault(&mut self, kind: FaultKind, cycle: u64, cpu: &Cpu) {
        let stack = if self.main.is_idle() { Vec::new() } else { cpu.call_stack() };
        self.fault = Some(Box::new(Fault { kind, cycle, pc: stack.first().copied(), stack }));
    }

    /// Stops the PE with a fault of an instruction that the main thread need not run.
    pub fn raise_fault_at(&mut self, kind: FaultKind, cycle: u64, pc: u32) {
        self.fault = Some(Box::new(Fault { kind, cycle, pc: Some(pc), stack: Vec::new() }));
    }

    /// Makes the teardown task ready once a queue that is to drain is empty (`@queue_flush`).
    #[inline]
    pub fn watch_flushes(&mut self, chip: &Chip, ports: &Ports) {
        if self.handlers.look(ports) {
            self.tasks.activate_mask(chip.tasks.teardown.bit());
        }
    }

    /// The hazard that the main thread meets at an exit, if any. Nothing is bound or read for this.
    #[inline]
    pub fn hazard_at(
        &self,
        exit: Exit,
        cpu: &Cpu,
        data: &Datapath,
        program: &PeImage,
        ports: &Ports,
    ) -> Option<Hazard> {
        if self.uts.is_empty() { None } else { Search { uts: &self.uts, cpu, data, program, ports }.at(exit) }
    }

    /// Remembers a place for the warning, with the resource that it waited for first.
    pub fn note_hazard(&mut self, hazard: Hazard) {
        if self.hazards.iter().all(|known| known.pc != hazard.pc) {
            self.hazards.push(hazard);
        }
    }
}
