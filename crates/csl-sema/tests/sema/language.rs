//! Rules of the language, one comptime assertion each, in the programs of `tests/language`.

use std::path::Path;

use crate::support::{Case, invalid, programs, rendered};

#[test]
fn rules() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language");
    let mut broken = Vec::new();
    for (path, text) in programs(&folder) {
        let analysis = Case::new(&text).analyze();
        if analysis.wafer.is_err() || !analysis.diagnostics.is_empty() {
            broken.push(format!("{}:\n{}", path.display(), rendered(&analysis)));
        }
        for invalid in invalid(&analysis) {
            broken.push(format!("{}: {invalid}", path.display()));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}
