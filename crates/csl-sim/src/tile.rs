//! A tile that something has touched: its compute element, its queues at the ramp, and the state of memcpy.

use csl_machine::Color;
use std::collections::VecDeque;

use csl_pe::{InputSlot, OutputSlot, Ports, Wake};

use crate::memcpy::TileHost;

/// The time of an event that never happens.
pub(crate) const NEVER: u64 = u64::MAX;

/// The state of a tile. The order of the fields is that in memory: those that each cycle of a busy tile reads lie on the
/// first two cache lines, the masks of its queues among them.
#[repr(C, align(64))]
pub(crate) struct Tile<E> {
    pub x: u32,
    /// Colors of which the CE has refused a wavelet since it last had room.
    pub refused: u32,
    pub wake: Wake,
    /// The cycle for which its timer is set, or was set last; other entries of the row's timers for it are stale.
    pub timer: u64,
    /// The cycle in which a wavelet may next leave an output queue; [`NEVER`] while there is none or the router has no
    /// room.
    pub inject_at: u64,
    /// The cycle in which the first of `returns` is due; [`NEVER`] without one.
    next_return: u64,
    /// The output queue to try first.
    pub next_output: OutputSlot,
    /// Whether memcpy has nothing to do on this tile, as far as the last look tells: `host` has not changed since.
    host_rests: bool,
    pub ports: Ports,
    host: TileHost,
    /// Reserved places of input slots, each with the cycle of its release: of wavelets that the tile has sent to
    /// itself.
    returns: VecDeque<(u64, InputSlot)>,
    /// The tile's own time in a run without a clock.
    pub own_time: u64,
    pub element: E,
}

const _: () = assert!(
    std::mem::offset_of!(Tile<u8>, ports) + csl_pe::BUSY_BYTES <= 128,
    "a cycle of a busy tile reads two cache lines before its compute element"
);

impl<E> Tile<E> {
    pub fn new(x: u32, element: E, ports: Ports) -> Tile<E> {
        Tile {
            x,
            element,
            ports,
            returns: VecDeque::new(),
            next_return: NEVER,
            host_rests: false,
            wake: Wake::at(0),
            timer: NEVER,
            inject_at: NEVER,
            next_output: OutputSlot::at(0),
            refused: 0,
            host: TileHost::default(),
            own_time: 0,
        }
    }

    /// The first cycle in which the head of any output queue may land on the router.
    pub fn next_injection(&self) -> u64 {
        self.ports.next_departure().unwrap_or(NEVER)
    }

    /// Notes that the head of an output queue has left in cycle `now`.
    #[inline]
    pub fn let_out(&mut self, output: OutputSlot, now: u64) {
        self.ports.depart(output, now);
        let next = OutputSlot::of(output.index() + 1).filter(|next| next.index() < self.ports.outputs.len());
        self.next_output = next.unwrap_or(OutputSlot::at(0));
        let at = self.next_injection();
        self.inject_at = if at == NEVER { NEVER } else { at.max(now + 1) };
    }

    /// The input slot where a wavelet of `color` would land, if it has room; `None` where no slot takes the color.
    pub fn arrival_slot_with_room(&mut self, color: Color) -> Option<InputSlot> {
        let slot = self.ports.arrival_slot(color)?;
        self.ports.inputs[slot].has_room().then_some(slot)
    }

    /// The next cycle in which the tile must be served if no event wakes it before.
    #[inline]
    pub fn next_service(&self) -> u64 {
        let of_host = if self.host_rests { NEVER } else { self.host.next_due };
        self.wake.at.min(of_host).min(self.next_return)
    }

    /// Reserves a place of an input slot up to cycle `until`.
    pub fn reserve(&mut self, slot: InputSlot, until: u64) {
        self.ports.reserve(slot);
        self.returns.push_back((until, slot));
        self.next_return = self.next_return.min(until);
    }

    /// Frees the places whose release is in this cycle.
    #[inline]
    pub fn take_returns(&mut self, now: u64) {
        if self.next_return <= now {
            self.take_due_returns(now);
        }
    }

    #[cold]
    fn take_due_returns(&mut self, now: u64) {
        while let Some((_, slot)) = self.returns.pop_front_if(|place| place.0 <= now) {
            self.ports.release(slot);
        }
        self.next_return = self.returns.front().map_or(NEVER, |place| place.0);
    }

    pub fn host(&self) -> &TileHost {
        &self.host
    }

    /// For a change: what the last look has told holds no longer.
    pub fn host_mut(&mut self) -> &mut TileHost {
        self.host_rests = false;
        &mut self.host
    }

    pub fn host_and_ports(&mut self) -> (&mut TileHost, &mut Ports) {
        self.host_rests = false;
        (&mut self.host, &mut self.ports)
    }

    /// Whether memcpy has nothing to do here and does not wait for the tile ([`TileHost::is_quiet`]).
    #[inline]
    pub fn host_rests(&mut self) -> bool {
        if !self.host_rests && self.host.is_quiet() {
            (self.host_rests, self.host.next_due) = (true, NEVER);
        }
        self.host_rests
    }
}
