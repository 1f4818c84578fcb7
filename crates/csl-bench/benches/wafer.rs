//! Measures how fast programs compile and run: `cargo xtask bench`, or `cargo bench -p waferlab-bench`. One thread, but where two are
//! named.
//!
//! Lines end with a ratio to something that is measured in the same run, so that figures of different machines and of
//! noisy ones can be compared. `--quick` runs a fraction of each: a check that all still run, or for callgrind. `--full` runs the
//! whole wafer, too: minutes, and 8 GB of memory. `--json` prints an object a line.

use std::sync::LazyLock;

use csl_bench::{Figure, Program, beside, native_step, print, seconds, wall, word_of_each};
use csl_host::{Copy, Rect, Spread};

/// How much of the work is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Quick,
    Normal,
    Full,
}

fn has(flag: &str) -> bool {
    std::env::args().any(|arg| arg == flag)
}

static EXTENT: LazyLock<Extent> = LazyLock::new(|| match (has("--quick"), has("--full")) {
    (true, _) => Extent::Quick,
    (false, true) => Extent::Full,
    (false, false) => Extent::Normal,
});

/// An amount of work.
fn amount(normal: u32, quick: u32) -> u32 {
    if *EXTENT == Extent::Quick { quick } else { normal }
}

/// The rectangle of a whole WSE-2, and its fabric.
const WAFER: (u32, u32) = (750, 994);
const WAFER_FABRIC: (u32, u32) = (757, 996);

/// A 32x32 mesh where every PE streams to its neighbour all the time. A PE sends and receives on two threads, which take
/// turns at the issue slot: a hop every second cycle.
fn mesh() -> Vec<Figure> {
    const SIDE: u32 = 32;
    let words = amount(5_000, 200);
    let (seconds, _) = Program::new("tests/timing/mesh", &[("side", SIDE), ("n", words)]).run(SIDE, SIDE, 1);
    let hops = f64::from(SIDE * (SIDE - 1) * words);
    let name = format!("mesh {SIDE}x{SIDE}, every PE streams to one neighbour");
    vec![Figure::new(name, hops / seconds / 1e6, "M wavelet-hops/s").mark(25.0).takes(seconds * 1e9 / hops)]
}

/// The same to all neighbours.
fn mesh_four() -> Vec<Figure> {
    const SIDE: u32 = 32;
    let words = amount(1_000, 50);
    let (seconds, _) = Program::new("tests/timing/mesh-four", &[("side", SIDE), ("n", words)]).run(SIDE, SIDE, 1);
    let hops = f64::from(4 * SIDE * (SIDE - 1) * words);
    let name = format!("mesh {SIDE}x{SIDE}, every PE streams to four neighbours");
    vec![Figure::new(name, hops / seconds / 1e6, "M wavelet-hops/s").mark(10.0).takes(seconds * 1e9 / hops)]
}

/// One thread and two on a mesh of 128 x 128, by the clock.
fn threads() -> Vec<Figure> {
    const SIDE: u32 = 128;
    let words = amount(300, 20);
    let time = |threads| {
        let program = Program::new("tests/timing/mesh", &[("side", SIDE), ("n", words)]).threads(threads);
        program.run_by(wall, SIDE, SIDE, 1).0
    };
    let (one, two) = (time(1), time(2));
    vec![Figure::new(format!("mesh {SIDE}x{SIDE}, two threads against one"), one / two, "times as fast").mark(1.8)]
}

/// The reductions of 4,096 32-bit words over 512 PEs; every word crosses every link.
fn reductions() -> Vec<Figure> {
    let n = amount(4096, 256);
    let chain = Program::new("tests/timing/chain", &[("n", n), ("width", 512)]);
    let two_phase = Program::new("tests/timing/two-phase", &[("n", n), ("width", 512), ("s", 32), ("pauses", 0)]);
    let figure = |(name, program): (&str, Program)| {
        let (seconds, _) = program.run(512, 1, 1);
        let figure = Figure::new(format!("reduction 512x1 of {n} words, {name}"), seconds, "s");
        figure.mark(0.08).takes(seconds * 1e9 / (512.0 * f64::from(n)))
    };
    [("chain", chain), ("two-phase", two_phase)].map(figure).into()
}

