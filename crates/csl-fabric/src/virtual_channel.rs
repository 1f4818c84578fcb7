//! The state of one color at one router, in 64 bytes: everything that forwarding a wavelet touches.

use csl_machine::{Color, DirSet, Direction, Wavelet, index_types};

use crate::state::ColorState;

/// The greatest number of wavelets that an input buffer holds on any chip.
pub(crate) const MAX_BUFFER_DEPTH: usize = 4;

index_types! {
    /// The state of a color at a router: its number in the row, or one of `table::unrouted`.
    pub struct VcId;
}

/// Stands for no virtual channel: the program ends at this side.
pub(crate) const OUTSIDE: VcId = VcId::new(u32::MAX - 1);

/// The control bits of [`InputBuffer::kinds`].
const CONTROLS: u8 = (1 << MAX_BUFFER_DEPTH) - 1;

/// The input buffer of one color and side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InputBuffer {
    /// The side that wavelets come from; `None` until the first has come.
    pub from: Option<Direction>,
    head: u8,
    pub len: u8,
    /// The kinds of the wavelets by position in the ring: control bits low, half bits high.
    kinds: u8,
    /// The virtual channel of the sender, for its credits.
    pub upstream: Option<VcId>,
    ring: [u32; MAX_BUFFER_DEPTH],
}

impl InputBuffer {
    pub const FREE: InputBuffer =
        InputBuffer { from: None, head: 0, len: 0, kinds: 0, upstream: None, ring: [0; MAX_BUFFER_DEPTH] };

    #[inline]
    fn at(&self, slot: usize) -> Wavelet {
        if self.kinds == 0 {
            return Wavelet::word(self.ring[slot]);
        }
        Wavelet {
            data: self.ring[slot],
            control: self.kinds >> slot & 1 != 0,
            half: self.kinds >> (slot + MAX_BUFFER_DEPTH) & 1 != 0,
        }
    }

    /// Whether a control wavelet may be in the buffer, or has been not long ago.
    #[inline]
    pub fn may_have_control(&self) -> bool {
        self.kinds & CONTROLS != 0
    }

    #[inline]
    pub fn front(&self) -> Wavelet {
        self.at(usize::from(self.head))
    }

    /// The wavelet that came last; the buffer is not empty.
    pub fn back(&self) -> Wavelet {
        self.at(usize::from(self.head + self.len - 1) % MAX_BUFFER_DEPTH)
    }

    #[inline]
    pub fn push(&mut self, wavelet: Wavelet) {
        let slot = usize::from(self.head + self.len) % MAX_BUFFER_DEPTH;
        let kind = u8::from(wavelet.control) | u8::from(wavelet.half) << MAX_BUFFER_DEPTH;
        self.ring[slot] = wavelet.data;
        if self.kinds | kind != 0 {
            self.kinds = self.kinds & !(0x11 << slot) | kind << slot;
        }
        self.len += 1;
    }

    #[inline]
    pub fn pop(&mut self) {
        self.head = (self.head + 1) % MAX_BUFFER_DEPTH as u8;
        self.len -= 1;
    }
}

/// The input buffers of a color with several inputs.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    of: [InputBuffer; Direction::ALL.len()],
    /// The sides with a wavelet.
    filled: DirSet,
    /// The side that was served last; west before any was.
    served: Direction,
}

impl Inputs {
    /// The inputs of a color that has had one so far.
    fn beside(first: InputBuffer) -> Inputs {
        let mut inputs =
            Inputs { of: [InputBuffer::FREE; Direction::ALL.len()], filled: DirSet::NONE, served: Direction::West };
        if let Some(side) = first.from {
            inputs.of[side.index()] = first;
            inputs.mark(side);
        }
        inputs
    }

    /// Notes whether there is a wavelet at a side.
    #[inline]
    fn mark(&mut self, side: Direction) {
        if self.of[side.index()].len > 0 { self.filled.insert(side) } else { self.filled.remove(side) }
    }

