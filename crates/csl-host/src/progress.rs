//! Shows a line on the terminal during long work.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use csl_sim::Gauge;

/// The time that work takes before a line is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// The time between two states of the line.
const TICK: Duration = Duration::from_millis(100);

/// The greatest width of the line in columns, with room for a `^C`: a longer one would take two lines of a usual
/// terminal.
const WIDTH: usize = 76;

/// The states of a turning sign that shows that the work goes on.
const SIGNS: [char; 4] = ['|', '/', '-', '\\'];

/// Shows the state of long work on a terminal, from the second second on. A drop removes the line, so that later output
/// does not mix with it. Shows nothing where standard error is no terminal.
pub struct Progress {
    watcher: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Shows `text` and the time that the work has taken.
    pub fn start(text: &str) -> Progress {
        let text = text.to_owned();
        Progress::showing(move || text.clone())
    }

    /// Shows the current result of `text`.
    pub fn showing(mut text: impl FnMut() -> String + Send + 'static) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress { watcher: None };
        }
        let (done, waiting) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            // A message and a hang-up both mean that the work is over.
            let is_over = |patience| waiting.recv_timeout(patience) != Err(RecvTimeoutError::Timeout);
            if is_over(PATIENCE - TICK) {
                return;
            }
            // The first call tells the source of the text that it is needed.
            text();
            if is_over(TICK) {
                return;
            }
            for sign in SIGNS.iter().cycle() {
                show(&format!("{sign} {} ({}s)", text(), began.elapsed().as_secs()));
                if is_over(TICK) {
                    break;
                }
            }
            show("");
        });
        Progress { watcher: Some((done, thread)) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, thread)) = self.watcher.take() {
            drop(done);
            // A thread that panicked needs no further handling.
            let _ = thread.join();
        }
    }
}

/// Replaces the line by `text`. The cursor stays right behind it, so that the `^C` which a terminal shows for Ctrl-C
/// stands in the same line and is removed with it.
fn show(text: &str) {
    let fitting: String = text.chars().take(WIDTH).collect();
    // Errors are ignored: a closed terminal shows nothing.
    let _ = write!(std::io::stderr().lock(), "\r\x1b[2K{fitting}");
}

/// The line of a run: its clock, its speed, the number of PEs with work.
pub(crate) fn of_run(gauge: Arc<Gauge>) -> impl FnMut() -> String + Send {
    let mut seen = (Instant::now(), gauge.cycle(), 0.0);
    move || {
        let (since, before, _) = seen;
        let (cycle, passed) = (gauge.cycle(), since.elapsed());
        if passed >= PATIENCE {
            seen = (Instant::now(), cycle, (cycle - before) as f64 / passed.as_secs_f64());
        }
        let busy = crate::counted(gauge.busy(), "PE");
        format!("cycle {cycle}, {:.0} cycles/s, {busy} busy", seen.2)
    }
}