/// A triple loop of f32 multiply-adds on every PE, and the same in an interpreter of WebAssembly.
fn compute() -> Vec<Figure> {
    const SIDE: u32 = 8;
    const N: f64 = 32.0;
    let rounds = amount(4, 1);
    let step = |program: Program, rounds: u32| {
        program.run(SIDE, SIDE, 1).0 * 1e9 / (f64::from(SIDE * SIDE * rounds) * N * N * N)
    };
    let product = |rounds| Program::new("tests/timing/matmul", &[("side", SIDE), ("rounds", rounds)]);
    let ours = step(product(rounds).interpreted(), rounds);
    let theirs = beside::wasmi_step(amount(200, 20));
    let mut figures = vec![
        Figure::new(format!("matrix product in scalar code on {SIDE}x{SIDE} PEs"), ours, "ns a multiply-add")
            .takes(ours),
        Figure::new("the same loop in wasmi", theirs, "ns a multiply-add").takes(theirs),
        Figure::new("scalar code against wasmi", ours / theirs, "times as long").mark(1.0),
    ];
    if cfg!(feature = "jit") {
        let rounds = amount(40, 4);
        let native = step(product(rounds), rounds);
        figures.push(Figure::new("scalar multiply-add (JIT)", native, "ns").mark(2.0).takes(native));
    }
    figures
}

/// `@fmacs` over 2,048 f32, and the same in native code.
fn vectors() -> Vec<Figure> {
    const N: u16 = 2048;
    let calls = amount(2_000, 100);
    let program = Program::new("tests/timing/vector", &[("kind", 6), ("n", N.into())]);
    // A call costs more than its operation.
    let empty = Program::new("tests/timing/vector", &[("kind", 6), ("n", 1)]);
    let (whole, _) = program.run(1, 1, calls);
    let (calling, _) = empty.run(1, 1, calls);
    let ours = (whole - calling) * 1e9 / (f64::from(N) * f64::from(calls));
    let theirs = beside::native_multiply_add(N, amount(100_000, 5_000));
    vec![
        Figure::new(format!("@fmacs over {N} f32"), ours, "ns an element").takes(ours),
        Figure::new("the same in native code", theirs, "ns an element").takes(theirs),
        Figure::new("@fmacs against native code", ours / theirs, "times as long").mark(3.0),
    ]
}

/// A data task for each wavelet.
fn tasks() -> Vec<Figure> {
    const WORDS: u32 = 8_000;
    let calls = amount(50, 3);
    let (seconds, _) = Program::new("tests/timing/data-task", &[("n", WORDS)]).run(2, 1, calls);
    let each = seconds * 1e9 / f64::from(WORDS * calls);
    vec![Figure::new("a data task for each wavelet", each, "ns a task, its wavelet included").mark(150.0).takes(each)]
}

/// 32-bit words to the device and back: a million to 32 x 32 PEs, and one to each PE of a wafer.
fn copies() -> Vec<Figure> {
    let (side, per_pe) = (32, 1024);
    let mut figures = vec![copy((side, side), per_pe, 4.0)];
    if *EXTENT == Extent::Full {
        figures.push(copy(WAFER, 1, 300.0));
    }
    figures
}

fn copy((width, height): (u32, u32), per_pe: u32, mark: f64) -> Figure {
    let mut runtime = Program::new("tests/timing/idle", &[("width", width), ("height", height), ("n", per_pe)]).load();
    let data = runtime.id("data").expect("data is exported").into();
    let copy = Copy::of(Rect::new(0, 0, width, height), per_pe);
    let count = width * height * per_pe;
    let words: Vec<u32> = (0..count).collect();
    let start = seconds();
    let there = runtime.h2d(data, &words[..], &copy, Spread::Each).expect("the copy is taken");
    runtime.wait(there).expect("it ends");
    let back = runtime.d2h(data, words.len(), &copy).expect("the copy is taken");
    runtime.wait(back).expect("it ends");
    let seconds = seconds() - start;
    assert!(runtime.take_arrived()[0].1 == words, "what comes back is what went there");
    let name = format!("{count} words to {width}x{height} PEs and back");
    Figure::new(name, seconds * 1e3, "ms").mark(mark).takes(seconds * 1e9 / f64::from(count))
}

/// A square of PEs with nearly no work: compiled, loaded, called once, and stamps read from all.
fn idle() -> Vec<Figure> {
    let side = amount(512, 128);
    let program = Program::new("tests/timing/idle", &[("width", side), ("height", side), ("n", 4)]);
    let start = seconds();
    let (ran, _) = program.run(side, side, 1);
    let name = format!("{side}x{side} PEs with nearly nothing to do");
    let each = ran * 1e9 / f64::from(side * side);
    vec![
        Figure::new(format!("{name}: compile and load"), seconds() - start - ran, "s"),
        Figure::new(format!("{name}: a call and a copy of a word of each"), ran, "s").takes(each),
    ]
}

