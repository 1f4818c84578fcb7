//! The C interface: its header is as the sources say, its examples run from C and C++, what C gives wrongly is refused.

#![allow(unsafe_code, reason = "the calls of C are unsafe to make")]

use std::ffi::{CStr, CString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::ptr::{null, null_mut};

use tempfile::TempDir;
use waferlab::{Options, compile};
use waferlab_c::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_header_is_as_the_sources_say() {
    let config = cbindgen::Config::from_file(folder("cbindgen.toml")).expect("its configuration is right");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in ["src/values.rs", "src/handle.rs", "src/lib.rs"] {
        builder = builder.with_src(folder(source));
    }
    let mut made = Vec::new();
    builder.generate().expect("the sources have an interface").write(&mut made);
    let made = String::from_utf8(made).expect("a header is text");
    let header = folder("include/waferlab.h");
    if std::env::var_os("WAFERLAB_HEADER_UPDATE").is_some() {
        fs::write(&header, &made).expect("the header is writable");
    }
    let there = fs::read_to_string(header).unwrap_or_default();
    assert_eq!(there, made, "`WAFERLAB_HEADER_UPDATE=1 cargo test -p waferlab-c` makes it anew");
}

/// Compiles the program of the examples.
fn program(folder: &TempDir) -> PathBuf {
    let params = [("width", "5"), ("n", "8")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let options = Options {
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("../waferlab/examples/dot"),
        output: folder.path().join("out"),
        params: params.to_vec(),
        memcpy: true,
        ..Options::new("layout.csl")
    };
    compile(&options).expect("the program is right").folder
}

/// The folder of the built libraries.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a file");
    test.parent().expect("it lies in a folder").to_owned()
}

/// Compiles an example with a compiler, runs it on the program's output folder, and gives what it prints.
fn example(compiler: &str, source: &str, words: &[&str]) -> String {
    let temporary = TempDir::new().expect("a temporary folder");
    let binary = temporary.path().join("example");
    let libraries = built();
    let mut cc = Command::new(compiler);
    cc.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"]).arg("-I").arg(folder("include"));
    cc.arg(folder("examples").join(source)).arg("-o").arg(&binary).arg("-L").arg(&libraries).args(words);
    succeed(cc.arg(format!("-Wl,-rpath,{}", libraries.display())).output());
    succeed(Command::new(binary).arg(program(&temporary)).output())
}

fn succeed(done: std::io::Result<Output>) -> String {
    let done = done.expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}{err}");
    assert_eq!(err, "", "no warnings");
    out.into_owned()
}

// `cc` is there wherever these tests could be built: it links Rust's programs.
#[cfg(unix)]
#[test]
fn the_example_runs_from_c() {
    let printed = example("cc", "dot.c", &["-std=c99", "-lwaferlab_c"]);
    let (print, sum) = printed.trim_end().split_once('\n').expect("two lines");
    assert!(print.starts_with('@') && print.ends_with(" the sum is there"), "{print}");
    assert!(sum.starts_with("5 in ") && sum.ends_with(" cycles"), "{sum}");
}

