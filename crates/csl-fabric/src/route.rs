//! Moves the heads of lanes: through all outputs of the current position at once, or not at all. A route without an
//! output takes and drops the wavelets of its inputs.

use csl_machine::wavelet::ce_ignores;
use csl_machine::{DirSet, Direction, Wavelet};

use crate::event::Traced;
use crate::record::{
    ADVANCES, Batch, Credit, FILTERED, Landing, MESSAGES, OUTSIDE, QUEUED, Record, RecordId, SHARES_INPUT, TORN_DOWN,
    precedence,
};
use crate::row::{OWN, Ramp, Row, low_bits, slot};

enum Step {
    /// The wavelet has been sent; the precedence of the next one that is ready.
    Sent(Option<usize>),
    /// An output is taken in this cycle.
    Contended,
    Blocked,
}

impl Row {
    /// Moves the wavelets that can move in cycle `now`.
    pub fn route(&mut self, now: u64, ramp: &mut impl Ramp) {
        for precedence in 0..self.active.len() {
            self.route_some(precedence, now, ramp);
        }
        for (precedence, number) in self.sent.drain(..) {
            self.active[precedence].push(number);
        }
    }

    /// Moves the wavelets that can move, of the records of one precedence.
    fn route_some(&mut self, precedence: usize, now: u64, ramp: &mut impl Ramp) {
        let mut list = std::mem::take(&mut self.active[precedence]);
        let mut keep = 0;
        for i in 0..list.len() {
            let number = list[i];
            match self.step(number, now, ramp) {
                Step::Sent(Some(next)) => self.sent.push((next, number)),
                Step::Contended => {
                    list[keep] = number;
                    keep += 1;
                }
                Step::Sent(None) | Step::Blocked => self.records[number].flags &= !QUEUED,
            }
        }
        list.truncate(keep);
        // Routing wakes no record: a wavelet that is sent arrives a hop later.
        self.active[precedence] = list;
    }

    fn step(&mut self, number: RecordId, now: u64, ramp: &mut impl Ramp) -> Step {
        let record = &mut self.records[number];
        let is_plain = record.flags == QUEUED && record.more.is_none() && !record.lane.has_control();
        if is_plain { self.step_plain(number, now, ramp) } else { self.step_any(number, now, ramp) }
    }

    /// The short way, which nearly all wavelets go: one input, data only, a color without special features. Has the
    /// same effect as [`Row::step_any`].
    #[inline]
    fn step_plain(&mut self, number: RecordId, now: u64, ramp: &mut impl Ramp) -> Step {
        let record = &mut self.records[number];
        let (tx, lane) = (record.tx, &mut record.lane);
        let Some(from) = lane.from else { return Step::Blocked };
        if lane.len == 0 || !record.rx.contains(from) || tx.meets(record.full) {
            return Step::Blocked;
        }
        let (x, color) = (u32::from(record.column), record.color);
        if tx.contains(Direction::Ramp) && !ramp.room(x, color) {
            return Step::Blocked;
        }
        let (used, cycle) = (&mut self.used[x as usize], low_bits(now));
        if used.any(tx, cycle) {
            return Step::Contended;
        }
        used.add(tx, cycle);
        let wavelet = lane.front();
        lane.pop();
        let (next, upstream) = ((lane.len > 0).then_some(precedence(from)), lane.upstream);
        self.give_back(from, upstream, (x, color), now, ramp);
        if self.is_traced {
            self.note(number, now, Traced::Departure { from, wavelet, ways: tx });
        }
        if tx.contains(Direction::Ramp) {
            ramp.deliver(x, color, wavelet, from == Direction::Ramp);
        }
        for side in tx.common(DirSet::LINKS).iter() {
            self.send_to(number, side, wavelet, now);
        }
        Step::Sent(next)
    }

    fn step_any(&mut self, number: RecordId, now: u64, ramp: &mut impl Ramp) -> Step {
        let record = &self.records[number];
        if record.flags & TORN_DOWN != 0 {
            return Step::Blocked;
        }
        let Some(side) = record.next_side() else { return Step::Blocked };
        let wavelet = self.head(number, side);
        let partner = self.partner(number, side);
        for leg in [Some(number), partner].into_iter().flatten() {
            if let Some(step) = self.obstacle(leg, wavelet, low_bits(now), ramp) {
                return step;
            }
        }
        self.take_head(number, side, now, ramp);
        if self.is_traced {
            [Some(number), partner]
                .into_iter()
                .flatten()
                .for_each(|leg| self.record_departure(leg, side, wavelet, now));
        }
        for leg in [Some(number), partner].into_iter().flatten() {
            self.send(leg, side, wavelet, now, ramp);
        }
        if self.records[number].flags & (ADVANCES | MESSAGES) != 0 {
            self.has_left(number, side, wavelet, now);
        }
        let record = &self.records[number];
        Step::Sent(record.precedence().filter(|_| record.flags & TORN_DOWN == 0))
    }

    #[cold]
    fn record_departure(&mut self, number: RecordId, from: Direction, wavelet: Wavelet, now: u64) {
        let tx = self.records[number].tx;
        let ways = if self.reaches_ce(number, wavelet) { tx } else { tx.common(DirSet::LINKS) };
        self.note(number, now, Traced::Departure { from, wavelet, ways });
    }

    #[cold]
    fn has_left(&mut self, number: RecordId, side: Direction, wavelet: Wavelet, now: u64) {
        let flags = self.records[number].flags;
        if flags & ADVANCES != 0 && side == Direction::Ramp {
            self.left_ramp(number, now);
        }
        if flags & MESSAGES != 0 {
            self.hold_for_message(number, side, wavelet);
        }
    }

