//! Pending commands: from the host's request to commands and streams of single tiles, and back to one answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use csl_image::{ExportKind, ParamType};
use csl_machine::ProgramId;

use crate::command::{Command, Endpoint, Rect, Spread, Ticket};
use crate::element::Element;
use crate::machine::Machine;
use crate::memcpy::{Call, CopyIn, CopyOut, Done, Job, Part, StreamIn, StreamOut, TileCommand};
use crate::stop::SimError;
use crate::world::{World, exported_function, exported_symbol};

/// Commands that tiles have not finished, and answers that the host has not taken.
#[derive(Default)]
pub(crate) struct Host {
    pending: BTreeMap<Ticket, Pending>,
    answers: BTreeMap<Ticket, Vec<u32>>,
    next_ticket: u64,
    /// When memcpy can issue its next command.
    free_at: u64,
    /// The cycle in which the host gave its last command.
    given_at: u64,
    /// Calls of launched functions, one a PE, that have not unblocked the command stream.
    unended: u64,
    /// Streams that are not done.
    streams: Vec<Ticket>,
    /// Commands that wait for earlier ones: memcpy carries out one command after another. Each PE takes copies and launches
    /// in order, so these are held only behind a stream; a stream waits for all that comes before it.
    /// The host triggers what is held when that is done, with its latency.
    held: VecDeque<(Ticket, Command)>,
}

struct Pending {
    /// Tiles that have not finished.
    tiles: usize,
    per_pe: usize,
    answer: Option<Vec<u32>>,
}

/// A command on its way to tiles: when it and its words get there.
struct Delivery<'a> {
    ticket: Ticket,
    start: u64,
    rect: &'a Rect,
    spread: Spread,
    per_pe: u32,
    /// Hundredths of a cycle from one word of a channel to the next.
    centi_word: u64,
    channels: u64,
}

impl Host {
    pub fn is_done(&self, ticket: Ticket) -> bool {
        !self.pending.contains_key(&ticket) && self.held.iter().all(|held| held.0 != ticket)
    }

    /// Whether what stands before a command lets it begin.
    fn may_begin(&self, command: &Command) -> bool {
        self.streams.is_empty() && (self.pending.is_empty() || !is_stream(command))
    }

    /// Whether a command that was held may begin now.
    pub fn can_release(&self) -> bool {
        self.held.front().is_some_and(|(_, command)| self.may_begin(command))
    }

    /// Whether any command waits for others.
    pub fn holds_any(&self) -> bool {
        !self.held.is_empty()
    }

    /// Gives out the held commands that may begin.
    pub fn release<E: Element>(&mut self, machine: &mut Machine<E>) {
        while self.can_release() {
            self.release_one(machine);
        }
    }

    /// Gives out the first held command, whatever it waits for.
    pub fn release_one<E: Element>(&mut self, machine: &mut Machine<E>) {
        let Some((ticket, command)) = self.held.pop_front() else { return };
        self.give(machine, ticket, command);
    }

    /// Tiles whose next command is a stream that waits for `unblock_cmd_stream()`.
    pub fn blocked_streams<E: Element>(&self, machine: &mut Machine<E>) -> Vec<(u32, u32)> {
        if self.streams.is_empty() {
            return Vec::new();
        }
        let of_row = |row: &mut crate::row::Row<E>| {
            let blocked = row.ces.tiles.iter().filter(|tile| tile.host.is_blocked && tile.host.is_stream_next());
            blocked.map(|tile| (tile.x, row.y)).collect::<Vec<_>>()
        };
        machine.rows().flat_map(of_row).collect()
    }

    /// Has these tiles' streams begin though their command streams are blocked.
    pub fn begin_streams<E: Element>(&self, machine: &mut Machine<E>, tiles: &[(u32, u32)]) {
        let now = machine.now;
        for &(x, y) in tiles {
            touched(machine, x, y, |tile| {
                if let Some(command) = tile.host.commands.pop_front() {
                    tile.host.begin_stream(command.job, now);
                }
            });
        }
    }

    /// Ends a stream to the host from one PE before it is complete: the words that have come.
    pub fn withdraw<E: Element>(&mut self, machine: &mut Machine<E>, ticket: Ticket, (x, y): (u32, u32)) -> Vec<u32> {
        self.pending.remove(&ticket);
        self.streams.retain(|stream| *stream != ticket);
        let mut words = Vec::new();
        touched(machine, x, y, |tile| {
            let streams = std::mem::take(&mut tile.host.outgoing).into_iter();
            let (ended, others): (Vec<_>, Vec<_>) = streams.partition(|stream| stream.ticket == ticket);
            tile.host.outgoing = others;
            words = ended.into_iter().flat_map(|stream| stream.words).collect();
        });
        words
    }

