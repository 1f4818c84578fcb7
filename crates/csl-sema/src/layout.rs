//! Evaluates the layout block, and makes one program for each kind of tile.

use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Reported, Span};
use csl_ir::{ExportName, ModuleRef, Name, Program, Route, Ty, TypedValue, Wafer};
use csl_machine::{Color, ColorConfig, Coord, ProgramId, Size, TileRun};
use csl_syntax::ast::{Block, File, Item};
use indexmap::{IndexMap, IndexSet};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::context::{Frame, Res, Sema};
use crate::packed_sends;
use crate::pe::BareQueue;
use crate::repeat::OpenNumbers;
use crate::sharing::{self, Shape, TileKey};
use crate::unbound_activations;

/// An instance: the tiles with one file and the same params.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instance {
    /// The `@set_tile_code` of the first tile.
    pub span: Span,
    pub first: Coord,
    pub tiles: u32,
}

/// The state of the layout block so far.
#[derive(Debug, Default)]
pub struct Layout {
    /// Whether the layout block is being evaluated.
    pub in_block: bool,
    pub size: Option<(Size, Span)>,
    /// The error of a `@set_rectangle` that has given no size.
    pub refused: Option<Reported>,
    /// The instance of each tile, row by row: one more than its index; 0 for a tile without code. After the analysis of
    /// programs: the program of each tile.
    pub tiles: Vec<u32>,
    /// The paths of the files that the layout names, by name and naming module.
    pub named_files: FxHashMap<(ModuleRef, Arc<[u8]>), Arc<str>>,
    pub shapes: IndexSet<Shape, FxBuildHasher>,
    /// The type of the params that came last, and their shape.
    pub last: Option<(Ty, u32)>,
    pub instances: IndexMap<TileKey, Instance, FxBuildHasher>,
    pub routes: Vec<(Route, Span)>,
    /// The configurations that have been read: by the struct and the color.
    pub configs: FxHashMap<(TypedValue, Color), Arc<ColorConfig>>,
    /// The colors that have a route, by tile: a bit each.
    pub routed: Vec<u32>,
    pub exports: Vec<ExportName>,
    /// Whether the layout shows that it was written for SDK 1.4 or older.
    pub is_legacy: bool,
}

impl Layout {
    /// Sets the size of the rectangle, in PEs.
    pub fn set_rectangle(&mut self, size: Size, span: Span) {
        self.size = Some((size, span));
        let count = size.width as usize * size.height as usize;
        self.tiles = vec![0; count];
        self.routed = vec![0; count];
    }

    /// The size, once `@set_rectangle` has given it.
    pub fn rectangle(&self) -> Option<Size> {
        self.size.map(|(size, _)| size)
    }

    /// The key that tiles with this file and these params share, and the numbers in it that a loop decides.
    pub fn key(&mut self, file: Arc<str>, params: Vec<(Name, TypedValue)>) -> (TileKey, OpenNumbers) {
        let (params, numbers) = sharing::split(params);
        let shape = self.shapes.insert_full(Shape { file, params }).0 as u32;
        (TileKey { shape, numbers: numbers.values.into() }, numbers.open)
    }

    /// [`Layout::key`] of a struct of params that differs from the one that came last in numbers alone.
    pub fn key_like_last(&self, file: &str, params: &TypedValue) -> Option<(TileKey, OpenNumbers)> {
        let (_, shape) = self.last.filter(|(ty, _)| *ty == params.ty)?;
        let numbers = self.shapes[shape as usize].numbers_of(file, &params.value)?;
        Some((TileKey { shape, numbers: numbers.values.into() }, numbers.open))
    }

    /// The tile in column `x` and row `y`.
    ///
    /// # Errors
    /// It is outside of the rectangle.
    pub fn tile(&self, x: i64, y: i64, code: Code, span: Span) -> Result<Coord, Diagnostic> {
        let Size { width, height } = self.rectangle().unwrap_or_default();
        if (0..i64::from(width)).contains(&x) && (0..i64::from(height)).contains(&y) {
            return Ok(Coord { x: x as u32, y: y as u32 });
        }
        let message = format!("tile ({x}, {y}) lies outside the rectangle of {width} by {height} PEs");
        Err(Diagnostic::new(code, span, message))
    }

    /// Gives a tile its code.
    ///
    /// # Errors
    /// It has code already.
    pub fn add_code(&mut self, at: Coord, key: TileKey, span: Span) -> Result<(), Diagnostic> {
        let Coord { x, y } = at;
        let tile = &mut self.tiles[self.size.map_or(0, |(size, _)| size.number(at)) as usize];
        if *tile != 0 {
            let before = self.instances[*tile as usize - 1].span;
            let diagnostic = Diagnostic::new(Code::TileCode, span, format!("tile ({x}, {y}) is given code twice"));
            return Err(if before == span { diagnostic } else { diagnostic.secondary(before, "first here") });
        }
        let entry = self.instances.entry(key);
        *tile = entry.index() as u32 + 1;
        entry.or_insert(Instance { span, first: at, tiles: 0 }).tiles += 1;
        Ok(())
    }

