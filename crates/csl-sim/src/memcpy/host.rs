//! Pending commands: turns a host's request into commands and streams of single tiles, and their results into one
//! answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use csl_image::{Export, ParamType};
use csl_machine::Coord;
use csl_pe::scalar;

use super::array::HostArray;
use super::check::check;
use super::command::{Command, Copy, Endpoint, Rect, Spread, Ticket};
use super::delivery::{Delivery, give, touched};
use super::error::RequestError;
use super::tile::{Call, CopyIn, CopyOut, Done, Job, Part, TileCommand};
use crate::element::Element;
use crate::machine::Machine;
use crate::world::World;

/// The commands that tiles have not finished, and the answers that the host has not taken.
#[derive(Default)]
pub(crate) struct Host {
    pending: BTreeMap<Ticket, Pending>,
    answers: BTreeMap<Ticket, Vec<u32>>,
    /// The cycles that each command took, by number of the ticket.
    spans: Vec<Span>,
    next_ticket: u64,
    /// The cycle in which memcpy can issue its next command.
    free_at: u64,
    /// The cycle in which the host gave its last command.
    given_at: u64,
    /// Calls of launched functions, one a PE, that have not unblocked the command stream.
    unfinished: u64,
    /// Streams that are not done.
    streams: Vec<Ticket>,
    /// Commands that wait for earlier ones, since memcpy carries out one command after another. Each PE takes copies
    /// and launches in order, so these wait behind a stream only; a stream waits for all earlier commands. When the
    /// awaited command is done, the host triggers the next one, with its latency.
    queued: VecDeque<(Ticket, Command)>,
    /// Whether a port at the edge of the program has got what it waits for.
    pub has_port: bool,
}

/// The cycles that a command took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first: memcpy sends a copy's first word, the first PE gets the call of a launch.
    pub began: Option<u64>,
    /// The last: the last PE has its words or has given them, the last PE's function unblocks the command stream. `None`
    /// while the command is under way, and for a function that has not ended on some PE.
    pub ended: Option<u64>,
    /// The last so far.
    latest: u64,
    /// Tiles that have not finished.
    tiles: u64,
}

impl Span {
    /// Takes in that a tile has begun its part.
    fn begin(&mut self, cycle: u64) {
        self.began = Some(self.began.map_or(cycle, |first| first.min(cycle)));
    }

    /// Takes in that a tile has ended its part.
    fn end(&mut self, ended: u64) {
        self.latest = self.latest.max(ended);
        self.tiles = self.tiles.saturating_sub(1);
        self.ended = (self.tiles == 0).then_some(self.latest);
    }
}

struct Pending {
    /// The number of tiles that have not finished.
    tiles: usize,
    /// Whether the parts of tiles are those of a copy: the part of a launch ends when its function has been called.
    is_copy: bool,
    answer: Option<HostArray>,
}

impl Host {
    pub fn is_done(&self, ticket: Ticket) -> bool {
        !self.pending.contains_key(&ticket) && self.queued.iter().all(|waiting| waiting.0 != ticket)
    }

    /// Whether the commands before this one let it begin.
    fn may_begin(&self, command: &Command) -> bool {
        self.streams.is_empty() && (self.pending.is_empty() || !command.is_stream())
    }

    /// Whether the first queued command may begin now.
    pub fn can_release(&self) -> bool {
        self.queued.front().is_some_and(|(_, command)| self.may_begin(command))
    }

    /// Whether any command is queued behind others.
    pub fn has_queued(&self) -> bool {
        !self.queued.is_empty()
    }

    /// Gives out the queued commands that may begin.
    pub fn release<E: Element>(&mut self, machine: &mut Machine<E>) {
        while self.can_release() {
            self.release_one(machine);
        }
    }

    /// Gives out the first queued command, whether or not it may begin.
    pub fn release_one<E: Element>(&mut self, machine: &mut Machine<E>) {
        let Some((ticket, command)) = self.queued.pop_front() else { return };
        self.give(machine, ticket, command);
    }

    /// Tiles whose next command is a stream that waits for `unblock_cmd_stream()`.
    pub fn blocked_streams<E: Element>(&self, machine: &mut Machine<E>) -> Vec<Coord> {
        if self.streams.is_empty() {
            return Vec::new();
        }
        let of_row = |row: &mut crate::row::Row<E>| {
            let blocked =
                row.elements.tiles.iter().filter(|tile| tile.host().is_blocked && tile.host().is_stream_next());
            blocked.map(|tile| Coord { x: tile.x, y: row.y }).collect::<Vec<_>>()
        };
        machine.rows().flat_map(of_row).collect()
    }

