//! The host API by its own example, and what its pages promise.

#[path = "../examples/dot.rs"]
#[allow(dead_code, reason = "the example's main prints what the test checks")]
mod dot;

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use waferlab::{
    Arch, Area, Check, Ending, ErrorKind, Failure, HostError, Options, Order, RequestKind, Runtime, Spread, compile,
};

#[test]
fn the_example_agrees_with_plain_rust() {
    let folder = TempDir::new().expect("a temporary folder");
    for arch in [Arch::Wse2, Arch::Wse3] {
        let (_, cycles) = dot::on_the_wafer(arch, &folder.path().join("out")).expect("the program runs");
        assert!(cycles > 0);
    }
}

const LAYOUT: &str = r#"
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 2, .height = 2 });
layout {
  @set_rectangle(2, 2);
  for (@range(u16, 2)) |y| {
    for (@range(u16, 2)) |x| {
      @set_tile_code(x, y, "pe.csl", .{ .memcpy_params = memcpy.get_params(x), .at = 2 * y + x });
    }
  }
  @export_name("words", [*]i32, true);
  @export_name("halves", [*]i16, true);
  @export_name("add", fn(i16)void);
  @export_name("wait", fn()void);
  @export_name("fail", fn()void);
}"#;

const PE: &str = r#"
param memcpy_params;
param at: u16;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
const simprint = @import_module("<simprint>");
var words = @zeros([3]i32);
var halves = @zeros([3]i16);
var words_ptr: [*]i32 = &words;
var halves_ptr: [*]i16 = &halves;
fn add(more: i16) void {
  for (@range(u16, 3)) |i| {
    words[i] += @as(i32, more);
    halves[i] += more;
  }
  if (at == 3) { simprint.print_string("added\n"); }
  sys_mod.unblock_cmd_stream();
}
fn wait() void {}
fn fail() void {
  @assert(at != 1);
  sys_mod.unblock_cmd_stream();
}
comptime {
  @export_symbol(words_ptr, "words");
  @export_symbol(halves_ptr, "halves");
  @export_symbol(add);
  @export_symbol(wait);
  @export_symbol(fail);
}"#;

fn compiled(folder: &TempDir) -> PathBuf {
    std::fs::write(folder.path().join("layout.csl"), LAYOUT).expect("the folder is writable");
    std::fs::write(folder.path().join("pe.csl"), PE).expect("the folder is writable");
    let options = Options { folder: folder.path().to_owned(), memcpy: true, ..Options::new("layout.csl") };
    compile(&options).expect("the program is right").folder
}

fn running(folder: &Path) -> Runtime {
    let mut runtime = Runtime::open(folder).expect("it was compiled");
    runtime.load().expect("it loads");
    runtime.run().expect("it starts");
    runtime
}

const ALL: fn() -> Area = || Area::new(0, 0, 2, 2);

#[test]
fn elements_of_every_type_and_order_go_there_and_back() {
    let folder = TempDir::new().expect("a temporary folder");
    let mut wafer = running(&compiled(&folder));
    let (words, halves) = (wafer.symbol("words").expect("exported"), wafer.symbol("halves").expect("exported"));
    let numbers: Vec<i32> = (0..12).map(|at| at - 6).collect();
    let small: Vec<i16> = (0..12).map(|at| 100 - 50 * at).collect();
    wafer.memcpy_h2d(words, &numbers, ALL(), 3).expect("it is taken");
    wafer.memcpy_h2d(halves, &small, ALL(), 3).expect("it is taken");
    let task = wafer.launch("add", &[(-2i16).into()]).expect("it is taken");
    wafer.wait(task).expect("it ends");
    assert!(wafer.is_done(task).expect("it runs"));
    let got: Vec<i32> = wafer.memcpy_d2h(words, ALL(), 3).expect("it comes");
    assert_eq!(got, numbers.iter().map(|number| number - 2).collect::<Vec<_>>());
    let bits: Vec<u32> = wafer.memcpy_d2h(words, ALL(), 3).expect("it comes");
    assert_eq!(bits, got.iter().map(|number| number.cast_unsigned()).collect::<Vec<_>>());
    let got: Vec<i16> = wafer.memcpy_d2h(halves, ALL(), 3).expect("it comes");
    assert_eq!(got, small.iter().map(|number| number - 2).collect::<Vec<_>>());
    let halves_of: Vec<u16> = wafer.memcpy_d2h(halves, ALL(), 3).expect("it comes");
    assert_eq!(halves_of, got.iter().map(|number| number.cast_unsigned()).collect::<Vec<_>>());

    // Column-major: the row of the PE is fastest, then its column, then the element.
    let turned: Vec<i32> = wafer.memcpy_d2h(words, ALL().order(Order::ColMajor), 3).expect("it comes");
    let at = |x: usize, y: usize, item: usize| numbers[(2 * y + x) * 3 + item] - 2;
    let expected: Vec<i32> = (0..12).map(|index| at(index / 2 % 2, index % 2, index / 4)).collect();
    assert_eq!(turned, expected);

    wafer.broadcast(words, &[1i32, 2, 3, 4, 5, 6], ALL(), 3, Spread::Rows).expect("it is taken");
    wafer.memcpy_h2d(words, &[7i32, 8], ALL().every(2, 1), 1).expect("it is taken");
    let task = wafer.begin_d2h::<i32>(words, ALL(), 3).expect("it is taken");
    assert_eq!(wafer.stop().expect("it ends"), Ending::Complete);
    assert_eq!(wafer.take::<i32>(task).expect("it came"), [7, 2, 3, 1, 2, 3, 8, 5, 6, 4, 5, 6]);
    assert_eq!(wafer.take::<i32>(task).expect("it came"), [0i32; 0], "once");
    assert_eq!(wafer.read_symbol(1, 1, "words").expect("it is there"), [4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0]);
    assert_printed_once(&wafer.take_prints());
    assert_eq!(wafer.take_prints(), "");
    let kinds: Vec<RequestKind> = wafer.requests().iter().map(|request| request.kind).collect();
    assert_eq!(kinds[..3], [RequestKind::H2d, RequestKind::H2d, RequestKind::Launch]);
    assert!(wafer.take_warnings().is_empty());
}

