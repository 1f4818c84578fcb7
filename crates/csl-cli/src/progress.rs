//! A spinner for compilations that take their time.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

/// How long a compilation may take before anything is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows on a terminal, after a second, what is going on and for how long.
pub struct Progress {
    watcher: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    pub fn start(text: &str) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress { watcher: None };
        }
        let (done, waiting) = channel();
        let text: Arc<str> = text.into();
        let thread = std::thread::spawn(move || {
            if waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let bar = spinner(&text);
                // Whether it is a word or a hang-up, the work is over.
                let _ = waiting.recv();
                bar.finish_and_clear();
            }
        });
        Progress { watcher: Some((done, thread)) }
    }

    /// Clears the line; nothing that is printed afterwards mixes with it.
    pub fn finish(self) {
        if let Some((done, thread)) = self.watcher {
            drop(done);
            // A spinner that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

fn spinner(text: &Arc<str>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_elapsed(PATIENCE);
    bar.set_message(text.to_string());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
