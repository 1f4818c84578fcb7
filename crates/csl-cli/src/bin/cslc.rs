/// A compilation makes and drops so many small pieces that the C library's allocator takes a sixth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    csl_cli::cslc::main()
}
