//! A vector operation in progress. It can stop behind any element and go on.

use csl_machine::{Action, Chip, ENDLESS_LENGTH, FifoAction, Priority, TaskTarget, VecOp, Wavelet, message};
use csl_num::{FloatKind, LowBits};

use super::alu;
use super::config::Config;
use super::cursor::{Cursor, In, Out};
use super::memory_loop;
use super::timing::{self, Rate};
use crate::exceptions;
use crate::fault::FaultKind;
use crate::fifo::FifoState;
use crate::memory::Memory;
use crate::ports::{Outgoing, Ports};

pub(crate) const NO_DSR: u8 = 0xff;

/// A control wavelet that `control_transform` marked in memory: the two highest bits (the guide says no more).
const TRANSFORM_MARK: u32 = 3 << 30;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Operand {
    pub cursor: Cursor,
    /// 16-bit words of an element.
    pub words: u8,
    /// The explicit DSR that it came from, or [`NO_DSR`].
    pub dsr: u8,
}

/// Where an operation on a message stands (`<message_passing>`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    No,
    /// A header is to be sent first.
    Header(u32),
    /// A header is to be received first; it tells the number of elements.
    Awaited,
    /// The last wavelet closes the message.
    Open,
}

/// In this order in memory: what each issue looks at lies together.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct VecRun {
    pub needs: Needs,
    /// Elements, `u32::MAX` for an endless operation.
    pub left: u32,
    pub op: VecOp,
    pub rate: Rate,
    /// Elements up to where the rate has to be looked at again; `u32::MAX` for never.
    pub row: u32,
    pub is_fabric: bool,
    /// The scalar source that takes the result of each element.
    pub accumulate: Option<u8>,
    pub message: Message,
    pub dest: Operand,
    pub srcs: [Operand; 3],
    pub carry: u32,
    pub config: Config,
    /// A source that is cleared at completion: where it started, the size of its elements, the length at the start.
    pub zero: Option<(Cursor, u8, u32)>,
    /// Elements that a FIFO must have, or have room for, before anything moves (its `.simd_mode`).
    pub fifo_least: u8,
    /// What the builtin returns.
    pub result: bool,
}

/// What an operation looks at in every cycle: it follows from the operands and does not change while the operation runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Needs {
    /// Input slots that it reads, and the output slot that it writes, as masks.
    pub inputs: u32,
    pub outputs: u32,
    pub has_fifo: bool,
    /// One element an issue and nothing that wavelets can change: [`VecRun::issue_plain`] runs it.
    pub is_plain: bool,
    /// Sources up to the last one that there is.
    pub sources: u8,
    /// That of the configuration.
    pub priority: Option<Priority>,
}

/// What an operation touches while it runs.
pub(crate) struct Io<'a> {
    pub chip: &'static Chip,
    pub memory: &'a mut Memory,
    pub ports: &'a mut Ports,
    pub fifos: &'a mut [FifoState],
    pub half: FloatKind,
    /// The cycle of this issue.
    pub now: u64,
    /// Dispatch to the router.
    pub ramp: u64,
    /// What `control_transform` flips of a control wavelet that is received.
    pub transform: u32,
    /// Floating-point exceptions that stop the PE, and those of them that this issue has raised.
    pub unmasked: u16,
    pub raised: u16,
    /// Tasks that FIFOs activate.
    pub activated: &'a mut u32,
}

/// What came of one issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Moved,
    Done(Action),
    Stalled(Stall),
}

/// What a stalled operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stall {
    /// A wavelet in an input slot.
    Input(u8),
    /// Room in an output slot.
    Output(u8),
    /// Another thread's push or pop.
    Fifo(u8),
}

/// Whether the operands let some elements move.
enum Ready {
    Go(u32),
    Wait(Stall),
    End(Action),
}

impl VecRun {
    /// Settles [`VecRun::needs`] once the operands stand.
    pub fn settled(mut self) -> VecRun {
        let input = |src: &Operand| if let Cursor::In(In { slot, .. }) = src.cursor { 1 << slot } else { 0 };
        let output = if let Cursor::Out(Out { slot, .. }) = self.dest.cursor { 1 << slot } else { 0 };
        let has_fifo = self.operands().any(|operand| matches!(operand.cursor, Cursor::Fifo(_)));
        self.needs = Needs {
            inputs: self.srcs.iter().fold(0, |mask, src| mask | input(src)),
            outputs: output,
            has_fifo,
            is_plain: !has_fifo && self.is_plain(),
            sources: self.srcs.iter().rposition(|src| src.cursor != Cursor::None).map_or(0, |last| last.low8() + 1),
            priority: self.config.priority,
        };
        self
    }

