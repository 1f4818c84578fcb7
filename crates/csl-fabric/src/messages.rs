//! The network of `<message_passing>` (WSE-3): five colors on which a message finds its own way. The hardware's method
//! is not public; this is a choice that fits the library's documented colors, header and closing control bit.
//!
//! A message is a worm: a header wavelet that names the tile, data, and a last wavelet with the control bit set, which
//! is data as well. It goes along its row first, then along its column: the color behind the first by 1, 2, 3, 4 goes
//! west, east, south, north and never turns back, so that no two messages can wait for each other in a circle; the
//! first color itself goes to the ramp. A router keeps an output for one message from its header to its last wavelet.

use csl_machine::message::{PLACE_MASK, ROW_SHIFT};
use csl_machine::{Color, Coord, DirSet, Direction, Wavelet};

use crate::row::Row;
use crate::virtual_channel::{VcId, VirtualChannel};

/// The index in [`VirtualChannel::targets`] of the virtual channel that a message from the CE keeps to.
const OPEN_MESSAGE: usize = Direction::West.index();

fn destination(header: u32) -> Coord {
    Coord { x: header & PLACE_MASK, y: header >> ROW_SHIFT & PLACE_MASK }
}

/// The side by which a message leaves a tile.
fn output(at: Coord, header: u32) -> Direction {
    let to = destination(header);
    match (to.x.cmp(&at.x), to.y.cmp(&at.y)) {
        (std::cmp::Ordering::Less, _) => Direction::West,
        (std::cmp::Ordering::Greater, _) => Direction::East,
        (_, std::cmp::Ordering::Greater) => Direction::South,
        (_, std::cmp::Ordering::Less) => Direction::North,
        _ => Direction::Ramp,
    }
}

/// The color of messages that leave by a side.
fn color(first: Color, side: Direction) -> Color {
    if side == Direction::Ramp { first } else { first.plus(1 + side.bit()) }
}

/// The color on which the tile behind `side` sends messages here.
pub(crate) fn color_from(first: Color, side: Direction) -> Color {
    color(first, side.opposite())
}

impl Row {
    /// The virtual channel at a tile that a message with this header takes there.
    pub(crate) fn message_vc(&self, at: Coord, first: Color, header: u32) -> Option<VcId> {
        let color = color(first, output(at, header));
        self.table.find(at.x, at.y, color).filter(|(_, state)| state.config.messages.is_some()).map(|found| found.0)
    }

    /// The virtual channel for a wavelet from the CE: the header's choice holds up to the last wavelet. It is kept at
    /// the index of a link, which a virtual channel that leads to the ramp does not use.
    pub(crate) fn message_from_ce(&mut self, comm: VcId, wavelet: Wavelet) -> VcId {
        if let Some(open) = self.vcs[comm].targets[OPEN_MESSAGE] {
            return open;
        }
        let Some(first) = self.state(comm).config.messages else { return comm };
        let at = Coord { x: self.vcs[comm].x(), y: self.y };
        self.message_vc(at, first, wavelet.data).unwrap_or(comm)
    }

    /// Notes that a wavelet of the CE has landed on `vc`.
    pub(crate) fn message_has_landed(&mut self, comm: VcId, vc: VcId, wavelet: Wavelet) {
        self.vcs[comm].targets[OPEN_MESSAGE] = if wavelet.control { None } else { Some(vc) };
    }

    /// Notes that a wavelet that came in by `side` has been sent on: the virtual channel takes no other message before
    /// its last wavelet.
    pub(crate) fn keep_for_message(&mut self, number: VcId, side: Direction, wavelet: Wavelet) {
        let vc: &mut VirtualChannel = &mut self.vcs[number];
        vc.rx = if wavelet.control { DirSet::ALL } else { DirSet::of(side) };
        if wavelet.control && vc.tx != DirSet::RAMP {
            vc.targets = [None; 4];
        }
    }
}