/// One busy PE: alone on its fabric, alone on the fabric of a wafer, and among the PEs of a wafer that have nothing to do.
fn busy() -> Vec<Figure> {
    let rounds = amount(60, 2);
    let program = |(width, height)| {
        Program::new("tests/timing/busy", &[("width", width), ("height", height), ("rounds", rounds)])
    };
    let (alone, _) = program((1, 1)).run(1, 1, 1);
    let (on_wafer, _) = program((1, 1)).on_fabric(WAFER_FABRIC.0, WAFER_FABRIC.1).run(1, 1, 1);
    let name = "a busy PE on the fabric of a wafer against one on 1x1 PEs";
    let mut figures = vec![Figure::new(name, on_wafer / alone, "times as long").mark(1.2)];
    if *EXTENT == Extent::Full {
        let (among, _) = program(WAFER).run(WAFER.0, WAFER.1, 1);
        figures.push(Figure::new(
            "the same among the PEs of a wafer, all of which are called",
            among - alone,
            "s more",
        ));
    }
    figures
}

/// `cslc` on small programs and on the Jacobi solver, whose PEs know their coordinates.
fn compilation() -> Vec<Figure> {
    let time = |program: Program| {
        let start = seconds();
        program.compile();
        seconds() - start
    };
    let walkthrough = || Program::new("examples/memcpy-walkthrough", &[("n", 16)]).of_any_release();
    time(walkthrough());
    let least = (0..amount(20, 2)).map(|_| time(walkthrough())).fold(f64::INFINITY, f64::min);
    let side = amount(128, 32);
    let mut figures = vec![
        Figure::new("compile the walk-through", least * 1e3, "ms").mark(10.0),
        Figure::new(format!("compile a Jacobi solver on {side}x{side} PEs"), time(jacobi(side, side, 1)), "s")
            .mark(0.5),
    ];
    if *EXTENT == Extent::Full {
        let program = jacobi(WAFER.0, WAFER.1, 1);
        figures.push(Figure::new("compile a Jacobi solver on a wafer", time(program), "s").mark(10.0));
    }
    figures
}

fn jacobi(width: u32, height: u32, steps: u32) -> Program {
    let params = [("width", width), ("height", height), ("cells", 64), ("steps", steps)];
    Program::new("examples/wafer-jacobi", &params).of_any_release()
}

/// Steps of the Jacobi solver with 64 f32 a PE on two threads, by the clock of the wall: with a clock of the machine and
/// without.
fn stencil() -> Vec<Figure> {
    let time = |(width, height), steps, untimed| {
        let program = jacobi(width, height, steps).threads(2);
        let mut runtime = if untimed { program.untimed() } else { program }.load();
        let start = wall();
        runtime.launch("run", &[]).expect("the call is taken");
        word_of_each(&mut runtime, "column", width, height);
        wall() - start
    };
    let side = amount(128, 32);
    let steps = if *EXTENT == Extent::Full { 10 } else { 1 };
    let name = |width, height, steps, untimed| {
        let how = if untimed { ", without a clock" } else { "" };
        format!("Jacobi solver on {width}x{height} PEs, {steps} steps, two threads{how}")
    };
    let figure = |(width, height), steps, untimed| {
        Figure::new(name(width, height, steps, untimed), time((width, height), steps, untimed), "s")
    };
    let timed = figure((side, side), steps, false);
    let mut figures = vec![if steps == 10 { timed.mark(3.0) } else { timed }, figure((side, side), steps, true)];
    if *EXTENT == Extent::Full {
        figures.push(figure(WAFER, 1, false));
        figures.push(figure(WAFER, 10, true).mark(60.0));
    }
    figures
}

/// Measures a few figures.
type Bench = fn() -> Vec<Figure>;

fn main() {
    let step = native_step(amount(20_000_000, 2_000_000));
    let as_json = has("--json");
    print(&[Figure::new("native step (dependent multiply, add, look-up)", step, "ns")], step, as_json);
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let benches: [(&str, Bench); 12] = [
        ("mesh", mesh),
        ("four", mesh_four),
        ("threads", threads),
        ("reductions", reductions),
        ("compute", compute),
        ("vectors", vectors),
        ("tasks", tasks),
        ("copies", copies),
        ("idle", idle),
        ("busy", busy),
        ("compilation", compilation),
        ("stencil", stencil),
    ];
    for (_, bench) in benches.iter().filter(|(name, _)| name.contains(&filter)) {
        print(&bench(), step, as_json);
    }
}