    fn is_plain(&self) -> bool {
        let transforms = |operand: &Operand| match operand.cursor {
            Cursor::In(input) => input.control_transform,
            Cursor::Out(out) => out.control_transform,
            _ => false,
        };
        let is_word_wise = self.rate.group == 1 && !matches!(self.op, VecOp::Dfilt | VecOp::Addc16);
        is_word_wise
            && self.row == u32::MAX
            && self.message == Message::No
            && self.config.on_control.is_none()
            && !self.operands().any(transforms)
    }

    /// Whether it ends before anything moves: all its operands have length 0. (A message may be empty, too, but has a
    /// header, which tells the length.)
    pub fn is_empty(&self) -> bool {
        self.left == 0 && self.message == Message::No
    }

    /// Whether it touches nothing but memory and scalars.
    pub fn is_local(&self) -> bool {
        self.needs.inputs | self.needs.outputs == 0 && !self.needs.has_fifo
    }

    /// Whether a source begins where `written` does.
    pub fn reads(&self, written: Option<u16>) -> bool {
        written.is_some() && self.srcs.iter().any(|src| src.cursor.addr() == written)
    }

    pub fn operands(&self) -> impl Iterator<Item = &Operand> {
        std::iter::once(&self.dest).chain(&self.srcs)
    }

    /// Issues of a local operation that are left at the present rate.
    pub fn issues_left(&self) -> u64 {
        u64::from(self.left.min(self.row).div_ceil(u32::from(self.rate.group)))
    }

    /// `elements` have moved: at a new row of an operand its banks may meet those of another, or no longer.
    #[inline]
    fn pass_rows(&mut self, chip: &Chip, elements: u32) {
        if self.row != u32::MAX {
            self.row = self.row.saturating_sub(elements);
            if self.row == 0 && self.left > 0 {
                self.look_at_row(chip);
            }
        }
    }

    fn look_at_row(&mut self, chip: &Chip) {
        let cursors = self.srcs.map(|src| src.cursor);
        self.rate = timing::at_row(chip, self.op, self.rate, &cursors);
        self.row = timing::row(self.op, self.rate, &cursors);
    }

    /// Runs `issues` issues of a local operation at once.
    pub fn run_local(&mut self, chip: &Chip, memory: &mut Memory, half: FloatKind, issues: u64) -> Step {
        let issues = issues.min(u64::from(u32::MAX)) as u32;
        let elements = issues.saturating_mul(u32::from(self.rate.group)).min(self.left);
        memory_loop::run(self, memory, half, elements);
        if self.left != u32::MAX {
            self.left -= elements;
        }
        self.pass_rows(chip, elements);
        self.after_move(memory)
    }

    /// As [`VecRun::run_local`], element by element up to one that raises a floating-point exception of `unmasked`.
    pub fn run_watched(
        &mut self,
        chip: &Chip,
        memory: &mut Memory,
        half: FloatKind,
        issues: u64,
        unmasked: u16,
    ) -> Result<Step, FaultKind> {
        for _ in 0..issues.saturating_mul(u64::from(self.rate.group)).min(u64::from(self.left)) {
            let raised = exceptions::of_element(self.op, half, memory_loop::next_sources(self, memory)) & unmasked;
            if raised != 0 {
                return Err(FaultKind::FpException { raised });
            }
            memory_loop::run(self, memory, half, 1);
            if self.left != u32::MAX {
                self.left -= 1;
            }
            self.pass_rows(chip, 1);
        }
        Ok(self.after_move(memory))
    }

    pub(super) fn after_move(&mut self, memory: &mut Memory) -> Step {
        if self.left == 0 { self.complete(memory) } else { Step::Moved }
    }

    /// One issue of any operation.
    pub fn issue(&mut self, io: &mut Io) -> Result<Step, FaultKind> {
        if self.needs.is_plain && io.unmasked == 0 && io.ports.have(self.needs.inputs, self.needs.outputs) {
            return Ok(self.issue_plain(io));
        }
        if self.op == VecOp::Dfilt {
            return Ok(self.filter(io));
        }
        if matches!(self.message, Message::Header(_) | Message::Awaited) {
            return Ok(self.pass_header(io));
        }
        let elements = match self.ready(io)? {
            Ready::Go(elements) => elements,
            Ready::Wait(stall) => return Ok(Step::Stalled(stall)),
            Ready::End(effect) => return Ok(Step::Done(effect)),
        };
        self.move_elements(io, elements);
        if io.raised != 0 {
            return Err(FaultKind::FpException { raised: io.raised });
        }
        if self.left != u32::MAX {
            self.left -= elements;
        }
        self.pass_rows(io.chip, elements);
        Ok(self.after_move(io.memory))
    }

