//! Tests of the commands on a program that they compile: their output and their status.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;

const LAYOUT: &str = r#"
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 2, .height = 1 });
const east: color = @get_color(3);
layout {
  @set_rectangle(2, 1);
  for (@range(u16, 2)) |x| {
    @set_tile_code(x, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(x), .x = x, .east = east });
  }
  @set_color_config(0, 0, east, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ EAST } } });
  @set_color_config(1, 0, east, .{ .routes = .{ .rx = .{ WEST }, .tx = .{ RAMP } } });
  @export_name("v", [*]u32, true);
  @export_name("go", fn(u32)void);
}
"#;

const PE: &str = r#"
param memcpy_params;
param x: u16;
param east: color;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
const oq = @get_output_queue(2);
const iq = @get_input_queue(2);
var v = @zeros([2]u32);
var v_ptr: [*]u32 = &v;
const v_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{2} -> v[i] });
const out = @get_dsd(fabout_dsd, .{ .extent = 2, .fabric_color = east, .output_queue = oq });
const in = @get_dsd(fabin_dsd, .{ .extent = 2, .fabric_color = east, .input_queue = iq });
task done() void { sys_mod.unblock_cmd_stream(); }
fn go(first: u32) void {
  if (x == 0) {
    v[0] = first;
    v[1] = first + 1;
    @mov32(out, v_dsd, .{ .async = true, .activate = done });
  } else {
    @mov32(v_dsd, in, .{ .async = true, .activate = done });
  }
}
comptime {
  @bind_local_task(done, @get_local_task_id(9));
  @initialize_queue(oq, if (@is_arch("wse3")) .{ .color = east } else .{});
  @initialize_queue(iq, .{ .color = east });
  @export_symbol(v_ptr, "v");
  @export_symbol(go);
}
"#;

/// A folder with the program, compiled into `out`.
fn compiled() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("layout.csl"), LAYOUT).expect("the folder is writable");
    std::fs::write(folder.path().join("pe.csl"), PE).expect("the folder is writable");
    let done =
        Command::new(env!("CARGO_BIN_EXE_cslc")).args(["layout.csl", "--memcpy"]).current_dir(folder.path()).output();
    let done = done.expect("cslc runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder
}

fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waferlab"));
    command.args(line.split_whitespace()).current_dir(folder).env_remove("SIMFABRIC_DEBUG");
    command
}

fn ended(folder: &Path, line: &str) -> Output {
    command(folder, line).output().expect("waferlab runs")
}

fn printed(folder: &Path, line: &str) -> String {
    let done = ended(folder, line);
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("it prints UTF-8")
}

fn refused(folder: &Path, line: &str) -> String {
    let done = ended(folder, line);
    assert_eq!((done.status.code(), done.stdout.len()), (Some(1), 0), "{line}");
    String::from_utf8(done.stderr).expect("it prints UTF-8")
}

#[test]
fn an_array_that_never_ends_meets_the_memory_of_the_pes() {
    let folder = compiled();
    let told = refused(folder.path(), "run out --quiet --h2d v=/dev/zero");
    assert!(told.contains("/dev/zero") && told.contains("longer than what the copied PEs can hold"), "{told}");
}

