//! Runs without a clock end, or can be ended, where the routes of a color lead in a circle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use csl_image::Image;
use csl_machine::{Arch, QueueDir, VecOp};
use csl_sim::{Command, Copy, Ending, Endpoint, Rect, RunError, Sim, SimOptions, TimeReads};

use crate::builder::*;

/// More rows than are carried together.
const HEIGHT: u32 = 6;
const COLOR: u8 = 3;

/// Two columns around which a word goes that the first tile sends: down on the right, up on the left. `also` are further
/// directions in which the first tile passes it on.
fn circle(also: u8) -> Image {
    let mut sender = program(&[7]);
    bind(&mut sender, QueueDir::Out, 2, COLOR);
    bind(&mut sender, QueueDir::In, 2, COLOR);
    let send = vec(&mut sender, VecOp::Mov32, fabout(COLOR, 2, 1), mem(DATA, 1));
    main_task(&mut sender, &[send]);
    let mut routes = vec![(0, 0, COLOR, RAMP | S, E | also), (1, 0, COLOR, W, S)];
    for y in 1..HEIGHT - 1 {
        routes.extend([(0, y, COLOR, S, N), (1, y, COLOR, N, S)]);
    }
    routes.extend([(0, HEIGHT - 1, COLOR, E, N), (1, HEIGHT - 1, COLOR, N, W)]);
    let tiles: Vec<&[u32]> = (0..HEIGHT).map(|y| if y == 0 { &[0, 1][..] } else { &[1, 1] }).collect();
    let mut image = layout(Arch::Wse3, vec![sender, program(&[])], &tiles, &routes);
    image.memcpy = None;
    image
}

fn without_clock(image: Image, max_cycles: Option<u64>) -> (Sim, Arc<AtomicBool>) {
    let options = SimOptions { untimed: Some(TimeReads::Refused), max_cycles, ..SimOptions::default() };
    let interrupt = Arc::clone(&options.interrupt);
    (Sim::new(Arc::new(image), options).expect("the image is right"), interrupt)
}

#[test]
fn the_limit_of_cycles_holds_for_a_wavelet_that_goes_round() {
    for most in [3, 1000, 5_000_000] {
        let end = without_clock(circle(0), Some(most)).0.rest();
        assert!(matches!(end, Err(RunError::OutOfCycles(_))), "{end:?}");
    }
    let end = without_clock(circle(0), None).0.stop();
    assert!(matches!(end, Ok(Ending::CutOff { .. })), "{end:?}");
}

#[test]
fn an_interrupt_ends_a_run_in_which_a_wavelet_goes_round() {
    let (mut sim, interrupt) = without_clock(circle(0), None);
    let waiting = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        interrupt.store(true, Ordering::Relaxed);
    });
    let end = sim.rest();
    waiting.join().expect("it only waits");
    assert!(matches!(end, Err(RunError::Interrupted(_))), "{end:?}");
}

/// Nothing runs in its round, and yet the run has not come to rest.
#[test]
fn an_interrupt_before_a_round_is_no_rest() {
    let (mut sim, interrupt) = without_clock(circle(0), None);
    interrupt.store(true, Ordering::Relaxed);
    assert!(matches!(sim.rest(), Err(RunError::Interrupted(_))));
}

/// Else its copies would fill all memory: nothing takes them.
#[test]
fn a_wavelet_that_lands_at_each_turn_does_not_go_round_for_ever() {
    let (mut sim, _) = without_clock(circle(RAMP), None);
    assert_eq!(sim.rest(), Ok(()));
}

/// A host that polls stops the clock again and again, with wavelets on their way: no later one overtakes them. The way is longer than what
/// a poll runs.
#[test]
fn polls_do_not_change_the_order_of_wavelets_on_a_long_way() {
    const WIDTH: u32 = 300;
    const WORDS: u16 = 4000;
    let (at, mut idle) = (0x200, program(&[]));
    export(&mut idle, 1, &[unblock_cmd_stream()]);
    let mut sender = program(&(0..WORDS.into()).collect::<Vec<u32>>());
    bind(&mut sender, QueueDir::Out, 2, COLOR);
    let code: Vec<_> =
        (0..WORDS).map(|i| vec(&mut sender, VecOp::Mov32, fabout(COLOR, 2, 1), mem(at + 4 * i, 1))).collect();
    export(&mut sender, 1, &[code, vec![unblock_cmd_stream()]].concat());
    let mut receiver = program(&vec![u32::MAX; WORDS.into()]);
    bind(&mut receiver, QueueDir::In, 2, COLOR);
    let take = vec(&mut receiver, VecOp::Mov32, mem(at, WORDS), fabin(COLOR, 2, WORDS));
    export(&mut receiver, 1, &[take, unblock_cmd_stream()]);
    let mut routes = vec![(0, 0, COLOR, RAMP, S), (0, 1, COLOR, N, E), (WIDTH - 1, 1, COLOR, W, RAMP)];
    routes.extend((1..WIDTH - 1).map(|x| (x, 1, COLOR, W, E)));
    let upper: Vec<u32> = (0..WIDTH).map(|x| u32::from(x > 0)).collect();
    let lower: Vec<u32> = (0..WIDTH).map(|x| if x == WIDTH - 1 { 2 } else { 1 }).collect();
    let image = layout(Arch::Wse3, vec![sender, idle, receiver], &[&upper, &lower], &routes);
    let (mut sim, _) = without_clock(image, None);
    let launch = sim.submit(Command::Launch { function: FUNC_ID, args: vec![0] }).expect("it is exported");
    let copy = Copy::of(Rect::new(WIDTH - 1, 1, 1, 1), WORDS.into());
    let back = Command::D2h { from: Endpoint::Symbol(DATA_ID), copy, room: WORDS.into() };
    let back = sim.submit(back).expect("it fits");
    let mut polls = 0;
    while !(sim.is_done(launch).expect("no fault") && sim.is_done(back).expect("no fault")) {
        polls += 1;
    }
    assert!(polls > 2, "{polls}");
    let words = sim.wait(back).expect("it is done").expect("a copy");
    assert!(words.iter().copied().eq(0..WORDS.into()), "{words:?}");
}
