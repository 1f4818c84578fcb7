//! A program in the style that the CSL back end of xDSL prints: every value typed, one comptime block an export,
//! parentheses around everything, commas behind last arguments, colors by number, names that only just are no keywords.

use std::path::Path;

use csl_host::{Argument, Options, Rect, Runtime, Sdk};
use tempfile::TempDir;

use crate::program;

fn running(output: &TempDir, sdk: Option<Sdk>) -> Runtime {
    let options = Options {
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/run/printed"),
        output: output.path().join("out"),
        sdk,
        memcpy: true,
        params: vec![("width".to_owned(), "3".to_owned())],
        ..Options::new("layout.csl")
    };
    program::started(&options)
}

fn read(runtime: &mut Runtime, symbol: &str, per_pe: u32) -> Vec<u32> {
    program::read(runtime, symbol, Rect::new(0, 0, 3, 1), per_pe).unwrap_or_else(|error| panic!("{error}"))
}

fn call(runtime: &mut Runtime, name: &str, arguments: &[Argument]) {
    program::call(runtime, name, arguments).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn runs_as_its_constructs_say() {
    for sdk in [None, Some(Sdk { major: 1, minor: 4 })] {
        check(sdk);
    }
}

fn check(sdk: Option<Sdk>) {
    let output = TempDir::new().expect("a temporary folder");
    let mut runtime = running(&output, sdk);
    call(&mut runtime, "initialize", &[]);
    call(&mut runtime, "gemv", &[]);
    // Row i of A holds 6 i to 6 i + 5, x ones and b twos.
    let floats = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>().repeat(3);
    assert_eq!(read(&mut runtime, "y_ptr", 4), floats(&[17.0, 53.0, 89.0, 125.0]));
    call(&mut runtime, "compute", &[Argument::Int(40), Argument::Int(2)]);
    let table = read(&mut runtime, "table_ptr", 10);
    assert_eq!(table, [10; 30]);
    // The sum begins at 8 and takes 2, 4, 6 and 8 of A; the last word went over the fabric to the data task.
    let border = [42, 5, 2, 7, 127, 44, 111, 28, 56, 5, 1, 42];
    let middle = [42, 5, 2, 7, 127, 44, 222, 28, 56, 5, 1, 42];
    assert_eq!(read(&mut runtime, "out_ptr", 12), [border, middle, border].concat());
    assert_eq!(read(&mut runtime, "A_ptr", 2)[..4], [9f32.to_bits(), 9f32.to_bits(), 0, 1f32.to_bits()]);
    assert_eq!(read(&mut runtime, "y_ptr", 1), [17f32.to_bits(), 9f32.to_bits(), 17f32.to_bits()]);
}
