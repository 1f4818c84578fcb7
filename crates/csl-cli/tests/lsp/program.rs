//! The program of the tests: a layout, a PE's program, a module of it, a host program and its script.

use std::fs;

use tempfile::TempDir;

pub const LAYOUT: &str = r#"// Two PEs.
param n: u16;
const c: color = @get_color(9);
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 2, .height = 1 });
layout {
  @set_rectangle(2, 1);
  for (@range(u16, 2)) |x| {
    @set_tile_code(x, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(x), .size = n, .stream = c });
  }
  @set_color_config(0, 0, c, .{ .routes = .{ .rx = .{RAMP}, .tx = .{EAST} } });
  @set_color_config(1, 0, c, .{ .routes = .{ .rx = .{WEST}, .tx = .{RAMP} } });
  @export_name("values", [*]f32, true);
  @export_name("scale", fn(f32)void);
}
"#;

pub const PE: &str = r#"param memcpy_params;
param size: u16;
param stream: color;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
const math = @import_module("<math>");
const tools = @import_module("tools.csl", .{ .factor = 3 });

const Point = struct { across: i16, down: i16 };
const Side = enum(u16) { LEFT = 3, RIGHT = 5 };
const total = size * 2;
const queue = @get_input_queue(2);
var values = @zeros([size]f32);
var values_ptr: [*]f32 = &values;
const values_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{size} -> values[i] });

/// Multiplies all values.
fn scale(by: f32) void {
  // Über 😀: columns count units of UTF-16.
  var point = Point{ .across = 1, .down = 2 };
  const half = by / 2.0;
  for (@range(u16, size)) |at| {
    values[at] = values[at] * half + math.sqrt(by);
  }
  point.across += tools.times(2);
  @fmuls(values_dsd, values_dsd, by);
  if (Side.LEFT == Side.RIGHT) { helper(point.down); }
  helper(point.across);
  sys_mod.unblock_cmd_stream();
}

fn helper(count: i16) void {
  if (total == 0) { return; }
  var left = count;
  while (left > 0) : (left -= 1) { values[0] += 1.0; }
}

comptime {
  // waferlab: allow(W1005)
  @initialize_queue(queue, .{ .color = stream });
  @export_symbol(values_ptr, "values");
  @export_symbol(scale);
}
"#;

pub const TOOLS: &str = "param factor: i16;\n\n// As often as the importer says.\nfn times(count: i16) i16 {\n  return count * factor;\n}\n";

pub const HOST: &str = "from cerebras.sdk.runtime.sdkruntimepybind import SdkRuntime\nrunner = SdkRuntime('out')\n\
                        symbol = runner.get_id('values')\nrunner.launch('scale', 2.0, nonblock=False)\n";

pub const SCRIPT: &str = "#!/usr/bin/env bash\nset -e\ncslc ./layout.csl --arch=wse2 --fabric-dims=9,3 \\\n  --fabric-offsets=4,1 \
                          --params=n:4 -o out --memcpy --channels=1\ncs_python run.py --name out\n";

/// A program with tasks: for the WSE-2, where a data task has the number of its color.
pub const TASK_LAYOUT: &str = r#"const c: color = @get_color(9);
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 2, .height = 1 });
layout {
  @set_rectangle(2, 1);
  @set_tile_code(0, 0, "left.csl", .{ .memcpy_params = memcpy.get_params(0), .stream = c });
  @set_tile_code(1, 0, "right.csl", .{ .memcpy_params = memcpy.get_params(1), .stream = c });
  @set_color_config(0, 0, c, .{ .routes = .{ .rx = .{RAMP}, .tx = .{EAST} } });
  @set_color_config(1, 0, c, .{ .routes = .{ .rx = .{WEST}, .tx = .{RAMP} } });
  @export_name("begin", fn()void);
}
"#;

pub const LEFT: &str = r#"param memcpy_params;
param stream: color;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
const first_id = @get_local_task_id(8);
const second_id = @get_local_task_id(9);
const out = @get_dsd(fabout_dsd, .{ .extent = 1, .fabric_color = stream, .output_queue = @get_output_queue(2) });
var word: [1]u32;
const word_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{1} -> word[i] });

fn begin() void { wake(); }
fn wake() void { @activate(first_id); }
task first() void {
  @mov32(out, word_dsd, .{ .async = true, .activate = second_id });
}
task second() void { sys_mod.unblock_cmd_stream(); }

comptime {
  @bind_local_task(first, first_id);
  @bind_local_task(second, second_id);
  @export_symbol(begin);
}
"#;

pub const RIGHT: &str = r#"param memcpy_params;
param stream: color;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
var sum: u32 = 0;
task receive(word: u32) void { sum += word; }
fn begin() void { sys_mod.unblock_cmd_stream(); }

comptime {
  @bind_data_task(receive, @get_data_task_id(stream));
  @export_symbol(begin);
}
"#;

/// A folder with files.
pub fn folder_of(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("the folder is writable");
    }
    folder
}

/// A folder with the program.
pub fn folder() -> TempDir {
    folder_of(&[
        ("layout.csl", LAYOUT),
        ("pe.csl", PE),
        ("tools.csl", TOOLS),
        ("run.py", HOST),
        ("commands.sh", SCRIPT),
    ])
}
