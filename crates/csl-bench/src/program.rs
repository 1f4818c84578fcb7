//! Programs of the repository, compiled and run.

use std::path::{Path, PathBuf};

use csl_host::{Arch, Copy, Options, Rect, Runtime, Settings, TimeReads, compile};
use tempfile::TempDir;

use crate::seconds;

/// A program of this repository with its params.
pub struct Program {
    folder: PathBuf,
    options: Options,
    threads: usize,
    is_untimed: bool,
    is_interpreted: bool,
    /// Holds the compiled program as long as it is used.
    output: TempDir,
}

impl Program {
    /// The program in a folder, for the WSE-2, to run on one thread.
    pub fn new(folder: &str, params: &[(&str, u32)]) -> Program {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
        let output = TempDir::new().expect("a temporary folder");
        let options = Options {
            folder: folder.clone(),
            output: output.path().join("out"),
            arch: Arch::Wse2,
            params: params.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            memcpy: true,
            sdk: Some(csl_host::options::parse_sdk("1.4").expect("a release")),
            ..Options::new("layout.csl")
        };
        Program { folder, options, threads: 1, is_untimed: false, is_interpreted: false, output }
    }

    /// The same on a fabric of this size, whose first PE of the rectangle is (4, 1).
    pub fn on_fabric(mut self, width: u32, height: u32) -> Program {
        self.options.fabric_dims = Some(csl_host::options::parse_pair(&format!("{width},{height}")).expect("a pair"));
        self.options.fabric_offsets = Some(csl_host::options::parse_pair("4,1").expect("a pair"));
        self
    }

    /// The same on so many threads.
    pub fn threads(self, threads: usize) -> Program {
        Program { threads, ..self }
    }

    /// The same without a clock.
    pub fn untimed(self) -> Program {
        Program { is_untimed: true, ..self }
    }

    /// The same without native code.
    pub fn interpreted(self) -> Program {
        Program { is_interpreted: true, ..self }
    }

    /// The same with the release guessed, as programs of users have it.
    pub fn of_any_release(mut self) -> Program {
        self.options.sdk = None;
        self
    }

    /// Compiles the program; it has no errors.
    pub fn compile(&self) {
        let compiled = compile(&self.options);
        let text = compiled.render(&csl_host::Rendering::default());
        assert!(compiled.succeeded(), "{}: {text}", self.folder.display());
    }

    /// The program, compiled and loaded; it runs nothing yet.
    pub fn load(&self) -> Runtime {
        self.compile();
        self.open()
    }

    /// The program, loaded, where it is compiled.
    pub fn open(&self) -> Runtime {
        let settings =
            Settings { untimed: Some(self.is_untimed.then_some(TimeReads::Refused)), ..Settings::new(self.threads) };
        let mut runtime = Runtime::open(&self.output.path().join("out"), settings).expect("it opens");
        if self.is_interpreted {
            runtime.interpret();
        }
        runtime.load().expect("load() comes first");
        runtime.run().expect("run() comes second");
        runtime
    }

    /// Runs `calls` calls of `measure`, each until all `width` x `height` PEs are done. Returns the seconds of `clock` that
    /// they took, and the cycles that PE 0 measured in the last one.
    pub fn run_by(&self, clock: fn() -> f64, width: u32, height: u32, calls: u32) -> (f64, f64) {
        let mut runtime = self.load();
        let start = clock();
        for _ in 0..calls {
            runtime.launch("measure", &[]).expect("the call is taken");
        }
        let cycles = word_of_each(&mut runtime, "cycles", width, height);
        (clock() - start, f64::from(cycles[0]))
    }

    /// The same by processor time.
    pub fn run(&self, width: u32, height: u32, calls: u32) -> (f64, f64) {
        self.run_by(seconds, width, height, calls)
    }
}

/// A word of `symbol` from each of `width` x `height` PEs: they have done what they were told to.
pub fn word_of_each(runtime: &mut Runtime, symbol: &str, width: u32, height: u32) -> Vec<u32> {
    let from = runtime.id(symbol).expect("the symbol is exported").into();
    let room = usize::try_from(width * height).expect("a wafer has fewer PEs");
    let task = runtime.d2h(from, room, &Copy::of(Rect::new(0, 0, width, height), 1)).expect("the copy is taken");
    runtime.wait(task).expect("the program ends");
    runtime.take_arrived().remove(0).1
}
