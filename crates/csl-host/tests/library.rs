//! The standard library, checked by the program `tests/run/std` on both machines and in every 16-bit float format.

use std::path::{Path, PathBuf};

use csl_host::{Arch, Copy, Options, Order, Rect, Runtime, Settings, Width, compile};
use csl_num::FloatKind;
use tempfile::TempDir;

use crate::program;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/run/std")
}

/// How far each PE came: 2 when every assertion held.
fn run(arch: Arch, fp16: FloatKind) -> Vec<u32> {
    let output = TempDir::new().expect("a temporary folder");
    let options = Options {
        folder: sources(),
        output: output.path().join("out"),
        arch,
        fp16,
        memcpy: true,
        ..Options::new("layout.csl")
    };
    let compiled = compile(&options);
    assert!(compiled.succeeded(), "{}", program::text(&compiled));
    let settings = Settings { threads: 1, check: false };
    let mut runtime = Runtime::open(&options.output, settings).expect("the program opens");
    runtime.load().expect("load() comes first");
    runtime.run().expect("run() comes second");
    let done = runtime.id("done").expect("done is exported").into();
    let task = runtime.launch("main", &[]).expect("the call is taken");
    runtime.wait(task).unwrap_or_else(|error| panic!("{arch} {fp16}: {error}"));
    let copy =
        Copy { rect: Rect::new(0, 0, 2, 1), per_pe: 1, width: Width::Bits32, order: Order::RowMajor, streaming: false };
    let task = runtime.d2h(done, 2, &copy).expect("the copy is taken");
    runtime.wait(task).unwrap_or_else(|error| panic!("{arch} {fp16}: {error}"));
    runtime.take_arrived().remove(0).1
}

#[test]
fn every_assertion_holds() {
    for arch in Arch::ALL {
        for fp16 in [FloatKind::F16, FloatKind::Bf16, FloatKind::Cb16] {
            assert_eq!(run(arch, fp16), [2, 2], "{arch} {fp16}");
        }
    }
}
