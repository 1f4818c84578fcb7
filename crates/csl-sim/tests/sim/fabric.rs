//! Tests of programs that talk over the fabric.

use csl_image::{Image, PeImage};
use csl_isa::dsd::{Dsd, DsdClass};
use csl_isa::{Insn, NO_REG, Op};
use csl_machine::{Arch, Color, ProgramId, QueueDir, SysOp, VecOp};
use csl_sim::{Command, Copy, Endpoint, Rect, RunError, Spread, TaskWait};

use crate::builder::*;

const COLOR: u8 = 3;

/// Sends `count` words of its data.
fn sender(count: u16) -> PeImage {
    let mut pe = program(&(1..=count.into()).collect::<Vec<u32>>());
    bind(&mut pe, QueueDir::Out, 2, COLOR);
    let send = vec(&mut pe, VecOp::Mov32, fabout(COLOR, 2, count), mem(DATA, count));
    main_task(&mut pe, &[send]);
    pe
}

/// Receives `count` words into its data.
fn receiver(count: u16) -> PeImage {
    let mut pe = program(&vec![0; count.into()]);
    bind(&mut pe, QueueDir::In, 2, COLOR);
    let receive = vec(&mut pe, VecOp::Mov32, mem(DATA, count), fabin(COLOR, 2, count));
    main_task(&mut pe, &[receive]);
    pe
}

fn pair(arch: Arch, sent: u16, wanted: u16) -> Image {
    let routes = [(0, 0, COLOR, RAMP, E), (1, 0, COLOR, W, RAMP)];
    layout(arch, vec![sender(sent), receiver(wanted)], &[&[0, 1]], &routes)
}

fn read(x: u32, count: u32) -> Command {
    let rect = Rect::new(x, 0, 1, 1);
    Command::D2h { from: Endpoint::Symbol(DATA_ID), copy: Copy::of(rect, count), room: count as usize }
}

#[test]
fn words_cross_a_link_in_order() {
    for arch in [Arch::Wse2, Arch::Wse3] {
        let mut sim = sim(pair(arch, 20, 20));
        let ticket = sim.submit(read(1, 20)).expect("a right command");
        assert_eq!(sim.wait(ticket), Ok(Some((1..=20).collect())), "{arch:?}");
    }
}

#[test]
fn a_receiver_that_gets_too_little_is_explained() {
    let mut sim = sim(pair(Arch::Wse2, 3, 4));
    let ticket = sim.submit(read(1, 4)).expect("a right command");
    let Err(RunError::Deadlock(deadlock)) = sim.wait(ticket) else { panic!("it cannot finish") };
    let wait = &deadlock.threads[0];
    assert_eq!((wait.x, wait.y, wait.tiles, wait.what.program), (1, 0, 1, ProgramId::new(1)));
    assert_eq!(wait.what.waiting.need, csl_pe::Need::Wavelet { queue: 2, color: Color::at(COLOR) });
    assert_eq!(wait.what.waiting.left, Some(1));
}

#[test]
fn what_leaves_the_program_is_counted_by_color() {
    let routes = [(0, 0, COLOR, RAMP, E | N), (1, 0, COLOR, W, E), (0, 1, COLOR, RAMP, S)];
    let mut sim = sim(layout(Arch::Wse2, vec![sender(20), program(&[])], &[&[0, 1], &[0, 1]], &routes));
    sim.stop().expect("nothing goes wrong");
    let dropped = sim.blocked_state().dropped;
    assert_eq!(dropped.len(), 1);
    assert_eq!((dropped[0].x, dropped[0].y, dropped[0].tiles), (0, 0, 3));
    assert_eq!(
        dropped[0].what,
        csl_sim::Dropped { color: Color::at(COLOR), wavelets: 60, side: csl_machine::Direction::North }
    );
}

/// Where a tile has no program the fabric outside begins.
#[test]
fn tiles_without_a_program_lie_outside() {
    let routes = [(0, 0, COLOR, RAMP, E)];
    let mut image = layout(Arch::Wse2, vec![sender(3)], &[&[0, 0]], &routes);
    image.tiles.retain(|run| run.x == 0);
    let mut sim = sim(image);
    sim.stop().expect("nothing goes wrong");
    assert_eq!(sim.blocked_state().dropped[0].what.wavelets, 3);
}

