//! `sim.log`: the lines of a small run, whole, and whether each has the fields that viewers of such logs read.

use csl_machine::Color;
use std::collections::BTreeSet;
use std::path::Path;

use csl_host::batch::{Step, run as run_steps};
use csl_host::{Arch, Copy, Endpoint, LogKinds, Options, Rect, Runtime, Settings, Spread, compile};
use tempfile::TempDir;

use crate::program;

/// Two PEs: the west one sends two sums and then a control wavelet that advances the switch of the east one.
const LAYOUT: &str = r#"
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 2, .height = 1 });
const east: color = @get_color(3);
layout {
  @set_rectangle(2, 1);
  for (@range(u16, 2)) |x| {
    @set_tile_code(x, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(x), .x = x, .east = east });
  }
  @set_color_config(0, 0, east, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ EAST } } });
  @set_color_config(1, 0, east, .{
    .routes = .{ .rx = .{ WEST }, .tx = .{ RAMP } },
    .switches = .{ .pos1 = .{ .tx = EAST } },
  });
  @export_name("go", fn()void);
}
"#;

const PE: &str = r#"
param memcpy_params;
param x: u16;
param east: color;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
const simprint = @import_module("<simprint>");
const oq = @get_output_queue(2);
const iq = @get_input_queue(2);
var v = [2]f32{ 1.0, 2.0 };
const v_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{2} -> v[i] });
const out = @get_dsd(fabout_dsd, .{ .extent = 2, .fabric_color = east, .output_queue = oq });
const command = @get_dsd(fabout_dsd, .{ .extent = 1, .fabric_color = east, .output_queue = oq, .control = true });
const in = @get_dsd(fabin_dsd, .{ .extent = 2, .fabric_color = east, .input_queue = iq });
const advance_hidden: u32 = 0x015f0000;
task done() void {
  simprint.print_string("done\n");
  sys_mod.unblock_cmd_stream();
}
fn go() void {
  if (x == 0) {
    @fadds(v_dsd, v_dsd, v_dsd);
    @fmovs(out, v_dsd);
    @mov32(command, advance_hidden, .{ .async = true, .activate = done });
  } else {
    @fmovs(v_dsd, in, .{ .async = true, .activate = done });
  }
}
comptime {
  @bind_local_task(done, @get_local_task_id(9));
  @initialize_queue(oq, if (@is_arch("wse3")) .{ .color = east } else .{});
  @initialize_queue(iq, .{ .color = east });
  @export_symbol(go);
}
"#;

