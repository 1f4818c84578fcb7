//! Evaluates the layout block, and makes one program for each kind of tile.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Reported, Span};
use csl_ir::{ColorEnds, ExportName, ModuleRef, Name, Program, Route, Ty, TypedValue, Value, Wafer};
use csl_machine::{Color, ColorConfig, Coord, DirSet, Direction, ProgramId, Size, TileRun};
use csl_syntax::Symbol;
use csl_syntax::ast::{Block, File, Item, VarDecl, VarKind};
use indexmap::{IndexMap, IndexSet};
use num_bigint::BigInt;
use num_traits::Num;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::context::{Frame, Res, Sema};
use crate::operand::Operand;
use crate::packed_sends;
use crate::pe::BareQueue;
use crate::repeat::OpenNumbers;
use crate::sharing::{self, Shape, TileKey};
use crate::unbound_activations;
use crate::unit::TopItem;

/// An instance: the tiles with one file and the same params.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instance {
    /// The `@set_tile_code` of the first tile.
    pub span: Span,
    pub first: Coord,
    pub tiles: u32,
}

/// What leaves the rectangle by the routes of one place in the source.
#[derive(Default)]
struct Lost {
    off: DirSet,
    colors: BTreeSet<Color>,
    /// By row, then column.
    pes: BTreeSet<(u32, u32)>,
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

    /// The values of `--params` and `--colors`.
    fn command_line_bindings(&mut self) -> Res<Vec<(Name, TypedValue)>> {
        let mut bindings = Vec::new();
        for (name, text) in &self.options.params {
            bindings.push((Symbol::new(name).as_str(), parse_param(text)));
        }
        for (name, text) in self.options.colors.clone() {
            let Some(color) = parse_int(&text) else {
                let message = format!("color `{name}` is given the value `{text}`, which is not a number");
                return Err(self.fail(Diagnostic::unplaced(Code::BadParamValue, message)));
            };
            bindings.push((Symbol::new(&name).as_str(), TypedValue::int(Ty::COLOR, color)));
        }
        Ok(bindings)
    }

    /// Refuses values of the command line that do not fit the types of the params.
    fn check_command_line(&mut self, module: ModuleRef) -> Res<()> {
        let given = self.options.params.iter().chain(&self.options.colors);
        let names: Vec<(Symbol, String)> = given.map(|(name, text)| (Symbol::new(name), text.clone())).collect();
        for (name, text) in names {
            let module_info = &self.unit.modules[module];
            let Some(value) = module_info.params.get(&name).cloned() else { continue };
            let Some(TopItem::Var(decl)) = module_info.items.get(&name).map(|i| i.item.clone()) else { continue };
            self.check_param(module, &decl, value, &text)?;
        }
        Ok(())
    }

