//! Layouts that a host program describes: runs of them, and errors.

use std::path::Path;

use csl_host::layout::{Area, Cell, Edge, Flow, Layout, LayoutError, LayoutOptions, Position, RegionId, Value};
use csl_host::{Arch, Check, HostError, Rendering, Runtime, Settings, read_image};
use tempfile::TempDir;

const EAST: u8 = 1 << 1;
const WEST: u8 = 1 << 0;
const SOUTH: u8 = 1 << 2;
const RAMP: u8 = 1 << 4;

/// Sends four words: `first`, `first + 1`, ...
const SENDER: &str = "
param tx: u16;
param first: u16;
const out_q = @get_output_queue(2);
const out = @get_dsd(fabout_dsd, .{ .extent = 4, .fabric_color = @get_color(tx), .output_queue = out_q });
var words = [4]u32{ first, first + 1, first + 2, first + 3 };
const all = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> words[i] });
task main() void { @mov32(out, all, .{ .async = true }); }
comptime {
  @bind_local_task(main, @get_local_task_id(9));
  @activate(@get_local_task_id(9));
  if (@is_arch(\"wse3\")) { @initialize_queue(out_q, .{ .color = @get_color(tx) }); }
}
";

const RECEIVER: &str = "
param rx: u16;
const in_q = @get_input_queue(2);
const in = @get_dsd(fabin_dsd, .{ .extent = 4, .fabric_color = @get_color(rx), .input_queue = in_q });
export var words = @zeros([4]u32);
const all = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> words[i] });
task main() void { @mov32(all, in, .{ .async = true }); }
comptime {
  @bind_local_task(main, @get_local_task_id(9));
  @activate(@get_local_task_id(9));
  @initialize_queue(in_q, .{ .color = @get_color(rx) });
}
";