fn run(arch: Arch, folder: &Path, list: &str, pe: &str) -> String {
    std::fs::write(folder.join("layout.csl"), LAYOUT).expect("the folder is writable");
    std::fs::write(folder.join("pe.csl"), pe).expect("the folder is writable");
    let options = Options { folder: folder.to_owned(), memcpy: true, arch, ..Options::new("layout.csl") };
    let done = compile(&options);
    assert!(done.succeeded(), "{}", program::text(&done));
    let mut runtime = Runtime::open(&folder.join("out"), Settings::new(1)).expect("it opens");
    let log = folder.join("sim.log");
    let (kinds, warnings) = LogKinds::parse(list);
    assert!(warnings.is_empty(), "{warnings:?}");
    runtime.log_to(log.clone(), kinds);
    runtime.load().expect("load() comes first");
    runtime.run().expect("run() comes second");
    let task = runtime.launch("go", &[]).expect("the call is taken");
    runtime.wait(task).expect("it is called");
    runtime.stop().expect("it ends");
    runtime.flush_log().expect("the folder is writable");
    let text = std::fs::read_to_string(log).unwrap_or_default();
    // Times differ from run to run.
    let seconds = |line: &str| match line.split_once(" seconds, ") {
        Some((_, rest)) if line.contains(" Simulation used ") => {
            let (before, after) =
                (line.split_once("used ").expect("it says so").0, rest.split_once(", ").expect("a rate").1);
            format!("{before}used S seconds, R cycles/second, {after}\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(seconds).collect()
}

fn logged(arch: Arch, list: &str) -> String {
    run(arch, TempDir::new().expect("a temporary folder").path(), list, PE)
}

#[test]
fn a_small_run_line_by_line() {
    insta::assert_snapshot!(logged(Arch::Wse3, "landing,inst_trace,router,wavelet"));
}

/// Scripts compare the traffic of two runs by this hash.
#[test]
fn statistics_tell_the_landings_and_their_hash() {
    let folder = TempDir::new().expect("a temporary folder");
    run(Arch::Wse3, folder.path(), "", PE);
    let traffic = || {
        let mut runtime = Runtime::open(&folder.path().join("out"), Settings::new(1)).expect("it opens");
        runtime.load().expect("load() comes first");
        runtime.run().expect("run() comes second");
        let task = runtime.launch("go", &[]).expect("the call is taken");
        runtime.wait(task).expect("it is called");
        runtime.stop().expect("it ends");
        let statistics = runtime.statistics();
        (statistics["wavelet_landings"].clone(), statistics["landings_hash"].clone())
    };
    let (landings, hash) = traffic();
    // Each of the three wavelets lands from its ramp and on the next router.
    assert_eq!(landings, 6);
    assert_ne!(hash, "0000000000000000");
    assert_eq!(traffic(), (landings, hash));
}

#[test]
fn prints_need_no_variable() {
    let log = logged(Arch::Wse2, "");
    let texts: Vec<&str> = log.lines().filter_map(|line| Some(line.split_once(' ')?.1)).collect();
    assert_eq!(texts[..3], ["dimX=9, dimY=3", "done", "done"]);
    let end = log.lines().last().and_then(|line| line.strip_prefix('@')?.split_once(' ')).expect("closing lines").0;
    let expected = [
        format!("@{end} Stopping due to user request"),
        format!("@{end} Simulation used S seconds, R cycles/second, cycles={end}, tiles=2, threads=1"),
    ];
    let lines: Vec<&str> = log.lines().skip(3).collect();
    assert_eq!([lines[0], lines[2]], [&expected[0], &expected[1]]);
    let idle =
        lines[1].strip_prefix(&format!("@{end} ")).and_then(|rest| rest.strip_suffix(" cycles since a wavelet landed"));
    let (executed, landed) =
        idle.and_then(|rest| rest.split_once(" cycles since an instruction was executed, ")).expect(lines[1]);
    let (executed, landed): (u64, u64) = (executed.parse().expect("a number"), landed.parse().expect("a number"));
    let end: u64 = end.parse().expect("a number");
    assert!(executed < landed && landed < end, "{log}");
    assert_eq!(lines.len(), 3);
}

/// A script that moves the log away after each run finds it, whether the run printed, was silent or failed.
#[test]
fn a_run_that_says_nothing_and_one_that_fails_leave_a_log_too() {
    let folder = program::folder();
    let text = |name: &str, steps: &[Step]| {
        let done = compile(&program::options(folder.path()));
        assert!(done.succeeded(), "{}", program::text(&done));
        let settings = Settings::new(1);
        let mut runtime = Runtime::open(&folder.path().join("out"), settings).expect("it opens");
        runtime.log_to(folder.path().join(name), LogKinds::default());
        let ended = run_steps(&mut runtime, steps, |_| {});
        let text = std::fs::read_to_string(folder.path().join(name)).expect("it was made");
        let ends: Vec<String> = text.lines().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect();
        (ended.is_ok(), ends)
    };
    let (succeeded, lines) = text("empty.log", &[]);
    assert!(succeeded);
    assert_eq!((lines.len(), lines[1].as_str()), (4, "Stopping due to user request"));
    let call = |name: &str| Step::Launch { function: name.to_owned(), arguments: Vec::new() };
    let divide = Step::Launch { function: "divide".to_owned(), arguments: vec![csl_host::Argument::Int(0)] };
    let (succeeded, lines) = text("fault.log", &[divide, call("hold")]);
    assert!(!succeeded);
    assert_eq!(lines[1], "Stopping due to a fault");
    assert!(lines[3].contains(" seconds, "), "{lines:?}");
}

#[test]
fn one_pe_is_logged_where_one_is_named() {
    let places = |log: &str| -> BTreeSet<String> {
        let of = |line: &str| Some(line.split_once(" P")?.1.split([' ', ':']).next()?.to_owned());
        log.lines().filter_map(of).collect()
    };
    for word in ["landing", "inst_trace", "router", "wavelet"] {
        let all = logged(Arch::Wse3, word);
        let one = logged(Arch::Wse3, &format!("{word}@P5.1"));
        assert_eq!(places(&one), BTreeSet::from(["5.1".to_owned()]), "{word}");
        let its = |log: &str| -> Vec<String> {
            log.lines().filter(|line| line.contains(" P5.1")).map(str::to_owned).collect()
        };
        assert_eq!(its(&one), its(&all), "{word}: the same lines as in the whole log");
    }
    let both = logged(Arch::Wse2, "landing@P4.1,landing@P5.1,inst_trace@P4.1");
    assert!(
        both.contains("P5.1 (hwtile) landing") && both.contains("P4.1: Id") && !both.contains("P5.1: Id"),
        "{both}"
    );
}

#[test]
fn unknown_words_and_places_are_warnings() {
    let (kinds, warnings) = LogKinds::parse("land,landing@5.1,router@P5,landing@P5.1,inst_trace");
    assert_eq!(warnings.len(), 3);
    let expected = "`land` is left out: it is not one of landing, inst_trace, router, wavelet, each for all PEs or, as in \
                    landing@P5.2, for one of the fabric";
    assert_eq!(warnings[0], expected);
    assert_eq!(kinds, LogKinds::parse("inst_trace,landing@P5.1").0);
    let folder = program::folder();
    assert!(compile(&program::options(folder.path())).succeeded());
    let settings = Settings::new(1);
    let mut runtime = Runtime::open(&folder.path().join("out"), settings).expect("it opens");
    runtime.log_to(folder.path().join("sim.log"), LogKinds::parse("landing@P3.1,router@P4.1,inst_trace@P3.1").0);
    runtime.load().expect("load() comes first");
    assert_eq!(runtime.take_warnings(), ["SIMFABRIC_DEBUG: P3.1 runs no program, so that nothing of it is logged"]);
}

/// Published logs of the vendor's simulator show the words of a stream as landings "from link R" at the PEs of the program.
#[test]
fn words_of_streams_are_landings_from_the_ramp() {
    let layout = r#"
const memcpy = @import_module("<memcpy/get_params>", .{
  .width = 1, .height = 1, .MEMCPYH2D_1 = @get_color(2), .MEMCPYD2H_1 = @get_color(3),
});
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
}
"#;
    let pe = r#"
param memcpy_params;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
const iq = @get_input_queue(2);
const oq = @get_output_queue(3);
const out = @get_dsd(fabout_dsd, .{ .extent = 1, .fabric_color = sys_mod.MEMCPYD2H_1, .output_queue = oq });
task on_word(word: u32) void { @mov32(out, word + 1, .{ .async = true }); }
comptime {
  @bind_data_task(on_word, if (@is_arch("wse3")) @get_data_task_id(iq) else @get_data_task_id(sys_mod.MEMCPYH2D_1));
  @initialize_queue(iq, .{ .color = sys_mod.MEMCPYH2D_1 });
  @initialize_queue(oq, if (@is_arch("wse3")) .{ .color = sys_mod.MEMCPYD2H_1 } else .{});
}
"#;
    for arch in Arch::ALL {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("layout.csl"), layout).expect("the folder is writable");
        std::fs::write(folder.path().join("pe.csl"), pe).expect("the folder is writable");
        let options = Options { folder: folder.path().to_owned(), memcpy: true, arch, ..Options::new("layout.csl") };
        let done = compile(&options);
        assert!(done.succeeded(), "{}", program::text(&done));
        let settings = Settings::new(1);
        let mut runtime = Runtime::open(&folder.path().join("out"), settings).expect("it opens");
        let log = folder.path().join("sim.log");
        runtime.log_to(log.clone(), LogKinds::parse("landing").0);
        runtime.load().expect("load() comes first");
        runtime.run().expect("run() comes second");
        let rect = Rect::new(0, 0, 1, 1);
        let copy = Copy::of(rect, 3);
        let there = runtime
            .h2d(Endpoint::Color(Color::at(2)), [7, 8, 0x0001_0009], &copy, Spread::Each)
            .expect("the stream is taken");
        let back = runtime.d2h(Endpoint::Color(Color::at(3)), 3, &copy).expect("the stream is taken");
        runtime.wait(there).expect("it is read");
        runtime.wait(back).expect("it is written");
        runtime.stop().expect("it ends");
        runtime.flush_log().expect("the folder is writable");
        let text = std::fs::read_to_string(log).expect("it was written");
        let half = if arch == Arch::Wse3 { ", half=0" } else { "" };
        for (color, index, data) in [(2, "0000", "0007"), (2, "0001", "0009"), (3, "0000", "0008"), (3, "0001", "000A")]
        {
            let line = format!("P4.1 (hwtile) landing C{color} from link R, ctrl=0, idx={index}, data={data} (");
            assert_eq!(
                text.lines().filter(|found| found.contains(&line) && found.contains(half)).count(),
                1,
                "{line}\n{text}"
            );
        }
        assert_eq!(text.matches("landing").count(), 6, "{text}");
    }
}

#[test]
fn each_word_gives_its_lines() {
    for (word, part) in [
        ("landing", ") landing C3 from link "),
        ("inst_trace", ", Msg: ["),
        ("router", ") router: C3: "),
        ("wavelet", ") wavelet C3 "),
    ] {
        let log = logged(Arch::Wse2, word);
        let mut lines = log.lines();
        assert!(lines.next().is_some_and(|line| line.starts_with("@0 dimX=9, dimY=3")), "{word}");
        let its_own = |line: &&str| !line.ends_with(" done") && see(line) != Some(Seen::Print);
        assert!(lines.filter(its_own).all(|line| line.contains(part)), "{word}:\n{log}");
    }
}

/// The fields that a viewer takes from a line; `None` where it would not know the line.
#[derive(Debug, PartialEq)]
enum Seen<'a> {
    Size,
    Landing(char),
    Wavelet {
        ident: &'a str,
        landing: char,
    },
    Switch,
    Idle,
    /// Address, task and name.
    Issue(u32, &'a str, &'a str),
    Execute(u32, &'a str, &'a str),
    Print,
}

