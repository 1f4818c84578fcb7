//! The interface of the machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use csl_image::{Image, ImageError};
use csl_machine::Coord;
use csl_pe::Pe;

use crate::blocked_state;
use crate::event::Event;
use crate::machine::{Machine, Pause};
use crate::memcpy::Host;
use crate::memcpy::{Command, RequestError, Span, Ticket};
use crate::options::SimOptions;
use crate::stop::{BlockedState, Group, Mistake, NoSuchPe, RunError};
use crate::world::World;

/// Cycles by which [`Sim::is_done`] advances the clock.
const POLL_QUANTUM: u64 = 10_000;

/// A loaded program on a wafer.
pub struct Sim {
    pub(crate) machine: Machine<Pe>,
    pub(crate) host: Host,
    pub(crate) stopped: bool,
    pub(crate) at_rest: bool,
    /// The account of the first time that a command had to go before its turn.
    overtaken: Option<Box<BlockedState>>,
}

impl Sim {
    /// Loads a program. The cost is that of its tile runs: a PE is made when something first touches it.
    pub fn new(image: Arc<Image>, options: SimOptions) -> Result<Sim, ImageError> {
        image.check().map_err(ImageError::Invalid)?;
        let world = Arc::new(World::new(image, options));
        Ok(Sim { machine: Machine::new(world), host: Host::default(), stopped: false, at_rest: false, overtaken: None })
    }

    pub fn image(&self) -> &Arc<Image> {
        &self.machine.world.image
    }

    pub fn options(&self) -> &SimOptions {
        &self.machine.world.options
    }

    /// The cycle of the clock.
    pub fn cycle(&self) -> u64 {
        self.machine.now
    }

    /// Takes a command after checking it; does not advance the clock.
    pub fn submit(&mut self, command: Command) -> Result<Ticket, RequestError> {
        if self.stopped {
            return Err(RequestError::Stopped);
        }
        self.host.submit(&mut self.machine, command)
    }

    /// Runs until the command is done. The data of a [`Command::D2h`] are given out once; `None` for other commands and
    /// afterwards.
    pub fn wait(&mut self, ticket: Ticket) -> Result<Option<Vec<u32>>, RunError> {
        self.run_until(ticket, u64::MAX)?;
        Ok(self.host.take_answer(ticket))
    }

    /// The data of each [`Command::D2h`] that is done and has not been waited for; given out once.
    pub fn take_answers(&mut self) -> BTreeMap<Ticket, Vec<u32>> {
        self.host.take_answers()
    }

    /// Waits for a stream to the host from the PE at `(x, y)` until it is complete or nothing can move any more, and
    /// ends it there; returns the words that have come.
    pub fn wait_for_some(&mut self, ticket: Ticket, x: u32, y: u32) -> Result<Vec<u32>, RunError> {
        match self.run_until(ticket, u64::MAX) {
            Ok(_) => Ok(self.host.take_answer(ticket).unwrap_or_default()),
            Err(RunError::Deadlock(_)) => Ok(self.host.withdraw(&mut self.machine, ticket, Coord { x, y })),
            Err(other) => Err(other),
        }
    }

    /// Whether the command is done; if not, first advances the clock by a fixed quantum.
    pub fn is_done(&mut self, ticket: Ticket) -> Result<bool, RunError> {
        self.run_until(ticket, self.machine.now.saturating_add(POLL_QUANTUM))
    }

    /// The cycles that a command took, so far.
    pub fn span(&self, ticket: Ticket) -> Span {
        self.host.span_of(ticket)
    }

    /// Whether nothing could move any more when the run was stopped: wavelets that stand then stand for good.
    pub fn is_at_rest(&self) -> bool {
        self.at_rest
    }

    /// Whether every command is done and nothing can move any more, for a run with a clock: wavelets that stand now stand for
    /// good, unless the host goes on.
    pub fn stands(&self) -> bool {
        self.machine.is_quiet() && self.host.oldest().is_none()
    }

    /// Runs until nothing can move any more unless the host makes another request.
    pub fn rest(&mut self) -> Result<(), RunError> {
        loop {
            match self.advance(u64::MAX, Host::can_release)? {
                _ if self.go_on() => {}
                _ => return Ok(()),
            }
        }
    }

    /// Lets commands begin that wait for others: those whose turn it is, or, where nothing can move any more, streams
    /// that wait for a launched function and then the first of the waiting commands. Returns whether there was any.
    fn go_on(&mut self) -> bool {
        if self.host.can_release() {
            self.host.release(&mut self.machine);
            return true;
        }
        let blocked = self.host.blocked_streams(&mut self.machine);
        if blocked.is_empty() && !self.host.has_queued() {
            return false;
        }
        let blocked_state = self.blocked_state();
        self.overtaken.get_or_insert(blocked_state);
        match blocked.is_empty() {
            true => self.host.release_one(&mut self.machine),
            false => self.host.begin_streams(&mut self.machine, &blocked),
        }
        true
    }