/// The report of a run is coloured where the option or the environment says so, and is plain in a file.
#[test]
fn reports_of_a_run_are_coloured_as_diagnostics_are() {
    let folder = compiled();
    let told = |line: &str, set: &[(&str, &str)]| {
        let mut run = command(folder.path(), line);
        run.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").envs(set.iter().copied());
        String::from_utf8(run.output().expect("waferlab runs").stderr).expect("it prints UTF-8")
    };
    let line = "run out --launch go:1 --max-cycles=5 --quiet";
    let plain = told(line, &[]);
    assert!(plain.contains("the run was ended in cycle") && !plain.contains('\x1b'), "{plain}");
    assert!(told(&format!("{line} --color=always"), &[("NO_COLOR", "1")]).contains('\x1b'));
    assert!(told(line, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]).contains('\x1b'));
    assert!(!told(line, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\x1b'));
}

/// A run without a clock tells no cycles, and its statistics and reports say why.
#[test]
fn a_run_without_a_clock_says_so() {
    let folder = compiled();
    let at = folder.path();
    let stats = || std::fs::read_to_string(at.join("sim_stats.json")).expect("it was written");
    let line = "run out --launch go:1";
    assert!(printed(at, &format!("{line} --untimed")).ends_with("\nno clock\n"));
    assert!(stats().contains("\"untimed\": true"), "{}", stats());
    assert!(printed(at, line).ends_with(" cycles\n"));
    assert!(stats().contains("\"untimed\": false"), "{}", stats());
    let told = |options: &str| {
        let done = ended(at, &format!("{line} --max-cycles=5 --quiet {options}"));
        let text = String::from_utf8_lossy(&done.stderr);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let note = "the run has no clock: a cycle is one of a PE's own count";
    assert!(told("--untimed").contains(note), "{}", told("--untimed"));
    assert!(told("--untimed=soon").contains("`soon` is not one of on, own-time, off"), "{}", told("--untimed=soon"));
    assert!(!told("").contains(note));
}

#[test]
fn the_option_of_the_clock_goes_before_the_variable() {
    let folder = compiled();
    let ending = |options: &str, variable: &str| {
        let mut run = command(folder.path(), &format!("run out --launch go:1 {options}"));
        let done = run.env("WAFERLAB_UNTIMED", variable).output().expect("waferlab runs");
        assert!(done.status.success(), "{options} {variable}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("it prints UTF-8")
    };
    assert!(ending("", "1").ends_with("\nno clock\n"));
    assert!(ending("--untimed=off", "1").ends_with(" cycles\n"));
    assert!(ending("--untimed=off", "own-time").ends_with(" cycles\n"));
    assert!(ending("--untimed", "0").ends_with("\nno clock\n"));
}

/// clap's tip to write `--` before what is no option leads nowhere where no file can stand.
#[test]
fn an_unknown_option_has_no_tip_that_does_not_help() {
    let folder = compiled();
    for (line, word) in [("cslc layout.csl -x", "-x"), ("cslc -x", "-x"), ("cslc layout.csl --memcopy", "--memcopy")] {
        let told = refused(folder.path(), line);
        assert!(told.contains(&format!("unexpected argument '{word}' found")), "{line}: {told}");
        assert!(!told.contains(&format!("'-- {word}'")), "{line}: {told}");
    }
    assert!(refused(folder.path(), "cslc layout.csl --memcopy").contains("a similar argument exists: '--memcpy'"));
}

#[test]
fn a_stage_goes_without_files_that_only_a_whole_compilation_writes() {
    let folder = compiled();
    let at = folder.path();
    std::fs::remove_dir_all(at.join("out")).expect("it was compiled");
    for option in ["--out-routes", "--out-routes=routes.txt", "--output-json", "--output-json=params.json"] {
        let told = refused(at, &format!("cslc layout.csl --memcpy --emit=layout {option}"));
        let name = option.split('=').next().unwrap_or_default();
        assert!(told.contains("--emit <STAGE>' cannot be used with") && told.contains(name), "{option}: {told}");
    }
    for name in ["out", "routes.txt", "params.json"] {
        assert!(!at.join(name).exists(), "{name}");
    }
}

/// A program that reads the time is refused without a clock, by name, unless the user says that a PE's own time will do: it
/// grows.
#[test]
fn a_program_that_reads_the_time_needs_a_clock_or_a_word() {
    let folder = TempDir::new().expect("a temporary folder");
    let pe = r#"
param memcpy_params;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
const time = @import_module("<time>");
var first = @zeros([time.tsc_size_words]u16);
var second = @zeros([time.tsc_size_words]u16);
var grown = @zeros([1]u32);
var grown_ptr: [*]u32 = &grown;
fn go() void {
  time.enable_tsc();
  time.get_timestamp(&first);
  time.get_timestamp(&second);
  grown[0] = if (second[0] > first[0]) @as(u32, 1) else 0;
  sys_mod.unblock_cmd_stream();
}
comptime {
  @export_symbol(grown_ptr, "grown");
  @export_symbol(go);
}
"#;
    let layout = r#"
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name("grown", [*]u32, true);
  @export_name("go", fn()void);
}
"#;
    std::fs::write(folder.path().join("layout.csl"), layout).expect("the folder is writable");
    std::fs::write(folder.path().join("pe.csl"), pe).expect("the folder is writable");
    let at = folder.path();
    printed(at, "cslc layout.csl --arch=wse3 --memcpy -o out");
    let line = "run out --launch go --d2h grown=-";
    let refused = ended(at, &format!("{line} --untimed"));
    let told = String::from_utf8_lossy(&refused.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!refused.status.success());
    assert!(told.contains("or with `--untimed=own-time`"), "{told}");
    for clock in ["", "--untimed=own-time", "--untimed=off"] {
        let told = printed(at, &format!("{line} {clock}"));
        assert!(told.contains("grown: 1\n"), "{told}");
    }
}

/// Standard error that is full or closed changes no status, and stops nothing by a panic (101).
#[test]
fn standard_error_that_is_full_or_closed_ends_nothing() {
    let folder = compiled();
    let shell = |program: &str, line: &str| {
        let done = Command::new("sh").args(["-c", &format!("'{program}' {line}")]).current_dir(folder.path()).output();
        done.expect("sh runs").status.code()
    };
    std::fs::write(folder.path().join("bad.csl"), "layout { x; }\n").expect("the folder is writable");
    for stream in ["2>/dev/full", "2>&-", "2>&- >&-", ""] {
        let cslc = shell(env!("CARGO_BIN_EXE_cslc"), &format!("bad.csl {stream}"));
        assert_eq!(cslc, Some(1), "cslc {stream}");
        let run = |line: &str| shell(env!("CARGO_BIN_EXE_waferlab"), &format!("run out {line} --quiet {stream}"));
        assert_eq!(run("--launch go:1 --max-cycles=5"), Some(1), "waferlab run {stream}");
        assert_eq!(run("--launch go:1"), Some(0), "waferlab run {stream}");
    }
}

#[test]
fn a_run_without_a_host_program_and_its_core() {
    let folder = compiled();
    let at = folder.path();
    let line = "run out --launch go:0x10 --d2h v=v.npy --launch go:7 --d2h v=w.npy@1,0,1,1 --core corefile.cs1";
    let text = printed(at, line);
    assert_eq!(text.lines().count(), 5, "{text}");
    let items = |name: &str| {
        let bytes = std::fs::read(at.join(name)).expect("it was written");
        bytes[128..].chunks(4).map(|item| item[0]).collect::<Vec<u8>>()
    };
    assert_eq!((items("v.npy"), items("w.npy")), (vec![16, 17, 16, 17], vec![7, 8]));
    assert_eq!(
        csdb(at, "target create --core-file corefile.cs1\nsymbol v\n").lines().skip(2).collect::<Vec<_>>(),
        ["(4,1) v: 0007 0000 0008 0000", "(5,1) v: 0007 0000 0008 0000",]
    );
}

/// A run that cannot go on leaves its core file and its statistics, where they are wanted most; that one of them cannot be
/// written is told behind the reason why the run has ended.
#[test]
fn a_run_that_fails_leaves_its_core() {
    let folder = compiled();
    let at = folder.path();
    let failed = ended(at, "run out --launch go:7 --max-cycles=5 --core corefile.cs1");
    assert_eq!(failed.status.code(), Some(1));
    let told = csdb(at, "target create --core-file corefile.cs1\nsymbol v\n");
    assert!(told.contains("(4,1) v: "), "{told}");
    assert!(at.join("sim_stats.json").is_file());

    std::fs::remove_file(at.join("sim_stats.json")).expect("it was written");
    std::fs::create_dir(at.join("sim_stats.json")).expect("the folder is writable");
    let failed = ended(at, "run out --launch go:7 --max-cycles=5 --core layout.csl");
    assert_eq!(failed.status.code(), Some(1));
    let told = String::from_utf8_lossy(&failed.stderr);
    let at = |text: &str| told.find(text).unwrap_or_else(|| panic!("{text}: {told}"));
    let end = at("the run was ended in cycle 5");
    assert!(
        end < at("sim_stats.json: ") && at("sim_stats.json: ") < at("layout.csl: this file is there already"),
        "{told}"
    );
}

/// The output of a session in which these commands are piped, all of which succeed.
fn csdb(folder: &Path, commands: &str) -> String {
    let (done, text) = session(folder, commands);
    assert!(done.success(), "{text}");
    text
}

/// The status and the output of a session in which these commands are piped.
fn session(folder: &Path, commands: &str) -> (ExitStatus, String) {
    let mut child = command(folder, "csdb")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("it is piped").write_all(commands.as_bytes()).expect("it reads");
    let done = child.wait_with_output().expect("it ends");
    (done.status, String::from_utf8(done.stdout).expect("it prints UTF-8") + &String::from_utf8_lossy(&done.stderr))
}

#[test]
fn a_session_of_the_debugger() {
    let folder = compiled();
    let at = folder.path();
    printed(at, "run out --launch go:1 --core corefile.cs1 --quiet");
    let text = csdb(
        at,
        "context list\ntarget list\ntarget create --core-file=[0]\nrectangle select 4,1,1,1\nrectangle deselect 0,0,9,3\n\
         settings\nmemory read --address 0x8 --length 4\nexit\nhelp\n",
    );
    for part in [
        "[0] ./out",
        "[0] ./corefile.cs1",
        "Removing Rect(x=0, y=0, width=9, height=3)",
        "memory-x4y1w1h1_0008_000c.log",
    ] {
        assert!(text.contains(part), "{text}\nwithout\n{part}");
    }
    assert!(!text.contains("rectangle select X,Y,W,H"), "nothing is read behind exit");
    let log = std::fs::read_to_string(at.join("memory-x4y1w1h1_0008_000c.log")).expect("it was written");
    assert!(log.starts_with("(4,1) 0008: "), "{log}");
    let (done, text) = session(
        at,
        "memory read --address 1 --length 1\nfly\nrectangle select 1,2,3\ntarget create --core-file out.json\n",
    );
    for part in [
        "there is no target",
        "there is no command fly",
        "a rectangle is X,Y,WIDTH,HEIGHT",
        "out.json: ",
        "waferlab: 4 commands of csdb failed",
    ] {
        assert!(text.contains(part), "{text}\nwithout\n{part}");
    }
    assert_eq!(done.code(), Some(1), "who pipes commands learns of one that failed");
    assert_eq!(
        session(at, "fly\ncontext list\nexit\n").0.code(),
        Some(1),
        "behind one that failed the others are read"
    );
}

/// A constant's bit that has flipped gives another program or another memory that is as right as the true one: only the checksum
/// tells.
#[test]
fn files_with_a_bit_that_has_flipped_are_refused() {
    let folder = compiled();
    let at = folder.path();
    printed(at, "run out --launch go:5 --core corefile.cs1 --quiet");
    assert!(printed(at, "csdb . symbol v").contains("(4,1) v: 0005 0000 0006 0000"));
    let flip = |name: &str, bit: usize| {
        let mut bytes = std::fs::read(at.join(name)).expect("it was written");
        let last = bytes.len() - 1;
        bytes[last - bit / 8] ^= 1 << (bit % 8);
        std::fs::write(at.join(name), bytes).expect("it is writable");
    };
    // Behind the memory of the last PE stand the four bytes of the checksum.
    for bit in [0, 8 * 4 + 3, 8 * 40] {
        flip("corefile.cs1", bit);
        let told = refused(at, "csdb . target create corefile.cs1");
        assert!(told.contains("corefile.cs1: a damaged core file: some of its bytes have changed"), "{bit}: {told}");
        flip("corefile.cs1", bit);
        flip("out/bin/program.wafer", bit);
        for line in ["run out --quiet", "inspect out", "csdb out image"] {
            let told = refused(at, line);
            assert!(
                told.contains("damaged image: some of its bytes have changed since it was written"),
                "{line}: {told}"
            );
        }
        flip("out/bin/program.wafer", bit);
    }
    assert!(printed(at, "csdb . symbol v").contains("(4,1) v: 0005 0000 0006 0000"));
    let mut older = std::fs::read(at.join("corefile.cs1")).expect("it was written");
    older[8] = 1;
    std::fs::write(at.join("corefile.cs1"), older).expect("it is writable");
    let told = refused(at, "csdb . target create corefile.cs1");
    assert!(told.contains("a core file of another version of Waferlab"), "{told}");
    std::fs::write(at.join("corefile.cs1"), b"WAFERCOR\x02\0").expect("it is writable");
    let told = refused(at, "csdb . target create corefile.cs1");
    assert!(told.contains("a damaged core file"), "{told}");
}

#[test]
fn words_that_a_command_of_the_debugger_does_not_take_are_refused() {
    let folder = compiled();
    let at = folder.path();
    printed(at, "run out --launch go:1 --core corefile.cs1 --quiet");
    for (command, part) in [
        ("memory read --name v --stdout", "memory read does not take `--stdout`"),
        ("memory read v", "memory read does not take `v`"),
        ("memory read --name v --length 4", "--name goes without --address and --length"),
        ("memory read --address x --length 4", "`x` is not a 16-bit number"),
        ("symbol v w", "symbol does not take `w`"),
        ("target create a b", "target create does not take `b`"),
        ("target create a --core-file b", "`a` is a second one"),
        ("target list all", "target list takes no arguments, but got `all`"),
        ("target show all", "target show takes no arguments, but got `all`"),
        ("rectangle show all", "rectangle show takes no arguments, but got `all`"),
        ("rectangle reset all", "rectangle reset takes no arguments, but got `all`"),
        ("wavelet --colour 3", "wavelet does not take `--colour`"),
        ("settings all", "settings takes no arguments, but got `all`"),
        ("image all", "image takes no arguments, but got `all`"),
        ("exit 3", "exit takes no arguments, but got `3`"),
        ("context list all", "context list takes no arguments, but got `all`"),
        ("context select out more", "context select does not take `more`"),
        ("context show all", "context show takes no arguments, but got `all`"),
        ("trace list all", "trace list takes no arguments, but got `all`"),
        ("trace select . more", "trace select does not take `more`"),
        ("workdir select . more", "workdir select does not take `more`"),
        ("rectangle select 4,1,1,1 5", "not `4,1,1,1 5`"),
        ("help fly", "there is no command fly"),
        ("register --help", "core files hold memory, not registers"),
        ("help memory read", "help does not take `read`"),
    ] {
        let text = refused(at, &format!("csdb . {command}"));
        assert!(text.contains(part), "{command}: {text}");
    }
    for (command, lines) in [
        ("help memory", 2),
        ("memory --help", 2),
        ("memory read --help", 2),
        ("exit --help", 1),
        ("help quit", 1),
        ("# a_note", 0),
    ] {
        let text = printed(at, &format!("csdb . {command}"));
        assert_eq!(text.lines().count(), lines, "{command}: {text}");
    }
}

#[test]
fn one_command_of_the_debugger() {
    let folder = compiled();
    let at = folder.path();
    printed(at, "run out --launch go:5 --core corefile.cs1 --quiet");
    assert_eq!(printed(at, "csdb . context list"), "INFO:csdb: [0] ./out\n");
    assert_eq!(printed(at, "csdb out trace list"), "");
    assert_eq!(printed(at, "csdb . trace list"), "INFO:csdb: [0] .\n");
    // The core file lies in the folder, or where the command is run; what a session writes to a file is printed.
    for place in [".", "out"] {
        let text = printed(at, &format!("csdb {place} memory read --name v"));
        let lines: Vec<&str> = text.lines().collect();
        let [first, second] = lines[..] else { panic!("{text}") };
        assert!(first.starts_with("(4,1) ") && first.ends_with(": 0005 0000 0006 0000"), "{text}");
        assert!(second.starts_with("(5,1) ") && second.ends_with(": 0005 0000 0006 0000"), "{text}");
        let address = &first[6..10];
        let by_address = printed(at, &format!("csdb {place} memory read --address=0x{address} --length=4"));
        assert_eq!(by_address, text);
    }
    // A PE has 48 KiB.
    let beyond = refused(at, "csdb . memory read --address=0x5fff --length=2");
    assert!(beyond.contains("2 words from 0x5fff on are not in the memory of a PE"), "{beyond}");
    assert!(refused(at, "csdb . memory read --name w").contains("no selected PE has an object w"));
    assert!(refused(at, "csdb . fly").contains("there is no command fly"));
    std::fs::copy(at.join("corefile.cs1"), at.join("other.cs1")).expect("the folder is writable");
    assert!(refused(at, "csdb . memory read --name v").contains("there is no target"), "two core files");
}

#[test]
fn shells_complete_every_command_and_its_options() {
    let folder = TempDir::new().expect("a temporary folder");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = printed(folder.path(), &format!("completions {shell}"));
        for word in [
            "waferlab",
            "cslc",
            "csdb",
            "cs_readelf",
            "sdk_debug_shell",
            "fabric-offsets",
            "wavelet-trace",
            "max-cycles",
        ] {
            assert!(script.contains(word), "{shell} without {word}");
        }
        for hidden in ["opt-passes", "no-line-tables"] {
            assert!(!script.contains(hidden), "{shell} offers {hidden}");
        }
    }
    // The script defines what it says, where the shell is there to ask.
    let script = printed(folder.path(), "completions bash");
    let ask =
        format!("{script}\nfor name in waferlab cslc csdb cs_readelf sdk_debug_shell; do complete -p $name; done");
    if let Ok(done) = Command::new("bash").args(["--norc", "-c", &ask]).output() {
        let text = String::from_utf8_lossy(&done.stdout);
        assert_eq!(
            (text.lines().count(), done.status.success()),
            (5, true),
            "{text}{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

/// Notes behind the options are broken into lines by words at the width of the terminal.
#[test]
fn help_is_broken_at_the_width_of_the_terminal() {
    for words in ["cslc --help", "fmt --help", "run --help", "explore --help"] {
        for width in [60, 100] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_waferlab"));
            let done = command.args(words.split(' ')).env("COLUMNS", width.to_string()).output().expect("it starts");
            let text = String::from_utf8_lossy(&done.stdout);
            // Rows of examples stay whole.
            let is_note = |line: &&str| !line.starts_with(' ') && !line.is_empty();
            let notes: Vec<&str> = text.lines().filter(is_note).collect();
            assert!(notes.len() > 4 && notes.iter().all(|line| line.len() <= width), "{words} {width}: {text}");
        }
    }
}

#[test]
fn manual_pages_are_written_and_files_of_others_stay() {
    let folder = TempDir::new().expect("a temporary folder");
    let at = folder.path();
    std::fs::create_dir(at.join("man")).expect("the folder is writable");
    std::fs::write(at.join("man/cslc.1"), "mine").expect("the folder is writable");
    let told = refused(at, "man man");
    assert!(told.contains("cslc.1: this file is not from `waferlab man`; nothing is written"), "{told}");
    let names = |folder: &str| {
        let files = std::fs::read_dir(at.join(folder)).expect("it is there");
        let mut names: Vec<String> =
            files.map(|file| file.expect("it is there").file_name().to_string_lossy().into()).collect();
        names.sort();
        names
    };
    assert_eq!(names("man"), ["cslc.1"]);
    // A second time the pages are written anew, and what lies beside them stays.
    for round in ["first", "second"] {
        std::fs::create_dir_all(at.join("new")).expect("the folder is writable");
        std::fs::write(at.join("new/notes"), "mine").expect("the folder is writable");
        let told = printed(at, "man new");
        let names = names("new");
        assert_eq!(told, format!("{} pages in new\n", names.len() - 1), "{round}");
        for page in [
            "waferlab.1",
            "waferlab-run.1",
            "waferlab-fmt.1",
            "cslc.1",
            "csdb.1",
            "cs_readelf.1",
            "sdk_debug_shell-smoke.1",
        ] {
            assert!(names.iter().any(|name| name == page), "{names:?} without {page}");
        }
    }
    let page = std::fs::read_to_string(at.join("new/cslc.1")).expect("it was written");
    assert!(page.contains(".TH cslc 1") && page.contains("fabric") && !page.contains("opt\\-passes"), "{page}");
}

#[test]
fn what_scripts_ask_of_elf_files() {
    let folder = compiled();
    let at = folder.path();
    let symbols = printed(at, "readelf --sym out/bin/out_1_0.elf");
    assert!(
        symbols.lines().any(|line| line.ends_with(" v") && line.split_whitespace().nth(2) == Some("8")),
        "{symbols}"
    );
    assert!(symbols.lines().any(|line| line.contains(" FUNC ") && line.ends_with(" go")), "{symbols}");
    assert!(printed(at, "readelf -m out").starts_with("(4, 1): "));
    assert!(
        symbols.lines().filter(|line| line.contains(" FUNC ")).all(|line| !line.contains("     0 FUNC")),
        "functions have a size: {symbols}"
    );
    for line in ["readelf -m -u word --tile 5,1 out", "readelf -m -u word out/bin/out_1_0.elf"] {
        let text = printed(at, line);
        assert!(text.starts_with("(5, 1): ") && text.ends_with(" words\n") && text.lines().count() == 1, "{text}");
    }
    for line in ["readelf -s out", "readelf --fs out/bin/out_0_0.elf"] {
        assert_eq!(printed(at, line), "fabric   9 x 3 PEs\nprogram  2 x 1 PEs at (4, 1)\n");
    }
    assert!(printed(at, "readelf --visualize out").contains("....##...\n"));
    assert!(printed(at, "readelf --visualize=fine out").contains("....##...\n"));
    for (line, part) in [
        ("readelf --visualize=none out", "possible values: coarse, fine"),
        ("readelf --tile 4,1 out", "--tile goes with --symbols and --memory"),
        ("readelf -u word out", "--memory"),
        ("readelf -m --tile 3,1 out", "the program starts at 4,1"),
        ("readelf -m --tile 6,1 out", "no program at (6, 1)"),
        ("readelf --sym --tile 6,1 out", "no program at (2, 0)"),
    ] {
        let text = refused(at, line);
        assert!(text.contains(part), "{line}: {text}");
    }
    assert!(refused(at, "readelf pe.csl").contains("pe.csl: not an ELF file"));
    assert!(refused(at, "readelf out/bin/none.elf").contains("there is no such file"));
}

#[test]
fn smoke_tests_and_traces() {
    let folder = compiled();
    let at = folder.path();
    std::fs::write(at.join("commands.sh"), "waferlab version\n").expect("the folder is writable");
    let text = printed(at, "debug-shell smoke .");
    assert_eq!(text, "PASSED ./commands.sh\nSUCCESS! PASSED SMOKE CHECK\n");
    std::fs::write(at.join("commands_wse2.sh"), "exit 3\n").expect("the folder is writable");
    let done = ended(at, "debug-shell smoke .");
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("1 of 2 scripts failed"));
    assert!(refused(at, "debug-shell wavelet-trace --x 4 --y 1").contains("SIMFABRIC_DEBUG=landing"));
    let ran = command(at, "run out --launch go:5 --quiet").env("SIMFABRIC_DEBUG", "landing").status();
    assert!(ran.expect("it runs").success());
    assert_eq!(printed(at, "debug-shell wavelet-trace --x 5 --y 1 trace").matches("landing C3 from link W").count(), 2);
    assert!(printed(at, "debug-shell visualize").contains("sim.log"));
    assert_eq!(printed(at, "debug-shell compile layout.csl -memcpy -o compiled"), "");
    assert!(at.join("compiled/bin/program.wafer").is_file());
    assert!(refused(at, "debug-shell compile nowhere.csl").contains("there is no file nowhere.csl"));
}

#[test]
fn libraries_are_found_on_the_import_paths() {
    let folder = TempDir::new().expect("a temporary folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it is writable");
    write(
        "layout.csl",
        "const found = @import_module(\"<place>\"); layout { @comptime_print(found.name); @set_rectangle(1, 1); @set_tile_code(0, 0, \"pe.csl\", .{}); }",
    );
    write("pe.csl", "");
    for name in ["option", "first", "second"] {
        std::fs::create_dir(folder.path().join(name)).expect("it is writable");
        write(&format!("{name}/place.csl"), &format!("const name = \"{name}\";"));
    }
    let found = |options: &[&str], variable: &str| {
        let mut cslc = Command::new(env!("CARGO_BIN_EXE_cslc"));
        cslc.arg("layout.csl").args(options).current_dir(folder.path()).env("CSL_IMPORT_PATH", variable);
        let done = cslc.output().expect("cslc runs");
        String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr)
    };
    assert!(found(&[], "").contains("<place>"), "{}", found(&[], ""));
    assert!(found(&[], "first:second").contains("first"), "{}", found(&[], "first:second"));
    assert!(found(&["--import-path=option"], "first").contains("option"));
}

#[test]
fn wrong_arguments_end_with_status_1() {
    let folder = compiled();
    let at = folder.path();
    for (line, part) in [
        ("inspect nowhere", "there is no such folder"),
        ("inspect .", "not an output folder of cslc"),
        ("inspect out routes --color 4", "routed are 3"),
        ("inspect out --color 3", "--color goes with routes"),
        ("inspect out symbols --program 0", "--program goes with tiles, memory and code"),
        ("inspect out routes --tile 0,0", "--tile goes with tiles, memory and code"),
        ("inspect out tiles --function go", "--function goes with code"),
        ("inspect out code --function gone", "there is no function gone"),
        ("run nowhere", "there is no such folder"),
        ("run out --launch go", "takes 1 argument, 0 given"),
        ("run out --d2h v", "SYMBOL=FILE"),
        ("run out --threads 0", "a whole number from 1 to 64 is wanted"),
        ("run out --max-cycles 0", "a whole number from 1 on is wanted"),
        ("run out --max-cycles x", "a whole number from 1 on is wanted"),
    ] {
        let text = refused(at, line);
        assert!(text.contains(part), "{line}: {text}");
    }
    let bin = at.join("endless/bin");
    std::fs::create_dir_all(&bin).expect("the folder is writable");
    std::os::unix::fs::symlink("/dev/zero", bin.join("program.wafer")).expect("the folder is writable");
    assert!(refused(at, "inspect endless").contains("its bin/program.wafer is no regular file"));
    let done = command(at, "run out").env("WAFERLAB_MAX_CYCLES", "many").output().expect("it runs");
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(
        (done.status.code(), text.contains("WAFERLAB_MAX_CYCLES=many: a number of cycles")),
        (Some(1), true),
        "{text}"
    );
}

#[test]
fn a_word_of_the_log_that_means_nothing_is_a_warning() {
    let folder = compiled();
    let done = command(folder.path(), "run out --quiet").env("SIMFABRIC_DEBUG", "land").output().expect("it runs");
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        text.starts_with("waferlab: warning: SIMFABRIC_DEBUG: `land` is left out: it is not one of landing"),
        "{text}"
    );
    assert!(done.status.success());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = compiled();
    for line in ["inspect out code --json", "version", "--help", "readelf --sym out", "run out --launch go:1"] {
        let mut child = command(folder.path(), line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        drop(child.as_mut().expect("it starts").stdout.take());
        let done = child.and_then(std::process::Child::wait_with_output).expect("it ends");
        assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()), (Some(0), ""), "{line}");
    }
    // After `2>&1 | head` errors have no reader either.
    let cslc = || {
        let mut cslc = Command::new(env!("CARGO_BIN_EXE_cslc"));
        cslc.args(["pe.csl"]).current_dir(folder.path());
        cslc
    };
    for mut command in
        [command(folder.path(), "inspect nowhere"), command(folder.path(), "run out --launch go"), cslc()]
    {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stderr.take());
        assert_eq!(child.wait().expect("it ends").code(), Some(1), "{command:?}");
    }
}

