//! A vector operation under way. It can stop after any element and continue.

use csl_machine::{Chip, FifoAction, Priority, VecOp};
use csl_num::{FloatKind, LowBits};

use super::alu;
use super::config::{Config, Effect};
use super::cursor::{Cursor, DsrSlot, In, Operand, Out};
use super::fifo::FifoState;
use super::length::Length;
use super::memory::Memory;
use super::timing::{self, Rate};
use crate::ports::{InputSlot, OutputSlot, Ports};

/// The progress of an operation on a message (`<message_passing>`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    No,
    /// A header has to be sent first.
    Header(u32),
    /// A header has to be received first; it gives the number of elements.
    Awaited,
    /// The header has come; the last wavelet closes the message.
    Taken,
    /// The header is sent; the last wavelet closes the message.
    Open,
}

/// A vector operation and its progress.
///
/// The order of the fields is that in memory: of an operation with one source, all that an issue on the fast path reads
/// lies on the first cache line.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct Operation {
    /// The elements left.
    pub left: Length,
    pub op: VecOp,
    pub rate: Rate,
    /// The number of sources, up to the last one present.
    pub sources: u8,
    /// The scalar source that takes the result of each element.
    pub accumulate: Option<u8>,
    pub is_fabric: bool,
    pub dest: Operand,
    pub srcs: [Operand; 3],
    /// The elements until the rate has to be computed again; endless for never.
    pub row: Length,
    pub message: Message,
    /// The carry flag, of an operation that reads or leaves it (docs/decisions/machine.md M11).
    pub carry: Option<u32>,
    pub config: Config,
    /// The number of elements that a FIFO must have, or have room for, before any moves (its `.simd_mode`).
    pub fifo_least: u8,
    /// The value that the builtin returns.
    pub result: bool,
    /// A source to clear at completion, as it was at the start, and its length.
    pub zero: Option<Box<(Operand, Length)>>,
    pub needs: Needs,
}

/// The facts that decide in every cycle whether an operation can issue. They follow from the operands and do not change
/// while the operation runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Needs {
    /// Masks of the input slots that the operation reads and, below, of the output slot that it writes.
    pub inputs: u32,
    pub outputs: u32,
    pub has_fifo: bool,
    /// Whether each issue is one element that wavelets cannot change: the operation takes the fast path (`fast.rs`).
    pub is_fast: bool,
    /// The priority of the configuration.
    pub priority: Option<Priority>,
}

/// The result of one issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Moved,
    Done(Effect),
    Stalled(Stall),
}

/// The reason why an operation cannot issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stall {
    /// A wavelet in an input slot.
    Input(InputSlot),
    /// Room in an output slot.
    Output(OutputSlot),
    /// Another thread's push or pop.
    Fifo(u8),
}

impl Operation {
    /// Computes [`Operation::needs`] from the operands.
    pub fn settled(mut self) -> Operation {
        let input = |src: &Operand| if let Cursor::In(In { slot, .. }) = src.cursor { slot.bit() } else { 0 };
        let output = if let Cursor::Out(Out { slot, .. }) = self.dest.cursor { slot.bit() } else { 0 };
        let has_fifo = self.operands().any(|operand| matches!(operand.cursor, Cursor::Fifo(_)));
        self.needs = Needs {
            inputs: self.srcs.iter().fold(0, |mask, src| mask | input(src)),
            outputs: output,
            has_fifo,
            is_fast: !has_fifo && self.is_fast(),
            priority: self.config.priority,
        };
        let last = self.srcs.iter().rposition(|src| !matches!(src.cursor, Cursor::None));
        self.sources = last.map_or(0, |last| last.low8() + 1);
        self
    }

    fn is_fast(&self) -> bool {
        let transforms = |operand: &Operand| match operand.cursor {
            Cursor::In(input) => input.control_transform,
            Cursor::Out(out) => out.control_transform,
            _ => false,
        };
        let is_word_wise = self.rate.group == 1 && self.op != VecOp::Dfilt && self.carry.is_none();
        is_word_wise
            && self.row.is_endless()
            && self.message == Message::No
            && self.config.on_control.is_none()
            && !self.operands().any(transforms)
    }

    /// Whether the operation ends before anything moves: all its operands have length 0. (A message may be empty too,
    /// but it has a header, which gives the length.)
    pub fn is_empty(&self) -> bool {
        self.left.is_zero() && self.message == Message::No
    }

    /// Whether the operation accesses memory and scalars only.
    pub fn is_local(&self) -> bool {
        self.needs.inputs | self.needs.outputs == 0 && !self.needs.has_fifo
    }

    /// Whether a source begins at the address `written`.
    pub fn reads(&self, written: Option<u16>) -> bool {
        written.is_some() && self.srcs.iter().any(|src| src.cursor.addr() == written)
    }

