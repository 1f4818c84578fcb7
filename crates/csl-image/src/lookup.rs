//! Lookups in an image: exports by name and by id, programs by place, objects by address.

use std::sync::Arc;

use csl_machine::{Coord, ProgramId, TileRun};
use csl_num::FloatKind;

use crate::{Export, ExportKind, Exported, Image, ParamType, PeImage, Symbol};

/// The number of PEs that have an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carriers {
    /// PEs whose program has the export.
    pub with: u64,
    /// PEs whose program lacks it.
    pub without: u64,
    /// The first PE without it, by row, then column, in the program's rectangle.
    pub first_without: Option<Coord>,
}

impl Image {
    /// The 16-bit float format of the programs, which all have the same.
    pub fn half(&self) -> FloatKind {
        self.programs.first().map_or(FloatKind::F16, |program| program.half.kind())
    }

    /// The export of this name.
    pub fn export_named(&self, name: &str) -> Option<&Export> {
        self.exports.iter().find(|export| export.name == name)
    }

    /// The export with this id.
    pub fn export(&self, id: u16) -> Option<&Export> {
        self.exports.iter().find(|export| export.id == id)
    }

    /// The number of the program that the PE at these coordinates of the program's rectangle runs: an index in
    /// [`Image::programs`].
    pub fn program_number(&self, x: u32, y: u32) -> Option<ProgramId> {
        let after = self.tiles.partition_point(|run| (run.y, run.x) <= (y, x));
        let run = self.tiles[after.checked_sub(1)?];
        (run.y == y && x - run.x < run.len).then_some(run.program)
    }

    /// The program that the PE at these coordinates of the program's rectangle runs.
    pub fn program_at(&self, x: u32, y: u32) -> Option<&Arc<PeImage>> {
        self.program_number(x, y).map(|number| &self.programs[number])
    }

    /// Turns coordinates of the whole fabric into those of the program's rectangle; `None` west or north of it.
    pub fn to_logical(&self, x: u32, y: u32) -> Option<Coord> {
        Some(Coord { x: x.checked_sub(self.offset.x)?, y: y.checked_sub(self.offset.y)? })
    }

    /// Turns coordinates of the program's rectangle into those of the whole fabric.
    pub fn to_physical(&self, x: u32, y: u32) -> Coord {
        Coord { x: self.offset.x + x, y: self.offset.y + y }
    }

    /// The number of PEs that have the export with this id.
    pub fn carriers(&self, id: u16) -> Carriers {
        let has: Vec<bool> = self.programs.iter().map(|program| program.exported(id).is_some()).collect();
        let (with, without): (Vec<&TileRun>, Vec<&TileRun>) = self.tiles.iter().partition(|run| has[run.program]);
        let pes = |runs: &[&TileRun]| runs.iter().map(|run| u64::from(run.len)).sum();
        let first_without = without.first().map(|run| Coord { x: run.x, y: run.y });
        Carriers { with: pes(&with), without: pes(&without), first_without }
    }
}

impl Export {
    /// Parameters of an exported function; `None` for data.
    pub fn params(&self) -> Option<&[ParamType]> {
        match &self.kind {
            ExportKind::Function { params } => Some(params),
            ExportKind::Data { .. } => None,
        }
    }
}

impl PeImage {
    /// The object of the program that the export with this id names.
    pub fn exported(&self, id: u16) -> Option<Exported> {
        self.exports.iter().find(|export| export.id == id).map(|export| export.what)
    }

    /// The function that an export names: an index in [`PeImage::funcs`].
    pub fn exported_function(&self, id: u16) -> Option<u16> {
        match self.exported(id)? {
            Exported::Func(func) => Some(func),
            Exported::Symbol(_) => None,
        }
    }

    /// The variable that an export names.
    pub fn exported_symbol(&self, id: u16) -> Option<&Symbol> {
        match self.exported(id)? {
            Exported::Symbol(symbol) => self.symbols.get(symbol as usize),
            Exported::Func(_) => None,
        }
    }

    /// The object of this name.
    pub fn symbol(&self, name: &str) -> Option<&Symbol> {
        self.symbols.iter().find(|symbol| symbol.name == name)
    }

    /// The object that holds the byte at an address.
    pub fn symbol_at(&self, addr: u16) -> Option<&Symbol> {
        self.symbols.iter().find(|symbol| symbol.room_from(addr).is_some())
    }
}

impl Symbol {
    /// Whether the variable points to the data, as memcpy's copy mode wants, and is not the data itself.
    pub fn is_pointer(&self) -> bool {
        self.ty.starts_with('*') || self.ty.starts_with("[*]")
    }

    /// Bytes from an address of the object to its end; `None` for an address outside of it.
    pub fn room_from(&self, addr: u16) -> Option<u32> {
        let room = (u32::from(self.addr) + self.size).checked_sub(u32::from(addr))?;
        (self.addr <= addr && room > 0).then_some(room)
    }
}
