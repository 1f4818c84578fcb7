//! The compute elements of one row: those with work in a cycle, and the ramps between them and the row's routers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use csl_fabric::Ramp;
use csl_image::PatchTarget;
use csl_machine::{Color, Wavelet, index_types};
use csl_pe::{InputSlot, Ports};

use crate::element::{Element, TileInit};
use crate::event::Event;
use crate::index_set::IndexSet;
use crate::memcpy::Done;
use crate::options::Check;
use crate::tile::{NEVER, Tile};
use crate::world::World;

index_types! {
    /// The number of a tile of a row that something has touched.
    pub(crate) struct TileId;
}

/// The state of a column.
#[derive(Clone, Copy)]
enum Column {
    /// Nothing has touched the tile.
    Untouched,
    /// The tile has no program.
    Empty,
    Tile(TileId),
}

/// The tiles of a row, as its routers see them.
pub(crate) struct ElementRow<E> {
    pub y: u32,
    pub world: Arc<World>,
    pub now: u64,
    /// The cycle at which the host will look.
    pub limit: u64,
    pub tiles: Vec<Tile<E>>,
    /// The tiles by column.
    places: Vec<Column>,
    /// Tiles to serve in this cycle.
    pub ready: IndexSet,
    /// Tiles to serve in the next cycle.
    soon: IndexSet,
    /// Tiles that go on in the next round of a run without a clock.
    pub kept: IndexSet,
    timers: BinaryHeap<Reverse<(u64, TileId)>>,
    /// Tiles with wavelets in output queues that may leave later.
    pub senders: IndexSet,
    pub done: Vec<Done>,
    /// Words of the host's streams, where they are recorded.
    pub streamed: Vec<Event>,
}

impl<E: Element> ElementRow<E> {
    pub fn new(world: Arc<World>, y: u32) -> ElementRow<E> {
        let places = vec![Column::Untouched; world.width() as usize];
        let none = IndexSet::new(world.width());
        ElementRow {
            y,
            world,
            now: 0,
            limit: NEVER,
            tiles: Vec::new(),
            places,
            ready: none.clone(),
            soon: none.clone(),
            kept: none.clone(),
            timers: BinaryHeap::new(),
            senders: none,
            done: Vec::new(),
            streamed: Vec::new(),
        }
    }

    /// The tile at a column, made on first touch; `None` without a program.
    #[inline]
    pub fn touch(&mut self, x: u32) -> Option<TileId> {
        match *self.places.get(x as usize)? {
            Column::Tile(tile_id) => Some(tile_id),
            Column::Empty => None,
            Column::Untouched => self.make(x),
        }
    }

    /// The tile at a column, if it was ever touched.
    pub fn find(&self, x: u32) -> Option<TileId> {
        match *self.places.get(x as usize)? {
            Column::Tile(tile_id) => Some(tile_id),
            Column::Empty | Column::Untouched => None,
        }
    }

    #[cold]
    fn make(&mut self, x: u32) -> Option<TileId> {
        let made = self.load(x);
        self.places[x as usize] = made.map_or(Column::Empty, Column::Tile);
        made
    }

    fn load(&mut self, x: u32) -> Option<TileId> {
        let world = Arc::clone(&self.world);
        let program = world.image.program_at(x, self.y)?;
        let mut ports = Ports::new(world.image.arch);
        let init = TileInit { program, image: &world.image, x, y: self.y };
        let mut element = E::load(&init, &mut ports);
        #[cfg(feature = "jit")]
        if let Some(native) = world.native(x, self.y) {
            element.run_natively(native);
        }
        if world.options.traces.instructions.holds(x, self.y) {
            element.trace();
        }
        if let Some(schedule) = world.options.schedule {
            element.draw_from(schedule.draws(x, self.y));
        }
        for (target, value) in world.patches(x, self.y) {
            match target {
                PatchTarget::Memory { addr, bytes } => {
                    element.memory_mut().write_bytes(addr, &value.to_le_bytes()[..usize::from(bytes)]);
                }
                PatchTarget::Const(number) => element.set_const(number, value),
            }
        }
        if let Some(reads) = world.options.untimed {
            element.run_untimed(reads);
        }
        let tile_id = TileId::next(&self.tiles);
        // Behind the patches, which write pointers too.
        if world.options.check != Check::Off {
            element.check(world.options.check == Check::Stop, world.library.clone());
            for (target, _) in world.patches(x, self.y) {
                if let PatchTarget::Memory { addr, bytes } = target {
                    element.note_written(addr, bytes.into());
                }
            }
        }
        if self.tiles.len() == self.tiles.capacity() {
            self.grow();
        }
        self.tiles.push(Tile::new(x, element, ports));
        self.wake(tile_id);
        Some(tile_id)
    }

