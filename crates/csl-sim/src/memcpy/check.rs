//! The one check of a host's request, before anything moves.

use csl_image::Export;

use super::command::{Command, Endpoint, Rect};
use crate::stop::SimError;
use crate::world::World;

pub(super) fn check(world: &World, command: &Command) -> Result<(), SimError> {
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
    if world.image.export(id).is_none_or(|export| export.params().is_some()) {
        return Err(SimError::UnknownId { what: "variable", id });
    }
    let exports: Vec<bool> = world.image.programs.iter().map(|program| program.exported_symbol(id).is_some()).collect();
    check_pes(world, rect, |program| exports[program as usize], |x, y| SimError::NotOnPe { what: "variable", id, x, y })
}

fn check_programs(world: &World, rect: &Rect) -> Result<(), SimError> {
    check_pes(world, rect, |_| true, |x, y| SimError::NoSuchPe { x, y })
}

/// Every PE of `rect` must run a program that is `right`.
fn check_pes(
    world: &World,
    rect: &Rect,
    right: impl Fn(u32) -> bool,
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
    match world.image.export(id).and_then(Export::params) {
        Some(params) => same(params.len(), args, |expected, found| SimError::Arguments { expected, found }),
        None => Err(SimError::UnknownId { what: "function", id }),
    }
}
