//! Measures how fast programs run: `cargo xtask bench`, or `cargo bench -p waferlab-host --bench wafer`. One thread.
//!
//! Each line ends with a ratio to something that is measured in the same run, so that figures of different machines and
//! of noisy ones can be compared. `--quick` runs a fifth to a tenth of each: a check that all still run, or for callgrind.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use csl_host::{Arch, Copy, Options, Rect, Runtime, Settings, Spread, compile};

/// The processor time of this thread in seconds where the system tells it (Linux), else the time of the clock. On a
/// busy machine only the former is meaningful.
fn seconds() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let on_processor = text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok());
    on_processor.map_or_else(|| START.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// Whether a fraction of the work will do.
static QUICK: LazyLock<bool> = LazyLock::new(|| std::env::args().any(|arg| arg == "--quick"));

/// An amount of work.
fn amount(full: u32, quick: u32) -> u32 {
    if *QUICK { quick } else { full }
}

/// A program with its params.
struct Program {
    folder: PathBuf,
    params: Vec<(String, String)>,
}

impl Program {
    fn new(folder: &str, params: &[(&str, u32)]) -> Program {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
        let params = params.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Program { folder, params }
    }

    /// The program, compiled and loaded; it runs nothing yet.
    fn load(&self) -> Runtime {
        let output = tempfile::TempDir::new().expect("a temporary folder");
        let options = Options {
            folder: self.folder.clone(),
            output: output.path().join("out"),
            arch: Arch::Wse2,
            params: self.params.clone(),
            memcpy: true,
            sdk: Some(csl_host::options::parse_sdk("1.4").expect("a release")),
            ..Options::new("layout.csl")
        };
        let compiled = compile(&options);
        let text = compiled.render(&csl_host::Rendering::default());
        assert!(compiled.succeeded(), "{text}");
        let mut runtime = Runtime::open(&options.output, Settings::new(1)).expect("it opens");
        runtime.load().expect("load() comes first");
        runtime.run().expect("run() comes second");
        runtime
    }

    /// Runs `calls` calls of `measure`, each until all `width` x `height` PEs are done. Returns the seconds that they
    /// took, and the cycles that PE 0 measured in the last one.
    fn run(&self, width: u32, height: u32, calls: u32) -> (f64, f64) {
        let mut runtime = self.load();
        let cycles = runtime.id("cycles").expect("cycles is exported").into();
        let copy = copy(Rect::new(0, 0, width, height), 1);
        let start = seconds();
        for _ in 1..calls {
            runtime.launch("measure", &[]).expect("the call is taken");
        }
        runtime.launch("measure", &[]).expect("the call is taken");
        let task = runtime.d2h(cycles, width as usize * height as usize, &copy).expect("the copy is taken");
        runtime.wait(task).expect("the program ends");
        (seconds() - start, f64::from(runtime.take_arrived()[0].1[0]))
    }
}

fn copy(rect: Rect, per_pe: u32) -> Copy {
    Copy::of(rect, per_pe)
}

/// Nanoseconds of one step of a chain of dependent multiplications and table look-ups, the measure of this machine.
fn native_step() -> f64 {
    let steps = amount(20_000_000, 2_000_000);
    let table: Vec<u32> = (0..1024u32).map(|i| i.wrapping_mul(2_654_435_761)).collect();
    let start = seconds();
    let mut x = 1u32;
    for _ in 0..steps {
        x = x.wrapping_mul(1_664_525).wrapping_add(table[(x >> 22) as usize]);
    }
    black_box(x);
    (seconds() - start) * 1e9 / f64::from(steps)
}

/// A 32x32 mesh where every PE streams to its neighbour all the time. A PE sends and receives on two threads, which take
/// turns at the issue slot: a hop every second cycle.
fn mesh(step: f64) {
    const SIDE: u32 = 32;
    let words = amount(5_000, 200);
    let (seconds, _) = Program::new("tests/timing/mesh", &[("side", SIDE), ("n", words)]).run(SIDE, SIDE, 1);
    let hops = f64::from(SIDE * (SIDE - 1) * words);
    println!(
        "mesh {SIDE}x{SIDE}, every PE streams to its neighbour: {:.1} M busy tile-cycles/s, {:.1} M wavelet-hops/s (mark 20); {:.0} native steps a hop",
        2.0 * hops / seconds / 1e6,
        hops / seconds / 1e6,
        seconds * 1e9 / hops / step,
    );
}

/// The reductions of 4,096 32-bit words over 512 PEs; every word crosses every link.
fn reductions(step: f64) {
    let n = amount(4096, 256);
    let chain = Program::new("tests/timing/chain", &[("n", n), ("width", 512)]);
    let two_phase = Program::new("tests/timing/two-phase", &[("n", n), ("width", 512), ("s", 32), ("pauses", 0)]);
    for (name, program) in [("chain", chain), ("two-phase", two_phase)] {
        let (seconds, cycles) = program.run(512, 1, 1);
        println!(
            "reduction 512x1 of {n} words, {name}: {seconds:.2} s (mark 1), {:.1} M tile-cycles/s, {:.0} native steps a word and PE",
            512.0 * cycles / seconds / 1e6,
            seconds * 1e9 / (512.0 * f64::from(n)) / step,
        );
    }
}

/// A triple loop of f32 multiply-adds on every PE.
fn compute(step: f64) {
    const SIDE: u32 = 8;
    const N: f64 = 32.0;
    let rounds = amount(4, 1);
    let (seconds, cycles) =
        Program::new("tests/timing/matmul", &[("side", SIDE), ("rounds", rounds)]).run(SIDE, SIDE, 1);
    let steps = f64::from(SIDE * SIDE * rounds) * N * N * N;
    println!(
        "matrix product in scalar code on {SIDE}x{SIDE} PEs: {:.1} ns a multiply-add (mark 7 to 13), {:.1} M tile-cycles/s, {:.1} native steps",
        seconds * 1e9 / steps,
        f64::from(SIDE * SIDE) * cycles / seconds / 1e6,
        seconds * 1e9 / steps / step,
    );
}

/// A data task for each wavelet.
fn tasks(step: f64) {
    const WORDS: u32 = 8_000;
    let calls = amount(50, 3);
    let (seconds, _) = Program::new("tests/timing/data-task", &[("n", WORDS)]).run(2, 1, calls);
    let tasks = f64::from(WORDS * calls);
    println!(
        "a data task for each wavelet: {:.0} ns a task, its wavelet included; {:.0} native steps",
        seconds * 1e9 / tasks,
        seconds * 1e9 / tasks / step,
    );
}

/// A million 32-bit words to the device and back.
fn copies(step: f64) {
    const SIDE: u32 = 32;
    const WORDS: u32 = 1024;
    let mut runtime = Program::new("tests/timing/idle", &[("side", SIDE), ("n", WORDS)]).load();
    let data = runtime.id("data").expect("data is exported").into();
    let copy = copy(Rect::new(0, 0, SIDE, SIDE), WORDS);
    let words: Vec<u32> = (0..SIDE * SIDE * WORDS).collect();
    let start = seconds();
    let there = runtime.h2d(data, &words[..], &copy, Spread::Each).expect("the copy is taken");
    runtime.wait(there).expect("it ends");
    let back = runtime.d2h(data, words.len(), &copy).expect("the copy is taken");
    runtime.wait(back).expect("it ends");
    let seconds = seconds() - start;
    assert!(runtime.take_arrived()[0].1 == words, "what comes back is what went there");
    println!(
        "a million words to {SIDE}x{SIDE} PEs and back: {:.1} ms, {:.1} native steps a word",
        seconds * 1e3,
        seconds * 1e9 / words.len() as f64 / step,
    );
}

/// A wafer of PEs with nearly no work: compiled, loaded, called once, and stamps read from all.
fn idle(step: f64) {
    let side = amount(512, 128);
    let program = Program::new("tests/timing/idle", &[("side", side), ("n", 4)]);
    let start = seconds();
    let (ran, _) = program.run(side, side, 1);
    println!(
        "{side}x{side} PEs with nearly nothing to do: {:.2} s to compile and load, {ran:.2} s for a call and a copy of a word of each; {:.0} native steps a PE",
        seconds() - start - ran,
        ran * 1e9 / f64::from(side * side) / step,
    );
}

/// Runs, and prints its times beside that of a native step in ns.
type Bench = fn(f64);

fn main() {
    let step = native_step();
    println!("native step (dependent multiply, add, look-up): {step:.2} ns");
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let benches: [(&str, Bench); 6] = [
        ("mesh", mesh),
        ("reductions", reductions),
        ("compute", compute),
        ("tasks", tasks),
        ("copies", copies),
        ("idle", idle),
    ];
    for (_, bench) in benches.iter().filter(|(name, _)| name.contains(&filter)) {
        bench(step);
    }
}
