//! The checks of the reader, after which the machine may trust an image.

mod code;
mod program;

use csl_machine::{Color, ColorConfig, Coord, DirSet, MAX_CHANNELS, Size, SwitchPos};

use crate::{Image, Patch, PatchTarget, PatchValues, Stream, TileRun};

/// The largest fabric that an image may ask for, PEs a side: ten times the real one.
pub const MAX_SIDE: u32 = 10_000;

pub fn image(image: &Image) -> Result<(), String> {
    geometry(image)?;
    tiles(image)?;
    routes(image)?;
    image.patches.iter().try_for_each(|patch| self::patch(image, patch))?;
    image.origin.streams.iter().try_for_each(|stream| self::stream(image, stream))?;
    require(image.exports.len() <= usize::from(u16::MAX), || "too many exports".into())?;
    for program in &image.programs {
        program::program(program, image.files.len()).map_err(|what| format!("program {}: {what}", program.name))?;
    }
    Ok(())
}

fn geometry(image: &Image) -> Result<(), String> {
    let Size { width, height } = image.fabric;
    let Coord { x, y } = image.offset;
    require(width <= MAX_SIDE && height <= MAX_SIDE, || format!("a fabric of {width}x{height}"))?;
    require(image.rect.width > 0 && image.rect.height > 0, || "an empty rectangle".into())?;
    let fits = |offset: u32, len: u32, side: u32| offset.checked_add(len).is_some_and(|end| end <= side);
    require(fits(x, image.rect.width, width) && fits(y, image.rect.height, height), || {
        "a rectangle outside the fabric".into()
    })?;
    let channels = image.memcpy.map_or(1, |memcpy| memcpy.channels);
    require((1..=MAX_CHANNELS).contains(&channels), || format!("{channels} memcpy channels"))
}

fn tiles(image: &Image) -> Result<(), String> {
    let mut free = (0, 0);
    for run in &image.tiles {
        in_rect(image, run.x, run.y, run.len)?;
        require((run.y, run.x) >= free, || format!("tiles at {}, {} out of order", run.x, run.y))?;
        free = (run.y, run.x + run.len);
        require(run.program.index() < image.programs.len(), || format!("no program {}", run.program))?;
    }
    Ok(())
}

fn routes(image: &Image) -> Result<(), String> {
    for run in &image.routes {
        in_rect(image, run.x, run.y, run.len)?;
        require(run.color.is_routable(), || format!("a route of color {}", run.color))?;
        require((run.config as usize) < image.color_configs.len(), || format!("no configuration {}", run.config))?;
    }
    image.color_configs.iter().try_for_each(color_config)
}

fn color_config(config: &ColorConfig) -> Result<(), String> {
    let set = |set: DirSet| require(set.0 < 32, || format!("directions {:#x}", set.0));
    set(config.rx)?;
    set(config.tx)?;
    let messages = |first: Color| first.is_routable() && config.tx.0.count_ones() == 1;
    require(config.messages.is_none_or(messages), || "a message color that leads nowhere".into())?;
    require(config.current_pos <= 3, || format!("switch position {}", config.current_pos))?;
    config.positions.iter().try_for_each(|position| match *position {
        SwitchPos::Invalid => Ok(()),
        SwitchPos::Rx(dirs) | SwitchPos::Tx(dirs) => set(dirs),
        SwitchPos::Both(rx, tx) => set(rx).and_then(|()| set(tx)),
    })
}

fn stream(image: &Image, stream: &Stream) -> Result<(), String> {
    let is_there = stream.x < image.fabric.width && stream.y < image.fabric.height && stream.color.is_routable();
    require(is_there, || format!("stream {} at {}, {} of color {}", stream.name, stream.x, stream.y, stream.color))
}

fn patch(image: &Image, patch: &Patch) -> Result<(), String> {
    in_rect(image, patch.x, patch.y, patch.len)?;
    match patch.target {
        PatchTarget::Memory { addr, bytes } => {
            let width = matches!(bytes, 1 | 2 | 4 | 8);
            let whole = u32::from(addr) + u32::from(bytes) <= program::DATA_LIMIT;
            require(width && whole, || format!("a patch of {bytes} bytes at {addr:#x}"))?;
        }
        PatchTarget::Const(number) => {
            let has = |run: &TileRun| number < image.programs[run.program.index()].tile_consts;
            require(tiles_of(image, patch).iter().all(has), || {
                format!("constant {number} of tiles at {}, {}, whose program has fewer", patch.x, patch.y)
            })?;
        }
    }
    match &patch.values {
        PatchValues::Table(values) => {
            require(u32::try_from(values.len()) == Ok(patch.len), || "a short patch table".into())
        }
        PatchValues::Constant(_) | PatchValues::Linear { .. } => Ok(()),
    }
}

/// The runs of tiles that a patch meets; runs are in order and apart, as [`tiles`] has found.
fn tiles_of<'a>(image: &'a Image, patch: &Patch) -> &'a [TileRun] {
    let first = image.tiles.partition_point(|run| (run.y, run.x + run.len) <= (patch.y, patch.x));
    let end = image.tiles.partition_point(|run| (run.y, run.x) < (patch.y, patch.x + patch.len));
    image.tiles.get(first..end).unwrap_or_default()
}

fn in_rect(image: &Image, x: u32, y: u32, len: u32) -> Result<(), String> {
    let inside = len > 0 && y < image.rect.height && x.checked_add(len).is_some_and(|end| end <= image.rect.width);
    require(inside, || format!("a run of {len} at {x}, {y} leaves the rectangle"))
}

/// `Err(what())` unless `holds`.
fn require(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