    /// Records a route.
    ///
    /// # Errors
    /// The tile has a route for the color already.
    pub fn add_route(&mut self, route: Route, span: Span) -> Result<(), Diagnostic> {
        let Route { x, y, color, .. } = route;
        let at = self.rectangle().map_or(0, |size| size.number(Coord { x, y }));
        let colors = &mut self.routed[at as usize];
        let bit = 1 << color.number();
        if *colors & bit != 0 {
            let message = format!("color {color} is configured twice at PE ({x}, {y})");
            let diagnostic = Diagnostic::new(Code::BadRoute, span, message);
            let is_same = |other: &Route| (other.x, other.y, other.color) == (x, y, color);
            let earlier = self.routes.iter().find(|(other, _)| is_same(other));
            return Err(earlier
                .into_iter()
                .fold(diagnostic, |diagnostic, (_, earlier)| diagnostic.secondary(*earlier, "first configured here")));
        }
        *colors |= bit;
        self.routes.push((route, span));
        Ok(())
    }
}

pub fn exported_name<'e>(exports: &'e [ExportName], name: &str) -> Option<&'e ExportName> {
    exports.iter().find(|e| e.name == name)
}

impl Sema<'_> {
    /// Analyses the layout in file `root` and every program that it names.
    pub fn run(&mut self, root: &str) -> Res<Wafer> {
        let (layout, rectangle) = self.evaluate_layout(root)?;
        self.finish_layout(layout, rectangle)
    }

    /// Analyses the programs of a layout whose tiles and routes are known.
    pub(crate) fn finish_layout(&mut self, mut layout: Layout, rectangle: Size) -> Res<Wafer> {
        let mut sharing = self.analyze_instances(&layout, rectangle);
        if self.options.check_all {
            self.check_uncalled(&layout, rectangle, &mut sharing);
        }
        let programs: Vec<Program> = sharing.programs.into_iter().collect::<Result<_, _>>()?;
        let tile_consts = number_programs(&mut layout, &sharing.kinds, programs.len());
        self.warn_reserved_colors(&layout);
        let merged = merge_routes(&mut layout, &programs, rectangle).map_err(|diagnostic| self.fail(diagnostic));
        self.warn_off_edge(&layout, &programs, rectangle);
        self.warn_exported_nowhere(&layout, &programs);
        merged?;
        self.warn_no_receiver(&layout, &programs, rectangle);
        self.warn_no_filter(&layout, &programs, rectangle);
        packed_sends::warnings(&programs).into_iter().for_each(|warning| self.report(warning));
        unbound_activations::warnings(&programs).into_iter().for_each(|warning| self.report(warning));
        self.warn_uninitialized();
        self.diagnostics.check()?;
        Ok(self.assemble(layout, programs, tile_consts, rectangle))
    }

    /// Evaluates the layout block; returns the layout, and the size of its rectangle in PEs.
    fn evaluate_layout(&mut self, root: &str) -> Res<(Layout, Size)> {
        self.unit.name = root.to_string();
        // This comes first: the params of a PE's program have no values here, and errors about that would hide the real
        // one.
        let file = self.load_file(root, None, None)?;
        let mut blocks = layout_blocks(&file.ast).cloned();
        let Some(block) = blocks.next() else {
            let message = format!("{root} has no `layout` block");
            let diagnostic = Diagnostic::unplaced(Code::NoLayout, message);
            let help = "compile the file that holds the program's layout: a PE's program is compiled with the layout that \
                        names it in @set_tile_code";
            return Err(self.fail(diagnostic.help(help)));
        };
        if let Some(second) = blocks.next() {
            let diagnostic = Diagnostic::new(Code::SeveralLayouts, second.span, "a program has one `layout` block");
            return Err(self.fail(diagnostic.secondary(block.span, "this is the first")));
        }
        let bindings = self.command_line_bindings()?;
        let module = self.load_module(root, None, bindings, None)?;
        self.check_command_line(module)?;
        self.layout()?.in_block = true;
        self.in_frame(Frame::top_level(module), |s| s.exec_block(&block))?;
        self.check_unread_params()?;
        let layout = Layout { is_legacy: self.unit.is_legacy, ..std::mem::take(self.layout()?) };
        let rectangle = self.check_tiles(&layout, block.span)?;
        Ok((layout, rectangle))
    }

    /// Checks that there is a rectangle and that every tile of it has code; returns its size in PEs.
    fn check_tiles(&mut self, layout: &Layout, block: Span) -> Res<Size> {
        let Some((size, span)) = layout.size else {
            return Err(self.error(Code::BadRectangle, block, "the layout block never calls `@set_rectangle`"));
        };
        let empty = layout.tiles.iter().filter(|&&t| t == 0).count();
        let Some(first) = layout.tiles.iter().position(|&t| t == 0) else { return Ok(size) };
        let Coord { x, y } = size.place(first as u32);
        let more = if empty > 1 { format!(", nor do {} more", empty - 1) } else { String::new() };
        let message = format!("tile ({x}, {y}) has no code{more}");
        Err(self.fail(Diagnostic::new(Code::TileCode, span, message).help("give it some with `@set_tile_code`")))
    }

    /// Warns of operations by queues that no program initialises.
    fn warn_uninitialized(&mut self) {
        let mut told: Vec<String> = Vec::new();
        for (place, bare) in std::mem::take(&mut self.queue_ops) {
            let Some((warning, statement)) = bare.map(BareQueue::told) else { continue };
            // One operation for each queue is enough.
            if !told.contains(&warning.message) {
                told.push(warning.message.clone());
                let mended = statement.iter().fold(warning, |it, text| self.mend_by_comptime(it, place.file, text));
                self.diagnostics.push(mended);
            }
        }
    }

    /// Warns of exports that no PE has: the host can neither call nor copy them.
    fn warn_exported_nowhere(&mut self, layout: &Layout, programs: &[Program]) {
        // What is wrong elsewhere may be what hides an `@export_symbol`.
        if self.diagnostics.check().is_err() {
            return;
        }
        let has = |id: u16| programs.iter().any(|program| program.exports.iter().any(|export| export.id == id));
        let missing: Vec<ExportName> = layout.exports.iter().filter(|name| !has(name.id)).cloned().collect();
        for export in missing {
            let message = format!("the layout exports `{}`, but no PE has it", export.name);
            let warning = Diagnostic::new(Code::ExportNowhere, export.span, message);
            self.report(self.mend_export(warning, &export));
        }
    }

    fn assemble(
        &mut self,
        layout: Layout,
        mut programs: Vec<Program>,
        tile_consts: Vec<Vec<u64>>,
        size: Size,
    ) -> Wafer {
        let types = Arc::new(self.types.clone());
        for program in &mut programs {
            program.types = types.clone();
        }
        let mut routes = layout.routes;
        routes.sort_by_key(|(route, _)| (route.y, route.x, route.color));
        let (routes, places) = routes.into_iter().unzip();
        self.routes = places;
        Wafer {
            size,
            programs,
            tiles: runs(&layout.tiles, size),
            tile_consts,
            routes,
            exports: layout.exports,
            types,
            params: self.options.params.clone(),
        }
    }
}

