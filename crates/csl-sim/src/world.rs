//! The constant state that all rows share: the image, the chip, the routes, and the programs of tiles.

use std::sync::Arc;

use csl_fabric::RouteTable;
use csl_image::{Image, Patch, PatchTarget, PatchValues, is_library};
use csl_machine::{Chip, TileRun};

use crate::options::SimOptions;
use crate::routes;

/// The immutable surroundings of a run: image, chip, routes, options.
pub(crate) struct World {
    pub image: Arc<Image>,
    pub chip: &'static Chip,
    pub routes: Arc<RouteTable>,
    pub options: SimOptions,
    /// The native code of the programs.
    #[cfg(feature = "jit")]
    natives: Vec<Option<Arc<csl_jit::Native>>>,
    /// Which files of the image are of the standard library.
    pub library: Arc<[bool]>,
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
        #[cfg(feature = "jit")]
        let natives = natives(&image, &options);
        let library = image.files.iter().map(|file| is_library(&file.name)).collect();
        World {
            image,
            chip,
            routes,
            options,
            #[cfg(feature = "jit")]
            natives,
            library,
            rows,
        }
    }

    /// The native code of the program of a tile, if functions become native.
    #[cfg(feature = "jit")]
    pub fn native(&self, x: u32, y: u32) -> Option<Arc<csl_jit::Native>> {
        self.natives[self.image.program_number(x, y)?].clone()
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

    /// The targets and values of a tile's patches.
    pub fn patches(&self, x: u32, y: u32) -> impl Iterator<Item = (PatchTarget, u64)> {
        let here = move |patch: &&Patch| (patch.x..patch.x + patch.len).contains(&x);
        let row = self.rows[y as usize].patches.iter().map(|index| &self.image.patches[*index]);
        row.filter(here).map(move |patch| (patch.target, patch_value(&patch.values, x - patch.x)))
    }
}

#[cfg(feature = "jit")]
fn natives(image: &Image, options: &SimOptions) -> Vec<Option<Arc<csl_jit::Native>>> {
    let native = |program| options.native_after.map(|turns| Arc::new(csl_jit::Native::new(Arc::clone(program), turns)));
    image.programs.iter().map(native).collect()
}

fn patch_value(values: &PatchValues, k: u32) -> u64 {
    match values {
        PatchValues::Constant(value) => *value,
        PatchValues::Linear { first, step } => first.wrapping_add(step.wrapping_mul(k.into())),
        PatchValues::Table(values) => values[k as usize],
    }
}
