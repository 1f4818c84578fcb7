//! `sim.log`: the lines that programs print, with `SIMFABRIC_DEBUG` the events of the machine, a line each; at the end
//! how the run has ended.
//!
//! The forms of the lines are those of the vendor's guide (Debugging Guide, Simulator Logs); where its text leaves
//! spaces open, those that public viewers expect. Coordinates are the whole fabric's. Lines go to the file as they
//! come: memory holds the wavelets on their way through the fabric, never the log.

mod fabric;
mod identity;
mod idle;
mod instruction;
mod kinds;
pub(crate) mod operands;
mod prints;
mod totals;

use std::fs::{File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use csl_fabric::Traced;
use csl_image::Image;
use csl_machine::Coord;
use csl_num::FloatKind;
use csl_sim::{Event, EventKind, Tiles, Traces};

use crate::error::HostError;

pub use kinds::LogKinds;
pub(crate) use prints::prints;
pub(crate) use totals::Totals;

/// The log file of a run, in its working folder.
pub const LOG_FILE: &str = "sim.log";

/// The data that the texts of lines depend on.
pub(crate) struct Scene {
    pub image: Arc<Image>,
    pub half: FloatKind,
}

impl Scene {
    /// Coordinates of the event in the whole fabric.
    fn place(&self, event: &Event) -> Coord {
        self.image.to_physical(event.x, event.y)
    }

    /// Number of a tile in the whole fabric, by row.
    fn tile(&self, event: &Event) -> u32 {
        self.image.fabric.number(self.place(event))
    }

    fn is_wse3(&self) -> bool {
        self.image.arch == csl_machine::Arch::Wse3
    }
}

/// The log file and the state needed to write it.
pub(crate) struct SimLog {
    scene: Scene,
    kinds: LogKinds,
    path: PathBuf,
    file: Option<BufWriter<File>>,
    note: Option<String>,
    idents: identity::Identities,
    idle: idle::Idle,
    error: Option<io::Error>,
    /// Takes the lines that programs print, too.
    prints: Option<Arc<Mutex<String>>>,
}

impl SimLog {
    /// A log at `path`. The file is made at once: scripts look for it after every run.
    pub(crate) fn new(
        image: Arc<Image>,
        half: FloatKind,
        path: PathBuf,
        kinds: LogKinds,
        prints: Option<Arc<Mutex<String>>>,
    ) -> SimLog {
        let scene = Scene { image, half };
        let idents = identity::Identities::default();
        let mut log = SimLog {
            scene,
            kinds,
            path,
            file: None,
            note: None,
            idents,
            idle: idle::Idle::default(),
            error: None,
            prints,
        };
        log.begin();
        log
    }

    /// Writes the head: the size of the fabric and the switch positions, which a reader of the later lines needs.
    fn begin(&mut self) {
        let fabric = self.scene.image.fabric;
        self.put(&format!("@0 dimX={}, dimY={}\n", fabric.width, fabric.height));
        if self.kinds.router != Tiles::None {
            let image = Arc::clone(&self.scene.image);
            for run in &image.routes {
                let lines = fabric::initial(&self.scene, &self.kinds.router, run);
                self.put(&lines);
            }
        }
    }

    /// The events that the machine has to report.
    pub(crate) fn traces(&self) -> Traces {
        self.kinds.traces(&self.scene.image)
    }

    /// Writes how the run has ended.
    pub(crate) fn close(&mut self, totals: &Totals) {
        self.put_idle(totals.cycles + 1);
        self.put(&totals.lines());
        self.flush();
    }

    /// Lines of the PEs that turned idle before `cycle`.
    fn put_idle(&mut self, cycle: u64) {
        if self.kinds.inst_trace != Tiles::None {
            let idle = self.idle.before(cycle);
            idle.into_iter().for_each(|line| self.put(&instruction::idle(&self.scene, line)));
        }
    }

    /// Adds events, which come in the order of their cycles.
    pub(crate) fn write(&mut self, events: &[Event]) {
        for event in events {
            self.put_idle(event.cycle);
            if let Some(text) = self.line(event) {
                self.put(&text);
            }
        }
        self.flush();
    }

    /// Writes buffered lines out: a user looks at the log of a program that hangs while it runs, or kills it.
    fn flush(&mut self) {
        if let (Some(file), None) = (&mut self.file, &self.error) {
            self.error = file.flush().err();
        }
    }

    fn line(&mut self, event: &Event) -> Option<String> {
        match &event.what {
            EventKind::Fabric { color, what } => {
                let ident = self.idents.follow(&self.scene, event, *color, what);
                fabric::line(&self.scene, &self.kinds, event, (*color, what), ident)
            }
            EventKind::Stream { color, wavelet } => {
                let what = Traced::Landing { from: csl_machine::Direction::Ramp, wavelet: *wavelet, local_flip: false };
                let ident = self.idents.fresh(&self.scene, event, *color);
                fabric::line(&self.scene, &self.kinds, event, (*color, &what), ident)
            }
            EventKind::Pe(pe) => match &pe.what {
                csl_pe::EventKind::Print(_) => {
                    let line = prints::line(&self.scene.image, self.scene.half, event)?;
                    if let Some(prints) = &self.prints {
                        prints.lock().unwrap_or_else(PoisonError::into_inner).push_str(&line);
                    }
                    Some(line)
                }
                csl_pe::EventKind::Issue(issue) => Some(instruction::issued(&self.scene, event, issue)),
                csl_pe::EventKind::Execute { issue, element } => {
                    self.idle.executed(event.cycle, event.x, event.y);
                    Some(instruction::executed(&self.scene, event, issue, element))
                }
            },
        }
    }

    fn put(&mut self, text: &str) {
        if self.error.is_some() {
            return;
        }
        if let Err(error) = self.file().and_then(|file| file.write_all(text.as_bytes())) {
            self.error = Some(error);
        }
    }

    fn file(&mut self) -> io::Result<&mut BufWriter<File>> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => {
                let (file, path) = claim(&self.path)?;
                if path != self.path {
                    let (ours, theirs) = (path.display(), self.path.display());
                    self.note =
                        Some(format!("{theirs} belongs to a run that has not stopped: this one logs to {ours}"));
                    self.path = path;
                }
                Ok(none.insert(BufWriter::new(file)))
            }
        }
    }

    /// Tells, once, that another run has the file and where the log went instead.
    pub(crate) fn take_note(&mut self) -> Option<String> {
        self.note.take()
    }

    /// Releases the file to later runs, which write it anew.
    pub(crate) fn release(&mut self) {
        if let Some(file) = &self.file {
            // A file system without locks has none to release.
            let _ = file.get_ref().unlock();
        }
    }

    /// # Errors
    /// The first error in writing, once.
    pub(crate) fn check(&mut self) -> Result<(), HostError> {
        let unwritable = |cause| HostError::Unwritable { path: self.path.clone(), cause };
        self.error.take().map_or(Ok(()), |cause| Err(unwritable(cause)))
    }
}

/// Opens a new file at `path`; beside it, with a number, while another run still writes `path`.
fn claim(path: &Path) -> io::Result<(File, PathBuf)> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut at = path.to_owned();
    for number in 2.. {
        // A pipe would wait for a reader, and has no length to cut.
        if at.exists() && !at.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is there and no regular file"));
        }
        let file = File::options().write(true).create(true).truncate(false).open(&at)?;
        // File systems without locks are taken as they are.
        if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            file.set_len(0)?;
            return Ok((file, at));
        }
        at = path.with_file_name(format!("{stem}-{number}.log"));
    }
    unreachable!("the numbers do not end")
}
