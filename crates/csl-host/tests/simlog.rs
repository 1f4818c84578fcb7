//! `sim.log`: the lines of a small run, whole, and whether each has the fields that viewers of such logs read.

use std::path::Path;

use csl_host::{Arch, LogKinds, Options, Runtime, Settings, compile};
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

fn run(arch: Arch, folder: &Path, list: &str) -> String {
    std::fs::write(folder.join("layout.csl"), LAYOUT).expect("the folder is writable");
    std::fs::write(folder.join("pe.csl"), PE).expect("the folder is writable");
    let options = Options { folder: folder.to_owned(), memcpy: true, arch, ..Options::new("layout.csl") };
    let done = compile(&options);
    assert!(done.succeeded(), "{}", program::text(&done));
    let mut runtime = Runtime::open(&folder.join("out"), Settings { threads: 1, check: false }).expect("it opens");
    let log = folder.join("sim.log");
    runtime.log_to(log.clone(), LogKinds::parse(list).expect("known words"));
    runtime.load().expect("load() comes first");
    runtime.run().expect("run() comes second");
    let task = runtime.launch("go", &[]).expect("the call is taken");
    runtime.wait(task).expect("it is called");
    runtime.stop().expect("it ends");
    runtime.flush_log().expect("the folder is writable");
    std::fs::read_to_string(log).unwrap_or_default()
}

fn logged(arch: Arch, list: &str) -> String {
    run(arch, TempDir::new().expect("a temporary folder").path(), list)
}

#[test]
fn a_small_run_line_by_line() {
    insta::assert_snapshot!(logged(Arch::Wse3, "landing,inst_trace,router,wavelet"));
}

#[test]
fn prints_need_no_variable() {
    let log = logged(Arch::Wse2, "");
    assert_eq!(
        log.lines().map(|line| line.split_once(' ').map(|(_, text)| text)).collect::<Vec<_>>(),
        [Some("done"); 2]
    );
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
        assert!(lines.filter(|line| !line.ends_with(" done")).all(|line| line.contains(part)), "{word}:\n{log}");
    }
    assert_eq!(LogKinds::parse("landings").expect_err("no such word").lines().count(), 1);
}

/// What a viewer takes from a line; `None` where it would not know the line.
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
        assert_eq!(count(|seen| matches!(seen, Seen::Print)), 2, "{arch}");
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
/// executed from 387, and the task behind it at 394. Here two words go.
#[test]
fn one_hop_has_the_cycles_of_the_published_trace() {
    let log = logged(Arch::Wse3, "landing,inst_trace");
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
    let settings = Settings { threads: 1, check: false };
    let mut runtime = Runtime::open(&folder.path().join("out"), settings).expect("it opens");
    runtime.log_to(log.clone(), LogKinds::default());
    runtime.load().expect("load() comes first");
    runtime.run().expect("run() comes second");
    let task = runtime.launch("go", &[]).expect("the call is taken");
    runtime.wait(task).expect("it is called");
    let task = runtime.launch("go", &[]).expect("the call is taken");
    assert!(runtime.wait(task).is_err(), "nobody lets the second call through");
    let lines = std::fs::read_to_string(log).expect("prints are logged");
    assert_eq!(lines.matches(" done\n").count(), 2);
}