    fn pass_header(&mut self, io: &mut Io) -> Step {
        match (self.message, self.dest.cursor, self.srcs[0].cursor) {
            (Message::Header(header), Cursor::Out(Out { slot, color, .. }), _) => {
                let ready = io.now + io.ramp;
                let wavelet = Wavelet::word(header);
                if !io.ports.put(usize::from(slot), Outgoing { wavelet, color, advance_switch: false, ready }) {
                    return Step::Stalled(Stall::Output(slot));
                }
            }
            (Message::Awaited, _, Cursor::In(In { slot, .. })) => match io.ports.take(usize::from(slot)) {
                None => return Step::Stalled(Stall::Input(slot)),
                Some(header) => self.left = header.data >> message::LENGTH_SHIFT,
            },
            _ => {}
        }
        self.message = if matches!(self.message, Message::Header(_)) { Message::Open } else { Message::No };
        self.after_move(io.memory)
    }

    /// Whether an issue would move something or end the operation.
    #[inline]
    pub fn can_issue(&self, ports: &Ports, fifos: &[FifoState]) -> bool {
        ports.have(self.needs.inputs, self.needs.outputs)
            && (!self.needs.has_fifo || self.stall(ports, fifos).is_none())
    }

    /// What the operation waits for, if it cannot issue.
    pub fn stall(&self, ports: &Ports, fifos: &[FifoState]) -> Option<Stall> {
        let of_source = |src: &Operand| match src.cursor {
            Cursor::In(input) => ports.inputs[usize::from(input.slot)].is_empty().then_some(Stall::Input(input.slot)),
            Cursor::Fifo(id) => {
                let fifo = &fifos[usize::from(id)];
                self.fifo_stalls(fifo.available(src.words), fifo.config.empty_action).then_some(Stall::Fifo(id))
            }
            _ => None,
        };
        self.srcs.iter().find_map(of_source).or_else(|| match self.dest.cursor {
            Cursor::Out(out) => (ports.outputs[usize::from(out.slot)].room() == 0).then_some(Stall::Output(out.slot)),
            Cursor::Fifo(id) => {
                let fifo = &fifos[usize::from(id)];
                self.fifo_stalls(fifo.room(self.dest.words), fifo.config.full_action).then_some(Stall::Fifo(id))
            }
            _ => None,
        })
    }

    fn fifo_stalls(&self, elements: u32, action: FifoAction) -> bool {
        self.enough(elements) == 0 && self.suspends(action)
    }

    /// Tells the FIFO that this operation waits for it, so that the other side's activations know.
    pub fn note_wait(&self, fifos: &mut [FifoState]) {
        let wanted = u32::from(self.rate.group.max(self.fifo_least)).min(self.left);
        for src in &self.srcs {
            if let Cursor::Fifo(id) = src.cursor
                && self.enough(fifos[usize::from(id)].available(src.words)) == 0
            {
                fifos[usize::from(id)].hit_empty((wanted * u32::from(src.words)).low16());
            }
        }
        if let Cursor::Fifo(id) = self.dest.cursor
            && self.enough(fifos[usize::from(id)].room(self.dest.words)) == 0
        {
            fifos[usize::from(id)].hit_full((wanted * u32::from(self.dest.words)).low16());
        }
    }

    fn suspends(&self, action: FifoAction) -> bool {
        matches!(action, FifoAction::Suspend) || (action == FifoAction::TestOrSuspend && self.config.is_async)
    }

    /// Elements of a FIFO that this issue can move: with a packed wavelet all or nothing, by a `.simd_mode` so many at once.
    fn enough(&self, elements: u32) -> u32 {
        let wanted = u32::from(self.rate.group).min(self.left);
        let unit = u32::from(self.fifo_least.max(1)).min(self.left).max(1);
        let whole = elements.min(wanted) / unit * unit;
        if elements >= unit.max(wanted) {
            wanted
        } else if self.is_fabric {
            0
        } else {
            whole
        }
    }

