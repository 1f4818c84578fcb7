//! Copies, launches, the command stream.

use csl_isa::{Insn, Op};
use csl_machine::Arch;
use csl_sim::{Command, Copy, Endpoint, HostReason, Order, Rect, RequestError, RunError, Shape, Sim, Spread, Width};

use crate::builder::*;

fn h2d(rect: Rect, per_pe: u32, spread: Spread, array: Vec<u32>) -> Command {
    Command::H2d { to: Endpoint::Symbol(DATA_ID), copy: Copy::of(rect, per_pe), spread, array }
}

fn d2h(rect: Rect, per_pe: u32, width: Width) -> Command {
    let copy = Copy { width, ..Copy::of(rect, per_pe) };
    Command::D2h { from: Endpoint::Symbol(DATA_ID), copy, room: rect.len() * per_pe as usize }
}

fn run(sim: &mut Sim, command: Command) -> Option<Vec<u32>> {
    let ticket = sim.submit(command).expect("a right command");
    sim.wait(ticket).expect("it finishes")
}

/// `data[0] += arg`, then perhaps unblocks the command stream.
fn adder(unblocks: bool) -> csl_image::PeImage {
    let mut pe = program(&[0; 4]);
    let mut code = vec![
        Insn::new(Op::LoadU32At, 1, DATA, 0),
        Insn::new(Op::AddU32, 1, 1, 0),
        Insn::new(Op::Store32At, 1, DATA, 0),
    ];
    code.extend(unblocks.then(unblock_cmd_stream));
    export(&mut pe, 1, &code);
    pe
}

#[test]
fn copies_go_pe_by_pe_in_row_major_order() {
    let mut sim = sim(layout(Arch::Wse2, vec![program(&[0; 4])], &[&[0, 0, 0], &[0, 0, 0]], &[]));
    let part = Rect::new(1, 0, 2, 2);
    assert_eq!(run(&mut sim, h2d(part, 2, Spread::Each, (1..=8).collect())), None);
    let all = run(&mut sim, d2h(Rect::new(0, 0, 3, 2), 2, Width::Bits32));
    assert_eq!(all, Some(vec![0, 0, 1, 2, 3, 4, 0, 0, 5, 6, 7, 8]));
}

#[test]
fn column_major_arrays_have_the_row_fastest_both_ways() {
    let mut sim = sim(layout(Arch::Wse2, vec![program(&[0; 4])], &[&[0, 0, 0], &[0, 0, 0]], &[]));
    let all = Rect::new(0, 0, 3, 2);
    let (endpoint, copy) = (Endpoint::Symbol(DATA_ID), Copy { order: Order::ColMajor, ..Copy::of(all, 2) });
    let array: Vec<u32> = (0..12).collect();
    run(&mut sim, Command::H2d { to: endpoint, copy, spread: Spread::Each, array: array.clone() });
    // PE (column 1, row 0) holds places 0 + 2*1 and 0 + 2*(1 + 3).
    assert_eq!(run(&mut sim, d2h(Rect::new(1, 0, 1, 1), 2, Width::Bits32)), Some(vec![2, 8]));
    assert_eq!(run(&mut sim, Command::D2h { from: endpoint, copy, room: 12 }), Some(array));
}

#[test]
fn broadcasts_give_each_row_or_column_its_share() {
    let mut sim = sim(layout(Arch::Wse3, vec![program(&[0; 4])], &[&[0, 0, 0], &[0, 0, 0]], &[]));
    let all = Rect::new(0, 0, 3, 2);
    run(&mut sim, h2d(all, 1, Spread::Rows, vec![1, 2]));
    assert_eq!(run(&mut sim, d2h(all, 1, Width::Bits32)), Some(vec![1, 1, 1, 2, 2, 2]));
    run(&mut sim, h2d(all, 1, Spread::Columns, vec![1, 2, 3]));
    assert_eq!(run(&mut sim, d2h(all, 1, Width::Bits32)), Some(vec![1, 2, 3, 1, 2, 3]));
}

#[test]
fn sixteen_bit_elements_take_the_low_half_of_host_words() {
    let mut sim = sim(layout(Arch::Wse2, vec![program(&[0x0002_0001, 0x0004_0003])], &[&[0]], &[]));
    let one = Rect::new(0, 0, 1, 1);
    assert_eq!(run(&mut sim, d2h(one, 4, Width::Bits16)), Some(vec![1, 2, 3, 4]));
}

