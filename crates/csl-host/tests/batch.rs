//! Runs without a host program, and core files.

use std::path::Path;

use csl_host::batch::{Step, parse_copy, parse_launch, run};
use csl_host::core_file::Core;
use csl_host::{Argument, HostError, LogKinds, Options, Runtime, Settings, compile, read_image};
use csl_num::FloatKind;

use crate::program;

fn step(text: &str) -> Step {
    let (option, rest) = text.split_once(' ').expect("an option and its value");
    match option {
        "h2d" => Step::H2d(parse_copy(rest).expect("a right copy")),
        "d2h" => Step::D2h(parse_copy(rest).expect("a right copy")),
        _ => {
            parse_launch(rest).map(|(function, arguments)| Step::Launch { function, arguments }).expect("a right call")
        }
    }
}

fn opened(folder: &Path) -> Runtime {
    let done = compile(&program::options(folder));
    assert!(done.succeeded(), "{}", program::text(&done));
    Runtime::open(&folder.join("out"), Settings::new(1)).expect("it was compiled")
}

/// Runs the steps, with `DIR` standing for the folder; the messages, or the error that ended the run.
fn done(folder: &Path, steps: &[&str]) -> Result<Vec<String>, String> {
    let at = |text: &&str| step(&text.replace("DIR", &folder.display().to_string()));
    let steps: Vec<Step> = steps.iter().map(at).collect();
    let mut said = Vec::new();
    run(&mut opened(folder), &steps, |text| said.push(text.to_owned())).map_err(|error| error.to_string())?;
    Ok(said)
}

/// An array of f32 as a `.npy` file.
fn save(path: &Path, values: &[f32], shape: &str) {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    std::fs::write(path, bytes).expect("the folder is writable");
}

/// Header and items of such a file.
fn load(path: &Path) -> (String, Vec<f32>) {
    let bytes = std::fs::read(path).expect("it was written");
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let items = bytes[end..].chunks(4).map(|item| f32::from_le_bytes(item.try_into().expect("items of four bytes")));
    (String::from_utf8_lossy(&bytes[10..end]).trim_end().to_owned(), items.collect())
}

#[test]
fn symbols_go_in_functions_run_symbols_come_out() {
    let folder = program::folder();
    let values: Vec<f32> = (0..24).map(|i| i as f32).collect();
    save(&folder.path().join("v.npy"), &values, "(2, 3, 4)");
    let said = done(
        folder.path(),
        &["h2d v=DIR/v.npy", "launch scale:2.5,1", "d2h v=DIR/all.npy", "d2h v=DIR/one.npy:float32:2@1,1,2,1"],
    );
    assert_eq!(said.as_ref().map(Vec::len), Ok(4), "{said:?}");
    let (header, items) = load(&folder.path().join("all.npy"));
    assert_eq!(header, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }");
    assert_eq!(items, values.iter().map(|value| value * 2.5).collect::<Vec<f32>>());
    let (header, items) = load(&folder.path().join("one.npy"));
    assert!(header.contains("'shape': (1, 2, 2)"), "{header}");
    assert_eq!(items, [16.0, 17.0, 20.0, 21.0].map(|value: f32| value * 2.5));
}

