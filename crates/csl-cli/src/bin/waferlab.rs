#[global_allocator]
static ALLOCATOR: csl_cli::Allocator = csl_cli::Allocator;

fn main() -> std::process::ExitCode {
    csl_cli::waferlab::main()
}