/// Replaces the tiles' instances by their programs; returns the constants of each program's tiles.
fn number_programs(layout: &mut Layout, kinds: &[(u32, Vec<u64>)], programs: usize) -> Vec<Vec<u64>> {
    let mut tile_consts = vec![Vec::new(); programs];
    for tile in layout.tiles.iter_mut().filter(|tile| **tile != 0) {
        let (program, consts) = &kinds[*tile as usize - 1];
        tile_consts[*program as usize].extend(consts);
        *tile = program + 1;
    }
    tile_consts
}

/// Adds the routes that PE programs set themselves to those of the layout.
fn merge_routes(layout: &mut Layout, programs: &[Program], rectangle: Size) -> Result<(), Diagnostic> {
    for (index, program) in programs.iter().enumerate() {
        if program.colors.is_empty() {
            continue;
        }
        let shared = |(color, config, span): &(Color, ColorConfig, Span)| (*color, Arc::new(config.clone()), *span);
        let configs: Vec<(Color, Arc<ColorConfig>, Span)> = program.colors.iter().map(shared).collect();
        let wanted = index as u32 + 1;
        let tiles: Vec<u32> =
            (0..layout.tiles.len() as u32).filter(|&at| layout.tiles[at as usize] == wanted).collect();
        for at in tiles {
            for (color, config, span) in &configs {
                let Coord { x, y } = rectangle.place(at);
                let route = Route { x, y, color: *color, config: config.clone() };
                layout.add_route(route, *span)?;
            }
        }
    }
    Ok(())
}

/// The tiles, row by row, as runs of equal neighbours.
fn runs(tiles: &[u32], rectangle: Size) -> Vec<TileRun> {
    let mut runs: Vec<TileRun> = Vec::new();
    for (at, &tile) in tiles.iter().enumerate().filter(|(_, tile)| **tile != 0) {
        let (Coord { x, y }, program) = (rectangle.place(at as u32), ProgramId::new(tile - 1));
        match runs.last_mut() {
            Some(run) if (run.y, run.x + run.len, run.program) == (y, x, program) => run.len += 1,
            _ => runs.push(TileRun { x, y, len: 1, program }),
        }
    }
    runs
}

fn layout_blocks(file: &File) -> impl Iterator<Item = &Arc<Block>> {
    file.items.iter().filter_map(|item| match item {
        Item::Layout(block) => Some(block),
        _ => None,
    })
}
