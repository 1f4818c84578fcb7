//! The one check of a host's request, before anything moves.

use csl_image::{Carriers, Export, ExportKind};
use csl_machine::{Coord, Size};

use super::array::Shape;
use super::command::{Command, Endpoint, Rect, Spread};
use super::error::{Names, RequestError};
use crate::world::World;

pub(super) fn check(world: &World, command: &Command) -> Result<(), RequestError> {
    match command {
        Command::H2d { to, copy, spread, array } => {
            check_endpoint(world, *to)?;
            copy.rect.check_within(world.image.rect)?;
            check_array(world, command, copy.shape(*spread), array.len())?;
            check_pes(world, *to, &copy.rect)
        }
        Command::D2h { from, copy, room } => {
            check_endpoint(world, *from)?;
            copy.rect.check_within(world.image.rect)?;
            check_array(world, command, copy.shape(Spread::Each), *room)?;
            check_pes(world, *from, &copy.rect)
        }
        Command::Launch { function, args } => check_launch(world, *function, args.len()),
    }
}

/// Checks that the endpoint exists and admits the copy.
fn check_endpoint(world: &World, endpoint: Endpoint) -> Result<(), RequestError> {
    let id = match endpoint {
        Endpoint::Symbol(id) => id,
        Endpoint::Color(color) if world.chip.is_routable_color(color.into()) => return Ok(()),
        Endpoint::Color(color) => {
            return Err(RequestError::NotAColor { number: color.into(), colors: world.chip.fabric.colors });
        }
    };
    let Some(export) = world.image.export(id) else {
        return Err(RequestError::NoSuchExport { number: id.into(), exports: Names::exported(&world.image) });
    };
    match export.kind {
        ExportKind::Function { .. } => Err(RequestError::NotData { name: export.name.clone() }),
        ExportKind::Data { .. } => check_carriers(world, export),
    }
}

fn check_carriers(world: &World, export: &Export) -> Result<(), RequestError> {
    match world.image.carriers(export.id) {
        Carriers { with: 0, .. } => Err(RequestError::OnNoPe { name: export.name.clone() }),
        _ => Ok(()),
    }
}

impl Rect {
    /// Checks that the rectangle lies in the program's and is not empty.
    ///
    /// # Errors
    /// [`RequestError::NoStride`], [`RequestError::EmptyRectangle`] or [`RequestError::Outside`].
    pub fn check_within(&self, program: Size) -> Result<(), RequestError> {
        let Rect { w, h, step_x, step_y, .. } = *self;
        if step_x == 0 || step_y == 0 {
            return Err(RequestError::NoStride);
        }
        if w == 0 || h == 0 {
            return Err(RequestError::EmptyRectangle { w, h });
        }
        match self.is_within(program) {
            true => Ok(()),
            false => Err(RequestError::Outside { rect: *self, program }),
        }
    }

    fn is_within(&self, program: Size) -> bool {
        let inside = |from: u32, len: u32, all: u32| from.checked_add(len).is_some_and(|end| end <= all);
        inside(self.x, self.w, program.width) && inside(self.y, self.h, program.height)
    }

    /// Whether the rectangle lies in a program that is no square with width and height exchanged.
    pub(super) fn fits_exchanged(&self, program: Size) -> bool {
        program.width != program.height && Rect { w: self.h, h: self.w, ..*self }.is_within(program)
    }
}

/// Checks that the host's array has at least as many items as the copy moves. Only streams of a program without memcpy
/// may be empty.
fn check_array(world: &World, command: &Command, shape: Shape, found: usize) -> Result<(), RequestError> {
    let method = command.method();
    let may_be_empty = world.image.memcpy.is_none() && command.is_stream();
    match shape.items() {
        Some(0) if !may_be_empty => Err(RequestError::NoElements { method }),
        Some(needed) if needed > found => Err(RequestError::ShortArray { method, shape, needed, found }),
        Some(_) => Ok(()),
        None => Err(RequestError::TooManyElements { method, shape }),
    }
}

/// Checks that every PE of the rectangle runs a program with the exported variable.
fn check_pes(world: &World, endpoint: Endpoint, rect: &Rect) -> Result<(), RequestError> {
    let right: Vec<bool> = match endpoint {
        Endpoint::Symbol(id) => {
            world.image.programs.iter().map(|program| program.exported_symbol(id).is_some()).collect()
        }
        Endpoint::Color(_) => vec![true; world.image.programs.len()],
    };
    let missing = first_without(world, rect, |program| right[program]);
    missing.map_or(Ok(()), |Coord { x, y }| {
        Err(match endpoint {
            Endpoint::Symbol(id) => RequestError::NotOnPe { id, x, y },
            Endpoint::Color(_) => RequestError::NoSuchPe { x, y },
        })
    })
}

/// The first PE of a rectangle that runs no program, or one that is not `right`.
fn first_without(world: &World, rect: &Rect, right: impl Fn(csl_machine::ProgramId) -> bool) -> Option<Coord> {
    for row in 0..rect.rows() {
        let y = rect.y + row * rect.step_y;
        let mut runs = world.runs(y).iter().filter(|run| right(run.program)).peekable();
        for column in 0..rect.columns() {
            let x = rect.x + column * rect.step_x;
            while runs.next_if(|run| run.x + run.len <= x).is_some() {}
            if runs.peek().is_none_or(|run| run.x > x) {
                return Some(Coord { x, y });
            }
        }
    }
    None
}

fn check_launch(world: &World, id: u16, found: usize) -> Result<(), RequestError> {
    let function = world.image.export(id).and_then(|export| Some((export, export.params()?)));
    let Some((export, params)) = function else { return Err(RequestError::NoSuchFunction { id }) };
    let expected = params.len();
    match expected == found {
        true => check_carriers(world, export),
        false => Err(RequestError::Arguments { expected, found }),
    }
}