/// A program with PEs that never end: the east one works forever.
fn endless() -> TempDir {
    let folder = compiled();
    let pe = PE.replace("task done() void { sys_mod.unblock_cmd_stream(); }", "task done() void { if (x == 1) { iterate(); } sys_mod.unblock_cmd_stream(); }\nfn iterate() void { while (true) { v[0] += 1; } }");
    std::fs::write(folder.path().join("pe.csl"), pe).expect("the folder is writable");
    let done =
        Command::new(env!("CARGO_BIN_EXE_cslc")).args(["layout.csl", "--memcpy"]).current_dir(folder.path()).output();
    let done = done.expect("cslc runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder
}

#[test]
fn the_status_says_whether_what_was_launched_has_ended() {
    let folder = endless();
    let at = folder.path();
    for (line, variable) in
        [("run out --launch go:1 --max-cycles 20000", None), ("run out --launch go:1", Some("20000"))]
    {
        let mut run = command(at, line);
        variable.map(|cycles| run.env("WAFERLAB_MAX_CYCLES", cycles));
        let done = run.output().expect("it runs");
        assert_eq!(done.status.code(), Some(1), "{line}");
        // The parts of a long warning stand on lines of their own.
        let text = String::from_utf8_lossy(&done.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            text.contains("go has not called unblock_cmd_stream() on PE (1, 0); PE (1, 0) still ran in iterate"),
            "{text}"
        );
        assert!(text.contains("--max-cycles=N"), "{text}");
    }
    let stats = std::fs::read_to_string(at.join("sim_stats.json")).expect("it was written");
    assert!(stats.contains("\"sim_stop_cause\": \"Stopping due to user request\""), "{stats}");
    let log = std::fs::read_to_string(at.join("sim.log")).expect("it was written");
    assert!(log.lines().last().is_some_and(|line| line.contains(" cycles=2000")), "{log}");
    assert!(ended(at, "run out").status.success(), "nothing is launched");
    // The second call waits for the end of the first one.
    let done = ended(at, "run out --launch go:1 --launch go:2 --max-cycles 20000");
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1));
    assert!(text.contains("the run was ended in cycle 20000: it may take no more"), "{text}");
    assert!(text.contains("the main thread of PE (1, 0) runs, in iterate"), "{text}");
}

