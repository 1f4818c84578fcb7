//! Analyses the programs of tiles that come next beside one another, on several threads, each on a copy of what the
//! programs of a layout share. An analysis that adds to that (a file, a type, a constant of tiles) is dropped and done
//! again in its turn, and one that an earlier program has made needless is dropped. So wafer and findings are those of one
//! thread.

use std::sync::Arc;

use csl_diag::{FileId, Span};
use csl_ir::threads;
use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;

use crate::context::Sema;
use crate::options::{Import, Resolved, SourceFile, Sources};
use crate::pe::BareQueue;

/// The most analyses at once for each thread: to start a thread costs as much as a small one.
const MOST_OF_A_THREAD: usize = 64;

/// The longest pause after analyses in vain, in analyses.
const LONGEST_PAUSE: usize = 64;

/// Analyses that were done before their turn.
#[derive(Debug)]
pub struct Ahead<J, R> {
    threads: usize,
    done: Vec<(J, Beside<R>)>,
    /// What the programs shared when they were done.
    shared: Extent,
    /// The number of analyses to do at once the next time.
    size: usize,
    /// The number of analyses to do one by one before that, and the next such number.
    pause: usize,
    next_pause: usize,
    /// Whether an analysis of the last time was dropped.
    in_vain: bool,
}

/// The extent of what programs share. As long as it is the same, nothing has been added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Extent {
    files: usize,
    types: (usize, usize),
    tile_consts: usize,
    inexact: usize,
    exhausted: bool,
}

/// A result, and the notes that its analysis has made beside it.
#[derive(Debug)]
struct Beside<R> {
    result: R,
    queue_ops: IndexMap<Span, Option<BareQueue>>,
    imports: IndexSet<Import, FxBuildHasher>,
}

impl<J: Copy + PartialEq + Send, R: Send> Ahead<J, R> {
    pub fn new(threads: usize) -> Ahead<J, R> {
        // The first program brings the files, and most of the types.
        let (size, pause) = (2, 1);
        Ahead { threads, done: Vec::new(), shared: Extent::default(), size, pause, next_pause: 2, in_vain: false }
    }

    /// The result of a job, done now or before its turn. `next` gives the jobs that are likely to follow, at most as many
    /// as it is told; `analyze` does one.
    pub fn run(
        &mut self,
        sema: &mut Sema<'_>,
        job: J,
        next: impl FnOnce(usize) -> Vec<J>,
        analyze: impl Fn(&mut Sema<'_>, J) -> R + Sync,
    ) -> R {
        if let Some(result) = self.take(sema, job) {
            return result;
        }
        let more = self.size_of_next().map_or(Vec::new(), |size| next(size - 1));
        if more.is_empty() {
            return analyze(sema, job);
        }
        let jobs: Vec<J> = std::iter::once(job).chain(more).collect();
        let number = jobs.len();
        self.shared = sema.extent();
        self.done = all(sema, jobs, self.threads, &analyze);
        self.in_vain = self.done.len() < number;
        self.take(sema, job).unwrap_or_else(|| analyze(sema, job))
    }

    fn take(&mut self, sema: &mut Sema<'_>, job: J) -> Option<R> {
        let at = self.done.iter().position(|(done, _)| *done == job)?;
        if self.shared != sema.extent() {
            return None;
        }
        let (_, Beside { result, queue_ops, imports }) = self.done.swap_remove(at);
        queue_ops.into_iter().for_each(|(place, bare)| sema.note_queue_op(place, bare));
        sema.imports.extend(imports);
        Some(result)
    }

    /// The number of analyses to do at once; `None` for one.
    fn size_of_next(&mut self) -> Option<usize> {
        if self.threads < 2 {
            return None;
        }
        if self.in_vain || !self.done.is_empty() {
            self.done.clear();
            (self.size, self.pause, self.in_vain) = (2, self.next_pause, false);
            self.next_pause = (2 * self.next_pause).min(LONGEST_PAUSE);
        }
        if self.pause > 0 {
            self.pause -= 1;
            return None;
        }
        let size = self.size;
        self.size = (2 * size).min(MOST_OF_A_THREAD * self.threads);
        Some(size)
    }
}

/// Does jobs beside one another, in order; left out are those that have added to what is shared.
fn all<J: Copy + Send, R: Send>(
    sema: &Sema<'_>,
    jobs: Vec<J>,
    threads: usize,
    analyze: &(impl Fn(&mut Sema<'_>, J) -> R + Sync),
) -> Vec<(J, Beside<R>)> {
    let Sema { options, map, types, resolved, files, data_files, tile_consts, inexact, trace, .. } = sema;
    let shared = sema.extent();
    let one = |job| {
        let mut sources = NoMore { is_asked: false };
        let mut copy = Sema {
            map: map.clone(),
            types: types.clone(),
            resolved: resolved.clone(),
            files: files.clone(),
            data_files: data_files.clone(),
            tile_consts: tile_consts.clone(),
            inexact: inexact.clone(),
            trace: trace.clone(),
            ..Sema::new(&mut sources, options)
        };
        let result = analyze(&mut copy, job);
        let has_added = copy.extent() != shared;
        let Sema { queue_ops, imports, .. } = copy;
        (!has_added && !sources.is_asked).then_some((job, Beside { result, queue_ops, imports }))
    };
    let threads = threads.min(jobs.len());
    threads::map(jobs, threads, one).into_iter().flatten().collect()
}

impl Sema<'_> {
    fn extent(&self) -> Extent {
        Extent {
            files: self.map.names().count(),
            types: self.types.extent(),
            tile_consts: self.tile_consts.len(),
            inexact: self.inexact.len(),
            exhausted: self.exhausted,
        }
    }
}

/// Sources of a copy: what has not been read yet is not read there.
struct NoMore {
    is_asked: bool,
}

impl Sources for NoMore {
    fn resolve(&mut self, _name: &str, _importer: Option<&str>) -> Result<Resolved, String> {
        self.is_asked = true;
        Err("it has not been read yet".to_owned())
    }

    fn parse(&mut self, id: FileId, file: &Resolved) -> Arc<SourceFile> {
        Arc::new(SourceFile::parse(id, file))
    }
}
