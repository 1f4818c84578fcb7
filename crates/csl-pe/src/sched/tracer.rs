//! The instruction trace of a PE. It runs for traced PEs only, and changes neither the PE's results nor its cycles.

use csl_isa::{Field, Insn, NO_REG, Op};
use csl_machine::{Arch, TaskId, VecOp};
use csl_num::{FloatKind, LowBits};

use super::tasks::Pick;
use crate::datapath::{Cursor, Length, Memory, Operation};
use crate::event::{Element, Event, EventKind, Issue, Thread};
use crate::ports::Ports;

/// The greatest number of cycles that a traced PE runs ahead: its events wait in memory until the clock has reached
/// them.
pub(crate) const TRACED_QUANTUM: u64 = 1 << 8;

#[derive(Clone, Debug, Default)]
pub(crate) struct Tracer {
    /// The number of instructions so far.
    count: u32,
    /// The task that started last.
    task: Option<TaskId>,
    /// Vector operations under way, by thread, each with the number of elements that have moved.
    running: Vec<(Thread, Issue, u32)>,
    pub(super) steps: Steps,
}

/// The values of one element: destination and sources.
type Values = [Option<u64>; 4];

impl Tracer {
    /// Notes that a task starts.
    pub fn task(&mut self, pick: Pick, arch: Arch) {
        self.task = match pick {
            Pick::Local(id) => Some(id),
            Pick::Data { channel, .. } => Some(channel),
            Pick::Control { entry, .. } => Some(entry),
            Pick::Ignored { .. } => self.task,
            Pick::Call => Some(arch.chip().memcpy.command_task),
        };
    }

    /// Records that a vector operation of the instruction at `pc` starts at `cycle` on a thread.
    pub fn vector(&mut self, pc: u32, thread: Thread, cycle: u64, events: &mut Vec<Event>) {
        let issue = self.number(pc, thread);
        self.running.retain(|running| running.0 != thread);
        self.running.push((thread, issue, 0));
        events.push(Event { cycle, what: EventKind::Issue(issue) });
    }

    /// Records the elements that a thread's operation has moved, down to `left`; they are executed in `cycle`.
    pub fn elements(
        &mut self,
        thread: Thread,
        before: &IssuePreview,
        left: Length,
        cycle: u64,
        events: &mut Vec<Event>,
    ) {
        let Some(running) = self.running.iter_mut().find(|running| running.0 == thread) else { return };
        for k in 0..before.moved(left) {
            let values = before.values.get(k as usize).copied().unwrap_or_default();
            let element = Element { seq: running.2, unit: k.low8(), values };
            events.push(Event { cycle, what: EventKind::Execute { issue: running.1, element } });
            running.2 += 1;
        }
    }

    fn number(&mut self, pc: u32, thread: Thread) -> Issue {
        let task = self.task.unwrap_or(TaskId::at(0));
        let issue = Issue { number: self.count, pc, task, thread };
        self.count = self.count.wrapping_add(1);
        issue
    }

    /// Makes events of the instructions that the interpreter has run. Cycles are counted by basic blocks, whose
    /// instructions issue one a cycle; `end` is the start of the next block.
    pub fn tell(&mut self, end: u64, shift: u64, events: &mut Vec<Event>) {
        let steps = std::mem::take(&mut self.steps.list);
        self.steps.frame = 0;
        for (at, step) in steps.iter().enumerate() {
            let first =
                steps[..at].iter().rposition(|other| other.local_time != step.local_time).map_or(0, |other| other + 1);
            let next = steps[at..]
                .iter()
                .find(|other| other.local_time != step.local_time)
                .map_or(end, |other| other.local_time);
            let cycle = (step.local_time + (at - first) as u64).min(next.max(step.local_time + 1) - 1);
            let issue = self.number(step.pc, Thread::Main);
            let element = Element { seq: 0, unit: 0, values: step.values };
            events.push(Event { cycle, what: EventKind::Issue(issue) });
            events.push(Event { cycle: cycle + shift, what: EventKind::Execute { issue, element } });
        }
    }
}

/// The result of the next issue of an operation, as far as it can be computed beforehand.
pub(crate) struct IssuePreview {
    values: Vec<Values>,
    left: Length,
    group: u32,
}

impl IssuePreview {
    pub fn of(run: &Operation, memory: &Memory, ports: Option<&Ports>, half: FloatKind) -> IssuePreview {
        let (left, group) = (run.left, u32::from(run.rate.group));
        let elements = if run.op == VecOp::Dfilt { 0 } else { left.at_most(group) };
        let mut run = run.clone();
        let values = (0..elements).map(|k| element(&mut run, memory, ports, half, k)).collect();
        IssuePreview { values, left, group }
    }

    /// The number of elements that have moved when `left` are left.
    fn moved(&self, left: Length) -> u32 {
        self.left.finite().map_or(self.group, |before| before - left.saturated())
    }
}

fn element(run: &mut Operation, memory: &Memory, ports: Option<&Ports>, half: FloatKind, k: u32) -> Values {
    let mut found = [None; 3];
    for (i, value) in found.iter_mut().enumerate() {
        let words = run.srcs[i].words;
        *value = match &mut run.srcs[i].cursor {
            Cursor::Scalar(value) => Some(*value),
            Cursor::In(input) => {
                let head = ports.and_then(|ports| ports.inputs[input.slot].front());
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

/// Instructions that the interpreter has run since they were last collected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    list: Vec<ScalarStep>,
    /// The start of the last step's frame.
    frame: usize,
}

#[derive(Clone, Copy, Debug)]
struct ScalarStep {
    local_time: u64,
    pc: u32,
    values: Values,
    /// The register whose value is known only after the instruction.
    written: Option<u16>,
}

impl Steps {
    /// Notes that the instruction at `pc` is about to run in cycle `local_time`.
    pub fn at(&mut self, local_time: u64, pc: usize, insn: Insn, frame: &[u64]) {
        let place = frame.as_ptr() as usize;
        if let Some(last) = self.list.last_mut()
            && let Some(register) = last.written.take()
            && place == self.frame
        {
            last.values[0] = frame.get(usize::from(register)).copied();
        }
        self.frame = place;
        // These are no instructions of a machine, or the part that carries them out records them.
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
        self.list.push(ScalarStep { local_time, pc: pc.low32(), values, written: writes.then_some(insn.a) });
    }
}