#[test]
#[cfg(unix)]
fn sigterm_and_ctrl_c_end_a_run_with_a_report() {
    let folder = endless();
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let mut run = command(folder.path(), "run out --launch go:1 --launch go:2");
        let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        // After the return of the first call the signals are watched.
        let mut first = [0; 8];
        std::io::Read::read_exact(child.stdout.as_mut().expect("it is piped"), &mut first).expect("it prints");
        let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        let done = child.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(status), "{text}");
        assert!(text.starts_with("waferlab: interrupted at cycle "), "{text}");
        assert!(text.contains("the main thread of PE (1, 0) runs, in iterate"), "{text}");
    }
}

#[test]
#[cfg(unix)]
fn exploring_ends_by_signals_and_by_the_limit_of_cycles() {
    let folder = endless();
    let line = "explore out --launch go:1 --schedules=2";
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let child = command(folder.path(), line).stderr(Stdio::piped()).spawn().expect("it starts");
        // Nothing is printed while it runs that tells when the signals are watched.
        std::thread::sleep(std::time::Duration::from_secs(1));
        let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        let done = child.wait_with_output().expect("it ends");
        assert_eq!(done.status.code(), Some(status));
        assert_eq!(String::from_utf8_lossy(&done.stderr), "waferlab: interrupted\n");
    }
    let with = |variable: &str, value: &str| {
        let done = command(folder.path(), line).env(variable, value).output().expect("waferlab runs");
        (done.status.code(), [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")))
    };
    let (status, [text, _]) = with("WAFERLAB_MAX_CYCLES", "20000");
    assert_eq!((status, text.as_str()), (Some(0), "schedules 1 to 2: nothing changes\n"));
    let (status, [_, error]) = with("WAFERLAB_UNTIMED", "1");
    assert_eq!(status, Some(1));
    assert_eq!(error, "waferlab: WAFERLAB_UNTIMED is set, and a run without a clock has no schedules\n");
}

#[test]
fn counts_and_rectangles_and_cores_that_cannot_be_are_refused() {
    let folder = compiled();
    let at = folder.path();
    let refused = |line: &str| {
        let done = ended(at, line);
        assert!(!done.status.success(), "{line}");
        String::from_utf8(done.stderr).expect("it prints UTF-8")
    };
    let told = refused("run out --d2h v=v.npy:uint32:4000000000");
    assert!(told.contains("4000000000 elements of 4 bytes do not fit the 49152 bytes of a PE's memory"), "{told}");
    std::fs::write(at.join("long.core"), [b"WAFERCOR".to_vec(), vec![0; 200_000]].concat()).expect("it is writable");
    let told = |commands: &str| {
        let done = command(at, "csdb").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut done = done.expect("csdb starts");
        done.stdin.take().expect("it is piped").write_all(commands.as_bytes()).expect("it reads");
        let done = done.wait_with_output().expect("it ends");
        String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
    };
    let core = told("target create long.core\n");
    assert!(core.contains("longer than a core file of the program can be"), "{core}");
    let rect = told("rectangle select 0,0,4000000000,4000000000\n");
    assert!(rect.contains("is not within the fabric of"), "{rect}");
}

#[test]
fn lines_of_a_changed_source_are_not_shown() {
    let folder = compiled();
    let at = folder.path();
    std::fs::write(at.join("pe.csl"), format!("// new\n{PE}")).expect("the folder is writable");
    let code = printed(at, "inspect out code --function go");
    assert!(code.contains("pe.csl:") && code.contains("(the file has changed since it was compiled)"), "{code}");
}

/// A write behind an array: a run goes on, and says with `--check` where, how often and on how many PEs; with
/// `--check=stop` it ends there.
#[test]
fn a_checked_run_goes_on_and_one_that_is_to_stop_ends() {
    let folder = compiled();
    let pe = PE
        .replace("fn go(first: u32) void {", "fn go(first: u32) void {\n  for (@range(u16, 4)) |i| { v[i] = first; }");
    std::fs::write(folder.path().join("pe.csl"), pe).expect("the folder is writable");
    let cslc =
        Command::new(env!("CARGO_BIN_EXE_cslc")).args(["layout.csl", "--memcpy"]).current_dir(folder.path()).output();
    assert!(cslc.expect("cslc runs").status.success());
    let told = |option: &str, variable: &str| {
        let mut run = command(folder.path(), &format!("run out --launch go:7 --quiet {option}"));
        let done = run.env("WAFERLAB_CHECK", variable).output().expect("waferlab runs");
        (done.status.code(), String::from_utf8(done.stderr).expect("it prints UTF-8"))
    };
    assert_eq!(told("", "0"), (Some(0), String::new()));
    let (status, text) = told("--check", "0");
    let place = "check: pe.csl:15:30 in go writes element 2 of `v`, which has 2 elements";
    assert_eq!(status, Some(0), "{text}");
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(line.contains(place) && line.contains(", 4 times in all on 2 PEs; keep the index"), "{text}");
    assert_eq!(told("", "1"), (status, text));
    assert_eq!(told("--check=off", "1"), (Some(0), String::new()), "the option goes before the variable");
    let (status, text) = told("--check=stop", "0");
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("[E0901]"), "{text}");
    // As the error, and not as a warning before it.
    assert_eq!(text.matches("writes element 2 of `v`, which has 2 elements").count(), 1, "{text}");
    assert_eq!(told("", "stop"), (status, text));
}

