//! Turns the image's routes into the fabric's table.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use csl_fabric::{RouteSet, RouteTable};
use csl_image::Image;
use csl_machine::{Color, ColorConfig, ProgramId};
use indexmap::{IndexMap, IndexSet};

/// The routes of the program's rectangle, those that programs set at their own tile included.
pub(crate) fn table(image: &Image) -> RouteTable {
    let mut configs: Vec<ColorConfig> = image.color_configs.clone();
    let mut spans = layout_spans(image);
    add_programs(image, &mut spans, &mut configs);
    let mut sets: IndexSet<RouteSet> = IndexSet::new();
    let rows = (0..image.rect.height).map(|y| {
        let spans = spans.get(&y).map(Vec::as_slice).unwrap_or_default();
        split(spans).into_iter().map(|(x, len, set)| (x, len, sets.insert_full(set).0 as u32)).collect()
    });
    let rows = rows.collect();
    RouteTable::new(image.rect.width, rows, sets.into_iter().collect(), configs)
}

/// Tiles with a program, or one color, from column `x` up to `end`.
#[derive(Clone, Copy)]
struct Span {
    x: u32,
    end: u32,
    what: What,
}

/// The content of a span. Of several for one tile and color the first counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A route of the layout: color and configuration.
    Layout(Color, u32),
    /// A route of the program's own.
    Local(Color, u32),
    Program,
}

fn layout_spans(image: &Image) -> BTreeMap<u32, Vec<Span>> {
    let mut spans: BTreeMap<u32, Vec<Span>> = BTreeMap::new();
    for run in &image.routes {
        let span = Span { x: run.x, end: run.x + run.len, what: What::Layout(run.color, run.config) };
        spans.entry(run.y).or_default().push(span);
    }
    spans
}

/// Adds the tiles that have a program, and their `@set_local_color_config`. Where the layout routes the color too, the
/// layout's route counts.
fn add_programs(image: &Image, spans: &mut BTreeMap<u32, Vec<Span>>, configs: &mut Vec<ColorConfig>) {
    let mut known: IndexMap<(ProgramId, Color), u32> = IndexMap::new();
    for tiles in &image.tiles {
        let span = |what| Span { x: tiles.x, end: tiles.x + tiles.len, what };
        spans.entry(tiles.y).or_default().push(span(What::Program));
        for (color, local) in &image.programs[tiles.program].colors {
            let config = *known.entry((tiles.program, *color)).or_insert_with(|| {
                configs.push(local.clone());
                configs.len() as u32 - 1
            });
            spans.entry(tiles.y).or_default().push(span(What::Local(*color, config)));
        }
    }
}

/// Cuts a row where any color or program starts or ends; parts without either are left out.
fn split(spans: &[Span]) -> Vec<(u32, u32, RouteSet)> {
    let cuts: BTreeSet<u32> = spans.iter().flat_map(|span| [span.x, span.end]).collect();
    let cuts: Vec<u32> = cuts.into_iter().collect();
    let mut by_start: Vec<Span> = spans.to_vec();
    by_start.sort_by_key(|span| span.x);
    let mut open: Vec<Span> = Vec::new();
    let mut next = by_start.into_iter().peekable();
    let mut pieces = Vec::new();
    for pair in cuts.windows(2) {
        open.retain(|span| span.end > pair[0]);
        while let Some(span) = next.next_if(|span| span.x == pair[0]) {
            open.push(span);
        }
        open.sort_by_key(|span| span.what);
        let mut set: BTreeMap<Color, u32> = BTreeMap::new();
        for span in &open {
            if let What::Layout(color, config) | What::Local(color, config) = span.what {
                set.entry(color).or_insert(config);
            }
        }
        if !open.is_empty() {
            pieces.push((pair[0], pair[1] - pair[0], set.into_iter().collect()));
        }
    }
    pieces
}