    /// Whether any launched function has not unblocked the command stream.
    pub fn waits_for_functions(&self) -> bool {
        self.unended > 0
    }

    pub fn take_answer(&mut self, ticket: Ticket) -> Option<Vec<u32>> {
        self.answers.remove(&ticket)
    }

    /// Commands that are not done, oldest first, with the number of tiles that have not finished.
    pub fn pending(&self) -> impl Iterator<Item = (Ticket, usize)> {
        self.pending.iter().map(|(ticket, pending)| (*ticket, pending.tiles))
    }

    pub fn oldest(&self) -> Option<Ticket> {
        let held = self.held.front().map(|held| held.0);
        self.pending.keys().next().copied().into_iter().chain(held).min()
    }

    /// Takes over what tiles have finished.
    pub fn collect(&mut self, done: &mut Vec<Done>) {
        for done in done.drain(..) {
            let Done::Part(Part { ticket, index, words }) = done else {
                self.unended = self.unended.saturating_sub(1);
                continue;
            };
            let Some(pending) = self.pending.get_mut(&ticket) else { continue };
            if let Some(answer) = &mut pending.answer {
                answer[index * pending.per_pe..][..words.len()].copy_from_slice(&words);
            }
            pending.tiles -= 1;
            if pending.tiles == 0 {
                let finished = self.pending.remove(&ticket).expect("just seen");
                self.streams.retain(|stream| *stream != ticket);
                finished.answer.map(|answer| self.answers.insert(ticket, answer));
            }
        }
    }

    /// Checks a command and gives it to its tiles.
    pub fn submit<E: Element>(&mut self, machine: &mut Machine<E>, command: Command) -> Result<Ticket, SimError> {
        check(&machine.world, &command)?;
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        // Without memcpy each stream has a way of its own.
        let is_free = machine.world.image.memcpy.is_none();
        if is_free || (self.held.is_empty() && self.may_begin(&command)) {
            self.give(machine, ticket, command);
        } else {
            self.held.push_back((ticket, command));
        }
        Ok(ticket)
    }

    fn give<E: Element>(&mut self, machine: &mut Machine<E>, ticket: Ticket, command: Command) {
        let copy_latency = machine.world.chip.memcpy.copy_latency;
        match command {
            Command::H2d { per_pe: 0, .. } => self.expect(ticket, 0, 0, false),
            Command::D2h { per_pe: 0, .. } => self.expect(ticket, 0, 0, true),
            Command::H2d { to, rect, per_pe, width, spread, data } => {
                let delivery = self.start(machine, ticket, &rect, spread, per_pe, copy_latency);
                self.expect(ticket, rect.len(), per_pe, false);
                match to {
                    Endpoint::Symbol(id) => {
                        let copy = Arc::new(CopyIn { id, per_pe, width, data });
                        delivery.commands(machine, |share| Job::CopyIn(Arc::clone(&copy), share));
                        self.free_at = delivery.end();
                    }
                    Endpoint::Color(color) => {
                        delivery.stream_in(machine, color, Arc::new(data));
                        self.streams.push(ticket);
                    }
                }
            }
            Command::D2h { from, rect, per_pe, width } => {
                let delivery = self
                    .start(machine, ticket, &rect, Spread::Each, per_pe, copy_latency)
                    .device_to_host(&machine.world, from);
                self.expect(ticket, rect.len(), per_pe, true);
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

    fn expect(&mut self, ticket: Ticket, tiles: usize, per_pe: u32, has_answer: bool) {
        let answer = has_answer.then(|| vec![0; tiles * per_pe as usize]);
        let pending = Pending { tiles, per_pe: per_pe as usize, answer };
        if tiles > 0 {
            self.pending.insert(ticket, pending);
        } else if let Some(answer) = pending.answer {
            self.answers.insert(ticket, answer);
        }
    }

    /// Issues a command: memcpy sends one after another, a period apart.
    fn start<'a, E: Element>(
        &mut self,
        machine: &Machine<E>,
        ticket: Ticket,
        rect: &'a Rect,
        spread: Spread,
        per_pe: u32,
        latency: u32,
    ) -> Delivery<'a> {
        let memcpy = &machine.world.chip.memcpy;
        let latency = if machine.now > self.given_at { u64::from(latency) } else { 0 };
        self.given_at = machine.now;
        let start = self.free_at.max(machine.now + 1 + latency) + u64::from(memcpy.command_period);
        self.free_at = start;
        let channels = machine.world.image.memcpy.map_or(1, |memcpy| u64::from(memcpy.channels).max(1));
        let centi_word = u64::from(memcpy.h2d_centicycles_per_word);
        Delivery { ticket, start, rect, spread, per_pe, centi_word, channels }
    }

    fn launch<E: Element>(&mut self, machine: &mut Machine<E>, ticket: Ticket, id: u16, args: &[u32]) {
        let args = params(&machine.world, id).iter().zip(args).map(|(param, word)| canonical(param, *word)).collect();
        let call = Arc::new(Call { id, args });
        let runs = machine.world.image.tiles.clone();
        let memcpy = &machine.world.chip.memcpy;
        let everywhere = Rect::new(0, 0, 0, 0);
        let start = self.start(machine, ticket, &everywhere, Spread::Each, 0, memcpy.launch_latency).start;
        self.expect(ticket, runs.iter().map(|run| run.len as usize).sum(), 0, false);
        for run in runs {
            let program = &machine.world.image.programs[run.program];
            if exported_function(program, id).is_some() {
                self.unended += u64::from(run.len);
            }
            for x in run.x..run.x + run.len {
                let job = Job::Call(Arc::clone(&call));
                give(machine, (x, run.y), TileCommand { ticket, index: 0, due: start, job });
            }
        }
    }
}

impl Delivery<'_> {
    /// The way back has rates of its own.
    fn device_to_host(mut self, world: &World, from: Endpoint) -> Self {
        let memcpy = &world.chip.memcpy;
        let cycles = match from {
            Endpoint::Symbol(_) => memcpy.d2h_copy_cycles_per_word,
            Endpoint::Color(_) => memcpy.d2h_stream_cycles_per_word,
        };
        self.centi_word = u64::from(cycles) * 100;
        self
    }

