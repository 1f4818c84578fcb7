//! Stops that scenes cannot show: those of many PEs, and those that come from the host's side.

use std::sync::atomic::Ordering;

use csl_host::{Coord, Copy, Ending, HostError, LogKinds, Options, Rect, Runtime, Settings, compile};
use tempfile::TempDir;

use crate::program;

/// One program on 40 columns and 25 rows.
const LAYOUT: &str = "
const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = 40, .height = 25 });
layout {
  @set_rectangle(40, 25);
  for (@range(u16, 40)) |x| {
    for (@range(u16, 25)) |y| {
      @set_tile_code(x, y, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(x) });
    }
  }
  @export_name(\"data\", [*]u32, true);
  @export_name(\"main\", fn()void);
}
";

fn running(pe: &str) -> (TempDir, Runtime) {
    program::running_files(&[("layout.csl", LAYOUT), ("pe.csl", pe)], Options::new("layout.csl"))
}

/// Calls `main`, then copies a word of `data` from every PE; returns the report of the run's end.
fn end(runtime: &mut Runtime) -> String {
    let rect = Rect::new(0, 0, 40, 25);
    let copy = Copy::of(rect, 1);
    let data = runtime.id("data").expect("it is exported").into();
    let task = runtime.launch("main", &[]).expect("the call is taken");
    runtime.wait(task).expect("it is called");
    let task = runtime.d2h(data, 1000, &copy).expect("the copy is taken");
    match runtime.wait(task) {
        Err(HostError::Failed { report, .. } | HostError::Interrupted { report, .. }) => report,
        other => panic!("it goes wrong: {other:?}"),
    }
}

/// The notes of a report, each in one line.
fn notes(report: &str) -> Vec<String> {
    let notes = report.split(" = note: ").skip(1);
    notes.map(|note| note.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_thousand_pes_that_wait_alike_take_one_line() {
    let pe = "
param memcpy_params;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
var data = @zeros([8]u32);
var data_ptr: [*]u32 = &data;
const queue = @get_input_queue(3);
const from = @get_dsd(fabin_dsd, .{ .extent = 8, .fabric_color = @get_color(3), .input_queue = queue });
fn main() void { @mov32(@get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> data[i] }), from); }
comptime {
  @initialize_queue(queue, .{ .color = @get_color(3) });
  @export_symbol(data_ptr, \"data\");
  @export_symbol(main);
}
";
    let (_folder, mut runtime) = running(pe);
    let expected = [
        "pe.csl:8:18: main has not called unblock_cmd_stream() on 1000 PEs, the first of them (0, 0)",
        "pe.csl:8:18: the main thread of 1000 PEs, the first of them (0, 0) waits for a wavelet of color 3 in input \
         queue 3, 8 elements to go, in main",
    ];
    assert_eq!(notes(&end(&mut runtime)), expected);
}

/// A program whose tasks activate themselves is never at rest: Ctrl-C gives the same account.
#[test]
fn tasks_that_activate_themselves_for_ever_are_named_when_interrupted() {
    let pe = "
param memcpy_params;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
var data = @zeros([1]u32);
var data_ptr: [*]u32 = &data;
const again_id = @get_local_task_id(9);
task again() void { @activate(again_id); }
fn main() void { @activate(again_id); }
comptime {
  @bind_local_task(again, again_id);
  @export_symbol(data_ptr, \"data\");
  @export_symbol(main);
}
";
    let (_folder, mut runtime) = running(pe);
    let interrupt = runtime.interrupt();
    let waiting = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        interrupt.store(true, Ordering::Relaxed);
    });
    let report = end(&mut runtime);
    waiting.join().expect("it only waits");
    assert!(report.starts_with("error[E0901]: the run was interrupted in cycle "), "{report}");
    assert!(notes(&report).iter().any(|note| note.starts_with("local task 9 (again) of ")), "{report}");
}

#[test]
fn a_copy_through_a_pointer_that_leads_nowhere_is_explained() {
    let pe = "
param memcpy_params;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
var data_ptr: [*]u32 = @bitcast([*]u32, @as(u16, 0xc800));
fn main() void { sys_mod.unblock_cmd_stream(); }
comptime {
  @export_symbol(data_ptr, \"data\");
  @export_symbol(main);
}
";
    let (_folder, mut runtime) = running(pe);
    let report = end(&mut runtime);
    assert!(report.contains(": memcpy cannot copy data: its pointer is no address of memory\n"), "{report}");
    let expected =
        ["the pointer is 0xc800, and 4 bytes were to be copied from there on", "in the whole fabric this is PE (4, 1)"];
    assert_eq!(notes(&report), expected);
}

/// Wavelets that no program takes are no error, but a warning names them when the run is stopped, with the line that
/// would send more.
#[test]
fn wavelets_that_are_left_are_told_when_the_run_is_stopped() {
    let layout = "
const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = 2, .height = 1 });
layout {
  @set_rectangle(2, 1);
  @set_tile_code(0, 0, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(0), .sends = true });
  @set_tile_code(1, 0, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(1), .sends = false });
  @export_name(\"main\", fn()void);
}
";
    let pe = "
