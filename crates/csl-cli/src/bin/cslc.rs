/// A compilation makes and drops small pieces by the hundred thousand, on two threads that wait for each other in the
/// allocator of the C library: a fifth of the time of a large one. The second version starts sooner than the third.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    csl_cli::cslc::main()
}
