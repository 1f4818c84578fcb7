//! The ports of a PE at the ramp: its queues, by hardware queue and by color.
//!
//! The simulator owns one [`Ports`] for each touched tile. It lands wavelets in input slots and takes them from output
//! slots; the PE takes from the former and puts into the latter. Ports know no routes.
//!
//! An *input slot* is a buffer that wavelets land in. On WSE-3 it is an input queue. On WSE-2 it belongs to a color,
//! because a color may trigger a task before, while and after a `fabin` operation binds it to a queue at run time
//! (programs up to SDK 1.4); the queue that it is bound to gives its depth. Slots are made as they are needed.

use csl_machine::{Arch, Burst, Color, QueueId, Wavelet};
use csl_num::LowBits;

use crate::queues::{InQueue, OutQueue, Outgoing, UNQUEUED};

/// The number of output queues, with that of operations which name none.
const OUTPUTS: usize = UNQUEUED.index() + 1;

csl_machine::byte_ids! {
    /// The index of an input slot in [`Ports::inputs`].
    pub struct InputSlot: Color::COUNT;

    /// The index of an output queue in [`Ports::outputs`].
    pub struct OutputSlot: OUTPUTS;
}

/// The lowest bit of output queues in [`Ports::ready`].
const OPEN: u8 = 32;

/// The mask of input slots that are to hold a wavelet and of output queues that are to have room.
#[inline]
pub(crate) fn needs(inputs: u32, outputs: u32) -> u64 {
    u64::from(inputs) | u64::from(outputs) << OPEN
}

/// The two halves of such a mask.
#[inline]
pub(crate) fn inputs_and_outputs(needs: u64) -> (u32, u32) {
    (needs as u32, (needs >> OPEN) as u32)
}

/// The queues of one PE.
///
/// The order of the fields is that in memory: those that each cycle of a streaming PE reads lie together.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Ports {
    /// The input slots with a wavelet, and above them the output queues with room: what an operation may need. (One word: a
    /// read of two that were written one by one has to wait for the writes.)
    ready: u64,
    /// The output queues with a wavelet, and those of which the head is known to be ready to land in the next cycle.
    sending: u16,
    due: u16,
    /// Input slots from which the PE has taken a wavelet; the simulator clears the mask once it has woken the router.
    pub taken: u32,
    /// Output queues into which the PE has put a wavelet; the simulator clears the mask.
    pub put: u32,
    /// An input queue without dense mode in which a half wavelet has landed.
    pub(crate) stray_half: Option<QueueId>,
    /// Whether the PE has called `unblock_cmd_stream()`; the simulator clears it and may deliver the next command.
    pub cmd_stream_unblocked: bool,
    /// Whether the function that the host has launched last has still to do so; none before the first.
    pub launch_is_open: Option<bool>,
    arch: Arch,
    /// Input slots, at most 32.
    pub inputs: Vec<InQueue>,
    /// Output queues in use, at most nine.
    pub outputs: Vec<OutQueue>,
    input_of_color: [Option<InputSlot>; Color::COUNT],
    input_of_queue: [Option<InputSlot>; 8],
    output_of_queue: [Option<OutputSlot>; OUTPUTS],
    /// Input slots with wavelets behind their rings, in a run without a clock.
    behind: u32,
}

/// The bytes at the start of [`Ports`] that each cycle of a streaming PE reads.
pub const BUSY_BYTES: usize = std::mem::offset_of!(Ports, outputs) + size_of::<Vec<OutQueue>>();

const _: () = assert!(OUTPUTS <= u16::BITS as usize, "`sending` has a bit for each");

/// The error of binding a queue that still holds wavelets to another color (docs/decisions/machine.md M30).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotEmpty;

impl Ports {
    pub fn new(arch: Arch) -> Ports {
        Ports {
            arch,
            ready: 0,
            sending: 0,
            due: 0,
            behind: 0,
            inputs: Vec::new(),
            outputs: Vec::new(),
            input_of_queue: [None; 8],
            input_of_color: [None; Color::COUNT],
            output_of_queue: [None; OUTPUTS],
            taken: 0,
            put: 0,
            stray_half: None,
            cmd_stream_unblocked: false,
            launch_is_open: None,
        }
    }

    // ---- the simulator's side ----

    /// The input slot where a wavelet of `color` lands; `None` where no input queue takes the color (WSE-3), or the
    /// color does not exist: the wavelet then stays in the router.
    #[inline]
    pub fn arrival_slot(&mut self, color: Color) -> Option<InputSlot> {
        let slot = self.input_of_color[color];
        if slot.is_some() {
            return slot;
        }
        let depth = self.arch.chip().queues.unbound_color_depth?;
        Some(self.add_input(color, None, depth))
    }

