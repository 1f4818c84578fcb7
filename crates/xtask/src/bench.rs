//! Benchmarks, in release: of the routers alone, and of whole programs.

use crate::shell::{cargo, run};

pub fn all(filter: Option<&str>) -> Result<(), String> {
    let mut command = cargo();
    // By name: `--benches` would build the unit tests of every crate in release, too.
    command.args(["bench", "-p", "waferlab-fabric", "-p", "waferlab-host", "--bench", "mesh", "--bench", "wafer"]);
    if let Some(filter) = filter {
        command.args(["--", filter]);
    }
    run(&mut command)
}
