//! Watches scalar code and vector operations of a PE that is traced, checked or has unmasked floating-point exceptions.

use csl_isa::Insn;
use csl_machine::Arch;
use csl_num::FloatKind;

use super::main_thread::Main;
use super::microthread::Microthread;
use super::shared::{Beside, Shared};
use super::state::{Sched, Visit};
use super::tasks::Pick;
use super::tracer::{IssuePreview, Steps, Tracer};
use crate::check::Shadow;
use crate::datapath::{Datapath, Length, Memory, Step};
use crate::event::{Event, Thread};
use crate::fault::FaultKind;
use crate::scalar::{self, Cpu, Exit, Instant, Surroundings};

/// Runs scalar code up to an exit, watched if there is a reason. `uts` are the microthreads beside it.
pub(super) fn run_scalar(
    visit: &mut Visit,
    until: u64,
    uts: &[Microthread],
    watchers: Watchers,
    events: &mut Vec<Event>,
) -> Exit {
    let Watchers { tracer, shadow } = watchers;
    let Visit { cpu, data, program, .. } = visit;
    let shared = Shared::of(uts);
    let (memory, unmasked, half) = (&mut data.memory, data.unmasked, data.half);
    if tracer.is_none() && shadow.is_none() && unmasked == 0 {
        return match shared {
            Some(shared) => scalar::run(cpu, &mut Beside { memory, shared }, program, until),
            #[cfg(feature = "jit")]
            None if let Some(native) = visit.native => scalar::native::run(cpu, memory, program, until, native),
            None => scalar::run(cpu, memory, program, until),
        };
    }
    let shared = shared.unwrap_or_default();
    let shadow = match shadow {
        Some(shadow) if tracer.is_none() && unmasked == 0 => {
            return scalar::run(cpu, &mut Checked { memory, shared, shadow, half }, program, until);
        }
        shadow => shadow,
    };
    let passed = (cpu.block_start(), cpu.local_time);
    let mut watched = Watched { memory, shared, steps: None, shadow, passed, unmasked, half };
    let Some(tracer) = tracer else { return scalar::run(cpu, &mut watched, program, until) };
    watched.steps = Some(&mut tracer.steps);
    let exit = scalar::run(cpu, &mut watched, program, until);
    let end = cpu.local_time + u64::from(cpu.is_in_block());
    tracer.tell(end, u64::from(data.chip.timing.dispatch_to_execute), events);
    exit
}

/// The parts of a PE that look at its scalar code.
pub(super) struct Watchers<'a> {
    pub tracer: Option<&'a mut Tracer>,
    pub shadow: Option<&'a mut Shadow>,
}

/// Memory, observed by checks alone.
struct Checked<'a> {
    memory: &'a mut Memory,
    shared: Shared,
    shadow: &'a mut Shadow,
    half: FloatKind,
}

impl Surroundings for Checked<'_> {
    #[inline(always)]
    fn load<const N: usize>(&mut self, addr: u16) -> Option<[u8; N]> {
        self.shadow.touch(addr, N, false);
        self.memory.load(addr)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, addr: u16, value: [u8; N]) -> bool {
        self.shadow.touch(addr, N, true);
        self.memory.store(addr, value)
    }

    fn copy(&mut self, to: u16, from: u16, bytes: u16) -> bool {
        self.shadow.copy(to, from, bytes);
        Surroundings::copy(self.memory, to, from, bytes)
    }

    fn fill<const N: usize>(&mut self, to: u16, value: [u8; N], count: u16) -> bool {
        self.shadow.touch(to, N * usize::from(count), true);
        self.memory.fill(to, value, count)
    }

    #[inline(always)]
    fn is_shared(&self, addr: u16, bytes: usize, is_store: bool) -> bool {
        self.shared.meets(addr, bytes, is_store)
    }

    #[inline(always)]
    fn before(&mut self, at: Instant, insn: Insn) -> u16 {
        self.shadow.before(at, insn, self.half);
        0
    }

    #[inline(always)]
    fn then(&mut self, at: Instant, insn: Insn) {
        self.shadow.before(at, insn, self.half);
    }

    #[inline(always)]
    fn access<const N: usize>(&mut self, at: Instant, insn: Insn, addr: u16, is_store: bool) {
        self.shadow.access::<N>(at, insn, addr, is_store, self.memory);
    }

    #[inline(always)]
    fn float(&mut self, at: Instant, insn: Insn, value: u64) {
        self.shadow.float(at, insn, value, self.half);
    }
}