    /// The side whose turn it is of those that are open and have a wavelet: the next behind the one that was served last.
    #[inline]
    fn next(&self, open: DirSet) -> Option<Direction> {
        let ready = u32::from(self.filled.common(open).0);
        let first = self.served.index() as u32 + 1;
        let sides = Direction::ALL.len() as u32;
        let in_turn = (ready | ready << sides) >> first;
        Direction::from_bit((first + in_turn.trailing_zeros()) % sides).filter(|_| ready != 0)
    }
}

// The flags of a virtual channel.

/// The virtual channel stands in a list of those with a request (`Row::active`).
pub(crate) const QUEUED: u8 = 1 << 0;
/// The color is in teardown.
pub(crate) const TORN_DOWN: u8 = 1 << 1;
/// The virtual channel has a filter, so that delivery to the ramp is not the fast path.
pub(crate) const FILTERED: u8 = 1 << 2;
/// An input is also received by the other color of the pair.
pub(crate) const SHARES_INPUT: u8 = 1 << 3;
/// A wavelet from the CE that waits here advances the switch behind itself.
pub(crate) const ADVANCES: u8 = 1 << 4;
/// The virtual channel is one of the colors of the message network.
pub(crate) const MESSAGES: u8 = 1 << 5;

/// One color at one router.
#[derive(Clone, Debug)]
pub(crate) struct VirtualChannel {
    pub rx: DirSet,
    pub tx: DirSet,
    pub flags: u8,
    pub color: Color,
    /// The room known to be at the neighbours, in wavelets.
    credits: [u8; 4],
    /// The set of sides without room.
    pub full: DirSet,
    pub column: u16,
    /// The side from which the last wavelet landed on an open input; low bits of the cycle follow.
    pub landed_from: Direction,
    pub landed_at: u32,
    /// The virtual channels at the neighbours, once they are known.
    pub targets: [Option<VcId>; 4],
    /// The input buffer of the first side that a wavelet has come by, until one comes by another.
    buffer: InputBuffer,
    inputs: Option<Box<Inputs>>,
}

impl VirtualChannel {
    pub fn new(x: u32, color: Color, state: &ColorState, credits: u8) -> VirtualChannel {
        let config = &state.config;
        let (rx, tx) = config.current();
        let torn = if config.teardown { TORN_DOWN } else { 0 };
        let filtered = if state.filter.is_some() { FILTERED } else { 0 };
        VirtualChannel {
            rx,
            tx,
            flags: torn | filtered | if config.messages.is_some() { MESSAGES } else { 0 },
            color,
            credits: [credits; 4],
            full: DirSet::NONE,
            column: x as u16,
            landed_from: Direction::West,
            landed_at: u32::MAX,
            targets: [None; 4],
            buffer: InputBuffer::FREE,
            inputs: None,
        }
    }

    #[inline]
    pub fn x(&self) -> u32 {
        self.column.into()
    }

    pub fn column_and_color(&self) -> (u32, Color) {
        (self.column.into(), self.color)
    }

    /// Adds a credit: a neighbour has forwarded a wavelet.
    #[inline]
    pub fn add_credit(&mut self, side: Direction) {
        self.credits[side.index()] += 1;
        self.full.remove(side);
    }

    /// Uses a credit: a wavelet leaves for a neighbour.
    #[inline]
    pub fn use_credit(&mut self, side: Direction) {
        let credits = &mut self.credits[side.index()];
        *credits -= 1;
        if *credits == 0 {
            self.full.insert(side);
        }
    }

    /// The input buffer of a side that a wavelet has come in by.
    #[inline]
    pub fn buffer(&self, side: Direction) -> &InputBuffer {
        match &self.inputs {
            None => &self.buffer,
            Some(inputs) => &inputs.of[side.index()],
        }
    }

    /// The input buffer of a side, made if there is none.
    #[inline]
    pub fn buffer_mut(&mut self, side: Direction) -> &mut InputBuffer {
        if self.buffer.from == Some(side) { &mut self.buffer } else { self.other_buffer_mut(side) }
    }