/// A copy of more elements than the array has is held to it too.
#[test]
fn a_checked_run_looks_at_copies_of_the_host() {
    let folder = compiled();
    let done = ended(folder.path(), "run out --launch go:7 --d2h v=v.bin:uint32:3 --check --quiet");
    let text = String::from_utf8(done.stderr).expect("it prints UTF-8");
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.join(" ").contains("check: a copy of the host reads 12 bytes of `v`, which has 8 bytes"), "{text}");
}

#[test]
fn exploring_tells_the_first_schedule_that_changes_a_result() {
    let folder = compiled();
    assert_eq!(
        printed(folder.path(), "explore out --launch go:7 --schedules=3"),
        "schedules 1 to 3: nothing changes\n"
    );
    let line = "explore out --launch go:7 --d2h v=v.npy --first=5 --schedules=2";
    assert_eq!(printed(folder.path(), line), "schedules 5 to 6: nothing changes\n");
    assert!(!folder.path().join("v.npy").exists(), "nothing is written");
    // A program that stores what time it is.
    let pe = PE
        .replace("fn go(", "const time = @import_module(\"<time>\");\nvar now = @zeros([3]u16);\nfn go(")
        .replace("v[0] = first;", "time.enable_tsc(); time.get_timestamp(&now); v[0] = now[0];")
        .replace("task done() void {", "task done() void { time.get_timestamp(&now); v[1] = now[0];");
    std::fs::write(folder.path().join("pe.csl"), pe).expect("the folder is writable");
    let cslc =
        Command::new(env!("CARGO_BIN_EXE_cslc")).args(["layout.csl", "--memcpy"]).current_dir(folder.path()).output();
    assert!(cslc.expect("cslc runs").status.success());
    let done = ended(folder.path(), "explore out --launch go:7");
    let text = String::from_utf8(done.stdout).expect("it prints UTF-8");
    assert_eq!(done.status.code(), Some(1), "{text}");
    assert!(text.starts_with("schedule ") && text.contains(": v[1] of PE (0, 0) is "), "{text}");
    assert!(text.contains("or reads the timestamp counter") && text.contains("--schedule="), "{text}");
}