param memcpy_params;
param sends: bool;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
const c = @get_color(3);
const queue = @get_output_queue(2);
const to = @get_dsd(fabout_dsd, .{ .extent = 30, .fabric_color = c, .output_queue = queue });
fn main() void {
  if (sends) { @mov32(to, 5, .{ .async = true }); }
  sys_mod.unblock_cmd_stream();
}
comptime {
  @initialize_queue(queue, .{});
  const rx = if (sends) RAMP else WEST;
  const tx = if (sends) EAST else RAMP;
  @set_local_color_config(c, .{ .routes = .{ .rx = .{rx}, .tx = .{tx} } });
  @export_symbol(main);
}
";
    let files = [("layout.csl", layout), ("pe.csl", pe)];
    let (_folder, mut runtime) = program::running_files(&files, Options::new("layout.csl"));
    let task = runtime.launch("main", &[]).expect("the call is taken");
    runtime.wait(task).expect("it is called");
    runtime.stop().expect("nothing is pending");
    let expected = "16 wavelets of color 3 stood on 2 PEs when the run was stopped: a wavelet of color 3 waits at the ramp \
                    of PE (1, 0): no operation reads it, and no data task is bound to it; more are to be sent at \
                    pe.csl:9:16 in main";
    assert_eq!(runtime.take_warnings(), [expected]);
}

// ---- how a run ends ----

/// Two PEs; a program of them starts with [`HEAD`].
const PAIR: &str = "
const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = 2, .height = 1 });
layout {
  @set_rectangle(2, 1);
  @set_tile_code(0, 0, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(0), .x = 0 });
  @set_tile_code(1, 0, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(1), .x = 1 });
  @export_name(\"main\", fn()void);
}
";

const HEAD: &str = "param memcpy_params;
param x: i16;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
var laps: u32 = 0;
comptime { @export_symbol(main); }
";

/// A program of two PEs before `load()`.
fn pair(code: &str) -> (TempDir, Runtime) {
    opened(PAIR, &format!("{HEAD}{code}"), true)
}

fn opened(layout: &str, pe: &str, memcpy: bool) -> (TempDir, Runtime) {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("layout.csl"), layout).expect("the folder is writable");
    std::fs::write(folder.path().join("pe.csl"), pe).expect("the folder is writable");
    let options = Options { folder: folder.path().to_owned(), memcpy, ..Options::new("layout.csl") };
    let done = compile(&options);
    assert!(done.succeeded(), "{}", program::text(&done));
    let settings = Settings::new(1);
    let runtime = Runtime::open(&folder.path().join("out"), settings).expect("the program opens");
    (folder, runtime)
}

/// Loads, launches `main` where that is wanted, and stops.
fn stopped(runtime: &mut Runtime, launches: bool) -> Ending {
    runtime.load().expect("load() comes first");
    runtime.run().expect("run() comes second");
    if launches {
        program::call(runtime, "main", &[]).expect("it is called");
    }
    runtime.stop().expect("it ends")
}

