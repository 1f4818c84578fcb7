//! Ports of the host at the edges of the program's rectangle: words that come in by a link from outside, and words that
//! leave by one. Hosts up to SDK 0.8 (`CSELFRunner`) send and receive that way, without memcpy.

use std::collections::VecDeque;

use csl_machine::{Color, Direction, Wavelet};

use crate::event::Fault;
use crate::row::Row;
use crate::virtual_channel::{Arrival, VcId};

/// Wavelets on their way into a row, by a side of one of its tiles that faces no other: one a cycle, as there is room.
#[derive(Debug)]
struct Entering {
    vc: VcId,
    from: Direction,
    wavelets: VecDeque<Wavelet>,
}

/// A place where the host takes what leaves the rectangle.
#[derive(Debug)]
struct Leaving {
    x: u32,
    side: Direction,
    color: Color,
    wanted: usize,
    wavelets: Vec<Wavelet>,
}

/// The ports of a row.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    entering: Vec<Entering>,
    leaving: Vec<Leaving>,
    /// Set when a wavelet is added or a place becomes free, cleared when nothing could enter.
    is_ready: bool,
    /// Whether a port has got all that it waits for in this cycle.
    is_complete: bool,
}

impl Row {
    /// Lets wavelets of a color enter at a column from a side, behind those that wait there. Returns false, and changes
    /// nothing, where the router has no route for the color. Where colors are swapped on the way in, the tile receives the other
    /// of the pair.
    pub fn let_in(&mut self, x: u32, from: Direction, color: Color, wavelets: Vec<Wavelet>) -> bool {
        let received = self.table.received(x, self.y, from, color).color;
        let Some(vc) = self.vc(x, received) else { return false };
        let edges = self.edges.get_or_insert_default();
        edges.is_ready = true;
        match edges.entering.iter_mut().find(|port| (port.vc, port.from) == (vc, from)) {
            Some(port) => port.wavelets.extend(wavelets),
            None => edges.entering.push(Entering { vc, from, wavelets: wavelets.into() }),
        }
        true
    }

    /// Keeps the next `wanted` wavelets of a color that leave a column by a side, beyond those that are kept already.
    pub fn let_out(&mut self, x: u32, side: Direction, color: Color, wanted: usize) {
        let edges = self.edges.get_or_insert_default();
        match edges.leaving.iter_mut().find(|port| (port.x, port.side, port.color) == (x, side, color)) {
            Some(port) => port.wanted += wanted,
            None => edges.leaving.push(Leaving { x, side, color, wanted, wavelets: Vec::new() }),
        }
    }

    /// Takes what has left by a port so far.
    pub fn take_left(&mut self, x: u32, side: Direction, color: Color) -> Vec<Wavelet> {
        let ports = self.edges.iter_mut().flat_map(|edges| &mut edges.leaving);
        let port = ports.into_iter().find(|port| (port.x, port.side, port.color) == (x, side, color));
        port.map_or_else(Vec::new, |port| {
            port.wanted -= port.wavelets.len();
            std::mem::take(&mut port.wavelets)
        })
    }

    /// Whether the host has ports at this row.
    pub fn has_ports(&self) -> bool {
        self.edges.is_some()
    }

    /// The number of wavelets that the host waits for.
    pub fn missing_at_edges(&self) -> usize {
        let ports = self.edges.iter().flat_map(|edges| &edges.leaving);
        ports.map(|port| port.wanted - port.wavelets.len()).sum()
    }

    /// The number of wavelets that have found no room to enter by a port yet.
    pub fn waiting_outside(&self, x: u32, from: Direction, color: Color) -> usize {
        let vc = self.vc(x, self.table.received(x, self.y, from, color).color);
        let mut ports = self.edges.iter().flat_map(|edges| &edges.entering);
        ports.find(|port| Some(port.vc) == vc && port.from == from).map_or(0, |port| port.wavelets.len())
    }

    /// Lets wavelets from outside land in cycle `now`, one a link.
    pub fn enter(&mut self, now: u64) -> Result<(), Box<Fault>> {
        match &mut self.edges {
            Some(edges) if edges.is_ready => edges.is_ready = false,
            _ => return Ok(()),
        }
        self.enter_ready(now)
    }

    #[cold]
    fn enter_ready(&mut self, now: u64) -> Result<(), Box<Fault>> {
        let Some(mut edges) = self.edges.take() else { return Ok(()) };
        let mut used: Vec<(u32, Direction)> = Vec::new();
        for Entering { vc, from, wavelets } in &mut edges.entering {
            let link = (self.vcs[*vc].x(), *from);
            if wavelets.is_empty() || !self.vcs[*vc].has_room(*from, self.buffer_depth) {
                continue;
            }
            edges.is_ready = true;
            if used.contains(&link) {
                continue;
            }
            used.push(link);
            if let Some(wavelet) = wavelets.pop_front() {
                self.arrive_one(Arrival { vc: *vc, from: *from, wavelet }, now);
            }
        }
        self.edges = Some(edges);
        self.collided()
    }

    /// Whether wavelets may enter in the next cycle.
    #[inline]
    pub(crate) fn may_enter(&self) -> bool {
        self.edges.as_ref().is_some_and(|edges| edges.is_ready)
    }

    /// Notes that a wavelet from outside has been forwarded: there is room for one more.
    #[cold]
    pub(crate) fn make_room_at_edge(&mut self) {
        if let Some(edges) = &mut self.edges {
            edges.is_ready = true;
        }
    }

    /// Gives a wavelet that leaves the program to the host, if it takes it.
    #[cold]
    pub(crate) fn leave_by_edge(&mut self, x: u32, side: Direction, color: Color, wavelet: Wavelet) -> bool {
        let Some(edges) = &mut self.edges else { return false };
        let is_it = |port: &&mut Leaving| (port.x, port.side, port.color) == (x, side, color);
        let port = edges.leaving.iter_mut().find(is_it).filter(|port| port.wavelets.len() < port.wanted);
        let Some(port) = port else { return false };
        port.wavelets.push(wavelet);
        edges.is_complete |= port.wavelets.len() == port.wanted;
        true
    }

    /// Whether a port of the host has got all that it waits for since the last call.
    #[inline]
    pub fn take_complete(&mut self) -> bool {
        self.edges.as_mut().is_some_and(|edges| std::mem::take(&mut edges.is_complete))
    }
}