    /// PEs of one channel share its rate; rows are dealt out to the channels.
    fn pes_of_a_channel(&self) -> u64 {
        u64::from(self.rect.rows()).div_ceil(self.channels) * u64::from(self.rect.columns())
    }

    /// When the channels are free again.
    fn end(&self) -> u64 {
        self.due(self.pes_of_a_channel().saturating_sub(1))
    }

    /// When all words of the channel's PE with this rank, and of those before it, have passed.
    fn due(&self, rank: u64) -> u64 {
        self.start + ((rank + 1) * u64::from(self.per_pe) * self.centi_word).div_ceil(100)
    }

    /// The place of the `index`-th tile among those of its channel.
    fn rank(&self, index: usize) -> u64 {
        index as u64 % self.pes_of_a_channel()
    }

    /// A command for each tile; due when the words of all tiles before it in its channel have passed too.
    fn commands<E: Element>(&self, machine: &mut Machine<E>, job: impl Fn(usize) -> Job) {
        for index in 0..self.rect.len() {
            let rank = self.rank(index);
            let due = self.due(rank);
            self.command(machine, index, due, job(self.spread.share(self.rect, index)));
        }
    }

    /// A stream into each tile: the tiles of a channel get their words in turn.
    fn stream_in<E: Element>(&self, machine: &mut Machine<E>, color: u8, data: Arc<Vec<u32>>) {
        let per_pe = self.per_pe as usize;
        let channel = self.pes_of_a_channel();
        let on_the_way = self.words_on_the_way(&machine.world);
        for index in 0..self.rect.len() {
            let at = self.spread.share(self.rect, index) * per_pe;
            let rank = self.rank(index);
            let stream = StreamIn {
                ticket: self.ticket,
                index,
                color,
                data: Arc::clone(&data),
                at,
                end: at + per_pe,
                centi_ready: self.start * 100 + rank * self.centi_word,
                centi_step: channel * self.centi_word,
                on_the_way,
                has_entered: false,
            };
            // The command is there a cycle before the first word.
            self.command(machine, index, self.start - 1, Job::StreamIn(Box::new(stream)));
        }
    }

    /// What the routers before a PE hold, and its share of the row's buffer.
    fn words_on_the_way(&self, world: &World) -> usize {
        let Some(memcpy) = world.image.memcpy else { return 0 };
        let chip = &world.chip.memcpy;
        let buffer =
            u64::from(memcpy.west_buffer) * u64::from(chip.buffer_words) / u64::from(self.rect.columns().max(1));
        (u64::from(chip.words_on_the_way) + buffer) as usize
    }

    fn stream_out<E: Element>(&self, machine: &mut Machine<E>, color: u8) {
        for index in 0..self.rect.len() {
            let wanted = self.per_pe as usize;
            let stream = StreamOut { ticket: self.ticket, index, color, wanted, words: Vec::new() };
            self.command(machine, index, self.start - 1, Job::StreamOut(Box::new(stream)));
        }
    }

    fn command<E: Element>(&self, machine: &mut Machine<E>, index: usize, due: u64, job: Job) {
        give(machine, self.rect.at(index), TileCommand { ticket: self.ticket, index, due, job });
    }
}

/// Commands come in from the west: a column later, a hop later.
fn give<E: Element>(machine: &mut Machine<E>, (x, y): (u32, u32), mut command: TileCommand) {
    command.due += u64::from(x) * u64::from(machine.world.chip.timing.hop);
    touched(machine, x, y, |tile| tile.host.commands.push_back(command));
}