    /// The account of the first time that nothing could move any more unless a command began before its turn. The
    /// vendor's memcpy would wait for ever there.
    pub fn take_overtaken(&mut self) -> Option<Box<BlockedState>> {
        self.overtaken.take()
    }

    /// Advances the clock until `reached` holds, `limit` is the next cycle or nothing can move; no further than the
    /// limit of the whole run.
    pub(crate) fn advance(&mut self, limit: u64, reached: impl Fn(&Host) -> bool) -> Result<Pause, RunError> {
        let most = self.options().max_cycles.map_or(u64::MAX, |cycles| cycles.saturating_add(1));
        let host = &mut self.host;
        let pause = self.machine.run(limit.min(most), |done| {
            host.collect(done);
            reached(host)
        })?;
        match pause {
            Pause::Interrupted => Err(RunError::Interrupted(self.blocked_state())),
            Pause::Limit if most <= limit => Err(RunError::OutOfCycles(self.blocked_state())),
            pause => Ok(pause),
        }
    }

    pub(crate) fn run_until(&mut self, ticket: Ticket, limit: u64) -> Result<bool, RunError> {
        if self.host.is_done(ticket) {
            return Ok(true);
        }
        loop {
            match self.advance(limit, |host| host.is_done(ticket) || host.can_release())? {
                Pause::Reached if self.host.is_done(ticket) => return Ok(true),
                Pause::Limit => return Ok(false),
                // When nothing moves, the stream that the other commands wait for may itself wait for one of them.
                Pause::Reached | Pause::Quiet if self.go_on() => {}
                _ => return Err(RunError::Deadlock(self.blocked_state())),
            }
        }
    }

    /// The present account of running and waiting threads and of wavelets that stand: after [`Sim::stop`], of those
    /// that no program will ever take.
    pub fn blocked_state(&mut self) -> Box<BlockedState> {
        Box::new(blocked_state::look(&mut self.machine, &self.host))
    }

    /// The mistakes that checked PEs have found ([`crate::Check`]).
    pub fn mistakes(&mut self) -> Vec<Group<Mistake>> {
        blocked_state::complaints(&mut self.machine)
    }

    /// Memory of a PE in the clock's cycle: exact after [`Sim::stop`] (scalar code from one back edge of a loop to the
    /// next, or to the next event that others see, counts as one). Before the host has said where it will stop, a PE
    /// may have run ahead where the difference cannot be seen.
    pub fn read_memory(&mut self, x: u32, y: u32, addr: u16, bytes: u32) -> Result<Vec<u8>, NoSuchPe> {
        if x >= self.machine.world.width() || y >= self.machine.world.height() {
            return Err(NoSuchPe { x, y });
        }
        let end = self.machine.now + 1;
        let row = self.machine.row_mut(y);
        let tile_id = row.elements.touch(x).ok_or(NoSuchPe { x, y })?;
        let element = &mut row.elements.tiles[tile_id].element;
        element.synchronize(end);
        let mut read = vec![0; bytes as usize];
        element.memory().read_bytes(addr, &mut read);
        Ok(read)
    }

    /// The PEs that the run has touched, by row, then column; all others are as loaded.
    pub fn touched(&mut self) -> Vec<Coord> {
        let rows = self.machine.rows();
        let mut all: Vec<Coord> =
            rows.flat_map(|row| row.elements.tiles.iter().map(|tile| Coord { x: tile.x, y: row.y })).collect();
        all.sort_unstable_by_key(|at| (at.y, at.x));
        all
    }

    /// The number of these PEs.
    pub fn touched_count(&mut self) -> usize {
        self.machine.rows().map(|row| row.elements.tiles.len()).sum()
    }

    /// Memory of the object with this name on a PE; `None` when its program has no such object.
    pub fn read_symbol(&mut self, x: u32, y: u32, name: &str) -> Result<Option<Vec<u8>>, NoSuchPe> {
        let program = self.machine.world.image.program_at(x, y).ok_or(NoSuchPe { x, y })?;
        let object = program.symbol(name).map(|symbol| (symbol.addr, symbol.size));
        object.map(|(addr, size)| self.read_memory(x, y, addr, size)).transpose()
    }

    /// Prints, traces and warnings since the last call, by cycle, row and column.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.machine.take_events()
    }

    /// The last cycles, up to now, in which any PE executed an instruction and any wavelet landed on a router; 0 for
    /// never.
    pub fn last_activity(&mut self) -> (u64, u64) {
        self.machine.last_activity()
    }

    /// The order-free hash over all landings so far, the same for any number of threads, and the number of landings.
    pub fn landings(&mut self) -> (u64, u64) {
        self.machine.hash()
    }
}