    fn ready(&mut self, io: &mut Io) -> Result<Ready, FaultKind> {
        let mut elements = u32::from(self.rate.group).min(self.left);
        for i in 0..self.srcs.len() {
            match self.srcs[i].cursor {
                Cursor::In(input) => match io.ports.inputs[usize::from(input.slot)].front() {
                    None => return Ok(Ready::Wait(Stall::Input(input.slot))),
                    Some(head) if head.control && self.config.on_control.is_some() => {
                        io.ports.take(usize::from(input.slot));
                        self.write_back(io.memory);
                        return Ok(Ready::End(self.config.on_control.unwrap_or_default()));
                    }
                    Some(head) if head.half => elements = elements.min(1),
                    Some(_) => {}
                },
                Cursor::Fifo(id) => {
                    let words = self.srcs[i].words;
                    match self.enough(io.fifos[usize::from(id)].available(words)) {
                        0 => return self.fifo_event(io, id, true, elements * u32::from(words)),
                        some => elements = elements.min(some),
                    }
                }
                _ => {}
            }
        }
        self.ready_dest(io, elements)
    }

    fn ready_dest(&mut self, io: &mut Io, elements: u32) -> Result<Ready, FaultKind> {
        match self.dest.cursor {
            Cursor::Out(out) if io.ports.outputs[usize::from(out.slot)].room() == 0 => {
                Ok(Ready::Wait(Stall::Output(out.slot)))
            }
            Cursor::Fifo(id) => {
                let words = self.dest.words;
                match self.enough(io.fifos[usize::from(id)].room(words)) {
                    0 => self.fifo_event(io, id, false, elements * u32::from(words)),
                    some => Ok(Ready::Go(elements.min(some))),
                }
            }
            _ => Ok(Ready::Go(elements)),
        }
    }

    /// An empty FIFO to read from, or a full one to write to (docs/decisions/machine.md M8). The FIFO's length becomes
    /// what is left.
    fn fifo_event(&mut self, io: &mut Io, id: u8, reads: bool, words: u32) -> Result<Ready, FaultKind> {
        let fifo = &mut io.fifos[usize::from(id)];
        let action = if reads { fifo.config.empty_action } else { fifo.config.full_action };
        if reads {
            fifo.hit_empty(words.low16())
        } else {
            fifo.hit_full(words.low16())
        }
        if action == FifoAction::Fault {
            return Err(if reads { FaultKind::FifoEmpty { fifo: id } } else { FaultKind::FifoFull { fifo: id } });
        }
        if self.suspends(action) {
            return Ok(Ready::Wait(Stall::Fifo(id)));
        }
        let left = self.left.min(ENDLESS_LENGTH.into()).low16();
        match reads {
            true if fifo.read_len != 0 => fifo.read_len = left,
            false if fifo.write_len != 0 => fifo.write_len = left,
            _ => {}
        }
        self.result = action == FifoAction::Terminate;
        Ok(Ready::End(self.config.completion))
    }

    fn move_elements(&mut self, io: &mut Io, elements: u32) {
        let wavelets = self.take_wavelets(io);
        let mut packed = 0;
        for k in 0..elements {
            let values = [0, 1, 2].map(|i| self.fetch(io, i, wavelets[i], k));
            if io.unmasked != 0 {
                io.raised |= exceptions::of_element(self.op, io.half, values) & io.unmasked;
            }
            let value = self.compute(io.half, values);
            match self.dest.cursor {
                Cursor::Out(_) => packed |= value << (16 * k),
                _ => self.store(io, value),
            }
        }
        if let Cursor::Out(out) = self.dest.cursor {
            self.send(io, out, packed, elements);
        }
    }

    fn take_wavelets(&mut self, io: &mut Io) -> [u32; 3] {
        self.srcs.map(|src| match src.cursor {
            Cursor::In(input) => {
                io.ports.take(usize::from(input.slot)).map_or(0, |wavelet| received(input, wavelet, io.transform))
            }
            _ => 0,
        })
    }

    fn fetch(&mut self, io: &mut Io, i: usize, wavelet: u32, k: u32) -> u32 {
        let src = &mut self.srcs[i];
        match &mut src.cursor {
            Cursor::Scalar(value) => *value,
            Cursor::In(_) if src.words == 1 => wavelet >> (16 * k) & 0xffff,
            Cursor::In(_) => wavelet,
            Cursor::Fifo(id) => pop(io, *id, src.words),
            cursor => match cursor.next_addr() {
                Some(addr) if src.words == 1 => u32::from(io.memory.read16(addr)),
                Some(addr) => io.memory.read32(addr),
                None => 0,
            },
        }
    }

