//! The instruction trace of a PE, where somebody asked for it: nothing here runs otherwise, and nothing here changes
//! what the PE does or when.

use csl_chip::{Arch, VecOp};
use csl_isa::{Field, Insn, NO_REG, Op};
use csl_num::FloatKind;

use crate::event::{Element, Event, EventKind, Issue};
use crate::exceptions;
use crate::fault::FaultKind;
use crate::main_thread::Main;
use crate::memory::Memory;
use crate::pe::Pe;
use crate::ports::Ports;
use crate::scalar::{self, Exit, Watch};
use crate::tasks::Pick;
use crate::vec::cursor::Cursor;
use crate::vec::run::{Step, VecRun};

/// Cycles that a traced PE runs ahead at most: what it has said waits in memory until the clock has come there.
pub(crate) const TRACED_SLICE: u64 = 1 << 8;

/// Stands for the main thread in [`Tracer::running`].
pub(crate) const MAIN_THREAD: u8 = 0xfe;

#[derive(Clone, Debug, Default)]
pub(crate) struct Tracer {
    /// Instructions so far.
    count: u32,
    /// Id of the task that started last.
    task: u8,
    /// Vector operations under way, by microthread, and how many of their elements have moved.
    running: Vec<(u8, Issue, u32)>,
    steps: Steps,
}

/// The values of one element: destination and sources.
type Values = [Option<u64>; 4];

impl Pe {
    /// Records every instruction from here on.
    pub fn trace(&mut self) {
        self.tracer = Some(Box::default());
    }

    pub(crate) fn trace_task(&mut self, pick: Pick) {
        // The guide: a launched function runs in the task of memcpy's command color (WSE-2) or input queue (WSE-3).
        let command_task = if self.chip.arch == Arch::Wse2 { 22 } else { 1 };
        let Some(tracer) = &mut self.tracer else { return };
        tracer.task = match pick {
            Pick::Local(id) => id,
            Pick::Data { channel, .. } => channel,
            Pick::Control { entry, .. } => entry,
            Pick::Ignored { .. } => tracer.task,
            Pick::Call => command_task,
        };
    }

    /// [`scalar::run`], watched where there is a trace.
    pub(crate) fn run_scalar(&mut self, until: u64) -> Exit {
        if self.tracer.is_none() && self.unmasked == 0 {
            return scalar::run(&mut self.cpu, &mut self.memory, &self.program, until);
        }
        let steps = self.tracer.as_mut().map(|tracer| &mut tracer.steps);
        let mut watcher = Watcher { steps, unmasked: self.unmasked, half: self.half };
        let exit = scalar::run_watched(&mut self.cpu, &mut self.memory, &self.program, until, &mut watcher);
        let shift = u64::from(self.chip.timing.dispatch_to_execute);
        if let Some(tracer) = &mut self.tracer {
            tracer.tell(self.cpu.tau, shift, &mut self.events);
        }
        exit
    }

    /// A vector operation starts at `cycle`, on a microthread or on the main thread.
    pub(crate) fn trace_vector(&mut self, ut: Option<u8>, cycle: u64) {
        let pc = self.cpu.at();
        let Some(tracer) = &mut self.tracer else { return };
        let issue = tracer.number(pc, ut);
        let thread = ut.unwrap_or(MAIN_THREAD);
        tracer.running.retain(|running| running.0 != thread);
        tracer.running.push((thread, issue, 0));
        self.events.push(Event { cycle, what: EventKind::Issue(issue) });
    }

    /// The main thread's operation on memory is about to issue, back to back.
    #[cold]
    pub(crate) fn trace_local(&mut self, most: u64) {
        let Main::Vec { run, .. } = &self.main else { return };
        let (mut run, mut memory) = (run.clone(), self.memory.clone());
        for issue in 0..run.issues_left().min(most) {
            let before = Glimpse::of(&run, &memory, None, self.half);
            run.run_local(self.chip, &mut memory, self.half, 1);
            let cycle = self.cpu.tau + issue * u64::from(run.rate.period);
            self.trace_elements(MAIN_THREAD, &before, before.moved(run.left), cycle);
        }
    }

    /// A thread's operation has had its issue of cycle `now`; it has `left` elements to go.
    #[cold]
    pub(crate) fn trace_issue(
        &mut self,
        thread: u8,
        before: &Glimpse,
        left: u32,
        step: &Result<Step, FaultKind>,
        now: u64,
    ) {
        if matches!(step, Ok(Step::Moved | Step::Done(_))) {
            self.trace_elements(thread, before, before.moved(left), now);
        }
    }

    fn trace_elements(&mut self, thread: u8, before: &Glimpse, moved: u32, cycle: u64) {
        let Some(tracer) = &mut self.tracer else { return };
        let Some(running) = tracer.running.iter_mut().find(|running| running.0 == thread) else { return };
        let cycle = cycle + u64::from(self.chip.timing.dispatch_to_execute);
        for k in 0..moved {
            let values = before.values.get(k as usize).copied().unwrap_or_default();
            let element = Element { seq: running.2, unit: k as u8, values };
            self.events.push(Event { cycle, what: EventKind::Execute { issue: running.1, element } });
            running.2 += 1;
        }
    }
}