fn laps(runtime: &mut Runtime, x: u32) -> u32 {
    let Coord { x, y } = runtime.to_physical(x, 0);
    let bytes = runtime.read_symbol(x, y, "laps").expect("it is a symbol");
    u32::from_le_bytes(bytes.try_into().expect("four bytes"))
}

/// A PE that goes round the same loop so often, each time with the interrupt of a task.
fn laps_until(end: u32, at_the_end: &str, behind: &str) -> String {
    format!(
        "const lap_id = @get_local_task_id(9);
task lap() void {{
  laps += 1;
  if (laps == {end}) {{ {at_the_end} }}
  if (laps < {end}{behind}) {{ @activate(lap_id); }}
}}
fn main() void {{ @activate(lap_id); }}
comptime {{ @bind_local_task(lap, lap_id); }}
"
    )
}

#[test]
fn a_function_that_works_long_is_waited_for() {
    let (_folder, mut runtime) = pair(&laps_until(5_000, "sys_mod.unblock_cmd_stream();", ""));
    assert_eq!(stopped(&mut runtime, true), Ending::Complete);
    assert!(runtime.cycle() > 50_000, "it works longer than was ever granted: {}", runtime.cycle());
    assert_eq!([laps(&mut runtime, 0), laps(&mut runtime, 1)], [5_000; 2]);
    assert_eq!(runtime.take_warnings(), [""; 0]);
}

#[test]
fn work_behind_the_unblock_is_done_and_that_without_an_end_is_cut_off_with_a_warning() {
    let (_folder, mut runtime) = pair(&laps_until(2_000, "sys_mod.unblock_cmd_stream();", " + 100"));
    assert_eq!(stopped(&mut runtime, true), Ending::Complete);
    assert_eq!(laps(&mut runtime, 0), 2_100);
    let unblocked = runtime.cycle();
    let (_folder, mut runtime) = pair(&laps_until(2_000, "sys_mod.unblock_cmd_stream();", " + 1000000000"));
    assert!(matches!(stopped(&mut runtime, true), Ending::Drained { after: 9_000..=10_000 }));
    assert!(laps(&mut runtime, 0) > 2_100);
    assert!(runtime.cycle() < unblocked + 10_000, "{} against {unblocked}", runtime.cycle());
    let warnings = runtime.take_warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("the programs were cut off in cycle "), "{}", warnings[0]);
    assert!(warnings[0].contains("what they would have printed or stored later is lost"), "{}", warnings[0]);
}

#[test]
fn where_nothing_was_launched_a_program_comes_to_rest_or_gets_10_000_cycles() {
    let by_itself = "comptime { @activate(lap_id); }";
    let (_folder, mut runtime) = pair(&(laps_until(100, "", "") + by_itself));
    assert_eq!(stopped(&mut runtime, false), Ending::Complete);
    assert_eq!(laps(&mut runtime, 0), 100);
    let (_folder, mut runtime) = pair(&(laps_until(4_000_000_000, "", "") + by_itself));
    assert_eq!(stopped(&mut runtime, false), Ending::Drained { after: 9_999 });
    assert_eq!(runtime.cycle(), 9_999, "from cycle 0 on");
    assert_eq!(runtime.take_warnings().len(), 1);
}

/// A program without memcpy, of one PE.
fn alone(code: &str) -> (TempDir, Runtime) {
    opened("layout { @set_rectangle(1, 1); @set_tile_code(0, 0, \"pe.csl\", .{}); }", code, false)
}