#[test]
fn sixteen_bit_floats_are_shown_in_the_format_of_the_program() {
    const PE: &str = "
param memcpy_params;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
var x = [3]@fp16() { 1.5, -6.0, 65536.0 };
var x_ptr: [*]@fp16() = &x;
comptime { @export_symbol(x_ptr, \"x\"); }
";
    const LAYOUT: &str = "
const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name(\"x\", [*]@fp16(), true);
}
";
    for (fp16, shown) in [(FloatKind::Bf16, "x: 1.5 -6 65536"), (FloatKind::Cb16, "x: 1.5 -6 65536")] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::write(folder.path().join("layout.csl"), LAYOUT).expect("the folder is writable");
        std::fs::write(folder.path().join("pe.csl"), PE).expect("the folder is writable");
        let done = compile(&Options { fp16, ..program::options(folder.path()) });
        assert!(done.succeeded(), "{}", program::text(&done));
        let mut runtime = Runtime::open(&folder.path().join("out"), Settings::new(1)).expect("it was compiled");
        let file = folder.path().join("x.npy");
        let mut said = Vec::new();
        let steps = [step("d2h x=-"), step(&format!("d2h x={}", file.display()))];
        run(&mut runtime, &steps, |text| said.push(text.to_owned())).expect("right steps");
        assert_eq!(said.first().map(String::as_str), Some(shown), "{fp16:?}");
        let written = std::fs::read(&file).expect("it was written");
        assert!(String::from_utf8_lossy(&written).contains("'descr': '<u2'"), "numpy does not know {fp16:?}");
    }
}

#[test]
fn wrong_steps_are_named() {
    let folder = program::folder();
    save(&folder.path().join("v.npy"), &[1.0; 5], "(5,)");
    let of_ints = std::fs::read(folder.path().join("v.npy")).expect("it was written");
    let at = of_ints.windows(3).position(|part| part == b"<f4").expect("the type of its items");
    let of_ints = [&of_ints[..at], b"<i4", &of_ints[at + 3..]].concat();
    std::fs::write(folder.path().join("ints.npy"), of_ints).expect("the folder is writable");
    for (name, descr) in [
        ("f64", "'<f8'"),
        ("i64", "'<i8'"),
        ("bytes", "'|u1'"),
        ("bool", "'|b1'"),
        ("struct", "[('a', '<f4'), ('b', '<f4')]"),
    ] {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (5,), }}\n");
        let length = u16::try_from(header.len()).expect("it is short").to_le_bytes();
        let file = [b"\x93NUMPY\x01\0".as_slice(), &length, header.as_bytes(), &[0; 40]].concat();
        std::fs::write(folder.path().join(format!("{name}.npy")), file).expect("the folder is writable");
    }
    for (step, part) in [
        ("h2d v=DIR/none.npy", "none.npy: "),
        ("h2d v=DIR/v.npy", "5 items cannot be dealt out to 3 x 2 PEs"),
        ("h2d v=DIR/v.npy:uint16", "its items are float32, and v takes uint16: convert the file"),
        ("h2d v=DIR/ints.npy", "its items are int32, and v takes float32: convert the file, or copy the bits"),
        (
            "h2d v=DIR/f64.npy",
            "its items are float64, and v takes float32: convert the file, as numpy's astype() does; items",
        ),
        (
            "h2d v=DIR/i64.npy",
            "its items are int64, and v takes float32: convert the file, as numpy's astype() does; items",
        ),
        (
            "h2d v=DIR/bytes.npy",
            "its items are uint8, and v takes float32: convert the file, as numpy's astype() does; items",
        ),
        (
            "h2d v=DIR/bool.npy",
            "its items are bool, and v takes float32: convert the file, as numpy's astype() does; items",
        ),
        ("h2d v=DIR/struct.npy", "items of type \"[('a', '<f4'), ('b', '<f4')]\"; numbers of 2 or 4 bytes"),
        ("h2d v=DIR/ints.npy:int32", "5 items cannot be dealt out to 3 x 2 PEs"),
        ("h2d w=DIR/v.npy@0,0,1,1", "exports no symbol \"w\""),
        ("d2h v=DIR/out.npy@3,0,1,1", "reaches outside the program's 3 x 2 PEs"),
        ("d2h scale=DIR/out.npy", "a function cannot be copied"),
        ("launch scale", "takes 2 arguments, 0 given"),
    ] {
        let error = done(folder.path(), &[step]).expect_err("a wrong step");
        assert!(error.contains(part), "{step}: {error}");
    }
    for text in ["v", "=a.npy", "v=", "v=a.npy@1,2", "v=a.npy:float8", "v=a.npy:4:5"] {
        assert!(parse_copy(text).is_err(), "{text}");
    }
    let told = |text: &str| parse_copy(text).expect_err("too much");
    assert_eq!(told("v=a.npy:99999999999"), "`v=a.npy:99999999999`: no PE has memory for 99999999999 elements");
    assert!(told("v=a.npy@0,0,4294967296,1").ends_with("no program has as many PEs as the rectangle 0,0,4294967296,1"));
    assert_eq!(
        parse_launch("f:1,0x10,-2.5,true").map(|(_, arguments)| arguments),
        Ok(vec![Argument::Int(1), Argument::Int(16), Argument::Float(-2.5), Argument::Bool(true)])
    );
}

