//! The compiler and the simulator in a browser: one call takes the files of a program and the steps of a run as JSON and
//! gives diagnostics, routes, cycles and arrays as JSON.
//!
//! [`request::Request`] and [`answer::Answer`] say what the JSON holds. The page calls the three functions below: it asks
//! for room, writes its text there, asks for the answer and reads it. It calls one at a time, from one thread.

#![deny(missing_docs, unreachable_pub)]

pub mod answer;
pub mod request;
mod run;

use std::cell::RefCell;

pub use run::answer;

thread_local! {
    /// The text on its way in or out.
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for a text of `bytes` bytes, for the caller to write, and returns its address.
#[allow(unsafe_code, reason = "a browser finds a function by its plain name, and no other crate exports one")]
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_room(bytes: usize) -> *mut u8 {
    TEXT.with_borrow_mut(|text| {
        text.clear();
        text.resize(bytes, 0);
        text.as_mut_ptr()
    })
}

/// Answers the request in the room, and returns the number of bytes of the answer.
#[allow(unsafe_code, reason = "a browser finds a function by its plain name, and no other crate exports one")]
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_answer() -> usize {
    let request = TEXT.take();
    let answer = answer(&String::from_utf8_lossy(&request)).into_bytes();
    let bytes = answer.len();
    TEXT.set(answer);
    bytes
}

/// The address of the answer.
#[allow(unsafe_code, reason = "a browser finds a function by its plain name, and no other crate exports one")]
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_text() -> *const u8 {
    TEXT.with_borrow(Vec::as_ptr)
}
