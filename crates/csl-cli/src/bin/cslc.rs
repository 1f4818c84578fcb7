fn main() -> std::process::ExitCode {
    csl_cli::cslc::main()
}