/// `@CYCLE Px.y` and the rest.
fn head(line: &str) -> Option<(u64, &str)> {
    let (cycle, rest) = line.strip_prefix('@')?.split_once(' ')?;
    Some((cycle.parse().ok()?, rest))
}

fn place(text: &str) -> Option<&str> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).filter(|&end| end > 0);
    let text = text.strip_prefix('P')?;
    let text = text[digits(text)?..].strip_prefix('.')?;
    Some(&text[digits(text)?..])
}

fn see(line: &str) -> Option<Seen<'_>> {
    let (_, rest) = head(line)?;
    if rest.starts_with("dimX=") {
        return Some(Seen::Size);
    }
    let Some(rest) = place(rest) else { return Some(Seen::Print) };
    if let Some(router) = rest.strip_prefix(" (hwtile) ") {
        return see_router(router);
    }
    let message = rest.strip_prefix(": Id: ")?.split_once("Msg: ")?.1;
    if message == "[EX OP] IDLE" {
        return Some(Seen::Idle);
    }
    // Viewers take the address from four characters behind the stage's name and space.
    let (stage, code) = (message.get(..8)?, message.get(8..)?);
    let (address, code) = code.get(4..)?.split_once(": ")?;
    assert_eq!(&message[10..12], "0x");
    let address = u32::from_str_radix(address, 16).ok()?;
    let mut words = code.split_whitespace();
    let (task, name) = (words.next()?, words.next()?);
    task.strip_prefix('T')?.split('.').next()?.parse::<u8>().ok()?;
    match stage {
        "[IS OP] " => Some(Seen::Issue(address, task, name)),
        "[EX OP] " => Some(Seen::Execute(address, task, name)),
        _ => None,
    }
}

