//! One row of routers. It owns its records and touches no other row: wavelets and credits for the rows north and south
//! leave as batches that arrive a hop later, so the order in which rows are visited, and by which thread, changes nothing.
//!
//! The way of a wavelet: [`Row::inject`] (or a batch) puts it into a lane; [`Row::route`] moves the heads of lanes whose
//! record stands in the active list. A record that cannot move sleeps until a landing, a credit, room at the ramp or a
//! register write wakes it. Records that want the same link go in the order in which they became able to.

use std::sync::Arc;

use csl_chip::Chip;
use rustc_hash::FxHashMap;

use crate::config::{ColorConfig, LINKS, NORTH, PopMode, RAMP, RAMP_BIT, SOUTH, WEST, opposite};
use crate::event::{Fault, FaultKind, LandingEvent, Obstacle, Standing, SwitchEvent, landing_hash};
use crate::record::{Batch, FILTERED, Landing, MAX_BUFFER, QUEUED, Record, SHARES_INPUT, TORN_DOWN, UNKNOWN};
use crate::table::RouteTable;
use crate::wavelet::{Opcode, Wavelet, ce_ignores, opcode, pop};

/// The compute elements of a row, as its routers see them.
pub trait Ramp {
    /// Whether the CE at column `x` can take a wavelet of `color` now.
    fn room(&mut self, x: u32, color: u8) -> bool;
    /// A wavelet reaches the CE. Only called after [`Ramp::room`] said yes in the same cycle.
    fn deliver(&mut self, x: u32, color: u8, wavelet: Wavelet);
    /// The router has taken a wavelet that came from the CE: there is room for one more.
    fn accepted(&mut self, x: u32, color: u8);
    /// A TEARDOWN command has passed: the color has stopped.
    fn torn_down(&mut self, x: u32, color: u8);
    /// A wavelet has left the fabric through a port of the host.
    fn exported(&mut self, port: u32, wavelet: Wavelet);
}

/// What to record beside the hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    pub landings: bool,
    pub switches: bool,
}

/// Slots of the inbox: more than the longest hop.
const RING: usize = 4;
const FROM_NORTH: usize = 0;
const OWN: usize = 1;
const FROM_SOUTH: usize = 2;

/// Targets from here on are ports of the host.
const PORT_BASE: u32 = 0x4000_0000;

/// The outputs of a tile (a set of directions) that have been used in a cycle: each takes one wavelet.
#[derive(Clone, Copy)]
struct Used {
    /// Low bits of the cycle.
    cycle: u32,
    ways: u8,
}

impl Used {
    #[inline]
    fn any(self, ways: u8, now: u32) -> bool {
        self.cycle == now && self.ways & ways != 0
    }

    #[inline]
    fn add(&mut self, ways: u8, now: u32) {
        let before = if self.cycle == now { self.ways } else { 0 };
        *self = Used { cycle: now, ways: before | ways };
    }
}

pub struct Row {
    y: u32,
    table: Arc<RouteTable>,
    hop: u64,
    buffer: u8,
    records: Vec<Record>,
    /// By column.
    used: Vec<Used>,
    /// Configurations that are no longer those of the table.
    changed: FxHashMap<u32, ColorConfig>,
    active: Vec<u32>,
    /// Scratch: records that have sent and go to the end of the list.
    sent: Vec<u32>,
    /// By cycle modulo RING, then by where the batch comes from.
    inbox: [[Batch; 3]; RING],
    north: Batch,
    south: Batch,
    /// Record and side where the host is connected, and the port's number.
    ports: Vec<(u32, u8, u32)>,
    port_credits: Vec<u32>,
    recording: Recording,
    hash: u64,
    moved: u64,
    landings: Vec<LandingEvent>,
    switches: Vec<SwitchEvent>,
}

enum Step {
    /// Has sent; whether more is ready.
    Sent(bool),
    /// A way is taken in this cycle.
    Contended,
    Blocked,
}

