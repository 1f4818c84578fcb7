//! Memcpy in streaming mode: the meaning of its colors for a program, and the way of its elements.

use csl_host::{Arch, Copy, Endpoint, HostError, Options, Rect, Runtime, Sdk, Spread, Width};
use csl_machine::Color;
use tempfile::TempDir;

use crate::program::running_files;

const ONE: Rect = Rect { x: 0, y: 0, w: 1, h: 1, step_x: 1, step_y: 1 };
const FROM_HOST: Endpoint = Endpoint::Color(Color::at(4));
const TO_HOST: Endpoint = Endpoint::Color(Color::at(5));

/// `$STREAMS` is how the generation binds its streaming colors.
const LAYOUT: &str = "
const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = 1, .height = 1, $STREAMS });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name(\"a\", [*]u32, true);
  @export_name(\"main\", fn()void);
}
";

const NUMBERS: &str = ".MEMCPYH2D_1 = @as(i16, 4), .MEMCPYD2H_1 = @as(i16, 5)";
const COLORS: &str = ".MEMCPYH2D_1 = @get_color(4), .MEMCPYD2H_1 = @get_color(5)";

const FRAME: &str = "
param memcpy_params;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
var a = @zeros([4]u32);
var a_ptr: [*]u32 = &a;
comptime { @export_symbol(a_ptr, \"a\"); @export_symbol(main); }
";

/// The queues of the two streams.
const QUEUES: &str = "
const iq = @get_input_queue(2);
const oq = @get_output_queue(3);
const from_host = @get_color(4);
const to_host = @get_color(5);
comptime {
  @initialize_queue(iq, .{ .color = from_host });
  @initialize_queue(oq, if (@is_arch(\"wse3\")) .{ .color = to_host } else .{});
}
";

fn running(arch: Arch, sdk: impl Into<Option<(u16, u16)>>, streams: &str, code: &str) -> (TempDir, Runtime) {
    let pe = format!("{FRAME}{QUEUES}{code}");
    let sdk = sdk.into().map(|(major, minor)| Sdk { major, minor });
    let options = Options { arch, sdk, ..Options::new("layout.csl") };
    running_files(&[("layout.csl", &LAYOUT.replace("$STREAMS", streams)), ("pe.csl", &pe)], options)
}

fn copy(per_pe: u32, width: Width) -> Copy {
    Copy { width, ..Copy::of(ONE, per_pe) }
}

fn call(runtime: &mut Runtime) {
    let task = runtime.launch("main", &[]).expect("main is exported");
    runtime.wait(task).expect("main returns");
}

fn received(runtime: &mut Runtime, from: Endpoint, copy: &Copy) -> Result<Vec<u32>, HostError> {
    let task = runtime.d2h(from, copy.per_pe as usize, copy)?;
    runtime.wait(task)?;
    Ok(runtime.take_arrived().remove(0).1)
}

fn send(runtime: &mut Runtime, words: &[u32]) {
    let copy = copy(words.len() as u32, Width::Bits32);
    runtime.h2d(FROM_HOST, words, &copy, Spread::Each).expect("the stream is taken");
}

/// From 2.10 on two elements of 16 bits travel in a wavelet, but not where `get_streaming_fabout_dsd` made the DSD; a host
/// sees the difference.
#[test]
fn a_streaming_fabout_sends_one_element_a_wavelet() {
    let send_four = |dsd: &str| {
        format!(
            "const halves = [4]u16 {{ 1, 2, 3, 4 }};
             const source = @get_dsd(mem1d_dsd, .{{ .tensor_access = |i|{{4}} -> halves[i] }});
             const to = {dsd};
             fn main() void {{ @mov16(to, source, .{{ .async = true }}); sys_mod.unblock_cmd_stream(); }}"
        )
    };
    let streaming = send_four("sys_mod.get_streaming_fabout_dsd(to_host, 4, oq)");
    let packed = send_four("@get_dsd(fabout_dsd, .{ .extent = 4, .fabric_color = to_host, .output_queue = oq })");
    for arch in Arch::ALL {
        for (code, expected) in [(&streaming, &[1, 2, 3, 4][..]), (&packed, &[0x0002_0001, 0x0004_0003])] {
            let (_folder, mut runtime) = running(arch, (2, 10), NUMBERS, code);
            call(&mut runtime);
            let words = copy(expected.len() as u32, Width::Bits32);
            assert_eq!(received(&mut runtime, TO_HOST, &words).expect("all words come"), expected, "{arch}");
        }
    }
}

/// Where `--sdk` says nothing, streams bound as colors say that the program is of 1.4 or older, and so does a LAUNCH: one
/// element a wavelet.
#[test]
fn colors_in_get_params_are_signs_of_an_older_program() {
    let code = "
const halves = [4]u16 { 1, 2, 3, 4 };
const source = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> halves[i] });
const to = @get_dsd(fabout_dsd, .{ .extent = 4, .fabric_color = to_host, .output_queue = oq });
fn main() void { @mov16(to, source, .{ .async = true }); sys_mod.unblock_cmd_stream(); }
";
    let launch = format!("{NUMBERS}, .LAUNCH = @get_color(8)");
    for (streams, expected) in
        [(COLORS, &[1, 2, 3, 4][..]), (&launch, &[1, 2, 3, 4]), (NUMBERS, &[0x0002_0001, 0x0004_0003])]
    {
        let (_folder, mut runtime) = running(Arch::Wse2, None, streams, code);
        call(&mut runtime);
        let words = copy(expected.len() as u32, Width::Bits32);
        assert_eq!(received(&mut runtime, TO_HOST, &words).expect("all words come"), expected, "{streams}");
    }
}

/// Up to 1.4 a program gets its streams as colors, from 2.10 on as numbers.
#[test]
fn streams_are_what_the_layout_binds() {
    let checks = |ty: &str| {
        format!(
            "fn main() void {{ sys_mod.unblock_cmd_stream(); }}
             comptime {{
               @comptime_assert(@type_of(sys_mod.MEMCPYH2D_1) == {ty} and @type_of(sys_mod.MEMCPYD2H_1) == {ty});
               @comptime_assert(@type_of(sys_mod.MEMCPYH2D_2) == void);
             }}"
        )
    };
    running(Arch::Wse2, (1, 4), COLORS, &checks("color"));
    running(Arch::Wse2, (2, 10), NUMBERS, &checks("i16"));
}

/// A streaming color starts as any other does: a fabin takes its words without `@block`, a bound data task is unblocked.
#[test]
fn a_streaming_color_starts_as_any_color() {
    let fabin = "
const from = @get_dsd(fabin_dsd, .{ .extent = 3, .fabric_color = from_host, .input_queue = iq });
const into = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> a[i] });
task got() void { sys_mod.unblock_cmd_stream(); }
fn main() void { @mov32(into, from, .{ .async = true, .activate = got }); }
comptime { @bind_local_task(got, @get_local_task_id(10)); }
";
    let task = "
var count: u16 = 0;
task take(word: u32) void {
  a[count] = word;
  count += 1;
  if (count == 3) { sys_mod.unblock_cmd_stream(); }
}
fn main() void {}
comptime { @bind_data_task(take, @get_data_task_id(if (@is_arch(\"wse3\")) iq else from_host)); }
";
    for arch in Arch::ALL {
        for code in [fabin, task] {
            let (_folder, mut runtime) = running(arch, (2, 10), NUMBERS, code);
            call(&mut runtime);
            send(&mut runtime, &[7, 8, 9]);
            let symbol = runtime.id("a").expect("a is exported").into();
            let words = received(&mut runtime, symbol, &copy(3, Width::Bits32));
            assert_eq!(words.expect("the stream arrives"), [7, 8, 9], "{arch}");
        }
    }
}

/// A color that no PE takes or sends is told at the request, and where the host waits for it.
#[test]
fn a_stream_of_a_color_that_no_pe_uses_is_told() {
    let code = "
const from = @get_dsd(fabin_dsd, .{ .extent = 1, .fabric_color = from_host, .input_queue = iq });
const to = @get_dsd(fabout_dsd, .{ .extent = 1, .fabric_color = to_host, .output_queue = oq });
fn main() void { @mov32(to, from, .{ .async = true }); sys_mod.unblock_cmd_stream(); }
";
    let one = copy(1, Width::Bits32);
    for arch in Arch::ALL {
        let (_folder, mut runtime) = running(arch, None, NUMBERS, code);
        call(&mut runtime);
        send(&mut runtime, &[7]);
        assert_eq!(received(&mut runtime, TO_HOST, &one).expect("the word comes"), [7]);
        assert_eq!(runtime.take_warnings(), Vec::<String>::new(), "{arch}");
        runtime.h2d(Endpoint::Color(Color::at(6)), [8], &one, Spread::Each).expect("the stream is taken");
        let told = "no PE takes wavelets of color 6; those that the host can send are of color 4";
        assert_eq!(runtime.take_warnings(), [format!("memcpy_h2d: {told}")], "{arch}");
        let report =
            received(&mut runtime, Endpoint::Color(Color::at(7)), &one).expect_err("no word comes").to_string();
        let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = "no PE sends wavelets of color 7; those that the host can receive are of color 5";
        assert_eq!(runtime.take_warnings(), [format!("memcpy_d2h: {told}")], "{arch}");
        assert!(report.contains(&format!("waits for 1 more wavelets of color 7 from PE (0, 0): {told}")), "{report}");
    }
}

/// The data type of a stream has no effect: a wavelet is a word of the host, its index included (guide, SdkRuntime).
#[test]
fn a_stream_of_16_bits_keeps_the_index() {
    let code = "
const to = @get_dsd(fabout_dsd, .{ .extent = 1, .fabric_color = to_host, .output_queue = oq });
fn main() void { @mov32(to, 0x12345678, .{ .async = true }); sys_mod.unblock_cmd_stream(); }
";
    let (_folder, mut runtime) = running(Arch::Wse2, (2, 10), NUMBERS, code);
    call(&mut runtime);
    assert_eq!(received(&mut runtime, TO_HOST, &copy(1, Width::Bits16)).expect("it comes"), [0x1234_5678]);
}

/// While a synchronous fabric operation holds the main thread memcpy waits as well; a microthread makes neither wait.
#[test]
fn a_synchronous_operation_holds_memcpy_too() {
    let wait = |how: &str| {
        format!(
            "const from = @get_dsd(fabin_dsd, .{{ .extent = 1, .fabric_color = from_host, .input_queue = iq }});
             const into = @get_dsd(mem1d_dsd, .{{ .tensor_access = |i|{{1}} -> a[i] }});
             fn main() void {{ sys_mod.unblock_cmd_stream(); @mov32(into, from{how}); a[1] = 3; }}"
        )
    };
    let words = copy(2, Width::Bits32);
    for (how, is_held) in [("", true), (", .{ .async = true }", false)] {
        let (_folder, mut runtime) = running(Arch::Wse2, (2, 10), NUMBERS, &wait(how));
        let symbol = runtime.id("a").expect("a is exported").into();
        runtime.launch("main", &[]).expect("main is exported");
        match received(&mut runtime, symbol, &words) {
            Ok(words) => assert_eq!((words, is_held), (vec![0, 3], false)),
            Err(error) => {
                assert!(is_held, "{error}");
                assert!(error.to_string().contains("synchronous operation there"), "{error}");
            }
        }
    }
}

/// A stream is a command of memcpy: after a launch it begins when the function has unblocked the command stream. Where the
/// function waits for the stream, which the vendor's tools do not allow, it begins at rest, with a warning.
#[test]
fn a_stream_waits_for_the_function_that_was_launched_before() {
    let late = "
const take_id = @get_data_task_id(if (@is_arch(\"wse3\")) iq else from_host);
const turn_id = @get_local_task_id(10);
var turns: u16 = 0;
task take(word: u32) void { a[1] = a[0] + word; }
task turn() void {
  turns += 1;
  if (turns < 500) { @activate(turn_id); return; }
  a[0] = 70;
  sys_mod.unblock_cmd_stream();
}
fn main() void { @activate(turn_id); }
comptime { @bind_data_task(take, take_id); @bind_local_task(turn, turn_id); }
";
    let waiting = "
const take_id = @get_data_task_id(if (@is_arch(\"wse3\")) iq else from_host);
task take(word: u32) void { a[0] = 70; a[1] = 70 + word; sys_mod.unblock_cmd_stream(); }
fn main() void {}
comptime { @bind_data_task(take, take_id); }
";
    for arch in Arch::ALL {
        for (code, warned) in [(late, false), (waiting, true)] {
            let (_folder, mut runtime) = running(arch, (2, 10), NUMBERS, code);
            runtime.launch("main", &[]).expect("main is exported");
            send(&mut runtime, &[7]);
            let symbol = runtime.id("a").expect("a is exported").into();
            let words = received(&mut runtime, symbol, &copy(2, Width::Bits32));
            assert_eq!(words.expect("the stream arrives"), [70, 77], "{arch}");
            let warnings = runtime.take_warnings();
            assert_eq!(warnings.len(), usize::from(warned), "{arch}: {warnings:?}");
            assert!(
                warnings.iter().all(|warning| warning.contains("has not called unblock_cmd_stream()")),
                "{warnings:?}"
            );
        }
    }
}
