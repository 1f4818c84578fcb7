//! The thread that analyses programs.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender, unbounded};
use csl_host::{Editing, Trees, Unsaved};

use crate::STACK;
use crate::programs::{Program, alone};
use crate::snapshot::Snapshot;
use crate::world::Work;

/// What the thread is given.
enum Task {
    Analyse(Job),
    /// Snapshots of no more use: to free them takes a while, least where they were made.
    Free(Vec<Arc<Snapshot>>),
}

/// Programs to analyse, with the texts of a revision.
struct Job {
    revision: u64,
    work: Work,
    unsaved: Unsaved,
    stop: Arc<AtomicBool>,
}

/// The programs of a job as they were analysed. One that could not be is not among them.
pub struct Done {
    pub revision: u64,
    pub snapshots: Vec<Arc<Snapshot>>,
    /// The files of which these are all programs.
    pub whole: BTreeSet<PathBuf>,
}

/// The thread, as the server sees it.
pub struct Worker {
    tasks: Sender<Task>,
    pub done: Receiver<Done>,
    /// The job under way: to be called off by this.
    running: Option<Arc<AtomicBool>>,
}

impl Worker {
    /// Starts the thread; trees of files serve it and others.
    pub fn start(trees: Trees) -> Result<Worker, String> {
        let (tasks, tasks_in) = unbounded::<Task>();
        let (done_out, done) = unbounded();
        let thread = std::thread::Builder::new().name("analysis".to_owned()).stack_size(STACK);
        let serve = move || {
            for task in tasks_in {
                let sent = match task {
                    Task::Analyse(job) => done_out.send(analyse(job, &trees)),
                    Task::Free(snapshots) => Ok(drop(snapshots)),
                };
                if sent.is_err() {
                    return;
                }
            }
        };
        thread.spawn(serve).map_err(|error| format!("a thread: {error}"))?;
        Ok(Worker { tasks, done, running: None })
    }

    pub fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    /// Begins a job. There is none under way.
    pub fn begin(&mut self, revision: u64, work: Work, unsaved: Unsaved) {
        let stop = Arc::new(AtomicBool::new(false));
        self.running = Some(stop.clone());
        self.give(Task::Analyse(Job { revision, work, unsaved, stop }));
    }

    /// Frees snapshots that nothing shows any more.
    pub fn free(&self, snapshots: Vec<Arc<Snapshot>>) {
        self.give(Task::Free(snapshots));
    }

    fn give(&self, task: Task) {
        // The thread ends only with the server.
        let _ = self.tasks.send(task);
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

fn analyse(job: Job, trees: &Trees) -> Done {
    let Job { revision, work: Work { programs, files, whole }, unsaved, stop } = job;
    let editing = Editing { unsaved, trees: trees.clone(), stop };
    let observe = |program: &Arc<Program>| {
        if editing.stop.load(Ordering::Relaxed) {
            return None;
        }
        // A fault of the compiler costs the findings of one program, not the server.
        catch_unwind(AssertUnwindSafe(|| Arc::new(Snapshot::new(program, &editing)))).ok()
    };
    let mut snapshots: Vec<Arc<Snapshot>> = programs.iter().filter_map(observe).collect();
    for file in files {
        if !snapshots.iter().any(|snapshot| snapshot.has_evaluated(&file)) {
            snapshots.extend(observe(&Arc::new(alone(&file))));
        }
    }
    Done { revision, snapshots, whole }
}
