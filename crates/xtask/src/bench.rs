//! Benchmarks, in release: of the routers alone, and of whole programs.

use crate::shell::{cargo, root, run};
use crate::venv;

/// How much is measured, and how it is printed.
#[derive(clap::Args)]
pub struct Extent {
    /// A fraction of each: a check that all still run
    #[arg(long)]
    quick: bool,
    /// The whole wafer, too: minutes, and 8 GB of memory
    #[arg(long, conflicts_with = "quick")]
    full: bool,
    /// An object of JSON a line, of whole programs alone
    #[arg(long)]
    json: bool,
    /// With native code for scalar functions that have run long: the feature `jit`
    #[arg(long)]
    jit: bool,
}

/// All benchmarks, or those whose name holds `filter`.
pub fn all(filter: Option<&str>, extent: &Extent) -> Result<(), String> {
    if filter.is_none() && !extent.json {
        // By name: `--benches` would build the unit tests of every crate in release, too.
        let mut routers = cargo();
        routers.args(["bench", "-p", "waferlab-fabric", "--bench", "mesh", "--"]);
        run(routers.args(extent.quick.then_some("--quick")))?;
    }
    let mut command = cargo();
    command.args(["bench", "-p", "waferlab-bench", "--bench", "wafer"]);
    command.args(extent.jit.then_some("--features=jit")).arg("--").args(filter);
    for (flag, is_given) in [("--quick", extent.quick), ("--full", extent.full), ("--json", extent.json)] {
        command.args(is_given.then_some(flag));
    }
    run(&mut command)?;
    if filter.is_none_or(|filter| "launch".contains(filter)) {
        let mut launch = venv::ensure()?.command("python");
        run(launch.arg(root().join("crates/csl-bench/first_launch.py")).args(extent.json.then_some("--json")))?;
    }
    Ok(())
}
