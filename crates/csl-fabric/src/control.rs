//! Configurations that change while the program runs: switches, teardown, filters' counters, register writes. Also the
//! account of wavelets that stand after a run.

use csl_machine::wavelet::{Opcode, opcode, pop};
use csl_machine::{Direction, PopMode, Wavelet};

use crate::event::{Obstacle, Standing, SwitchCause, SwitchState, Traced};
use crate::record::{ADVANCES, FILTERED, RecordId, TORN_DOWN};
use crate::row::{Ramp, Row};
use crate::state::ColorState;

impl Row {
    /// The current state of a record.
    pub(crate) fn state(&self, number: RecordId) -> &ColorState {
        let (x, color) = self.records[number].place();
        let initial = || self.table.find(x, self.y, color).expect("a record has a place in the table").1;
        self.changed.get(&number).unwrap_or_else(initial)
    }

    fn state_mut(&mut self, number: RecordId) -> &mut ColorState {
        if !self.changed.contains_key(&number) {
            let state = self.state(number).clone();
            self.changed.insert(number, state);
        }
        self.changed.get_mut(&number).expect("inserted above")
    }

    pub(crate) fn count_filtered(&mut self, number: RecordId, wavelet: Wavelet) {
        if let Some(filter) = &mut self.state_mut(number).filter {
            filter.count(wavelet);
        }
    }

    /// Carries out command 0 of a control wavelet. Returns the wavelet that goes on to the neighbours.
    pub(crate) fn obey(&mut self, number: RecordId, wavelet: Wavelet, now: u64, ramp: &mut impl Ramp) -> Wavelet {
        let command = opcode(wavelet.data);
        let old = self.state(number).config.current_pos;
        let changed = match command {
            Opcode::Nop => false,
            Opcode::Advance => self.state_mut(number).config.advance(),
            Opcode::Reset => self.state_mut(number).config.reset(),
            Opcode::Teardown => {
                self.tear_down(number, ramp);
                false
            }
        };
        if changed {
            let reset = command == Opcode::Reset;
            let cause = if reset { SwitchCause::Reset(wavelet) } else { SwitchCause::Advance(wavelet) };
            self.apply_position(number, old, now, cause);
        }
        let pops = match self.state(number).config.pop_mode {
            PopMode::NoPop => false,
            PopMode::AlwaysPop => true,
            PopMode::PopOnAdvance => changed,
            PopMode::PopOnAdvanceNop => changed || command == Opcode::Nop,
        };
        if pops { Wavelet { data: pop(wavelet.data), ..wavelet } } else { wavelet }
    }

    fn tear_down(&mut self, number: RecordId, ramp: &mut impl Ramp) {
        self.state_mut(number).config.teardown = true;
        let record = &mut self.records[number];
        record.flags |= TORN_DOWN;
        ramp.torn_down(record.x(), record.color);
    }

    /// Notes that a wavelet of the CE has been forwarded: `.advance_switch` of the operation that sent it may be due.
    #[cold]
    pub(crate) fn left_ramp(&mut self, number: RecordId, now: u64) {
        let mut due = false;
        for entry in self.advances.iter_mut().filter(|entry| entry.0 == number) {
            entry.1 -= 1;
            due |= entry.1 == 0;
        }
        self.advances.retain(|entry| entry.1 != 0);
        let more = self.advances.iter().any(|entry| entry.0 == number);
        set_flag(&mut self.records[number].flags, ADVANCES, more);
        let old = self.state(number).config.current_pos;
        if due && self.state_mut(number).config.advance() {
            self.apply_position(number, old, now, SwitchCause::Local);
        }
    }

    /// Takes over inputs and outputs of another position.
    fn apply_position(&mut self, number: RecordId, old: u8, cycle: u64, cause: SwitchCause) {
        let before = self.apply_route(number, old);
        self.note_switch(number, before, cycle, cause);
    }

    /// Takes over inputs and outputs; returns those at the `old` position.
    fn apply_route(&mut self, number: RecordId, old: u8) -> SwitchState {
        let current = self.state(number).config.current();
        let record = &mut self.records[number];
        let before = SwitchState { position: old, rx: record.rx, tx: record.tx };
        (record.rx, record.tx) = current;
        before
    }

    fn note_switch(&mut self, number: RecordId, before: SwitchState, cycle: u64, cause: SwitchCause) {
        if self.is_traced {
            let ((rx, tx), position) = (self.state(number).config.current(), self.state(number).config.current_pos);
            self.note(number, cycle, Traced::Switch { before, after: SwitchState { position, rx, tx }, cause });
        }
    }

    /// The state of a color at a column, for register reads.
    pub fn color_state(&self, x: u32, color: u8) -> Option<&ColorState> {
        self.record(x, color).map(|record| self.state(record))
    }

    /// Changes the state of a color at a column, as a register write does.
    pub fn reconfigure(&mut self, x: u32, color: u8, now: u64, change: impl FnOnce(&mut ColorState)) {
        let number = self.record_made(x, color);
        let old = self.state(number).config.current_pos;
        change(self.state_mut(number));
        let (torn, filtered) = (self.state(number).config.teardown, self.state(number).filter.is_some());
        let record = &mut self.records[number];
        set_flag(&mut record.flags, TORN_DOWN, torn);
        set_flag(&mut record.flags, FILTERED, filtered);
        let before = self.apply_route(number, old);
        if self.state(number).config.current_pos != old {
            self.note_switch(number, before, now, SwitchCause::Register);
        }
        self.wake(number);
    }

    // ---- questions after a run ----

    /// Wavelets that stand in this row's routers, with their columns.
    pub fn standing(&self, ramp: &mut impl Ramp) -> Vec<(u32, Standing)> {
        let mut all = Vec::new();
        for (number, record) in self.records.iter().enumerate() {
            let number = RecordId::at(number);
            for (from, lane) in record.lanes().filter(|(_, lane)| lane.len > 0) {
                let head = lane.front();
                let why = self.why(number, from, head, ramp);
                let standing = Standing { color: record.color, from, count: lane.len, head, why };
                all.push((record.x(), standing));
            }
        }
        all
    }

    fn why(&self, number: RecordId, from: Direction, head: Wavelet, ramp: &mut impl Ramp) -> Obstacle {
        let record = &self.records[number];
        if record.flags & TORN_DOWN != 0 {
            return Obstacle::Teardown;
        }
        if !record.rx.contains(from) {
            let inputs = self.state(number).config.all_inputs();
            let has_no_route = inputs.union(record.tx).is_empty();
            return if has_no_route {
                Obstacle::Unrouted
            } else {
                Obstacle::InputClosed { ever: inputs.contains(from) }
            };
        }
        if let Some(side) = record.tx.common(record.full).first() {
            return Obstacle::Link(side);
        }
        let to_ce = record.tx.contains(Direction::Ramp) && self.reaches_ce(number, head);
        if to_ce && !ramp.room(record.x(), record.color) { Obstacle::Ramp } else { Obstacle::None }
    }
}

fn set_flag(flags: &mut u8, flag: u8, on: bool) {
    *flags = if on { *flags | flag } else { *flags & !flag };
}