    pub fn operands(&self) -> impl Iterator<Item = &Operand> {
        std::iter::once(&self.dest).chain(&self.srcs)
    }

    pub fn operands_mut(&mut self) -> [&mut Operand; 4] {
        let [a, b, c] = &mut self.srcs;
        [&mut self.dest, a, b, c]
    }

    /// The number of issues left of a local operation at the present rate.
    pub fn issues_left(&self) -> u64 {
        u64::from(self.left.min(self.row).saturated().div_ceil(u32::from(self.rate.group)))
    }

    /// Computes the rate again at a new row of an operand, after `elements` have moved: its banks may meet those of
    /// another, or no longer.
    #[inline]
    pub(super) fn pass_rows(&mut self, chip: &Chip, elements: u32) {
        if !self.row.is_endless() {
            self.row.count_off(self.row.at_most(elements));
            if self.row.is_zero() && !self.left.is_zero() {
                self.look_at_row(chip);
            }
        }
    }

    fn look_at_row(&mut self, chip: &Chip) {
        let cursors = self.srcs.each_ref().map(|src| &src.cursor);
        self.rate = timing::at_row(chip, self.op, self.rate, &cursors);
        self.row = timing::row(self.op, self.rate, &cursors);
    }

    pub(super) fn after_move(&mut self, memory: &mut Memory) -> Step {
        if self.left.is_zero() { self.complete(memory) } else { Step::Moved }
    }

    /// Whether an issue would move an element or end the operation.
    #[inline]
    pub fn can_issue(&self, ports: &Ports, fifos: &[FifoState]) -> bool {
        ports.have(self.needs.inputs, self.needs.outputs)
            && (!self.needs.has_fifo || self.stall(ports, fifos).is_none())
    }

    /// The reason why the operation cannot issue, if it cannot.
    pub fn stall(&self, ports: &Ports, fifos: &[FifoState]) -> Option<Stall> {
        let of_source = |src: &Operand| match src.cursor {
            Cursor::In(input) => ports.inputs[input.slot].is_empty().then_some(Stall::Input(input.slot)),
            Cursor::Fifo(id) => {
                let fifo = &fifos[usize::from(id)];
                self.fifo_stalls(fifo.available(src.words), fifo.config.empty_action).then_some(Stall::Fifo(id))
            }
            _ => None,
        };
        self.srcs.iter().find_map(of_source).or_else(|| match self.dest.cursor {
            Cursor::Out(out) => (ports.outputs[out.slot].room() == 0).then_some(Stall::Output(out.slot)),
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

    /// Notes in the FIFO that this operation waits for it, so that the other side activates it.
    pub fn note_wait(&self, fifos: &mut [FifoState]) {
        let wanted = self.left.at_most(self.rate.group.max(self.fifo_least).into());
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

    pub(super) fn suspends(&self, action: FifoAction) -> bool {
        matches!(action, FifoAction::Suspend) || (action == FifoAction::TestOrSuspend && self.config.is_async)
    }

    /// The number of elements of a FIFO that this issue can move: with a packed wavelet all or none, by a `.simd_mode`
    /// so many at once.
    pub(super) fn enough(&self, elements: u32) -> u32 {
        let wanted = self.left.at_most(self.rate.group.into());
        let unit = self.left.at_most(self.fifo_least.max(1).into()).max(1);
        let whole = elements.min(wanted) / unit * unit;
        if elements >= unit.max(wanted) {
            wanted
        } else if self.is_fabric {
            0
        } else {
            whole
        }
    }

    /// The result of one element; updates the carry and the accumulator.
    pub fn compute(&mut self, half: FloatKind, values: [u32; 3]) -> u32 {
        let [a, b, c] = values;
        let value = match &mut self.carry {
            None => alu::apply(self.op, half, a, b, c),
            Some(carry) => alu::add_with_carry(self.op, a, b, carry),
        };
        if let Some(i) = self.accumulate {
            self.srcs[usize::from(i)].cursor = Cursor::Scalar(value);
        }
        value
    }

    pub(super) fn complete(&mut self, memory: &mut Memory) -> Step {
        self.write_back(memory);
        Step::Done(self.config.completion)
    }

    /// Writes at the end: a scalar destination, and a source to clear.
    pub(super) fn write_back(&mut self, memory: &mut Memory) {
        if let Cursor::Ptr { addr, value: Some(value) } = self.dest.cursor {
            memory.write_element(addr, self.dest.words, value);
        }
        if let Some(zero) = &mut self.zero {
            let (source, len) = zero.as_mut();
            (0..len.saturated()).for_each(|_| source.put(memory, 0));
        }
    }

    /// The explicit DSRs of this operation, and their addresses to save.
    pub fn saved(&self) -> impl Iterator<Item = (DsrSlot, u16)> {
        self.operands().filter_map(|operand| Some((operand.dsr?, operand.cursor.addr()?)))
    }
}
