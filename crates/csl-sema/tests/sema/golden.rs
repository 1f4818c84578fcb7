//! Tiny programs in `tests/golden` and the IR that comes of them.

use crate::support::{Case, assert_snapshot_beside, programs, rendered, test_folder};

#[test]
fn ir() {
    for (path, text) in programs(&test_folder("golden")) {
        let analysis = Case::new(&text).analyze();
        let Some(wafer) = &analysis.wafer else { panic!("{}:\n{}", path.display(), rendered(&analysis)) };
        for program in &wafer.programs {
            if let Err(invalid) = csl_ir::validate(program) {
                panic!("{}: {invalid:?}", path.display());
            }
        }
        let dumps: Vec<String> = wafer.programs.iter().map(csl_ir::dump_program).collect();
        assert_snapshot_beside(&path, &dumps.join("\n"));
    }
}
