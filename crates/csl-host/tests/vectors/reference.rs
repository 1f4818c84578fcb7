//! The data of the cases and the result of each operation on one element, in plain CSL.

use csl_machine::VecOp;

/// The value of one element. Floats are small enough for every result to be exact in each format, so that an operation
/// that rounds once and an expression that rounds twice agree.
pub const EXPRESSIONS: &[(VecOp, &str)] = &[
    (VecOp::Add16, "a + b"),
    (VecOp::Addc16, "with_carry(a, b)"),
    (VecOp::And16, "a & b"),
    (VecOp::Clz, "leading_zeros(a)"),
    (VecOp::Ctz, "trailing_zeros(a)"),
    (VecOp::Fabsh, "if (a < 0.0) -a else a"),
    (VecOp::Fabss, "if (a < 0.0) -a else a"),
    (VecOp::Faddh, "a + b"),
    (VecOp::Faddhs, "@as(f32, a) + @as(f32, b)"),
    (VecOp::Fadds, "a + b"),
    (VecOp::Fh2s, "@as(f32, a)"),
    (VecOp::Fh2xp16, "nearest(@as(f32, a))"),
    (VecOp::Fmach, "a + b * c"),
    (VecOp::Fmachs, "a + @as(f32, b) * @as(f32, c)"),
    (VecOp::Fmacs, "a + b * c"),
    (VecOp::Fmaxh, "if (a > b) a else b"),
    (VecOp::Fmaxs, "if (a > b) a else b"),
    (VecOp::Fmovh, "a"),
    (VecOp::Fmovs, "a"),
    (VecOp::Fmulh, "a * b"),
    (VecOp::Fmuls, "a * b"),
    (VecOp::Fnegh, "-a"),
    (VecOp::Fnegs, "-a"),
    (VecOp::Fnormh, "@as(half, significand(@as(f32, a)))"),
    (VecOp::Fnorms, "significand(a)"),
    (VecOp::Fs2h, "@as(half, a)"),
    (VecOp::Fs2xp16, "nearest(a)"),
    (VecOp::Fscaleh, "@as(half, scaled(@as(f32, a), b))"),
    (VecOp::Fscales, "scaled(a, b)"),
    (VecOp::Fsubh, "a - b"),
    (VecOp::Fsubs, "a - b"),
    (VecOp::Mov16, "a"),
    (VecOp::Mov32, "a"),
    (VecOp::Or16, "a | b"),
    (VecOp::Popcnt, "ones(a)"),
    (VecOp::Sar16, "@bitcast(u16, @bitcast(i16, a) >> (b & 15))"),
    (VecOp::Sll16, "a << (b & 15)"),
    (VecOp::Slr16, "a >> (b & 15)"),
    (VecOp::Sub16, "a - b"),
    (VecOp::Xor16, "a ^ b"),
    (VecOp::Xp162fh, "@as(half, @bitcast(i16, a))"),
    (VecOp::Xp162fs, "@as(f32, @bitcast(i16, a))"),
];

/// Number, type and values of the sources. Shift counts are the second ones: none is above 15.
const DATA: &[(u8, &str, &str)] = &[
    (1, "u16", "0, 1, 0x8000, 0xffff, 0x0ff0, 0x7fff"),
    (2, "u16", "3, 15, 1, 0, 8, 5"),
    (1, "u32", "0, 1, 0x80000000, 0xffffffff, 0x12345678, 0x7fff"),
    (1, "half", "0.0, 1.0, -2.0, 0.5, -1.5, 3.0"),
    (2, "half", "1.5, 0.5, -1.0, 0.0, 2.0, -0.5"),
    (1, "f32", "0.0, 1.0, -2.0, 0.5, -1.5, 3.0"),
    (2, "f32", "1.5, 0.5, -1.0, 0.0, 2.0, -0.5"),
];

/// Source `k` of type T is `xk_T` (six elements), `wk_T` (every second of 13) and `mk_T` (2 by 3, read by columns), with a
/// DSD `.._dsd` of each; `rk_T_dsd` goes around in the first four elements of `xk_T`.
pub fn data() -> String {
    let one = |&(k, ty, values): &(u8, &str, &str)| {
        format!(
            "var x{k}_{ty} = [6]{ty}{{ {values} }};
var w{k}_{ty} = spread({ty}, [6]{ty}{{ {values} }});
var m{k}_{ty} = square({ty}, [6]{ty}{{ {values} }});
const x{k}_{ty}_dsd = @get_dsd(mem1d_dsd, .{{ .tensor_access = |i|{{6}} -> x{k}_{ty}[i] }});
const w{k}_{ty}_dsd = @get_dsd(mem1d_dsd, .{{ .tensor_access = |i|{{6}} -> w{k}_{ty}[2 * i + 1] }});
const m{k}_{ty}_dsd = @get_dsd(mem4d_dsd, .{{ .tensor_access = |i, j|{{3, 2}} -> m{k}_{ty}[j, i] }});
const r{k}_{ty}_dsd = @get_dsd(circbuf_dsd, .{{ .base_address = &x{k}_{ty}, .extent = 6, .wraparound = 4 }});
"
        )
    };
    DATA.iter().map(one).collect()
}

