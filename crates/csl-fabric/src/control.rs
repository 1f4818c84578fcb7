//! Configurations that change while the program runs: switches, teardown, filters' counters, register writes. Also the
//! account of wavelets that are stalled after a run.

use csl_machine::wavelet::{Opcode, opcode, pop};
use csl_machine::{Color, Direction, PopMode, Wavelet};

use crate::event::{StallReason, Stalled, SwitchCause, SwitchState, Traced};
use crate::row::{Ramp, Row};
use crate::state::ColorState;
use crate::virtual_channel::{ADVANCES, FILTERED, TORN_DOWN, VcId};

impl Row {
    /// The current state of a virtual channel.
    pub(crate) fn state(&self, number: VcId) -> &ColorState {
        let (x, color) = self.vcs[number].column_and_color();
        let initial = || self.table.find(x, self.y, color).expect("only changed states are not in the table").1;
        self.changed.get(&number).unwrap_or_else(initial)
    }

    fn state_mut(&mut self, number: VcId) -> &mut ColorState {
        if !self.changed.contains_key(&number) {
            let state = self.state(number).clone();
            self.changed.insert(number, state);
        }
        self.changed.get_mut(&number).expect("inserted above")
    }

    pub(crate) fn count_filtered(&mut self, number: VcId, wavelet: Wavelet) {
        if let Some(filter) = &mut self.state_mut(number).filter {
            filter.count(wavelet);
        }
    }

    /// Carries out command 0 of a control wavelet. Returns the wavelet that goes on to the neighbours.
    pub(crate) fn obey(&mut self, number: VcId, wavelet: Wavelet, now: u64, ramp: &mut impl Ramp) -> Wavelet {
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

    fn tear_down(&mut self, number: VcId, ramp: &mut impl Ramp) {
        self.state_mut(number).config.teardown = true;
        let vc = &mut self.vcs[number];
        vc.flags |= TORN_DOWN;
        ramp.torn_down(vc.x(), vc.color);
    }

    /// Notes that a wavelet of the CE has been forwarded: `.advance_switch` of the operation that sent it may be due.
    #[cold]
    pub(crate) fn left_ramp(&mut self, number: VcId, now: u64) {
        let mut due = false;
        for entry in self.advances.iter_mut().filter(|entry| entry.0 == number) {
            entry.1 -= 1;
            due |= entry.1 == 0;
        }
        self.advances.retain(|entry| entry.1 != 0);
        let more = self.advances.iter().any(|entry| entry.0 == number);
        set_flag(&mut self.vcs[number].flags, ADVANCES, more);
        let old = self.state(number).config.current_pos;
        if due && self.state_mut(number).config.advance() {
            self.apply_position(number, old, now, SwitchCause::Local);
        }
    }

    /// Takes over inputs and outputs of another position.
    fn apply_position(&mut self, number: VcId, old: u8, cycle: u64, cause: SwitchCause) {
        let before = self.apply_route(number, old);
        self.note_switch(number, before, cycle, cause);
    }

    /// Takes over inputs and outputs; returns those at the `old` position.
    fn apply_route(&mut self, number: VcId, old: u8) -> SwitchState {
        let current = self.state(number).config.current();
        let vc = &mut self.vcs[number];
        let before = SwitchState { position: old, rx: vc.rx, tx: vc.tx };
        (vc.rx, vc.tx) = current;
        before
    }

    fn note_switch(&mut self, number: VcId, before: SwitchState, cycle: u64, cause: SwitchCause) {
        if self.is_traced {
            let ((rx, tx), position) = (self.state(number).config.current(), self.state(number).config.current_pos);
            self.note(number, cycle, Traced::Switch { before, after: SwitchState { position, rx, tx }, cause });
        }
    }

    /// The state of a color at a column, for register reads.
    pub fn color_state(&self, x: u32, color: Color) -> Option<&ColorState> {
        self.vc(x, color).map(|vc| self.state(vc))
    }

    /// Changes the state of a color at a column, as a register write does.
    pub fn reconfigure(&mut self, x: u32, color: Color, now: u64, change: impl FnOnce(&mut ColorState)) {
        let number = self.vc_made(x, color);
        let old = self.state(number).config.current_pos;
        change(self.state_mut(number));
        let (torn, filtered) = (self.state(number).config.teardown, self.state(number).filter.is_some());
        let vc = &mut self.vcs[number];
        set_flag(&mut vc.flags, TORN_DOWN, torn);
        set_flag(&mut vc.flags, FILTERED, filtered);
        let before = self.apply_route(number, old);
        if self.state(number).config.current_pos != old {
            self.note_switch(number, before, now, SwitchCause::Register);
        }
        self.wake(number);
    }

    // ---- questions after a run ----

    /// The stalled wavelets of this row's routers, with their columns.
    pub fn stalled(&self, ramp: &mut impl Ramp) -> Vec<(u32, Stalled)> {
        let mut all = Vec::new();
        for (number, vc) in self.vcs.iter().enumerate() {
            let number = VcId::at(number);
            for (from, buffer) in vc.buffers().filter(|(_, buffer)| buffer.len > 0) {
                let head = buffer.front();
                let why = self.why(number, from, head, ramp);
                let stalled = Stalled { color: vc.color, from, count: buffer.len.into(), head, why };
                all.push((vc.x(), stalled));
            }
        }
        all.extend(self.held_wavelets(ramp));
        all
    }

    /// The reason why the wavelet at the head of an input buffer does not leave.
    pub(crate) fn why(&self, number: VcId, from: Direction, head: Wavelet, ramp: &mut impl Ramp) -> StallReason {
        let vc = &self.vcs[number];
        if vc.flags & TORN_DOWN != 0 {
            return StallReason::Teardown;
        }
        if !vc.rx.contains(from) {
            let inputs = self.state(number).config.all_inputs();
            let has_no_route = inputs.union(vc.tx).is_empty();
            return if has_no_route {
                StallReason::Unrouted
            } else {
                StallReason::InputClosed { ever: inputs.contains(from) }
            };
        }
        if let Some(side) = vc.tx.common(vc.full).first() {
            return StallReason::Link(side);
        }
        let to_ce = vc.tx.contains(Direction::Ramp) && self.reaches_ce(number, head);
        if to_ce && !ramp.room(vc.x(), vc.color) { StallReason::Ramp } else { StallReason::None }
    }
}

fn set_flag(flags: &mut u8, flag: u8, on: bool) {
    *flags = if on { *flags | flag } else { *flags & !flag };
}