    /// Lands a wavelet. Returns false, and changes nothing, when the slot is full.
    #[must_use]
    #[inline]
    pub fn arrive(&mut self, slot: InputSlot, wavelet: Wavelet) -> bool {
        let Some(input) = self.inputs.get_mut(slot.index()) else { return false };
        let done = input.push(wavelet);
        if wavelet.half && !input.dense {
            self.stray_half = input.queue;
        }
        self.ready |= u64::from(done) << slot.number();
        done
    }

    /// Lands wavelets in a run without a clock: an input slot takes as many as there are.
    pub fn land(&mut self, slot: InputSlot, burst: Burst) {
        let input = &mut self.inputs[slot];
        if burst.half && !input.dense {
            self.stray_half = input.queue;
        }
        input.land(burst);
        self.behind |= slot.bit();
    }

    /// Moves landed wavelets to where operations and tasks find them. Returns the slots that hold some and held none.
    pub fn refill(&mut self) -> u32 {
        let wanted = self.behind & !self.filled();
        for slot in Ones(wanted).filter_map(InputSlot::of) {
            let input = &mut self.inputs[slot];
            input.refill();
            self.ready |= u64::from(!input.is_empty()) << slot.number();
            self.behind &= !(u32::from(input.crowd() == 0) << slot.number());
        }
        self.filled() & wanted
    }

    /// The number of wavelets that can be taken at once.
    pub(crate) fn available(&self, slot: InputSlot) -> usize {
        self.inputs[slot].available()
    }

    /// Whether each of these slots has a wavelet.
    pub(crate) fn all_have(&self, slots: u32) -> bool {
        slots & !(self.filled() | self.behind) == 0
    }

    /// Takes words, at most as many as are available.
    pub(crate) fn take_words(&mut self, slot: InputSlot, into: &mut [u32]) {
        let input = &mut self.inputs[slot];
        input.take_words(into);
        self.ready &= !(u64::from(input.is_empty()) << slot.number());
        self.taken |= slot.bit();
    }

    /// Keeps the place of the last landed wavelet taken until [`Ports::release`], whether or not the wavelet is read
    /// before.
    pub fn reserve(&mut self, slot: InputSlot) {
        if let Some(input) = self.inputs.get_mut(slot.index()) {
            input.reserved += 1;
        }
    }

    pub fn release(&mut self, slot: InputSlot) {
        if let Some(input) = self.inputs.get_mut(slot.index()) {
            input.reserved = input.reserved.saturating_sub(1);
        }
    }

    /// Takes the head of an output queue in cycle `now`, in which it lands on the router: its place is free again in that
    /// cycle.
    #[inline]
    pub fn depart(&mut self, slot: OutputSlot, now: u64) -> Option<Outgoing> {
        let output = self.outputs.get_mut(slot.index())?;
        let head = output.pop()?;
        let is_due = output.head_ready().is_some_and(|ready| ready <= now + 1);
        self.sending &= !(u16::from(output.is_empty()) << slot.number());
        self.due = self.due & !(1 << slot.number()) | u16::from(is_due) << slot.number();
        self.ready |= u64::from(slot.bit()) << OPEN;
        Some(head)
    }

    /// The output queue with a wavelet that has its turn, of those in a set; `next` is the first in turn.
    #[inline]
    pub fn next_sender(&self, set: u32, next: OutputSlot) -> Option<OutputSlot> {
        let set = set & u32::from(self.sending);
        let behind = set & !(next.bit() - 1);
        let first = if behind != 0 { behind } else { set };
        if first == 0 { None } else { OutputSlot::new(first.trailing_zeros().low8()) }
    }

    /// The first cycle in which the head of an output queue may land on the router, or an earlier one; `None` where all are
    /// empty.
    #[inline]
    pub fn next_departure(&self) -> Option<u64> {
        if self.due != 0 { Some(0) } else { self.first_of(self.sending.into()) }
    }

    /// The first cycle after `now` in which the head of an output queue may land on the router. Notes the heads that may
    /// land by now.
    pub fn departure_after(&mut self, now: u64) -> Option<u64> {
        let undue = self.sending & !self.due;
        for slot in Ones(undue.into()) {
            let is_due = self.outputs.get(slot).and_then(OutQueue::head_ready).is_some_and(|ready| ready <= now);
            self.due |= u16::from(is_due) << slot;
        }
        self.first_of((undue & !self.due).into())
    }

    /// The first cycle in which the head of an output queue of a set may land.
    fn first_of(&self, slots: u32) -> Option<u64> {
        Ones(slots).filter_map(|slot| self.outputs.get(slot).and_then(OutQueue::head_ready)).min()
    }

    // ---- both sides ----

    /// Whether all these input slots hold a wavelet and all these output queues have room.
    #[inline]
    pub fn have(&self, inputs: u32, outputs: u32) -> bool {
        needs(inputs, outputs) & self.lacking() == 0
    }

