//! Damaged images: the reader refuses them, or what it reads passes every check and the machine and its reports take it for
//! granted. Seeds are programs, whose images are mutated by their structure.
#![no_main]

use std::path::PathBuf;
use std::sync::Arc;

use csl_host::{Copy, Endpoint, ExportKind, Rect, Runtime, Settings};
use csl_image::{Image, sealed};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use waferlab_fuzz::{Random, json, program, put};

/// Cycles that an image runs, and PEs that it may have for that.
const CYCLES: u64 = 500;
const PES: u64 = 64;

fuzz_target!(|data: &[u8]| {
    let Some(image) = image(data) else { return };
    assert_eq!(image.check(), Ok(()), "what is read passes the checks");
    let again = Image::read(&image.write()).expect("an image that was read can be written");
    assert!(again == image, "an image is written as it was read");
    csl_codegen::list_image(&image);
    if u64::from(image.rect.width) * u64::from(image.rect.height) <= PES {
        run(image);
    }
});

fn image(data: &[u8]) -> Option<Image> {
    match data.starts_with(&csl_image::MAGIC) {
        // Bytes that were changed have another checksum: the reader behind it is looked at, too.
        true => Image::read(data).or_else(|_| Image::read(&sealed(data[..data.len().saturating_sub(4)].to_vec()))).ok(),
        false => program::compile(std::str::from_utf8(data).ok()?),
    }
}

/// Copies every symbol back, launches every function, stops. Errors are values; their reports are rendered.
fn run(image: Image) {
    let image = Arc::new(image);
    let mut runtime = Runtime::new(image.clone(), PathBuf::new(), Settings::new(1));
    runtime.limit_cycles(CYCLES);
    if runtime.load().and_then(|()| runtime.run()).is_err() {
        return;
    }
    for export in &image.exports {
        let asked = match &export.kind {
            ExportKind::Function { params } => runtime.call(&export.name, &vec![0; params.len()]),
            _ => {
                let copy = Copy::of(Rect::new(0, 0, image.rect.width, image.rect.height), 1);
                let room = (image.rect.width * image.rect.height) as usize;
                runtime.d2h(Endpoint::Symbol(export.id), room, &copy)
            }
        };
        if let Ok(task) = asked
            && runtime.wait(task).is_err()
        {
            break;
        }
    }
    let _ = runtime.stop();
    runtime.statistics();
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Random::new(seed);
    let read = if random.below(4) == 0 { None } else { image(&data[..size]) };
    let changed = read.and_then(|image| {
        let mut value = serde_json::to_value(&image).ok()?;
        for _ in 0..=random.below(3) {
            json::mutate(&mut value, &mut random);
        }
        serde_json::from_value::<Image>(value).ok()
    });
    match changed {
        Some(image) => put(&image.write(), data, max_size),
        None => fuzzer_mutate(data, size, max_size),
    }
});
