//! Waferlab for C and C++: the calls of [`waferlab::Runtime`] on an opaque handle.
//!
//! `include/waferlab.h`, which cbindgen makes of the three sources, is the documentation for callers; `examples/` has a
//! program in C and one in C++. What holds for every function here:
//!
//! - A pointer of the caller is looked at only while the call lasts, but for the array of a copy to the host that is not
//!   waited for: it is written to by the call that waits for the copy, and is forgotten when the run ends or fails.
//! - A null pointer, a text that is not UTF-8, a number without meaning and an array that is shorter than its copy are
//!   refused. The caller answers for pointers that lead nowhere and for lengths that are too large.
//! - A panic ends in [`WaferlabStatus::Panic`]; the handle is then of no more use than to be closed.

#![deny(missing_docs, unreachable_pub)]
#![allow(unsafe_code, reason = "C passes raw pointers, and finds functions by their plain names")]
#![allow(clippy::missing_safety_doc, reason = "the head of the crate says it for all functions")]

mod handle;
mod values;

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

pub use handle::{WaferlabRuntime, WaferlabStatus};
use handle::{guarded, last_error, refuse, string, with, words_at};
pub use values::{
    WAFERLAB_16BIT, WAFERLAB_32BIT, WAFERLAB_COL_MAJOR, WAFERLAB_COLUMNS, WAFERLAB_EACH, WAFERLAB_ROW_MAJOR,
    WAFERLAB_ROWS, WaferlabArgument, WaferlabCopy, WaferlabTask,
};

/// The version of Waferlab.
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_version() -> *const c_char {
    const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    };
    VERSION.as_ptr()
}

/// What was wrong with the last call on this thread that did not return WAFERLAB_STATUS_OK.
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_last_error() -> *const c_char {
    last_error()
}

/// Opens the output folder of a compilation, for a run on up to `threads` threads (0: one), and gives a new runtime in
/// `runtime`, to be closed by waferlab_close. The number of threads changes no result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_open(
    folder: *const c_char,
    threads: u32,
    runtime: *mut *mut WaferlabRuntime,
) -> WaferlabStatus {
    guarded(|| {
        if runtime.is_null() {
            return Err(refuse("runtime is null"));
        }
        // SAFETY: it is not null, and the caller's pointer leads to a place for a pointer.
        unsafe { runtime.write(ptr::null_mut()) };
        // SAFETY: the caller's text ends with a zero.
        let folder = unsafe { string("folder", folder) }?;
        let opened = waferlab::Runtime::open_with(folder, threads.max(1) as usize, waferlab::Check::Off)?;
        let handle = Box::into_raw(Box::new(WaferlabRuntime::new(opened)));
        // SAFETY: as above.
        unsafe { runtime.write(handle) };
        Ok(())
    })
}

/// Ends the life of a runtime; nothing happens for a null pointer. A program that has not been stopped is dropped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_close(runtime: *mut WaferlabRuntime) {
    guarded(|| {
        if !runtime.is_null() {
            // SAFETY: the handle came from `Box::into_raw` in `waferlab_open`, and the caller closes it once.
            drop(unsafe { Box::from_raw(runtime) });
        }
        Ok(())
    });
}

/// Logs the run in a folder, which is made if it is not there, and obeys the environment: `sim.log` holds what programs
/// print and the events that SIMFABRIC_DEBUG names; WAFERLAB_MAX_CYCLES and WAFERLAB_CHECK hold. Before waferlab_load;
/// behind it the call is refused with WAFERLAB_STATUS_OTHER.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_log_to(runtime: *mut WaferlabRuntime, folder: *const c_char) -> WaferlabStatus {
    // SAFETY: the caller's handle is one of `waferlab_open`, its text ends with a zero.
    unsafe { with(runtime, |handle| Ok(handle.runtime.log_to(string("folder", folder)?)?)) }
}

/// Ends the run, with a report, when it has taken so many cycles. Before waferlab_load; behind it the call is refused with
/// WAFERLAB_STATUS_OTHER.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_limit_cycles(runtime: *mut WaferlabRuntime, cycles: u64) -> WaferlabStatus {
    // SAFETY: the caller's handle is one of `waferlab_open`.
    unsafe { with(runtime, |handle| Ok(handle.runtime.limit_cycles(cycles)?)) }
}