/// What the next issue of an operation would compute, as far as it can be told beforehand.
pub(crate) struct Glimpse {
    values: Vec<Values>,
    left: u32,
    group: u32,
}

impl Glimpse {
    pub fn of(run: &VecRun, memory: &Memory, ports: Option<&Ports>, half: FloatKind) -> Glimpse {
        let (left, group) = (run.left, u32::from(run.rate.group));
        let elements = if run.op == VecOp::Dfilt { 0 } else { group.min(left) };
        let mut run = run.clone();
        let values = (0..elements).map(|k| element(&mut run, memory, ports, half, k)).collect();
        Glimpse { values, left, group }
    }

    /// Elements that were moved when `left` are left.
    fn moved(&self, left: u32) -> u32 {
        if self.left == u32::MAX { self.group } else { self.left - left }
    }
}

fn element(run: &mut VecRun, memory: &Memory, ports: Option<&Ports>, half: FloatKind, k: u32) -> Values {
    let mut found = [None; 3];
    for (i, value) in found.iter_mut().enumerate() {
        let words = run.srcs[i].words;
        *value = match &mut run.srcs[i].cursor {
            Cursor::Scalar(value) => Some(*value),
            Cursor::In(input) => {
                let head = ports.and_then(|ports| ports.inputs[usize::from(input.slot)].front());
                head.map(|head| if words == 1 { head.data >> (16 * k) & 0xffff } else { head.data })
            }
            cursor => cursor.next_addr().map(|addr| match words {
                1 => u32::from(memory.read16(addr)),
                _ => memory.read32(addr),
            }),
        };
    }
    let is_known = |i: usize| found[i].is_some() || matches!(run.srcs[i].cursor, Cursor::None);
    let known = (0..found.len()).all(is_known);
    let dest = known.then(|| run.compute(half, found.map(Option::unwrap_or_default)));
    let [a, b, c] = found;
    [dest, a, b, c].map(|value| value.map(u64::from))
}

impl Tracer {
    fn number(&mut self, pc: u32, ut: Option<u8>) -> Issue {
        let issue = Issue { number: self.count, pc, task: self.task, ut };
        self.count = self.count.wrapping_add(1);
        issue
    }

    /// Makes events of what the interpreter has run. Cycles are counted by basic blocks, whose instructions issue one a
    /// cycle; `end` is when the next block starts.
    fn tell(&mut self, end: u64, shift: u64, events: &mut Vec<Event>) {
        let steps = std::mem::take(&mut self.steps.list);
        self.steps.frame = 0;
        for (at, step) in steps.iter().enumerate() {
            let first = steps[..at].iter().rposition(|other| other.tau != step.tau).map_or(0, |other| other + 1);
            let next = steps[at..].iter().find(|other| other.tau != step.tau).map_or(end, |other| other.tau);
            let cycle = (step.tau + (at - first) as u64).min(next.max(step.tau + 1) - 1);
            let issue = self.number(step.pc, None);
            let element = Element { seq: 0, unit: 0, values: step.values };
            events.push(Event { cycle, what: EventKind::Issue(issue) });
            events.push(Event { cycle: cycle + shift, what: EventKind::Execute { issue, element } });
        }
    }
}

/// Instructions that the interpreter has run since the last look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    list: Vec<ScalarStep>,
    /// Where the frame of the last step lay.
    frame: usize,
}

#[derive(Clone, Copy, Debug)]
struct ScalarStep {
    tau: u64,
    pc: u32,
    values: Values,
    /// The register whose value is known only behind the instruction.
    written: Option<u16>,
}

/// What looks on where anything does: a trace, and unmasked floating-point exceptions.
struct Watcher<'a> {
    steps: Option<&'a mut Steps>,
    unmasked: u16,
    half: FloatKind,
}

impl Watch for Watcher<'_> {
    const SINGLY: bool = true;

    fn at(&mut self, tau: u64, pc: usize, insn: Insn, frame: &[u64]) -> u16 {
        if let Some(steps) = &mut self.steps {
            steps.at(tau, pc, insn, frame);
        }
        if self.unmasked == 0 { 0 } else { exceptions::of_instruction(insn, frame, self.half) & self.unmasked }
    }
}

impl Steps {
    fn at(&mut self, tau: u64, pc: usize, insn: Insn, frame: &[u64]) {
        let place = frame.as_ptr() as usize;
        if let Some(last) = self.list.last_mut()
            && let Some(register) = last.written.take()
            && place == self.frame
        {
            last.values[0] = frame.get(usize::from(register)).copied();
        }
        self.frame = place;
        // Not instructions of a machine, or told by what carries them out.
        if matches!(insn.op, Op::Ext | Op::Charge | Op::Vec) {
            return;
        }
        let fields = insn.op.fields();
        let read = |i: usize, register: u16| match fields[i] {
            Field::Src | Field::Acc => frame.get(usize::from(register)).copied(),
            _ => None,
        };
        let writes = matches!(fields[0], Field::Dst | Field::OptDst | Field::Acc) && insn.a != NO_REG;
        let values = [None, read(0, insn.a), read(1, insn.b), read(2, insn.c)];
        self.list.push(ScalarStep { tau, pc: pc as u32, values, written: writes.then_some(insn.a) });
    }
}