#[test]
fn launches_reach_every_pe_and_pass_arguments() {
    let mut sim = sim(layout(Arch::Wse2, vec![adder(true)], &[&[0, 0]], &[]));
    for arg in [5, 7] {
        run(&mut sim, Command::Launch { function: FUNC_ID, args: vec![arg] });
    }
    assert_eq!(run(&mut sim, d2h(Rect::new(0, 0, 2, 1), 1, Width::Bits32)), Some(vec![12, 12]));
}

#[test]
fn a_launch_returns_though_the_stream_stays_blocked_and_so_does_stop() {
    let mut sim = sim(layout(Arch::Wse2, vec![adder(false)], &[&[0]], &[]));
    run(&mut sim, Command::Launch { function: FUNC_ID, args: vec![5] });
    assert_eq!(sim.stop(), Ok(csl_sim::Ending::Waiting));
    assert_eq!(sim.read_memory(0, 0, DATA, 4), Ok(vec![5, 0, 0, 0]));
    assert_eq!(sim.submit(Command::Launch { function: FUNC_ID, args: vec![5] }), Err(RequestError::Stopped));
}

#[test]
fn a_command_behind_a_blocked_stream_is_explained() {
    let mut sim = sim(layout(Arch::Wse2, vec![adder(false)], &[&[0, 0]], &[]));
    run(&mut sim, Command::Launch { function: FUNC_ID, args: vec![5] });
    let ticket = sim.submit(d2h(Rect::new(0, 0, 2, 1), 1, Width::Bits32)).expect("a right command");
    let Err(RunError::Deadlock(deadlock)) = sim.wait(ticket) else { panic!("it cannot finish") };
    let wait = &deadlock.host[0];
    assert_eq!((wait.pes, wait.reasons[0].what, wait.reasons[0].tiles), (2, HostReason::CommandStream, 2));
}

#[test]
fn stop_completes_what_is_pending() {
    let mut sim = sim(layout(Arch::Wse2, vec![program(&[3])], &[&[0]], &[]));
    let ticket = sim.submit(d2h(Rect::new(0, 0, 1, 1), 1, Width::Bits32)).expect("a right command");
    assert_eq!(sim.is_done(ticket), Ok(true));
    let other = sim.submit(d2h(Rect::new(0, 0, 1, 1), 1, Width::Bits32)).expect("a right command");
    assert_eq!(sim.stop(), Ok(csl_sim::Ending::Complete));
    assert_eq!(sim.wait(other), Ok(Some(vec![3])));
    assert_eq!(sim.wait(other), Ok(None));
}

#[test]
fn wrong_commands_are_refused_before_anything_moves() {
    let mut sim = sim(layout(Arch::Wse2, vec![adder(true)], &[&[0]], &[]));
    let one = Rect::new(0, 0, 1, 1);
    let wide = Rect::new(0, 0, 2, 1);
    let program = csl_machine::Size { width: 1, height: 1 };
    assert_eq!(sim.submit(d2h(wide, 1, Width::Bits32)), Err(RequestError::Outside { rect: wide, program }));
    let (method, shape) = ("memcpy_h2d", Shape { h: 1, w: 1, l: 2 });
    let short = RequestError::ShortArray { method, shape, needed: 2, found: 1 };
    assert_eq!(sim.submit(h2d(one, 2, Spread::Each, vec![1])), Err(short));
    let launch = |function, args| Command::Launch { function, args };
    assert_eq!(sim.submit(launch(FUNC_ID, vec![])), Err(RequestError::Arguments { expected: 1, found: 0 }));
    assert_eq!(sim.submit(launch(9, vec![])), Err(RequestError::NoSuchFunction { id: 9 }));
    assert_eq!(sim.cycle(), 0);
}

#[test]
fn memcpy_takes_the_time_of_the_table() {
    let mut sim = sim(layout(Arch::Wse2, vec![program(&[0; 128])], &[&[0]], &[]));
    run(&mut sim, h2d(Rect::new(0, 0, 1, 1), 100, Spread::Each, vec![0; 100]));
    assert_eq!(sim.cycle(), 1 + 35 + 283);
}
