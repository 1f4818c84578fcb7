//! The standard library, checked by the program `tests/run/std` on both machines and in every 16-bit float format.

use std::path::{Path, PathBuf};

use csl_host::{Arch, Options, Rect};
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
    let mut runtime = program::started(&options);
    program::call(&mut runtime, "main", &[])
        .and_then(|()| program::read(&mut runtime, "done", Rect::new(0, 0, 2, 1), 1))
        .unwrap_or_else(|error| panic!("{arch} {fp16}: {error}"))
}

#[test]
fn every_assertion_holds() {
    for arch in Arch::ALL {
        for fp16 in [FloatKind::F16, FloatKind::Bf16, FloatKind::Cb16] {
            assert_eq!(run(arch, fp16), [2, 2], "{arch} {fp16}");
        }
    }
}