    /// Makes room for a few tiles, then for all that the row can have: a tile takes more than a kilobyte, and to move them
    /// costs as much as to make them. Room that stays empty takes no memory.
    #[cold]
    fn grow(&mut self) {
        const FEW: usize = 8;
        let all: u32 = self.world.runs(self.y).iter().map(|run| run.len).sum();
        let left = (all as usize).saturating_sub(self.tiles.len());
        self.tiles.reserve_exact(if self.tiles.is_empty() { left.min(FEW) } else { left });
    }

    /// The tile at a column that is in one of the sets.
    #[inline]
    pub fn tile_id(&self, x: u32) -> TileId {
        self.find(x).expect("a tile that is named has been touched")
    }

    /// Lets a tile be served in this cycle, or in the next when this cycle's turn is over.
    #[inline]
    pub fn wake(&mut self, tile_id: TileId) {
        self.ready.insert(self.tiles[tile_id].x);
    }

    /// Lets the tiles that were kept be run in the next round.
    pub fn keep(&mut self) {
        self.kept.move_to(&mut self.ready);
    }

    /// Sets the tile's timer.
    #[inline]
    pub fn set_timer(&mut self, tile_id: TileId, at: u64) {
        let tile = &mut self.tiles[tile_id];
        if tile.timer == at {
            return;
        }
        tile.timer = at;
        if at == self.now + 1 {
            self.soon.insert(tile.x);
        } else if at != NEVER {
            self.timers.push(Reverse((at, tile_id)));
        }
    }

    /// Moves tiles whose time has come to the ready list.
    pub fn wake_due(&mut self, now: u64) {
        self.soon.move_to(&mut self.ready);
        while let Some(Reverse((at, tile_id))) = self.timers.peek().copied().filter(|timer| timer.0.0 <= now) {
            self.timers.pop();
            if self.tiles[tile_id].timer == at {
                self.tiles[tile_id].timer = NEVER;
                self.wake(tile_id);
            }
        }
    }

    /// Puts a tile with full output queues on the list of senders.
    pub fn start_sending(&mut self, tile_id: TileId, at: u64) {
        let tile = &mut self.tiles[tile_id];
        tile.inject_at = tile.inject_at.min(at);
        if tile.inject_at != NEVER {
            self.senders.insert(tile.x);
        }
    }

    /// The next cycle in which a compute element of this row has something to do.
    pub fn next_event(&mut self, now: u64) -> u64 {
        if !self.ready.is_empty() || !self.soon.is_empty() {
            return now + 1;
        }
        while let Some(Reverse((at, tile_id))) = self.timers.peek().copied() {
            if self.tiles[tile_id].timer == at {
                break;
            }
            self.timers.pop();
        }
        let timer = self.timers.peek().map_or(NEVER, |timer| timer.0.0);
        let injections = self.senders.iter().map(|x| self.tiles[self.tile_id(x)].inject_at);
        injections.fold(timer, u64::min).max(now + 1)
    }
}

impl<E: Element> ElementRow<E> {
    /// Reserves the place of a wavelet from the tile's own ramp for a while. The router may use it in the cycle after
    /// its release, as after a read.
    fn reserve(&mut self, tile_id: TileId, slot: InputSlot) {
        let cycles = u64::from(self.world.chip.timing.loopback_hold);
        if cycles > 0 {
            let (tile, until) = (&mut self.tiles[tile_id], self.now + cycles - 1);
            tile.reserve(slot, until);
            let at = tile.timer.min(until);
            self.set_timer(tile_id, at);
        }
    }
}

impl<E: Element> Ramp for ElementRow<E> {
    fn room(&mut self, x: u32, color: Color) -> bool {
        let Some(tile_id) = self.touch(x) else { return false };
        let tile = &mut self.tiles[tile_id];
        let room = tile.arrival_slot_with_room(color).is_some();
        if !room {
            tile.refused |= color.bit();
        }
        room
    }

    fn deliver(&mut self, x: u32, color: Color, wavelet: Wavelet, is_own: bool) {
        let Some(tile_id) = self.touch(x) else { return };
        let tile = &mut self.tiles[tile_id];
        let Some(slot) = tile.ports.arrival_slot(color) else { return };
        if !tile.ports.arrive(slot, wavelet) {
            return;
        }
        if is_own {
            self.reserve(tile_id, slot);
        }
        let tile = &self.tiles[tile_id];
        if tile.wake.arrivals & slot.bit() != 0 {
            self.wake(tile_id);
        }
    }

    fn accepted(&mut self, x: u32, _color: Color) {
        let Some(tile_id) = self.find(x) else { return };
        let tile = &self.tiles[tile_id];
        if tile.inject_at <= self.now + 1 {
            return;
        }
        // One of the ready heads may have waited for this, whatever the tile has planned for the others.
        let at = tile.next_injection();
        if at != NEVER {
            self.start_sending(tile_id, at.max(self.now + 1));
        }
    }

    fn torn_down(&mut self, x: u32, color: Color) {
        let Some(tile_id) = self.touch(x) else { return };
        self.tiles[tile_id].element.torn_down(color);
        self.wake(tile_id);
    }
}