/// Passes on every word that arrives.
const WORKER: &str = "
param rx: u16;
param tx: u16;
const in_q = @get_input_queue(2);
const out_q = @get_output_queue(3);
const in = @get_dsd(fabin_dsd, .{ .extent = 0x7fff, .fabric_color = @get_color(rx), .input_queue = in_q });
const out = @get_dsd(fabout_dsd, .{ .extent = 0x7fff, .fabric_color = @get_color(tx), .output_queue = out_q });
task main() void { @mov32(out, in, .{ .async = true }); }
comptime {
  @bind_local_task(main, @get_local_task_id(9));
  @activate(@get_local_task_id(9));
  @initialize_queue(in_q, .{ .color = @get_color(rx) });
  if (@is_arch(\"wse3\")) { @initialize_queue(out_q, .{ .color = @get_color(tx) }); }
}
";

/// Adds up what the host has written.
const ADDER: &str = "
export var data: [2]u16;
export var sum: u16 = 0;
task main() void { sum = data[0] + data[1]; }
comptime {
  @bind_local_task(main, @get_local_task_id(9));
  @activate(@get_local_task_id(9));
}
";

const IDLE: &str = "export var block = @zeros([2, 2]i16);\n";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let texts = [SENDER, RECEIVER, WORKER, ADDER, IDLE];
    for (name, text) in ["sender.csl", "receiver.csl", "worker.csl", "adder.csl", "idle.csl"].into_iter().zip(texts) {
        std::fs::write(folder.path().join(name), text).expect("the folder can be written");
    }
    folder
}

fn options(folder: &Path) -> LayoutOptions {
    LayoutOptions {
        folder: folder.to_owned(),
        output: "out".into(),
        import_paths: Vec::new(),
        fp16: csl_num::FloatKind::F16,
        save_port_map: true,
    }
}

/// The errors of a layout that does not compile.
fn failure(layout: &Layout) -> String {
    let folder = folder();
    let done = layout.compile(&options(folder.path()));
    assert!(!done.succeeded());
    done.render(&Rendering::default())
}

fn started(layout: &Layout) -> (TempDir, Runtime) {
    let folder = folder();
    let done = layout.compile(&options(folder.path()));
    assert!(done.succeeded(), "{}", done.render(&Rendering::default()));
    let settings = Settings::new(1);
    let mut runtime = Runtime::open(&folder.path().join("out"), settings).expect("the program opens");
    runtime.load().expect("the program loads");
    runtime.run().expect("the program starts");
    (folder, runtime)
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

fn out_of_ramp() -> [Position; 1] {
    [Position::new(RAMP, 0)]
}

fn into_ramp() -> [Position; 1] {
    [Position::new(0, RAMP)]
}

/// A region of one column that sends on its right side, and one that receives on its left side.
fn pair(layout: &mut Layout, height: u32) -> Result<(RegionId, RegionId), HostError> {
    let sender = layout.region("sender.csl", "sender", 1, height)?;
    let receiver = layout.region("receiver.csl", "receiver", 1, height)?;
    let (tx, rx) = (layout.color("sender_tx", None)?, layout.color("receiver_rx", None)?);
    layout.set_param(sender, None, "tx", Value::Color(tx))?;
    layout.set_param(sender, None, "first", Value::Int(10))?;
    layout.set_param(receiver, None, "rx", Value::Color(rx))?;
    let from = layout.port(sender, Flow::Out, tx, Edge::Right, &out_of_ramp(), 4, "")?;
    let to = layout.port(receiver, Flow::In, rx, Edge::Left, &into_ramp(), 4, "")?;
    layout.connect(from, to)?;
    Ok((sender, receiver))
}

/// A worker whose both ports are connected to the host.
fn served(arch: Arch, buffer: u16) -> Result<Layout, HostError> {
    let mut layout = Layout::new(arch);
    let worker = layout.region("worker.csl", "worker", 1, 1)?;
    let (rx, tx) = (layout.color("rx", None)?, layout.color("tx", None)?);
    layout.set_param(worker, None, "rx", Value::Color(rx))?;
    layout.set_param(worker, None, "tx", Value::Color(tx))?;
    layout.place(worker, (3, 3))?;
    let rx_port = layout.port(worker, Flow::In, rx, Edge::Right, &into_ramp(), 4, "")?;
    let tx_port = layout.port(worker, Flow::Out, tx, Edge::Right, &out_of_ramp(), 4, "")?;
    assert_eq!(layout.stream(Flow::In, rx_port, None, buffer)?, "worker_rx");
    assert_eq!(layout.stream(Flow::Out, tx_port, None, buffer)?, "worker_tx");
    Ok(layout)
}

#[test]
fn a_connection_goes_around_what_stands_in_its_way() -> Result<(), HostError> {
    for arch in Arch::ALL {
        let mut layout = Layout::new(arch);
        let (sender, receiver) = pair(&mut layout, 2)?;
        let wall = layout.region("idle.csl", "wall", 1, 5)?;
        layout.place(sender, (1, 2))?;
        layout.place(wall, (3, 1))?;
        layout.place(receiver, (5, 2))?;
        let (folder, mut runtime) = started(&layout);
        runtime.stop()?;
        for row in [2, 3] {
            assert_eq!(words(&runtime.read_symbol(5, row, "words")?), [10, 11, 12, 13], "row {row} on {arch}");
        }
        let image = read_image(&folder.path().join("out"))?;
        assert!(
            image.routes.iter().all(|route| !(route.x..route.x + route.len).contains(&3) || ![1, 5].contains(&route.y))
        );
    }
    Ok(())
}

/// The rows of the receiver lie lower or higher than those of the sender: no lane may take a PE that another one needs.
#[test]
fn lanes_leave_each_other_room() -> Result<(), HostError> {
    for (sender_row, receiver_row) in [(1, 2), (2, 1), (1, 6), (6, 1)] {
        lanes_lead((1, sender_row), (7, receiver_row), 3)?;
    }
    Ok(())
}

/// The right side of the one and the left side of the other do not face each other.
#[test]
fn lanes_go_around_without_crossing() -> Result<(), HostError> {
    for to in [(12, 30), (12, 4), (8, 24), (13, 20), (20, 12), (6, 2)] {
        lanes_lead((12, 12), to, 3)?;
    }
    lanes_lead((12, 12), (12, 24), 5)
}

/// Checks that ports of so many PEs are connected, in their order.
fn lanes_lead(from: Cell, to: Cell, lanes: u32) -> Result<(), HostError> {
    let mut layout = Layout::new(Arch::Wse3);
    let (sender, receiver) = pair(&mut layout, lanes)?;
    for lane in 0..lanes {
        let first = Value::Int(10 * (i64::from(lane) + 1));
        layout.set_param(sender, Some(Area::new(0, lane as i32, 1, 1)), "first", first)?;
    }
    layout.place(sender, from)?;
    layout.place(receiver, to)?;
    let (_folder, mut runtime) = started(&layout);
    runtime.stop()?;
    for lane in 0..lanes {
        let first = 10 * (lane + 1);
        let words = words(&runtime.read_symbol(to.0 as u32, to.1 as u32 + lane, "words")?);
        assert_eq!(words, [first, first + 1, first + 2, first + 3], "{from:?} {to:?} {lane}");
    }
    Ok(())
}

/// The right side of the one and the left side of the other lead nowhere, but a region of one PE has no sides.
#[test]
fn the_edges_of_one_pe_are_all_alike() -> Result<(), HostError> {
    for at in [(0, 0), (3, 4), (4, 3), (5, 4)] {
        let mut layout = Layout::new(Arch::Wse3);
        let (sender, receiver) = pair(&mut layout, 1)?;
        layout.place(receiver, at)?;
        layout.place(sender, (4, 4))?;
        let (_folder, mut runtime) = started(&layout);
        runtime.stop()?;
        assert_eq!(words(&runtime.read_symbol(at.0 as u32, at.1 as u32, "words")?), [10, 11, 12, 13], "{at:?}");
    }
    Ok(())
}

#[test]
fn neighbours_need_no_path() -> Result<(), HostError> {
    let mut layout = Layout::new(Arch::Wse3);
    let (sender, receiver) = pair(&mut layout, 1)?;
    assert_eq!(layout.hstack(&[sender, receiver], Some((4, 1)))?, 2);
    let (_folder, mut runtime) = started(&layout);
    runtime.stop()?;
    assert_eq!(words(&runtime.read_symbol(5, 1, "words")?), [10, 11, 12, 13]);
    Ok(())
}

#[test]
fn regions_without_a_place_stand_side_by_side() -> Result<(), HostError> {
    let mut layout = Layout::new(Arch::Wse2);
    pair(&mut layout, 1)?;
    let (_folder, mut runtime) = started(&layout);
    runtime.stop()?;
    assert_eq!(words(&runtime.read_symbol(5, 2, "words")?), [10, 11, 12, 13]);
    Ok(())
}

#[test]
fn words_stream_through_in_order_however_small_the_buffer() -> Result<(), HostError> {
    for (arch, buffer) in [(Arch::Wse2, 1), (Arch::Wse3, 1), (Arch::Wse3, 1024)] {
        let (_folder, mut runtime) = started(&served(arch, buffer)?);
        let (to, from) = (runtime.port("worker_rx")?, runtime.port("worker_tx")?);
        let sent: Vec<u32> = (100..400).collect();
        runtime.send(to, &sent[..200])?;
        runtime.send(to, &sent[200..])?;
        let task = runtime.receive(from, 300)?;
        runtime.wait(task)?;
        assert_eq!(runtime.take_arrived(), [(task, sent)], "{arch}, buffer of {buffer}");
        runtime.stop()?;
    }
    Ok(())
}

#[test]
fn waiting_for_what_never_comes_is_explained() -> Result<(), HostError> {
    let (_folder, mut runtime) = started(&served(Arch::Wse3, 8)?);
    let from = runtime.port("worker_tx")?;
    let task = runtime.receive(from, 1)?;
    assert!(matches!(runtime.wait(task), Err(HostError::Failed { .. })));
    Ok(())
}

#[test]
fn all_that_comes_can_be_received_without_knowing_how_much() -> Result<(), HostError> {
    let (_folder, mut runtime) = started(&served(Arch::Wse3, 8)?);
    let (to, from) = (runtime.port("worker_rx")?, runtime.port("worker_tx")?);
    runtime.send(to, [1, 2, 3])?;
    assert_eq!(runtime.receive_all(from)?, [1, 2, 3]);
    assert!(runtime.receive_all(from)?.is_empty());
    runtime.send(to, [7])?;
    let task = runtime.receive(from, 1)?;
    runtime.wait(task)?;
    assert_eq!(runtime.take_arrived(), [(task, vec![7])]);
    runtime.stop().map(drop)
}

#[test]
fn a_stream_has_one_direction() -> Result<(), HostError> {
    let (_folder, mut runtime) = started(&served(Arch::Wse3, 8)?);
    let (to, from) = (runtime.port("worker_rx")?, runtime.port("worker_tx")?);
    assert!(matches!(runtime.send(from, [1]), Err(HostError::Argument(_))));
    assert!(matches!(runtime.receive(to, 1), Err(HostError::Argument(_))));
    let text = runtime.port("nothing").expect_err("there is no such stream").to_string();
    assert!(text.contains("worker_rx, worker_tx"), "{text}");
    Ok(())
}

#[test]
fn the_host_can_reach_a_pe_right_away() -> Result<(), HostError> {
    for arch in Arch::ALL {
        let mut layout = Layout::new(arch);
        let worker = layout.region("worker.csl", "worker", 1, 1)?;
        let (rx, tx) = (layout.color("rx", Some(5))?, layout.color("tx", None)?);
        layout.set_param(worker, None, "rx", Value::Color(rx))?;
        layout.set_param(worker, None, "tx", Value::Color(tx))?;
        layout.paint(worker, None, rx, &[Position::new(WEST, RAMP)])?;
        assert_eq!(layout.stream_at(Flow::In, (0, 0), rx, "a_")?, "a_rx");
        assert_eq!(layout.stream_at(Flow::Out, (0, 0), tx, "")?, "tx");
        let (_folder, mut runtime) = started(&layout);
        assert_eq!(runtime.streams()[0].color.number(), 5);
        runtime.send(0, [41, 42])?;
        let task = runtime.receive(1, 2)?;
        runtime.wait(task)?;
        assert_eq!(runtime.take_arrived(), [(task, vec![41, 42])]);
    }
    Ok(())
}

#[test]
fn a_matrix_is_dealt_out_in_blocks() -> Result<(), HostError> {
    let mut layout = Layout::new(Arch::Wse3);
    let region = layout.region("idle.csl", "idle", 3, 2)?;
    layout.set_symbol(region, "block", (0..24).collect(), 2, (6, 4))?;
    let (_folder, mut runtime) = started(&layout);
    runtime.stop()?;
    let halves = |bytes: Vec<u8>| bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect::<Vec<_>>();
    assert_eq!(halves(runtime.read_symbol(0, 0, "block")?), [0, 1, 6, 7]);
    assert_eq!(halves(runtime.read_symbol(2, 1, "block")?), [16, 17, 22, 23]);
    Ok(())
}

/// The warnings of a checked run in which the host has given items to an array of two before the program was compiled, and
/// bytes before it runs.
fn told_of_sums(items: &[u32], bytes: &[u8]) -> Result<Vec<String>, HostError> {
    let mut layout = Layout::new(Arch::Wse3);
    let region = layout.region("adder.csl", "adder", 1, 1)?;
    if !items.is_empty() {
        layout.set_symbol(region, "data", items.to_vec(), 2, (items.len() as u32, 1))?;
    }
    let folder = folder();
    assert!(layout.compile(&options(folder.path())).succeeded());
    let settings = Settings { check: Some(Check::On), ..Settings::new(1) };
    let mut runtime = Runtime::open(&folder.path().join("out"), settings)?;
    runtime.load()?;
    if !bytes.is_empty() {
        runtime.write_symbol(0, 0, "data", bytes)?;
    }
    runtime.run()?;
    runtime.stop()?;
    Ok(runtime.take_warnings())
}

#[test]
fn what_the_host_writes_before_a_checked_run_counts_as_written() -> Result<(), HostError> {
    assert_eq!(told_of_sums(&[3, 4], &[])?, [""; 0]);
    assert_eq!(told_of_sums(&[], &[3, 0, 4, 0])?, [""; 0]);
    for (items, bytes) in [(&[3][..], &[][..]), (&[], &[3, 0])] {
        let told = told_of_sums(items, bytes)?;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("in main reads element 1 of `data`, which was never written"), "{told:?}");
    }
    Ok(())
}

/// The PEs between the host and the ports of its streams wait for ever, and are none of the program's.
#[test]
fn a_stopped_server_is_told_of_its_own_pes_alone() -> Result<(), HostError> {
    let folder = folder();
    let waits = WORKER.replace(", .{ .async = true }", "");
    std::fs::write(folder.path().join("worker.csl"), waits).expect("the folder can be written");
    assert!(served(Arch::Wse3, 8)?.compile(&options(folder.path())).succeeded());
    let mut runtime = Runtime::open(&folder.path().join("out"), Settings::new(1))?;
    runtime.load()?;
    runtime.run()?;
    runtime.stop()?;
    let told = runtime.take_warnings();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("when the run was stopped: the main thread of PE (3, 3) waits"), "{told:?}");
    assert!(!told[0].contains("; "), "{told:?}");
    Ok(())
}

