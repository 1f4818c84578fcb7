//! The delivery of a command to its tiles: the cycles in which it, and each of its words, arrive.

use csl_machine::{Color, Coord};
use std::sync::Arc;

use super::array::HostArray;
use super::command::{Copy, Endpoint, Rect, Spread, Ticket};
use super::tile::{Job, StreamIn, StreamOut, TileCommand};
use crate::element::Element;
use crate::machine::Machine;
use crate::tile::Tile;
use crate::world::World;

/// A command on its way to tiles, with the times at which it and its words arrive.
pub(super) struct Delivery<'a> {
    pub ticket: Ticket,
    pub start: u64,
    pub rect: &'a Rect,
    pub spread: Spread,
    pub per_pe: u32,
    /// Hundredths of a cycle from one word of a channel to the next.
    pub centi_word: u64,
    pub channels: u64,
}

impl<'a> Delivery<'a> {
    /// A copy whose command starts in a cycle, at the rates of the way to the device.
    pub fn new(world: &World, ticket: Ticket, start: u64, copy: &'a Copy, spread: Spread) -> Delivery<'a> {
        let channels = world.image.memcpy.map_or(1, |memcpy| u64::from(memcpy.channels).max(1));
        let centi_word = u64::from(world.chip.memcpy.h2d_centicycles_per_word);
        Delivery { ticket, start, rect: &copy.rect, spread, per_pe: copy.per_pe, centi_word, channels }
    }

    /// The same delivery at the rates of the way back.
    pub fn device_to_host(mut self, world: &World, from: Endpoint) -> Self {
        let memcpy = &world.chip.memcpy;
        let cycles = match from {
            Endpoint::Symbol(_) => memcpy.d2h_copy_cycles_per_word,
            Endpoint::Color(_) => memcpy.d2h_stream_cycles_per_word,
        };
        self.centi_word = u64::from(cycles) * 100;
        self
    }

    /// The number of PEs that share the rate of one channel: rows are dealt out to the channels.
    fn pes_of_a_channel(&self) -> u64 {
        u64::from(self.rect.rows()).div_ceil(self.channels) * u64::from(self.rect.columns())
    }

    /// The cycle in which the channels are free again.
    pub fn end(&self) -> u64 {
        self.due(self.pes_of_a_channel().saturating_sub(1))
    }

    /// The cycle in which all words have passed for the channel's PE with this rank and for those before it.
    fn due(&self, rank: u64) -> u64 {
        self.start + ((rank + 1) * u64::from(self.per_pe) * self.centi_word).div_ceil(100)
    }

    /// Gives each tile a command, due when the words of all tiles before it in its channel have passed too.
    pub fn commands<E: Element>(&self, machine: &mut Machine<E>, job: impl Fn(usize) -> Job) {
        machine.make(self.rect);
        for index in 0..self.rect.len() {
            let rank = index as u64 % self.pes_of_a_channel();
            let due = self.due(rank);
            self.command(machine, index, due, job(self.spread.share(self.rect, index)));
        }
    }

    /// Gives each tile a stream: the tiles of a channel get their words in turn.
    pub fn stream_in<E: Element>(&self, machine: &mut Machine<E>, color: Color, array: Arc<HostArray>) {
        let per_pe = self.per_pe as usize;
        let channel = self.pes_of_a_channel();
        let on_the_way = self.words_on_the_way(&machine.world);
        machine.make(self.rect);
        for index in 0..self.rect.len() {
            let rank = index as u64 % channel;
            let stream = StreamIn {
                ticket: self.ticket,
                index,
                color,
                array: Arc::clone(&array),
                share: self.spread.share(self.rect, index),
                at: 0,
                end: per_pe,
                centi_ready: self.start * 100 + rank * self.centi_word,
                centi_step: channel * self.centi_word,
                on_the_way,
                has_entered: false,
            };
            // The command arrives a cycle before the first word.
            self.command(machine, index, self.start - 1, Job::StreamIn(Box::new(stream)));
        }
    }

    /// The number of words that the routers before a PE hold, with its share of the row's buffer.
    fn words_on_the_way(&self, world: &World) -> usize {
        let Some(memcpy) = world.image.memcpy else { return 0 };
        let chip = &world.chip.memcpy;
        let buffer =
            u64::from(memcpy.west_buffer) * u64::from(chip.buffer_words) / u64::from(self.rect.columns().max(1));
        chip.words_on_the_way as usize + buffer as usize
    }

    pub fn stream_out<E: Element>(&self, machine: &mut Machine<E>, color: Color) {
        machine.make(self.rect);
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

/// Gives a tile a command. Commands come in from the west: each column further takes a hop more.
pub(super) fn give<E: Element>(machine: &mut Machine<E>, Coord { x, y }: Coord, mut command: TileCommand) {
    command.due += u64::from(x) * u64::from(machine.world.chip.timing.hop);
    if let Some(schedule) = machine.world.options.schedule {
        command.due += schedule.delay_of_command(x, y, command.ticket.0);
    }
    touched(machine, x, y, |tile| tile.host_mut().push(command));
}

/// Changes the state of memcpy at a tile, and lets the tile be served in the next cycle.
pub(super) fn touched<E: Element>(machine: &mut Machine<E>, x: u32, y: u32, change: impl FnOnce(&mut Tile<E>)) {
    let now = machine.now;
    let row = machine.row_mut(y);
    let Some(tile_id) = row.elements.touch(x) else { return };
    change(&mut row.elements.tiles[tile_id]);
    row.elements.wake(tile_id);
    row.elements.start_sending(tile_id, now + 1);
}