    /// The input slots without a wavelet and the output queues without room, as [`needs`] has them.
    #[inline]
    pub(crate) fn lacking(&self) -> u64 {
        !self.ready
    }

    /// Input slots that hold a wavelet.
    #[inline]
    pub fn filled(&self) -> u32 {
        self.ready as u32
    }

    /// The input slot of a hardware queue.
    pub fn input_slot(&self, queue: QueueId) -> Option<InputSlot> {
        self.input_of_queue.get(queue.index()).copied().flatten()
    }

    /// The input slot of a color that has one.
    pub fn color_slot(&self, color: Color) -> Option<InputSlot> {
        self.input_of_color[color]
    }

    /// The index in `outputs` of a queue in use.
    pub fn output_slot(&self, queue: QueueId) -> Option<OutputSlot> {
        self.output_of_queue.get(queue.index()).copied().flatten()
    }

    // ---- the PE's side ----

    /// Binds an input queue (0-7) to a color, at start, by `encode_input_queue`, or by a `fabin` operation (WSE-2).
    pub fn bind_input(&mut self, queue: QueueId, color: Color) -> Result<InputSlot, NotEmpty> {
        // Queues that no chip has share the slots of others, so that slots stay few for any image.
        let queue = QueueId::at(queue.number() & 7);
        let depth = self.arch.chip().input_queue_depth(queue).unwrap_or(1);
        let slot = match self.arch {
            Arch::Wse2 => self.color_slot(color).unwrap_or_else(|| self.add_input(color, Some(queue), depth)),
            Arch::Wse3 => self.input_slot(queue).unwrap_or_else(|| self.add_input(color, Some(queue), depth)),
        };
        let input = &mut self.inputs[slot];
        if input.color != color && !input.is_drained() {
            return Err(NotEmpty);
        }
        if input.color != color {
            self.input_of_color[input.color] = None;
        }
        (input.color, input.queue) = (color, Some(queue));
        input.depth = depth.max(input.len);
        self.input_of_queue[queue] = Some(slot);
        self.input_of_color[color] = Some(slot);
        Ok(slot)
    }

    #[cold]
    fn add_input(&mut self, color: Color, queue: Option<QueueId>, depth: u8) -> InputSlot {
        let slot = InputSlot::of(self.inputs.len()).expect("a slot for each color at most");
        self.inputs.push(InQueue::new(color, queue, depth));
        self.input_of_color[color] = Some(slot);
        slot
    }

    /// Takes an output queue into use, with its configured color, if it has one.
    pub fn bind_output(&mut self, queue: QueueId, color: Option<Color>) -> Result<OutputSlot, NotEmpty> {
        let slot = self.output_slot(queue).unwrap_or_else(|| self.add_output(queue));
        let output = &mut self.outputs[slot];
        if output.color != color && output.color.is_some() && !output.is_empty() {
            return Err(NotEmpty);
        }
        output.color = color;
        Ok(slot)
    }

    fn add_output(&mut self, queue: QueueId) -> OutputSlot {
        let queue = queue.min(UNQUEUED);
        let slot = OutputSlot::of(self.outputs.len()).expect("a slot for each queue");
        let chip = self.arch.chip();
        let depth = chip.output_queue_depth(queue).unwrap_or(chip.queues.unnamed_output_depth);
        self.outputs.push(OutQueue::new(queue, None, depth));
        self.ready |= u64::from(depth > 0) << (OPEN + slot.number());
        self.output_of_queue[queue] = Some(slot);
        slot
    }

    /// Takes the head of an input slot.
    #[inline]
    pub fn take(&mut self, slot: InputSlot) -> Option<Wavelet> {
        let input = self.inputs.get_mut(slot.index())?;
        let wavelet = input.pop()?;
        self.ready &= !(u64::from(input.is_empty()) << slot.number());
        self.taken |= slot.bit();
        Some(wavelet)
    }

    /// Puts a wavelet into an output queue. Returns false, and changes nothing, when it is full.
    #[must_use]
    #[inline(always)]
    pub fn put(&mut self, slot: OutputSlot, outgoing: Outgoing) -> bool {
        let Some(output) = self.outputs.get_mut(slot.index()) else { return false };
        let done = output.push(outgoing);
        self.ready &= !(u64::from(output.room() == 0) << (OPEN + slot.number()));
        self.put |= u32::from(done) << slot.number();
        self.sending |= u16::from(done) << slot.number();
        done
    }
}

/// The positions of the ones of a mask.
struct Ones(u32);

impl Iterator for Ones {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let lowest = (self.0 != 0).then(|| self.0.trailing_zeros() as usize)?;
        self.0 &= self.0 - 1;
        Some(lowest)
    }
}
