//! Follows wavelets: gives each the number that stays with it on its way. Routers do not carry the number, but every
//! input buffer and link is first in, first out, so that a wavelet can be followed from landings and departures.

use std::collections::{HashMap, VecDeque};

use csl_fabric::Traced;
use csl_machine::{Color, Coord, DirSet, Direction};
use csl_sim::Event;

use super::Scene;

/// The key of an input buffer: column, row, color, and the side that its wavelets come from.
type BufferKey = (u32, u32, Color, Direction);
/// The key of a link: column and row of the tile that receives, and the side.
type Link = (u32, u32, Direction);

/// The numbers of the wavelets that are under way, by input buffer and by link.
#[derive(Default)]
pub(super) struct Identities {
    buffers: HashMap<BufferKey, VecDeque<u64>>,
    links: HashMap<Link, VecDeque<u64>>,
    /// The number of wavelets that a tile has sent on a color so far.
    sent: HashMap<(u32, u32, Color), u32>,
    /// The wavelet that left a tile last, by color: the log names its effect on the switch after it has left.
    left: HashMap<(u32, u32, Color), u64>,
}

impl Identities {
    /// The number of the wavelet that an event is about.
    pub(crate) fn follow(&mut self, scene: &Scene, event: &Event, color: Color, what: &Traced) -> u64 {
        let (x, y) = (event.x, event.y);
        match *what {
            Traced::Landing { from, .. } => {
                let passed = if from == Direction::Ramp { None } else { take(&mut self.links, &(x, y, from)) };
                let ident = passed.unwrap_or_else(|| self.fresh(scene, event, color));
                self.buffers.entry((x, y, color, from)).or_default().push_back(ident);
                ident
            }
            Traced::Departure { from, outputs, .. } => {
                let ident = take(&mut self.buffers, &(x, y, color, from)).unwrap_or(0);
                for side in outputs.common(DirSet::LINKS).iter() {
                    if let Some(link) = beyond(scene, x, y, side) {
                        self.links.entry(link).or_default().push_back(ident);
                    }
                }
                self.left.insert((x, y, color), ident);
                ident
            }
            Traced::Switch { .. } => self.left.get(&(x, y, color)).copied().unwrap_or(0),
        }
    }

    /// A new number: of the tile, the color, and a count.
    pub(crate) fn fresh(&mut self, scene: &Scene, event: &Event, color: Color) -> u64 {
        let count = self.sent.entry((event.x, event.y, color)).or_default();
        let ident = u64::from(scene.tile(event)) << 40 | u64::from(color) << 32 | u64::from(*count);
        *count += 1;
        ident
    }
}

fn take<K: std::hash::Hash + Eq>(queues: &mut HashMap<K, VecDeque<u64>>, key: &K) -> Option<u64> {
    queues.get_mut(key)?.pop_front()
}

/// The end of a link; `None` outside the program's rectangle.
fn beyond(scene: &Scene, x: u32, y: u32, side: Direction) -> Option<Link> {
    let size = scene.image.rect;
    let at = side.neighbour(Coord { x, y })?;
    size.contains(at).then_some((at.x, at.y, side.opposite()))
}
