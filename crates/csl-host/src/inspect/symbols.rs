//! Shows the names that the host may use.

use csl_image::{ExportKind, Image};
use serde_json::{Value, json};

pub(super) fn text(image: &Image) -> String {
    let mut out = format!("{:>4}  {:<24} {:<28} {}\n", "id", "symbol", "type", "use");
    for export in &image.exports {
        out += &format!("{:4}  {:<24} {:<28} {}\n", export.id, export.name, export.ty, kind(&export.kind));
    }
    out
}

fn kind(kind: &ExportKind) -> &'static str {
    match kind {
        ExportKind::Data { mutable: true, .. } => "read, write",
        ExportKind::Data { mutable: false, .. } => "read",
        ExportKind::Function { .. } => "launch",
    }
}

pub(super) fn json(image: &Image) -> Value {
    let export = |export: &csl_image::Export| json!({ "id": export.id, "name": export.name, "type": export.ty, "use": kind(&export.kind) });
    json!(image.exports.iter().map(export).collect::<Vec<Value>>())
}
