//! Random machine programs against the reference engine. The bytes are the choices of the two generators of csl-sim's tests.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the shared files hold tests, too")]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/csl-sim/tests/sim/builder.rs"]
mod builder;
#[path = "../../crates/csl-sim/tests/sim/engines.rs"]
mod engines;
#[path = "../../crates/csl-sim/tests/sim/load.rs"]
mod load;
#[path = "../../crates/csl-sim/tests/sim/random.rs"]
mod random;
#[path = "../../crates/csl-sim/tests/sim/reference.rs"]
mod reference;
#[path = "../../crates/csl-sim/tests/sim/routers.rs"]
mod routers;
#[path = "../../crates/csl-sim/tests/sim/saturate.rs"]
mod saturate;

use engines::{ALONE, Engine, EveryCycle, LAST, OnThreads};
use random::Dice;

fuzz_target!(|data: &[u8]| {
    let Some((&kind, choices)) = data.split_first() else { return };
    let dice = Dice::of_bytes(choices.to_vec());
    let (image, bytes) = match kind & 3 {
        0 => (saturate::generate(dice).0, saturate::END),
        _ => (random::random_image(dice), random::END),
    };
    let image = Arc::new(image);
    let is_traced = kind & 4 != 0;
    let expected = EveryCycle.run(&image, bytes, is_traced);
    // The main thread of an engine that is stopped may be ahead.
    if expected.end >= LAST {
        return;
    }
    let engine = match kind >> 3 & 3 {
        0 => ALONE,
        cycles => OnThreads::windows(if kind & 32 == 0 { 1 } else { 2 }, 1 + u32::from(cycles)),
    };
    if let Some(difference) = engine.run(&image, bytes, is_traced).difference(&expected) {
        panic!("{}: {difference}", engine.name());
    }
});
