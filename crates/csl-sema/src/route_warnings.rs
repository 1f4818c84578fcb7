//! Warnings about the routes of a layout: those that lead off the rectangle or to PEs that take nothing, and those of colors that
//! memcpy uses.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{ColorEnds, Program, Route};
use csl_machine::{Color, ColorConfig, Coord, DirSet, Direction, Size};
use indexmap::IndexMap;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::context::Sema;
use crate::layout::Layout;

/// What leaves the rectangle by the routes of one place in the source.
#[derive(Default)]
struct Lost {
    off: DirSet,
    colors: BTreeSet<Color>,
    /// By row, then column.
    pes: BTreeSet<(u32, u32)>,
}

impl Sema<'_> {
    /// Warns once of each configuration that sends wavelets off the rectangle, on however many tiles and by however
    /// many sides.
    pub fn warn_off_edge(&mut self, layout: &Layout, programs: &[Program], rectangle: Size) {
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
    pub fn warn_reserved_colors(&mut self, layout: &Layout) {
        let reserved = &self.chip.memcpy.colors;
        let is_reserved = |route: &Route| self.options.memcpy && reserved.contains(&route.color.number());
        let routes = layout.routes.iter().filter(|(route, _)| is_reserved(route));
        let places: IndexMap<Span, Color> = routes.map(|(route, span)| (*span, route.color)).collect();
        for (span, color) in places {
            let message = format!("memcpy uses color {color} itself");
            self.report(Diagnostic::new(Code::ReservedResource, span, message));
        }
    }

    /// Warns once a place of routes to the ramp of PEs whose program takes nothing from the color, where wavelets of a PE that
    /// sends on the color come, or no program uses the color at all.
    pub fn warn_no_receiver(&mut self, layout: &Layout, programs: &[Program], rectangle: Size) {
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
    pub fn warn_no_filter(&mut self, layout: &Layout, programs: &[Program], rectangle: Size) {
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