fn see_router(text: &str) -> Option<Seen<'_>> {
    let (what, rest) = text.split_once(' ')?;
    match what {
        "router:" => Some(Seen::Switch),
        "landing" => Some(Seen::Landing(rest.split_once(" from link ")?.1.chars().next()?)),
        "wavelet" => {
            let ident = rest.split_once("ident=")?.1.get(..16)?;
            let landing = rest.split_once(" landing=")?.1.chars().next()?;
            // Five places between slashes: east, north, west, south, ramp.
            let ways = rest.split_once("departing=/")?.1;
            assert_eq!(ways.as_bytes().get(5), Some(&b'/'), "{text}");
            Some(Seen::Wavelet { ident, landing })
        }
        _ => None,
    }
}

#[test]
fn viewers_find_their_fields_in_every_line() {
    for arch in Arch::ALL {
        let log = logged(arch, "landing,inst_trace,router,wavelet");
        let seen: Vec<Seen> = log.lines().map(|line| see(line).unwrap_or_else(|| panic!("unknown: {line}"))).collect();
        assert_eq!(seen[0], Seen::Size);
        let count = |is: fn(&Seen) -> bool| seen.iter().filter(|seen| is(seen)).count();
        assert_eq!(count(|seen| matches!(seen, Seen::Landing('R'))), 3, "{arch}");
        assert_eq!(count(|seen| matches!(seen, Seen::Landing('W'))), 3, "{arch}");
        assert_eq!(count(|seen| matches!(seen, Seen::Switch)), 4, "two lines at the start, two for the advance");
        assert_eq!(count(|seen| matches!(seen, Seen::Execute(_, _, "FADDS"))), 2, "{arch}");
        assert_eq!(count(|seen| matches!(seen, Seen::Print)), 2 + 3, "{arch}: two prints and the end");
        assert!(count(|seen| matches!(seen, Seen::Idle)) > 0, "{arch}");
        let cycles: Vec<u64> = log.lines().map(|line| head(line).expect("it has a cycle").0).collect();
        assert!(cycles.is_sorted(), "{arch}");
    }
}

