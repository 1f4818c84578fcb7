//! The handle behind the calls, and the border that no panic crosses.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use waferlab::{Endpoint, ErrorKind, HostError, Runtime, Task};

use crate::values::{WaferlabCopy, WaferlabTask};

/// How a call has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum WaferlabStatus {
    /// As it should.
    Ok = 0,
    /// An argument is wrong; nothing has moved.
    Argument = 1,
    /// The run has ended in a fault or a deadlock, which the error's text explains.
    Simulation = 2,
    /// Any other error: no program, calls out of order, files that cannot be written.
    Other = 3,
    /// A fault of Waferlab itself. The runtime can only be closed.
    Panic = 4,
}

/// A compiled program and its machine.
pub struct WaferlabRuntime {
    pub(crate) runtime: Runtime,
    /// Copies to the host that have not been waited for.
    expected: Vec<Destination>,
    /// The text that a call has returned last.
    text: CString,
    /// Whether a call has panicked.
    is_broken: bool,
}

/// Where a copy to the host goes.
struct Destination {
    task: Task,
    /// The caller's array.
    array: *mut c_void,
    has_halves: bool,
}

/// A call that is not carried out.
pub(crate) struct Refusal {
    status: WaferlabStatus,
    text: String,
}

pub(crate) fn refuse(text: &str) -> Refusal {
    Refusal { status: WaferlabStatus::Argument, text: text.to_owned() }
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Refusal {
        let status = match error.kind() {
            ErrorKind::Argument => WaferlabStatus::Argument,
            ErrorKind::Simulation => WaferlabStatus::Simulation,
            ErrorKind::Interrupted | ErrorKind::Other => WaferlabStatus::Other,
        };
        Refusal { status, text: error.to_string() }
    }
}

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

pub(crate) fn last_error() -> *const c_char {
    LAST_ERROR.with_borrow(|text| text.as_ptr())
}

fn fail(Refusal { status, text }: Refusal) -> WaferlabStatus {
    LAST_ERROR.set(c_text(&text));
    status
}

/// A text for C, which ends at a zero: there is none within it.
fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// Does the work of a call; a panic becomes a status.
pub(crate) fn guarded(work: impl FnOnce() -> Result<(), Refusal>) -> WaferlabStatus {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => WaferlabStatus::Ok,
        Ok(Err(refusal)) => fail(refusal),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no more is known");
            let text = format!("a fault of Waferlab, please report it: {said}");
            fail(Refusal { status: WaferlabStatus::Panic, text })
        }
    }
}

/// Does the work of a call on a handle.
///
/// # Safety
/// The handle is null or one of `waferlab_open` that has not been closed, and no other call uses it.
pub(crate) unsafe fn with(
    runtime: *mut WaferlabRuntime,
    work: impl FnOnce(&mut WaferlabRuntime) -> Result<(), Refusal>,
) -> WaferlabStatus {
    guarded(|| {
        // SAFETY: as above.
        let handle = unsafe { runtime.as_mut() }.ok_or_else(|| refuse("runtime is null"))?;
        if handle.is_broken {
            let text = "an earlier call has failed by a fault of Waferlab; the runtime can only be closed".to_owned();
            return Err(Refusal { status: WaferlabStatus::Panic, text });
        }
        handle.is_broken = true;
        let done = work(handle);
        handle.is_broken = false;
        done
    })
}

/// A text that a call returns; empty where it fails.
///
/// # Safety
/// As of [`with`].
pub(crate) unsafe fn text(runtime: *mut WaferlabRuntime, work: impl FnOnce(&mut Runtime) -> String) -> *const c_char {
    let mut told = c"".as_ptr();
    // SAFETY: as above.
    unsafe {
        with(runtime, |handle| {
            handle.text = c_text(&work(&mut handle.runtime));
            told = handle.text.as_ptr();
            Ok(())
        });
    }
    told
}

/// A text of the caller's.
///
/// # Safety
/// It is null or ends with a zero.
pub(crate) unsafe fn string<'c>(name: &str, text: *const c_char) -> Result<&'c str, Refusal> {
    if text.is_null() {
        return Err(refuse(&format!("{name} is null")));
    }
    // SAFETY: it is not null, and ends with a zero.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| refuse(&format!("{name} is not UTF-8")))
}

/// The items of a caller's array, wherever it lies.
///
/// # Safety
/// It is null or holds so many.
pub(crate) unsafe fn words_at(array: *const c_void, items: usize) -> Result<Vec<u32>, Refusal> {
    if items == 0 {
        return Ok(Vec::new());
    }
    if array.is_null() {
        return Err(refuse("array is null"));
    }
    let bytes = items.checked_mul(size_of::<u32>()).filter(|bytes| isize::try_from(*bytes).is_ok());
    let bytes = bytes.ok_or_else(|| refuse(&format!("no array has {items} items")))?;
    let mut words = vec![0u32; items];
    // SAFETY: so many bytes are there, and room for as many; bytes need no alignment.
    unsafe { ptr::copy_nonoverlapping(array.cast::<u8>(), words.as_mut_ptr().cast::<u8>(), bytes) };
    Ok(words)
}

impl WaferlabRuntime {
    pub(crate) fn new(runtime: Runtime) -> WaferlabRuntime {
        WaferlabRuntime { runtime, expected: Vec::new(), text: CString::default(), is_broken: false }
    }

