//! Benchmarks: the `bench` targets of the crates, in release.

use crate::shell::{cargo, run};

pub fn all(filter: Option<&str>) -> Result<(), String> {
    let mut command = cargo();
    command.args(["bench", "--workspace", "--exclude", "csl-py", "--benches"]);
    if let Some(filter) = filter {
        command.args(["--", filter]);
    }
    run(&mut command)
}