    #[inline]
    fn head(&self, number: RecordId, side: Direction) -> Wavelet {
        let record = &self.records[number];
        match &record.more {
            None => record.lane.front(),
            Some(_) => record.lanes().find(|(from, _)| *from == side).map(|(_, lane)| lane.front()).unwrap_or_default(),
        }
    }

    /// The other color's record, where color swap lets this input arrive on both.
    #[inline]
    fn partner(&self, number: RecordId, side: Direction) -> Option<RecordId> {
        let record = &self.records[number];
        if record.flags & SHARES_INPUT == 0 {
            return None;
        }
        let shared = self.table.received_twice(record.x(), self.y, side, record.color);
        let partner = self.record(record.x(), record.color ^ 1).filter(|_| shared)?;
        self.records[partner].rx.contains(side).then_some(partner)
    }

    /// The reason why a wavelet cannot leave through all outputs at once.
    #[inline]
    fn obstacle(&mut self, number: RecordId, wavelet: Wavelet, now: u32, ramp: &mut impl Ramp) -> Option<Step> {
        let record = &self.records[number];
        let (x, mut ways, color) = (record.x(), record.tx, record.color);
        if ways.meets(record.full) {
            return Some(Step::Blocked);
        }
        if ways.contains(Direction::Ramp) {
            if !self.reaches_ce(number, wavelet) {
                ways = ways.common(DirSet::LINKS);
            } else if !ramp.room(x, color) {
                return Some(Step::Blocked);
            }
        }
        self.used_at(x).any(ways, now).then_some(Step::Contended)
    }

    /// Whether a wavelet that goes to the ramp reaches the CE: command lists can hide it, filters reject it.
    #[inline]
    pub(crate) fn reaches_ce(&self, number: RecordId, wavelet: Wavelet) -> bool {
        let flags = self.records[number].flags;
        if wavelet.control && flags & MESSAGES == 0 && ce_ignores(wavelet.data) {
            return false;
        }
        let filtered = flags & FILTERED != 0;
        !filtered || self.state(number).filter.as_ref().is_none_or(|filter| filter.passes(wavelet))
    }

    /// Takes the wavelet out of its lane and gives the place back.
    #[inline]
    fn take_head(&mut self, number: RecordId, side: Direction, now: u64, ramp: &mut impl Ramp) {
        let record = &mut self.records[number];
        let (x, color) = (record.x(), record.color);
        let lane = record.lane_mut(side);
        lane.pop();
        let upstream = lane.upstream;
        if let Some(more) = &mut record.more {
            more.served = Some(side);
        }
        self.give_back(side, upstream, (x, color), now, ramp);
    }

    /// Gives the credit of a wavelet's place back to its sender.
    #[inline]
    fn give_back(
        &mut self,
        side: Direction,
        upstream: Option<RecordId>,
        (x, color): (u32, u8),
        now: u64,
        ramp: &mut impl Ramp,
    ) {
        if side == Direction::Ramp {
            ramp.accepted(x, color);
        } else if let Some(upstream) = upstream {
            let credit = Credit::new(upstream, side.opposite());
            self.outbox(side, now).credits.push(credit);
        }
    }

    /// The batch for the tile at a side.
    #[inline]
    pub(crate) fn outbox(&mut self, side: Direction, now: u64) -> &mut Batch {
        match side {
            Direction::North => &mut self.north,
            Direction::South => &mut self.south,
            _ => &mut self.inbox[slot(now + self.hop)][OWN],
        }
    }

    /// Sends a wavelet to all outputs of a record, then lets it change the switch.
    fn send(&mut self, number: RecordId, from: Direction, wavelet: Wavelet, now: u64, ramp: &mut impl Ramp) {
        let Record { tx, flags, .. } = self.records[number];
        let (x, color) = self.records[number].place();
        if tx.contains(Direction::Ramp) {
            if self.reaches_ce(number, wavelet) {
                self.used_at(x).add(DirSet::RAMP, low_bits(now));
                ramp.deliver(x, color, wavelet, from == Direction::Ramp);
            }
            if flags & FILTERED != 0 {
                self.count_filtered(number, wavelet);
            }
        }
        let obeys = wavelet.control && flags & MESSAGES == 0;
        let forwarded = if obeys { self.obey(number, wavelet, now, ramp) } else { wavelet };
        let links = tx.common(DirSet::LINKS);
        self.used_at(x).add(links, low_bits(now));
        for side in links.iter() {
            self.send_to(number, side, forwarded, now);
        }
    }

    #[inline]
    fn send_to(&mut self, number: RecordId, side: Direction, wavelet: Wavelet, now: u64) {
        let known = self.records[number].targets[side.index()];
        let target = known.unwrap_or_else(|| self.find_target(number, side, wavelet));
        if target == OUTSIDE {
            return self.lose(number, side);
        }
        self.records[number].use_credit(side);
        let landing = Landing { record: target, from: side.opposite(), wavelet };
        self.outbox(side, now).landings.push(landing);
    }

    #[cold]
    fn find_target(&mut self, number: RecordId, side: Direction, wavelet: Wavelet) -> RecordId {
        let (x, color) = self.records[number].place();
        let by_header = || {
            let first = self.state(number).config.messages?;
            self.message_record(self.table.neighbour(x, self.y, side)?, first, wavelet.data)
        };
        let target = || self.table.target(x, self.y, side, color).map_or(OUTSIDE, |target| target.record);
        let target = by_header().unwrap_or_else(target);
        self.records[number].targets[side.index()] = Some(target);
        target
    }

    /// Drops a wavelet that leaves the program by a side: the fabric around takes it at once.
    #[cold]
    fn lose(&mut self, number: RecordId, side: Direction) {
        let (x, color) = self.records[number].place();
        *self.lost.entry((color, x, side)).or_default() += 1;
    }
}
