//! Copies, launches, and requests that are refused before anything moves.

use csl_host::{Argument, Copy, Endpoint, ErrorKind, HostError, Order, Rect, Spread, Task, Width};
use csl_machine::Color;

use crate::program;

const ALL: Rect = Rect { x: 0, y: 0, w: 3, h: 2, step_x: 1, step_y: 1 };

fn copy(rect: Rect, per_pe: u32) -> Copy {
    Copy::of(rect, per_pe)
}

fn floats(words: &[u32]) -> Vec<f32> {
    words.iter().map(|&word| f32::from_bits(word)).collect()
}

fn bits(values: impl IntoIterator<Item = f32>) -> Vec<u32> {
    values.into_iter().map(f32::to_bits).collect()
}

fn refusal<T>(result: Result<T, HostError>) -> String {
    match result {
        Err(error) if error.kind() == ErrorKind::Argument => error.to_string(),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("the request was taken"),
    }
}

#[test]
fn what_goes_out_scaled_comes_back() {
    let (_folder, mut runtime) = program::running();
    let v = runtime.id("v").expect("v is exported").into();
    let words = bits((0..24).map(|i| i as f32));
    let task = runtime.h2d(v, &words[..], &copy(ALL, 4), Spread::Each).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
    let task = runtime.launch("scale", &[Argument::Float(0.5), Argument::Int(1)]).expect("the call is taken");
    runtime.wait(task).expect("the call ends");
    let task = runtime.d2h(v, 24, &copy(ALL, 4)).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
    let arrived = runtime.take_arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!(floats(&arrived[0].1), (0..24).map(|i| i as f32 / 2.0).collect::<Vec<_>>());
    runtime.stop().expect("nothing is pending");
}

#[test]
fn a_copy_that_is_done_arrives_with_a_later_one_that_is_waited_for() {
    let (_folder, mut runtime) = program::running();
    let v = runtime.id("v").expect("v is exported").into();
    let back = |runtime: &mut csl_host::Runtime| runtime.d2h(v, 24, &copy(ALL, 4)).expect("the copy is taken");
    let [first, second, third] = [(); 3].map(|()| back(&mut runtime));
    runtime.wait(second).expect("the copy ends");
    let arrived = |runtime: &mut csl_host::Runtime| -> Vec<Task> {
        runtime.take_arrived().into_iter().map(|(task, _)| task).collect()
    };
    assert_eq!(arrived(&mut runtime), [first, second]);
    assert!(runtime.is_done(first).expect("the run goes on"));
    assert_eq!(arrived(&mut runtime), []);
    runtime.stop().expect("the program ends");
    assert_eq!(arrived(&mut runtime), [third]);
}

#[test]
fn column_major_has_the_row_fastest() {
    let (_folder, mut runtime) = program::running();
    let v = runtime.id("v").expect("v is exported").into();
    let by_column = Copy { order: Order::ColMajor, ..copy(ALL, 4) };
    // Element l of PE (w, h) is h + 2*(w + 3*l).
    let task = runtime.h2d(v, bits((0..24).map(|i| i as f32)), &by_column, Spread::Each).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
    let one = Rect::new(2, 1, 1, 1);
    let task = runtime.d2h(v, 4, &copy(one, 4)).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
    assert_eq!(floats(&runtime.take_arrived()[0].1), [5.0, 11.0, 17.0, 23.0]);
}

#[test]
fn sixteen_bits_travel_in_words_of_thirty_two() {
    let (_folder, mut runtime) = program::running();
    let h = runtime.id("h").expect("h is exported").into();
    let narrow = Copy { width: Width::Bits16, ..copy(Rect::new(1, 0, 1, 1), 4) };
    let words = [1, 2, 3, 0xffff_fff0];
    let task = runtime.h2d(h, &words[..], &narrow, Spread::Each).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
    let task = runtime.d2h(h, 4, &narrow).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
    assert_eq!(runtime.take_arrived()[0].1, [1, 2, 3, 0xfff0]);
}

