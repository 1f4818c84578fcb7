//! Switch allocation: which wavelets at the heads of input buffers leave a router in a cycle.
//!
//! Every active virtual channel requests all outputs of its current switch position at once for its next wavelet, and
//! is granted all or none of them. A request needs a credit at every link and room at the ramp; without them the
//! virtual channel is blocked and sleeps until one of these comes ([`Row::wake`]). An output takes one wavelet a cycle:
//! a request for one that has been granted in this cycle is denied, and made again in the next. Requests are heard by
//! priority (wavelets of the CE before those that pass by), then in the order in which the virtual channels became able
//! to send, and those of one cycle by color: a tile's order is a function of that tile. A route without an output takes and drops the wavelets of its inputs.

use csl_machine::wavelet::ce_ignores;
use csl_machine::{Color, DirSet, Direction, Schedule, Wavelet};

use crate::event::Traced;
use crate::row::{OWN, Ramp, Row, low_bits, slot};
use crate::virtual_channel::{
    ADVANCES, Arrival, Batch, Credit, FILTERED, MESSAGES, OUTSIDE, QUEUED, SHARES_INPUT, TORN_DOWN, VcId,
    VirtualChannel,
};

/// The cycles of the spells of a router and color, of which each has one length, and how rare those are in which another
/// schedule holds the color back.
const SPELLS: [u64; 8] = [8, 8, 8, 8, 64, 64, 512, 2048];
const RARITY: u64 = 4;

/// The outcome of a request.
enum Step {
    /// The wavelet has been sent; the priority of the next one that is ready.
    Sent(Option<usize>),
    /// An output has been granted to another wavelet in this cycle.
    Denied,
    /// There is no wavelet, no credit or no room.
    Blocked,
}

impl Row {
    /// Moves the wavelets that can move in cycle `now`.
    pub fn route(&mut self, now: u64, ramp: &mut impl Ramp) {
        if !self.is_active() {
            self.requests = 0;
            return;
        }
        self.line_up();
        for priority in 0..self.active.len() {
            if !self.active[priority].is_empty() {
                self.allocate(priority, now, ramp);
            }
        }
    }

    /// Lets the woken virtual channels stand behind those that were denied before, those of a tile by color. So the order
    /// in which a tile's requests are heard follows from the tile alone.
    fn line_up(&mut self) {
        let is_sorted = !self.has_made_vcs();
        for (list, woken) in self.active.iter_mut().zip(&mut self.woken) {
            let first = list.len();
            woken.move_to(list);
            if !is_sorted {
                list[first..].sort_by_key(|number| self.vcs[*number].column_and_color());
            }
        }
        self.requests = self.active[0].len() + self.active[1].len();
    }

    /// Hears the requests of the virtual channels of one priority, in turn.
    fn allocate(&mut self, priority: usize, now: u64, ramp: &mut impl Ramp) {
        let mut list = std::mem::take(&mut self.active[priority]);
        let mut keep = 0;
        for i in 0..list.len() {
            let number = list[i];
            let step = if self.is_held(number, now) { Step::Denied } else { self.step(number, now, ramp) };
            match step {
                Step::Sent(Some(next)) => self.woken[next].insert(number),
                Step::Denied => {
                    list[keep] = number;
                    keep += 1;
                }
                Step::Sent(None) | Step::Blocked => self.vcs[number].flags &= !QUEUED,
            }
        }
        list.truncate(keep);
        // Routing adds none to the list: a wavelet that is sent arrives a hop later, and what has sent stands in line anew.
        self.active[priority] = list;
    }

    /// Whether another schedule than the machine's own holds a color back at this router.
    #[inline]
    fn is_held(&self, number: VcId, now: u64) -> bool {
        self.schedule.is_some_and(|schedule| self.draws_a_delay(schedule, number, now))
    }

    /// The routers of a schedule hold a color back for one in `RARITY` spells, or never.
    #[cold]
    fn draws_a_delay(&self, schedule: Schedule, number: VcId, now: u64) -> bool {
        let (x, color) = self.vcs[number].column_and_color();
        let place = u64::from(x) << 32 | u64::from(self.y);
        let holds = schedule.draw([place, color.into(), 0, 0], 2) == 1;
        let spell = SPELLS[schedule.draw([place, color.into(), 2, 0], SPELLS.len() as u64) as usize];
        holds && schedule.draw([place, color.into(), 1, now / spell], RARITY) == 0
    }