#[test]
fn colors_get_numbers_of_their_own() -> Result<(), HostError> {
    let mut layout = Layout::new(Arch::Wse3);
    pair(&mut layout, 1)?;
    let fixed = layout.color("fixed", Some(0))?;
    let idle = layout.region("idle.csl", "idle", 2, 1)?;
    layout.paint_edge(idle, Edge::Left, fixed, &[Position::new(RAMP, EAST), Position::new(0, SOUTH)])?;
    layout.paint_edge(idle, Edge::Right, fixed, &[Position::new(WEST, RAMP)])?;
    let (folder, _runtime) = started(&layout);
    let text = std::fs::read_to_string(folder.path().join("out/colors.json")).expect("colors.json is there");
    let colors: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(colors, serde_json::json!({ "sender_tx": 1, "receiver_rx": 1, "fixed": 0 }));
    Ok(())
}

#[test]
fn what_cannot_be_meant_is_refused() -> Result<(), HostError> {
    let mut layout = Layout::new(Arch::Wse3);
    let region = layout.region("idle.csl", "idle", 2, 3)?;
    let color = layout.color("c", Some(3))?;
    let both = [Position::new(RAMP, EAST)];
    let out = layout.port(region, Flow::Out, color, Edge::Top, &out_of_ramp(), 4, "")?;
    let wide = layout.port(region, Flow::In, color, Edge::Left, &into_ramp(), 4, "")?;
    let text = |result: Result<String, LayoutError>| result.expect_err("this is refused").to_string();
    for (flow, side) in [(Flow::In, "input"), (Flow::Out, "output")] {
        let port = layout.port(region, flow, color, Edge::Bottom, &both, 4, "p_");
        let told = format!("{side} port p_idle_c: a position of `routes` has {side}s");
        assert!(text(port.map(|_| String::new())).starts_with(&told));
    }
    let unit = |result: Result<(), LayoutError>| result.map(|()| String::new());
    assert_eq!(text(layout.color("c", Some(4)).map(|_| String::new())), "color c is given the values 3 and 4");
    assert_eq!(text(layout.color("d", Some(24)).map(|_| String::new())), "color d cannot be 24: colors are 0 to 23");
    assert_eq!(
        text(unit(layout.connect(out, wide))),
        "idle_c and idle_c cannot be connected: they are 2 and 3 PEs wide"
    );
    assert!(text(unit(layout.connect(wide, out))).contains("leads from an output port to an input port"));
    assert!(text(layout.stream(Flow::In, wide, None, 8)).contains("is 3 PEs wide"));
    assert!(text(unit(layout.paint(region, None, color, &[both[0]; 5]))).contains("1 to 4 routing positions"));
    assert!(text(unit(layout.paint(region, None, color, &out_of_ramp()))).contains("needs an input and an output"));
    assert!(text(unit(layout.set_symbol(region, "block", vec![0; 9], 4, (3, 3)))).contains("cannot be dealt out"));
    Ok(())
}