    pub(crate) fn id(&self, name: &str) -> Result<u16, Refusal> {
        match self.runtime.symbol(name)? {
            Endpoint::Symbol(id) => Ok(id),
            Endpoint::Color(_) => Err(refuse("a symbol is no color")),
        }
    }

    fn endpoint(&self, number: u16, copy: &WaferlabCopy) -> Result<Endpoint, Refusal> {
        match copy.is_stream()? {
            true => Ok(self.runtime.color(number.into())?),
            false => Ok(Endpoint::Symbol(number)),
        }
    }

    pub(crate) fn h2d(&mut self, to: u16, words: Vec<u32>, copy: &WaferlabCopy) -> Result<Task, Refusal> {
        let (to, area, spread, each) = (self.endpoint(to, copy)?, copy.area()?, copy.spread()?, copy.elements_per_pe);
        Ok(if copy.has_halves()? {
            let halves: Vec<u16> = words.into_iter().map(|word| word as u16).collect();
            self.runtime.broadcast(to, &halves, area, each, spread)?
        } else {
            self.runtime.broadcast(to, &words, area, each, spread)?
        })
    }

    pub(crate) fn d2h(
        &mut self,
        array: *mut c_void,
        items: usize,
        from: u16,
        copy: &WaferlabCopy,
    ) -> Result<Task, Refusal> {
        let (from, area, each) = (self.endpoint(from, copy)?, copy.area()?, copy.elements_per_pe);
        if copy.spread != crate::WAFERLAB_EACH {
            return Err(refuse("copy.spread: a copy to the host has elements of each PE"));
        }
        if array.is_null() {
            return Err(refuse("array is null"));
        }
        match copy.items() {
            Some(wanted) if wanted > items => {
                return Err(refuse(&format!("the copy has {wanted} items, the array has room for {items}")));
            }
            // What cannot be counted is refused by the machine.
            _ => {}
        }
        let has_halves = copy.has_halves()?;
        let task = match has_halves {
            true => self.runtime.begin_d2h::<u16>(from, area, each)?,
            false => self.runtime.begin_d2h::<u32>(from, area, each)?,
        };
        self.expected.push(Destination { task, array, has_halves });
        Ok(task)
    }

    /// Gives the task to the caller, or waits for it where the caller has no place for it.
    ///
    /// # Safety
    /// `task` is null or the caller's own, and arrays of copies are still there.
    pub(crate) unsafe fn wait_or_tell(&mut self, submitted: Task, task: *mut WaferlabTask) -> Result<(), Refusal> {
        if task.is_null() {
            // SAFETY: arrays of copies are still there.
            return unsafe { self.wait(submitted.0) };
        }
        // SAFETY: it is not null.
        unsafe { task.write(submitted.0) };
        Ok(())
    }

    /// # Safety
    /// Arrays of copies are still there.
    pub(crate) unsafe fn wait(&mut self, task: WaferlabTask) -> Result<(), Refusal> {
        let waited = self.runtime.wait(Task(task));
        // SAFETY: as above.
        unsafe { self.end(waited.map(|()| true), Some(Task(task))).map(drop) }
    }

    /// # Safety
    /// Arrays of copies are still there.
    pub(crate) unsafe fn is_done(&mut self, task: WaferlabTask) -> Result<bool, Refusal> {
        let done = self.runtime.is_done(Task(task));
        // SAFETY: as above.
        unsafe { self.end(done, Some(Task(task))) }
    }

    /// Ends the run; arrays of all copies are written.
    ///
    /// # Safety
    /// They are still there.
    pub(crate) unsafe fn stop(&mut self) -> Result<(), Refusal> {
        let stopped = self.runtime.stop();
        // SAFETY: as above.
        unsafe { self.end(stopped.map(|_| true), None).map(drop) }
    }

    /// The end of a call that has waited for a task, or for all: writes arrays that have come. A run that has failed writes
    /// none any more.
    unsafe fn end(&mut self, done: Result<bool, HostError>, task: Option<Task>) -> Result<bool, Refusal> {
        match done {
            Ok(false) => Ok(false),
            Ok(true) => {
                let is_meant = |expected: &mut Destination| task.is_none_or(|task| expected.task == task);
                for Destination { task, array, has_halves } in self.expected.extract_if(.., is_meant) {
                    let words: Vec<u32> = match has_halves {
                        true => self.runtime.take::<u16>(task)?.into_iter().map(u32::from).collect(),
                        false => self.runtime.take::<u32>(task)?,
                    };
                    // SAFETY: the array has room for the items of its copy, as `d2h` has checked, and is still there.
                    unsafe {
                        ptr::copy_nonoverlapping(
                            words.as_ptr().cast::<u8>(),
                            array.cast::<u8>(),
                            words.len() * size_of::<u32>(),
                        );
                    }
                }
                Ok(true)
            }
            Err(error) => {
                if error.kind() == ErrorKind::Simulation {
                    self.expected.clear();
                }
                Err(error.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> String {
        // SAFETY: the text ends with a zero, and no call comes between.
        unsafe { CStr::from_ptr(last_error()) }.to_string_lossy().into_owned()
    }

    #[test]
    fn a_panic_becomes_a_status() {
        assert_eq!(guarded(|| panic!("number {}", 7)), WaferlabStatus::Panic);
        assert_eq!(told(), "a fault of Waferlab, please report it: number 7");
        assert_eq!(guarded(|| Err(refuse("a\0b"))), WaferlabStatus::Argument);
        assert_eq!(told(), "a\u{fffd}b");
    }
}
