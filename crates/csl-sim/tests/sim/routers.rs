//! The routers of the reference: the rules of docs/decisions/machine.md M36 to M50 in plain data, all routers in every
//! cycle, each tile by itself. It has the configuration of colors, filters and the color of a swap from `csl-fabric`;
//! buffers, credits, arbitration and command lists are its own. The network of `<message_passing>` is not in it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use csl_fabric::{
    ColorState, Fault, FaultKind, Ramp, RouteTable, SwitchCause, SwitchState, TraceEvent, Traced, landing_hash,
};
use csl_machine::wavelet::{Opcode, ce_ignores, opcode, pop};
use csl_machine::{Chip, Color, DirSet, Direction, PopMode, Wavelet};

use crate::load::Load;

/// A tile: column and row.
pub type At = (u32, u32);

/// One color at one router.
struct Channel {
    state: ColorState,
    /// What has come in, by side.
    inputs: [VecDeque<Entry>; 5],
    /// The sides that wavelets have come in by, in that order.
    known: Vec<Direction>,
    /// The side that was served last since there are two to serve.
    served: Option<Direction>,
    /// The room known to be at the neighbours.
    room: [usize; 4],
    /// The rank (0 for a wavelet of the ramp) and the cycle with which it has become able to send.
    able: Option<(usize, u64)>,
    /// The last landing on an open input.
    landed: Option<(u64, Direction)>,
}

struct Entry {
    wavelet: Wavelet,
    /// The color that the neighbour sent it on.
    sent_on: Color,
    /// Whether the switch advances behind it.
    advances: bool,
}

enum Flying {
    Wavelet { at: At, color: Color, from: Direction, sent_on: Color, wavelet: Wavelet },
    Credit { at: At, color: Color, side: Direction },
}

pub struct Routers {
    table: Arc<RouteTable>,
    hop: u64,
    depth: usize,
    /// By row, column and color.
    channels: Vec<[Option<Box<Channel>>; Color::COUNT]>,
    flying: BTreeMap<u64, Vec<Flying>>,
    hash: u64,
    moved: u64,
    /// The events, where they are recorded.
    trace: Option<Vec<TraceEvent>>,
    pub load: Load,
    /// Whether a wavelet was sent in the last cycle.
    has_sent: bool,
}

impl Channel {
    fn new(state: ColorState, depth: usize) -> Channel {
        Channel {
            state,
            inputs: Default::default(),
            known: Vec::new(),
            served: None,
            room: [depth; 4],
            able: None,
            landed: None,
        }
    }

    fn ways(&self) -> (DirSet, DirSet) {
        self.state.config.current()
    }

    /// The open input whose turn it is among those that hold a wavelet.
    fn next_side(&self) -> Option<Direction> {
        let first = self.served.map_or(0, Direction::index);
        let rx = self.ways().0;
        let ready =
            self.known.iter().copied().filter(|side| !self.inputs[side.index()].is_empty() && rx.contains(*side));
        ready.min_by_key(|side| (side.index() + 4 - first) % 5)
    }

    /// Whether the neighbours behind all outputs have room.
    fn has_credits(&self) -> bool {
        self.ways().1.common(DirSet::LINKS).iter().all(|side| self.room[side.index()] > 0)
    }

    fn shuts_out_ce(&self, wavelet: Wavelet) -> bool {
        let rejects = || self.state.filter.as_ref().is_some_and(|filter| !filter.passes(wavelet));
        wavelet.control && ce_ignores(wavelet.data) || rejects()
    }

    /// The outputs that a wavelet takes here.
    fn outputs(&self, wavelet: Wavelet) -> DirSet {
        let tx = self.ways().1;
        if self.shuts_out_ce(wavelet) { tx.common(DirSet::LINKS) } else { tx }
    }

    fn switch_state(&self) -> SwitchState {
        let (rx, tx) = self.ways();
        SwitchState { position: self.state.config.current_pos, rx, tx }
    }
}

impl Routers {
    /// Routers whose input buffers hold `depth` wavelets each.
    pub fn new(table: Arc<RouteTable>, chip: &Chip, depth: usize, is_traced: bool) -> Routers {
        let tiles = table.width() * table.height();
        let mut channels: Vec<[Option<Box<Channel>>; Color::COUNT]> = (0..tiles).map(|_| Default::default()).collect();
        for y in 0..table.height() {
            for (x, color, state) in table.vcs(y) {
                let channel = Box::new(Channel::new(state.clone(), depth));
                channels[(y * table.width() + x) as usize][color.index()] = Some(channel);
            }
        }
        let hop = chip.timing.hop.into();
        let (trace, load) = (is_traced.then(Vec::new), Load::default());
        Routers {
            table,
            hop,
            depth,
            channels,
            flying: BTreeMap::new(),
            hash: 0,
            moved: 0,
            trace,
            load,
            has_sent: false,
        }
    }