    /// The fast path, which nearly all wavelets go: data only, a color without special features. It has the
    /// same effect as [`Row::step_general`], which does all others.
    #[inline]
    fn step(&mut self, number: VcId, now: u64, ramp: &mut impl Ramp) -> Step {
        let vc = &mut self.vcs[number];
        if vc.flags != QUEUED {
            return self.step_general(number, now, ramp);
        }
        let Some(from) = vc.next_side() else { return Step::Blocked };
        let buffer = vc.buffer(from);
        if buffer.may_have_control() {
            return self.step_general(number, now, ramp);
        }
        let (tx, wavelet, upstream) = (vc.tx, buffer.front(), buffer.upstream);
        if tx.meets(vc.full) {
            return Step::Blocked;
        }
        let (x, color) = (u32::from(vc.column), vc.color);
        if tx.contains(Direction::Ramp) && !ramp.room(x, color) {
            return Step::Blocked;
        }
        let (granted, cycle) = (&mut self.granted[x as usize], low_bits(now));
        if granted.meets(tx, cycle) {
            return Step::Denied;
        }
        granted.add(tx, cycle);
        vc.pop(from);
        let next = vc.priority();
        if self.is_traced {
            self.note(number, now, Traced::Departure { from, wavelet, outputs: tx });
        }
        for side in tx.common(DirSet::LINKS).iter() {
            self.send_to(number, side, wavelet, now);
        }
        self.give_back(from, upstream, (x, color), now, ramp);
        if tx.contains(Direction::Ramp) {
            ramp.deliver(x, color, wavelet, from == Direction::Ramp);
        }
        Step::Sent(next)
    }

    #[inline(never)]
    fn step_general(&mut self, number: VcId, now: u64, ramp: &mut impl Ramp) -> Step {
        let vc = &self.vcs[number];
        if vc.flags & TORN_DOWN != 0 {
            return Step::Blocked;
        }
        let Some(side) = vc.next_side() else { return Step::Blocked };
        let wavelet = self.vcs[number].buffer(side).front();
        let partner = self.partner(number, side);
        let mut is_denied = false;
        for leg in [Some(number), partner].into_iter().flatten() {
            match self.denial(leg, wavelet, low_bits(now), ramp) {
                Some(Step::Denied) => is_denied = true,
                Some(step) => return step,
                None => {}
            }
        }
        if is_denied {
            return Step::Denied;
        }
        self.take_head(number, side, now, ramp);
        if self.is_traced {
            [Some(number), partner].into_iter().flatten().for_each(|leg| self.trace_departure(leg, side, wavelet, now));
        }
        for leg in [Some(number), partner].into_iter().flatten() {
            self.send(leg, side, wavelet, now, ramp);
        }
        if self.vcs[number].flags & (ADVANCES | MESSAGES) != 0 {
            self.has_left(number, side, wavelet, now);
        }
        if let Some(partner) = partner {
            // The wavelet may have moved its switch: what stood before it may be able to go.
            self.wake(partner);
        }
        let vc = &self.vcs[number];
        Step::Sent(vc.priority().filter(|_| vc.flags & TORN_DOWN == 0))
    }

    #[cold]
    fn trace_departure(&mut self, number: VcId, from: Direction, wavelet: Wavelet, now: u64) {
        let tx = self.vcs[number].tx;
        let outputs = if self.reaches_ce(number, wavelet) { tx } else { tx.common(DirSet::LINKS) };
        self.note(number, now, Traced::Departure { from, wavelet, outputs });
    }

    #[cold]
    pub(crate) fn has_left(&mut self, number: VcId, side: Direction, wavelet: Wavelet, now: u64) {
        let flags = self.vcs[number].flags;
        if flags & ADVANCES != 0 && side == Direction::Ramp {
            self.left_ramp(number, now);
        }
        if flags & MESSAGES != 0 {
            self.keep_for_message(number, side, wavelet);
        }
    }

    /// The other color's virtual channel, where color swap lets this input arrive on both.
    #[inline]
    pub(crate) fn partner(&self, number: VcId, side: Direction) -> Option<VcId> {
        let vc = &self.vcs[number];
        if vc.flags & SHARES_INPUT == 0 {
            return None;
        }
        let shared = self.table.received_twice(vc.x(), self.y, side, vc.color);
        let partner = self.vc(vc.x(), vc.color.partner()).filter(|_| shared)?;
        self.vcs[partner].rx.contains(side).then_some(partner)
    }

    /// The reason why a request for all outputs at once is not granted; `None` if it is.
    #[inline]
    fn denial(&mut self, number: VcId, wavelet: Wavelet, now: u32, ramp: &mut impl Ramp) -> Option<Step> {
        let vc = &self.vcs[number];
        let (x, mut outputs, color) = (vc.x(), vc.tx, vc.color);
        if outputs.meets(vc.full) {
            return Some(Step::Blocked);
        }
        if outputs.contains(Direction::Ramp) {
            if !self.reaches_ce(number, wavelet) {
                outputs = outputs.common(DirSet::LINKS);
            } else if !ramp.room(x, color) {
                return Some(Step::Blocked);
            }
        }
        self.granted_at(x).meets(outputs, now).then_some(Step::Denied)
    }

