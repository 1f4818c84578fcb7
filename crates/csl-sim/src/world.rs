//! What all rows share and nothing changes: the image, the chip, the routes, and where which program runs.

use std::sync::Arc;

use csl_fabric::RouteTable;
use csl_image::{Exported, Image, Patch, PatchTarget, PatchValues, PeImage, Symbol};
use csl_machine::{Chip, ProgramId, TileRun};

use crate::options::SimOptions;
use crate::routes;

pub(crate) struct World {
    pub image: Arc<Image>,
    pub chip: &'static Chip,
    pub routes: Arc<RouteTable>,
    pub options: SimOptions,
    /// Tile runs and patches, by row.
    rows: Vec<RowPlan>,
}

#[derive(Clone, Default)]
struct RowPlan {
    tiles: Vec<TileRun>,
    patches: Vec<usize>,
}

impl World {
    pub fn new(image: Arc<Image>, options: SimOptions) -> World {
        let mut rows = vec![RowPlan::default(); image.rect.height as usize];
        for run in &image.tiles {
            rows[run.y as usize].tiles.push(*run);
        }
        for (index, patch) in image.patches.iter().enumerate() {
            rows[patch.y as usize].patches.push(index);
        }
        let chip = csl_machine::chip(image.arch);
        let routes = Arc::new(routes::table(&image));
        World { image, chip, routes, options, rows }
    }

    pub fn width(&self) -> u32 {
        self.image.rect.width
    }

    pub fn height(&self) -> u32 {
        self.image.rect.height
    }

    /// The runs of a row, by column.
    pub fn runs(&self, y: u32) -> &[TileRun] {
        &self.rows[y as usize].tiles
    }

    /// The program of a tile; `None` for a tile without one.
    pub fn program(&self, x: u32, y: u32) -> Option<&Arc<PeImage>> {
        self.program_number(x, y).map(|number| &self.image.programs[number])
    }

    /// Its index in the image.
    pub fn program_number(&self, x: u32, y: u32) -> Option<ProgramId> {
        let runs = &self.rows.get(y as usize)?.tiles;
        let run = runs[runs.partition_point(|run| run.x <= x).checked_sub(1)?];
        (x - run.x < run.len).then_some(run.program)
    }

    /// Where the patches of a tile go to, and their values.
    pub fn patches(&self, x: u32, y: u32) -> impl Iterator<Item = (PatchTarget, u64)> {
        let here = move |patch: &&Patch| (patch.x..patch.x + patch.len).contains(&x);
        let row = self.rows[y as usize].patches.iter().map(|index| &self.image.patches[*index]);
        row.filter(here).map(move |patch| (patch.target, patch_value(&patch.values, x - patch.x)))
    }
}

fn patch_value(values: &PatchValues, k: u32) -> u64 {
    match values {
        PatchValues::Constant(value) => *value,
        PatchValues::Linear { first, step } => first.wrapping_add(step.wrapping_mul(k.into())),
        PatchValues::Table(values) => values[k as usize],
    }
}

/// The function that an export stands for in a program.
pub(crate) fn exported_function(program: &PeImage, id: u16) -> Option<u16> {
    program.exports.iter().filter(|export| export.id == id).find_map(|export| match export.what {
        Exported::Func(func) => Some(func),
        Exported::Symbol(_) => None,
    })
}

/// The variable that an export stands for in a program.
pub(crate) fn exported_symbol(program: &PeImage, id: u16) -> Option<&Symbol> {
    program.exports.iter().filter(|export| export.id == id).find_map(|export| match export.what {
        Exported::Symbol(symbol) => program.symbols.get(symbol as usize),
        Exported::Func(_) => None,
    })
}

/// Whether the exported variable is a pointer to the data, as memcpy's copy mode wants, and not the data itself.
pub(crate) fn is_pointer(symbol: &Symbol) -> bool {
    symbol.ty.starts_with('*') || symbol.ty.starts_with("[*]")
}