/// Changes what the host has for a tile, and has the tile look at it in the next cycle.
fn touched<E: Element>(machine: &mut Machine<E>, x: u32, y: u32, change: impl FnOnce(&mut crate::tile::Tile<E>)) {
    let now = machine.now;
    let row = machine.row_mut(y);
    let Some(place) = row.ces.touch(x) else { return };
    change(&mut row.ces.tiles[place]);
    row.ces.wake(place);
    row.ces.start_sending(place, now + 1);
}

fn is_stream(command: &Command) -> bool {
    let (Command::H2d { to: end, .. } | Command::D2h { from: end, .. }) = command else { return false };
    matches!(end, Endpoint::Color(_))
}

// ---- checks before anything moves ----

fn check(world: &World, command: &Command) -> Result<(), SimError> {
    match command {
        Command::H2d { to, rect, per_pe, spread, data, .. } => {
            check_transfer(world, *to, rect)?;
            same(spread.shares(rect) * *per_pe as usize, data.len(), |expected, found| SimError::Length {
                expected,
                found,
            })
        }
        Command::D2h { from, rect, .. } => check_transfer(world, *from, rect),
        Command::Launch { function, args } => check_launch(world, *function, args.len()),
    }
}

fn same(expected: usize, found: usize, error: impl FnOnce(usize, usize) -> SimError) -> Result<(), SimError> {
    if expected == found { Ok(()) } else { Err(error(expected, found)) }
}

fn check_transfer(world: &World, end: Endpoint, rect: &Rect) -> Result<(), SimError> {
    let (width, height) = (world.width(), world.height());
    let inside = |from: u32, len: u32, all: u32| from.checked_add(len).is_some_and(|end| end <= all);
    if !inside(rect.x, rect.w, width) || !inside(rect.y, rect.h, height) {
        return Err(SimError::Outside { rect: *rect, width, height });
    }
    match end {
        Endpoint::Symbol(id) => check_symbol(world, id, rect),
        Endpoint::Color(color) if world.chip.is_routable_color(color.into()) => check_programs(world, rect),
        Endpoint::Color(color) => Err(SimError::NotAStream(color)),
    }
}

fn check_symbol(world: &World, id: u16, rect: &Rect) -> Result<(), SimError> {
    let is_data =
        world.image.exports.iter().any(|export| export.id == id && matches!(export.kind, ExportKind::Data { .. }));
    if !is_data {
        return Err(SimError::UnknownId { what: "variable", id });
    }
    let exports: Vec<bool> =
        world.image.programs.iter().map(|program| exported_symbol(program, id).is_some()).collect();
    check_pes(world, rect, |program| exports[program], |x, y| SimError::NotOnPe { what: "variable", id, x, y })
}

fn check_programs(world: &World, rect: &Rect) -> Result<(), SimError> {
    check_pes(world, rect, |_| true, |x, y| SimError::NoSuchPe { x, y })
}

/// Every PE of `rect` must run a program that is `right`.
fn check_pes(
    world: &World,
    rect: &Rect,
    right: impl Fn(ProgramId) -> bool,
    error: impl Fn(u32, u32) -> SimError,
) -> Result<(), SimError> {
    for row in 0..rect.rows() {
        let y = rect.y + row * rect.step_y.max(1);
        let mut runs = world.runs(y).iter().filter(|run| right(run.program)).peekable();
        for column in 0..rect.columns() {
            let x = rect.x + column * rect.step_x.max(1);
            while runs.next_if(|run| run.x + run.len <= x).is_some() {}
            if runs.peek().is_none_or(|run| run.x > x) {
                return Err(error(x, y));
            }
        }
    }
    Ok(())
}

fn check_launch(world: &World, id: u16, args: usize) -> Result<(), SimError> {
    let export = world.image.exports.iter().find(|export| export.id == id);
    match export.map(|export| &export.kind) {
        Some(ExportKind::Function { params }) => {
            same(params.len(), args, |expected, found| SimError::Arguments { expected, found })
        }
        _ => Err(SimError::UnknownId { what: "function", id }),
    }
}

fn params(world: &World, id: u16) -> &[ParamType] {
    let export = world.image.exports.iter().find(|export| export.id == id);
    match export.map(|export| &export.kind) {
        Some(ExportKind::Function { params }) => params,
        _ => &[],
    }
}

/// An argument as registers hold it: sign- or zero-extended from its width.
fn canonical(param: &ParamType, word: u32) -> u64 {
    let unused = 64 - 8 * u32::from(param.bytes.clamp(1, 4));
    let high = u64::from(word) << unused;
    if param.is_signed && !param.is_float { (high.cast_signed() >> unused).cast_unsigned() } else { high >> unused }
}
