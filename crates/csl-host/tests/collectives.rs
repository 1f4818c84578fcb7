//! `<collectives_2d>`: programs of random operations along both axes at once, on which PEs are late at random.

use std::fmt::Write as _;
use std::path::Path;

use csl_host::options::Passes;
use csl_host::{Arch, Options, compile};
use csl_machine::{Draws, Schedule};

use crate::scenes::{Scene, complaint};

/// The operations of an axis.
const STEPS: usize = 8;

#[derive(Clone, Copy)]
enum Kind {
    Broadcast,
    Scatter,
    Gather,
    Reduce,
}

const KINDS: [Kind; 4] = [Kind::Broadcast, Kind::Scatter, Kind::Gather, Kind::Reduce];

#[derive(Clone, Copy)]
struct Operation {
    kind: Kind,
    root: usize,
    count: usize,
    /// The first element of `out` that it writes.
    at: usize,
}

/// The operations along one axis, the same on each of its lines.
struct Axis {
    is_x: bool,
    size: usize,
    operations: Vec<Operation>,
}

/// The word number `i` that the PE at a position along an axis gives to its operation number `step`: so small that sums
/// are exact.
fn word(step: usize, position: usize, line: usize, i: usize) -> u32 {
    (((step * 8 + position) * 8 + line) * 64 + i) as u32
}

impl Axis {
    fn draw(is_x: bool, size: usize, first: usize, draws: &mut Draws) -> Axis {
        let mut below = |bound: usize| usize::from(draws.next_below(bound as u8));
        let mut at = first;
        let mut operation = || {
            let (kind, root, count) = (KINDS[below(4)], below(size), 1 + below(7));
            let operation = Operation { kind, root, count, at };
            at += if matches!(kind, Kind::Gather) { size * count } else { count };
            operation
        };
        Axis { is_x, size, operations: (0..STEPS).map(|_| operation()).collect() }
    }

    /// The end of its elements of `out`.
    fn end(&self) -> usize {
        let last = self.operations[STEPS - 1];
        last.at + if matches!(last.kind, Kind::Gather) { self.size * last.count } else { last.count }
    }

    /// Writes what a PE has in `out` after all operations.
    fn expect(&self, position: usize, line: usize, out: &mut [u32]) {
        for (step, &Operation { kind, root, count, at }) in self.operations.iter().enumerate() {
            let words = |from: usize, first: usize| (0..count).map(move |i| word(step, from, line, first + i));
            let all = || (0..self.size).flat_map(|from| words(from, 0));
            let sum = |i: usize| (0..self.size).map(|from| word(step, from, line, i) as f32).sum::<f32>().to_bits();
            let got: Vec<u32> = match kind {
                Kind::Broadcast => words(root, 0).collect(),
                Kind::Scatter => words(root, position * count).collect(),
                Kind::Gather if position == root => all().collect(),
                Kind::Reduce if position == root => (0..count).map(sum).collect(),
                Kind::Gather | Kind::Reduce => Vec::new(),
            };
            out[at..at + got.len()].copy_from_slice(&got);
        }
    }