    fn check_param(&mut self, module: ModuleRef, decl: &VarDecl, value: TypedValue, text: &str) -> Res<()> {
        let Some(ty) = &decl.ty else { return Ok(()) };
        let ty = self.in_frame(Frame::top_level(module), |s| s.eval_type(ty))?;
        // A color is its number here, as where a tile's params are bound.
        if ty == Ty::COLOR && matches!(value.value, Value::Int(_)) {
            let color = TypedValue::new(ty, value.value);
            self.unit.modules[module].params.insert(decl.name.name, color);
            return Ok(());
        }
        // The vendor's command line gives whole numbers alone: 0 and 1 are the truth values.
        if let (Ty::BOOL, Some(number @ (0 | 1))) = (ty, value.value.int().and_then(|number| u8::try_from(number).ok()))
        {
            let truth = TypedValue::new(ty, Value::Bool(number == 1));
            self.unit.modules[module].params.insert(decl.name.name, truth);
            return Ok(());
        }
        let is_color = value.ty == Ty::COLOR;
        if decl.kind != VarKind::Param || self.fits(&Operand::Const(value), ty) {
            return Ok(());
        }
        let message = format!("param `{}` cannot have the value `{text}`", decl.name.name);
        let label = format!("declared with type {}", self.show(ty));
        let diagnostic = Diagnostic::new(Code::BadParamValue, decl.name.span, message).label(label);
        let help = "--colors gives colors, --params all else";
        Err(self.fail(if is_color { diagnostic.help(help) } else { diagnostic }))
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

    /// Warns once of each configuration that sends wavelets off the rectangle, on however many tiles and by however
    /// many sides.
    fn warn_off_edge(&mut self, layout: &Layout, programs: &[Program], rectangle: Size) {
        // Hosts up to SDK 0.8 take what leaves (`CSELFRunner`).
        let is_read_there = programs.first().is_some_and(Program::is_written_by_hosts);
        if is_read_there && !self.options.memcpy {
            return;
        }
        let is_sketch = is_sketch(programs);
        // PEs at the border often have the routes of all others, and never send on the colors that would leave.
        let is_idle = |at: Coord, color: Color, config: &ColorConfig| {
            let ends = ends_at(layout, programs, rectangle, at);
            let from_pe = config.rx.iter().all(|way| way == Direction::Ramp) && !swaps(config);
            from_pe && ends.is_some_and(|ends| !is_sketch && !ends.may_have_others && !ends.sent.contains(&color))
        };
        let mut seen: IndexMap<Span, Lost> = IndexMap::new();
        for (route, span) in layout.routes.iter().filter(|(_, span)| !self.is_of_library(*span)) {
            let at = Coord { x: route.x, y: route.y };
            let inside = |way: &Direction| way.neighbour(at).is_some_and(|to| rectangle.contains(to));
            let off: DirSet = route.config.tx.iter().filter(|way| !inside(way)).collect();
            if !off.is_empty() && !is_idle(at, route.color, &route.config) {
                let lost = seen.entry(*span).or_default();
                lost.off = lost.off.union(off);
                lost.colors.insert(route.color);
                lost.pes.insert((at.y, at.x));
            }
        }
        let warn = |(span, lost): (Span, Lost)| {
            let names = lost.off.iter().map(Direction::name).collect::<Vec<_>>().join(" and ");
            let colors = lost.colors.iter().map(Color::to_string).collect::<Vec<_>>().join(", ");
            let (are, color) = if lost.colors.len() == 1 { ("is", "color") } else { ("are", "colors") };
            let (y, x) = *lost.pes.first().expect("each has a PE");
            let more = if lost.pes.len() > 1 { format!(" and {} more PEs", lost.pes.len() - 1) } else { String::new() };
            let message =
                format!("{color} {colors} of PE ({x}, {y}){more} {are} routed {names}, off the program's rectangle");
            let note = "wavelets that go this way are lost: the fabric around the program drops them";
            Diagnostic::new(Code::RouteOffEdge, span, message).note(note)
        };
        let warnings: Vec<Diagnostic> = seen.into_iter().map(warn).collect();
        warnings.into_iter().for_each(|warning| self.report(warning));
    }

    /// Warns of routes for colors of memcpy, once a place of the source. (Those that PEs set themselves are theirs to warn of.)
    fn warn_reserved_colors(&mut self, layout: &Layout) {
        let reserved = &self.chip.memcpy.colors;
        let is_reserved = |route: &Route| self.options.memcpy && reserved.contains(&route.color.number());
        let routes = layout.routes.iter().filter(|(route, _)| is_reserved(route));
        let places: IndexMap<Span, Color> = routes.map(|(route, span)| (*span, route.color)).collect();
        for (span, color) in places {
            let message = format!("memcpy uses color {color} itself");
            self.report(Diagnostic::new(Code::ReservedResource, span, message));
        }
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

    /// Warns once a place of routes to the ramp of PEs whose program takes nothing from the color, where wavelets of a PE that
    /// sends on the color come, or no program uses the color at all.
    fn warn_no_receiver(&mut self, layout: &Layout, programs: &[Program], rectangle: Size) {
        let ends = |at: Coord| ends_at(layout, programs, rectangle, at);
        let routes: OnceCell<FxHashMap<(Coord, Color), &ColorConfig>> = OnceCell::new();
        let route_of = |at: Coord, color: Color| {
            let all = layout
                .routes
                .iter()
                .map(|(route, _)| ((Coord { x: route.x, y: route.y }, route.color), &*route.config));
            routes.get_or_init(|| all.collect()).get(&(at, color)).copied()
        };
        let is_sketch = is_sketch(programs);
        let is_unused = |color: Color| {
            let uses =
                |ends: &ColorEnds| ends.may_have_others || ends.received.contains(&color) || ends.sent.contains(&color);
            !is_sketch && !programs.iter().any(|program| uses(&program.ends))
        };
        let is_sent = |color: Color, to: Coord| {
            let (mut seen, mut open) = (HashSet::from([to]), vec![to]);
            while let Some(at) = open.pop() {
                let Some(config) = route_of(at, color) else { continue };
                for way in config.rx.iter() {
                    let from = way.neighbour(at).filter(|from| way != Direction::Ramp && rectangle.contains(*from));
                    let before = from.and_then(|from| Some((from, route_of(from, color)?)));
                    match before {
                        _ if way == Direction::Ramp && ends(at).is_some_and(|ends| ends.sent.contains(&color)) => {
                            return true;
                        }
                        Some((from, config)) => {
                            let leads_here = config.tx.iter().any(|to| to == way.opposite());
                            if leads_here && seen.insert(from) {
                                open.push(from);
                            }
                        }
                        None => {}
                    }
                }
            }
            false
        };
        let mut found: IndexMap<(Span, Color), (Coord, u32)> = IndexMap::new();
        for (Route { x, y, color, config }, span) in &layout.routes {
            let at = Coord { x: *x, y: *y };
            let is_lost = ends(at).is_some_and(|ends| !ends.may_have_others && !ends.received.contains(color));
            let is_reserved = self.chip.memcpy.colors.contains(&color.number());
            // With color swap, what comes in on this color may belong to the other one of the pair.
            let goes_in = config.tx.iter().any(|way| way == Direction::Ramp) && !swaps(config);
            let is_told = || found.contains_key(&(*span, *color));
            if is_lost && goes_in && !is_reserved && (is_told() || is_unused(*color) || is_sent(*color, at)) {
                found.entry((*span, *color)).or_insert((at, 0)).1 += 1;
            }
        }
        for ((span, color), (Coord { x, y }, count)) in found {
            let more = if count > 1 { format!(" and {} more PEs", count - 1) } else { String::new() };
            let message = format!("color {color} is routed to RAMP at PE ({x}, {y}){more}, where no queue takes it");
            let help = format!(
                "`@initialize_queue(.., .{{ .color = @get_color({color}) }})` on an input queue, or a route without RAMP"
            );
            let note = "wavelets that nothing takes fill the ramp's buffer, and block the color behind them";
            self.report(Diagnostic::new(Code::NoReceiver, span, message).note(note).help(help));
        }
    }

    /// Warns once a place of `@get_filter_id` of PEs whose routers have no filter for the color.
    fn warn_no_filter(&mut self, layout: &Layout, programs: &[Program], rectangle: Size) {
        if programs.iter().all(|program| program.filters.is_empty()) {
            return;
        }
        let filtered = layout.routes.iter().filter(|(route, _)| route.config.filter.is_some());
        let filters: FxHashSet<(Coord, Color)> =
            filtered.map(|(route, _)| (Coord { x: route.x, y: route.y }, route.color)).collect();
        let mut found: IndexMap<(Span, Color), (Coord, u32)> = IndexMap::new();
        for (at, tile) in (0..).zip(&layout.tiles) {
            let Some(program) = tile.checked_sub(1).map(|number| &programs[number as usize]) else { continue };
            let at = rectangle.place(at);
            // A call may be evaluated several times.
            let named: FxHashSet<(Color, Span)> = program.filters.iter().copied().collect();
            for (color, span) in named.into_iter().filter(|(color, _)| !filters.contains(&(at, *color))) {
                found.entry((span, color)).or_insert((at, 0)).1 += 1;
            }
        }
        found.sort_keys();
        for ((span, color), (Coord { x, y }, count)) in found {
            let (have, more) = match count {
                1 => ("has", String::new()),
                2 => ("have", " and one more PE".to_owned()),
                _ => ("have", format!(" and {} more PEs", count - 1)),
            };
            let message = format!("PE ({x}, {y}){more} {have} no filter for color {color}");
            let note = "what is set for a filter that is not there has no effect; the guide calls this an error";
            let help = "give the color a `.filter` in `@set_color_config`, or leave the call out on such PEs";
            self.report(Diagnostic::new(Code::NoFilter, span, message).note(note).help(help));
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

/// A value of the command line: a number, a bool, or else a string.
fn parse_param(text: &str) -> TypedValue {
    let text = text.trim();
    if let Some(number) = parse_int(text) {
        return TypedValue::int(Ty::COMPTIME_INT, number);
    }
    match text {
        "true" => TypedValue::bool(true),
        "false" => TypedValue::bool(false),
        _ => match text.parse::<f64>() {
            Ok(number) => TypedValue::new(Ty::COMPTIME_FLOAT, Value::Float(number.to_bits())),
            Err(_) => TypedValue::str(text.as_bytes()),
        },
    }
}

/// An integer in decimal or with a base prefix.
fn parse_int(text: &str) -> Option<BigInt> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (base, digits) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits),
    };
    let number = BigInt::from_str_radix(digits, base).ok().filter(|_| !digits.starts_with(['-', '+']))?;
    Some(if negative { -number } else { number })
}

fn layout_blocks(file: &File) -> impl Iterator<Item = &Arc<Block>> {
    file.items.iter().filter_map(|item| match item {
        Item::Layout(block) => Some(block),
        _ => None,
    })
}

/// The colors that the program at a place takes and sends; `None` without a program.
fn ends_at<'a>(layout: &Layout, programs: &'a [Program], rectangle: Size, at: Coord) -> Option<&'a ColorEnds> {
    let number = layout.tiles[rectangle.number(at) as usize].checked_sub(1)?;
    Some(&programs[number as usize].ends)
}

/// Whether no program names any color: the layout is a sketch of its routes.
fn is_sketch(programs: &[Program]) -> bool {
    programs.iter().all(|program| program.ends.names_no_color())
}

fn swaps(config: &ColorConfig) -> bool {
    config.swap_x || config.swap_y
}