    /// Hash and number of all landings.
    pub fn landings(&self) -> (u64, u64) {
        (self.hash, self.moved)
    }

    /// The events by cycle, row and column; of wavelets that come in by links in one cycle, by side.
    pub fn take_trace(&mut self) -> Vec<TraceEvent> {
        let mut all = self.trace.take().unwrap_or_default();
        let rank = |what: &Traced| match what {
            Traced::Landing { from, .. } if *from != Direction::Ramp => from.index(),
            _ => Direction::ALL.len(),
        };
        all.sort_by_key(|event| (event.cycle, event.y, event.x, rank(&event.what)));
        all
    }

    /// Whether nothing was sent in the last cycle, and nothing is on its way.
    pub fn is_at_rest(&self) -> bool {
        self.flying.is_empty() && !self.has_sent
    }

    fn neighbour(&self, (x, y): At, side: Direction) -> Option<At> {
        self.table.neighbour(x, y, side).map(|at| (at.x, at.y))
    }

    fn index(&self, (x, y): At) -> usize {
        (y * self.table.width() + x) as usize
    }

    fn channel(&self, at: At, color: Color) -> Option<&Channel> {
        self.channels[self.index(at)][color.index()].as_deref()
    }

    fn channel_mut(&mut self, at: At, color: Color) -> &mut Channel {
        let (index, depth) = (self.index(at), self.depth);
        let channel = &mut self.channels[index][color.index()];
        channel.get_or_insert_with(|| Box::new(Channel::new(ColorState::default(), depth)))
    }

    pub fn color_state(&self, at: At, color: Color) -> ColorState {
        self.channel(at, color).map_or_else(ColorState::default, |channel| channel.state.clone())
    }

    // ---- landings ----

    /// Lands what is due in cycle `now`; returns the faults.
    pub fn arrive(&mut self, now: u64) -> Vec<Fault> {
        self.has_sent = false;
        let mut faults = Vec::new();
        for flying in self.flying.remove(&now).unwrap_or_default() {
            match flying {
                Flying::Wavelet { at, color, from, sent_on, wavelet } => {
                    faults.extend(self.land(at, color, from, Entry { wavelet, sent_on, advances: false }, now));
                }
                Flying::Credit { at, color, side } => self.channel_mut(at, color).room[side.index()] += 1,
            }
        }
        let sides = |fault: &Fault| {
            let FaultKind::Collision { sides } = fault.kind;
            sides
        };
        faults.sort_by_key(|fault| (fault.y, fault.x, fault.color, sides(fault)));
        faults
    }

    fn land(&mut self, at: At, color: Color, from: Direction, entry: Entry, now: u64) -> Option<Fault> {
        let (wavelet, local_flip) = (entry.wavelet, entry.advances);
        self.hash = self.hash.wrapping_add(landing_hash(now, at.0, at.1, from, color, wavelet));
        self.moved += 1;
        self.note(at, color, now, Traced::Landing { from, wavelet, local_flip });
        let channel = self.channel_mut(at, color);
        let mut fault = None;
        if channel.ways().0.contains(from) {
            if let Some((_, other)) = channel.landed.filter(|landed| landed.0 == now) {
                let sides = [other.min(from), other.max(from)];
                let first = channel.inputs[other.index()].back().map_or(wavelet, |entry| entry.wavelet);
                let wavelet = if from > other { wavelet } else { first };
                fault = Some(Fault { x: at.0, y: at.1, color, wavelet, kind: FaultKind::Collision { sides } });
            }
            channel.landed = Some((now, from));
        }
        if !channel.known.contains(&from) {
            channel.known.push(from);
        }
        channel.inputs[from.index()].push_back(entry);
        fault
    }

    fn note(&mut self, (x, y): At, color: Color, cycle: u64, what: Traced) {
        if matches!(what, Traced::Switch { .. }) {
            self.load.switched += 1;
        }
        if let Some(trace) = &mut self.trace {
            trace.push(TraceEvent { cycle, x, y, color, what });
        }
    }