#[test]
fn a_wavelet_keeps_its_identity_on_its_way() {
    let log = logged(Arch::Wse2, "landing,wavelet");
    let idents = |from: char| -> Vec<String> {
        let is_from = |line: &&str| see(line) == Some(Seen::Landing(from));
        log.lines().filter(is_from).filter_map(|line| Some(line.split_once("ident=")?.1[..16].to_owned())).collect()
    };
    let sent = idents('R');
    assert_eq!((sent.len(), &sent), (3, &idents('W')));
    // Tile 13 of the fabric (9 columns, the PE at 4, 1), color 3, counted from 0.
    assert_eq!(sent, ["00000D0300000000", "00000D0300000001", "00000D0300000002"]);
}

/// The published trace of one hop on WSE-3: dispatch at 375, on the ramp from 382, at the neighbour from 384 to 391,
/// executed from 387, and the task behind it at 394. Here two words go, so late that the launch at the neighbour has ended.
#[test]
fn one_hop_has_the_cycles_of_the_published_trace() {
    let sum = "@fadds(v_dsd, v_dsd, v_dsd);";
    let pe = PE.replace(sum, &sum.repeat(8));
    let log = run(Arch::Wse3, TempDir::new().expect("a temporary folder").path(), "landing,inst_trace", &pe);
    let cycles = |parts: &[&str]| -> Vec<u64> {
        let lines = log.lines().filter(|line| parts.iter().all(|part| line.contains(part)));
        lines.map(|line| head(line).expect("a cycle").0).collect()
    };
    let dispatch = cycles(&["P4.1", "[IS OP]", "FMOVS"])[0];
    assert_eq!(cycles(&["P4.1", "landing C3 from link R", "ctrl=0"]), [dispatch + 7, dispatch + 8]);
    assert_eq!(cycles(&["P5.1", "landing C3 from link W", "ctrl=0"]), [dispatch + 9, dispatch + 10]);
    assert_eq!(cycles(&["P5.1", "[EX OP]", "FMOVS"]), [dispatch + 12, dispatch + 13]);
    let task = cycles(&["P5.1", "[IS OP]", "T09"])[0];
    assert_eq!(task, dispatch + 10 + 3, "three cycles behind the last landing");
}