/// Memory, observed by a trace, by checks and by unmasked floating-point exceptions.
struct Watched<'a> {
    memory: &'a mut Memory,
    shared: Shared,
    steps: Option<&'a mut Steps>,
    shadow: Option<&'a mut Shadow>,
    /// The start of the first block, and the cycle in which the core goes on in it.
    passed: (u64, u64),
    unmasked: u16,
    half: FloatKind,
}

impl Surroundings for Watched<'_> {
    const ALONE: bool = true;

    fn load<const N: usize>(&mut self, addr: u16) -> Option<[u8; N]> {
        self.touch(addr, N, false);
        self.memory.load(addr)
    }

    fn store<const N: usize>(&mut self, addr: u16, value: [u8; N]) -> bool {
        self.touch(addr, N, true);
        self.memory.store(addr, value)
    }

    fn copy(&mut self, to: u16, from: u16, bytes: u16) -> bool {
        if let Some(shadow) = &mut self.shadow {
            shadow.copy(to, from, bytes);
        }
        Surroundings::copy(self.memory, to, from, bytes)
    }

    fn fill<const N: usize>(&mut self, to: u16, value: [u8; N], count: u16) -> bool {
        self.touch(to, N * usize::from(count), true);
        self.memory.fill(to, value, count)
    }

    fn is_shared(&self, addr: u16, bytes: usize, is_store: bool) -> bool {
        self.shared.meets(addr, bytes, is_store)
    }

    fn before(&mut self, at: Instant, insn: Insn) -> u16 {
        if let Some(shadow) = &mut self.shadow {
            shadow.before(at, insn, self.half);
        }
        if let Some(steps) = &mut self.steps {
            let cycle = if at.local_time == self.passed.0 { self.passed.1 } else { at.local_time };
            steps.at(cycle, at.behind - 1, insn, at.frame);
        }
        if self.unmasked == 0 { 0 } else { scalar::raised_by(insn, at.frame, self.half) & self.unmasked }
    }

    fn access<const N: usize>(&mut self, at: Instant, insn: Insn, addr: u16, is_store: bool) {
        if let Some(shadow) = &mut self.shadow {
            shadow.access::<N>(at, insn, addr, is_store, self.memory);
        }
    }

    fn float(&mut self, at: Instant, insn: Insn, value: u64) {
        if let Some(shadow) = &mut self.shadow {
            shadow.float(at, insn, value, self.half);
        }
    }
}

impl Watched<'_> {
    fn touch(&mut self, addr: u16, bytes: usize, is_store: bool) {
        if let Some(shadow) = &mut self.shadow {
            shadow.touch(addr, bytes, is_store);
        }
    }
}

impl Sched {
    pub fn trace_task(&mut self, pick: Pick, arch: Arch) {
        if let Some(tracer) = &mut self.tracer {
            tracer.task(pick, arch);
        }
    }

    /// Records that a vector operation starts at `cycle` on a thread.
    pub fn trace_vector(&mut self, thread: Thread, cycle: u64, cpu: &Cpu) {
        if let Some(tracer) = &mut self.tracer {
            tracer.vector(cpu.at(), thread, cycle, &mut self.events);
        }
    }

    /// Records the issues of the main thread's operation on memory that are about to happen, back to back.
    #[cold]
    pub fn trace_local(&mut self, most: u64, cpu: &Cpu, data: &Datapath) {
        let Main::Vec { run, .. } = &self.main else { return };
        let (mut run, mut memory) = (run.clone(), data.memory.clone());
        for issue in 0..run.issues_left().min(most) {
            let before = IssuePreview::of(&run, &memory, None, data.half);
            run.run_local(data.chip, &mut memory, data.half, 1);
            let cycle = cpu.local_time + issue * u64::from(run.rate.period);
            self.trace_elements(Thread::Main, &before, run.left, cycle, data);
        }
    }

    /// Records the issue of a thread's operation in cycle `now`; `left` elements remain.
    #[cold]
    pub fn trace_issue(
        &mut self,
        thread: Thread,
        before: &IssuePreview,
        left: Length,
        step: &Result<Step, FaultKind>,
        now: u64,
        data: &Datapath,
    ) {
        if matches!(step, Ok(Step::Moved | Step::Done(_))) {
            self.trace_elements(thread, before, left, now, data);
        }
    }

    fn trace_elements(&mut self, thread: Thread, before: &IssuePreview, left: Length, cycle: u64, data: &Datapath) {
        let cycle = cycle + u64::from(data.chip.timing.dispatch_to_execute);
        if let Some(tracer) = &mut self.tracer {
            tracer.elements(thread, before, left, cycle, &mut self.events);
        }
    }
}
