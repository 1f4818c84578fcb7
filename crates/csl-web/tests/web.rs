//! The answers to requests, on this machine; `tests/browser.mjs` compares them with those in a browser.

use std::path::{Path, PathBuf};

use csl_host::batch::{self, Array, FileCopy, ItemType};
use csl_host::{Arch, Options, Rendering, Runtime, Settings, compile};
use serde_json::{Value, json};

fn ask(request: &Value) -> Value {
    serde_json::from_str(&csl_web::answer(&request.to_string())).expect("the answer is JSON")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The requests of the page's programs, with the texts of their files, by the folder of each.
fn programs() -> Vec<(String, Value)> {
    let listed = std::fs::read_to_string(root().join("crates/csl-web/page/programs.json")).expect("it is readable");
    let listed: Vec<Value> = serde_json::from_str(&listed).expect("it is JSON");
    let with_files = |program: &Value| {
        let folder = program["folder"].as_str().expect("a program has a folder").to_owned();
        let mut request = program["request"].clone();
        for entry in std::fs::read_dir(root().join(&folder)).expect("the folder is there").flatten() {
            let name = entry.file_name().into_string().expect("names are text");
            if name.ends_with(".csl") {
                request["files"][name] = json!(std::fs::read_to_string(entry.path()).expect("it is readable"));
            }
        }
        (folder, request)
    };
    listed.iter().map(with_files).collect()
}

#[test]
fn the_programs_of_the_page_run_on_both_chips() {
    for (folder, mut request) in programs() {
        for arch in ["wse2", "wse3"] {
            request["arch"] = json!(arch);
            let answer = ask(&request);
            assert_eq!(answer["done"], json!(true), "{folder} {arch}: {answer}");
            assert_eq!(answer["diagnostics"], json!(""), "{folder}");
            assert!(answer["cycles"].as_u64() > Some(0), "{folder}");
        }
    }
}

/// A compilation to a folder and a run of it, as `cslc` and `waferlab run` do it, take as many cycles.
#[test]
fn a_run_takes_as_many_cycles_as_from_a_folder() {
    let (folder, request) = programs().remove(0);
    let answer = ask(&request);
    let out = tempfile::tempdir().expect("there is a folder");
    let params = csl_host::options::parse_bindings(request["params"].as_str().expect("it has params"));
    let options = Options {
        folder: root().join(folder),
        output: out.path().join("out"),
        params: params.expect("they are params"),
        arch: Arch::Wse3,
        memcpy: true,
        ..Options::new("layout.csl")
    };
    let done = compile(&options);
    assert!(done.succeeded(), "{}", done.render(&Rendering::default()));
    let mut runtime = Runtime::open(&options.output, Settings::new(1)).expect("it is compiled");
    runtime.load().and_then(|()| runtime.run()).expect("it runs");
    let copy = FileCopy { symbol: "rod".to_owned(), file: PathBuf::new(), item: None, per_pe: None, rect: None };
    let data = (0..90u16).flat_map(|number| f32::from(number).to_le_bytes()).collect();
    let item = ItemType { kind: 'f', bytes: 4 };
    batch::send(&mut runtime, &copy, &Array { item, shape: vec![90], is_fortran: false, data }).expect("it arrives");
    batch::launch(&mut runtime, "run", &[]).expect("it ends");
    let (array, _) = batch::fetch(&mut runtime, &copy).expect("it comes back");
    runtime.stop().expect("it stops");
    assert_eq!(answer["cycles"], json!(runtime.cycle()));
    assert_eq!(answer["arrays"][0]["shape"], json!(array.shape));
    let fetched = array.data.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")));
    let answered = answer["arrays"][0]["values"].as_array().expect("there are values");
    let answered: Vec<f32> = answered.iter().map(|value| value.as_f64().expect("a number") as f32).collect();
    assert_eq!(answered, fetched.collect::<Vec<f32>>());
}

#[test]
fn routes_and_tiles_are_those_of_the_layout() {
    let (_, request) = programs().remove(0);
    let answer = ask(&request);
    assert_eq!(answer["size"], json!([5, 1]));
    assert_eq!(answer["tiles"][0]["program"], json!("rod.csl"));
    let route = &answer["routes"]["0"][0];
    assert_eq!((&route["x"], &route["rx"], &route["tx"]), (&json!(0), &json!(["RAMP"]), &json!(["EAST"])));
}

const LAYOUT: &str = r#"
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "code/pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name("v", [*]f16, true);
  @export_name("n", [*]i16, false);
  @export_name("go", fn(i16)void);
  @export_name("spin", fn()void);
  @export_name("hold", fn()void);
}"#;

const PE: &str = r#"
param memcpy_params;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
const print = @import_module("<simprint>");
const more = @import_module("more.csl");
var v: [3]f16;
var n: [1]i16;
var v_ptr: [*]f16 = &v;
const n_ptr: [*]i16 = &n;
fn go(by: i16) void {
  n[0] = more.negative(by);
  v[0] = v[0] / v[1];
  print.print_string("gone\n");
  sys_mod.unblock_cmd_stream();
}
fn spin() void {
  while (true) { n[0] += 1; }
}
fn hold() void {}
comptime {
  @export_symbol(v_ptr, "v");
  @export_symbol(n_ptr, "n");
  @export_symbol(go);
  @export_symbol(spin);
  @export_symbol(hold);
}"#;

