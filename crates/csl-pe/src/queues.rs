//! The queues between a compute element and its router.

use std::collections::VecDeque;

use csl_machine::{Burst, Color, QueueId, Wavelet};
use csl_num::LowBits;

/// The output queue of a synchronous `fabout` operation that names none (up to SDK 1.4): a path six words deep.
pub const UNQUEUED: QueueId = QueueId::at(8);

const MAX_DEPTH: usize = 8;

/// Wavelets that have landed and wait for the CE. It fills one cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct InQueue {
    pub color: Color,
    /// The hardware queue; none for a WSE-2 color that no queue is bound to.
    pub queue: Option<QueueId>,
    /// Whether it takes half wavelets too (WSE-3).
    pub dense: bool,
    pub(crate) depth: u8,
    head: u8,
    pub(crate) len: u8,
    /// The number of places reserved for wavelets from the PE's own ramp, taken or not.
    pub(crate) reserved: u8,
    /// The control and half bits, by position in the ring.
    controls: u8,
    halves: u8,
    /// The number of wavelets that have landed, for reports.
    pub landed: u32,
    ring: [u32; MAX_DEPTH],
    /// The wavelets behind those in the ring, without a bound: in runs without a clock.
    #[expect(clippy::box_collection, reason = "a queue fills one cache line")]
    behind: Option<Box<VecDeque<Burst>>>,
}

impl InQueue {
    pub(crate) fn new(color: Color, queue: Option<QueueId>, depth: u8) -> InQueue {
        InQueue {
            color,
            queue,
            dense: false,
            depth,
            head: 0,
            len: 0,
            reserved: 0,
            controls: 0,
            halves: 0,
            landed: 0,
            ring: [0; MAX_DEPTH],
            behind: None,
        }
    }

    // ---- runs without a clock ----

    /// Puts wavelets behind all others, as many as there are. Most queues have one burst at a time, and a deque that grows by
    /// itself starts with four.
    pub(crate) fn land(&mut self, burst: Burst) {
        self.behind.get_or_insert_with(|| Box::new(VecDeque::with_capacity(1))).push_back(burst);
    }

    /// The number of bursts behind the wavelets in the ring.
    pub fn crowd(&self) -> usize {
        self.behind.as_ref().map_or(0, |behind| behind.len())
    }

    /// Whether no wavelet is left, those behind the ring included.
    pub(crate) fn is_drained(&self) -> bool {
        self.is_empty() && self.crowd() == 0
    }

    /// The number of wavelets that [`InQueue::take_words`] can take at once.
    #[inline]
    pub(crate) fn available(&self) -> usize {
        let behind = self.behind.as_ref().and_then(|behind| behind.front());
        self.len() + behind.map_or(0, Burst::len)
    }

    /// Takes the first words, at most as many as are available.
    pub(crate) fn take_words(&mut self, into: &mut [u32]) {
        let in_ring = self.len().min(into.len());
        let (ring, rest) = into.split_at_mut(in_ring);
        for word in ring {
            *word = self.pop().map_or(0, |wavelet| wavelet.data);
        }
        if let Some(behind) = self.behind.as_mut().filter(|_| !rest.is_empty())
            && let Some(first) = behind.front_mut()
        {
            rest.copy_from_slice(&first.words()[..rest.len()]);
            first.skip(rest.len());
            if first.is_empty() {
                behind.pop_front();
            }
            self.landed = self.landed.wrapping_add(rest.len().low32());
        }
    }

