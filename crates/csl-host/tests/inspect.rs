//! Tests the texts of `waferlab inspect` on a small program.

use csl_host::inspect::{Choice, Inspection, Part};
use csl_host::{Argument, HostError, Runtime, Settings, Stage, compile, emit, read_image};
use tempfile::TempDir;

use crate::program;

const LAYOUT: &str = r#"
param width: u16;
const memcpy = @import_module("<memcpy/get_params>", .{ .width = width, .height = 2 });
const ring: color = @get_color(5);
layout {
  @set_rectangle(width, 2);
  for (@range(u16, width)) |x| {
    for (@range(u16, 2)) |y| {
      const file = if (x == 0) "edge.csl" else "pe.csl";
      @set_tile_code(x, y, file, .{ .memcpy_params = memcpy.get_params(x), .row = y });
    }
  }
  @set_color_config(0, 0, ring, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ EAST, SOUTH } } });
  @set_color_config(1, 0, ring, .{
    .routes = .{ .rx = .{ WEST }, .tx = .{ RAMP, EAST } },
    .switches = .{ .pos1 = .{ .tx = SOUTH }, .ring_mode = true },
  });
  @set_color_config(2, 0, ring, .{ .routes = .{ .rx = .{ WEST }, .tx = .{ RAMP } } });
  @set_color_config(0, 1, ring, .{ .routes = .{ .rx = .{ NORTH }, .tx = .{ RAMP } } });
  @export_name("v", [*]f32, true);
  @export_name("go", fn(i16)void);
}
"#;

const PE: &str = r#"
param memcpy_params;
param row: u16;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
var v = @zeros([4]f32);
export var flag: u16 = 7;
var v_ptr: [*]f32 = &v;
fn go(n: i16) void {
  v[n] = @as(f32, flag + row);
  sys_mod.unblock_cmd_stream();
}
comptime {
  @export_symbol(v_ptr, "v");
  @export_symbol(go);
}
"#;

fn inspected(folder: &TempDir) -> Inspection {
    inspected_with(folder, PE)
}

fn inspected_with(folder: &TempDir, pe: &str) -> Inspection {
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("the folder is writable");
    write("layout.csl", LAYOUT);
    write("pe.csl", pe);
    write("edge.csl", pe);
    let done = compile(&program::options(folder.path()));
    assert!(done.succeeded(), "{}", program::text(&done));
    Inspection::open(&folder.path().join("out")).expect("it was compiled")
}

fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder")
}

fn choice(part: Part) -> Choice {
    Choice { part, ..Choice::default() }
}

#[test]
fn every_part_as_text() {
    let folder = folder();
    let inspection = inspected(&folder);
    let choices = [
        choice(Part::Summary),
        choice(Part::Tiles),
        choice(Part::Routes),
        Choice { color: Some(5), ..choice(Part::Routes) },
        choice(Part::Memory),
        choice(Part::Symbols),
        Choice { program: Some("pe.csl".to_owned()), function: Some("go".to_owned()), ..choice(Part::Code) },
    ];
    let texts = choices.iter().map(|choice| inspection.text(choice).expect("a right choice"));
    let all = texts.collect::<Vec<String>>().join("\n----\n");
    assert!(all.lines().all(|line| line.chars().count() <= 80), "{all}");
    insta::assert_snapshot!(all);
}

#[test]
fn stages_and_code_show_what_the_optimiser_left() {
    let folder = folder();
    let pe = PE.replace("fn go(n: i16) void {\n", "fn twice(n: u16) u16 {\n  return n * 2;\n}\nfn go(n: i16) void {\n");
    let inspection = inspected_with(&folder, &pe.replace("flag + row", "twice(flag)"));
    let ir = |stage| emit(&program::options(folder.path()), stage).text().to_owned();
    assert!(ir(Stage::Ir0).contains("call twice("), "before the optimiser the function is called: {}", ir(Stage::Ir0));
    assert!(!ir(Stage::Ir).contains("call twice("), "its body has taken the place of the call: {}", ir(Stage::Ir));
    let code = inspection.text(&choice(Part::Code)).expect("a right choice");
    let (_, go) = code.split_once("go:\n").expect("the function is there");
    assert!(!code.contains("twice:\n") && go.contains("return n * 2;"), "the callee's line within its caller: {code}");
}

