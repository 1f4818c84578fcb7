//! Streams between the host and a rectangle of PEs: order and completeness against what the host asked for.

use csl_host::{Arch, Copy, Endpoint, HostError, Options, Order, Rect, Runtime, Spread, Task};
use csl_machine::Color;
use tempfile::TempDir;

use crate::program;

const WIDTH: u32 = 4;
const HEIGHT: u32 = 3;
const ALL: Rect = Rect { x: 0, y: 0, w: WIDTH, h: HEIGHT, step_x: 1, step_y: 1 };
/// The number of words that the queues of every stream and the links hold: all of them enter before the host reads any.
const COUNT: u32 = 10;

/// Colors 0 to 3 lead to the device, 4 to 7 back.
const LAYOUT: &str = "
param width: u16;
param height: u16;
param count: u16;
const memcpy = @import_module(\"<memcpy/get_params>\", .{
  .width = width, .height = height,
  .MEMCPYH2D_1 = @as(i16, 0), .MEMCPYH2D_2 = @as(i16, 1), .MEMCPYH2D_3 = @as(i16, 2), .MEMCPYH2D_4 = @as(i16, 3),
  .MEMCPYD2H_1 = @as(i16, 4), .MEMCPYD2H_2 = @as(i16, 5), .MEMCPYD2H_3 = @as(i16, 6), .MEMCPYD2H_4 = @as(i16, 7),
});
layout {
  @set_rectangle(width, height);
  for (@range(u16, width)) |x| {
    for (@range(u16, height)) |y| {
      @set_tile_code(x, y, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(x), .count = count });
    }
  }
}
";