#[test]
fn streams_pass_through_a_program_word_by_word() {
    let mut pe = program(&[]);
    bind(&mut pe, QueueDir::In, 2, 4);
    bind(&mut pe, QueueDir::Out, 3, 5);
    let relay = vec(&mut pe, VecOp::Mov32, fabout(5, 3, 6), fabin(4, 2, 6));
    main_task(&mut pe, &[relay]);
    for arch in [Arch::Wse2, Arch::Wse3] {
        let mut sim = sim(layout(arch, vec![pe.clone()], &[&[0, 0]], &[]));
        let (copy, spread) = (Copy::of(Rect::new(0, 0, 2, 1), 6), Spread::Each);
        let data: Vec<u32> = (1..=12).collect();
        let to = Endpoint::Color(Color::at(4));
        let out = sim.submit(Command::D2h { from: Endpoint::Color(Color::at(5)), copy, room: 12 }).expect("right");
        sim.submit(Command::H2d { to, copy, spread, array: data.clone() }).expect("right");
        assert_eq!(sim.wait(out), Ok(Some(data)), "{arch:?}");
    }
}

/// The tutorial on color swaps streams without blocking and then copies the result.
#[test]
fn a_copy_waits_for_the_stream_before_it() {
    let mut pe = program(&[0; 6]);
    bind(&mut pe, QueueDir::In, 2, 4);
    let receive = vec_async(&mut pe, VecOp::Mov32, mem(DATA, 6), fabin(4, 2, 6), 9);
    main_task(&mut pe, &[receive]);
    task(&mut pe, 9, &[]);
    let mut sim = sim(layout(Arch::Wse2, vec![pe], &[&[0]], &[]));
    let (copy, spread) = (Copy::of(Rect::new(0, 0, 1, 1), 6), Spread::Each);
    let data: Vec<u32> = (1..=6).collect();
    let to = Endpoint::Color(Color::at(4));
    sim.submit(Command::H2d { to, copy, spread, array: data.clone() }).expect("right");
    let copy = sim.submit(read(0, 6)).expect("right");
    assert_eq!(sim.wait(copy), Ok(Some(data)));
}

/// Programs may leave wavelets behind: that is no error, but the host can ask for them.
#[test]
fn wavelets_that_nobody_takes_are_named_at_the_end() {
    let routes = [(0, 0, COLOR, RAMP, E), (1, 0, COLOR, N, RAMP)];
    let mut sim = sim(layout(Arch::Wse2, vec![sender(1), receiver(1)], &[&[0, 1]], &routes));
    sim.stop().expect("nothing goes wrong");
    let left = sim.blocked_state();
    let stalled = &left.wavelets[0];
    assert_eq!((stalled.x, stalled.what.color, stalled.what.from), (1, Color::at(COLOR), csl_machine::Direction::West));
    assert_eq!(stalled.what.why, csl_fabric::StallReason::InputClosed { ever: false });
    assert!(sim.is_at_rest());
    assert_eq!(left.counts, [csl_sim::Count { color: Color::at(COLOR), wavelets: 1, pes: 1 }]);
}

/// A task that activates itself is never at rest; the interrupt gives an account.
#[test]
fn an_interrupted_run_says_who_runs_and_who_waits() {
    let again = Insn::new(Op::Sys, SysOp::ActivateTask as u16, 0, NO_REG);
    let mut busy = program(&[]);
    main_task(&mut busy, &[Insn::new(Op::Imm, 0, 8, 0), again]);
    let routes = [(1, 0, COLOR, W, RAMP)];
    let image = layout(Arch::Wse2, vec![busy, receiver(4)], &[&[0, 1, 0]], &routes);
    let mut sim = sim(image);
    let ticket = sim.submit(read(1, 4)).expect("a right command");
    sim.options().interrupt.store(true, std::sync::atomic::Ordering::Relaxed);
    let Err(RunError::Interrupted(blocked_state)) = sim.wait(ticket) else { panic!("it never ends") };
    assert_eq!(blocked_state.host[0].pes, 1);
    assert_eq!((blocked_state.threads.len(), blocked_state.threads[0].x), (1, 1));
    let ready = &blocked_state.tasks[0];
    assert_eq!(
        (ready.what, ready.tiles, ready.x),
        (TaskWait { program: ProgramId::new(0), id: 8, is_blocked: false }, 2, 0)
    );
}

/// `<tile_config>` may set up a color that the layout leaves alone.
#[test]
fn a_program_may_route_a_color_of_its_own() {
    let mut pe = sender(2);
    let route = u16::from(RAMP) << 5 | u16::from(E);
    let imm = |reg, value| Insn::new(Op::Imm, reg, value, 0);
    let write =
        [imm(0, 0x7f20 + u16::from(COLOR)), imm(1, route), Insn::new(Op::Sys, SysOp::SetConfig as u16, 0, NO_REG)];
    pe.code.splice(0..0, write);
    pe.funcs[0].end += 3;
    let image = layout(Arch::Wse2, vec![pe, receiver(2)], &[&[0, 1]], &[(1, 0, COLOR, W, RAMP)]);
    let mut sim = sim(image);
    let ticket = sim.submit(read(1, 2)).expect("a right command");
    assert_eq!(sim.wait(ticket), Ok(Some(vec![1, 2])));
}

