//! Routers in runs without a clock: what comes in goes on at once, as the routes stand, and what cannot go is held, as
//! much as there is. Switches, filters, swaps, control wavelets and messages work as in `route.rs`; the order of a
//! color's wavelets on a link stays.

use std::collections::VecDeque;

use csl_machine::{Burst, Color, DirSet, Direction, Wavelet};

use crate::event::Stalled;
use crate::row::{Ramp, Row};
use crate::virtual_channel::{ADVANCES, FILTERED, MESSAGES, OUTSIDE, SHARES_INPUT, TORN_DOWN, VcId};

/// The compute elements of a row, which take any number of wavelets. [`Ramp::room`] tells whether one takes a color at
/// all.
pub trait Landing: Ramp {
    /// Wavelets reach the CE at column `x`.
    fn land(&mut self, x: u32, color: Color, burst: &Burst);
}

/// Wavelets on their way to the neighbour at a side.
#[derive(Debug)]
pub struct Passing {
    pub side: Direction,
    pub vc: VcId,
    pub burst: Burst,
}

/// The wavelets that stand at a virtual channel, by side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    queues: [VecDeque<Burst>; Direction::ALL.len()],
    served: usize,
}

impl Held {
    /// The open side whose turn it is, of those with wavelets.
    fn next(&self, rx: DirSet) -> Option<Direction> {
        let ready = Direction::ALL.into_iter().filter(|side| rx.contains(*side) && !self.of(*side).is_empty());
        ready.min_by_key(|side| (side.index() + 4 - self.served) % 5)
    }

    fn of(&self, side: Direction) -> &VecDeque<Burst> {
        &self.queues[side.index()]
    }
}

impl Row {
    /// Passes wavelets on that come from the CE; behind the last one the switch advances, if `advances`.
    pub fn pass_from_ce(
        &mut self,
        vc: VcId,
        mut burst: Burst,
        advances: bool,
        ramp: &mut impl Landing,
        out: &mut Vec<Passing>,
    ) {
        if self.vcs[vc].flags & MESSAGES != 0 {
            while let Some(wavelet) = burst.pop() {
                let way = self.message_from_ce(vc, wavelet);
                self.pass(way, Direction::Ramp, Burst::one(wavelet), ramp, out);
                self.message_has_landed(vc, way, wavelet);
            }
            return;
        }
        if advances {
            let before: usize =
                self.held.get(&vc).map_or(0, |held| held.of(Direction::Ramp).iter().map(Burst::len).sum());
            self.advances.push((vc, (before + burst.len()) as u32));
            self.vcs[vc].flags |= ADVANCES;
        }
        self.pass(vc, Direction::Ramp, burst, ramp, out);
    }

    /// Passes wavelets on that come in by a side; what they send to the neighbours is added to `out`.
    pub fn pass(&mut self, vc: VcId, from: Direction, burst: Burst, ramp: &mut impl Landing, out: &mut Vec<Passing>) {
        let number = self.own_number(vc);
        self.moved += burst.len() as u64;
        if self.held.get(&number).is_some_and(|held| !held.of(from).is_empty()) {
            self.held_at(number, from).push_back(burst);
        } else {
            self.go_on(number, from, burst, ramp, out);
        }
        self.let_go(number, ramp, out);
    }

    /// Looks again at what is held of a color at a column: its route has changed, or the CE takes it now.
    pub fn look_again(&mut self, x: u32, color: Color, ramp: &mut impl Landing, out: &mut Vec<Passing>) {
        if let Some(number) = self.vc(x, color) {
            self.let_go(number, ramp, out);
        }
    }

    /// The number of bursts that the most crowded side of a color holds at a column.
    pub fn crowd(&self, x: u32, color: Color) -> usize {
        let held = self.vc(x, color).and_then(|number| self.held.get(&number));
        held.map_or(0, |held| held.queues.iter().map(VecDeque::len).max().unwrap_or(0))
    }

    /// The place of a virtual channel where more than `crowd` bursts stand at a side.
    pub fn crowded(&self, vc: VcId, crowd: usize) -> Option<(u32, Color)> {
        let held = if self.held.is_empty() { None } else { self.held.get(&vc) }?;
        held.queues.iter().any(|queue| queue.len() > crowd).then(|| self.vcs[vc].column_and_color())
    }

    #[cold]
    fn held_at(&mut self, number: VcId, from: Direction) -> &mut VecDeque<Burst> {
        &mut self.held.entry(number).or_default().queues[from.index()]
    }

    fn go_on(
        &mut self,
        number: VcId,
        from: Direction,
        mut burst: Burst,
        ramp: &mut impl Landing,
        out: &mut Vec<Passing>,
    ) {
        while let Some(wavelet) = burst.get(0) {
            if !self.can_go(number, from, wavelet, ramp) {
                return self.held_at(number, from).push_front(burst);
            }
            if !burst.control && self.vcs[number].flags & (SHARES_INPUT | ADVANCES | MESSAGES) == 0 {
                return self.go_together(number, burst, ramp, out);
            }
            burst.pop();
            self.go_alone(number, from, wavelet, ramp, out);
        }
    }