/// Words sent on color 0 come back on color 5, 1 on 6, 2 on 7, 3 on 4.
const RELAY: &str = "
param memcpy_params;
param count: u16;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
fn in(comptime queue: u16) fabin_dsd {
  return @get_dsd(fabin_dsd, .{ .extent = count, .input_queue = @get_input_queue(queue) });
}
fn out(comptime stream: color, comptime queue: u16) fabout_dsd {
  return sys_mod.get_streaming_fabout_dsd(stream, count, @get_output_queue(queue));
}
fn of(comptime id: i16) color { return @get_color(@bitcast(u16, id)); }
task start() void {
  @mov32(out(of(sys_mod.MEMCPYD2H_2), 3), in(2), .{ .async = true });
  @mov32(out(of(sys_mod.MEMCPYD2H_3), 4), in(3), .{ .async = true });
  @mov32(out(of(sys_mod.MEMCPYD2H_4), 5), in(4), .{ .async = true });
  @mov32(out(of(sys_mod.MEMCPYD2H_1), 2), in(5), .{ .async = true });
}
const start_id = @get_local_task_id(8);
comptime {
  @bind_local_task(start, start_id);
  @activate(start_id);
  for ([4]i16{ sys_mod.MEMCPYH2D_1, sys_mod.MEMCPYH2D_2, sys_mod.MEMCPYH2D_3, sys_mod.MEMCPYH2D_4 }) |id, i| {
    @initialize_queue(@get_input_queue(i + 2), .{ .color = of(id) });
  }
  for ([4]i16{ sys_mod.MEMCPYD2H_1, sys_mod.MEMCPYD2H_2, sys_mod.MEMCPYD2H_3, sys_mod.MEMCPYD2H_4 }) |id, i| {
    @initialize_queue(@get_output_queue(i + 2), if (@is_arch(\"wse3\")) .{ .color = of(id) } else .{});
  }
}
";

/// Sends 0, 1, .. up to `count` on color 4.
const SENDER: &str = "
param memcpy_params;
param count: u16;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
const stream = @get_color(@bitcast(u16, sys_mod.MEMCPYD2H_1));
const queue = @get_output_queue(2);
const to_host = sys_mod.get_streaming_fabout_dsd(stream, 1, queue);
const start_id = @get_local_task_id(8);
task start() void {
  for (@range(u32, count)) |i| {
    @mov32(to_host, i);
  }
}
comptime {
  @bind_local_task(start, start_id);
  @activate(start_id);
  @initialize_queue(queue, if (@is_arch(\"wse3\")) .{ .color = stream } else .{});
}
";

struct Bench {
    runtime: Runtime,
    /// What has arrived for tasks that nothing has asked for yet.
    arrived: Vec<(Task, Vec<u32>)>,
    _folder: TempDir,
}

/// Compiles and starts a program on so many columns and rows.
fn bench(pe: &str, arch: Arch, (width, height): (u32, u32), count: u32, change: impl Fn(&mut Options)) -> Bench {
    let params = [("width", width), ("height", height), ("count", count)];
    let params = params.map(|(name, value)| (name.to_owned(), value.to_string())).to_vec();
    let mut options = Options { arch, params, ..Options::new("layout.csl") };
    change(&mut options);
    let (_folder, runtime) = program::running_files(&[("layout.csl", LAYOUT), ("pe.csl", pe)], options);
    Bench { runtime, arrived: Vec::new(), _folder }
}

fn stream(rect: Rect, per_pe: u32, order: Order) -> Copy {
    Copy { order, ..Copy::of(rect, per_pe) }
}

impl Bench {
    fn send(&mut self, color: u8, words: &[u32], copy: &Copy, spread: Spread) -> Task {
        self.runtime.h2d(Endpoint::Color(Color::at(color)), words, copy, spread).expect("the stream is taken")
    }

    fn receive(&mut self, color: u8, words: usize, copy: &Copy) -> Task {
        self.runtime.d2h(Endpoint::Color(Color::at(color)), words, copy).expect("the stream is taken")
    }

    /// The words that have arrived for a task.
    fn arrived(&mut self, task: Task) -> Result<Vec<u32>, HostError> {
        self.runtime.wait(task)?;
        self.arrived.extend(self.runtime.take_arrived());
        let at = self.arrived.iter().position(|(of, _)| *of == task).expect("it has come");
        Ok(self.arrived.swap_remove(at).1)
    }
}

fn numbers(seed: u32, count: usize) -> Vec<u32> {
    (0..count as u32).map(|i| seed * 1000 + i).collect()
}

/// The color on which a stream comes back.
fn back(color: u8) -> u8 {
    4 + (color + 1) % 4
}

/// Four streams each way, all asked for at once, for any order of the host's array, number of channels and buffers
/// beside the program. Returns the cycle in which all have come.
fn four_each_way(arch: Arch, order: Order, change: impl Fn(&mut Options)) -> u64 {
    let mut bench = bench(RELAY, arch, (WIDTH, HEIGHT), COUNT, change);
    let copy = stream(ALL, COUNT, order);
    let size = (WIDTH * HEIGHT * COUNT) as usize;
    let sent: Vec<Vec<u32>> = (0..4).map(|color| numbers(color, size)).collect();
    for (color, words) in (0..).zip(&sent) {
        bench.send(color, words, &copy, Spread::Each);
    }
    let receiving: Vec<Task> = (0..4).map(|color| bench.receive(back(color), size, &copy)).collect();
    for ((color, words), task) in (0..).zip(&sent).zip(receiving) {
        assert_eq!(bench.arrived(task).expect("it has come"), words.clone(), "{arch}, {order:?}, stream {color}");
    }
    let cycle = bench.runtime.cycle();
    bench.runtime.stop().expect("nothing is pending");
    assert_eq!(bench.runtime.take_warnings(), [""; 0]);
    cycle
}

#[test]
fn four_streams_each_way_are_complete_and_in_order() {
    for arch in [Arch::Wse2, Arch::Wse3] {
        for order in [Order::RowMajor, Order::ColMajor] {
            four_each_way(arch, order, |_| {});
        }
    }
}

#[test]
fn channels_make_streams_faster_and_buffers_change_nothing() {
    let one = four_each_way(Arch::Wse2, Order::RowMajor, |_| {});
    let three = four_each_way(Arch::Wse2, Order::RowMajor, |options| options.channels = 3);
    assert!(three < one, "{three} cycles on three channels, {one} on one");
    let buffered = |options: &mut Options| (options.west_buffer, options.east_buffer) = (2, 3);
    assert_eq!(four_each_way(Arch::Wse2, Order::RowMajor, buffered), one);
}

/// Broadcasts give each row, or each column, its own share.
#[test]
fn streams_are_broadcast_along_rows_and_down_columns() {
    for (spread, shares) in [(Spread::Rows, HEIGHT), (Spread::Columns, WIDTH)] {
        let mut bench = bench(RELAY, Arch::Wse2, (WIDTH, HEIGHT), COUNT, |_| {});
        let copy = stream(ALL, COUNT, Order::RowMajor);
        let sent = numbers(1, (shares * COUNT) as usize);
        bench.send(0, &sent, &copy, spread);
        let task = bench.receive(back(0), (WIDTH * HEIGHT * COUNT) as usize, &copy);
        let share_of = |pe: u32| if spread == Spread::Rows { pe / WIDTH } else { pe % WIDTH };
        let shares = (0..WIDTH * HEIGHT).flat_map(|pe| sent.chunks(COUNT as usize).nth(share_of(pe) as usize));
        assert_eq!(
            bench.arrived(task).expect("it has come"),
            shares.flatten().copied().collect::<Vec<u32>>(),
            "{spread:?}"
        );
    }
}

/// Requests on one color follow each other; each takes up where the one before has ended. A part of the rectangle is left
/// to a later request.
#[test]
fn requests_on_one_color_take_turns() {
    let mut bench = bench(RELAY, Arch::Wse3, (WIDTH, HEIGHT), COUNT, |_| {});
    let half = stream(ALL, COUNT / 2, Order::RowMajor);
    let size = (WIDTH * HEIGHT * COUNT / 2) as usize;
    let (first, second) = (numbers(1, size), numbers(7, size));
    bench.send(0, &first, &half, Spread::Each);
    bench.send(0, &second, &half, Spread::Each);
    let (one, two) = (bench.receive(back(0), size, &half), bench.receive(back(0), size, &half));
    assert_eq!(bench.arrived(two).expect("it has come"), second);
    assert_eq!(bench.arrived(one).expect("it has come"), first);
    let (corner, edge) = (Rect::new(WIDTH - 1, HEIGHT - 1, 1, 1), Rect { step_x: 2, ..Rect::new(0, 0, WIDTH, 1) });
    for (rect, pes) in [(edge, 2), (corner, 1)] {
        let copy = stream(rect, COUNT, Order::RowMajor);
        let words = numbers(2, (pes * COUNT) as usize);
        bench.send(1, &words, &copy, Spread::Each);
        let task = bench.receive(back(1), words.len(), &copy);
        assert_eq!(bench.arrived(task).expect("it has come"), words);
    }
}

#[test]
fn a_stream_with_too_few_words_is_explained() {
    for arch in [Arch::Wse2, Arch::Wse3] {
        let mut bench = bench(SENDER, arch, (2, 1), COUNT - 3, |_| {});
        let both = Rect::new(0, 0, 2, 1);
        let task = bench.receive(4, 2 * COUNT as usize, &stream(both, COUNT, Order::RowMajor));
        let Err(HostError::Failed { report, .. }) = bench.arrived(task) else { panic!("it cannot finish") };
        let expected = "the host waits for 3 more wavelets of color 4 from 2 PEs, the first\n         of them (0, 0)";
        assert!(report.contains("nothing can move any more") && report.contains(expected), "{arch}: {report}");
    }
}

#[test]
fn a_stream_that_nobody_reads_on_the_device_is_explained() {
    let mut bench = bench(RELAY, Arch::Wse2, (1, 1), 4, |_| {});
    let copy = stream(Rect::new(0, 0, 1, 1), 40, Order::RowMajor);
    let task = bench.send(0, &numbers(1, 40), &copy, Spread::Each);
    let Err(HostError::Failed { report, .. }) = bench.runtime.wait(task) else { panic!("it cannot finish") };
    assert!(report.contains("the host streams to PE (0, 0) on color 0"), "{report}");
}

/// Words that the host has not asked for stay on the device for its next request; when the run is stopped, a warning
/// tells of words that it never asked for.
#[test]
fn words_beyond_a_request_wait_for_the_next() {
    for arch in [Arch::Wse2, Arch::Wse3] {
        let mut bench = bench(SENDER, arch, (1, 1), 20, |_| {});
        let rect = Rect::new(0, 0, 1, 1);
        for (words, from) in [(15, 0), (4, 15)] {
            let task = bench.receive(4, words as usize, &stream(rect, words, Order::RowMajor));
            assert_eq!(bench.arrived(task).expect("it has come"), (from..from + words).collect::<Vec<u32>>(), "{arch}");
        }
        bench.runtime.stop().expect("nothing is pending");
        let warnings = bench.runtime.take_warnings();
        let expected = "one wavelet of color 4 stood when the run was stopped: wavelets of color 4 wait in output queue 2 of \
                        PE (0, 0): no route takes the color, and the host reads no stream of it";
        assert_eq!(warnings, [expected], "{arch}");
    }
}

/// Counts the words of a first stream, and keeps the number that had come when the second one came.
const COUNTER: &str = "
param memcpy_params;
param count: u16;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
const first = @get_input_queue(2);
const second = @get_input_queue(3);
const first_color = @get_color(@bitcast(u16, sys_mod.MEMCPYH2D_1));
const second_color = @get_color(@bitcast(u16, sys_mod.MEMCPYH2D_2));
export var before: u32 = 0;
var come: u32 = 0;
task on_first(word: u32) void { come += 1; }
task on_second(word: u32) void { before = come; }
comptime {
  @initialize_queue(first, .{ .color = first_color });
  @initialize_queue(second, .{ .color = second_color });
  @bind_data_task(on_first, @get_data_task_id(if (@is_arch(\"wse3\")) first else first_color));
  @bind_data_task(on_second, @get_data_task_id(if (@is_arch(\"wse3\")) second else second_color));
}
";

/// memcpy carries out one command after another, whether the host waits for each of them or not, and whether they concern
/// the same PEs or not.
#[test]
fn streams_that_nobody_waits_for_keep_their_order() {
    const LONG: u32 = 60;
    for arch in Arch::ALL {
        for (spread, shares) in [(Spread::Each, WIDTH * HEIGHT), (Spread::Rows, HEIGHT), (Spread::Columns, WIDTH)] {
            for order in [Order::RowMajor, Order::ColMajor] {
                let mut bench = bench(COUNTER, arch, (WIDTH, HEIGHT), LONG, |_| {});
                bench.send(0, &numbers(1, (shares * LONG) as usize), &stream(ALL, LONG, order), spread);
                bench.send(1, &numbers(2, shares as usize), &stream(ALL, 1, order), spread);
                bench.runtime.stop().expect("both streams arrive");
                assert_eq!(bench.runtime.take_warnings(), [""; 0]);
                for (x, y) in [(4, 1), (4 + WIDTH - 1, HEIGHT)] {
                    let before = bench.runtime.read_symbol(x, y, "before").expect("the PE has it");
                    assert_eq!(before, LONG.to_le_bytes(), "{arch}, {spread:?}, {order:?}, PE ({x}, {y})");
                }
            }
        }
    }
}

/// A stream to the host is a command like the others: later commands wait for it. Where the stream itself waits for a
/// later command, the vendor's tools wait for ever; here the later one goes first, and a warning says so, once.
#[test]
fn a_command_that_an_earlier_one_waits_for_goes_first_with_a_warning() {
    for arch in Arch::ALL {
        let mut bench = bench(RELAY, arch, (WIDTH, HEIGHT), COUNT, |_| {});
        let copy = stream(ALL, COUNT, Order::RowMajor);
        let words = numbers(1, (WIDTH * HEIGHT * COUNT) as usize);
        for color in 0..2 {
            let task = bench.receive(back(color), words.len(), &copy);
            bench.send(color, &words, &copy, Spread::Each);
            assert_eq!(bench.arrived(task).expect("it has come"), words.clone(), "{arch}");
        }
        let warnings = bench.runtime.take_warnings();
        let expected = "the host waits for 10 more wavelets of color 5 from 12 PEs, the first of them (0, 0))";
        assert!(
            warnings[0].starts_with("memcpy carries out one command after another") && warnings[0].ends_with(expected)
        );
        assert!(warnings.len() <= 2, "{warnings:?}");
    }
}

/// "The program stalls when size exceeds 14" (the vendor's pipeline-01-basic, release 1.0): a stream to the device ends
/// when its last word has entered the queues on the way, here 6 words of them, 6 of the input queue and 2 of the output queue.
#[test]
fn a_stream_ends_when_its_last_word_has_entered_the_queues_on_the_way() {
    let code = RELAY.replace("sys_mod.MEMCPYD2H_2), 3), in(2)", "sys_mod.MEMCPYD2H_2), 1), in(1)");
    let code = code.replace("@get_input_queue(i + 2)", "@get_input_queue(if (i == 0) 1 else i + 2)");
    let code = code.replace("@get_output_queue(i + 2)", "@get_output_queue(if (i == 1) 1 else i + 2)");
    let run = |size: u32, buffer: u32| {
        let mut bench = bench(&code, Arch::Wse2, (1, 1), size, |options| options.west_buffer = buffer);
        let copy = stream(Rect::new(0, 0, 1, 1), size, Order::RowMajor);
        let sent = numbers(3, size as usize);
        let task = bench.send(0, &sent, &copy, Spread::Each);
        bench.runtime.wait(task)?;
        let task = bench.receive(5, size as usize, &copy);
        assert_eq!(bench.arrived(task).expect("it has come"), sent);
        Ok::<(), HostError>(())
    };
    run(14, 0).expect("the stream is taken on the way");
    let Err(HostError::Failed { report, .. }) = run(15, 0) else { panic!("it cannot finish") };
    assert!(report.contains("the host streams to PE (0, 0) on color 0: 7 wavelets are still to be"), "{report}");
    // A column of buffers beside the program takes many more.
    run(400, 1).expect("the stream is taken on the way");
}