    /// Lands a wavelet from the CE; `None` where the router has no room or no route for it.
    pub fn inject(
        &mut self,
        at: At,
        color: Color,
        wavelet: Wavelet,
        advances: bool,
        now: u64,
    ) -> Option<Result<(), Fault>> {
        let color = self.table.received(at.0, at.1, Direction::Ramp, color).color;
        let channel = self.channel(at, color)?;
        let (rx, tx) = channel.ways();
        let has_room = channel.inputs[Direction::Ramp.index()].len() < self.depth;
        if rx.union(tx).is_empty() || !has_room {
            return None;
        }
        let entry = Entry { wavelet, sent_on: color, advances };
        Some(self.land(at, color, Direction::Ramp, entry, now).map_or(Ok(()), Err))
    }

    // ---- routing ----

    /// Routes what can move at a tile: wavelets of the ramp first, then those that have been able to for longest, then by
    /// color.
    pub fn route(&mut self, at: At, now: u64, ramp: &mut impl Ramp) {
        let mut turns = Vec::new();
        for color in (0..Color::COUNT as u8).map(Color::at) {
            let Some(side) = self.channel(at, color).and_then(Channel::next_side) else {
                self.unable(at, color);
                continue;
            };
            let is_able = self.may_send(at, color, side, ramp);
            self.note_load(at, color, is_able);
            if !is_able {
                self.unable(at, color);
                continue;
            }
            let rank = usize::from(side != Direction::Ramp);
            turns.push((*self.channel_mut(at, color).able.get_or_insert((rank, now)), color));
        }
        turns.sort_unstable();
        let mut taken = DirSet::NONE;
        for (_, color) in turns {
            let side = self.channel(at, color).and_then(Channel::next_side);
            let Some(side) = side.filter(|side| self.may_send(at, color, *side, ramp)) else {
                self.unable(at, color);
                continue;
            };
            let wanted = self.wanted(at, color, side);
            if taken.meets(wanted) {
                self.load.contended += 1;
                continue;
            }
            taken = taken.union(wanted);
            self.load.sent += 1;
            self.has_sent = true;
            self.channel_mut(at, color).able = None;
            self.forward(at, color, side, now, ramp);
        }
    }

    fn unable(&mut self, at: At, color: Color) {
        let index = self.index(at);
        if let Some(channel) = &mut self.channels[index][color.index()] {
            channel.able = None;
        }
    }

    /// The channels that a wavelet which came in by `side` on this one goes on by: with color swap it may be both of a
    /// pair.
    fn legs(&self, at: At, color: Color, side: Direction) -> impl Iterator<Item = Color> + Clone + use<> {
        let partner = color.partner();
        let is_shared = self.table.has_swaps()
            && self.table.received_twice(at.0, at.1, side, color)
            && self.channel(at, partner).is_some_and(|channel| channel.ways().0.contains(side));
        [Some(color), is_shared.then_some(partner)].into_iter().flatten()
    }

    fn head(&self, at: At, color: Color, side: Direction) -> Wavelet {
        let entry = self.channel(at, color).and_then(|channel| channel.inputs[side.index()].front());
        entry.expect("the side holds a wavelet").wavelet
    }

    /// Whether all outputs have room; another wavelet may still take one of them in this cycle.
    fn may_send(&self, at: At, color: Color, side: Direction, ramp: &mut impl Ramp) -> bool {
        let wavelet = self.head(at, color, side);
        let mut has_room = |leg: Color| {
            let Some(channel) = self.channel(at, leg) else { return true };
            channel.has_credits() && (!channel.outputs(wavelet).contains(Direction::Ramp) || ramp.room(at.0, leg))
        };
        let is_torn = self.channel(at, color).is_some_and(|channel| channel.state.config.teardown);
        !is_torn && self.legs(at, color, side).all(&mut has_room)
    }

    fn wanted(&self, at: At, color: Color, side: Direction) -> DirSet {
        let wavelet = self.head(at, color, side);
        let legs = self.legs(at, color, side).filter_map(|leg| self.channel(at, leg));
        legs.fold(DirSet::NONE, |all, leg| all.union(leg.outputs(wavelet)))
    }