#[test]
fn json_has_every_program() {
    let folder = folder();
    let inspection = inspected(&folder);
    let memory = inspection.json(&choice(Part::Memory)).expect("a right choice");
    assert_eq!(memory.as_array().map(Vec::len), Some(inspection.image().programs.len()));
    let at = Choice { tile: Some((2, 1).into()), ..choice(Part::Tiles) };
    let tiles = inspection.json(&at).expect("a right choice");
    assert_eq!(tiles[0]["rectangles"][0], serde_json::json!({ "x": 1, "y": 0, "width": 2, "height": 2 }));
    let routes = inspection.json(&Choice { color: Some(5), ..choice(Part::Routes) }).expect("a right choice");
    assert_eq!(routes[1]["positions"][0], serde_json::json!({ "tx": ["SOUTH"] }));
    assert_eq!(inspection.json(&choice(Part::Summary)).expect("a right choice")["program"]["width"], 3);
}

#[test]
fn wrong_choices_are_named() {
    let folder = folder();
    let inspection = inspected(&folder);
    for (choice, part) in [
        (Choice { color: Some(6), ..choice(Part::Routes) }, "color 6 is routed nowhere in the program; routed are 5"),
        (Choice { tile: Some((3, 0).into()), ..choice(Part::Code) }, "no program at (3, 0) of the program's 3 x 2 PEs"),
        (Choice { program: Some("x.csl".to_owned()), ..choice(Part::Code) }, "there are edge.csl, pe.csl"),
        (Choice { function: Some("stop".to_owned()), ..choice(Part::Code) }, "there is no function stop; there are go"),
    ] {
        let error = inspection.text(&choice).expect_err("a wrong choice").to_string();
        assert!(error.contains(part), "{error}\nwithout\n{part}");
    }
    std::fs::write(folder.path().join("out").join(csl_host::IMAGE_FILE), "no image").expect("it is writable");
    assert!(Inspection::open(&folder.path().join("out")).is_err());
}

/// A `param` of type `comptime_struct` is a sign of a program up to 1.4.
#[test]
fn the_summary_shows_the_generation_that_the_program_gives_away() {
    for (param, sdk) in [("param memcpy_params;", "2.10"), ("param memcpy_params: comptime_struct;", "1.4")] {
        let folder = folder();
        let inspection = inspected_with(&folder, &PE.replace("param memcpy_params;", param));
        let text = inspection.text(&choice(Part::Summary)).expect("it can be shown");
        assert_eq!(text.lines().nth(1), Some(format!("sdk      {sdk}").as_str()));
    }
}

/// The reader of images takes any number of a line: one that no text has shows nothing.
#[test]
fn a_line_before_the_first_shows_nothing() {
    let folder = program::folder();
    assert!(compile(&program::options(folder.path())).succeeded());
    let out = folder.path().join("out");
    let mut image = read_image(&out).expect("it was compiled");
    for program in &mut image.programs {
        std::sync::Arc::make_mut(program).lines.iter_mut().for_each(|line| line.line = 0);
    }
    std::fs::write(out.join("bin/program.wafer"), image.write()).expect("the folder is writable");
    let code = Inspection::open(&out).expect("it can be read").text(&choice(Part::Code)).expect("a right choice");
    assert!(code.contains("pe.csl:0\n"), "{code}");
    let mut runtime = Runtime::open(&out, Settings::new(1)).expect("it can be read");
    runtime.load().expect("load() comes first");
    runtime.run().expect("run() comes second");
    let task = runtime.launch("divide", &[Argument::Int(0)]).expect("the call is taken");
    let Err(HostError::Failed { report, .. }) = runtime.wait(task) else { panic!("it divides by 0") };
    assert!(!report.contains("quotient = "), "{report}");
}