impl Row {
    pub fn new(table: Arc<RouteTable>, y: u32, chip: &Chip, recording: Recording) -> Row {
        let buffer = (chip.timing.router_buffer as usize).min(MAX_BUFFER) as u8;
        let records = table.records(y).map(|(x, color, config)| Record::new(x, color, config, buffer)).collect();
        let width = table.width() as usize;
        let mut row = Row {
            y,
            table,
            hop: u64::from(chip.timing.hop),
            buffer,
            records,
            used: vec![Used { cycle: u32::MAX, ways: 0 }; width],
            changed: FxHashMap::default(),
            active: Vec::new(),
            sent: Vec::new(),
            inbox: Default::default(),
            north: Batch::default(),
            south: Batch::default(),
            ports: Vec::new(),
            port_credits: Vec::new(),
            recording,
            hash: 0,
            moved: 0,
            landings: Vec::new(),
            switches: Vec::new(),
        };
        row.mark_shared_inputs();
        row
    }

    /// Flags records with an input that the other color of the pair receives too.
    fn mark_shared_inputs(&mut self) {
        for record in &mut self.records {
            let shared = |side| self.table.received_twice(record.x(), self.y, side, record.color);
            if (WEST..=RAMP).any(shared) {
                record.flags |= SHARES_INPUT;
            }
        }
    }

    /// Order-free hash over all landings so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Landings so far.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// Records that may move in the next cycle.
    pub fn active(&self) -> usize {
        self.active.len()
    }

    /// Takes what has been recorded.
    pub fn take_events(&mut self) -> (Vec<LandingEvent>, Vec<SwitchEvent>) {
        (std::mem::take(&mut self.landings), std::mem::take(&mut self.switches))
    }

    /// The number of a color's record at a column.
    pub fn record(&self, x: u32, color: u8) -> Option<u32> {
        self.table.find(x, self.y, color).map(|(record, _)| record)
    }

    /// The next cycle in which there is something to do here; at most `now + 1` while any record can move.
    pub fn next_event(&self, now: u64) -> Option<u64> {
        if !self.active.is_empty() {
            return Some(now + 1);
        }
        let waiting = |cycle: &u64| self.inbox[*cycle as usize % RING].iter().any(|batch| !batch.is_empty());
        (now + 1..=now + self.hop).find(waiting)
    }

    // ---- between rows ----

    /// Hands the batches of cycle `now` over: what leaves `upper` to the south and `lower` to the north. Exact inverse
    /// of each other in storage: vectors are exchanged, not copied.
    pub fn exchange(upper: &mut Row, lower: &mut Row, now: u64) {
        let slot = (now + upper.hop) as usize % RING;
        swap_if_any(&mut upper.south, &mut lower.inbox[slot][FROM_NORTH]);
        swap_if_any(&mut lower.north, &mut upper.inbox[slot][FROM_SOUTH]);
    }

    /// Whether anything waits for the neighbour rows: `(north, south)`.
    pub fn has_outgoing(&self) -> (bool, bool) {
        (!self.north.is_empty(), !self.south.is_empty())
    }

    /// Takes the batch for the row to the north of a shard.
    pub fn take_north(&mut self) -> Batch {
        std::mem::take(&mut self.north)
    }

    pub fn take_south(&mut self) -> Batch {
        std::mem::take(&mut self.south)
    }

    /// Puts a batch that another shard's row sent in cycle `sent_at`.
    pub fn put_from_north(&mut self, batch: Batch, sent_at: u64) {
        self.inbox[(sent_at + self.hop) as usize % RING][FROM_NORTH] = batch;
    }

    pub fn put_from_south(&mut self, batch: Batch, sent_at: u64) {
        self.inbox[(sent_at + self.hop) as usize % RING][FROM_SOUTH] = batch;
    }

    // ---- landings ----

    /// Lands the wavelets and credits that are due in cycle `now`.
    pub fn land(&mut self, now: u64) -> Result<(), Fault> {
        let slot = now as usize % RING;
        for source in 0..3 {
            if self.inbox[slot][source].is_empty() {
                continue;
            }
            let mut batch = std::mem::take(&mut self.inbox[slot][source]);
            for landing in &batch.landings {
                self.land_one(*landing, now)?;
            }
            for credit in &batch.credits {
                self.credit(*credit);
            }
            batch.clear();
            self.inbox[slot][source] = batch;
        }
        Ok(())
    }

