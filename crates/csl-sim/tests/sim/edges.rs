//! Tests of hosts beside the program: words enter and leave by the links of its outermost PEs.

use csl_image::{Image, PeImage};
use csl_machine::{Arch, Color, Direction, QueueDir, VecOp, Wavelet};
use csl_sim::{Port, PortError, RunError, SimOptions, TimeReads, Windows};

use crate::builder::*;

const IN: u8 = 3;
const OUT: u8 = 4;

/// Sends `count` words on as they come.
fn relay(count: u16) -> PeImage {
    let mut pe = program(&[]);
    bind(&mut pe, QueueDir::In, 2, IN);
    bind(&mut pe, QueueDir::Out, 3, OUT);
    let pass = vec(&mut pe, VecOp::Mov32, fabout(OUT, 3, count), fabin(IN, 2, count));
    main_task(&mut pe, &[pass]);
    pe
}

/// Two PEs above each other, which pass words from west to east.
fn relays(arch: Arch, count: u16) -> Image {
    let routes = [(0, 0, IN, W, RAMP), (0, 0, OUT, RAMP, E), (0, 1, IN, W, RAMP), (0, 1, OUT, RAMP, E)];
    layout(arch, vec![relay(count)], &[&[0], &[0]], &routes)
}

fn port(y: u32, side: Direction, color: u8) -> Port {
    Port { x: 0, y, side, color: Color::at(color) }
}

fn words(range: std::ops::Range<u32>) -> Vec<Wavelet> {
    range.map(Wavelet::word).collect()
}

#[test]
fn words_pass_by_the_edges_of_the_program() {
    for arch in [Arch::Wse2, Arch::Wse3] {
        let run = |threads, windows| {
            let mut sim = threaded(relays(arch, 50), threads, windows);
            for y in 0..2 {
                sim.let_in(port(y, Direction::West, IN), words(100 * y..100 * y + 30)).expect("a port");
                sim.let_in(port(y, Direction::West, IN), words(100 * y + 30..100 * y + 50)).expect("a port");
                sim.let_out(port(y, Direction::East, OUT), 50).expect("a port");
            }
            sim.run_ports().expect("all words come");
            let cycle = sim.cycle();
            let left = [0, 1].map(|y| sim.take_left(port(y, Direction::East, OUT)));
            (left, cycle, sim.landings())
        };
        let (left, cycle, landings) = run(1, Windows::Busy);
        assert_eq!(left, [words(0..50), words(100..150)]);
        // A word a cycle, and the way.
        assert!((50..90).contains(&cycle), "{arch:?}: {cycle} cycles");
        for (threads, windows) in [(1, Windows::Always { cycles: 4 }), (2, Windows::Always { cycles: 3 })] {
            let (others, _, _) = run(threads, windows);
            assert_eq!(others, left, "{arch:?} {threads} {windows:?}");
        }
        assert_eq!(run(1, Windows::Busy).2, landings);
    }
}

/// The tile receives on the other color of the pair what the host sends.
#[test]
fn colors_are_swapped_on_the_way_in() {
    let mut image = relays(Arch::Wse2, 5);
    let inputs = image.routes.iter().filter(|route| route.color == Color::at(IN));
    for config in inputs.map(|route| route.config).collect::<Vec<_>>() {
        image.color_configs[config as usize].swap_x = true;
    }
    let mut sim = sim(image);
    let partner = Color::at(IN).partner().number();
    sim.let_in(port(0, Direction::West, partner), words(0..5)).expect("a port");
    sim.let_out(port(0, Direction::East, OUT), 5).expect("a port");
    sim.run_ports().expect("all words come");
    assert_eq!(sim.take_left(port(0, Direction::East, OUT)), words(0..5));
}

#[test]
fn words_that_find_no_room_wait_outside() {
    let mut sim = sim(relays(Arch::Wse2, 10));
    sim.let_in(port(0, Direction::West, IN), words(0..100)).expect("a port");
    sim.let_out(port(0, Direction::East, OUT), 11).expect("a port");
    assert!(matches!(sim.run_ports(), Err(RunError::Deadlock(_))));
    assert_eq!(sim.missing(), 1);
    assert_eq!(sim.take_left(port(0, Direction::East, OUT)), words(0..10));
}

#[test]
fn what_is_not_awaited_is_dropped() {
    let mut sim = sim(relays(Arch::Wse3, 10));
    sim.let_in(port(0, Direction::West, IN), words(0..10)).expect("a port");
    sim.let_out(port(0, Direction::East, OUT), 4).expect("a port");
    sim.run_ports().expect("four words come");
    sim.stop().expect("the others leave");
    assert_eq!(sim.take_left(port(0, Direction::East, OUT)), words(0..4));
    assert_eq!(sim.blocked_state().dropped[0].what.wavelets, 6);
}

#[test]
fn a_port_stands_at_the_edge_and_has_a_route() {
    let mut sim = sim(relays(Arch::Wse2, 10));
    let (x, y) = (0, 0);
    let inside = sim.let_in(port(y, Direction::South, IN), words(0..1));
    assert_eq!(inside, Err(PortError::NoEdge { x, y }));
    assert_eq!(sim.let_out(port(y, Direction::Ramp, OUT), 1), Err(PortError::NoEdge { x, y }));
    let color = Color::at(9);
    assert_eq!(sim.let_in(port(y, Direction::West, 9), words(0..1)), Err(PortError::NoRoute { x, y, color }));
    sim.stop().expect("nothing moves");
    assert_eq!(sim.let_in(port(y, Direction::West, IN), words(0..1)), Err(PortError::Stopped));
}

#[test]
fn there_are_none_without_a_clock() {
    let options = SimOptions { untimed: Some(TimeReads::Refused), ..SimOptions::default() };
    let mut sim = csl_sim::Sim::new(relays(Arch::Wse2, 10).into(), options).expect("the image is right");
    assert_eq!(sim.let_out(port(0, Direction::East, OUT), 1), Err(PortError::NoClock));
}