fn request(steps: &Value) -> Value {
    json!({
        "layout": "layout.csl", "memcpy": true, "max_cycles": 100_000, "steps": steps,
        "files": {
            "layout.csl": LAYOUT, "code/pe.csl": PE,
            "code/more.csl": "fn negative(x: i16) i16 { return -x; }",
        },
    })
}

#[test]
fn items_of_all_kinds_go_in_and_out() {
    let answer = ask(&request(&json!([
        { "h2d": "v", "type": "float16", "values": [1, 0, -0.5] },
        { "launch": "go", "arguments": [7] },
        { "d2h": "v" },
        { "d2h": "v", "type": "uint16", "per_pe": 1 },
        { "d2h": "n" },
    ])));
    assert_eq!(answer["done"], json!(true), "{answer}");
    let values = |number: usize| &answer["arrays"][number]["values"];
    assert_eq!((values(0), values(1), values(2)), (&json!(["inf", 0.0, -0.5]), &json!([0x7c00]), &json!([-7])));
    assert!(answer["prints"].as_str().is_some_and(|text| text.contains("gone")), "{answer}");
    assert_eq!(answer["step_cycles"].as_array().map(Vec::len), Some(5));
}

#[test]
fn mistakes_of_a_program_are_findings_with_their_place() {
    let mut asked = request(&json!([]));
    asked["files"]["code/pe.csl"] = json!(PE.replace("-x", "y").replace("v[0] / v[1]", "w"));
    let answer = ask(&asked);
    assert_eq!((&answer["done"], &answer["size"]), (&json!(false), &Value::Null));
    let place = &answer["findings"][0]["spans"][0];
    assert_eq!((&place["file"], &place["line"]), (&json!("code/pe.csl"), &json!(12)), "{answer}");
    assert!(answer["diagnostics"].as_str().is_some_and(|text| text.contains("code/pe.csl:12")), "{answer}");
}

#[test]
fn a_file_that_is_missing_is_named_with_those_that_are_there() {
    let mut asked = request(&json!([]));
    asked["files"].as_object_mut().expect("there are files").remove("code/more.csl");
    let text = ask(&asked)["diagnostics"].to_string();
    assert!(text.contains("there is no file more.csl; there are code/pe.csl, layout.csl"), "{text}");
}

#[test]
fn a_run_that_does_not_end_is_ended_with_a_report() {
    // A function that goes on behind the last step is a warning, one that a step waits for an error.
    for (function, steps) in [
        ("spin", json!([{ "launch": "spin" }])),
        ("spin", json!([{ "launch": "spin" }, { "d2h": "n" }])),
        ("hold", json!([{ "launch": "hold" }])),
        ("hold", json!([{ "launch": "hold" }, { "d2h": "n" }])),
    ] {
        let answer = ask(&request(&steps));
        assert_eq!(answer["done"], json!(false), "{answer}");
        let report =
            if steps.as_array().is_some_and(|steps| steps.len() > 1) { &answer["error"] } else { &answer["log"] };
        assert!(report.to_string().contains(function), "{answer}");
        assert!(function != "spin" || answer["cycles"] == json!(100_000), "{answer}");
    }
}

#[test]
fn mistakes_of_a_request_are_named() {
    let cases = [
        (json!({}), "missing field `layout`"),
        (json!({ "layout": "x", "archs": 1 }), "unknown field `archs`"),
        (json!({ "layout": "x", "arch": "wse9" }), "`wse9` is not one of wse2, wse3"),
        (json!({ "layout": "x", "params": "n" }), "params: "),
        (json!({ "layout": "x", "channels": 99 }), "memcpy takes 1 to 16, not 99"),
    ];
    for (asked, text) in cases {
        let answer = ask(&asked);
        assert!(answer["error"].as_str().is_some_and(|error| error.contains(text)), "{asked}: {answer}");
    }
    let steps = [
        (json!({ "h2d": "v", "type": "float9", "values": [1] }), "`float9` is no type"),
        (json!({ "h2d": "w", "values": [1] }), "w"),
        (json!({ "h2d": "n", "type": "int16", "values": [40_000] }), "40000 is no whole number"),
        (json!({ "h2d": "n", "type": "uint16", "values": [0.5] }), "0.5 is no whole number"),
        (json!({ "launch": "go", "arguments": ["1"] }), "arguments are numbers"),
        (json!({ "launch": "go" }), "go"),
        (json!({ "d2h": "go" }), "a function cannot be copied"),
    ];
    for (step, text) in steps {
        let answer = ask(&request(&json!([step])));
        assert_eq!(answer["done"], json!(false), "{step}");
        assert!(answer["error"].as_str().is_some_and(|error| error.contains(text)), "{step}: {answer}");
    }
}