    /// Whether a wavelet that goes to the ramp reaches the CE: command lists can hide it, filters reject it.
    #[inline]
    pub(crate) fn reaches_ce(&self, number: VcId, wavelet: Wavelet) -> bool {
        let flags = self.vcs[number].flags;
        if wavelet.control && flags & MESSAGES == 0 && ce_ignores(wavelet.data) {
            return false;
        }
        let filtered = flags & FILTERED != 0;
        !filtered || self.state(number).filter.as_ref().is_none_or(|filter| filter.passes(wavelet))
    }

    /// Takes the wavelet out of its input buffer and gives the credit back.
    #[inline]
    fn take_head(&mut self, number: VcId, side: Direction, now: u64, ramp: &mut impl Ramp) {
        let vc = &mut self.vcs[number];
        let (x, color) = (vc.x(), vc.color);
        let upstream = vc.buffer(side).upstream;
        vc.pop(side);
        self.give_back(side, upstream, (x, color), now, ramp);
    }

    /// Gives the credit of a wavelet back to its sender.
    #[inline]
    fn give_back(
        &mut self,
        side: Direction,
        upstream: Option<VcId>,
        (x, color): (u32, Color),
        now: u64,
        ramp: &mut impl Ramp,
    ) {
        if side == Direction::Ramp {
            ramp.accepted(x, color);
        } else if let Some(upstream) = upstream {
            let credit = Credit::new(upstream, side.opposite());
            self.outbox(side, now).credits.push(credit);
        } else {
            self.make_room_at_edge();
        }
    }

    /// The batch for the tile at a side.
    #[inline]
    pub(crate) fn outbox(&mut self, side: Direction, now: u64) -> &mut Batch {
        match side {
            Direction::North => &mut self.north,
            Direction::South => &mut self.south,
            _ => {
                let slot = slot(now + self.hop);
                self.expected |= 1 << slot;
                &mut self.inbox[slot][OWN]
            }
        }
    }

    /// Sends a wavelet to all outputs of a virtual channel, then lets it change the switch.
    fn send(&mut self, number: VcId, from: Direction, wavelet: Wavelet, now: u64, ramp: &mut impl Ramp) {
        let VirtualChannel { tx, flags, .. } = self.vcs[number];
        let (x, color) = self.vcs[number].column_and_color();
        if tx.contains(Direction::Ramp) {
            if self.reaches_ce(number, wavelet) {
                self.granted_at(x).add(DirSet::RAMP, low_bits(now));
                ramp.deliver(x, color, wavelet, from == Direction::Ramp);
            }
            if flags & FILTERED != 0 {
                self.count_filtered(number, wavelet);
            }
        }
        let obeys = wavelet.control && flags & MESSAGES == 0;
        let forwarded = if obeys { self.obey(number, wavelet, now, ramp) } else { wavelet };
        let links = tx.common(DirSet::LINKS);
        self.granted_at(x).add(links, low_bits(now));
        for side in links.iter() {
            self.send_to(number, side, forwarded, now);
        }
    }

    #[inline]
    fn send_to(&mut self, number: VcId, side: Direction, wavelet: Wavelet, now: u64) {
        let vc = &mut self.vcs[number];
        let target = match vc.targets[side.index()] {
            Some(target) if target != OUTSIDE => {
                vc.use_credit(side);
                target
            }
            _ => match self.find_target(number, side, wavelet) {
                OUTSIDE => return self.drop_outside(number, side, wavelet),
                target => {
                    self.vcs[number].use_credit(side);
                    target
                }
            },
        };
        self.outbox(side, now).arrivals.push(Arrival { vc: target, from: side.opposite(), wavelet });
    }

    #[cold]
    pub(crate) fn find_target(&mut self, number: VcId, side: Direction, wavelet: Wavelet) -> VcId {
        let (x, color) = self.vcs[number].column_and_color();
        let by_header = || {
            let first = self.state(number).config.messages?;
            self.message_vc(self.table.neighbour(x, self.y, side)?, first, wavelet.data)
        };
        let target = || self.table.target(x, self.y, side, color).map_or(OUTSIDE, |target| target.vc);
        let target = by_header().unwrap_or_else(target);
        self.vcs[number].targets[side.index()] = Some(target);
        target
    }

    /// Drops a wavelet that leaves the program by a side: the fabric around takes it at once, or the host does.
    #[cold]
    fn drop_outside(&mut self, number: VcId, side: Direction, wavelet: Wavelet) {
        let (x, color) = self.vcs[number].column_and_color();
        if self.leave_by_edge(x, side, color, wavelet) {
            return;
        }
        *self.dropped.entry((color, x, side)).or_default() += 1;
    }
}
