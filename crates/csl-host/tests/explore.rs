//! Schedules: what depends on them is a race, and a run by one of them can be repeated.

use csl_host::batch::Step;
use csl_host::explore::{Difference, End, Outcome, outcome};
use csl_host::{Arch, Options, Runtime, Settings, compile};
use tempfile::TempDir;

use crate::program;

const LAYOUT: &str = r#"
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 3, .height = 1 });
const from_west = @get_color(3);
const from_east = @get_color(4);
layout {
  @set_rectangle(3, 1);
  for (@range(u16, 3)) |x| {
    @set_tile_code(x, 0, "pe.csl", .{
      .memcpy_params = memcpy.get_params(x), .x = x, .from_west = from_west, .from_east = from_east,
    });
  }
  @set_color_config(0, 0, from_west, .{ .routes = .{ .rx = .{RAMP}, .tx = .{EAST} } });
  @set_color_config(1, 0, from_west, .{ .routes = .{ .rx = .{WEST}, .tx = .{RAMP} } });
  @set_color_config(2, 0, from_east, .{ .routes = .{ .rx = .{RAMP}, .tx = .{WEST} } });
  @set_color_config(1, 0, from_east, .{ .routes = .{ .rx = .{EAST}, .tx = .{RAMP} } });
  @export_name("came", [*]u32, false);
  @export_name("sum", [*]u32, false);
  @export_name("main", fn()void);
}
"#;

/// The PEs at the ends send eight words each to the one in the middle, which notes them in the order in which they come
/// and adds them.
const PE: &str = r#"
param memcpy_params;
param x: u16;
param from_west: color;
param from_east: color;
const memcpy = @import_module("<memcpy/memcpy>", memcpy_params);
const count: u16 = 8;
var came = @zeros([2 * count]u32);
var sum = @zeros([1]u32);
const came_ptr: [*]u32 = &came;
const sum_ptr: [*]u32 = &sum;
var words = @zeros([count]u32);
var seen: u16 = 0;
const color_out = if (x == 0) from_west else from_east;
const oq = @get_output_queue(2);
const west_iq = @get_input_queue(2);
const east_iq = @get_input_queue(3);
const out = @get_dsd(fabout_dsd, .{ .extent = count, .fabric_color = color_out, .output_queue = oq });
const words_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{count} -> words[i] });
const sent_id = @get_local_task_id(9);
const west_id = if (@is_arch("wse3")) @get_data_task_id(west_iq) else @get_data_task_id(from_west);
const east_id = if (@is_arch("wse3")) @get_data_task_id(east_iq) else @get_data_task_id(from_east);
fn note(word: u32) void {
  came[seen] = word;
  sum[0] += word;
  seen += 1;
  if (seen == 2 * count) { memcpy.unblock_cmd_stream(); }
}
task west(word: u32) void { note(word); }
task east(word: u32) void { note(word); }
task sent() void { memcpy.unblock_cmd_stream(); }
fn main() void {
  if (x != 1) {
    for (@range(u16, count)) |i| { words[i] = @as(u32, x) * 100 + @as(u32, i); }
    @mov32(out, words_dsd, .{ .async = true, .activate = sent_id });
  }
}
comptime {
  @bind_local_task(sent, sent_id);
  if (x == 1) {
    @bind_data_task(west, west_id);
    @bind_data_task(east, east_id);
    @initialize_queue(west_iq, .{ .color = from_west });
    @initialize_queue(east_iq, .{ .color = from_east });
  } else {
    @initialize_queue(oq, if (@is_arch("wse3")) .{ .color = color_out } else .{});
  }
  @export_symbol(came_ptr, "came");
  @export_symbol(sum_ptr, "sum");
  @export_symbol(main);
}
"#;

fn compiled(arch: Arch) -> TempDir {
    compiled_of(arch, PE)
}

fn compiled_of(arch: Arch, pe: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("layout.csl"), LAYOUT).expect("the folder is writable");
    std::fs::write(folder.path().join("pe.csl"), pe).expect("the folder is writable");
    let options = Options { folder: folder.path().to_owned(), memcpy: true, arch, ..Options::new("layout.csl") };
    let done = compile(&options);
    assert!(done.succeeded(), "{}", program::text(&done));
    folder
}

fn run(folder: &TempDir, schedule: Option<u64>) -> Outcome {
    let settings = Settings { schedule, ..Settings::new(1) };
    let mut runtime = Runtime::open(&folder.path().join("out"), settings).expect("it was compiled");
    let launch = Step::Launch { function: "main".to_owned(), arguments: Vec::new() };
    outcome(&mut runtime, &[launch]).expect("its names are right")
}

#[test]
fn schedules_change_the_order_of_independent_words_and_nothing_else() {
    for arch in [Arch::Wse2, Arch::Wse3] {
        let folder = compiled(arch);
        let own = run(&folder, None);
        assert!(own.end == End::Complete && own.arrays.len() == 2, "{own:?}");
        let differences: Vec<Difference> =
            (1..=10).filter_map(|number| own.difference(&run(&folder, Some(number)))).collect();
        assert!(differences.len() > 5, "{arch:?}: {differences:?}");
        for difference in &differences {
            let Difference::Elements { symbol, at, pes, .. } = difference else { panic!("{difference}") };
            assert_eq!((symbol.as_str(), at.x, at.y, *pes), ("came", 1, 0, 1), "{arch:?}");
        }
        assert_eq!(run(&folder, Some(7)).difference(&run(&folder, Some(7))), None);
    }
}

/// The cycle in which a program fails differs between schedules, and which PE is the first: that is no race.
#[test]
fn programs_that_fail_alike_by_every_schedule_have_no_difference() {
    let ends = |pe: &str| {
        let folder = compiled_of(Arch::Wse3, pe);
        let own = run(&folder, None);
        (1..=5).for_each(|number| assert_eq!(own.difference(&run(&folder, Some(number))), None));
        own.end
    };
    let failed = |event: &str| End::Failed(event.to_owned());
    let line = 1 + PE.lines().position(|line| line.starts_with("fn main()")).expect("it is there");
    assert_eq!(
        ends(&PE.replace("fn main() void {", "fn main() void { @assert(count == x + 100);")),
        failed(&format!("an assertion does not hold, pe.csl:{line}"))
    );
    assert_eq!(
        ends(&PE.replace("seen == 2 * count", "seen == 3 * count")),
        failed("nothing can move any more, and the host still waits")
    );
}

#[test]
fn an_array_that_one_run_alone_gives_is_a_difference() {
    let folder = compiled(Arch::Wse3);
    let (own, mut other) = (run(&folder, None), run(&folder, None));
    assert_eq!(own.difference(&other), None);
    let (copy, array) = other.arrays.pop().expect("two arrays");
    assert_eq!(own.difference(&other), Some(Difference::Array("sum".to_owned())));
    assert_eq!(other.difference(&own), Some(Difference::Array("sum".to_owned())));
    other.arrays.insert(0, (copy, array));
    assert_eq!(own.difference(&other), Some(Difference::Array("came".to_owned())));
}
