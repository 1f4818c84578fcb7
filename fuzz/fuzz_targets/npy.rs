//! `.npy` files: any bytes are read or refused; what is read is written and read again as it is.
#![no_main]

use csl_host::npy::Array;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(array) = Array::of(data) else { return };
    assert_eq!(Array::of(&array.bytes()).as_ref(), Ok(&array));
});
