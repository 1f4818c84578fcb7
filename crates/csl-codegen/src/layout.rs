//! The tiles, routes and exports of an image, by runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use csl_image::{self as image, ExportKind, ParamType, RouteRun};
use csl_ir::{self as ir, ExportName, Route, Ty, TypeKind, Types};
use csl_machine::{Color, ColorConfig, TileRun};
use indexmap::IndexSet;

pub fn tiles(wafer: &ir::Wafer) -> Vec<TileRun> {
    let mut tiles = wafer.tiles.clone();
    tiles.sort_by_key(|run| (run.y, run.x));
    tiles
}

/// Routes by color, row and column, with neighbours of equal configuration joined; and the distinct configurations.
pub fn routes(routes: &[Route]) -> (Vec<RouteRun>, Vec<ColorConfig>) {
    let mut by_color: BTreeMap<Color, Vec<&Route>> = BTreeMap::new();
    for route in routes {
        by_color.entry(route.color).or_default().push(route);
    }
    let mut configs = IndexSet::new();
    let mut last: Option<(&Arc<ColorConfig>, u32)> = None;
    let mut runs: Vec<RouteRun> = Vec::new();
    for route in by_color.values().flatten() {
        let config = match last {
            Some((config, number)) if Arc::ptr_eq(config, &route.config) => number,
            _ => configs.insert_full(ColorConfig::clone(&route.config)).0 as u32,
        };
        last = Some((&route.config, config));
        let run = RouteRun { x: route.x, y: route.y, len: 1, color: route.color, config };
        match runs.last_mut() {
            Some(last) if continues(last, &run) => last.len += 1,
            _ => runs.push(run),
        }
    }
    (runs, configs.into_iter().collect())
}

fn continues(last: &RouteRun, run: &RouteRun) -> bool {
    (last.color, last.y, last.config, last.x + last.len) == (run.color, run.y, run.config, run.x)
}

pub fn exports(exports: &[ExportName], types: &Types) -> Vec<image::Export> {
    let mut table: Vec<image::Export> = exports.iter().map(|export| self::export(export, types)).collect();
    table.sort_by_key(|export| export.id);
    table
}

fn export(export: &ExportName, types: &Types) -> image::Export {
    let kind = match types.kind(export.ty) {
        TypeKind::Fn(f) => ExportKind::Function { params: f.params.iter().map(|&ty| param(types, ty)).collect() },
        _ => data(types, export),
    };
    image::Export { name: export.name.to_string(), id: export.id, ty: types.show(export.ty), kind }
}

fn data(types: &Types, export: &ExportName) -> ExportKind {
    let ParamType { bytes, is_float, is_signed, .. } = param(types, element(types, export.ty));
    ExportKind::Data { mutable: export.mutable.unwrap_or(false), elem_bytes: bytes, is_float, is_signed }
}

/// The element type of an array, or of a pointer to one.
fn element(types: &Types, ty: Ty) -> Ty {
    match types.kind(ty) {
        TypeKind::Array { elem, .. } | TypeKind::Ptr { elem, .. } => element(types, *elem),
        _ => ty,
    }
}

fn param(types: &Types, ty: Ty) -> ParamType {
    let bytes = csl_ir::size_of(types, ty).and_then(|size| u8::try_from(size).ok()).unwrap_or(0);
    ParamType {
        name: types.show(ty),
        bytes,
        is_float: matches!(types.kind(ty), TypeKind::Float(_)),
        is_signed: matches!(types.kind(ty), TypeKind::Int { signed: true, .. }),
    }
}
