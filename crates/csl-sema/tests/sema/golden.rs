//! Compares the IR of tiny programs in `tests/golden` with snapshots.

use crate::support::{Case, assert_snapshot_beside, invalid, programs, rendered, test_folder};

#[test]
fn ir() {
    for (path, text) in programs(&test_folder("golden")) {
        let analysis = Case::new(&text).analyze();
        let Ok(wafer) = &analysis.wafer else { panic!("{}:\n{}", path.display(), rendered(&analysis)) };
        assert!(invalid(&analysis).is_empty(), "{}: {:?}", path.display(), invalid(&analysis));
        let dumps: Vec<String> = wafer.programs.iter().map(csl_ir::dump_program).collect();
        assert_snapshot_beside(&path, &dumps.join("\n"));
    }
}