    #[inline]
    fn land_one(&mut self, landing: Landing, now: u64) -> Result<(), Fault> {
        let Landing { record: number, from, wavelet } = landing;
        let record = &mut self.records[number as usize];
        let hash = landing_hash(now, record.x(), self.y, from, record.color, wavelet);
        self.hash = self.hash.wrapping_add(hash);
        self.moved += 1;
        if record.rx >> from & 1 != 0 {
            // The guide calls it undefined what a router does with two of one color at once.
            if record.landed_at == now as u32 {
                return Err(self.collision(number, from, wavelet));
            }
            (record.landed_at, record.landed_from) = (now as u32, from);
        }
        let lane = record.lane_mut(from);
        lane.push(wavelet);
        if lane.upstream == UNKNOWN && usize::from(from) != RAMP {
            self.find_upstream(number, from);
        }
        self.wake(number);
        if self.recording.landings {
            self.record_landing(number, from, wavelet, now);
        }
        Ok(())
    }

    fn record_landing(&mut self, number: u32, from: u8, wavelet: Wavelet, cycle: u64) {
        let (x, color) = self.records[number as usize].place();
        self.landings.push(LandingEvent { cycle, x, y: self.y, color, from, wavelet });
    }

    fn collision(&self, number: u32, from: u8, wavelet: Wavelet) -> Fault {
        let record = &self.records[number as usize];
        let (a, b) = (record.landed_from, from);
        let kind = FaultKind::Collision { sides: [a.min(b), a.max(b)] };
        Fault { x: record.x(), y: self.y, color: record.color, wavelet, kind }
    }

    /// The sender behind a lane, to whom its credits go back.
    fn find_upstream(&mut self, number: u32, from: u8) {
        let (x, color) = self.records[number as usize].place();
        let side = usize::from(from);
        let port = self.ports.iter().find(|port| (port.0, port.1) == (number, from)).map(|port| PORT_BASE + port.2);
        let sender = || {
            let (nx, ny) = self.table.neighbour(x, self.y, side)?;
            self.table.find(nx, ny, self.table.source_color(x, self.y, side, color)).map(|(record, _)| record)
        };
        let upstream = port.or_else(sender).unwrap_or(UNKNOWN);
        self.records[number as usize].lane_mut(from).upstream = upstream;
    }

    fn credit(&mut self, credit: u32) {
        self.records[(credit >> 2) as usize].add_credit((credit & 3) as usize);
        self.wake(credit >> 2);
    }

    fn wake(&mut self, number: u32) {
        let record = &mut self.records[number as usize];
        if record.flags & QUEUED == 0 {
            record.flags |= QUEUED;
            self.active.push(number);
        }
    }

    /// The CE at a column has room for a color again, or takes it at all now.
    pub fn ramp_has_room(&mut self, x: u32, color: u8) {
        if let Some(record) = self.record(x, color) {
            self.wake(record);
        }
    }

    /// Lands a wavelet from the CE. Returns false, and changes nothing, when the buffer is full;
    /// [`Ramp::accepted`] tells when there is room again.
    pub fn inject(&mut self, record: u32, wavelet: Wavelet, now: u64) -> Result<bool, Fault> {
        let room = self.records[record as usize].ramp_has_room(self.buffer);
        if room {
            self.land_one(Landing { record, from: RAMP as u8, wavelet }, now)?;
        }
        Ok(room)
    }

    // ---- ports of the host ----

    /// Connects the host to a side of a tile. `None` when the tile does not route the color.
    pub fn connect(&mut self, x: u32, side: u8, color: u8, port: u32) -> Option<u32> {
        let record = self.record(x, color)?;
        self.ports.push((record, side, port));
        self.records[record as usize].targets[usize::from(side)] = PORT_BASE + port;
        Some(record)
    }

    /// Lands a wavelet from the host. It may send as many as the buffer holds, and one more for each credit.
    pub fn import(&mut self, record: u32, side: u8, wavelet: Wavelet, now: u64) -> Result<(), Fault> {
        self.land_one(Landing { record, from: side, wavelet }, now)
    }

