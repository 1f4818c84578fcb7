//! The thread that analyses programs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender, unbounded};
use csl_host::Unsaved;

use crate::STACK;
use crate::programs::{Program, alone};
use crate::snapshot::Snapshot;

/// Programs to analyse, with the texts of a revision.
struct Job {
    revision: u64,
    programs: Vec<Arc<Program>>,
    /// Files that are analysed on their own where no program is analysed as far as to them.
    files: Vec<PathBuf>,
    unsaved: Unsaved,
    stop: Arc<AtomicBool>,
}

/// The programs of a job as they were analysed. One that could not be is not among them.
pub struct Done {
    pub revision: u64,
    pub snapshots: Vec<Arc<Snapshot>>,
}

/// The thread, as the server sees it.
pub struct Worker {
    jobs: Sender<Job>,
    pub done: Receiver<Done>,
    /// The job under way: to be called off by this.
    running: Option<Arc<AtomicBool>>,
}

impl Worker {
    pub fn start() -> Result<Worker, String> {
        let (jobs, jobs_in) = unbounded::<Job>();
        let (done_out, done) = unbounded();
        let thread = std::thread::Builder::new().name("analysis".to_owned()).stack_size(STACK);
        let work = move || jobs_in.iter().map(work).try_for_each(|done| done_out.send(done));
        thread.spawn(work).map_err(|error| format!("a thread: {error}"))?;
        Ok(Worker { jobs, done, running: None })
    }

    pub fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    /// Begins a job. There is none under way.
    pub fn begin(&mut self, revision: u64, programs: Vec<Arc<Program>>, files: Vec<PathBuf>, unsaved: Unsaved) {
        let stop = Arc::new(AtomicBool::new(false));
        self.running = Some(stop.clone());
        // The thread ends only with the server.
        let _ = self.jobs.send(Job { revision, programs, files, unsaved, stop });
    }

    /// Calls the job under way off: its answer comes soon, and is of no use.
    pub fn call_off(&self) {
        if let Some(stop) = &self.running {
            stop.store(true, Ordering::Relaxed);
        }
    }

    /// To be told when a job is done.
    pub fn finished(&mut self) {
        self.running = None;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.call_off();
    }
}

fn work(job: Job) -> Done {
    let Job { revision, programs, files, unsaved, stop } = job;
    let analyse = |program: &Arc<Program>| {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        // A fault of the compiler costs the findings of one program, not the server.
        catch_unwind(AssertUnwindSafe(|| Arc::new(Snapshot::new(program, &unsaved, &stop)))).ok()
    };
    let mut snapshots: Vec<Arc<Snapshot>> = programs.iter().filter_map(analyse).collect();
    for file in files {
        if !snapshots.iter().any(|snapshot| snapshot.has_evaluated(&file)) {
            snapshots.extend(analyse(&Arc::new(alone(&file))));
        }
    }
    Done { revision, snapshots }
}