/// Loads the program.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_load(runtime: *mut WaferlabRuntime) -> WaferlabStatus {
    // SAFETY: the caller's handle is one of `waferlab_open`.
    unsafe { with(runtime, |handle| Ok(handle.runtime.load()?)) }
}

/// Starts the machine, which takes requests from here on. The clock advances only inside calls that wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_run(runtime: *mut WaferlabRuntime) -> WaferlabStatus {
    // SAFETY: the caller's handle is one of `waferlab_open`.
    unsafe { with(runtime, |handle| Ok(handle.runtime.run()?)) }
}

/// Gives the number of an exported symbol, for copies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_get_id(
    runtime: *mut WaferlabRuntime,
    name: *const c_char,
    id: *mut u16,
) -> WaferlabStatus {
    // SAFETY: the caller's handle is one of `waferlab_open`, its text ends with a zero, `id` is null or its own.
    unsafe {
        with(runtime, |handle| {
            let found = handle.id(string("name", name)?)?;
            id.as_mut().map(|place| *place = found).ok_or_else(|| refuse("id is null"))
        })
    }
}

/// Copies an array of the host to the PEs that `copy` names, into the symbol with this number, or streams it on the color with
/// this number. The array holds `items` items of 32 bits, in the order that `copy` names; an element of 16 bits is
/// the low half of an item. The array is taken before the call returns.
///
/// With a null `task` the call waits until the copy is done; else it returns at once, with a task for waferlab_wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_memcpy_h2d(
    runtime: *mut WaferlabRuntime,
    to: u16,
    array: *const c_void,
    items: usize,
    copy: *const WaferlabCopy,
    task: *mut WaferlabTask,
) -> WaferlabStatus {
    // SAFETY: the caller's handle is one of `waferlab_open`; `array` holds so many items; `copy` and `task` are null or lead
    // to what they say.
    unsafe {
        with(runtime, |handle| {
            let copy = copy.as_ref().ok_or_else(|| refuse("copy is null"))?;
            let words = words_at(array, items)?;
            let submitted = handle.h2d(to, words, copy)?;
            handle.wait_or_tell(submitted, task)
        })
    }
}

/// Copies from the PEs that `copy` names, from the symbol or color with this number, into an array of the host with room for
/// `items` items of 32 bits.
///
/// With a null `task` the call waits until the array is written. Else it returns at once: the array has to stay where it is
/// until waferlab_wait, or waferlab_is_done with the answer true, has written it, or the run is stopped or the runtime closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_memcpy_d2h(
    runtime: *mut WaferlabRuntime,
    array: *mut c_void,
    items: usize,
    from: u16,
    copy: *const WaferlabCopy,
    task: *mut WaferlabTask,
) -> WaferlabStatus {
    // SAFETY: as in `waferlab_memcpy_h2d`; the caller keeps the array until the copy has been waited for.
    unsafe {
        with(runtime, |handle| {
            let copy = copy.as_ref().ok_or_else(|| refuse("copy is null"))?;
            let submitted = handle.d2h(array, items, from, copy)?;
            handle.wait_or_tell(submitted, task)
        })
    }
}

/// Calls an exported function on every PE with `count` arguments, which are checked against the types of its parameters.
/// With a null `task` the call waits until every PE has begun the function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_launch(
    runtime: *mut WaferlabRuntime,
    function: *const c_char,
    arguments: *const WaferlabArgument,
    count: usize,
    task: *mut WaferlabTask,
) -> WaferlabStatus {
    // SAFETY: the caller's handle is one of `waferlab_open`, its text ends with a zero, and so many arguments are there.
    unsafe {
        with(runtime, |handle| {
            let function = string("function", function)?;
            let submitted = handle.runtime.launch(function, &values::arguments(arguments, count)?)?;
            handle.wait_or_tell(submitted, task)
        })
    }
}

/// Waits until a task is done. An array that it copies to is written then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_wait(runtime: *mut WaferlabRuntime, task: WaferlabTask) -> WaferlabStatus {
    // SAFETY: the caller's handle is one of `waferlab_open`, and arrays of copies are still there.
    unsafe { with(runtime, |handle| handle.wait(task)) }
}