    /// Wavelets that the host may send at first through a port.
    pub fn port_window(&self) -> u8 {
        self.buffer
    }

    /// Takes the credits of the host's ports, each the number of a port.
    pub fn take_port_credits(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.port_credits)
    }

    // ---- routing ----

    /// Moves what can move in cycle `now`.
    pub fn route(&mut self, now: u64, ramp: &mut impl Ramp) -> Result<(), Fault> {
        let mut list = std::mem::take(&mut self.active);
        let mut keep = 0;
        for i in 0..list.len() {
            let number = list[i];
            match self.step(number, now, ramp)? {
                Step::Sent(true) => self.sent.push(number),
                Step::Contended => {
                    list[keep] = number;
                    keep += 1;
                }
                Step::Sent(false) | Step::Blocked => self.records[number as usize].flags &= !QUEUED,
            }
        }
        list.truncate(keep);
        list.append(&mut self.sent);
        // Nothing can have been woken while routing: what is sent arrives a hop later.
        self.active = list;
        Ok(())
    }

    fn step(&mut self, number: u32, now: u64, ramp: &mut impl Ramp) -> Result<Step, Fault> {
        let record = &self.records[number as usize];
        if record.flags & TORN_DOWN != 0 {
            return Ok(Step::Blocked);
        }
        let Some(side) = record.next_side() else { return Ok(Step::Blocked) };
        let wavelet = self.head(number, side);
        let partner = self.partner(number, side);
        for leg in [Some(number), partner].into_iter().flatten() {
            if let Some(step) = self.obstacle(leg, wavelet, now as u32, ramp) {
                return Ok(step);
            }
        }
        self.take_head(number, side, now, ramp);
        for leg in [Some(number), partner].into_iter().flatten() {
            self.send(leg, wavelet, now, ramp)?;
        }
        let record = &self.records[number as usize];
        Ok(Step::Sent(record.flags & TORN_DOWN == 0 && record.next_side().is_some()))
    }

    #[inline]
    fn head(&self, number: u32, side: u8) -> Wavelet {
        let record = &self.records[number as usize];
        match &record.more {
            None => record.lane.front(),
            Some(_) => record.lanes().find(|lane| lane.from == side).map(|lane| lane.front()).unwrap_or_default(),
        }
    }

    /// The other color's record, where color swap makes this input arrive on both.
    #[inline]
    fn partner(&self, number: u32, side: u8) -> Option<u32> {
        let record = &self.records[number as usize];
        if record.flags & SHARES_INPUT == 0 {
            return None;
        }
        let shared = self.table.received_twice(record.x(), self.y, usize::from(side), record.color);
        let partner = self.record(record.x(), record.color ^ 1).filter(|_| shared)?;
        (self.records[partner as usize].rx >> side & 1 != 0).then_some(partner)
    }

    /// What keeps a wavelet from leaving through all outputs at once.
    #[inline]
    fn obstacle(&mut self, number: u32, wavelet: Wavelet, now: u32, ramp: &mut impl Ramp) -> Option<Step> {
        let record = &self.records[number as usize];
        let (x, mut ways, color) = (record.x(), record.tx, record.color);
        if ways == 0 || ways & record.full != 0 {
            return Some(Step::Blocked);
        }
        if ways & RAMP_BIT != 0 {
            if !self.reaches_ce(number, wavelet) {
                ways &= LINKS;
            } else if !ramp.room(x, color) {
                return Some(Step::Blocked);
            }
        }
        self.used[x as usize].any(ways, now).then_some(Step::Contended)
    }

    /// Whether a wavelet that goes to the ramp gets to the CE: command lists can hide it, filters reject it.
    #[inline]
    fn reaches_ce(&self, number: u32, wavelet: Wavelet) -> bool {
        if wavelet.control && ce_ignores(wavelet.data) {
            return false;
        }
        let filtered = self.records[number as usize].flags & FILTERED != 0;
        !filtered || self.config(number).filter.as_ref().is_none_or(|filter| filter.passes(wavelet))
    }

    /// Takes the wavelet out of its lane and gives the place back.
    #[inline]
    fn take_head(&mut self, number: u32, side: u8, now: u64, ramp: &mut impl Ramp) {
        let record = &mut self.records[number as usize];
        let (x, color) = (record.x(), record.color);
        let lane = record.lane_mut(side);
        lane.pop();
        let upstream = lane.upstream;
        if let Some(more) = &mut record.more {
            more.served = side;
        }
        if usize::from(side) == RAMP {
            ramp.accepted(x, color);
        } else if upstream >= PORT_BASE {
            self.port_credits.push(upstream.wrapping_sub(PORT_BASE));
        } else {
            let credit = upstream << 2 | opposite(usize::from(side)) as u32;
            self.outbox(usize::from(side), now).credits.push(credit);
        }
    }

    /// Where things for the tile at a side go.
    #[inline]
    fn outbox(&mut self, side: usize, now: u64) -> &mut Batch {
        match side {
            NORTH => &mut self.north,
            SOUTH => &mut self.south,
            _ => &mut self.inbox[(now + self.hop) as usize % RING][OWN],
        }
    }

    /// Sends a wavelet to all outputs of a record, then lets it work on the switch.
    fn send(&mut self, number: u32, wavelet: Wavelet, now: u64, ramp: &mut impl Ramp) -> Result<(), Fault> {
        let Record { tx, flags, .. } = self.records[number as usize];
        let (x, color) = self.records[number as usize].place();
        if tx & RAMP_BIT != 0 {
            if self.reaches_ce(number, wavelet) {
                self.used[x as usize].add(RAMP_BIT, now as u32);
                ramp.deliver(x, color, wavelet);
            }
            if flags & FILTERED != 0 {
                self.count_filtered(number, wavelet);
            }
        }
        let forwarded = if wavelet.control { self.obey(number, wavelet, now, ramp) } else { wavelet };
        let mut links = tx & LINKS;
        self.used[x as usize].add(links, now as u32);
        while links != 0 {
            let side = links.trailing_zeros() as usize;
            links &= links - 1;
            self.send_to(number, side, forwarded, now, ramp)?;
        }
        Ok(())
    }

    #[inline]
    fn send_to(
        &mut self,
        number: u32,
        side: usize,
        wavelet: Wavelet,
        now: u64,
        ramp: &mut impl Ramp,
    ) -> Result<(), Fault> {
        let mut target = self.records[number as usize].targets[side];
        if target == UNKNOWN {
            target = self.find_target(number, side, wavelet)?;
        }
        if target >= PORT_BASE {
            ramp.exported(target - PORT_BASE, wavelet);
            return Ok(());
        }
        self.records[number as usize].use_credit(side);
        let landing = Landing { record: target, from: opposite(side) as u8, wavelet };
        self.outbox(side, now).landings.push(landing);
        Ok(())
    }

    fn find_target(&mut self, number: u32, side: usize, wavelet: Wavelet) -> Result<u32, Fault> {
        let (x, color) = self.records[number as usize].place();
        let Some(target) = self.table.target(x, self.y, side, color) else {
            let path = self.table.path_to(x, self.y, color);
            let kind = FaultKind::Nowhere { side: side as u8, path };
            return Err(Fault { x, y: self.y, color, wavelet, kind });
        };
        self.records[number as usize].targets[side] = target.record;
        Ok(target.record)
    }

    // ---- configuration that changes ----

    /// A record's configuration as it stands.
    fn config(&self, number: u32) -> &ColorConfig {
        let (x, color) = self.records[number as usize].place();
        let initial = || self.table.find(x, self.y, color).expect("a record has a place in the table").1;
        self.changed.get(&number).unwrap_or_else(initial)
    }

    fn config_mut(&mut self, number: u32) -> &mut ColorConfig {
        if !self.changed.contains_key(&number) {
            let config = self.config(number).clone();
            self.changed.insert(number, config);
        }
        self.changed.get_mut(&number).expect("inserted above")
    }

    fn count_filtered(&mut self, number: u32, wavelet: Wavelet) {
        if let Some(filter) = &mut self.config_mut(number).filter {
            filter.count(wavelet);
        }
    }

    /// Carries out command 0 of a control wavelet. Returns what goes on to the neighbours.
    fn obey(&mut self, number: u32, wavelet: Wavelet, now: u64, ramp: &mut impl Ramp) -> Wavelet {
        let command = opcode(wavelet.data);
        let changed = match command {
            Opcode::Nop => false,
            Opcode::Advance => self.config_mut(number).advance(),
            Opcode::Reset => self.config_mut(number).reset(),
            Opcode::Teardown => {
                self.tear_down(number, ramp);
                false
            }
        };
        if changed {
            self.apply_position(number, now);
        }
        let pops = match self.config(number).pop {
            PopMode::NoPop => false,
            PopMode::AlwaysPop => true,
            PopMode::PopOnAdvance => changed,
            PopMode::PopOnAdvanceNop => changed || command == Opcode::Nop,
        };
        if pops { Wavelet { data: pop(wavelet.data), ..wavelet } } else { wavelet }
    }

    fn tear_down(&mut self, number: u32, ramp: &mut impl Ramp) {
        self.config_mut(number).teardown = true;
        let record = &mut self.records[number as usize];
        record.flags |= TORN_DOWN;
        ramp.torn_down(record.x(), record.color);
    }

    /// Takes over inputs and outputs of the current position.
    fn apply_position(&mut self, number: u32, cycle: u64) {
        let (current, position) = (self.config(number).current(), self.config(number).position);
        let record = &mut self.records[number as usize];
        (record.rx, record.tx) = current;
        let (x, color) = (record.x(), record.color);
        if self.recording.switches {
            self.switches.push(SwitchEvent { cycle, x, y: self.y, color, position });
        }
    }

    /// The configuration of a color at a column, for register reads.
    pub fn color_config(&self, x: u32, color: u8) -> Option<&ColorConfig> {
        self.record(x, color).map(|record| self.config(record))
    }

    /// Changes the configuration of a color at a column, as a register write does. Returns false where the color has no
    /// record.
    pub fn reconfigure(&mut self, x: u32, color: u8, now: u64, change: impl FnOnce(&mut ColorConfig)) -> bool {
        let Some(number) = self.record(x, color) else { return false };
        change(self.config_mut(number));
        let (torn, filtered) = (self.config(number).teardown, self.config(number).filter.is_some());
        let record = &mut self.records[number as usize];
        set_flag(&mut record.flags, TORN_DOWN, torn);
        set_flag(&mut record.flags, FILTERED, filtered);
        self.apply_position(number, now);
        self.wake(number);
        true
    }

    // ---- questions after a run ----

    /// Wavelets that stand in this row's routers, with their columns.
    pub fn standing(&self, ramp: &mut impl Ramp) -> Vec<(u32, Standing)> {
        let mut all = Vec::new();
        for (number, record) in self.records.iter().enumerate() {
            for lane in record.lanes().filter(|lane| lane.len > 0) {
                let head = lane.front();
                let why = self.why(number as u32, lane.from, head, ramp);
                let standing = Standing { color: record.color, from: lane.from, count: lane.len, head, why };
                all.push((record.x(), standing));
            }
        }
        all
    }

    fn why(&self, number: u32, from: u8, head: Wavelet, ramp: &mut impl Ramp) -> Obstacle {
        let record = &self.records[number as usize];
        if record.flags & TORN_DOWN != 0 {
            return Obstacle::Teardown;
        }
        if record.rx >> from & 1 == 0 {
            return Obstacle::InputClosed { ever: self.config(number).all_inputs() >> from & 1 != 0 };
        }
        if record.tx == 0 {
            return Obstacle::NoOutput;
        }
        if record.tx & record.full != 0 {
            return Obstacle::Link((record.tx & record.full).trailing_zeros() as u8);
        }
        let to_ce = record.tx & RAMP_BIT != 0 && self.reaches_ce(number, head);
        if to_ce && !ramp.room(record.x(), record.color) { Obstacle::Ramp } else { Obstacle::None }
    }
}

fn set_flag(flags: &mut u8, flag: u8, on: bool) {
    *flags = if on { *flags | flag } else { *flags & !flag };
}

fn swap_if_any(from: &mut Batch, to: &mut Batch) {
    if !from.is_empty() {
        std::mem::swap(from, to);
    }
}
