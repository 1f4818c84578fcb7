//! A line on the terminal for work that takes its time.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use csl_sim::Gauge;

/// How long work may take before anything is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// From one state of the line to the next.
const TICK: Duration = Duration::from_millis(100);

/// Columns that the line takes at most, with some left for a `^C`: a longer one would take two lines of a usual terminal.
const WIDTH: usize = 76;

/// One after the other, they show that the work goes on.
const SIGNS: [char; 4] = ['|', '/', '-', '\\'];

/// Shows on a terminal, after a second, what is going on. The line goes when this is dropped: nothing that is printed
/// afterwards mixes with it. Shows nothing where standard error is no terminal.
pub struct Progress {
    watcher: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Shows `text` and how long the work has taken.
    pub fn start(text: &str) -> Progress {
        let text = text.to_owned();
        Progress::showing(move || text.clone())
    }

    /// Shows what `text` says at each moment.
    pub fn showing(mut text: impl FnMut() -> String + Send + 'static) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress { watcher: None };
        }
        let (done, waiting) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            // Whether it is a word or a hang-up, the work is over.
            let is_over = |patience| waiting.recv_timeout(patience) != Err(RecvTimeoutError::Timeout);
            if is_over(PATIENCE - TICK) {
                return;
            }
            // The first call lets the text's source know that it is wanted.
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
            // A line that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

/// Puts `text` in the place of what the line has shown. The cursor stays right behind it, so that the `^C` which a terminal
/// shows for Ctrl-C stands in the same line and goes with it.
fn show(text: &str) {
    let fitting: String = text.chars().take(WIDTH).collect();
    // A terminal that is gone shows nothing.
    let _ = write!(std::io::stderr().lock(), "\r\x1b[2K{fitting}");
}

/// The line of a run: where its clock stands, how fast it goes, how many PEs have something to do.
pub(crate) fn of_run(gauge: Arc<Gauge>) -> impl FnMut() -> String + Send {
    let mut seen = (Instant::now(), gauge.cycle(), 0.0);
    move || {
        let (since, before, _) = seen;
        let (cycle, passed) = (gauge.cycle(), since.elapsed());
        if passed >= PATIENCE {
            seen = (Instant::now(), cycle, (cycle - before) as f64 / passed.as_secs_f64());
        }
        let busy = gauge.busy();
        let pes = if busy == 1 { "PE" } else { "PEs" };
        format!("cycle {cycle}, {:.0} cycles/s, {busy} {pes} busy", seen.2)
    }
}