/// Declarations that all programs share; the scalar source `k` of type T is `vk_T`.
pub const DECLARATIONS: &str = "
const half = @fp16();
const c = @get_color(3);
const d = @get_color(4);
const in_queue = @get_input_queue(3);
const out_queue = @get_output_queue(3);
const more_in = @get_input_queue(4);
const more_out = @get_output_queue(4);
const to_fabric = @get_dsd(fabout_dsd, .{ .extent = 6, .fabric_color = c, .output_queue = out_queue });
const from_fabric = @get_dsd(fabin_dsd, .{ .extent = 6, .fabric_color = c, .input_queue = in_queue });
const to_more = @get_dsd(fabout_dsd, .{ .extent = 6, .fabric_color = d, .output_queue = more_out });
const from_more = @get_dsd(fabin_dsd, .{ .extent = 6, .fabric_color = d, .input_queue = more_in });
comptime {
  @initialize_queue(in_queue, .{ .color = c });
  @initialize_queue(more_in, .{ .color = d });
  @initialize_queue(out_queue, if (@is_arch(\"wse3\")) .{ .color = c } else .{});
  @initialize_queue(more_out, if (@is_arch(\"wse3\")) .{ .color = d } else .{});
  @set_local_color_config(c, .{ .routes = .{ .rx = .{RAMP}, .tx = .{RAMP} } });
  @set_local_color_config(d, .{ .routes = .{ .rx = .{RAMP}, .tx = .{RAMP} } });
}

const dest_dsr = @get_dsr(dsr_dest, 3);
const dest_src0 = @get_dsr(dsr_src0, 4);
const dsr1 = @get_dsr(dsr_src0, 3);
const dsr2 = @get_dsr(dsr_src1, 3);
const dest_xdsr = @get_xdsr(1);
const xdsr1 = @get_xdsr(2);
const xdsr2 = @get_xdsr(3);
const sr1 = @get_sr(1);
const sr2 = @get_sr(2);

var room_16 = @zeros([8]u16);
var room_32 = @zeros([8]u32);
const fifo_16 = @allocate_fifo(room_16);
const fifo_32 = @allocate_fifo(room_32);

var v1_i16: i16 = -32767;
var v2_i16: i16 = 7;
var v1_u16: u16 = 0xf00f;
var v2_u16: u16 = 4;
var v1_i32: i32 = -2;
var v1_u32: u32 = 0x87654321;
var v1_half: half = 2.5;
var v2_half: half = -0.5;
var v3_half: half = -1.5;
var v1_f32: f32 = 2.5;
var v2_f32: f32 = -0.5;
var v3_f32: f32 = -1.5;

fn spread(comptime T: type, a: [6]T) [13]T {
  var all = @zeros([13]T);
  for (@range(u16, 6)) |i| { all[2 * i + 1] = a[i]; }
  return all;
}
fn square(comptime T: type, a: [6]T) [2, 3]T {
  var all = @zeros([2, 3]T);
  for (@range(u16, 6)) |i| { all[i % 2, i / 2] = a[i]; }
  return all;
}

var got = @zeros([12]D);
var got_m = @zeros([2, 3]D);
var want = @zeros([6]D);
var one: D = 0;
const got_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{6} -> got[i] });
const got_w_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{6} -> got[2 * i] });
const got_m_dsd = @get_dsd(mem4d_dsd, .{ .tensor_access = |i, j|{3, 2} -> got_m[j, i] });
const got_ring = @get_dsd(circbuf_dsd, .{ .base_address = &got, .extent = 6, .wraparound = 4 });

fn bits(x: D) bits_of_D { return @bitcast(bits_of_D, x); }
fn clear() void {
  for (@range(u16, 12)) |i| { got[i] = 0; }
  for (@range(u16, 6)) |i| { got_m[i / 3, i % 3] = 0; }
  one = 0;
}

var carry: u32 = 0;
fn with_carry(a: u16, b: u16) u16 {
  const sum = @as(u32, a) + @as(u32, b) + carry;
  carry = sum >> 16;
  return @as(u16, sum & 0xffff);
}
fn ones(a: u16) u16 {
  var n: u16 = 0;
  for (@range(u16, 16)) |i| { n += a >> i & 1; }
  return n;
}
fn leading_zeros(a: u16) u16 {
  for (@range(u16, 16)) |i| { if ((a << i & 0x8000) != 0) { return i; } }
  return 16;
}
fn trailing_zeros(a: u16) u16 {
  for (@range(u16, 16)) |i| { if ((a >> i & 1) != 0) { return i; } }
  return 16;
}
// Rounds to the nearest integer, ties to even.
fn nearest(x: f32) u16 {
  var low = @as(i16, x);
  if (@as(f32, low) > x) { low -= 1; }
  const rest = x - @as(f32, low);
  const up = rest > 0.5 or rest == 0.5 and (low & 1) == 1;
  return @bitcast(u16, if (up) low + 1 else low);
}
fn significand(x: f32) f32 {
  var y = x;
  if (y == 0.0) { return y; }
  while (y >= 2.0 or y <= -2.0) { y /= 2.0; }
  while (y < 1.0 and y > -1.0) { y *= 2.0; }
  return y;
}
fn scaled(x: f32, by: i16) f32 {
  var y = x;
  var n = by;
  while (n > 0) : (n -= 1) { y *= 2.0; }
  while (n < 0) : (n += 1) { y /= 2.0; }
  return y;
}
";