    fn forward(&mut self, at: At, color: Color, side: Direction, now: u64, ramp: &mut impl Ramp) {
        let legs = self.legs(at, color, side);
        let channel = self.channel_mut(at, color);
        let entry = channel.inputs[side.index()].pop_front().expect("the side holds a wavelet");
        if channel.known.len() > 1 {
            channel.served = Some(side);
        }
        if side == Direction::Ramp {
            ramp.accepted(at.0, color);
        } else if let Some(sender) = self.neighbour(at, side) {
            let credit = Flying::Credit { at: sender, color: entry.sent_on, side: side.opposite() };
            self.flying.entry(now + self.hop).or_default().push(credit);
        }
        for leg in legs.clone() {
            let outputs = self.channel_mut(at, leg).outputs(entry.wavelet);
            self.note(at, leg, now, Traced::Departure { from: side, wavelet: entry.wavelet, outputs });
        }
        for leg in legs {
            self.send(at, leg, side, entry.wavelet, now, ramp);
        }
        if entry.advances {
            let before = self.channel_mut(at, color).switch_state();
            if self.channel_mut(at, color).state.config.advance() {
                self.note_switch(at, color, now, before, SwitchCause::Local);
            }
        }
    }

    fn send(&mut self, at: At, color: Color, from: Direction, wavelet: Wavelet, now: u64, ramp: &mut impl Ramp) {
        let channel = self.channel_mut(at, color);
        let tx = channel.ways().1;
        if tx.contains(Direction::Ramp) {
            let reaches = !channel.shuts_out_ce(wavelet);
            if let Some(filter) = &mut channel.state.filter {
                filter.count(wavelet);
            }
            if reaches {
                ramp.deliver(at.0, color, wavelet, from == Direction::Ramp);
            }
        }
        let onward = if wavelet.control { self.obey(at, color, wavelet, now, ramp) } else { wavelet };
        for side in tx.common(DirSet::LINKS).iter() {
            // The fabric around the program takes everything.
            let Some(there) = self.neighbour(at, side) else { continue };
            let target = self.table.received(there.0, there.1, side.opposite(), color).color;
            self.channel_mut(at, color).room[side.index()] -= 1;
            let landing =
                Flying::Wavelet { at: there, color: target, from: side.opposite(), sent_on: color, wavelet: onward };
            self.flying.entry(now + self.hop).or_default().push(landing);
        }
    }

    /// Carries out command 0 of a control wavelet; returns what goes on.
    fn obey(&mut self, at: At, color: Color, wavelet: Wavelet, now: u64, ramp: &mut impl Ramp) -> Wavelet {
        let channel = self.channel_mut(at, color);
        let before = channel.switch_state();
        let command = opcode(wavelet.data);
        let changed = match command {
            Opcode::Nop => false,
            Opcode::Advance => channel.state.config.advance(),
            Opcode::Reset => channel.state.config.reset(),
            Opcode::Teardown => {
                channel.state.config.teardown = true;
                ramp.torn_down(at.0, color);
                false
            }
        };
        let is_popped = match channel.state.config.pop_mode {
            PopMode::NoPop => false,
            PopMode::AlwaysPop => true,
            PopMode::PopOnAdvance => changed,
            PopMode::PopOnAdvanceNop => changed || command == Opcode::Nop,
        };
        if changed {
            let is_reset = command == Opcode::Reset;
            let cause = if is_reset { SwitchCause::Reset(wavelet) } else { SwitchCause::Advance(wavelet) };
            self.note_switch(at, color, now, before, cause);
        }
        if is_popped { Wavelet { data: pop(wavelet.data), ..wavelet } } else { wavelet }
    }

    fn note_switch(&mut self, at: At, color: Color, now: u64, before: SwitchState, cause: SwitchCause) {
        let after = self.channel_mut(at, color).switch_state();
        self.note(at, color, now, Traced::Switch { before, after, cause });
    }

    /// Changes the state of a color, as a register write does.
    pub fn reconfigure(&mut self, at: At, color: Color, now: u64, change: impl FnOnce(&mut ColorState)) {
        let channel = self.channel_mut(at, color);
        let before = channel.switch_state();
        change(&mut channel.state);
        if channel.state.config.current_pos != before.position {
            self.note_switch(at, color, now, before, SwitchCause::Register);
        }
    }

    // ---- the load ----

    fn note_load(&mut self, at: At, color: Color, is_able: bool) {
        let depth = self.depth;
        let Some(channel) = self.channels[self.index(at)][color.index()].as_deref() else { return };
        let full = channel.inputs.iter().filter(|input| input.len() == depth).count() as u64;
        let held = channel.inputs.iter().filter(|input| !input.is_empty()).count() as u64;
        self.load.heads += 1;
        self.load.full_buffers += full;
        self.load.held_buffers += held;
        match (is_able, channel.has_credits()) {
            (true, _) => {}
            (false, false) => self.load.without_credit += 1,
            (false, true) => self.load.refused += 1,
        }
    }
}
