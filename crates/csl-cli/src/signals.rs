//! Handles Ctrl-C and SIGTERM while a program runs.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The signals that end a run.
pub struct Signals {
    /// The number of the signal that was received; 0 for none.
    came: Arc<AtomicUsize>,
}

impl Signals {
    /// Watches for signals: the first one sets `interrupt`, so that the run ends with a report; the second ends the
    /// process.
    pub fn watch(interrupt: &Arc<AtomicBool>) -> io::Result<Signals> {
        let (came, again) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_default(signal, Arc::clone(&again))?;
            flag::register(signal, Arc::clone(&again))?;
            flag::register_usize(signal, Arc::clone(&came), signal as usize)?;
            flag::register(signal, Arc::clone(interrupt))?;
        }
        Ok(Signals { came })
    }

    /// The status of a process that a signal has ended, as shells give it; `None` if no signal was received.
    pub fn status(&self) -> Option<ExitCode> {
        let signal = u8::try_from(self.came.load(Ordering::Relaxed)).ok().filter(|signal| *signal > 0)?;
        Some(ExitCode::from(128 + signal))
    }
}
