//! Benchmarks, in release: of the routers alone, and of whole programs.

use crate::shell::{cargo, run};

/// All benchmarks, or those whose name holds `filter`; `is_quick` runs a fraction of each.
pub fn all(filter: Option<&str>, is_quick: bool) -> Result<(), String> {
    let mut command = cargo();
    // By name: `--benches` would build the unit tests of every crate in release, too.
    command.args(["bench", "-p", "waferlab-fabric", "-p", "waferlab-host", "--bench", "mesh", "--bench", "wafer"]);
    command.arg("--").args(filter).args(is_quick.then_some("--quick"));
    run(&mut command)
}
