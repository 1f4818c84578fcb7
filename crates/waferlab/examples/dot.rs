//! The dot product of two vectors on a row of PEs, checked against plain Rust.
//!
//! `cargo run --release -p waferlab --example dot`

use std::error::Error;
use std::path::Path;

use waferlab::{Arch, Area, Options, Runtime, compile};

const PES: u32 = 5;
const EACH: u32 = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let output = std::env::temp_dir().join(format!("waferlab-dot-{}", std::process::id()));
    for arch in [Arch::Wse2, Arch::Wse3] {
        let (sum, cycles) = on_the_wafer(arch, &output)?;
        println!("{arch}: {sum} in {cycles} cycles");
    }
    std::fs::remove_dir_all(&output)?;
    Ok(())
}

/// Compiles the program into a folder and runs it: the sum, and the cycles that the launch took.
pub fn on_the_wafer(arch: Arch, output: &Path) -> Result<(f32, u64), Box<dyn Error>> {
    let params = [("width", PES), ("n", EACH)].map(|(name, value)| (name.to_owned(), value.to_string()));
    let program = compile(&Options {
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dot"),
        output: output.to_owned(),
        params: params.to_vec(),
        memcpy: true,
        arch,
        ..Options::new("layout.csl")
    })?;
    print!("{}", program.warnings);

    let mut wafer = Runtime::open(&program.folder)?;
    wafer.load()?;
    wafer.run()?;
    let (a, b, sum) = (wafer.symbol("a")?, wafer.symbol("b")?, wafer.symbol("sum")?);

    // Small whole numbers, so that the sum is exact in any order.
    let first: Vec<f32> = (0..PES * EACH).map(|at| (at % 7) as f32).collect();
    let second: Vec<f32> = (0..PES * EACH).map(|at| (at % 5) as f32 - 2.0).collect();
    let row = Area::new(0, 0, PES, 1);
    wafer.memcpy_h2d(a, &first, row, EACH)?;
    wafer.memcpy_h2d(b, &second, row, EACH)?;
    wafer.launch("dot", &[0.5f32.into()])?;
    let found: Vec<f32> = wafer.memcpy_d2h(sum, Area::pe(PES - 1, 0), 1)?;
    wafer.stop()?;
    wafer.take_warnings().iter().for_each(|warning| eprintln!("{warning}"));

    let expected: f32 = first.iter().zip(&second).map(|(a, b)| 0.5 * a * b).sum();
    assert_eq!(found, [expected], "the wafer and plain Rust agree");
    let launch = wafer.requests().into_iter().find(|request| request.name == "dot");
    let span = launch.and_then(|launch| Some(launch.last? - launch.first?));
    Ok((expected, span.ok_or("the launch has ended")?))
}