#[test]
fn a_broadcast_gives_all_of_a_row_or_column_the_same() {
    let (_folder, mut runtime) = program::running();
    let v = runtime.id("v").expect("v is exported").into();
    for (spread, shares, expected) in
        [(Spread::Rows, 2, [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]), (Spread::Columns, 3, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0])]
    {
        let words = bits((1..=shares).map(|i| i as f32));
        let task = runtime.h2d(v, &words[..], &copy(ALL, 1), spread).expect("the copy is taken");
        runtime.wait(task).expect("the copy ends");
        let task = runtime.d2h(v, 6, &copy(ALL, 1)).expect("the copy is taken");
        runtime.wait(task).expect("the copy ends");
        assert_eq!(floats(&runtime.take_arrived()[0].1), expected);
    }
}

#[test]
fn a_stride_reaches_every_second_column() {
    let (_folder, mut runtime) = program::running();
    let v = runtime.id("v").expect("v is exported").into();
    let strided = copy(Rect { step_x: 2, step_y: 2, ..ALL }, 1);
    let task = runtime.h2d(v, bits([7.0, 8.0]), &strided, Spread::Each).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
    let task = runtime.d2h(v, 6, &copy(ALL, 1)).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
    assert_eq!(floats(&runtime.take_arrived()[0].1), [7.0, 0.0, 8.0, 0.0, 0.0, 0.0]);
}

/// `@export_name(.., false)`: the guide's host may only read it, but nothing stands in the way of the copy.
#[test]
fn what_the_host_is_to_read_is_written_with_a_warning() {
    let (_folder, mut runtime) = program::running();
    let [v, fixed] = ["v", "fixed"].map(|name| Endpoint::from(runtime.id(name).expect("the symbol is exported")));
    let task = runtime.h2d(fixed, bits([5.0; 24]), &copy(ALL, 4), Spread::Each).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
    let told = runtime.take_warnings();
    assert!(told.len() == 1 && told[0].starts_with("memcpy_h2d: fixed is exported for the host to read"), "{told:?}");
    let task = runtime.d2h(v, 24, &copy(ALL, 4)).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
    assert_eq!(floats(&runtime.take_arrived()[0].1), [5.0; 24]);
    assert_eq!(runtime.take_warnings(), [""; 0]);
}

#[test]
fn wrong_copies_are_refused() {
    let (_folder, mut runtime) = program::running();
    let id = |name: &str| Endpoint::from(runtime.id(name).expect("the symbol is exported"));
    let (v, scale) = (id("v"), id("scale"));
    let words = [0; 24];
    let mut h2d = |to, words: &[u32], copy: Copy| refusal(runtime.h2d(to, words, &copy, Spread::Each));
    assert!(h2d(Endpoint::Symbol(99), &words, copy(ALL, 4)).starts_with("no exported symbol has the number 99"));
    assert!(h2d(scale, &words, copy(ALL, 4)).starts_with("scale is a function"));
    assert!(h2d(v, &words, copy(Rect::new(1, 0, 3, 1), 4)).contains("reaches outside the program's 3 x 2 PEs"));
    assert!(h2d(v, &words, copy(Rect::new(0, 0, 0, 1), 4)).contains("holds nothing"));
    assert!(h2d(v, &words[..23], copy(ALL, 4)).contains("are 24 items, but the host array has 23"));
    assert!(h2d(Endpoint::Color(Color::at(24)), &words, copy(ALL, 4)).contains("colors are 0 to 23"));
}

#[test]
fn wrong_calls_are_refused() {
    let (_folder, mut runtime) = program::running();
    let mut launch = |name: &str, arguments: &[Argument]| refusal(runtime.launch(name, arguments));
    assert!(launch("scaled", &[]).starts_with("the program exports no function \"scaled\"; it exports scale, divide"));
    assert!(
        launch("v", &[]).starts_with("v is data, not a function that can be called; the functions that the program")
    );
    assert_eq!(launch("scale", &[Argument::Float(1.0)]), "launch: scale(f32, i16) takes 2 arguments, 1 given");
    assert_eq!(
        launch("scale", &[Argument::Float(1.0), Argument::Int(40000)]),
        "launch: argument 2 of scale(f32, i16) must be a value of type i16, not 40000"
    );
    let typed = Argument::TypedInt { bits: 32, signed: true, value: 3 };
    assert!(launch("scale", &[typed, Argument::Int(1)]).contains("not 3 (int32)"));
    assert!(
        launch("scale", &[Argument::Float(1e39), Argument::Int(1)]).contains("must be a value of type f32, not 1e39")
    );
}

