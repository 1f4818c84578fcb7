//! Programs that talk over the fabric.

use csl_chip::{SysOp, VecOp};
use csl_image::{Arch, Image, PeImage, QueueDir};
use csl_isa::{Insn, NO_REG, Op};
use csl_sim::{Command, Endpoint, FaultKind, Rect, Spread, Stop, TaskWait, Width};

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
    Command::D2h { from: Endpoint::Symbol(DATA_ID), rect, per_pe: count, width: Width::Bits32 }
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
    let Err(Stop::Deadlock(deadlock)) = sim.wait(ticket) else { panic!("it cannot finish") };
    let wait = &deadlock.threads[0];
    assert_eq!((wait.x, wait.y, wait.tiles, wait.what.program), (1, 0, 1, 1));
    assert_eq!(wait.what.waiting.need, csl_pe::Need::Wavelet { queue: 2, color: COLOR });
    assert_eq!(wait.what.waiting.left, Some(1));
}

#[test]
fn a_wavelet_that_leaves_into_nowhere_is_a_fault() {
    let mut sim = sim(layout(Arch::Wse2, vec![sender(1)], &[&[0]], &[(0, 0, COLOR, RAMP, E)]));
    let Err(Stop::Fault(fault)) = sim.stop() else { panic!("it leaves the rectangle") };
    let FaultKind::Fabric(what) = fault.what else { panic!("it is the router's fault") };
    assert_eq!((fault.x, fault.y, what.color), (0, 0, COLOR));
    assert_eq!(what.kind, csl_fabric::FaultKind::Nowhere { side: 1, path: vec![(0, 0)] });
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
        let (rect, width, spread) = (Rect::new(0, 0, 2, 1), Width::Bits32, Spread::Each);
        let data: Vec<u32> = (1..=12).collect();
        let to = Endpoint::Color(4);
        let out = sim.submit(Command::D2h { from: Endpoint::Color(5), rect, per_pe: 6, width }).expect("right");
        sim.submit(Command::H2d { to, rect, per_pe: 6, width, spread, data: data.clone() }).expect("right");
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
    let (rect, width, spread) = (Rect::new(0, 0, 1, 1), Width::Bits32, Spread::Each);
    let data: Vec<u32> = (1..=6).collect();
    let to = Endpoint::Color(4);
    sim.submit(Command::H2d { to, rect, per_pe: 6, width, spread, data: data.clone() }).expect("right");
    let copy = sim.submit(read(0, 6)).expect("right");
    assert_eq!(sim.wait(copy), Ok(Some(data)));
}

/// A task that activates itself is never at rest; the interrupt shows what there is to see.
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
    let Err(Stop::Interrupted(situation)) = sim.wait(ticket) else { panic!("it never ends") };
    assert_eq!(situation.host[0].pes, 1);
    assert_eq!((situation.threads.len(), situation.threads[0].x), (1, 1));
    let ready = &situation.tasks[0];
    assert_eq!((ready.what, ready.tiles, ready.x), (TaskWait { program: 0, id: 8, is_blocked: false }, 2, 0));
}
