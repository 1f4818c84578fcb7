//! `sim.log`: what programs print, and with `SIMFABRIC_DEBUG` what the machine does, a line an event.
//!
//! The forms of the lines are those of the vendor's guide (Debugging Guide, Simulator Logs); where its text leaves spaces
//! open, those that public viewers expect. Coordinates are the whole fabric's. Lines go to the file as they come: in memory
//! stands what is on its way through the fabric, never the log.

mod fabric;
mod identity;
mod idle;
mod instruction;
pub(crate) mod operands;
mod prints;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csl_image::Image;
use csl_num::FloatKind;
use csl_sim::{Event, EventKind, Traces};

pub(crate) use prints::prints;

/// The variable that says what to log, and the names under which container runtimes pass it into their containers.
const VARIABLES: [&str; 3] = ["SIMFABRIC_DEBUG", "SINGULARITYENV_SIMFABRIC_DEBUG", "APPTAINERENV_SIMFABRIC_DEBUG"];

/// What `sim.log` holds beside what programs print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogKinds {
    /// Wavelets that land on routers.
    pub landing: bool,
    /// Instructions.
    pub inst_trace: bool,
    /// Switches of routers.
    pub router: bool,
    /// Wavelets that leave routers. Not in the guide; viewers that animate wavelets read these lines.
    pub wavelet: bool,
}

impl LogKinds {
    /// From a list such as `landing,router`.
    pub fn parse(list: &str) -> Result<LogKinds, String> {
        let mut kinds = LogKinds::default();
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let kind = match word {
                "landing" => &mut kinds.landing,
                "inst_trace" => &mut kinds.inst_trace,
                "router" => &mut kinds.router,
                "wavelet" => &mut kinds.wavelet,
                _ => return Err(format!("`{word}` is not one of landing, inst_trace, router, wavelet")),
            };
            *kind = true;
        }
        Ok(kinds)
    }

    /// From the environment of the process: `SIMFABRIC_DEBUG` or, where that is not set, the names that containers use.
    pub fn from_environment() -> Result<LogKinds, String> {
        let set = VARIABLES.into_iter().find_map(|name| std::env::var(name).ok().map(|list| (name, list)));
        set.map_or(Ok(LogKinds::default()), |(name, list)| {
            LogKinds::parse(&list).map_err(|error| format!("{name}={list}: {error}"))
        })
    }

    fn is_any(self) -> bool {
        self != LogKinds::default()
    }

    pub(crate) fn traces(self) -> Traces {
        Traces { fabric: self.landing || self.router || self.wavelet, instructions: self.inst_trace }
    }
}

/// What the texts of lines need to know.
pub(crate) struct Scene {
    pub image: Arc<Image>,
    pub half: FloatKind,
}

impl Scene {
    /// Place in the whole fabric.
    fn place(&self, event: &Event) -> (u32, u32) {
        (self.image.offset.x + event.x, self.image.offset.y + event.y)
    }

    /// Number of a tile in the whole fabric, by row.
    fn tile(&self, event: &Event) -> u32 {
        let (x, y) = self.place(event);
        y * self.image.fabric.width + x
    }

    fn is_wse3(&self) -> bool {
        self.image.arch == csl_image::Arch::Wse3
    }
}

/// The file and what it takes to write it.
pub(crate) struct SimLog {
    scene: Scene,
    kinds: LogKinds,
    path: PathBuf,
    file: Option<BufWriter<File>>,
    idents: identity::Identities,
    idle: idle::Idle,
    error: Option<io::Error>,
}

impl SimLog {
    /// A log at `path`. The file is made with its first line; where `kinds` asks for anything, at once.
    pub fn new(image: Arc<Image>, half: FloatKind, path: PathBuf, kinds: LogKinds) -> SimLog {
        let scene = Scene { image, half };
        let idents = identity::Identities::default();
        let mut log = SimLog { scene, kinds, path, file: None, idents, idle: idle::Idle::default(), error: None };
        if kinds.is_any() {
            log.begin();
        }
        log
    }

    /// What is needed to read the rest: the size of the fabric, and where switches stand.
    fn begin(&mut self) {
        let fabric = self.scene.image.fabric;
        self.put(&format!("@0 dimX={}, dimY={}\n", fabric.width, fabric.height));
        if self.kinds.router {
            let image = Arc::clone(&self.scene.image);
            for run in &image.routes {
                let lines = fabric::initial(&self.scene, run);
                self.put(&lines);
            }
        }
    }

    pub fn kinds(&self) -> LogKinds {
        self.kinds
    }

    /// Adds events, which come in the order of their cycles.
    pub fn write(&mut self, events: &[Event]) {
        for event in events {
            if self.kinds.inst_trace {
                let idle = self.idle.before(event.cycle);
                idle.into_iter().for_each(|line| self.put(&instruction::idle(&self.scene, line)));
            }
            if let Some(text) = self.line(event) {
                self.put(&text);
            }
        }
        // A program that hangs is looked at while it runs, or killed.
        if let (Some(file), None) = (&mut self.file, &self.error) {
            self.error = file.flush().err();
        }
    }

    fn line(&mut self, event: &Event) -> Option<String> {
        match &event.what {
            EventKind::Fabric { color, what } => {
                let ident = self.idents.follow(&self.scene, event, *color, what);
                fabric::line(&self.scene, self.kinds, event, (*color, what), ident)
            }
            EventKind::Pe(pe) => match &pe.what {
                csl_pe::EventKind::Print(_) => prints::line(&self.scene.image, self.scene.half, event),
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
            none => Ok(none.insert(BufWriter::new(File::create(&self.path)?))),
        }
    }

    /// The first error, told once.
    pub fn check(&mut self) -> Result<(), String> {
        self.error.take().map_or(Ok(()), |error| Err(format!("{}: {error}", self.path.display())))
    }
}

/// Where a run that is started here logs, by default.
pub fn default_path(folder: &Path) -> PathBuf {
    folder.join("sim.log")
}