    /// The part of a program that runs the operations: `AXIS.next` after each.
    fn program(&self, late: &mut Draws) -> String {
        let name = if self.is_x { "x" } else { "y" };
        let (line, ids) = if self.is_x { ("row", [8, 9, 12]) } else { ("column", [10, 11, 13]) };
        let numbers = |of: &dyn Fn(&Operation) -> usize| {
            self.operations.iter().map(|operation| of(operation).to_string()).collect::<Vec<_>>().join(", ")
        };
        let kinds = numbers(&|operation| operation.kind as usize);
        let roots = numbers(&|operation| operation.root);
        let counts = numbers(&|operation| operation.count);
        let places = numbers(&|operation| operation.at);
        let mut delay = || if late.next_below(4) == 0 { u16::from(late.next_below(200)) * 2 } else { 0 };
        let delays = (0..STEPS * self.size).map(|_| delay().to_string()).collect::<Vec<_>>().join(", ");
        let colors = if self.is_x { [0, 1] } else { [4, 5] };
        format!(
            r#"
const {name} = @import_module("<collectives_2d/pe>", .{{
  .dim_params = params.get_params(column, row, .{{
    .{name}_colors = .{{ @get_color({}), @get_color({}) }},
    .{name}_entrypoints = .{{ @get_local_task_id({}), @get_local_task_id({}) }},
  }}).{name},
}});
const {name}_id = @get_local_task_id({});
const {name}_kinds = [{STEPS}]u16 {{ {kinds} }};
const {name}_roots = [{STEPS}]u16 {{ {roots} }};
const {name}_counts = [{STEPS}]u16 {{ {counts} }};
const {name}_places = [{STEPS}]u16 {{ {places} }};
const {name}_delays = [{}]u16 {{ {delays} }};
var {name}_words = @zeros([64]u32);
var {name}_terms = @zeros([8]f32);
var {name}_step: u16 = 0;
task next_{name}() void {{
  if ({name}_step == {STEPS}) {{
    ends();
    return;
  }}
  const step = {name}_step;
  {name}_step += 1;
  wait({name}_delays[step * {name}.size + {name}.pe_id]);
  const root = {name}_roots[step];
  const count = {name}_counts[step];
  const into = @ptrcast([*]u32, &out[{name}_places[step]]);
  for (@range(u16, 64)) |i| {{ {name}_words[i] = word(step, {name}.pe_id, {line}, i); }}
  for (@range(u16, 8)) |i| {{ {name}_terms[i] = @as(f32, {name}_words[i]); }}
  switch ({name}_kinds[step]) {{
    0 => {{
      if ({name}.pe_id == root) {{
        for (@range(u16, count)) |i| {{ into[i] = {name}_words[i]; }}
      }}
      {name}.broadcast(root, into, count, {name}_id);
    }},
    1 => {name}.scatter(root, &{name}_words, into, count, {name}_id),
    2 => {name}.gather(root, &{name}_words, into, count, {name}_id),
    else => {name}.reduce_fadds(root, &{name}_terms, @ptrcast([*]f32, into), count, {name}_id),
  }}
}}
comptime {{ @bind_local_task(next_{name}, {name}_id); }}
"#,
            colors[0],
            colors[1],
            ids[0],
            ids[1],
            ids[2],
            STEPS * self.size,
        )
    }
}

/// A program with its results.
fn program(number: u64) -> Scene {
    let mut draws = Schedule::new(number).draws(0, 0);
    let width = 1 + usize::from(draws.next_below(5));
    let height = 1 + usize::from(draws.next_below(4));
    let x = Axis::draw(true, width, 0, &mut draws);
    let y = Axis::draw(false, height, x.end(), &mut draws);
    let pe = |column: usize, row: usize| {
        let mut out = vec![0; y.end()];
        x.expect(column, row, &mut out);
        y.expect(row, column, &mut out);
        out.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
    };
    let pes = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
    let expected = pes.map(|(column, row)| pe(column, row)).collect::<Vec<_>>().join(" | ");
    let mut text = format!("//> sdk: 0.9 1.4 2.10\n//> size: {width}x{height}\n//> out u32: {expected}\n");
    let _ = write!(
        text,
        r#"
const params = @import_module("<collectives_2d/params>");
var out = @zeros([{}]u32);
var waited: u16 = 0;
var ended: u16 = 0;
fn word(step: u16, position: u16, line: u16, i: u16) u32 {{
  return ((@as(u32, step) * 8 + @as(u32, position)) * 8 + @as(u32, line)) * 64 + @as(u32, i);
}}
fn wait(rounds: u16) void {{
  waited = 0;
  while (waited < rounds) {{ waited += 1; }}
}}
fn ends() void {{
  ended += 1;
  if (ended == 2) {{ done(); }}
}}
fn main() void {{
  x.init();
  y.init();
  @activate(x_id);
  @activate(y_id);
}}
"#,
        y.end(),
    );
    text += &x.program(&mut draws);
    text += &y.program(&mut draws);
    Scene::new(format!("program {number}"), text)
}

/// Each program runs by the machine's own schedule and by another, on the chips and by the rules of three releases.
#[test]
fn collectives_in_any_order_bring_what_they_should() {
    for number in 1..=20 {
        let scene = program(number);
        for (arch, sdk) in scene.runs() {
            for schedule in [None, Some(number)] {
                let complaint = complaint(&scene, arch, sdk, Passes::ALL, schedule);
                assert_eq!(complaint, None, "program {number} on {arch}, {sdk:?}, by {schedule:?}");
            }
        }
    }
}

/// What the library does with its queues is in order: a program that uses it is not told of it.
#[test]
fn a_program_with_collectives_is_compiled_without_a_word() {
    let params = [("size", 2), ("rows", 2), ("columns", 2), ("kind", 1)];
    for arch in [Arch::Wse2, Arch::Wse3] {
        let output = tempfile::TempDir::new().expect("a temporary folder");
        let options = Options {
            folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/timing/collectives"),
            output: output.path().join("out"),
            arch,
            params: params.map(|(name, value)| (name.to_owned(), value.to_string())).into(),
            memcpy: true,
            ..Options::new("layout.csl")
        };
        assert_eq!(crate::program::text(&compile(&options)), "", "{arch}");
    }
}
