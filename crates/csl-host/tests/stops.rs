//! Stops that scenes cannot show: those of many PEs, and those that come from the host's side.

use std::sync::atomic::Ordering;

use csl_host::{Copy, HostError, Options, Order, Rect, Runtime, Width};
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

/// Calls `main`, then copies a word of `data` from every PE: what that ends in, as text.
fn end(runtime: &mut Runtime) -> String {
    let rect = Rect::new(0, 0, 40, 25);
    let copy = Copy { rect, per_pe: 1, width: Width::Bits32, order: Order::RowMajor, streaming: false };
    let data = runtime.id("data").expect("it is exported").into();
    let task = runtime.launch("main", &[]).expect("the call is taken");
    runtime.wait(task).expect("it is called");
    let task = runtime.d2h(data, 1000, &copy).expect("the copy is taken");
    match runtime.wait(task) {
        Err(HostError::Simulation(report) | HostError::Interrupted { report, .. }) => report,
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
        "the host waits for 1000 PEs, the first of them (0, 0): a function that it launched before has not called \
         unblock_cmd_stream()",
        "pe.csl:8:18: the main thread of 1000 PEs, the first of them (0, 0) waits for a wavelet of color 3 in input \
         queue 3, 8 elements to go, in main",
    ];
    assert_eq!(notes(&end(&mut runtime)), expected);
}

/// Such a program is never at rest: Ctrl-C gives the same account.
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

/// Wavelets that nobody takes are no error, but who stops the run is told of them, with the line that would send more.
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
                    of PE (1, 0): no operation reads it, and its color or queue is blocked; more are to be sent at \
                    pe.csl:9:16 in main";
    assert_eq!(runtime.take_warnings(), [expected]);
}
