//! Programs, changed by words: the compiler ends within its limits, and what it accepts is a valid image that runs without
//! panic.
#![no_main]

use std::sync::Arc;

use csl_sim::{Sim, SimOptions};
use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target, fuzzer_mutate};
use waferlab_fuzz::{Random, program, put, words};

/// Cycles that a program runs, and PEs that it may have for that.
const CYCLES: u64 = 300;
const PES: u32 = 16;

fuzz_target!(|data: &[u8]| {
    let Some(image) = program::compile(&String::from_utf8_lossy(data)) else { return };
    if image.rect.width * image.rect.height <= PES {
        let options = SimOptions { max_cycles: Some(CYCLES), ..SimOptions::default() };
        // Faults and limits are ends like any other.
        let _ = Sim::new(Arc::new(image), options).expect("a compiled image loads").stop();
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Random::new(seed);
    if random.below(16) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let text = words::mutated(&String::from_utf8_lossy(&data[..size]), &mut random);
    put(text.as_bytes(), data, max_size)
});

fuzz_crossover!(|data1: &[u8], data2: &[u8], out: &mut [u8], seed: u32| {
    let (text, other) = (String::from_utf8_lossy(data1), String::from_utf8_lossy(data2));
    let most = out.len();
    put(words::crossed(&text, &other, &mut Random::new(seed)).as_bytes(), out, most)
});
