//! Core files of a small program: any bytes, and any bytes behind a right head.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the shared file has more than this target needs")]

use std::sync::LazyLock;

use csl_host::core_file::Core;
use csl_image::{Image, sealed};
use csl_machine::Arch;
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/csl-sim/tests/sim/builder.rs"]
mod builder;

static IMAGE: LazyLock<Image> =
    LazyLock::new(|| builder::layout(Arch::Wse2, vec![builder::program(&[1, 2, 3])], &[&[0, 0]], &[]));

fuzz_target!(|data: &[u8]| {
    let Some((&kind, rest)) = data.split_first() else { return };
    let bytes = match kind % 2 {
        0 => rest.to_vec(),
        _ => sealed([&Core::head(&IMAGE)[..], rest].concat()),
    };
    let Ok(mut core) = Core::of(&bytes, IMAGE.clone()) else { return };
    for (x, y) in [(0, 0), (4, 1), (5, 1), (u32::MAX, u32::MAX)] {
        for (addr, count) in [(0, 16), (0xbffe, 4), (0xffff, 0x1_0000)] {
            let _ = core.read(x, y, addr, count);
        }
        let _ = core.read_symbol(x, y, "ptr");
    }
});
