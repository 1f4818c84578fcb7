//! A tile that something has touched: its compute element, its queues at the ramp, and what memcpy has for it.

use std::collections::VecDeque;

use csl_pe::{Ports, Wake};

use crate::memcpy::TileHost;

/// Never.
pub(crate) const NEVER: u64 = u64::MAX;

/// In this order in memory: what each cycle looks at lies together, on as few cache lines as can be.
#[repr(C, align(64))]
pub(crate) struct Tile<E> {
    pub x: u32,
    /// Colors of which the CE has refused a wavelet since it last had room.
    pub refused: u32,
    pub wake: Wake,
    /// The cycle at which its timer is set, or was set last; other entries of the row's timers for it are stale.
    pub timer: u64,
    /// When a wavelet may next leave an output queue; [`NEVER`] while there is none or the router has no room.
    pub inject_at: u64,
    /// The output queue to look at first.
    pub next_output: u8,
    pub ports: Ports,
    /// Places of input slots that come back, and when: of wavelets that the tile has sent to itself.
    pub returns: VecDeque<(u64, u8)>,
    pub host: TileHost,
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
            next_output: 0,
            refused: 0,
            host: TileHost::default(),
        }
    }

    /// The first cycle in which the head of any output queue may land on the router.
    pub fn next_injection(&self) -> u64 {
        self.ports.outputs.iter().filter_map(|output| output.head_ready()).min().unwrap_or(NEVER)
    }

    /// Places in the input slot where a wavelet of `color` would land; `None` where no slot takes the color.
    pub fn landing_slot_with_room(&mut self, color: u8) -> Option<usize> {
        let slot = self.ports.landing_slot(color)?;
        self.ports.inputs[slot].has_room().then_some(slot)
    }

    /// The cycle in which the tile wants to be served next without anything happening to it.
    pub fn next_service(&self) -> u64 {
        let returned = self.returns.front().map_or(NEVER, |place| place.0);
        self.wake.at.min(self.host.next_due).min(returned)
    }

    /// Frees the places that come back in this cycle.
    pub fn take_returns(&mut self, now: u64) {
        while let Some((_, slot)) = self.returns.pop_front_if(|place| place.0 <= now) {
            self.ports.release(usize::from(slot));
        }
    }
}