    /// Lets the streams of these tiles begin though their command streams are blocked.
    pub fn begin_streams<E: Element>(&self, machine: &mut Machine<E>, tiles: &[Coord]) {
        let now = machine.now;
        for &Coord { x, y } in tiles {
            touched(machine, x, y, |tile| {
                if let Some(command) = tile.host_mut().commands.pop_front() {
                    tile.host_mut().begin_stream(command.job, now);
                }
            });
        }
    }

    /// Ends a stream to the host from one PE before it is complete; returns the words that have come.
    pub fn withdraw<E: Element>(
        &mut self,
        machine: &mut Machine<E>,
        ticket: Ticket,
        Coord { x, y }: Coord,
    ) -> Vec<u32> {
        if self.pending.remove(&ticket).is_some() {
            self.span(ticket).end(machine.now);
        }
        self.streams.retain(|stream| *stream != ticket);
        let mut words = Vec::new();
        touched(machine, x, y, |tile| {
            let streams = std::mem::take(&mut tile.host_mut().outgoing).into_iter();
            let (ended, others): (Vec<_>, Vec<_>) = streams.partition(|stream| stream.ticket == ticket);
            tile.host_mut().outgoing = others;
            words = ended.into_iter().flat_map(|stream| stream.words).collect();
        });
        words
    }

    /// Whether any launched function has not unblocked the command stream.
    pub fn waits_for_functions(&self) -> bool {
        self.unfinished > 0
    }

    pub fn take_answer(&mut self, ticket: Ticket) -> Option<Vec<u32>> {
        self.answers.remove(&ticket)
    }

    /// The answers of all commands that are done.
    pub fn take_answers(&mut self) -> BTreeMap<Ticket, Vec<u32>> {
        std::mem::take(&mut self.answers)
    }

    /// Commands that are not done, oldest first, with the number of tiles that have not finished.
    pub fn pending(&self) -> impl Iterator<Item = (Ticket, usize)> {
        self.pending.iter().map(|(ticket, pending)| (*ticket, pending.tiles))
    }

    /// The cycles that a command took; nothing for one that is queued.
    pub fn span_of(&self, ticket: Ticket) -> Span {
        self.spans.get(ticket.0 as usize).copied().unwrap_or_default()
    }

    fn span(&mut self, ticket: Ticket) -> &mut Span {
        let index = ticket.0 as usize;
        if self.spans.len() <= index {
            self.spans.resize(index + 1, Span::default());
        }
        &mut self.spans[index]
    }

    pub fn oldest(&self) -> Option<Ticket> {
        let queued = self.queued.front().map(|first| first.0);
        self.pending.keys().next().copied().into_iter().chain(queued).min()
    }

    /// Takes over what a tile has finished.
    pub fn collect(&mut self, done: Done) {
        let Part { ticket, index, ended, words } = match done {
            Done::Part(part) => part,
            Done::Called { ticket, began } => return self.span(ticket).begin(began),
            Done::Unblocked { ticket, ended } => {
                self.unfinished = self.unfinished.saturating_sub(1);
                return self.span(ticket).end(ended);
            }
            Done::Port { .. } => return self.has_port = true,
        };
        let Some(pending) = self.pending.get_mut(&ticket) else { return };
        if let Some(answer) = &mut pending.answer {
            answer.set_of_pe(index, &words);
        }
        pending.tiles -= 1;
        let (is_last, is_copy) = (pending.tiles == 0, pending.is_copy);
        if is_copy {
            self.span(ticket).end(ended);
        }
        if is_last {
            let finished = self.pending.remove(&ticket).expect("just seen");
            self.streams.retain(|stream| *stream != ticket);
            finished.answer.map(|answer| self.answers.insert(ticket, answer.into_words()));
        }
    }

    /// Checks a command and gives it to its tiles.
    pub fn submit<E: Element>(&mut self, machine: &mut Machine<E>, command: Command) -> Result<Ticket, RequestError> {
        check(&machine.world, &command)?;
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        // Without memcpy each stream has a channel of its own.
        let is_free = machine.world.image.memcpy.is_none();
        if is_free || (self.queued.is_empty() && self.may_begin(&command)) {
            self.give(machine, ticket, command);
        } else {
            self.queued.push_back((ticket, command));
        }
        Ok(ticket)
    }

