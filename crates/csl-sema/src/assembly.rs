//! Layouts that the host describes, with `SdkLayout`, instead of a `layout` block: tiles, params and routes are given,
//! and only the PE programs are CSL.

use csl_diag::{Code, Diagnostic, Span};
use csl_ir::{Name, Route, Ty, TypedValue, Wafer};
use csl_machine::{Color, Coord, Size};
use csl_syntax::Symbol;
use csl_syntax::ast::{Item, VarKind};

use crate::context::{Res, Sema};
use crate::layout::{Instance, Layout};

/// A value for a param. A color binds to params of type `color` and to integers alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ParamValue {
    Int(i64),
    Color(Color),
}

/// The program of one kind of tile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    pub file: String,
    pub params: Vec<(String, ParamValue)>,
    /// The line that diagnostics show for the request of this program.
    pub description: String,
}

/// A whole layout. Coordinates are in PEs from the north-west corner.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    pub size: Size,
    pub kinds: Vec<Kind>,
    /// The kind of each tile, row by row: one more than its index in `kinds`; 0 for a tile without code.
    pub tiles: Vec<u32>,
    /// The routes, at most one for a tile and color.
    pub routes: Vec<Route>,
}

impl Sema<'_> {
    /// Analyses every program of `assembly`.
    pub(crate) fn run_assembly(&mut self, assembly: &Assembly) -> Res<Wafer> {
        let spans = self.describe(assembly);
        let is_legacy = self.takes_colors(assembly, &spans)?;
        // No statement sets the rectangle or the routes, so they stand at the place of the first kind.
        let Some(&place) = spans.first() else {
            return Err(self.fail(Diagnostic::unplaced(Code::NoLayout, "no tile of the layout has code")));
        };
        let mut layout = Layout { is_legacy, ..Layout::default() };
        layout.set_rectangle(assembly.size, place);
        layout.tiles.clone_from(&assembly.tiles);
        for route in &assembly.routes {
            layout.add_route(route.clone(), place).map_err(|diagnostic| self.fail(diagnostic))?;
        }
        for (at, (kind, span)) in assembly.kinds.iter().zip(spans).enumerate() {
            let instance = instance(assembly, at as u32 + 1, span);
            let (key, _) = layout.key(kind.file.as_str().into(), params(kind));
            layout.instances.insert(key, instance);
        }
        self.finish_layout(layout, assembly.size)
    }

    /// Puts the descriptions into a file of their own, so that diagnostics have lines to show.
    fn describe(&mut self, assembly: &Assembly) -> Vec<Span> {
        let mut text = String::new();
        let mut ranges = Vec::new();
        for kind in &assembly.kinds {
            let start = text.len();
            text.push_str(&kind.description);
            ranges.push((start, text.len()));
            text.push('\n');
        }
        let file = self.map.add("SdkLayout", text);
        ranges.into_iter().map(|(lo, hi)| Span::new(file, lo, hi)).collect()
    }

    /// Whether a program takes a color as a `color`, as up to SDK 1.4; since 2.10 programs take its number.
    fn takes_colors(&mut self, assembly: &Assembly, spans: &[Span]) -> Res<bool> {
        let mut found = false;
        for (kind, span) in assembly.kinds.iter().zip(spans) {
            let file = self.load_file(&kind.file, None, Some(*span))?;
            let is_given = |name: Symbol| {
                kind.params.iter().any(|(n, value)| n == name.as_str() && matches!(value, ParamValue::Color(_)))
            };
            found |= file.ast.items.iter().any(|item| match item {
                Item::Var(decl) if decl.kind == VarKind::Param && is_given(decl.name.name) => decl.is_of_color(),
                _ => false,
            });
        }
        Ok(found)
    }
}

fn params(kind: &Kind) -> Vec<(Name, TypedValue)> {
    kind.params.iter().map(|(name, param)| (Symbol::new(name).as_str(), value(param))).collect()
}

fn value(param: &ParamValue) -> TypedValue {
    match *param {
        ParamValue::Int(number) => TypedValue::int(Ty::COMPTIME_INT, number),
        ParamValue::Color(color) => TypedValue::int(Ty::COLOR, color.number()),
    }
}

fn instance(assembly: &Assembly, tile: u32, span: Span) -> Instance {
    let mut places = (0u32..).zip(&assembly.tiles).filter(|(_, t)| **t == tile).map(|(at, _)| at);
    let first = places.next().unwrap_or(0);
    let first = if assembly.tiles.is_empty() { Coord::default() } else { assembly.size.place(first) };
    Instance { span, first, tiles: 1 + places.count() as u32 }
}