#[test]
fn a_copy_beyond_the_array_warns() {
    let (_folder, mut runtime) = program::running();
    let v = runtime.id("v").expect("v is exported").into();
    runtime.h2d(v, [0; 5], &copy(Rect::new(0, 0, 1, 1), 5), Spread::Each).expect("the copy is taken");
    let warnings = runtime.take_warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("copy of 5 elements (20 bytes)"), "{}", warnings[0]);
}

#[test]
fn nothing_moves_out_of_order() {
    let (_folder, mut runtime) = program::running();
    assert_eq!(runtime.load().expect_err("loaded already").to_string(), "load() can be called once, first of all");
    runtime.stop().expect("nothing is pending");
    let late = runtime.launch("scale", &[]).expect_err("the run is over");
    assert_eq!(late.to_string(), "launch: the run has been stopped");
}

#[test]
fn a_symbol_is_read_at_its_place_in_the_fabric() {
    let (_folder, mut runtime) = program::running();
    let v = runtime.id("v").expect("v is exported").into();
    let task = runtime.h2d(v, bits([3.0]), &copy(Rect::new(2, 1, 1, 1), 1), Spread::Each).expect("the copy is taken");
    runtime.wait(task).expect("the copy ends");
    runtime.stop().expect("nothing is pending");
    assert_eq!(runtime.to_physical(2, 1), (6, 2).into());
    let bytes = runtime.read_symbol(6, 2, "v").expect("the symbol is there");
    assert_eq!((bytes.len(), &bytes[..4]), (16, &3.0f32.to_le_bytes()[..]));
    assert!(refusal(runtime.read_symbol(6, 2, "w")).contains("has no symbol w"));
    assert!(refusal(runtime.read_symbol(0, 0, "v")).contains("no PE of the program at (0, 0)"));
    assert!(refusal(runtime.read_symbol(400, 1, "v")).contains("no PE of the program at (400, 1)"));
}

#[test]
fn a_fault_shows_its_line() {
    let (_folder, mut runtime) = program::running();
    let task = runtime.launch("divide", &[Argument::Int(0)]).expect("the call is taken");
    let Err(HostError::Failed { report: text, .. }) = runtime.wait(task) else { panic!("the division went well") };
    assert!(text.contains("PE (0, 0) stopped in cycle"), "{text}");
    assert!(text.contains("integer division by zero"), "{text}");
    assert!(text.contains("quotient = 100 / by;"), "{text}");
}

#[test]
fn a_fault_in_an_inlined_function_shows_its_line_and_the_calls() {
    let functions = "
var zero: i16 = 0;
fn divide(by: i16) i16 {
  return 100 / by;
}
fn outer(by: i16) i16 {
  return divide(by) + 1;
}
fn run() void {
  verdict[0] = @as(u32, outer(zero));
}
";
    let source = format!("{}{functions}", crate::verdict::FRAME);
    let ended = crate::verdict::verdict(&source, csl_host::Arch::Wse3, csl_num::FloatKind::F16);
    let Err(HostError::Failed { report: text, .. }) = ended else { panic!("the division went well") };
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown =
        ["return 100 / by;", "in divide", "pe.csl:22:10: called here, in outer", "pe.csl:25:25: called here, in run"];
    let mut rest = words.as_str();
    for part in shown {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part} is not there, or not in its place: {text}"));
        rest = &rest[at..];
    }
}

/// Ctrl-C in a program that never ends.
#[test]
fn an_interrupt_shows_what_runs() {
    let (_folder, mut runtime) = program::running();
    let v = runtime.id("v").expect("v is exported").into();
    runtime.launch("spin", &[]).expect("the call is taken");
    let task = runtime.d2h(v, 24, &copy(ALL, 4)).expect("the copy is taken");
    runtime.interrupt().store(true, std::sync::atomic::Ordering::Relaxed);
    let Err(HostError::Interrupted { report, .. }) = runtime.wait(task) else { panic!("it ended") };
    assert!(report.contains("the run was interrupted in cycle"), "{report}");
    let words = report.split_whitespace().collect::<Vec<_>>().join(" ");
    let runs = "pe.csl:23:18: the main thread of 6 PEs, the first of them (0, 0) runs, in spin";
    assert!(words.contains(runs), "{report}");
}

