//! Runs of the programs in `tests/timing`, and the figures read from them.

use std::path::{Path, PathBuf};

use csl_host::{Arch, Argument, Copy, LogKinds, Options, Rect, Runtime, Settings, Size, Spread, compile};
use tempfile::TempDir;

use crate::program;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/timing")
}

/// Compiles a program into a folder of its own, and loads it.
fn opened(program: &str, arch: Arch, params: &[(&str, u32)]) -> (TempDir, Runtime) {
    let output = TempDir::new().expect("a temporary folder");
    let options = Options {
        folder: folder().join(program),
        output: output.path().join("out"),
        arch,
        params: params.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        memcpy: true,
        fabric_offsets: Some((4, 1).into()),
        ..Options::new("layout.csl")
    };
    let done = compile(&options);
    assert!(done.succeeded(), "{program}: {}", program::text(&done));
    let runtime = Runtime::open(&output.path().join("out"), Settings::new(1));
    (output, runtime.expect("the program opens"))
}

fn running(program: &str, arch: Arch, params: &[(&str, u32)]) -> (TempDir, Runtime) {
    let (output, mut runtime) = opened(program, arch, params);
    runtime.load().expect("load() comes first");
    runtime.run().expect("run() comes second");
    (output, runtime)
}

fn call(runtime: &mut Runtime, name: &str, arguments: &[Argument]) {
    program::call(runtime, name, arguments).unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// The clocks of each PE at the beginning and at the end, in cycles.
pub struct Stamps(Vec<(i64, i64)>);

impl Stamps {
    fn read(runtime: &mut Runtime, width: u32, height: u32) -> Stamps {
        let words = program::read(runtime, "stamps", Rect::new(0, 0, width, height), 6).expect("the stamps are read");
        let number = |words: &[u32]| words.iter().rev().fold(0, |high, word| high << 16 | i64::from(*word));
        Stamps(words.chunks(6).map(|pe| (number(&pe[..3]), number(&pe[3..]))).collect())
    }

    pub fn durations(&self) -> Vec<i64> {
        self.0.iter().map(|(begin, end)| end - begin).collect()
    }

    pub fn longest(&self) -> i64 {
        self.durations().into_iter().max().expect("a PE")
    }

    pub fn mean(&self) -> f64 {
        self.durations().iter().sum::<i64>() as f64 / self.0.len() as f64
    }

    /// Cycles from the first beginning to the last end.
    pub fn spread(&self) -> i64 {
        let begin = self.0.iter().map(|stamp| stamp.0).min();
        let end = self.0.iter().map(|stamp| stamp.1).max();
        end.expect("a PE") - begin.expect("a PE")
    }
}

/// Launches `measure` and reads the stamps.
pub fn stamped(program: &str, arch: Arch, params: &[(&str, u32)], width: u32, height: u32) -> Stamps {
    let (_output, mut runtime) = running(program, arch, params);
    call(&mut runtime, "measure", &[]);
    Stamps::read(&mut runtime, width, height)
}

/// One kernel of `tests/timing/window`, on random data.
pub fn window(arch: Arch, kernel: u32, n: u32) -> i64 {
    let (_output, mut runtime) = running("window", arch, &[("kernel", kernel), ("n", n)]);
    let words: Vec<u32> = match kernel {
        // Numbers below 16 x 64.
        8 => (0..n).map(|i| i * 389 % 1024).collect(),
        7 => normal(n * n, 1.0),
        9 | 10 => normal(n * n * n, 1.0),
        12 | 13 => Vec::new(),
        6 => normal(n, 3.0),
        _ => normal(n, 1.0),
    };
    for symbol in ["x", "y"] {
        if words.is_empty() || kernel == 8 && symbol == "y" {
            continue;
        }
        let id = runtime.id(symbol).expect("the symbol is exported").into();
        let rect = Rect::new(0, 0, 1, 1);
        let per_pe = words.len() as u32;
        let copy = Copy::of(rect, per_pe);
        let task = runtime.h2d(id, &words[..], &copy, Spread::Each).expect("the copy is taken");
        runtime.wait(task).expect("the copy arrives");
    }
    call(&mut runtime, "measure", &[]);
    Stamps::read(&mut runtime, 1, 1).longest()
}

/// Standard normal numbers times `scale`: sums of twelve uniform ones, of a linear congruence.
fn normal(count: u32, scale: f32) -> Vec<u32> {
    let mut state: u32 = 12345;
    let mut uniform = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0
    };
    (0..count).map(|_| (scale * ((0..12).map(|_| uniform()).sum::<f32>() - 6.0)).to_bits()).collect()
}

