//! The programs of `tests/timing` against publicly known cycles of the vendor's simulator: here those that follow from
//! the machine alone, in [`recorded`] whole programs. Every test prints a table of expected and measured cycles; run
//! with `--nocapture` to see them. A figure that is not exact is pinned to its error.

mod recorded;
mod runs;

use std::fmt::Write;
use std::path::Path;

use csl_host::{Arch, Options, Rect, Sdk};
use tempfile::TempDir;

use crate::program;

/// A program in `tests/timing`, and its params.
struct Scene<'a> {
    program: &'a str,
    arch: Arch,
    params: &'a [(&'a str, u32)],
    sdk: Option<Sdk>,
}

impl Scene<'_> {
    /// The cycles that PE 0 measured between its timestamps.
    fn cycles(&self) -> i64 {
        let output = TempDir::new().expect("a temporary folder");
        let options = self.options(output.path());
        let mut runtime = program::started(&options);
        program::call(&mut runtime, "measure", &[])
            .and_then(|()| program::read(&mut runtime, "cycles", Rect::new(0, 0, 1, 1), 1))
            .unwrap_or_else(|error| panic!("{}: {error}", self.program))[0]
            .into()
    }

    fn options(&self, output: &Path) -> Options {
        Options {
            folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/timing").join(self.program),
            output: output.join("out"),
            arch: self.arch,
            params: self.params.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            memcpy: true,
            sdk: self.sdk,
            ..Options::new("layout.csl")
        }
    }
}

/// On WSE-2, the reductions are programs of SDK 1.4, in which a synchronous send needs no queue.
fn scene<'a>(program: &'a str, arch: Arch, params: &'a [(&'a str, u32)]) -> Scene<'a> {
    let sdk = matches!(program, "chain" | "two-phase").then(|| csl_host::options::parse_sdk("1.4").expect("a release"));
    Scene { program, arch, params, sdk: sdk.filter(|_| arch == Arch::Wse2) }
}

/// Expected and measured cycles: a text to print, and the rows whose error is not the pinned one.
#[derive(Default)]
struct Table {
    text: String,
    wrong: String,
}

impl Table {
    fn new(title: &str) -> Table {
        let text = format!("\n{title}\n{:<44}{:>9}{:>9}{:>7}\n", "", "expected", "measured", "error");
        Table { text, wrong: String::new() }
    }

    /// Adds a row; `error` is the known difference in cycles, 0 where the figure is exact.
    fn row(&mut self, name: &str, expected: i64, measured: i64, error: i64) {
        let difference = measured - expected;
        let line = format!("{name:<44}{expected:>9}{measured:>9}{difference:>+7}\n");
        self.text.push_str(&line);
        if difference != error {
            writeln!(self.wrong, "{name}: {difference:+}, pinned {error:+}").expect("a string takes everything");
        }
    }

    fn done(self) {
        println!("{}", self.text);
        assert!(self.wrong.is_empty(), "{}\nnot as pinned:\n{}", self.text, self.wrong);
    }
}

fn chain(arch: Arch, n: u32, width: u32) -> i64 {
    scene("chain", arch, &[("n", n), ("width", width)]).cycles()
}

/// Cycles that the published two-phase reduction takes between two synchronous operations, beside the loads of their
/// DSRs: fitted on how its cycles grow with the number of segments.
const BETWEEN: u32 = 16;

fn two_phase(n: u32, s: u32) -> i64 {
    let params = [("n", n), ("s", s), ("width", 512), ("pauses", BETWEEN)];
    scene("two-phase", Arch::Wse2, &params).cycles()
}

fn vector(arch: Arch, kind: u32, n: u32) -> i64 {
    scene("vector", arch, &[("kind", kind), ("n", n)]).cycles()
}

/// Cycles of STREAM in published logs, at every size that was recorded. The chip table was fitted on these.
#[test]
fn stream_on_wse2_is_exact() {
    // Name, number in the program, elements a cycle, cycles beside those of the elements.
    let operations = [
        ("copy f16", 0, 4, 10),
        ("scale f16", 1, 4, 11),
        ("add f16", 2, 4, 12),
        ("triad f16", 3, 4, 13),
        ("copy f32", 4, 2, 10),
        ("scale f32", 5, 1, 11),
        ("triad f32", 6, 1, 12),
    ];
    let mut table = Table::new("STREAM, WSE-2");
    for (name, operation, per_cycle, more) in operations {
        let step = if operation < 4 { 256 } else { 128 };
        for n in (1..=16).map(|i| i * step) {
            let cycles = runs::stamped("stream", Arch::Wse2, &[("operation", operation), ("n", n)], 1, 1).longest();
            table.row(&format!("{name}, {n}"), i64::from(n / per_cycle) + more, cycles, 0);
        }
    }
    table.done();
}