#[test]
fn a_stream_that_stays_blocked_is_a_deadlock() {
    let (_folder, mut runtime) = program::running();
    let v = runtime.id("v").expect("v is exported").into();
    let task = runtime.launch("hold", &[]).expect("the call is taken");
    runtime.wait(task).expect("a call ends when the function has returned");
    let task = runtime.d2h(v, 24, &copy(ALL, 4)).expect("the copy is taken");
    let Err(HostError::Failed { report: text, .. }) = runtime.wait(task) else { panic!("the copy went well") };
    assert!(text.contains("unblock_cmd_stream()"), "{text}");
}

/// A copy moves words whatever the elements of the symbol are: two halves a word, the lower one first.
#[test]
fn a_copy_moves_words_of_any_element() {
    let (_folder, mut runtime) = program::running();
    let id = |name: &str| Endpoint::from(runtime.id(name).expect("the symbol is exported"));
    let (v, h) = (id("v"), id("h"));
    let one = Rect::new(1, 1, 1, 1);
    for (symbol, words) in [(h, [0x0002_0001, 0x0004_0003]), (v, [0x1111_2222, 0x3333_4444])] {
        let halves: Vec<u32> = words.iter().flat_map(|word: &u32| [word & 0xffff, word >> 16]).collect();
        let wide = copy(one, 2);
        let narrow = Copy { width: Width::Bits16, ..copy(one, 4) };
        for (written, to, read, from) in [(&words[..], &wide, &halves[..], &narrow), (&halves, &narrow, &words, &wide)]
        {
            runtime.h2d(symbol, written, to, Spread::Each).expect("the copy is taken");
            let task = runtime.d2h(symbol, read.len(), from).expect("the copy is taken");
            runtime.wait(task).expect("the copy ends");
            assert_eq!(runtime.take_arrived()[0].1, read);
        }
    }
    assert_eq!(runtime.take_warnings(), [""; 0]);
    // Eight bytes for the four halves, and sixteen are read.
    runtime.d2h(h, 4, &copy(one, 4)).expect("the copy is taken");
    assert_eq!(
        runtime.take_warnings(),
        ["copy of 4 elements (16 bytes) a PE to or from h: h has room for 8 bytes there"]
    );
}

#[test]
fn a_longer_host_array_warns() {
    let (_folder, mut runtime) = program::running();
    let v = runtime.id("v").expect("v is exported").into();
    runtime.h2d(v, [0; 25], &copy(ALL, 4), Spread::Each).expect("the copy is taken");
    runtime.h2d(v, [0; 9], &copy(ALL, 4), Spread::Rows).expect("the copy is taken");
    runtime.d2h(v, 26, &copy(ALL, 4)).expect("the copy is taken");
    let warnings = runtime.take_warnings();
    assert_eq!(
        warnings[0],
        "memcpy_h2d: 3 x 2 PEs with 4 elements each are 24 items, the first of the host array's 25"
    );
    assert_eq!(warnings[1], "memcpy_h2d: 1 x 2 PEs with 4 elements each are 8 items, the first of the host array's 9");
    assert_eq!(
        warnings[2],
        "memcpy_d2h: 3 x 2 PEs with 4 elements each are 24 items, the first of the host array's 26"
    );
}