    /// Moves the first wavelet from behind into an empty ring.
    pub(crate) fn refill(&mut self) {
        if self.is_empty()
            && let Some(first) = self.behind.as_mut().and_then(|behind| behind.front_mut())
            && let Some(wavelet) = first.pop()
        {
            if first.is_empty() {
                self.behind.as_mut().map(|behind| behind.pop_front());
            }
            self.push(wavelet);
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub fn has_room(&self) -> bool {
        self.len.max(self.reserved) < self.depth
    }

    /// The `i`-th wavelet from the head.
    #[inline]
    pub fn get(&self, i: usize) -> Option<Wavelet> {
        (i < self.len()).then(|| {
            let place = (usize::from(self.head) + i) % MAX_DEPTH;
            let has = |bits: u8| bits >> place & 1 != 0;
            Wavelet { data: self.ring[place], control: has(self.controls), half: has(self.halves) }
        })
    }

    #[inline]
    pub fn front(&self) -> Option<Wavelet> {
        self.get(0)
    }

    /// Appends a wavelet. Returns false, and changes nothing, when there is no room.
    #[inline]
    pub(crate) fn push(&mut self, wavelet: Wavelet) -> bool {
        let room = self.has_room();
        if room {
            let place = (usize::from(self.head) + self.len()) % MAX_DEPTH;
            self.ring[place] = wavelet.data;
            if self.controls | self.halves != 0 || wavelet.control || wavelet.half {
                self.controls = self.controls & !(1 << place) | u8::from(wavelet.control) << place;
                self.halves = self.halves & !(1 << place) | u8::from(wavelet.half) << place;
            }
            self.len += 1;
            self.landed = self.landed.wrapping_add(1);
        }
        room
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Wavelet> {
        let wavelet = self.front()?;
        self.head = (self.head + 1) % MAX_DEPTH.low8();
        self.len -= 1;
        Some(wavelet)
    }
}

/// A wavelet on its way from the CE to the router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    pub wavelet: Wavelet,
    pub color: Color,
    /// Whether it is the last wavelet of an operation with `advance_switch`: this router advances the color's switch
    /// after it.
    pub advance_switch: bool,
    /// The first cycle in which the wavelet may land on the router from RAMP: the cycle of its dispatch plus the chip's
    /// dispatch-to-ramp latency.
    pub ready: u64,
}

/// Wavelets between their dispatch and their landing on the router, in one order over all colors. What each wavelet touches
/// fills one cache line, the rest another.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct OutQueue {
    /// The cycle from which the wavelet that was put last may land.
    last_ready: u64,
    data: [u32; MAX_DEPTH],
    /// The low bits of the cycle from which each may land.
    ready: [u8; MAX_DEPTH],
    /// The color of each, and above it the flags: control, half, advance_switch.
    tags: [u8; MAX_DEPTH],
    /// The number of wavelets that the PE has put, for reports.
    pub put: u32,
    head: u8,
    len: u8,
    depth: u8,
    /// Whether it sends 16-bit elements as half wavelets (WSE-3).
    pub dense: bool,
    /// The hardware queue, 0-7, or [`UNQUEUED`].
    pub queue: QueueId,
    /// The configured color of the queue; none where each operation names its own (WSE-2).
    pub color: Option<Color>,
    /// One more than the instruction that began to send last, 0 where none did, for reports.
    sender: u32,
}

const _: () =
    assert!(std::mem::offset_of!(OutQueue, depth) < 64, "a wavelet touches one cache line of an output queue");

/// The flags above the color of a wavelet in an output queue, from the lowest on.
const CONTROL: u8 = Color::BITS as u8;
const HALF: u8 = CONTROL + 1;
const ADVANCE_SWITCH: u8 = HALF + 1;

/// When a wavelet is put that may land so many cycles after the last one or more, all earlier ones may land already. Their
/// cycles no longer matter and are moved up to less than so long before the new one's, so that 8 bits of a cycle are enough.
const LONG_SINCE: u64 = 32;

const _: () = assert!(LONG_SINCE as usize * MAX_DEPTH <= 1 << u8::BITS, "the low bits of cycles are enough");

impl OutQueue {
    pub(crate) fn new(queue: QueueId, color: Option<Color>, depth: u8) -> OutQueue {
        OutQueue {
            last_ready: 0,
            data: [0; MAX_DEPTH],
            ready: [0; MAX_DEPTH],
            tags: [0; MAX_DEPTH],
            put: 0,
            head: 0,
            len: 0,
            depth,
            dense: false,
            queue,
            color,
            sender: 0,
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub fn room(&self) -> usize {
        usize::from(self.depth - self.len)
    }

    #[inline]
    pub fn get(&self, i: usize) -> Option<Outgoing> {
        (i < self.len()).then(|| {
            let place = self.place(i);
            let has = |bit: u8| self.tags[place] >> bit & 1 != 0;
            let wavelet = Wavelet { data: self.data[place], control: has(CONTROL), half: has(HALF) };
            let (color, advance_switch) = (self.color_at(place), has(ADVANCE_SWITCH));
            Outgoing { wavelet, color, advance_switch, ready: self.ready_at(place) }
        })
    }

    /// The color of the wavelet that the PE has put last.
    pub fn last_color(&self) -> Option<Color> {
        (self.put > 0).then(|| self.color_at(self.place(self.len() + MAX_DEPTH - 1)))
    }

    /// The instruction of the last operation that was to send.
    pub fn sender(&self) -> Option<u32> {
        self.sender.checked_sub(1)
    }

    pub(crate) fn set_sender(&mut self, pc: u32) {
        self.sender = pc.saturating_add(1);
    }

    /// Notes that words have left without a stay in the queue.
    pub(crate) fn count_sent(&mut self, count: usize, color: Color) {
        self.put = self.put.wrapping_add(count.low32());
        let last = self.place(MAX_DEPTH - 1);
        self.tags[last] = color.number();
    }

    #[inline]
    fn place(&self, i: usize) -> usize {
        (usize::from(self.head) + i) % MAX_DEPTH
    }

    #[inline]
    fn color_at(&self, place: usize) -> Color {
        Color::of_bits(u32::from(self.tags[place] & ((1 << CONTROL) - 1)))
    }

    #[inline]
    fn ready_at(&self, place: usize) -> u64 {
        self.last_ready - u64::from(self.last_ready.low8().wrapping_sub(self.ready[place]))
    }

    /// The head, whether or not it is ready yet.
    #[inline]
    pub fn front(&self) -> Option<Outgoing> {
        self.get(0)
    }

    /// The cycle from which the head may land. Where that has passed long since, it is told later than it was.
    #[inline]
    pub fn head_ready(&self) -> Option<u64> {
        (self.len > 0).then(|| self.ready_at(self.place(0)))
    }

    /// The head, once it may land.
    #[inline]
    pub fn ready(&self, now: u64) -> Option<Outgoing> {
        self.head_ready().filter(|ready| *ready <= now).and_then(|_| self.front())
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Outgoing> {
        let head = self.front()?;
        self.head = (self.head + 1) % MAX_DEPTH.low8();
        self.len -= 1;
        Some(head)
    }

    /// Appends a wavelet. Returns false, and changes nothing, when there is no room.
    #[inline(always)]
    pub(crate) fn push(&mut self, outgoing: Outgoing) -> bool {
        let room = self.room() > 0;
        if room {
            let Outgoing { wavelet: Wavelet { data, control, half }, color, advance_switch, ready } = outgoing;
            // None lands before those that stand there.
            let ready = ready.max(self.last_ready);
            if ready - self.last_ready >= LONG_SINCE && self.len > 0 {
                self.forget(ready);
            }
            let place = self.place(self.len());
            let flags =
                u8::from(control) << CONTROL | u8::from(half) << HALF | u8::from(advance_switch) << ADVANCE_SWITCH;
            (self.data[place], self.ready[place]) = (data, ready.low8());
            (self.last_ready, self.tags[place]) = (ready, color.number() | flags);
            self.len += 1;
            self.put = self.put.wrapping_add(1);
        }
        room
    }

    /// Moves the cycles of all wavelets up, before one is put that may land from cycle `next` ([`LONG_SINCE`]).
    #[cold]
    fn forget(&mut self, next: u64) {
        self.ready = [(next - LONG_SINCE + 1).low8(); MAX_DEPTH];
    }
}

#[cfg(test)]
mod tests {
    use csl_machine::{Arch, Color, QueueId, Wavelet};

    use super::{LONG_SINCE, OutQueue, Outgoing};

    #[test]
    fn an_output_queue_keeps_cycles_that_lie_far_apart() {
        let chips = [Arch::Wse2, Arch::Wse3].map(Arch::chip);
        let on_the_way = chips.map(|chip| u64::from(chip.timing.dispatch_to_ramp)).into_iter().max().unwrap();
        assert!(on_the_way < LONG_SINCE);
        let put = |queue: &mut OutQueue, ready: u64| {
            let color = Color::of_bits(u32::from(Color::COUNT as u8) - 1);
            assert!(queue.push(Outgoing { wavelet: Wavelet::word(1), color, advance_switch: true, ready }));
        };
        let gaps = [
            [1, 1, 1, 2, 1, 3, 1],
            [31, 31, 31, 31, 31, 31, 31],
            [32, 1, 0, 7, 31, 32, 33],
            [100, 100, 100, 31, 31, 31, 31],
            [1 << 40, 255, 256, 31, 1, 31, 40],
        ];
        for gaps in gaps {
            let mut queue = OutQueue::new(QueueId::at(0), None, 8);
            let mut cycles = vec![5];
            put(&mut queue, 5);
            for gap in gaps {
                let ready = cycles.last().unwrap() + gap;
                cycles.push(ready);
                put(&mut queue, ready);
                // Those that could land when it was put may have any such cycle; the others have theirs.
                for (i, known) in cycles.iter().enumerate() {
                    let told = queue.get(i).unwrap().ready;
                    assert!(told == *known || told.max(*known) <= ready - on_the_way, "{gaps:?} {i} {told} {known}");
                }
            }
        }
    }
}