    /// The result of one element; keeps the carry and the accumulator.
    pub fn compute(&mut self, half: FloatKind, values: [u32; 3]) -> u32 {
        let third = if self.op == VecOp::Addc16 { self.carry } else { values[2] };
        let mut value = alu::apply(self.op, half, values[0], values[1], third);
        if self.op == VecOp::Addc16 {
            self.carry = value >> 16;
            value &= 0xffff;
        }
        if let Some(i) = self.accumulate {
            self.srcs[usize::from(i)].cursor = Cursor::Scalar(value);
        }
        value
    }

    fn store(&mut self, io: &mut Io, value: u32) {
        let words = self.dest.words;
        match &mut self.dest.cursor {
            Cursor::Ptr { value: held, .. } => *held = Some(value),
            Cursor::Fifo(id) => push(io, *id, words, value),
            cursor => match cursor.next_addr() {
                Some(addr) if words == 1 => io.memory.write16(addr, value.low16()),
                Some(addr) => io.memory.write32(addr, value),
                None => {}
            },
        }
    }

    #[inline]
    pub(super) fn send(&mut self, io: &mut Io, out: Out, value: u32, elements: u32) {
        let is_last = self.left == elements;
        let marked = out.control_transform && value & TRANSFORM_MARK == TRANSFORM_MARK;
        let mut data = if marked { value & !TRANSFORM_MARK } else { value };
        if let Some(index) = out.index {
            data = data & 0xffff | u32::from(index) << 16;
        }
        let closes = is_last && self.message == Message::Open;
        let wavelet = Wavelet { data, control: out.control || marked || closes, half: out.half };
        let advance_switch = out.advance_switch && is_last;
        let outgoing = Outgoing { wavelet, color: out.color, advance_switch, ready: io.now + io.ramp };
        let sent = io.ports.put(usize::from(out.slot), outgoing);
        debug_assert!(sent, "`ready` has looked for room");
    }

    /// `@dfilt`: drops wavelets until `left` control wavelets came.
    fn filter(&mut self, io: &mut Io) -> Step {
        let Cursor::In(input) = self.srcs[0].cursor else { return self.complete(io.memory) };
        match io.ports.take(usize::from(input.slot)) {
            None => Step::Stalled(Stall::Input(input.slot)),
            Some(wavelet) => {
                if wavelet.control && self.left != u32::MAX {
                    self.left -= 1;
                }
                self.after_move(io.memory)
            }
        }
    }

    fn complete(&mut self, memory: &mut Memory) -> Step {
        self.write_back(memory);
        Step::Done(self.config.completion)
    }

    /// What reaches memory only at the end: a scalar destination, a source to be cleared.
    fn write_back(&mut self, memory: &mut Memory) {
        if let Cursor::Ptr { addr, value: Some(value) } = self.dest.cursor {
            write(memory, addr, self.dest.words, value);
        }
        if let Some((mut cursor, words, len)) = self.zero {
            for _ in 0..len {
                let Some(addr) = cursor.next_addr() else { break };
                write(memory, addr, words, 0);
            }
        }
    }

    /// Explicit DSRs of this operation and where they stand.
    pub fn saved(&self) -> impl Iterator<Item = (usize, u16)> {
        self.operands().filter(|o| o.dsr != NO_DSR).filter_map(|o| Some((usize::from(o.dsr), o.cursor.addr()?)))
    }
}

fn write(memory: &mut Memory, addr: u16, words: u8, value: u32) {
    if words == 1 { memory.write16(addr, value.low16()) } else { memory.write32(addr, value) }
}

/// The mask of the control transform works here alone: on both sides of a relay it would undo itself (a choice).
fn received(input: In, wavelet: Wavelet, transform: u32) -> u32 {
    let mark = input.control_transform && wavelet.control;
    if mark { wavelet.data ^ transform | TRANSFORM_MARK } else { wavelet.data }
}

fn pop(io: &mut Io, id: u8, words: u8) -> u32 {
    let fifo = &mut io.fifos[usize::from(id)];
    let value = fifo.pop(io.memory, words);
    activate(io.activated, fifo.after_pop());
    value
}

fn push(io: &mut Io, id: u8, words: u8, value: u32) {
    let fifo = &mut io.fifos[usize::from(id)];
    fifo.push(io.memory, words, value);
    activate(io.activated, fifo.after_push());
}

fn activate(activated: &mut u32, target: Option<TaskTarget>) {
    if let Some(TaskTarget::LocalTask(id)) = target {
        *activated |= 1u32.checked_shl(u32::from(id)).unwrap_or(0);
    }
}