    fn give<E: Element>(&mut self, machine: &mut Machine<E>, ticket: Ticket, command: Command) {
        let copy_latency = machine.world.chip.memcpy.copy_latency;
        match command {
            Command::H2d { copy: Copy { per_pe: 0, .. }, .. } => self.expect(ticket, 0, None, None),
            Command::D2h { copy, .. } if copy.per_pe == 0 => self.expect(ticket, 0, None, Some(answer(&copy))),
            Command::H2d { to, copy, spread, array } => {
                let Copy { ref rect, per_pe, width, order } = copy;
                let array = HostArray::new(array, copy.shape(spread), order);
                let start = self.issue(machine, copy_latency);
                let delivery = Delivery::new(&machine.world, ticket, start, &copy, spread);
                self.expect(ticket, rect.len(), Some(start), None);
                match to {
                    Endpoint::Symbol(id) => {
                        let copy = Arc::new(CopyIn { id, per_pe, width, array });
                        delivery.commands(machine, |share| Job::CopyIn(Arc::clone(&copy), share));
                        self.free_at = delivery.end();
                    }
                    Endpoint::Color(color) => {
                        delivery.stream_in(machine, color, Arc::new(array));
                        self.streams.push(ticket);
                    }
                }
            }
            Command::D2h { from, copy, room: _ } => {
                let Copy { ref rect, per_pe, width, .. } = copy;
                let start = self.issue(machine, copy_latency);
                let delivery = Delivery::new(&machine.world, ticket, start, &copy, Spread::Each)
                    .device_to_host(&machine.world, from);
                self.expect(ticket, rect.len(), Some(start), Some(answer(&copy)));
                match from {
                    Endpoint::Symbol(id) => {
                        let copy = Arc::new(CopyOut { id, per_pe, width });
                        delivery.commands(machine, |_| Job::CopyOut(Arc::clone(&copy)));
                        self.free_at = delivery.end();
                    }
                    Endpoint::Color(color) => {
                        delivery.stream_out(machine, color);
                        self.streams.push(ticket);
                    }
                }
            }
            Command::Launch { function, args } => self.launch(machine, ticket, function, &args),
        }
    }

    /// Waits for this many tiles, which fill `answer`; a copy gives the cycle in which it began.
    fn expect(&mut self, ticket: Ticket, tiles: usize, began: Option<u64>, answer: Option<HostArray>) {
        if let Some(began) = began {
            let span = self.span(ticket);
            (span.began, span.tiles) = (Some(began), tiles as u64);
        }
        if tiles > 0 {
            self.pending.insert(ticket, Pending { tiles, is_copy: began.is_some(), answer });
        } else if let Some(answer) = answer {
            self.answers.insert(ticket, answer.into_words());
        }
    }

    /// Issues a command, and returns the cycle in which it starts. memcpy sends one after another, a period apart.
    fn issue<E: Element>(&mut self, machine: &Machine<E>, latency: u32) -> u64 {
        let latency = if machine.now > self.given_at { u64::from(latency) } else { 0 };
        self.given_at = machine.now;
        let period = u64::from(machine.world.chip.memcpy.command_period);
        self.free_at = self.free_at.max(machine.now + 1 + latency) + period;
        self.free_at
    }

    fn launch<E: Element>(&mut self, machine: &mut Machine<E>, ticket: Ticket, id: u16, args: &[u64]) {
        let args = params(&machine.world, id).iter().zip(args).map(|(param, bits)| canonical(param, *bits)).collect();
        let call = Arc::new(Call { id, args });
        let runs = machine.world.image.tiles.clone();
        let start = self.issue(machine, machine.world.chip.memcpy.launch_latency);
        self.expect(ticket, runs.iter().map(|run| run.len as usize).sum(), None, None);
        machine.make(&Rect::new(0, 0, machine.world.width(), machine.world.height()));
        for run in runs {
            let program = &machine.world.image.programs[run.program];
            if program.exported_function(id).is_some() {
                self.unfinished += u64::from(run.len);
                self.span(ticket).tiles += u64::from(run.len);
            }
            for x in run.x..run.x + run.len {
                let job = Job::Call(Arc::clone(&call));
                give(machine, Coord { x, y: run.y }, TileCommand { ticket, index: 0, due: start, job });
            }
        }
    }
}

/// The array that a copy to the host fills.
fn answer(copy: &Copy) -> HostArray {
    HostArray::empty(copy.shape(Spread::Each), copy.order)
}

fn params(world: &World, id: u16) -> &[ParamType] {
    world.image.export(id).and_then(Export::params).unwrap_or_default()
}

/// An argument in a register's form: sign- or zero-extended from its width.
fn canonical(param: &ParamType, bits: u64) -> u64 {
    let width = 8 * u32::from(param.bytes.clamp(1, 8));
    scalar::canonical(bits, width, param.is_signed && !param.is_float)
}