#[test]
fn a_program_without_a_host_that_does_not_end_is_told() {
    let laps_of = |end: u64| {
        format!(
            "var laps: u32 = 0;\nconst lap_id = @get_local_task_id(9);\n\
             task lap() void {{ laps += 1; if (laps < {end}) {{ @activate(lap_id); }} }}\n\
             comptime {{ @bind_local_task(lap, lap_id); @activate(lap_id); }}\n"
        )
    };
    let (_folder, mut runtime) = alone(&laps_of(300_000));
    assert_eq!(stopped(&mut runtime, false), Ending::CutOff { after: 999_999 });
    assert!(runtime.take_warnings()[0].starts_with("the run was cut off in cycle 999999, 999999 cycles after"));
    let (_folder, mut runtime) = alone(&laps_of(300_000));
    runtime.limit_cycles(20_000_000);
    assert_eq!(stopped(&mut runtime, false), Ending::Complete);
    assert_eq!((laps(&mut runtime, 0), runtime.take_warnings().len()), (300_000, 0));

    let waits = "const from = @get_dsd(fabin_dsd, .{ .extent = 4, .fabric_color = @get_color(3), .input_queue = @get_input_queue(2) });\n\
                 var data: [4]u32;\nconst into = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> data[i] });\n\
                 const id = @get_local_task_id(9);\ntask main() void { @mov32(into, from); }\n\
                 comptime { @bind_local_task(main, id); @activate(id); }\n";
    let (_folder, mut runtime) = alone(waits);
    assert_eq!(stopped(&mut runtime, false), Ending::Waiting);
    assert!(runtime.take_warnings()[0].contains("the main thread of PE (0, 0) waits for a wavelet of color 3"));
    // A microthread may wait for what never comes: receivers without an end are usual.
    let (_folder, mut runtime) = alone(&waits.replace("from);", "from, .{ .async = true });"));
    assert_eq!(stopped(&mut runtime, false), Ending::Complete);
    assert_eq!(runtime.take_warnings(), [""; 0]);
}

#[test]
fn a_machine_at_rest_whose_function_has_not_unblocked_is_a_warning() {
    let code = "const queue = @get_input_queue(3);
const from = @get_dsd(fabin_dsd, .{ .extent = 8, .fabric_color = @get_color(3), .input_queue = queue });
var data = @zeros([8]u32);
const to = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> data[i] });
fn main() void {
  if (x == 1) { @mov32(to, from); }
  sys_mod.unblock_cmd_stream();
}
comptime { @initialize_queue(queue, .{ .color = @get_color(3) }); }
";
    let (_folder, mut runtime) = pair(code);
    assert_eq!(stopped(&mut runtime, true), Ending::Waiting);
    let warnings = runtime.take_warnings();
    let expected = "nothing could move any more in cycle CYCLE when the run was stopped: main has not called \
                    unblock_cmd_stream() on PE (1, 0); the main thread of PE (1, 0) waits for a wavelet of color 3 in input \
                    queue 3, 8 elements to go in main, pe.csl:11";
    assert_eq!(warnings.iter().map(|text| without_cycle(text)).collect::<Vec<_>>(), [expected]);

    let (_folder, mut runtime) = pair("fn main() void { laps += 1; if (x == 0) { sys_mod.unblock_cmd_stream(); } }\n");
    assert_eq!(stopped(&mut runtime, true), Ending::Waiting);
    let expected = "nothing could move any more in cycle CYCLE when the run was stopped: main has not called \
                    unblock_cmd_stream() on PE (1, 0)";
    assert_eq!(runtime.take_warnings().iter().map(|text| without_cycle(text)).collect::<Vec<_>>(), [expected]);
}

/// A text with CYCLE for the number behind the first `cycle `.
fn without_cycle(text: &str) -> String {
    let (before, after) = text.split_once("cycle ").expect("it names a cycle");
    format!("{before}cycle CYCLE{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
}

const FOR_EVER: &str = "fn main() void {
  if (x == 1) { iterate(); }
  sys_mod.unblock_cmd_stream();
}
fn iterate() void {
  while (true) {
    laps += 1;
  }
}
";

#[test]
fn a_function_that_is_busy_for_ever_is_cut_off_after_ten_million_cycles() {
    let (_folder, mut runtime) = pair(FOR_EVER);
    assert_eq!(stopped(&mut runtime, true), Ending::CutOff { after: 10_000_000 });
    let warnings = runtime.take_warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let expected = "the run was cut off in cycle CYCLE, 10000000 cycles after it was to stop: main has not called \
                    unblock_cmd_stream() on PE (1, 0); PE (1, 0) still ran in iterate, pe.csl:LINE; `waferlab run \
                    --max-cycles=N` or WAFERLAB_MAX_CYCLES=N lets a run take N cycles";
    let text = without_cycle(&warnings[0]);
    let line = ["pe.csl:11", "pe.csl:12"].into_iter().find(|line| text.contains(line)).expect("a line of the loop");
    assert_eq!(text, expected.replace("pe.csl:LINE", line));
    assert!(laps(&mut runtime, 1) > 100_000, "memory can be read");
}