    #[inline(never)]
    fn other_buffer_mut(&mut self, side: Direction) -> &mut InputBuffer {
        if self.inputs.is_none() && self.buffer.from.is_none() {
            self.buffer.from = Some(side);
            return &mut self.buffer;
        }
        let first = &mut self.buffer;
        let inputs =
            self.inputs.get_or_insert_with(|| Box::new(Inputs::beside(std::mem::replace(first, InputBuffer::FREE))));
        let buffer = &mut inputs.of[side.index()];
        buffer.from = Some(side);
        buffer
    }

    /// Whether wavelets have come in by several sides.
    #[inline]
    pub fn has_several_inputs(&self) -> bool {
        self.inputs.is_some()
    }

    /// All input buffers that wavelets have come in by, with their sides.
    pub fn buffers(&self) -> impl Iterator<Item = (Direction, &InputBuffer)> {
        let all = self.inputs.as_ref().map_or(std::slice::from_ref(&self.buffer), |inputs| &inputs.of);
        all.iter().filter_map(|buffer| Some((buffer.from?, buffer)))
    }

    /// Puts a wavelet that has come in by a side behind the others there.
    #[inline]
    pub fn push(&mut self, side: Direction, wavelet: Wavelet) {
        self.buffer_mut(side).push(wavelet);
        if let Some(inputs) = &mut self.inputs {
            inputs.filled.insert(side);
        }
    }

    /// Takes the first wavelet of a side: it has been served.
    #[inline]
    pub fn pop(&mut self, side: Direction) {
        match &mut self.inputs {
            None => self.buffer.pop(),
            Some(inputs) => {
                inputs.of[side.index()].pop();
                inputs.mark(side);
                inputs.served = side;
            }
        }
    }

    /// The side of the next wavelet to forward: an open input that is not empty; several take turns.
    #[inline]
    pub fn next_side(&self) -> Option<Direction> {
        match &self.inputs {
            None => self.buffer.from.filter(|side| self.buffer.len > 0 && self.rx.contains(*side)),
            Some(inputs) => inputs.next(self.rx),
        }
    }

    /// The priority of the next wavelet in switch allocation; `None` where there is none.
    #[inline]
    pub fn priority(&self) -> Option<usize> {
        self.next_side().map(priority)
    }

    /// Whether there is room for a wavelet from a side.
    #[inline]
    pub fn has_room(&self, side: Direction, buffer_depth: u8) -> bool {
        let is_other = self.inputs.is_none() && self.buffer.from != Some(side);
        is_other || self.buffer(side).len < buffer_depth
    }
}

/// The priority in switch allocation of a wavelet that has come in by a side: 0 from the ramp, which goes first, 1 of
/// those that pass by. Wavelets of a PE take no turns with passing ones: in the two-phase reduction
/// (docs/decisions/machine.md M40) the stream of the last leader, which shares the links of a whole segment, costs that
/// segment's chain no cycle.
#[inline]
pub(crate) fn priority(side: Direction) -> usize {
    usize::from(side != Direction::Ramp)
}

/// The wavelets and credits of one cycle from one neighbour row, or from the row itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) credits: Vec<Credit>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.arrivals.is_empty() && self.credits.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.arrivals.clear();
        self.credits.clear();
    }
}

/// A credit on its way back to the sender: the virtual channel and side that it belongs to, as `vc << 2 | side`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Credit(u32);

impl Credit {
    #[inline]
    pub fn new(vc: VcId, side: Direction) -> Credit {
        Credit(vc.number() << 2 | u32::from(side.bit()))
    }

    #[inline]
    pub fn vc(self) -> VcId {
        VcId::new(self.0 >> 2)
    }

    #[inline]
    pub fn side(self) -> Direction {
        Direction::LINKS[self.0 as usize & 3]
    }
}

/// A wavelet under way on a link, with the virtual channel and the side at which it will land.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub vc: VcId,
    pub from: Direction,
    pub wavelet: Wavelet,
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_virtual_channel_is_one_cache_line() {
        assert_eq!(size_of::<super::VirtualChannel>(), 64);
    }
}