/// `on_one` and the longer `v` are those of the second PE; `nowhere` and `gone` have been forgotten.
const UNEVEN: (&str, &str) = (
    "
const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = 2, .height = 1 });
layout {
  @set_rectangle(2, 1);
  @set_tile_code(0, 0, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(0), .is_first = true });
  @set_tile_code(1, 0, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(1), .is_first = false });
  @export_name(\"v\", [*]u32, true);
  @export_name(\"gone\", [*]u32, true);
  @export_name(\"on_one\", fn()void);
  @export_name(\"nowhere\", fn()void);
}
",
    "
param memcpy_params;
param is_first: bool;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
var v = @zeros([if (is_first) 4 else 2]u32);
var v_ptr: [*]u32 = &v;
fn on_one() void { v[0] = 1; sys_mod.unblock_cmd_stream(); }
comptime {
  @export_symbol(v_ptr, \"v\");
  if (!is_first) { @export_symbol(on_one); }
}
",
);

#[test]
fn what_no_pe_or_not_every_pe_has_is_told() {
    let files = [("layout.csl", UNEVEN.0), ("pe.csl", UNEVEN.1)];
    let (_folder, mut runtime) = program::running_files(&files, csl_host::Options::new("layout.csl"));
    let missing = |name: &str| {
        format!("the layout exports {name}, but no PE has it: its program's `@export_symbol` of {name} is missing")
    };
    assert_eq!(refusal(runtime.launch("nowhere", &[])), missing("nowhere"));
    assert_eq!(refusal(runtime.call("nowhere", &[])), missing("nowhere"));
    let gone = runtime.id("gone").expect("the layout has it").into();
    assert_eq!(refusal(runtime.d2h(gone, 1, &copy(Rect::new(0, 0, 1, 1), 1))), missing("gone"));
    for _ in 0..2 {
        let task = runtime.launch("on_one", &[]).expect("one PE has it");
        runtime.wait(task).expect("it is called there");
    }
    let told = "on_one is called on 1 of 2 PEs: the others, the first of them (0, 0), do not export it";
    assert_eq!(runtime.take_warnings(), [told]);
    // The copy fits the first PE and not the second.
    let v = runtime.id("v").expect("v is exported").into();
    runtime.d2h(v, 8, &copy(Rect::new(0, 0, 2, 1), 4)).expect("the copy is taken");
    assert!(runtime.take_warnings()[0].contains("v has room for 8 bytes there"));
}

/// A function with parameters of 64 bits, and one with a parameter that the host has no value for.
const WIDE: (&str, &str) = (
    r#"
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name("kept", [*]u32, false);
  @export_name("keep", fn(u64, i16, i64)void);
  @export_name("huge", fn(u128)void);
}
"#,
    r#"
param memcpy_params;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
var kept = @zeros([5]u32);
const kept_ptr: [*]u32 = &kept;
fn keep(a: u64, small: i16, b: i64) void {
  const bits = @bitcast(u64, b);
  kept[0] = @as(u32, a & 0xffffffff);
  kept[1] = @as(u32, a >> 32);
  kept[2] = @bitcast(u32, @as(i32, small));
  kept[3] = @as(u32, bits & 0xffffffff);
  kept[4] = @as(u32, bits >> 32);
  sys_mod.unblock_cmd_stream();
}
fn huge(value: u128) void {
  kept[0] = @as(u32, value & 0xff);
  sys_mod.unblock_cmd_stream();
}
comptime {
  @export_symbol(kept_ptr, "kept");
  @export_symbol(keep);
  @export_symbol(huge);
}
"#,
);

#[test]
fn a_launch_takes_values_of_64_bits_and_says_which_it_has_none_for() {
    let files = [("layout.csl", WIDE.0), ("pe.csl", WIDE.1)];
    let (_folder, mut runtime) = program::running_files(&files, csl_host::Options::new("layout.csl"));
    let pe = Rect::new(0, 0, 1, 1);
    let kept = runtime.id("kept").expect("kept is exported").into();
    let keeps = |runtime: &mut csl_host::Runtime| {
        let task = runtime.d2h(kept, 5, &copy(pe, 5)).expect("the copy is taken");
        runtime.wait(task).expect("the copy ends");
        runtime.take_arrived().remove(0).1
    };
    let given = [0x1234_5678_9abc_def0_u64.into(), Argument::Int(-2), Argument::Int(i64::MIN.into())];
    let task = runtime.launch("keep", &given).expect("the call is taken");
    runtime.wait(task).expect("the call ends");
    assert_eq!(keeps(&mut runtime), [0x9abc_def0, 0x1234_5678, 0xffff_fffe, 0, 0x8000_0000]);
    let task = runtime.call("keep", &[1, 2, 0xffff, 3, 4, 99]).expect("the call is taken");
    runtime.wait(task).expect("the call ends");
    assert_eq!(keeps(&mut runtime), [1, 2, u32::MAX, 3, 4]);
    assert_eq!(refusal(runtime.call("keep", &[1, 2, 3, 4])), "call: keep takes 5 words, 4 given");
    let too_large = [Argument::Int(1 << 64), Argument::Int(0), Argument::Int(0)];
    assert!(refusal(runtime.launch("keep", &too_large)).contains("must be a value of type u64"));
    let told = refusal(runtime.launch("huge", &[Argument::Int(1)]));
    assert!(told.starts_with("launch: parameter 1 of huge(u128) is a u128: the host has values for"), "{told}");
}