/// The last wavelet of an operation with `advance_switch` leaves by the old position, the next by the new one.
#[test]
fn an_operation_advances_its_own_router() {
    let mut pe = program(&[1, 2, 3]);
    bind(&mut pe, QueueDir::Out, 2, COLOR);
    let flags = csl_isa::dsd::fabric_flags::ADVANCE_SWITCH;
    let last = csl_isa::vec::VecArg::DsdConst(Dsd::fabric(DsdClass::Fabout, Color::new(COLOR), 2, 2, flags, false).0);
    let code = [
        vec(&mut pe, VecOp::Mov32, last, mem(DATA, 2)),
        vec(&mut pe, VecOp::Mov32, fabout(COLOR, 2, 1), mem(DATA + 8, 1)),
    ];
    main_task(&mut pe, &code);
    let routes = [(0, 0, COLOR, RAMP, E), (1, 0, COLOR, W, RAMP), (0, 1, COLOR, N, RAMP)];
    let mut image = layout(Arch::Wse2, vec![pe, receiver(2), receiver(1)], &[&[0, 1], &[2, 2]], &routes);
    image.color_configs[0].positions[0] = csl_machine::SwitchPos::Tx(csl_machine::DirSet(S));
    let mut sim = sim(image);
    for (at, words) in [((1, 0), vec![1, 2]), ((0, 1), vec![3])] {
        let rect = Rect::new(at.0, at.1, 1, 1);
        let copy = Copy::of(rect, words.len() as u32);
        let command = Command::D2h { from: Endpoint::Symbol(DATA_ID), copy, room: words.len() };
        let ticket = sim.submit(command).expect("a right command");
        assert_eq!(sim.wait(ticket), Ok(Some(words)));
    }
}

/// Down the ramp goes one wavelet a cycle, from the output queues in turn, whatever links they are for.
#[test]
fn output_queues_share_the_ramp() {
    let mut pe = program(&[1, 2, 3, 4]);
    bind(&mut pe, QueueDir::Out, 2, COLOR);
    bind(&mut pe, QueueDir::Out, 3, COLOR + 1);
    let write = Insn::new(Op::Sys, SysOp::SetConfig as u16, 0, NO_REG);
    let imm = |reg, value| Insn::new(Op::Imm, reg, value, 0);
    let open =
        |color: u8, to: u8| [imm(0, 0x7f20 + u16::from(color)), imm(1, u16::from(RAMP) << 5 | u16::from(to)), write];
    let send = |pe: &mut PeImage, color, queue| vec(pe, VecOp::Mov32, fabout(color, queue, 4), mem(DATA, 4));
    // A route without an input from the ramp.
    let closed = |color: u8| [imm(0, 0x7f20 + u16::from(color)), imm(1, u16::from(N) << 5), write];
    let mut code = closed(COLOR).to_vec();
    code.extend(closed(COLOR + 1));
    code.extend([send(&mut pe, COLOR, 2), send(&mut pe, COLOR + 1, 3)]);
    code.extend(open(COLOR, W));
    code.extend(open(COLOR + 1, E));
    main_task(&mut pe, &code);
    let routes = [(0, 0, COLOR, E, RAMP), (2, 0, COLOR + 1, W, RAMP)];
    let mut sim = traced(layout(Arch::Wse2, vec![receiver(4), pe, program(&[])], &[&[0, 1, 2]], &routes));
    sim.stop().expect("no fault");
    let from_ramp = |event: csl_sim::Event| match event.what {
        csl_sim::EventKind::Fabric {
            color,
            what: csl_fabric::Traced::Landing { from: csl_machine::Direction::Ramp, .. },
        } => Some((event.cycle, color.number())),
        _ => None,
    };
    let sent: Vec<(u64, u8)> = sim.take_events().into_iter().filter_map(from_ramp).collect();
    let first = sent[4].0;
    let in_turn: Vec<(u64, u8)> = [3, 4, 3, 4].into_iter().zip(first..).map(|(color, cycle)| (cycle, color)).collect();
    assert_eq!(sent[4..], in_turn, "behind the two of each color that their closed routes took");
}
