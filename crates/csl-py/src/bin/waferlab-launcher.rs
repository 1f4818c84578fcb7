//! Installed as `cslc`, `csdb`, `cs_readelf` and `sdk_debug_shell`: starts `waferlab`, which does their work.

fn main() -> std::process::ExitCode {
    csl_cli::names::launch()
}
