//! A session of `csdb`: the selected program, core file and PEs, and the commands that change or print them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use csl_host::core_file::{Core, is_core};
use csl_host::inspect::{Choice, Inspection};
use csl_host::options::parse_number;
use csl_host::{Coord, IMAGE_FILE, LOG_FILE, read_image};

use super::rectangles::Rect;
use super::words::{Given, Takes};
use crate::debug_shell::landings;

/// The greatest depth of folders in which compiled programs are searched.
const DEPTH: usize = 3;

/// The commands, as `help` prints them.
pub(super) const COMMANDS_HELP: &str = "  context list | select FOLDER | show       the compiled program
  target create --core-file FILE | list | show
  rectangle select X,Y,W,H | deselect X,Y,W,H | show | reset
  memory read --address A --length N [--stdoutput]   in 16-bit words
  memory read --name NAME [--stdoutput]     the memory of an object
  symbol NAME                               an object of every selected PE
  wavelet [--color N]                       landings on the selected PEs, from sim.log
  trace list | select FOLDER | show         the folder with sim.log
  workdir select FOLDER                     where memory logs are written
  image                                     what the program holds
  settings                                  what is selected
  help [COMMAND]                            these lines, or those of a command
  exit | quit                               end the session, as the end of the input does
";

/// The vendor's debugger has this command.
const NO_REGISTERS: &str = "core files hold memory, not registers; SIMFABRIC_DEBUG=inst_trace logs them";

const CREATE: Takes =
    Takes { options: &[("--core-file", true), ("--cmaddr", true)], bare: 1, usage: "target create --core-file FILE" };
const READ: Takes = Takes {
    options: &[("--address", true), ("--length", true), ("--name", true), ("--stdoutput", false)],
    bare: 0,
    usage: "memory read --address A --length N [--stdoutput] | --name NAME [--stdoutput]; A and N in 16-bit words",
};
const SYMBOL: Takes = Takes { options: &[], bare: 1, usage: "symbol NAME" };
const ON_HELP: Takes = Takes { options: &[], bare: 1, usage: "help [COMMAND]" };
const WAVELET: Takes = Takes { options: &[("--color", true)], bare: 0, usage: "wavelet [--color N]" };

/// The commands, with the words that may follow each.
const COMMANDS: [(&str, &[&str]); 12] = [
    ("context", &["list", "select", "show"]),
    ("target", &["create", "list", "show"]),
    ("rectangle", &["select", "deselect", "show", "reset"]),
    ("memory", &["read"]),
    ("symbol", &[]),
    ("wavelet", &["--color"]),
    ("trace", &["list", "select", "show"]),
    ("workdir", &["select"]),
    ("image", &[]),
    ("settings", &[]),
    ("help", &[]),
    ("exit", &[]),
];

/// The outcome of a command: a text to print, or the end of the session.
pub(super) enum After {
    Print(String),
    Exit,
}

/// The state of a session: the folders, the core file that is looked at, the rectangles that are chosen.
pub(super) struct Session {
    start: PathBuf,
    workdir: PathBuf,
    context: Option<PathBuf>,
    target: Option<(PathBuf, Core)>,
    rectangles: Vec<Rect>,
    /// The whole fabric of the context.
    fabric: Rect,
    trace: Option<PathBuf>,
}

impl Session {
    /// A session in a folder; the only compiled program below it is selected.
    pub fn start(folder: &Path) -> Result<Session, String> {
        if !folder.is_dir() {
            return Err(format!("{}: there is no such folder", folder.display()));
        }
        let start = folder.to_owned();
        let mut session = Session {
            workdir: start.clone(),
            start,
            context: None,
            target: None,
            rectangles: Vec::new(),
            fabric: Rect { x: 0, y: 0, width: 0, height: 0 },
            trace: None,
        };
        if let [only] = &session.contexts()[..] {
            let only = only.clone();
            session.select_context(&only)?;
        }
        Ok(session)
    }

    pub fn greeting(&self) -> String {
        let folder = self.start.display();
        match (&self.context, self.contexts().len()) {
            (Some(context), _) => format!("INFO:csdb: Compile context: {}\n", context.display()),
            (None, 0) => format!("INFO:csdb: {folder} contains no compile directory\n"),
            (None, _) => format!("INFO:csdb: {folder} contains more than one compile directory\n"),
        }
    }

