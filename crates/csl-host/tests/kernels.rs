//! The kernels that programs launch by the names that they export.

use csl_host::{Argument, Copy, Options, Rect, Runtime, Spread};

use crate::program::{read as read_all, running_files};

const FFT: &str = "
const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = 2, .height = 2 });
const fft = @import_module(\"<kernels/fft/fft3d_layout>\", .{ .width = 2, .memcpy = memcpy });
layout {
  @set_rectangle(2, 2);
  fft.FFT_kernel(2, 4, f32);
}
";

/// Numbers of a PE of 2 x 2 in a transform of 4 x 4 x 4: real and imaginary parts of 16.
const PARTS: u32 = 32;

fn all(per_pe: u32) -> Copy {
    let rect = Rect::new(0, 0, 2, 2);
    Copy::of(rect, per_pe)
}

fn write(runtime: &mut Runtime, symbol: &str, values: &[f32]) {
    let id = runtime.id(symbol).unwrap_or_else(|error| panic!("{error}")).into();
    let words: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
    let task = runtime.h2d(id, words, &all(values.len() as u32 / 4), Spread::Each).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
}

fn read(runtime: &mut Runtime, symbol: &str, per_pe: u32) -> Vec<u32> {
    read_all(runtime, symbol, Rect::new(0, 0, 2, 2), per_pe).unwrap_or_else(|error| panic!("{error}"))
}

fn call(runtime: &mut Runtime, function: &str, arguments: &[i64]) {
    let arguments: Vec<_> = arguments.iter().map(|&value| Argument::Int(value.into())).collect();
    let task = runtime.launch(function, &arguments).unwrap_or_else(|error| panic!("{error}"));
    runtime.wait(task).expect("the call ends");
}

/// A single one becomes ones, and those become a single one again.
#[test]
fn the_transform_exports_its_functions_and_symbols() {
    let (_folder, mut runtime) = running_files(&[("layout.csl", FFT)], Options::new("layout.csl"));
    // cos and sin of 0 and of a quarter turn.
    write(&mut runtime, "twiddle_array", &[1.0, 0.0, 0.0, 1.0].repeat(4));
    let single: Vec<f32> = (0..4 * PARTS).map(|i| if i == 0 { 1.0 } else { 0.0 }).collect();
    let ones: Vec<f32> = (0..4 * PARTS).map(|i| if i % 2 == 0 { 1.0 } else { 0.0 }).collect();
    let forms: [(&str, &[i64], &str, &[i64]); 2] =
        [("csfftExecC2C", &[0, 0], "csfftExecC2C", &[0, 1]), ("csfftExecR2C", &[0], "csfftExecC2R", &[0])];
    for (forward, there, inverse, back) in forms {
        write(&mut runtime, "X", &single);
        call(&mut runtime, forward, there);
        let numbers = |words: Vec<u32>| words.into_iter().map(f32::from_bits).collect::<Vec<_>>();
        assert_eq!(numbers(read(&mut runtime, "X", PARTS)), ones, "{forward}");
        call(&mut runtime, inverse, back);
        assert_eq!(numbers(read(&mut runtime, "X", PARTS)), single, "{inverse}");
    }
    let cycles = read(&mut runtime, "fft_time", 2);
    assert!(cycles.chunks(2).all(|time| time[0] > 100 && time[1] == 0), "{cycles:?}");
}
