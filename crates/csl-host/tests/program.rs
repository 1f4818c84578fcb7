//! Helpers that the tests share: compiling, starting and reading programs, and one program, a row of PEs that scale a
//! vector.

use std::path::Path;

use csl_host::{Argument, Compilation, Copy, HostError, Options, Rect, Runtime, Settings, compile};
use tempfile::TempDir;

const LAYOUT: &str = "
param width: u16;
const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = width, .height = 2 });
layout {
  @set_rectangle(width, 2);
  for (@range(u16, width)) |x| {
    for (@range(u16, 2)) |y| {
      @set_tile_code(x, y, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(x) });
    }
  }
  @export_name(\"v\", [*]f32, true);
  @export_name(\"h\", [*]i16, true);
  @export_name(\"fixed\", [*]f32, false);
  @export_name(\"scale\", fn(f32, i16)void);
  @export_name(\"divide\", fn(i16)void);
  @export_name(\"hold\", fn()void);
  @export_name(\"spin\", fn()void);
}
";

const PE: &str = "
param memcpy_params;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
var v = @zeros([4]f32);
var h = @zeros([4]i16);
var quotient: i16 = 0;
var v_ptr: [*]f32 = &v;
var h_ptr: [*]i16 = &h;
const fixed_ptr: [*]f32 = &v;
fn scale(factor: f32, add: i16) void {
  for (@range(i16, 4)) |i| {
    v[i] *= factor;
    h[i] += add;
  }
  sys_mod.unblock_cmd_stream();
}
fn divide(by: i16) void {
  quotient = 100 / by;
  sys_mod.unblock_cmd_stream();
}
fn hold() void {}
fn spin() void {
  while (true) { quotient += 1; }
}
comptime {
  @export_symbol(v_ptr, \"v\");
  @export_symbol(h_ptr, \"h\");
  @export_symbol(fixed_ptr, \"fixed\");
  @export_symbol(scale);
  @export_symbol(divide);
  @export_symbol(hold); // waferlab: allow(W0523)
  @export_symbol(spin); // waferlab: allow(W0523)
}
";

/// A folder with the program's sources.
pub fn folder() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("layout.csl"), LAYOUT).expect("the folder is writable");
    std::fs::write(folder.path().join("pe.csl"), PE).expect("the folder is writable");
    folder
}

/// The program on three columns and two rows.
pub fn options(folder: &Path) -> Options {
    Options {
        folder: folder.to_owned(),
        memcpy: true,
        fabric_dims: Some((10, 4).into()),
        fabric_offsets: Some((4, 1).into()),
        params: vec![("width".to_owned(), "3".to_owned())],
        ..Options::new("layout.csl")
    }
}

/// A program of these files, the first its layout, compiled with `memcpy` and running.
pub fn running_files(files: &[(&str, &str)], more: Options) -> (TempDir, Runtime) {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("the folder is writable");
    }
    let options = Options { folder: folder.path().to_owned(), memcpy: true, ..more };
    let runtime = started(&options);
    (folder, runtime)
}

/// A program compiled and running.
pub fn started(options: &Options) -> Runtime {
    let done = compile(options);
    assert!(done.succeeded(), "{}", text(&done));
    let settings = Settings::new(1);
    let output = options.folder.join(&options.output);
    let mut runtime = Runtime::open(&output, settings).expect("the program opens");
    runtime.load().expect("load() comes first");
    runtime.run().expect("run() comes second");
    runtime
}

/// Launches a function, and waits until every PE has begun it.
pub fn call(runtime: &mut Runtime, name: &str, arguments: &[Argument]) -> Result<(), HostError> {
    let task = runtime.launch(name, arguments).expect("the call is taken");
    runtime.wait(task)
}

/// `per_pe` words of a symbol of each PE of a rectangle, in row-major order.
pub fn read(runtime: &mut Runtime, symbol: &str, rect: Rect, per_pe: u32) -> Result<Vec<u32>, HostError> {
    let id = runtime.id(symbol).expect("the symbol is exported").into();
    let words = (rect.w * rect.h * per_pe) as usize;
    let copy = Copy::of(rect, per_pe);
    let task = runtime.d2h(id, words, &copy).expect("the copy is taken");
    runtime.wait(task)?;
    Ok(runtime.take_arrived().remove(0).1)
}

pub fn text(done: &Compilation) -> String {
    done.render(&csl_host::Rendering::default())
}

/// The program compiled and running.
pub fn running() -> (TempDir, Runtime) {
    let folder = folder();
    let runtime = started(&options(folder.path()));
    (folder, runtime)
}