    /// Looks at the only core file in the folder, or, where it has none, in the working directory.
    pub fn look_at_only_core(&mut self) {
        let mut cores = self.cores();
        if cores.is_empty() {
            find(Path::new("."), 0, &is_core, &mut cores);
        }
        if let [only] = &cores[..] {
            // A core file of another program is not looked at.
            let _ = self.create(&[only.display().to_string()]);
        }
    }

    /// The words that may follow those of a command that is being typed.
    pub fn candidates(&self, before: &[&str]) -> Vec<String> {
        let shown = |paths: Vec<PathBuf>| paths.iter().map(|path| path.display().to_string()).collect();
        let texts = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        match before {
            [] => COMMANDS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            ["symbol"] | [.., "--name"] => self.names(),
            ["context", "select"] => shown(self.contexts()),
            ["trace", "select"] => shown(self.traces()),
            ["target", "create"] => texts(&["--core-file"]),
            ["target", "create", "--core-file"] => shown(self.cores()),
            ["memory", "read", ..] => texts(&["--address", "--length", "--name", "--stdoutput"]),
            [name] => {
                COMMANDS.iter().find(|command| command.0 == *name).map(|command| texts(command.1)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// Names of the objects of the core file's program.
    fn names(&self) -> Vec<String> {
        let image = self.target.as_ref().map(|(_, core)| core.image());
        let programs = image.into_iter().flat_map(|image| &image.programs);
        let names: BTreeSet<&String> =
            programs.flat_map(|program| &program.symbols).map(|symbol| &symbol.name).collect();
        names.into_iter().cloned().collect()
    }

    /// Carries out the words of a command. `is_alone`: it is the only one, so that `memory read` prints and writes no log.
    pub fn command(&mut self, words: &[String], is_alone: bool) -> Result<After, String> {
        let Some((name, behind)) = words.split_first() else { return Ok(After::Print(String::new())) };
        if name.starts_with('#') {
            return Ok(After::Print(String::new()));
        }
        let name = known_as(name);
        if behind.iter().any(|word| word == "--help") {
            return help(name).map(After::Print);
        }
        let action = behind.first().map_or("", String::as_str);
        let rest = behind.get(1..).unwrap_or_default();
        let done = match name {
            "exit" => return alone(name, behind).map(|()| After::Exit),
            "help" => {
                let given = Given::of(name, behind, &ON_HELP)?;
                given.bare.first().map_or_else(|| Ok(COMMANDS_HELP.to_owned()), |command| help(command))
            }
            "context" => self.context(action, rest),
            "target" => self.target(action, rest),
            "rectangle" => self.rectangle(action, rest),
            "memory" => self.memory(action, rest, is_alone),
            "symbol" => self.symbol(behind),
            "trace" => self.trace(action, rest),
            "wavelet" => self.wavelet(behind),
            "workdir" => self.workdir(action, rest),
            "settings" => alone(name, behind).map(|()| self.settings()),
            "image" => alone(name, behind).and_then(|()| self.image()),
            "register" => Err(NO_REGISTERS.to_owned()),
            _ => Err(format!("there is no command {name}; try help")),
        };
        done.map(After::Print)
    }

    // ---- context ----

    fn contexts(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        find(&self.start, DEPTH, &|path| path.join(IMAGE_FILE).is_file(), &mut found);
        found
    }

    fn context(&mut self, action: &str, words: &[String]) -> Result<String, String> {
        match action {
            "list" => alone("context list", words).map(|()| listed(&self.contexts())),
            "select" => {
                let which = the_word("context select", words, "context select FOLDER")?;
                let folder = pick(which, &self.contexts(), &self.start);
                self.select_context(&folder)
            }
            "show" => {
                alone("context show", words)?;
                Ok(info(&format!("Compile context: {}", shown(self.context.as_deref()))))
            }
            _ => Err(usage("context list | select FOLDER | show")),
        }
    }

    fn select_context(&mut self, folder: &Path) -> Result<String, String> {
        let image = read_image(folder).map_err(|error| error.to_string())?;
        let all = Rect { x: 0, y: 0, width: image.fabric.width, height: image.fabric.height };
        (self.context, self.target, self.rectangles) = (Some(folder.to_owned()), None, vec![all]);
        self.fabric = all;
        Ok(info(&format!("Compile context: {}", folder.display())))
    }

    fn folder(&self) -> Result<&Path, String> {
        self.context.as_deref().ok_or_else(|| "select a compile context first: context select FOLDER".to_owned())
    }

    fn image(&self) -> Result<String, String> {
        let inspection = Inspection::open(self.folder()?).map_err(|error| error.to_string())?;
        inspection.text(&Choice::default()).map_err(|error| error.to_string())
    }

    // ---- target ----

    fn cores(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        find(&self.start, 1, &is_core, &mut found);
        found
    }

    fn target(&mut self, action: &str, words: &[String]) -> Result<String, String> {
        match action {
            "create" => self.create(words),
            "list" => alone("target list", words).map(|()| listed(&self.cores())),
            "show" => {
                alone("target show", words)?;
                Ok(info(&format!("Target (core file): {}", self.target_name())))
            }
            "save-core" => Err("only a system can be asked for a core; runs write theirs with dump_core()".to_owned()),
            _ => Err(usage("target create --core-file FILE | list | show")),
        }
    }

    fn create(&mut self, words: &[String]) -> Result<String, String> {
        let given = Given::of("target create", words, &CREATE)?;
        if given.has("--cmaddr") {
            return Err("--cmaddr names a system, and Waferlab only simulates".to_owned());
        }
        let which = match (given.value("--core-file"), given.bare.first().copied()) {
            (Some(file), None) | (None, Some(file)) => file,
            (Some(_), Some(word)) => return Err(format!("one core file is looked at: `{word}` is a second one")),
            (None, None) => return Err(usage(CREATE.usage)),
        };
        let file = pick(which, &self.cores(), &self.start);
        let image = read_image(self.folder()?).map_err(|error| error.to_string())?;
        let core = Core::open(&file, image).map_err(|error| error.to_string())?;
        let text = info(&format!("Target (core file): {}, at cycle {}", file.display(), core.cycle()));
        self.target = Some((file, core));
        Ok(text)
    }

    fn target_name(&self) -> String {
        shown(self.target.as_ref().map(|(file, _)| file.as_path()))
    }

    fn core(&mut self) -> Result<&mut Core, String> {
        let target = self.target.as_mut().map(|(_, core)| core);
        target.ok_or_else(|| "there is no target: target create --core-file FILE".to_owned())
    }

    // ---- rectangles ----

    fn rectangle(&mut self, action: &str, words: &[String]) -> Result<String, String> {
        self.folder()?;
        match action {
            "select" => {
                let rect = Rect::parse(words)?.within(self.fabric)?;
                if !self.rectangles.contains(&rect) {
                    self.rectangles.push(rect);
                }
            }
            "deselect" => {
                let rect = Rect::parse(words)?;
                if !self.rectangles.contains(&rect) {
                    return Err(format!("{rect} is not selected"));
                }
                self.rectangles.retain(|other| *other != rect);
                return Ok(info(&format!("Removing {rect}")));
            }
            "show" => return alone("rectangle show", words).map(|()| self.selected()),
            "reset" => {
                alone("rectangle reset", words)?;
                let folder = self.folder()?.to_owned();
                let target = self.target.take();
                self.select_context(&folder)?;
                self.target = target;
            }
            _ => return Err(usage("rectangle select X,Y,W,H | deselect X,Y,W,H | show | reset")),
        }
        Ok(self.selected())
    }

    fn selected(&self) -> String {
        let lines = self.rectangles.iter().map(|rect| info(&format!("{rect} selected")));
        info("Rectangle(s):") + &lines.collect::<String>()
    }

    // ---- memory ----

    fn memory(&mut self, action: &str, words: &[String], is_alone: bool) -> Result<String, String> {
        match action {
            "read" => {}
            "write" => return Err("a core file cannot be written; only systems can".to_owned()),
            _ => return Err(usage(READ.usage)),
        }
        let given = Given::of("memory read", words, &READ)?;
        let to_output = is_alone || given.has("--stdoutput");
        match (given.value("--name"), given.value("--address"), given.value("--length")) {
            (Some(name), None, None) => self.dump_object(to_output, name),
            (Some(_), ..) => {
                Err("an object has an address and a length: --name goes without --address and --length".into())
            }
            (None, Some(address), Some(length)) => {
                let number = |text: &str| parse_number(text).ok_or_else(|| format!("`{text}` is not a 16-bit number"));
                let (address, length) = (number(address)?, number(length)?);
                let words = self.core()?.image().arch.chip().memory.bytes / 2;
                if length == 0 || u32::from(address) + u32::from(length) > words {
                    return Err(format!("{length} words from 0x{address:04x} on are not in the memory of a PE"));
                }
                self.dump(to_output, address, |_, _| Some((address, length)))
            }
            _ => Err(usage(READ.usage)),
        }
    }

    /// The memory of an object, which may lie elsewhere on each PE.
    fn dump_object(&mut self, to_output: bool, name: &str) -> Result<String, String> {
        let image = self.core()?.image().clone();
        let places = self.places();
        let range = |x: u32, y: u32| {
            let Coord { x, y } = image.to_logical(x, y)?;
            let symbol = image.program_at(x, y)?.symbol(name)?;
            Some((symbol.addr >> 1, u16::try_from(symbol.size.div_ceil(2)).ok()?))
        };
        let first = places.iter().find_map(|place| range(place.x, place.y));
        let (address, _) = first.ok_or_else(|| format!("no selected PE has an object {name}"))?;
        self.dump(to_output, address, range)
    }

    fn symbol(&mut self, words: &[String]) -> Result<String, String> {
        let given = Given::of("symbol", words, &SYMBOL)?;
        let name = *given.bare.first().ok_or_else(|| usage(SYMBOL.usage))?;
        let (mut out, places) = (String::new(), self.places());
        let core = self.core()?;
        for Coord { x, y } in places {
            if let Ok(bytes) = core.read_symbol(x, y, name) {
                let words: Vec<String> = bytes.chunks(2).map(hexadecimal).collect();
                // Writing to a String does not fail.
                let _ = writeln!(out, "({x},{y}) {name}: {}", words.join(" "));
            }
        }
        if out.is_empty() { Err(format!("no selected PE has a symbol {name}")) } else { Ok(out) }
    }

    /// Writes the memory of the selected PEs to a file per rectangle or to the output.
    fn dump(
        &mut self,
        to_output: bool,
        address: u16,
        range: impl Fn(u32, u32) -> Option<(u16, u16)>,
    ) -> Result<String, String> {
        self.core()?;
        let mut out = String::new();
        for rect in self.rectangles.clone() {
            let (text, length) = self.dump_rect(rect, &range)?;
            if to_output {
                out += &text;
                continue;
            }
            let Rect { x, y, width, height } = rect;
            let end = u32::from(address) + u32::from(length);
            let name = format!("memory-x{x}y{y}w{width}h{height}_{address:04x}_{end:04x}.log");
            let file = self.workdir.join(&name);
            std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
            out += &info(&format!("Log file: '{name}'"));
        }
        Ok(out)
    }

    fn dump_rect(
        &mut self,
        rect: Rect,
        range: &impl Fn(u32, u32) -> Option<(u16, u16)>,
    ) -> Result<(String, u16), String> {
        let (mut out, mut longest) = (String::new(), 0);
        for Coord { x, y } in rect.places() {
            let Some((address, length)) = range(x, y) else { continue };
            longest = longest.max(length);
            let core = self.core()?;
            let Some(bytes) = core.read(x, y, address << 1, 2 * u32::from(length)) else { continue };
            let words: Vec<String> = bytes.chunks(2).map(hexadecimal).collect();
            for (line, words) in words.chunks(8).enumerate() {
                let at = address + 8 * line as u16;
                // Writing to a String does not fail.
                let _ = writeln!(out, "({x},{y}) {at:04x}: {}", words.join(" "));
            }
        }
        if out.is_empty() { Err(format!("{rect} holds no PE of the program")) } else { Ok((out, longest)) }
    }

    fn places(&self) -> Vec<Coord> {
        self.rectangles.iter().flat_map(|rect| rect.places()).collect()
    }

    // ---- traces ----

    fn traces(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        find(&self.start, DEPTH, &|path| path.join(LOG_FILE).is_file(), &mut found);
        found
    }

    fn trace(&mut self, action: &str, words: &[String]) -> Result<String, String> {
        let found = self.traces();
        match action {
            "list" => alone("trace list", words).map(|()| listed(&found)),
            "select" => {
                let which = the_word("trace select", words, "trace select FOLDER")?;
                let folder = pick(which, &found, &self.start);
                if !folder.join(LOG_FILE).is_file() {
                    return Err(format!("{}: there is no {LOG_FILE}", folder.display()));
                }
                self.trace = Some(folder);
                Ok(info(&format!("Trace: {}", shown(self.trace.as_deref()))))
            }
            "show" => {
                alone("trace show", words)?;
                Ok(info(&format!("Trace: {}", shown(self.trace.as_deref()))))
            }
            _ => Err(usage("trace list | select FOLDER | show")),
        }
    }

    fn wavelet(&self, words: &[String]) -> Result<String, String> {
        let given = Given::of("wavelet", words, &WAVELET)?;
        let folder = self.trace.as_ref().ok_or_else(|| "select a trace first: trace select FOLDER".to_owned())?;
        let color = match given.value("--color") {
            Some(text) => Some(text.parse().map_err(|_| format!("`{text}` is not a color"))?),
            None => None,
        };
        landings(&folder.join(LOG_FILE), |place| self.rectangles.iter().any(|rect| rect.contains(place)), color)?;
        Ok(String::new())
    }

    // ---- the rest ----

    fn workdir(&mut self, action: &str, words: &[String]) -> Result<String, String> {
        const USAGE: &str = "workdir select FOLDER";
        if action != "select" {
            return Err(usage(USAGE));
        }
        let folder = the_word("workdir select", words, USAGE)?;
        if !Path::new(folder).is_dir() {
            return Err(format!("{folder}: there is no such folder"));
        }
        self.workdir = folder.into();
        Ok(info(&format!("Workdir: {folder}")))
    }

    fn settings(&self) -> String {
        let mut out = info(&format!("Workdir: {}", self.workdir.display()));
        out += &info(&format!("Compile context: {}", shown(self.context.as_deref())));
        out += &info(&format!("Target (core file): {}", self.target_name()));
        out += &self.selected();
        out + &info(&format!("Trace: {}", shown(self.trace.as_deref())))
    }
}

fn info(text: &str) -> String {
    format!("INFO:csdb: {text}\n")
}

fn usage(text: &str) -> String {
    format!("usage: {text}")
}

/// Refuses words behind a command that takes none.
fn alone(command: &str, words: &[String]) -> Result<(), String> {
    words.first().map_or(Ok(()), |word| Err(format!("{command} takes no arguments, but got `{word}`")))
}

/// The one word that a command takes.
fn the_word<'a>(command: &str, words: &'a [String], usage_line: &'static str) -> Result<&'a str, String> {
    let given = Given::of(command, words, &Takes { options: &[], bare: 1, usage: usage_line })?;
    given.bare.first().copied().ok_or_else(|| usage(usage_line))
}

/// The name of a command that has several.
fn known_as(name: &str) -> &str {
    if ["quit", "EOF"].contains(&name) { "exit" } else { name }
}

/// The lines of the help on a command.
fn help(command: &str) -> Result<String, String> {
    let command = known_as(command);
    let is_of = |line: &&str| line.split_whitespace().next() == Some(command);
    let lines: String = COMMANDS_HELP.split_inclusive('\n').filter(is_of).collect();
    match command {
        "register" => Err(NO_REGISTERS.to_owned()),
        _ if lines.is_empty() => Err(format!("there is no command {command}; try help")),
        _ => Ok(lines),
    }
}

fn shown(path: Option<&Path>) -> String {
    path.map_or("none selected".to_owned(), |path| path.display().to_string())
}

fn hexadecimal(word: &[u8]) -> String {
    format!("{:04x}", word.iter().rev().fold(0u16, |value, byte| value << 8 | u16::from(*byte)))
}

fn listed(paths: &[PathBuf]) -> String {
    paths.iter().enumerate().map(|(at, path)| info(&format!("[{at}] {}", path.display()))).collect()
}

/// Chooses a path: `[N]` of a list, or a path as given.
fn pick(which: &str, listed: &[PathBuf], start: &Path) -> PathBuf {
    let number = which.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).and_then(|n| n.parse::<usize>().ok());
    let found = number.and_then(|number| listed.get(number)).cloned();
    found.unwrap_or_else(|| if Path::new(which).exists() { which.into() } else { start.join(which) })
}

/// Collects the paths in and below a folder for which `is_it` holds, the folder itself first.
fn find(folder: &Path, depth: usize, is_it: &dyn Fn(&Path) -> bool, found: &mut Vec<PathBuf>) {
    if is_it(folder) {
        found.push(folder.to_owned());
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() && depth > 0 {
            find(&entry, depth - 1, is_it, found);
        } else if is_it(&entry) {
            found.push(entry);
        }
    }
}
