//! The environment variables that the commands, the runtime and the Python packages obey: one row each.

use std::ffi::OsString;

/// An environment variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it does, in Markdown.
    pub about: &'static str,
}

impl Variable {
    /// Its value, if it is set.
    pub fn value(&self) -> Option<OsString> {
        std::env::var_os(self.name)
    }

    /// Its value, if it is set and Unicode.
    pub fn text(&self) -> Option<String> {
        std::env::var(self.name).ok()
    }
}

macro_rules! variables {
    ($($constant:ident = $name:literal, $about:literal;)*) => {
        $(#[doc = $about] pub const $constant: Variable = Variable { name: $name, about: $about };)*

        /// Every variable.
        pub const ALL: &[Variable] = &[$($constant,)*];
    };
}

variables! {
    IMPORT_PATH = "CSL_IMPORT_PATH", "Folders, with colons between them, in which `cslc` looks for `<...>` of `@import_module` and `@set_tile_code`, behind those of `--import-path` and before its own library.";
    MAX_CYCLES = "WAFERLAB_MAX_CYCLES", "Ends a run in this cycle, or soon behind it where all PEs stand, with a report of where each PE is. `waferlab run --max-cycles` goes before it.";
    OUTPUT_FOLDER = "WAFERLAB_OUTPUT_FOLDER", "The folder for `sim.log`, `sim_stats.json` and `simfab_traces`, made if it is not there; the argument of `SdkRuntime` goes before it. The working directory is usual.";
    CHECK = "WAFERLAB_CHECK", "1: PEs look for mistakes of their programs, and what they find is told at the end; `stop`: the first ends the run. `waferlab run --check` and `SdkRuntime(check=)` go before it.";
    SCHEDULE = "WAFERLAB_SCHEDULE", "The number of a schedule: the run takes other orders and delays than the machine's own, all of them legal, so that only races change its results. `waferlab run --schedule` goes before it; `waferlab explore` tries many.";
    UNTIMED = "WAFERLAB_UNTIMED", "1: runs have no clock, and go several times faster. Memory, faults and deadlocks are meant to be those of a run with one where the program has no race (not proven: compare once); reading the time is refused, and so are logs of wavelets and schedules. `own-time`: the same, but reads of the time give a PE's own, which grows and means nothing else. `waferlab run --untimed` and `SdkRuntime(untimed=True)` go before it.";
    JIT = "WAFERLAB_JIT", "0: no function runs in native code. A number: a function does after so many jumps and calls (10000 is usual). Without effect in builds without the feature `jit` (`cargo build --release -p waferlab-cli --features jit`). Nothing but the time that a run takes depends on it.";
    LOG = "SIMFABRIC_DEBUG", "What a run writes to `sim.log`, with commas between: `landing` (wavelets that reach a router), `inst_trace` (instructions), `router` (switches), `wavelet` (wavelets that leave a router). `landing@P5.2` logs the PE in column 5, row 2 of the whole fabric alone.";
    LOG_IN_SINGULARITY = "SINGULARITYENV_SIMFABRIC_DEBUG", "Read where `SIMFABRIC_DEBUG` is not set: the name under which Singularity passes it into a container.";
    LOG_IN_APPTAINER = "APPTAINERENV_SIMFABRIC_DEBUG", "Read where neither of the two before is set: the name under which Apptainer passes it into a container.";
    SUPPRESS_TRACES = "CSL_SUPPRESS_SIMFAB_TRACE", "Anything but 0: `SdkRuntime` does not make the (empty) folder `simfab_traces`.";
    NO_COLOR = "NO_COLOR", "Anything: diagnostics and reports have no colours, unless `--color=always` is given.";
    FORCE_COLOR = "CLICOLOR_FORCE", "Anything but 0: diagnostics and reports have colours where standard error is no terminal, too. `NO_COLOR` goes before it.";
    STATE_HOME = "XDG_STATE_HOME", "The folder under which `csdb` keeps the lines of its sessions on a terminal, in `waferlab/csdb_history`.";
    HOME = "HOME", "Read where `XDG_STATE_HOME` is not set: `~/.local/state` stands for it.";
    TERMINAL = "TERM", "`dumb`: diagnostics and reports have no colours.";
}