#[test]
fn registers_loaded_before_and_conflicts_on_wse2() {
    let mut table = Table::new("fmuls f32 with DSRs loaded before, WSE-2");
    for n in [128, 256, 512, 1024, 2048] {
        table.row(&n.to_string(), i64::from(n) + 6, vector(Arch::Wse2, 7, n), 0);
        table.row(&format!("{n}, conflict"), i64::from(2 * n) + 6, vector(Arch::Wse2, 8, n), 0);
    }
    table.done();
}

#[test]
fn vector_operations_on_wse3() {
    let operations = [
        ("copy f16", 0, 8, 15),
        ("copy f32", 4, 4, 15),
        ("triad f32", 6, 1, 17),
        ("add f16", 2, 4, 16),
        ("triad f16", 3, 4, 17),
    ];
    let mut table = Table::new("One vector operation, WSE-3");
    for (name, kind, per_cycle, more) in operations {
        for n in [256, 1024, 2048] {
            table.row(&format!("{name}, {n}"), i64::from(n / per_cycle) + more, vector(Arch::Wse3, kind, n), 0);
        }
    }
    table.done();
}

/// Only N + 6*(P-1) + 56 cycles are published, not the program: its growth with its size is held here; the 56 cycles of
/// its start and stamps are a row of the recorded programs.
#[test]
fn a_chain_adds_six_or_nine_cycles_a_pe() {
    let mut table = Table::new("Chain reduction, what is added to that of 64 words over 8 PEs");
    for (arch, a_pe) in [(Arch::Wse2, 6), (Arch::Wse3, 9)] {
        let base = chain(arch, 64, 8);
        for (n, width) in [(64, 2), (64, 128), (1024, 8), (4096, 512)] {
            let expected = i64::from(n) - 64 + a_pe * (i64::from(width) - 8);
            let name = format!("{}, {n} words, {width} PEs", if arch == Arch::Wse2 { "WSE-2" } else { "WSE-3" });
            table.row(&name, expected, chain(arch, n, width) - base, 0);
        }
    }
    table.done();
}

/// Only cycles are published here too: held is the growth beyond 64 words in segments of 32. Where segments are long
/// beside the vector, the leaders wait for their data, and the published program is 3 cycles slower than the machine
/// explains.
#[test]
fn two_phase_reduction_over_512_pes() {
    // By the size of the segments: measured for 4,096 and for 64 words, and our errors.
    let measured = [
        (2, 10055, 1991, -2, -2),
        (4, 9421, 1357, 0, 0),
        (8, 9117, 1053, 0, 0),
        (16, 8989, 925, 0, 0),
        (32, 8973, 909, 0, 0),
        (64, 9061, 997, 0, 0),
        (128, 9297, 1284, 0, -3),
        (256, 9800, 1914, -1, -3),
    ];
    let base = two_phase(64, 32);
    let mut table = Table::new("Two-phase reduction over 512 PEs, what is added to 64 words in segments of 32, WSE-2");
    for (s, long, short, long_error, short_error) in measured {
        for (n, expected, error) in [(4096, long, long_error), (64, short, short_error)] {
            table.row(&format!("{n} words, segments of {s}"), expected - 909, two_phase(n, s) - base, error);
        }
    }
    table.done();
}

/// Each stage stores a block before it sends it on: 1.001*N*B + 16.1*N + 16.5 for N stages, launches a hop later a column
/// included. Reported without the program.
#[test]
fn a_relay_stores_each_block_and_forwards_it() {
    let mut table = Table::new("Store and forward, cycles a stage, WSE-3");
    for (n, expected, error) in [(32, 48, 0), (128, 144, 0), (512, 529, -1)] {
        let run = |width| scene("relay", Arch::Wse3, &[("n", n), ("width", width)]).cycles();
        table.row(&format!("blocks of {n} words"), expected, (run(12) - run(4)) / 8, error);
    }
    table.done();
}

/// Cycles that the root of a collective takes more for eight more PEs, each with n words of its own: a cycle a word,
/// and a few a PE for its step from one operation to the next where the queues hold less than a chunk.
#[test]
fn a_scatter_and_a_gather_move_a_word_a_cycle() {
    let mut table = Table::new("Eight PEs more in a scatter or a gather");
    for (arch, kind, n, error) in [
        (Arch::Wse3, "scatter", 16, 12),
        (Arch::Wse3, "scatter", 64, 24),
        (Arch::Wse3, "gather", 16, 0),
        (Arch::Wse3, "gather", 64, 32),
        (Arch::Wse2, "scatter", 16, 20),
        (Arch::Wse2, "scatter", 64, 35),
        (Arch::Wse2, "gather", 16, 40),
        (Arch::Wse2, "gather", 64, 40),
    ] {
        let gathers = u32::from(kind == "gather");
        let run = |width| scene("scatter", arch, &[("n", n), ("width", width), ("gathers", gathers)]).cycles();
        table.row(&format!("{arch}, {kind}, {n} words a PE"), 8 * i64::from(n), run(16) - run(8), error);
    }
    table.done();
}