#[test]
fn the_limit_moves_where_a_function_is_cut_off() {
    let (_folder, mut runtime) = pair(FOR_EVER);
    runtime.limit_cycles(30_000);
    assert!(matches!(stopped(&mut runtime, true), Ending::CutOff { after: 20_000..30_000 }));
    // The work that a PE has done ahead of the clock counts.
    assert!((30_000..30_020).contains(&runtime.cycle()), "{}", runtime.cycle());

    // Some 20 million cycles, a loop of a known cost.
    let code = "fn main() void {
  while (laps < 2000000) { laps += 1; }
  sys_mod.unblock_cmd_stream();
}
";
    let (_folder, mut runtime) = pair(code);
    runtime.limit_cycles(100_000_000);
    assert_eq!(stopped(&mut runtime, true), Ending::Complete);
    assert_eq!(laps(&mut runtime, 1), 2_000_000);
    assert!(runtime.cycle() > 20_000_000, "{}", runtime.cycle());
    assert_eq!(runtime.take_warnings(), [""; 0]);
}

/// A copy after an endless function would wait for ever: the report is that of Ctrl-C.
#[test]
fn the_limit_ends_an_endless_wait_with_a_report() {
    let (folder, mut runtime) = pair(FOR_EVER);
    runtime.limit_cycles(50_000);
    runtime.log_to(folder.path().join("sim.log"), LogKinds::default());
    runtime.load().expect("load() comes first");
    runtime.run().expect("run() comes second");
    program::call(&mut runtime, "main", &[]).expect("it is called");
    let again = runtime.launch("main", &[]).expect("the call is taken");
    let Err(HostError::Failed { report, .. }) = runtime.wait(again) else {
        panic!("it never comes to the second call")
    };
    assert!(report.starts_with("error[E0901]: the run was ended in cycle 50000: it may take no more ("), "{report}");
    let notes = notes(&report);
    assert!(
        notes[0].starts_with("pe.csl:") && notes[0].ends_with("main has not called unblock_cmd_stream() on PE (1, 0)"),
        "{report}"
    );
    assert!(notes.iter().any(|note| note.ends_with("the main thread of PE (1, 0) runs, in iterate")), "{report}");
    let log = std::fs::read_to_string(folder.path().join("sim.log")).expect("it was written");
    assert!(log.contains("@50000 Stopping due to the limit of cycles\n"), "{log}");
    assert!(runtime.is_done(again).is_err(), "asking again does not go on");
}

#[test]
fn many_pes_that_are_cut_off_alike_are_counted() {
    let pe = "
param memcpy_params;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
var data = @zeros([1]u32);
var data_ptr: [*]u32 = &data;
fn main() void { iterate(); }
fn iterate() void { while (true) { data[0] += 1; } }
comptime {
  @export_symbol(data_ptr, \"data\");
  @export_symbol(main);
}
";
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("layout.csl"), LAYOUT).expect("the folder is writable");
    std::fs::write(folder.path().join("pe.csl"), pe).expect("the folder is writable");
    let options = Options { folder: folder.path().to_owned(), memcpy: true, ..Options::new("layout.csl") };
    assert!(compile(&options).succeeded());
    let settings = Settings::new(1);
    let mut runtime = Runtime::open(&folder.path().join("out"), settings).expect("the program opens");
    runtime.limit_cycles(10_000);
    assert!(matches!(stopped(&mut runtime, true), Ending::CutOff { .. }));
    let text = runtime.take_warnings().remove(0);
    let expected = ": main has not called unblock_cmd_stream() on 1000 PEs, the first of them (0, 0); 1000 PEs still ran, the \
                    first (0, 0) in iterate, pe.csl:7; ";
    assert!(text.contains(expected), "{text}");
}
