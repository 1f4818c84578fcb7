//! A tile that something has touched: its compute element, its queues at the ramp, and the state of memcpy.

use csl_machine::Color;
use std::collections::VecDeque;

use csl_pe::{InputSlot, OutputSlot, Ports, Wake};

use crate::memcpy::TileHost;

/// The time of an event that never happens.
pub(crate) const NEVER: u64 = u64::MAX;

/// The state of a tile. The order of the fields is that in memory: those that each cycle reads lie together, on few
/// cache lines.
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
    /// The output queue to try first.
    pub next_output: OutputSlot,
    pub ports: Ports,
    /// Reserved places of input slots, each with the cycle of its release: of wavelets that the tile has sent to
    /// itself.
    pub returns: VecDeque<(u64, InputSlot)>,
    pub host: TileHost,
    /// The tile's own time in a run without a clock.
    pub own_time: u64,
    pub element: E,
}

impl<E> Tile<E> {
    pub fn new(x: u32, element: E, ports: Ports) -> Tile<E> {
        Tile {
            x,
            element,
            ports,
            returns: VecDeque::new(),
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
        self.ports.depart(output);
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
    pub fn next_service(&self) -> u64 {
        let returned = self.returns.front().map_or(NEVER, |tile_id| tile_id.0);
        self.wake.at.min(self.host.next_due).min(returned)
    }

    /// Frees the places whose release is in this cycle.
    pub fn take_returns(&mut self, now: u64) {
        while let Some((_, slot)) = self.returns.pop_front_if(|tile_id| tile_id.0 <= now) {
            self.ports.release(slot);
        }
    }
}