pub fn collectives(size: u32, rows: u32, columns: u32, kind: u32) -> Stamps {
    let params = [("size", size), ("rows", rows), ("columns", columns), ("kind", kind)];
    let (_output, mut runtime) = running("collectives", Arch::Wse3, &params);
    call(&mut runtime, "start_clock", &[]);
    call(&mut runtime, "measure", &[]);
    Stamps::read(&mut runtime, size, size)
}

/// `sim.log` of a run of `launch`.
fn logged(program: &str, arch: Arch, params: &[(&str, u32)], kinds: &str, launch: (&str, &[Argument])) -> String {
    let (output, mut runtime) = opened(program, arch, params);
    let log = output.path().join("sim.log");
    runtime.log_to(log.clone(), LogKinds::parse(kinds).0);
    runtime.load().expect("load() comes first");
    runtime.run().expect("run() comes second");
    call(&mut runtime, launch.0, launch.1);
    runtime.rest().expect("the program comes to its end");
    runtime.stop().expect("it ends");
    runtime.flush_log().expect("the folder is writable");
    std::fs::read_to_string(log).expect("the log is text")
}

/// The cycles of the lines that hold all of `words`.
fn cycles<'a>(log: &'a str, words: &'a [&str]) -> impl Iterator<Item = i64> + 'a {
    let chosen = log.lines().filter(move |line| words.iter().all(|word| line.contains(word)));
    chosen.map(|line| {
        let cycle = line.trim_start_matches('@').split(' ').next().unwrap_or_default();
        cycle.parse().unwrap_or_else(|_| panic!("a line begins with its cycle: {line}"))
    })
}

/// The last instruction of the rectangle's PE (1, 1).
fn last_instruction(log: &str) -> i64 {
    cycles(log, &[" P5.2: ", "[IS OP]"]).max().expect("the PE has run")
}

/// Cycles a step of the stencil takes with one point a PE.
pub fn star_step(arch: Arch, side: u32) -> i64 {
    let end = |steps| {
        let params = [("width", side), ("height", side), ("steps", steps)];
        last_instruction(&logged("star", arch, &params, "inst_trace", ("measure", &[])))
    };
    (end(4) - end(2)) / 2
}

/// Cycles a step of the stencil takes with a tile on each PE. Grids are padded to whole tiles.
pub fn tile_step(arch: Arch, tile: Size, grid: Size) -> i64 {
    let params = [
        ("tile_width", tile.width),
        ("tile_height", tile.height),
        ("width", (grid.width - 4).div_ceil(tile.width) + 2),
        ("height", (grid.height - 4).div_ceil(tile.height) + 2),
    ];
    let end = |steps: u32| {
        let arguments = [Argument::Int(steps.into())];
        last_instruction(&logged("tiles", arch, &params, "inst_trace", ("measure", &arguments)))
    };
    (end(4) - end(2)) / 2
}

/// Cycles from issue to issue of the 25 operations in two loops of five.
pub fn issues_of_two_loops() -> Vec<i64> {
    let log = logged("window", Arch::Wse2, &[("kernel", 11), ("n", 5)], "inst_trace", ("measure", &[]));
    let issues: Vec<i64> = cycles(&log, &["FMACS", "[IS OP]"]).collect();
    issues.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Cycles by which a launched function begins later in column 3 than in column 0. Rows begin together.
pub fn launch_skew(arch: Arch) -> i64 {
    let log = logged("launches", arch, &[("width", 4), ("height", 2)], "inst_trace", ("work", &[]));
    let first = |x: u32, y: u32| {
        let pe = format!(" P{}.{}: ", x + 4, y + 1);
        cycles(&log, &[&pe, "[IS OP]"]).min().expect("the PE has run")
    };
    assert!((0..4).all(|x| first(x, 0) == first(x, 1)), "rows begin together");
    first(3, 0) - first(0, 0)
}

/// The usual number of cycles from one forwarded word to the next.
pub fn forward_gap(arch: Arch) -> i64 {
    let log = logged("forward", arch, &[("n", 60)], "landing", ("measure", &[]));
    let landings: Vec<i64> = cycles(&log, &[" P5.1 ", "landing C3 from link R"]).collect();
    assert_eq!(landings.len(), 60);
    (landings[50] - landings[10]) / 40
}

/// Cycles from one blocking launch to the next but one.
pub fn empty_launches() -> i64 {
    let (_output, mut runtime) = running("launches", Arch::Wse3, &[("width", 1), ("height", 1)]);
    for name in ["tic", "work", "toc"] {
        call(&mut runtime, name, &[]);
    }
    Stamps::read(&mut runtime, 1, 1).longest()
}