#[test]
fn a_core_file_holds_the_memory_of_its_run() {
    let folder = program::folder();
    let mut runtime = opened(folder.path());
    save(&folder.path().join("v.npy"), &[3.0; 4], "(4,)");
    let copy = step(&format!("h2d v={}@2,1,1,1", folder.path().join("v.npy").display()));
    run(&mut runtime, &[copy], |_| {}).expect("a right step");
    let file = folder.path().join("corefile.cs1");
    runtime.dump_core(&file).expect("the folder is writable");
    // The newer one is another file, put in the place of the first when it is whole.
    let first = folder.path().join("first.cs1");
    std::fs::hard_link(&file, &first).expect("the folder is writable");
    runtime.dump_core(&file).expect("a core file gives way to a newer one");
    assert_eq!(std::fs::read(&first).expect("it stays"), std::fs::read(&file).expect("it was written"));
    std::fs::write(&first, "").expect("the folder is writable");
    assert!(std::fs::metadata(&file).is_ok_and(|file| file.len() > 0), "both names are of one file");
    let names = std::fs::read_dir(folder.path()).expect("it is there").flatten().map(|entry| entry.file_name());
    assert!(
        names.into_iter().all(|name| !name.to_string_lossy().starts_with(".corefile")),
        "nothing is left beside it"
    );
    // A link to a file that is not there yet makes that file.
    #[cfg(unix)]
    {
        let link = folder.path().join("link.cs1");
        std::os::unix::fs::symlink("behind.cs1", &link).expect("the folder is writable");
        runtime.dump_core(&link).expect("the folder is writable");
        let behind = std::fs::read(folder.path().join("behind.cs1")).expect("it was written");
        assert_eq!(behind, std::fs::read(&file).expect("it was written"));
        assert!(link.is_symlink());
    }
    // The name leaves no room for that of a file beside it.
    let long = folder.path().join("c".repeat(250));
    runtime.dump_core(&long).expect("the name fits");
    let script = folder.path().join("run.py");
    std::fs::write(&script, "print()").expect("the folder is writable");
    let refused = runtime.dump_core(&script).expect_err("a file of the user stays").to_string();
    assert!(refused.ends_with("run.py: this file is there already and is no core file of Waferlab; give another name"));
    assert_eq!(std::fs::read_to_string(&script).expect("it stays"), "print()");
    let image = || read_image(&folder.path().join("out")).expect("it was compiled");
    let mut core = Core::open(&file, image()).expect("it was written");
    assert_eq!(core.read_symbol(6, 2, "v").expect("it is there"), [3.0f32; 4].map(f32::to_le_bytes).concat());
    assert_eq!(core.read_symbol(4, 1, "v").expect("it is there"), [0; 16], "a PE that the run has not touched");
    assert!(core.read_symbol(0, 0, "v").is_err());
    let bytes = std::fs::read(&file).expect("it was written");
    for end in 0..bytes.len() {
        std::fs::write(&file, &bytes[..end]).expect("the folder is writable");
        assert!(Core::open(&file, image()).is_err(), "{end}");
    }
}

/// The error of a log that cannot be written is told at the end of the run, beside the run's own, which comes first.
#[test]
fn a_log_that_cannot_be_written_hides_no_other_error() {
    let folder = program::folder();
    let log = folder.path().join("sim.log");
    std::fs::create_dir(&log).expect("the folder is writable");
    let mut plain = opened(folder.path());
    plain.log_to(log.clone(), LogKinds::default());
    let error = run(&mut plain, &[], |_| {}).expect_err("a folder is no log");
    assert!(matches!(&error, HostError::Unwritable { path, .. } if *path == log), "{error}");

    for (launch, is_right) in [("launch hold", true), ("launch nothing", false)] {
        let mut limited = opened(folder.path());
        limited.log_to(log.clone(), LogKinds::default());
        limited.limit_cycles(5);
        let error = run(&mut limited, &[step(launch)], |_| {}).expect_err("the run does not end well");
        assert_eq!(matches!(error, HostError::Failed { .. }), is_right, "{error}");
        assert_eq!(matches!(error, HostError::Name(_)), !is_right, "{error}");
        let warnings = limited.take_warnings();
        let of_log = warnings.iter().filter(|text| text.starts_with("the log is not whole: ")).count();
        assert_eq!(of_log, 1, "{warnings:?}");
    }
}