/// Tells whether a task is done; if not, the machine moves on a little. An array that it copies to is written when it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_is_done(
    runtime: *mut WaferlabRuntime,
    task: WaferlabTask,
    done: *mut bool,
) -> WaferlabStatus {
    // SAFETY: as in `waferlab_wait`; `done` is null or the caller's own.
    unsafe {
        with(runtime, |handle| {
            let done = done.as_mut().ok_or_else(|| refuse("done is null"))?;
            *done = handle.is_done(task)?;
            Ok(())
        })
    }
}

/// Waits for all requests and launched functions, and ends the run. Variables can be read afterwards. A function that cannot
/// end is a warning.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_stop(runtime: *mut WaferlabRuntime) -> WaferlabStatus {
    // SAFETY: the caller's handle is one of `waferlab_open`, and arrays of copies are still there.
    unsafe { with(runtime, |handle| handle.stop()) }
}

/// Clock cycles since the start; 0 for a null pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_cycles(runtime: *const WaferlabRuntime) -> u64 {
    // SAFETY: the caller's handle is null or one of `waferlab_open`.
    unsafe { runtime.as_ref() }.map_or(0, |handle| handle.runtime.cycles())
}

/// The lines that programs have printed since the last call; empty where there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_take_prints(runtime: *mut WaferlabRuntime) -> *const c_char {
    // SAFETY: the caller's handle is one of `waferlab_open`.
    unsafe { handle::text(runtime, |runtime| runtime.take_prints()) }
}

/// The warnings since the last call, each with a line end; empty where there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_take_warnings(runtime: *mut WaferlabRuntime) -> *const c_char {
    let lines = |runtime: &mut waferlab::Runtime| {
        let warnings = runtime.take_warnings();
        warnings.into_iter().flat_map(|warning| [warning, "\n".to_owned()]).collect()
    };
    // SAFETY: the caller's handle is one of `waferlab_open`.
    unsafe { handle::text(runtime, lines) }
}

/// Copies the first `bytes` bytes of a variable of the PE in this column and row of the program, as they lie in its memory.
/// It is refused where the variable has fewer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waferlab_read_symbol(
    runtime: *mut WaferlabRuntime,
    x: u32,
    y: u32,
    name: *const c_char,
    array: *mut c_void,
    bytes: usize,
) -> WaferlabStatus {
    // SAFETY: the caller's handle is one of `waferlab_open`, its text ends with a zero, its array has so many bytes.
    unsafe {
        with(runtime, |handle| {
            let name = string("name", name)?;
            if array.is_null() {
                return Err(refuse("array is null"));
            }
            let found = handle.runtime.read_symbol(x, y, name)?;
            let Some(wanted) = found.get(..bytes) else {
                return Err(refuse(&format!("{name} has {} bytes, not {bytes}", found.len())));
            };
            ptr::copy_nonoverlapping(wanted.as_ptr(), array.cast::<u8>(), bytes);
            Ok(())
        })
    }
}

/// An argument of type `bool`.
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_bool(value: bool) -> WaferlabArgument {
    WaferlabArgument::new(values::BOOL, value.into())
}

/// An argument of type `i8`.
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_i8(value: i8) -> WaferlabArgument {
    WaferlabArgument::new(values::I8, i32::from(value).cast_unsigned())
}

/// An argument of type `u8`.
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_u8(value: u8) -> WaferlabArgument {
    WaferlabArgument::new(values::U8, value.into())
}

/// An argument of type `i16`.
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_i16(value: i16) -> WaferlabArgument {
    WaferlabArgument::new(values::I16, i32::from(value).cast_unsigned())
}

/// An argument of type `u16`.
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_u16(value: u16) -> WaferlabArgument {
    WaferlabArgument::new(values::U16, value.into())
}

/// An argument of type `i32`.
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_i32(value: i32) -> WaferlabArgument {
    WaferlabArgument::new(values::I32, value.cast_unsigned())
}

/// An argument of type `u32`.
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_u32(value: u32) -> WaferlabArgument {
    WaferlabArgument::new(values::U32, value)
}

/// An argument of type `f32`.
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_f32(value: f32) -> WaferlabArgument {
    WaferlabArgument::new(values::F32, value.to_bits())
}

/// An argument of the program's 16-bit float type, rounded to it.
#[unsafe(no_mangle)]
pub extern "C" fn waferlab_f16(value: f32) -> WaferlabArgument {
    WaferlabArgument::new(values::F16, value.to_bits())
}
