//! Words of SIMFABRIC_DEBUG, and those of `waferlab run` that name copies and launches.
#![no_main]

use csl_host::{LogKinds, batch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (kinds, warnings) = LogKinds::parse(&text);
    assert!(warnings.len() <= text.split(',').count());
    assert_eq!(LogKinds::parse(&text).0, kinds);
    let _ = batch::parse_copy(&text);
    let _ = batch::parse_launch(&text);
});