/// The libraries behind `-l:` are those that `cargo rustc -p waferlab-c --crate-type staticlib -- --print native-static-libs` names.
#[cfg(target_os = "linux")]
#[test]
fn the_example_runs_with_the_static_library() {
    let words = ["-std=c99", "-l:libwaferlab_c.a", "-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];
    let printed = example("cc", "dot.c", &words);
    assert!(printed.contains("\n5 in "), "{printed}");
}

#[cfg(unix)]
#[test]
fn the_example_runs_from_cpp() {
    if Command::new("c++").arg("--version").output().is_err() {
        return println!("not run: there is no c++");
    }
    let printed = example("c++", "dot.cpp", &["-std=c++17", "-lwaferlab_c"]);
    assert_eq!(printed, "5, 5 expected\n");
}

/// What stands around the lines of the book's page.
const HEAD: &str = "#include <stddef.h>\n#include \"waferlab.h\"\nvoid check(waferlab_status);\nvoid page(float *first);\nvoid page(float *first) {\nfloat found;\n";

#[cfg(unix)]
#[test]
fn the_page_of_the_book_compiles() {
    let page = folder("../../docs/book/src/howto/rust-and-c.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let (_, fence) = page.split_once("\n```c\n").expect("the page has a program in C");
    let (lines, _) = fence.split_once("\n```").expect("a fence ends");
    let temporary = TempDir::new().expect("a temporary folder");
    let source = temporary.path().join("page.c");
    fs::write(&source, format!("{HEAD}{lines}\n}}\n")).expect("the folder is writable");
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"]).arg(folder("include")).arg(source);
    succeed(cc.output());
}

fn told() -> String {
    let text = waferlab_last_error();
    // SAFETY: it ends with a zero, and no call comes between.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

fn c(text: &str) -> CString {
    CString::new(text).expect("no zero is in it")
}

fn opened(program: &Path) -> *mut WaferlabRuntime {
    let mut runtime = null_mut();
    let folder = c(program.to_str().expect("its name is text"));
    // SAFETY: the text ends with a zero, and there is a place for the handle.
    assert_eq!(unsafe { waferlab_open(folder.as_ptr(), 0, &raw mut runtime) }, WaferlabStatus::Ok, "{}", told());
    runtime
}

fn copy(width: u32, elements_per_pe: u32) -> WaferlabCopy {
    WaferlabCopy {
        x: 0,
        y: 0,
        width,
        height: 1,
        elements_per_pe,
        data_type: WAFERLAB_32BIT,
        order: WAFERLAB_ROW_MAJOR,
        spread: WAFERLAB_EACH,
        streaming: 0,
        column_step: 0,
        row_step: 0,
    }
}

#[test]
fn what_is_wrong_is_refused_and_told() {
    let temporary = TempDir::new().expect("a temporary folder");
    let program = program(&temporary);
    let mut none = null_mut();
    let nowhere = c("nowhere");
    // SAFETY: pointers are null or lead to what the calls want.
    unsafe {
        assert_eq!(waferlab_open(null(), 1, &raw mut none), WaferlabStatus::Argument);
        assert_eq!(told(), "folder is null");
        assert_eq!(waferlab_open(nowhere.as_ptr(), 1, null_mut()), WaferlabStatus::Argument);
        assert_eq!(waferlab_open(c"\xff".as_ptr(), 1, &raw mut none), WaferlabStatus::Argument);
        assert_eq!(told(), "folder is not UTF-8");
        assert_eq!(waferlab_open(nowhere.as_ptr(), 1, &raw mut none), WaferlabStatus::Other);
        assert!(told().starts_with("nowhere: there is no such folder"), "{}", told());
        assert!(none.is_null());
        assert_eq!(waferlab_load(null_mut()), WaferlabStatus::Argument);
        assert_eq!(told(), "runtime is null");
        assert_eq!((waferlab_cycles(null()), *waferlab_take_prints(null_mut())), (0, 0));
        waferlab_close(null_mut());

        let wafer = opened(&program);
        assert_eq!(waferlab_run(wafer), WaferlabStatus::Other);
        assert_eq!(told(), "run() can be called once, after load()");
        assert_eq!(waferlab_limit_cycles(wafer, 1 << 40), WaferlabStatus::Ok);
        assert_eq!(waferlab_load(wafer), WaferlabStatus::Ok);
        let late = "comes before load(): now that the program is loaded it has no effect";
        assert_eq!(waferlab_limit_cycles(wafer, 7), WaferlabStatus::Other);
        assert_eq!(told(), format!("limit_cycles() {late}"));
        assert_eq!(waferlab_log_to(wafer, nowhere.as_ptr()), WaferlabStatus::Other);
        assert_eq!(told(), format!("log_to() {late}"));
        assert!(!Path::new("nowhere").exists());
        assert_eq!(waferlab_run(wafer), WaferlabStatus::Ok);
        let mut id = 0;
        assert_eq!(waferlab_get_id(wafer, c"nothing".as_ptr(), &raw mut id), WaferlabStatus::Argument);
        assert!(told().starts_with("the program exports no symbol \"nothing\"; it exports "), "{}", told());
        assert_eq!(waferlab_get_id(wafer, c"a".as_ptr(), &raw mut id), WaferlabStatus::Ok);

        let mut given = [1f32; 40];
        let array = given.as_mut_ptr().cast();
        let refused = |array, items, copy: &WaferlabCopy| {
            assert_eq!(waferlab_memcpy_h2d(wafer, id, array, items, copy, null_mut()), WaferlabStatus::Argument);
            told()
        };
        let all = copy(5, 8);
        assert_eq!(refused(null_mut(), 40, &all), "array is null");
        assert_eq!(refused(array, usize::MAX, &all), format!("no array has {} items", usize::MAX));
        let short = "memcpy_h2d: 5 x 1 PEs with 8 elements each are 40 items, but the host array has 39";
        assert_eq!(refused(array, 39, &all), short);
        assert!(refused(array, 40, &WaferlabCopy { order: 7, ..all }).starts_with("copy.order is neither"));
        assert!(refused(array, 40, &WaferlabCopy { data_type: 7, ..all }).starts_with("copy.data_type is neither"));
        assert!(refused(array, 40, &WaferlabCopy { spread: 7, ..all }).starts_with("copy.spread is none of"));
        assert!(refused(array, 40, &WaferlabCopy { streaming: 7, ..all }).starts_with("copy.streaming is neither"));
        assert!(refused(array, 40, &WaferlabCopy { x: 1, ..all }).contains("reaches outside"));
        assert_eq!(waferlab_memcpy_h2d(wafer, id, array, 40, null(), null_mut()), WaferlabStatus::Argument);
        assert_eq!(waferlab_memcpy_d2h(wafer, array, 39, id, &raw const all, null_mut()), WaferlabStatus::Argument);
        assert_eq!(told(), "the copy has 40 items, the array has room for 39");
        let huge = WaferlabCopy { width: u32::MAX, height: u32::MAX, elements_per_pe: u32::MAX, ..all };
        assert_eq!(waferlab_memcpy_d2h(wafer, array, 40, id, &raw const huge, null_mut()), WaferlabStatus::Argument);

        let bad = [WaferlabArgument { kind: 99, bits: 0 }];
        let launch = |arguments, count| waferlab_launch(wafer, c"dot".as_ptr(), arguments, count, null_mut());
        assert_eq!(launch(bad.as_ptr(), 1), WaferlabStatus::Argument);
        assert_eq!(told(), "an argument was not made by waferlab_f32 or its like");
        assert_eq!(launch(null(), 1), WaferlabStatus::Argument);
        assert_eq!(launch(null(), 0), WaferlabStatus::Argument);
        assert_eq!(told(), "launch: dot(f32) takes 1 argument, 0 given");
        assert_eq!(launch([waferlab_i16(3)].as_ptr(), 1), WaferlabStatus::Argument);
        assert_eq!(waferlab_wait(wafer, 99), WaferlabStatus::Argument);
        assert_eq!(told(), "the task is not one of this runtime");
        assert_eq!(waferlab_cycles(wafer), 0, "nothing has moved");
        waferlab_close(wafer);
    }
}

#[test]
fn arrays_are_written_by_the_call_that_waits() {
    let temporary = TempDir::new().expect("a temporary folder");
    let wafer = opened(&program(&temporary));
    let (mut id, mut task, mut done) = (0, 0, false);
    let given: Vec<f32> = (0u8..40).map(f32::from).collect();
    let (mut by_wait, mut by_asking, mut by_stop) = ([0f32; 40], [0f32; 40], [0f32; 40]);
    let all = copy(5, 8);
    // SAFETY: pointers lead to what the calls want, and arrays stay until the run is stopped.
    unsafe {
        assert_eq!(waferlab_load(wafer), WaferlabStatus::Ok);
        assert_eq!(waferlab_run(wafer), WaferlabStatus::Ok);
        assert_eq!(waferlab_get_id(wafer, c"a".as_ptr(), &raw mut id), WaferlabStatus::Ok);
        let sent = waferlab_memcpy_h2d(wafer, id, given.as_ptr().cast(), 40, &raw const all, &raw mut task);
        assert_eq!(sent, WaferlabStatus::Ok);
        for array in [&mut by_wait, &mut by_asking, &mut by_stop] {
            let asked = waferlab_memcpy_d2h(wafer, array.as_mut_ptr().cast(), 40, id, &raw const all, &raw mut task);
            assert_eq!(asked, WaferlabStatus::Ok);
        }
        assert_eq!(by_wait, [0f32; 40]);
        assert_eq!(waferlab_wait(wafer, task - 2), WaferlabStatus::Ok);
        assert_eq!((by_wait.as_slice(), by_asking, by_stop), (given.as_slice(), [0f32; 40], [0f32; 40]));
        while !done {
            assert_eq!(waferlab_is_done(wafer, task - 1, &raw mut done), WaferlabStatus::Ok);
        }
        assert_eq!((by_asking.as_slice(), by_stop), (given.as_slice(), [0f32; 40]));
        assert_eq!(waferlab_stop(wafer), WaferlabStatus::Ok);
        assert_eq!(by_stop.as_slice(), given.as_slice());
        let mut read = [0f32; 8];
        let place = read.as_mut_ptr().cast();
        assert_eq!(waferlab_read_symbol(wafer, 4, 0, c"a".as_ptr(), place, 32), WaferlabStatus::Ok);
        assert_eq!(read.as_slice(), &given[32..]);
        assert_eq!(waferlab_read_symbol(wafer, 4, 0, c"a".as_ptr(), place, 33), WaferlabStatus::Argument);
        assert_eq!(told(), "a has 32 bytes, not 33");
        waferlab_close(wafer);
    }
}