/// Coordinates and sizes that no fabric has are refused where they are given: nothing is reserved for them, and no number
/// behind them runs over.
#[test]
fn what_no_fabric_has_room_for_is_refused() -> Result<(), HostError> {
    let mut layout = Layout::new(Arch::Wse3);
    for (width, height) in [(3_000_000_000, 1), (1, 10_001)] {
        let refused = layout.region("idle.csl", "idle", width, height);
        assert!(matches!(refused, Err(LayoutError::LargeRegion { .. })), "{width} {height}");
    }
    let (sender, receiver) = pair(&mut layout, 2)?;
    let far = [(2_000_000, 2_000_000), (2_000_000_000, 2_000_000_000), (i32::MAX, 0), (0, 9_999), (-1, 0)];
    for at in far {
        let text = layout.place(sender, at).expect_err("no fabric is that large").to_string();
        assert!(text.contains("sender of 1 x 2 PEs cannot be placed at") && text.contains("10000 x 10000"), "{text}");
        assert!(matches!(layout.hstack(&[sender], Some(at)), Err(LayoutError::Place { .. })));
    }
    assert!(matches!(layout.vstack(&[sender, receiver], Some((0, 9_997))), Err(LayoutError::Place { .. })));
    let area = Some(Area::new(i32::MAX, 0, u32::MAX, 1));
    let beyond = layout.set_param(sender, area, "first", Value::Int(0));
    assert!(matches!(beyond, Err(LayoutError::NotInRegion { .. })));

    let worker = layout.region("worker.csl", "worker", 1, 1)?;
    let rx = layout.color("worker_rx", None)?;
    let port = layout.port(worker, Flow::In, rx, Edge::Left, &into_ramp(), 4, "")?;
    for place in [(10_000, 0), (0, i32::MAX), (-1, 0)] {
        assert!(matches!(layout.stream(Flow::In, port, Some(place), 8), Err(LayoutError::Taken { .. })));
    }
    layout.place(sender, (9_999, 0))?;
    assert!(failure(&layout).contains("cannot be placed at (10002, 2)"));
    Ok(())
}

#[test]
fn what_only_the_whole_shows_is_refused() -> Result<(), HostError> {
    let mut overlap = Layout::new(Arch::Wse3);
    let (sender, receiver) = pair(&mut overlap, 2)?;
    overlap.place(sender, (1, 1))?;
    overlap.place(receiver, (1, 2))?;
    assert!(failure(&overlap).contains("code regions sender and receiver overlap"));

    let mut cornered = Layout::new(Arch::Wse3);
    let (sender, receiver) = pair(&mut cornered, 2)?;
    cornered.place(sender, (2, 0))?;
    cornered.place(receiver, (0, 0))?;
    assert!(failure(&cornered).contains("no path leads from port sender_tx at PE (2, 0)"));

    let mut unbound = Layout::new(Arch::Wse3);
    unbound.region("receiver.csl", "receiver", 1, 1)?;
    let text = failure(&unbound);
    assert!(
        text.contains("param `rx` has no value") && text.contains("code region receiver of receiver.csl"),
        "{text}"
    );
    Ok(())
}