fn assert_printed_once(prints: &str) {
    assert!(prints.starts_with('@') && prints.ends_with(" added\n") && prints.lines().count() == 1, "{prints:?}");
}

#[test]
fn a_log_has_the_prints_too() {
    let folder = TempDir::new().expect("a temporary folder");
    let mut wafer = Runtime::open_with(compiled(&folder), 2, Check::On).expect("it was compiled");
    let logs = folder.path().join("logs");
    wafer.log_to(&logs).expect("the folder is made");
    wafer.load().expect("it loads");
    wafer.run().expect("it starts");
    wafer.launch("add", &[1i16.into()]).expect("it is taken");
    wafer.stop().expect("it ends");
    assert_printed_once(&wafer.take_prints());
    assert!(std::fs::read_to_string(logs.join("sim.log")).expect("there is a log").contains(" added\n"));
}

/// The kind and the text of an error.
fn told<T>(result: Result<T, HostError>) -> (ErrorKind, String) {
    let error = result.err().expect("it is refused");
    (error.kind(), error.to_string())
}

#[test]
fn wrong_calls_are_refused_and_leave_the_run_as_it_is() {
    let folder = TempDir::new().expect("a temporary folder");
    let other = |text: &str| (ErrorKind::Other, text.to_owned());
    let argument = |text: &str| (ErrorKind::Argument, text.to_owned());
    assert_eq!(told(Runtime::open(folder.path())).0, ErrorKind::Other);
    let mut wafer = Runtime::open(compiled(&folder)).expect("it was compiled");
    assert_eq!(told(wafer.run()), other("run() can be called once, after load()"));
    wafer.load().expect("it loads");
    assert_eq!(told(wafer.load()), other("load() can be called once, first of all"));
    let late = "comes before load(): now that the program is loaded it has no effect";
    assert_eq!(told(wafer.limit_cycles(7)), other(&format!("limit_cycles() {late}")));
    assert_eq!(told(wafer.log_to(folder.path().join("late"))), other(&format!("log_to() {late}")));
    assert!(!folder.path().join("late").exists(), "a call that is refused makes no folder");
    assert_eq!(told(wafer.launch("add", &[])), other("launch: call load() and run() first"));
    wafer.run().expect("it starts");
    let words = wafer.symbol("words").expect("exported");
    let exports = "halves, words, add, fail, wait";
    let text = wafer.symbol("word").expect_err("it is not exported").to_string();
    assert!(text.starts_with("the program exports no symbol \"word\"; it exports "), "{text}");
    assert!(exports.split(", ").all(|name| text.contains(name)), "{text}");
    assert_eq!(
        told(wafer.memcpy_h2d(words, &[1i32; 11], ALL(), 3)),
        argument("memcpy_h2d: 2 x 2 PEs with 3 elements each are 12 items, but the host array has 11")
    );
    assert_eq!(
        told(wafer.memcpy_d2h::<i32>(words, Area::new(1, 0, 2, 1), 3)).1,
        "the rectangle of 2 x 1 PEs at (1, 0) reaches outside the program's 2 x 2 PEs"
    );
    assert_eq!(told(wafer.launch("add", &[40_000i32.into()])).0, ErrorKind::Argument);
    assert_eq!(told(wafer.launch("add", &[])).1, "launch: add(i16) takes 1 argument, 0 given");
    assert_eq!(told(wafer.color(99)).0, ErrorKind::Argument);
    assert_eq!(wafer.cycles(), 0, "nothing has moved");
    wafer.launch("add", &[1i16.into()]).expect("it is taken");
    assert_eq!(wafer.memcpy_d2h::<i32>(words, Area::pe(1, 1), 3).expect("it comes"), [1, 1, 1]);
    wafer.stop().expect("it ends");
    assert_eq!(told(wafer.launch("add", &[1i16.into()])).1, "launch: the run has been stopped");
}

#[test]
fn faults_and_deadlocks_are_reports() {
    let folder = TempDir::new().expect("a temporary folder");
    let out = compiled(&folder);
    let mut wafer = running(&out);
    let task = wafer.launch("fail", &[]).expect("it is taken");
    match wafer.wait(task) {
        Err(HostError::Failed { cause: Failure::Fault, report, .. }) => {
            assert!(report.contains("pe.csl:20"), "{report}")
        }
        other => panic!("{other:?}"),
    }
    let mut wafer = running(&out);
    wafer.launch("wait", &[]).expect("it is taken");
    let words = wafer.symbol("words").expect("exported");
    match wafer.memcpy_d2h::<i32>(words, ALL(), 3) {
        Err(HostError::Failed { cause: Failure::Deadlock, report, .. }) => {
            assert!(report.contains("unblock_cmd_stream"), "{report}");
        }
        other => panic!("{other:?}"),
    }
}
