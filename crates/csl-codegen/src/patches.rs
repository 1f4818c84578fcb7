//! The differences between tiles that share a program: patches of its memory and of its constants, by runs.

use csl_image::{Patch, PatchTarget, PatchValues};
use csl_ir::{Program, Wafer};
use csl_num::LowBits;

/// The targets of each of a program's tile constants; `addrs` are the addresses of its globals.
pub fn places(program: &Program, addrs: &[u16]) -> Vec<Vec<PatchTarget>> {
    let mut places: Vec<Vec<PatchTarget>> =
        (0..program.tile_consts.len().low16()).map(|number| vec![PatchTarget::Const(number)]).collect();
    for (global, &addr) in program.globals.iter().zip(addrs) {
        for part in &global.varying {
            let target = PatchTarget::Memory { addr: addr.wrapping_add(part.at.low16()), bytes: part.bytes };
            let index = program.tile_consts.get_index_of(&part.tile_const);
            places[index.expect("a program lists its constants")].push(target);
        }
    }
    places
}

/// The patches of all tiles, by row and column.
pub fn patches(wafer: &Wafer, places: &[Vec<Vec<PatchTarget>>]) -> Vec<Patch> {
    let mut rest: Vec<&[u64]> = wafer.tile_consts.iter().map(Vec::as_slice).collect();
    let mut patches = Vec::new();
    // The values of a program's tiles stand in the order of its runs.
    for run in &wafer.tiles {
        let places = &places[run.program];
        let (values, behind) = rest[run.program].split_at(run.len as usize * places.len());
        rest[run.program] = behind;
        for (number, targets) in places.iter().enumerate() {
            let own = values.iter().skip(number).step_by(places.len()).copied();
            let values = compact(own.collect());
            patches.extend(targets.iter().map(|&target| Patch {
                x: run.x,
                y: run.y,
                len: run.len,
                target,
                values: values.clone(),
            }));
        }
    }
    patches
}

/// The shortest form of the values.
fn compact(values: Vec<u64>) -> PatchValues {
    let first = values.first().copied().unwrap_or(0);
    let step = values.get(1).map_or(0, |second| second.wrapping_sub(first));
    let is_linear = (0u64..).zip(&values).all(|(k, &value)| value == first.wrapping_add(step.wrapping_mul(k)));
    match step {
        0 if is_linear => PatchValues::Constant(first),
        _ if is_linear => PatchValues::Linear { first, step },
        _ => PatchValues::Table(values),
    }
}
