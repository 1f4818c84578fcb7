//! Cycle counts of public logs (vendor simulator, WSE-2), on programs of single operations. The cycles of a program's
//! own code around them are the compiler's, so these tests compare slopes and differences.

use csl_fabric::Traced;
use csl_image::Image;
use csl_isa::{Insn, NO_REG, Op};
use csl_machine::{Arch, QueueDir, SysOp, VecOp};
use csl_sim::{EventKind, Rect};

use crate::builder::*;

/// The byte address where a PE stores the cycle of its last event.
const STAMP: u16 = 0x180;

fn start_counter() -> Insn {
    Insn::new(Op::Sys, SysOp::TscEnable as u16, 0, NO_REG)
}

/// Stores the low half of the timestamp counter.
fn stamp() -> [Insn; 3] {
    let index = Insn::new(Op::Imm, 1, 0, 0);
    let read = Insn::new(Op::Sys, SysOp::TscWord as u16, 1, 2);
    [index, read, Insn::new(Op::Store16At, 2, STAMP, 0)]
}

fn run(image: Image, x: u32) -> u64 {
    let mut sim = sim(image);
    sim.stop().expect("no fault");
    let bytes = sim.read_memory(x, 0, STAMP, 2).expect("there is a PE");
    u64::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// A PE that sends to itself through its router: output queue 3, and input queue 4, which is two words deep.
fn ramp_to_ramp(words: u16) -> u64 {
    const COLOR: u8 = 3;
    let mut pe = program(&[]);
    bind(&mut pe, QueueDir::Out, 3, COLOR);
    bind(&mut pe, QueueDir::In, 4, COLOR);
    let receive = vec_async(&mut pe, VecOp::Fmovs, mem(0x4000, words), fabin(COLOR, 4, words), 9);
    let send = vec_async(&mut pe, VecOp::Fmovs, fabout(COLOR, 3, words), mem(0x400, words), 10);
    main_task(&mut pe, &[start_counter(), send, receive]);
    task(&mut pe, 9, &stamp());
    task(&mut pe, 10, &[]);
    run(layout(Arch::Wse2, vec![pe], &[&[0]], &[(0, 0, COLOR, RAMP, RAMP)]), 0)
}

/// 3.5 cycles a word, exactly from word to word; the first words come up to 11 cycles sooner than measured (the part that
/// `tests/timing/recorded.tsv` has as loopback): the input queue takes two words every seven cycles from the PE's own ramp.
#[test]
fn ramp_to_ramp_takes_seven_cycles_for_two_words() {
    let measured =
        [(2, 36), (5, 51), (10, 66), (20, 101), (50, 209), (100, 387), (200, 737), (500, 1787), (1000, 3537)];
    let one = ramp_to_ramp(1);
    for (words, cycles) in measured {
        let found = ramp_to_ramp(words) - one;
        assert!((cycles - 34u64).abs_diff(found) <= 11, "{words} words: {found}, measured {}", cycles - 34);
    }
    assert_eq!(ramp_to_ramp(2000) - ramp_to_ramp(1000), 3500);
}

/// A row of PEs: the first sends, each adds its own words to what comes from the west, the last keeps the sum. Two colors
/// in turn, so that a PE may send while its neighbour does.
fn chain(words: u16, pes: u32) -> u64 {
    let (even, odd) = (4, 5);
    let (bytes, sum) = (0x400, 0x6000);
    let own = mem(bytes, words);
    let color = |x: u32| if x.is_multiple_of(2) { even } else { odd };
    let mut programs = Vec::new();
    for x in 0..pes {
        let mut pe = program(&[]);
        let (from, to) = (color(x + 1), color(x));
        bind(&mut pe, QueueDir::In, 2, from);
        let fabout = unqueued(to, words);
        let code = match x {
            0 => vec![vec(&mut pe, VecOp::Fmovs, fabout, own)],
            _ if x == pes - 1 => {
                let add = add(&mut pe, mem(sum, words), own, fabin(from, 2, words));
                [vec![start_counter(), add], stamp().to_vec()].concat()
            }
            _ => vec![add(&mut pe, fabout, own, fabin(from, 2, words))],
        };
        main_task(&mut pe, &code);
        programs.push(pe);
    }
    let mut routes = Vec::new();
    for x in 0..pes {
        if x + 1 < pes {
            routes.push((x, 0, color(x), RAMP, E));
        }
        if x > 0 {
            routes.push((x, 0, color(x + 1), W, RAMP));
        }
    }
    let tiles: Vec<u32> = (0..pes).collect();
    run(layout(Arch::Wse2, programs, &[&tiles], &routes), pes - 1)
}

/// N + 6 * (P - 1) + a constant (7,218 cycles for 4,096 words over 512 PEs, exact).
#[test]
fn a_chain_reduction_streams_at_a_word_a_cycle_with_six_cycles_a_pe() {
    let base = chain(64, 2);
    for (words, pes) in [(64, 3), (64, 9), (256, 2), (256, 12), (1024, 30)] {
        let expected = base + u64::from(words - 64) + 6 * u64::from(pes - 2);
        assert_eq!(chain(words, pes), expected, "{words} words over {pes} PEs");
    }
}

/// One wavelet over one link, by the landing log of a sender and its neighbour: RAMP, then a hop later the neighbour.
#[test]
fn an_operation_lands_on_the_ramp_after_its_latency_and_on_the_neighbour_a_hop_later() {
    for (arch, ramp, hop) in [(Arch::Wse2, 5, 1), (Arch::Wse3, 7, 2)] {
        let mut sender = program(&[1]);
        bind(&mut sender, QueueDir::Out, 2, 3);
        let send = vec(&mut sender, VecOp::Mov32, fabout(3, 2, 1), mem(DATA, 1));
        main_task(&mut sender, &[send]);
        let routes = [(0, 0, 3, RAMP, E), (1, 0, 3, W, RAMP)];
        let image = layout(arch, vec![sender, program(&[])], &[&[0, 1]], &routes);
        let mut sim = traced(image);
        sim.stop().expect("no fault");
        let is_landing = |what: &EventKind| matches!(what, EventKind::Fabric { what: Traced::Landing { .. }, .. });
        let landings: Vec<_> = sim.take_events().into_iter().filter(|event| is_landing(&event.what)).collect();
        assert_eq!(landings.len(), 2);
        assert_eq!(landings[1].cycle - landings[0].cycle, hop, "{arch:?}");
        assert!(landings[0].cycle >= ramp);
    }
}

/// The final results do not depend on when the host asks.
#[test]
fn polling_and_waiting_give_the_same_run() {
    let image = || layout(Arch::Wse2, vec![program(&[7])], &[&[0]], &[]);
    let read = |rect| csl_sim::Command::D2h {
        from: csl_sim::Endpoint::Symbol(DATA_ID),
        copy: csl_sim::Copy::of(rect, 1),
        room: 1,
    };
    let mut waiting = sim(image());
    let ticket = waiting.submit(read(Rect::new(0, 0, 1, 1))).expect("a right command");
    waiting.wait(ticket).expect("it finishes");
    let mut polling = sim(image());
    let ticket = polling.submit(read(Rect::new(0, 0, 1, 1))).expect("a right command");
    while !polling.is_done(ticket).expect("no fault") {}
    assert_eq!(waiting.cycle(), polling.cycle());
}
