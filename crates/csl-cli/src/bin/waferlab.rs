fn main() -> std::process::ExitCode {
    csl_cli::waferlab::main()
}