#[test]
fn a_schedule_comes_by_option_or_environment_and_exploring_a_command_sets_it() {
    let folder = compiled();
    let explore = |script: &str| {
        let mut explore = command(folder.path(), "explore --schedules 5 -- sh -c");
        explore.arg(script).env("WAFERLAB_SCHEDULE", "9");
        let done = explore.output().expect("waferlab runs");
        let text = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
        (done.status.code(), text[0].clone(), text[1].clone())
    };
    assert_eq!(explore("true"), (Some(0), "schedules 1 to 5: nothing changes\n".to_owned(), String::new()));
    let (status, text, _) = explore("echo here; test \"$WAFERLAB_SCHEDULE\" != 4");
    assert_eq!(status, Some(1));
    assert!(text.starts_with("schedule 4: the command ends with exit status: 1:\n    here\n"), "{text}");
    assert!(text.contains("WAFERLAB_SCHEDULE=4 before the command"), "{text}");
    let (status, _, error) = explore("test -n \"$WAFERLAB_SCHEDULE\"");
    assert_eq!(status, Some(1));
    assert!(error.contains("without a schedule the command ends with exit status: 1"), "{error}");
    let cycles = |option: &str, variable: Option<&str>| {
        let mut run = command(folder.path(), &format!("run out --launch go:1 {option}"));
        run.envs(variable.map(|number| ("WAFERLAB_SCHEDULE", number)));
        String::from_utf8(run.output().expect("waferlab runs").stdout).expect("UTF-8")
    };
    assert_ne!(cycles("--schedule=3", None), cycles("", None));
    assert_eq!(cycles("--schedule=3", Some("8")), cycles("", Some("3")), "the option goes before the variable");
    let refusal = refused(folder.path(), "explore out --first=18446744073709551615 --schedules=2");
    assert!(refusal.contains("no schedule has so high a number"), "{refusal}");
    let run = command(folder.path(), "run out --launch go:1").env("WAFERLAB_SCHEDULE", "x").output();
    let error = String::from_utf8(run.expect("waferlab runs").stderr).expect("UTF-8");
    assert!(error.contains("WAFERLAB_SCHEDULE=x: the number of a schedule is wanted"), "{error}");
}

