//! Runs without a clock end, or can be ended, where the routes of a color lead in a circle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use csl_image::Image;
use csl_machine::{Arch, QueueDir, VecOp};
use csl_sim::{Ending, RunError, Sim, SimOptions, TimeReads};

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

/// Else its copies would fill all memory: nothing takes them.
#[test]
fn a_wavelet_that_lands_at_each_turn_does_not_go_round_for_ever() {
    let (mut sim, _) = without_clock(circle(RAMP), None);
    assert_eq!(sim.rest(), Ok(()));
}