#[test]
fn a_run_that_fails_leaves_what_led_there() {
    let folder = TempDir::new().expect("a temporary folder");
    let log = folder.path().join("sim.log");
    let hanging = PE.replace("sys_mod.unblock_cmd_stream();", "");
    std::fs::write(folder.path().join("layout.csl"), LAYOUT).expect("the folder is writable");
    std::fs::write(folder.path().join("pe.csl"), hanging).expect("the folder is writable");
    let options = Options { folder: folder.path().to_owned(), memcpy: true, ..Options::new("layout.csl") };
    assert!(compile(&options).succeeded());
    let settings = Settings::new(1);
    let mut runtime = Runtime::open(&folder.path().join("out"), settings).expect("it opens");
    runtime.log_to(log.clone(), LogKinds::default());
    runtime.load().expect("load() comes first");
    runtime.run().expect("run() comes second");
    let task = runtime.launch("go", &[]).expect("the call is taken");
    runtime.wait(task).expect("it is called");
    let task = runtime.launch("go", &[]).expect("the call is taken");
    assert!(runtime.wait(task).is_err(), "nothing lets the second call through");
    let lines = std::fs::read_to_string(log).expect("prints are logged");
    assert_eq!(lines.matches(" done\n").count(), 2);
}

/// Runs that go on at the same time do not share a log; one that starts when the other has stopped writes it anew.
#[test]
fn runs_in_one_folder_keep_both_logs() {
    let folder = program::folder();
    let options = program::options(folder.path());
    let done = compile(&options);
    assert!(done.succeeded());
    let path = folder.path().join("sim.log");
    let started = || {
        let settings = Settings::new(1);
        let mut runtime = Runtime::open(&folder.path().join("out"), settings).expect("the program opens");
        runtime.log_to(path.clone(), LogKinds::default());
        runtime.load().expect("load() comes first");
        runtime.run().expect("run() comes second");
        runtime
    };
    let mut first = started();
    assert_eq!(first.take_warnings(), [""; 0]);
    let mut second = started();
    let second_path = folder.path().join("sim-2.log");
    let expected =
        format!("{} belongs to a run that has not stopped: this one logs to {}", path.display(), second_path.display());
    assert_eq!(second.take_warnings(), [expected]);
    for runtime in [&mut first, &mut second] {
        runtime.stop().expect("nothing is pending");
    }
    for path in [&path, &second_path] {
        assert!(std::fs::read_to_string(path).expect("the log is there").starts_with("@0 dimX=10, dimY=4"));
    }
    let mut third = started();
    assert_eq!(third.take_warnings(), [""; 0]);
}