/// A result is written over nothing but results: not over the program, its sources, or what the run writes beside it.
#[test]
fn results_take_the_place_of_results_alone() {
    let folder = compiled();
    let at = folder.path();
    std::fs::write(at.join("notes.npy"), "notes").expect("the folder is writable");
    for (file, what) in [
        ("pe.csl", "there, and no array of numpy"),
        ("./out/../layout.csl", "there, and no array of numpy"),
        ("out/bin/program.wafer", "a file of the compiled program"),
        ("out/bin/new", "a file of the compiled program"),
        ("out/out.json", "a file of the compiled program"),
        ("sim.log", "the log of the run"),
        ("sim_stats.json", "the statistics of the run"),
        ("c.core", "the core file"),
        ("notes.npy", "there, and no array of numpy"),
        ("once.npy", "the file of another --d2h"),
    ] {
        let before = std::fs::read(at.join(file)).ok();
        let line = format!("run out --launch go:7 --d2h v=once.npy --core c.core --d2h v={file}");
        let expected = format!("waferlab: {file}: it is {what}; choose another file\n");
        assert_eq!(refused(at, &line), expected);
        assert_eq!(std::fs::read(at.join(file)).ok(), before, "{file}");
    }
    for _ in 0..2 {
        printed(at, "run out --launch go:7 --d2h v=once.npy --d2h v=out/v.bin --d2h v=- --d2h v=- --core c.core");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn help_that_cannot_be_printed_is_an_error() {
    for (program, words) in [(env!("CARGO_BIN_EXE_cslc"), "--help"), (env!("CARGO_BIN_EXE_waferlab"), "--version")] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
        let done = Command::new(program).arg(words).stdout(full).output().expect("it starts");
        assert_eq!(done.status.code(), Some(1), "{program} {words}");
        assert!(String::from_utf8_lossy(&done.stderr).starts_with("cannot print: "), "{program} {words}");
    }
}

/// A pipe waits for its other end: what looks through folders passes pipes over.
#[test]
#[cfg(unix)]
fn pipes_are_not_waited_for() {
    let folder = compiled();
    let at = folder.path();
    std::fs::create_dir(at.join("logs")).expect("the folder is writable");
    let made = Command::new("mkfifo").args(["core.pipe", "x.csl", "logs/sim.log"]).current_dir(at).status();
    assert!(made.expect("mkfifo runs").success());
    assert_eq!(printed(at, "csdb . context list"), "INFO:csdb: [0] ./out\n");
    assert!(ended(at, "fmt --check .").status.code().is_some_and(|status| status < 2));
    let done = ended(at, "run out --launch go:7 --output-folder logs");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(told.contains("logs/sim.log: it is there and no regular file"), "{told}");
}