    fn can_go(&self, number: VcId, from: Direction, wavelet: Wavelet, ramp: &mut impl Landing) -> bool {
        let vc = &self.vcs[number];
        if vc.flags & TORN_DOWN != 0 || !vc.rx.contains(from) {
            return false;
        }
        let legs = [Some(number), self.partner(number, from)];
        legs.into_iter().flatten().all(|leg| {
            let vc = &self.vcs[leg];
            let to_ce = vc.tx.contains(Direction::Ramp) && self.reaches_ce(leg, wavelet);
            !to_ce || ramp.room(vc.x(), vc.color)
        })
    }

    /// Data that changes no switch.
    fn go_together(&mut self, number: VcId, burst: Burst, ramp: &mut impl Landing, out: &mut Vec<Passing>) {
        let vc = &self.vcs[number];
        let (tx, is_filtered, x, color) = (vc.tx, vc.flags & FILTERED != 0, vc.x(), vc.color);
        if tx.contains(Direction::Ramp) && !is_filtered {
            ramp.land(x, color, &burst);
        } else if tx.contains(Direction::Ramp) {
            for at in 0..burst.len() {
                let part = burst.part(at..at + 1);
                let wavelet = part.get(0).unwrap_or_default();
                if self.reaches_ce(number, wavelet) {
                    ramp.land(x, color, &part);
                }
                self.count_filtered(number, wavelet);
            }
        }
        for side in tx.common(DirSet::LINKS).iter() {
            self.leave(number, side, burst.clone(), out);
        }
    }

    fn go_alone(
        &mut self,
        number: VcId,
        from: Direction,
        wavelet: Wavelet,
        ramp: &mut impl Landing,
        out: &mut Vec<Passing>,
    ) {
        let partner = self.partner(number, from);
        for leg in [Some(number), partner].into_iter().flatten() {
            self.send_alone(leg, wavelet, ramp, out);
        }
        self.has_left(number, from, wavelet, 0);
        if let Some(partner) = partner {
            self.let_go(partner, ramp, out);
        }
    }

    fn send_alone(&mut self, number: VcId, wavelet: Wavelet, ramp: &mut impl Landing, out: &mut Vec<Passing>) {
        let vc = &self.vcs[number];
        let (tx, flags, x, color) = (vc.tx, vc.flags, vc.x(), vc.color);
        if tx.contains(Direction::Ramp) {
            if self.reaches_ce(number, wavelet) {
                ramp.land(x, color, &Burst::one(wavelet));
            }
            if flags & FILTERED != 0 {
                self.count_filtered(number, wavelet);
            }
        }
        let obeys = wavelet.control && flags & MESSAGES == 0;
        let forwarded = if obeys { self.obey(number, wavelet, 0, ramp) } else { wavelet };
        for side in tx.common(DirSet::LINKS).iter() {
            self.leave(number, side, Burst::one(forwarded), out);
        }
    }

    fn leave(&mut self, number: VcId, side: Direction, burst: Burst, out: &mut Vec<Passing>) {
        let known = self.vcs[number].targets[side.index()].filter(|target| *target != OUTSIDE);
        let vc = known.unwrap_or_else(|| self.find_target(number, side, burst.get(0).unwrap_or_default()));
        if vc == OUTSIDE {
            let (x, color) = self.vcs[number].column_and_color();
            *self.dropped.entry((color, x, side)).or_default() += burst.len() as u64;
        } else {
            out.push(Passing { side, vc, burst });
        }
    }

    /// Lets held wavelets go that can go now.
    fn let_go(&mut self, number: VcId, ramp: &mut impl Landing, out: &mut Vec<Passing>) {
        while let Some(held) = self.held.get(&number) {
            let Some(side) = held.next(self.vcs[number].rx) else { break };
            let head = held.of(side).front().and_then(|burst| burst.get(0)).unwrap_or_default();
            if !self.can_go(number, side, head, ramp) {
                break;
            }
            let Some(held) = self.held.get_mut(&number) else { break };
            held.served = side.index();
            if let Some(burst) = held.queues[side.index()].pop_front() {
                self.go_on(number, side, burst, ramp, out);
            }
        }
        if self.held.get(&number).is_some_and(|held| held.queues.iter().all(VecDeque::is_empty)) {
            self.held.remove(&number);
        }
    }

    /// The wavelets that are held, as stalled ones.
    pub(crate) fn held_wavelets(&self, ramp: &mut impl Ramp) -> Vec<(u32, Stalled)> {
        let mut all = Vec::new();
        for (&number, held) in &self.held {
            for from in Direction::ALL.into_iter().filter(|side| !held.of(*side).is_empty()) {
                let head = held.of(from).front().and_then(|burst| burst.get(0)).unwrap_or_default();
                let count = held.of(from).iter().map(Burst::len).sum::<usize>() as u32;
                let why = self.why(number, from, head, ramp);
                let (x, color) = self.vcs[number].column_and_color();
                all.push((x, Stalled { color, from, count, head, why }));
            }
        }
        all.sort_by_key(|(x, stalled)| (*x, stalled.color, stalled.from));
        all
    }
}
