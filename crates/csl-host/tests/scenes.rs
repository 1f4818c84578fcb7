//! The programs of `tests/run/SUBJECT/`: one file each, run on the chips that it concerns, its outcome compared.
//!
//! A file is the program of every PE of a small rectangle; [`FRAME`] is appended to it. The text after a line
//! `//> file: NAME` is another file of the program. Its lines `//> key: value` say
//!
//! - `chips`: `wse2`, `wse3` or both (both),
//! - `size`: columns and rows, `2x1` (`1x1`),
//! - `sdk`: the releases whose rules hold, a run for each (today's),
//! - `out TYPE`: the elements of `out` after the run, PEs separated by `|`, in row-major order,
//! - `fails`: a part of the fault or deadlock that ends the run,
//! - `rejects`: a part of the compiler's errors; the program does not run,
//! - `warns`: a part of the compiler's warnings and notes,
//! - `silent`: a part that no warning or note of the compiler has,
//! - `says`: a part of a warning of the runtime at the end of the run; another such key, `says N`, for each further
//!   warning. With one of them, there are no other warnings,
//! - `checks`: a part of a report of a checked run (`--check`); another such key, `checks N`, for each further report,
//! - `prints`: the lines that `<simprint>` prints, separated by `|`,
//! - `timed`: why another schedule than the machine's own may have another result; all other scenes have the same by any.
//!
//! A scene about layouts has one of its own, `NAME.layout`, beside it; it exports `scene_word` and `main`.
//!
//! A program calls `done()` on each PE when `out` has its final value.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csl_host::options::{Passes, parse_sdk};
use csl_host::{
    Arch, Check, Compilation, Coord, Copy, HostError, Image, Options, Rect, Runtime, Sdk, Settings, Size, build,
    compile, read_image,
};
use csl_sim::{Command, Endpoint, Sim, SimOptions, TimeReads};
use tempfile::TempDir;

use crate::program;

const LAYOUT: &str = "
param width: u16;
param height: u16;
const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = width, .height = height });
layout {
  @set_rectangle(width, height);
  for (@range(u16, height)) |y| {
    for (@range(u16, width)) |x| {
      @set_tile_code(x, y, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(x), .column = x, .row = y });
    }
  }
  @export_name(\"scene_word\", [*]u32, true);
  @export_name(\"main\", fn()void);
  @export_name(\"scene_sum\", fn(i16, u32)void);
  @export_name(\"scene_end\", fn()void);
}
";

/// Appended, so that the lines of a scene keep their numbers.
const FRAME: &str = "
param memcpy_params;
param column: u16;
param row: u16;
const scene_memcpy = @import_module(\"<memcpy/memcpy>\", memcpy_params);
var scene_word = @zeros([1]u32);
var scene_word_ptr: [*]u32 = &scene_word;
fn done() void { scene_memcpy.unblock_cmd_stream(); }
comptime {
  @export_symbol(scene_word_ptr, \"scene_word\");
  @export_symbol(main);
}
";

/// The keys at the head of a file.
pub struct Scene {
    name: String,
    text: String,
    layout: String,
    keys: BTreeMap<String, String>,
}

impl Scene {
    fn read(path: &Path) -> Scene {
        let text = fs::read_to_string(path).expect("a scene is readable text");
        let name = path.file_stem().expect("a scene has a name").to_string_lossy().into_owned();
        let scene = Scene::new(name, text);
        match fs::read_to_string(path.with_extension("layout")) {
            Ok(layout) => Scene { layout, ..scene },
            Err(_) => scene,
        }
    }

    /// A scene by its text, with the usual layout.
    pub fn new(name: String, text: String) -> Scene {
        let pairs = text.lines().filter_map(|line| line.strip_prefix("//> ")?.split_once(": "));
        let keys = pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect();
        Scene { name, text, layout: LAYOUT.to_owned(), keys }
    }

    fn key(&self, key: &str) -> Option<&str> {
        self.keys.get(key).map(String::as_str)
    }

    fn size(&self) -> Size {
        let (width, height) = self.key("size").unwrap_or("1x1").split_once('x').expect("size: WIDTHxHEIGHT");
        Size { width: width.parse().expect("a width"), height: height.parse().expect("a height") }
    }

    fn chips(&self) -> Vec<Arch> {
        let named = self.key("chips").unwrap_or("wse2 wse3");
        Arch::ALL.iter().copied().filter(|arch| named.contains(&arch.to_string())).collect()
    }

    /// The runs: on each chip, with the rules of each release that the chip has. `None` leaves the release to the
    /// program.
    pub fn runs(&self) -> Vec<(Arch, Option<Sdk>)> {
        let named = self.key("sdk").map(|names| names.split_whitespace().map(|sdk| parse_sdk(sdk).expect("a release")));
        let releases = named.map_or_else(|| vec![None], |releases| releases.map(Some).collect());
        let has_chip = |arch: Arch, sdk: Option<Sdk>| arch == Arch::Wse2 || sdk.is_none_or(|sdk| sdk.major > 0);
        let runs = self.chips().into_iter().flat_map(|arch| releases.iter().map(move |&sdk| (arch, sdk)));
        runs.filter(|&(arch, sdk)| has_chip(arch, sdk)).collect()
    }

    /// The type and the values of each PE's `out`.
    fn expected(&self) -> Option<(&str, Vec<String>)> {
        let (key, values) = self.keys.iter().find(|(key, _)| key.starts_with("out "))?;
        let normal = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
        Some((&key[4..], values.split('|').map(normal).collect()))
    }
}

/// A folder with the scene as a program, and how to compile it.
fn options(scene: &Scene, arch: Arch, sdk: Option<Sdk>, folder: &TempDir) -> Options {
    let Size { width, height } = scene.size();
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("the folder is writable");
    file("layout.csl", &scene.layout);
    let mut parts = scene.text.split("//> file: ");
    file("pe.csl", &format!("{}{FRAME}", parts.next().unwrap_or_default()));
    for part in parts {
        let (name, text) = part.split_once('\n').expect("a file has a name and a text");
        file(name, text);
    }
    Options {
        folder: folder.path().to_owned(),
        arch,
        memcpy: true,
        sdk,
        params: vec![("width".to_owned(), width.to_string()), ("height".to_owned(), height.to_string())],
        ..Options::new("layout.csl")
    }
}

/// Runs `main` on every PE until each has called `done()`; the run stays open.
fn play(scene: &Scene, options: &Options, settings: Settings) -> Result<Runtime, HostError> {
    let Size { width, height } = scene.size();
    let mut runtime = Runtime::open(&options.folder.join("out"), settings)?;
    runtime.load()?;
    runtime.run()?;
    let word = runtime.id("scene_word")?.into();
    let task = runtime.launch("main", &[])?;
    runtime.wait(task)?;
    let rect = Rect::new(0, 0, width, height);
    let copy = Copy::of(rect, 1);
    let task = runtime.d2h(word, (width * height) as usize, &copy)?;
    runtime.wait(task)?;
    runtime.stop()?;
    Ok(runtime)
}

/// One element as text.
fn element(kind: &str, bytes: &[u8]) -> String {
    let two = || bytes.try_into().expect("two bytes");
    let four = || bytes.try_into().expect("four bytes");
    match kind {
        "i16" => i16::from_le_bytes(two()).to_string(),
        "u16" => u16::from_le_bytes(two()).to_string(),
        "x16" => format!("{:04x}", u16::from_le_bytes(two())),
        "i32" => i32::from_le_bytes(four()).to_string(),
        "u32" => u32::from_le_bytes(four()).to_string(),
        "x32" => format!("{:08x}", u32::from_le_bytes(four())),
        "f32" => f32::from_le_bytes(four()).to_string(),
        other => panic!("`out {other}` is not known"),
    }
}

/// `out` of every PE as text.
fn outputs(scene: &Scene, kind: &str, runtime: &mut Runtime) -> Result<Vec<String>, HostError> {
    let Size { width, height } = scene.size();
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let bytes = if kind.ends_with("16") { 2 } else { 4 };
    places
        .map(|(x, y)| {
            let Coord { x: px, y: py } = runtime.to_physical(x, y);
            // A PE whose program does not mention `out` has none.
            let Ok(memory) = runtime.read_symbol(px, py, "out") else { return Ok("-".to_owned()) };
            Ok(memory.chunks(bytes).map(|chunk| element(kind, chunk)).collect::<Vec<_>>().join(" "))
        })
        .collect()
}

/// The lines of `sim.log` without their cycles.
fn printed(runtime: &mut Runtime) -> String {
    let log = runtime.take_log();
    log.lines().map(|line| line.split_once(' ').map_or(line, |(_, text)| text)).collect::<Vec<_>>().join("|")
}

/// The fault in a run of the scene, if any.
pub fn complaint(scene: &Scene, arch: Arch, sdk: Option<Sdk>, passes: Passes, schedule: Option<u64>) -> Option<String> {
    complaint_with(scene, arch, sdk, passes, Settings { schedule, ..Settings::new(1) })
}

fn complaint_with(scene: &Scene, arch: Arch, sdk: Option<Sdk>, passes: Passes, settings: Settings) -> Option<String> {
    let folder = TempDir::new().expect("a temporary folder");
    let options = Options { passes, ..options(scene, arch, sdk, &folder) };
    let compiled = compile(&options);
    let said = program::text(&compiled);
    if let Some(part) = scene.key("rejects") {
        let fits = !compiled.succeeded() && said.contains(part);
        return (!fits).then(|| format!("is not rejected with `{part}`:\n{said}"));
    }
    if !compiled.succeeded() {
        return Some(format!("does not compile:\n{said}"));
    }
    if let Some(part) = scene.key("warns").filter(|part| !said.contains(part)) {
        return Some(format!("does not warn of `{part}`:\n{said}"));
    }
    if let Some(part) = scene.key("silent").filter(|part| said.contains(part)) {
        return Some(format!("says `{part}`:\n{said}"));
    }
    match (play(scene, &options, settings), scene.key("fails")) {
        (Err(error), Some(part)) if error.to_string().contains(part) => None,
        (Err(error), Some(part)) => Some(format!("fails otherwise than with `{part}`:\n{error}")),
        (Err(error), None) => Some(format!("fails:\n{error}")),
        (Ok(_), Some(part)) => Some(format!("does not fail with `{part}`")),
        (Ok(mut runtime), None) => {
            let (kind, expected) = scene.expected().expect("a scene says what comes of it");
            if let Some(printed) = scene.key("prints").filter(|lines| printed(&mut runtime) != *lines) {
                return Some(format!("does not print {printed}"));
            }
            let warnings = runtime.take_warnings();
            let parts: Vec<&str> =
                scene.keys.iter().filter(|(key, _)| key.starts_with("says")).map(|(_, part)| &**part).collect();
            let all_said = parts.iter().all(|part| warnings.iter().any(|warning| warning.contains(part)));
            if !parts.is_empty() && (!all_said || warnings.len() != parts.len()) {
                return Some(format!("ends with other warnings than {parts:?}: {warnings:?}"));
            }
            let found = outputs(scene, kind, &mut runtime).expect("out can be read");
            (found != expected)
                .then(|| format!("has out {}\n    instead of {}", found.join(" | "), expected.join(" | ")))
        }
    }
}

fn files(subject: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/run").join(subject);
    let entries = fs::read_dir(&folder).expect("the subject has a folder");
    let paths = entries.map(|entry| entry.expect("the folder is readable").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|ext| ext == "csl")).collect();
    paths.sort();
    paths
}

/// Runs every scene of a subject, with all passes of the optimiser and with none, and by another schedule than the
/// machine's own where the scene does not say why its result is `timed`; shows all failures.
fn check(subject: &str) {
    let mut complaints = Vec::new();
    for scene in files(subject).iter().map(|path| Scene::read(path)) {
        let number = scene.name.bytes().fold(1, |sum, byte| sum + u64::from(byte));
        for (arch, sdk) in scene.runs() {
            let of = sdk.map_or_else(String::new, |sdk| format!(", SDK {}.{},", sdk.major, sdk.minor));
            let name = format!("{subject}/{} on {arch}{of}", scene.name);
            let mut with = |passes, schedule, which| {
                let complaint = complaint(&scene, arch, sdk, passes, schedule);
                complaints.extend(complaint.map(|what| format!("{name}{which} {what}")));
            };
            with(Passes::ALL, None, "");
            with(Passes::NONE, None, ", without passes,");
            if scene.key("timed").is_none() {
                with(Passes::ALL, Some(number), ", by another schedule,");
            }
        }
    }
    assert!(complaints.is_empty(), "{} scenes went wrong\n\n{}", complaints.len(), complaints.join("\n\n"));
}

/// The text without cycles, which are the subject of other tests and would only make snapshots change.
fn without_cycles(text: &str) -> String {
    let mut parts = text.split("in cycle ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "in cycle N" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// The text of the fault or deadlock that a scene ends in.
fn report(scene: &Scene) -> String {
    let folder = TempDir::new().expect("a temporary folder");
    let (arch, sdk) = scene.runs()[0];
    let options = options(scene, arch, sdk, &folder);
    let compiled = compile(&options);
    if !compiled.succeeded() {
        return format!("does not compile:\n{}", program::text(&compiled));
    }
    match play(scene, &options, Settings::new(1)) {
        Err(error) => without_cycles(&error.to_string()),
        Ok(_) => "went well".to_owned(),
    }
}

#[test]
fn faults() {
    for scene in files("faults").iter().map(|path| Scene::read(path)) {
        insta::with_settings!({ snapshot_path => "../../../tests/run/faults", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(scene.name.clone(), report(&scene));
        });
    }
}

/// One run with these settings: the cycle in which it ends, the hash and number of landings, and `out` of every PE.
fn simulated(scene: &Scene, options: &Options, settings: SimOptions) -> (u64, (u64, u64), Vec<Option<Vec<u8>>>) {
    let Size { width, height } = scene.size();
    let image = Arc::new(read_image(&options.folder.join("out")).expect("the folder holds a program"));
    let id = |name: &str| image.exports.iter().find(|export| export.name == name).expect("the frame exports it").id;
    let mut sim = Sim::new(image.clone(), settings).expect("the image is whole");
    let rect = Rect::new(0, 0, width, height);
    let copy = Command::D2h { from: Endpoint::Symbol(id("scene_word")), copy: Copy::of(rect, 1), room: rect.len() };
    for command in [Command::Launch { function: id("main"), args: Vec::new() }, copy] {
        let ticket = sim.submit(command).expect("the command is right");
        sim.wait(ticket).expect("it ends");
    }
    sim.stop().expect("nothing is pending");
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let values = places.map(|(x, y)| sim.read_symbol(x, y, "out").expect("there is a PE")).collect();
    (sim.cycle(), sim.landings(), values)
}

#[test]
fn threads_change_nothing() {
    for scene in files("threads").iter().map(|path| Scene::read(path)) {
        for arch in scene.chips() {
            assert_eq!(complaint(&scene, arch, None, Passes::ALL, None), None, "{} on {arch}", scene.name);
            let folder = TempDir::new().expect("a temporary folder");
            let options = options(&scene, arch, None, &folder);
            assert!(compile(&options).succeeded());
            let threaded = |threads| simulated(&scene, &options, SimOptions { threads, ..SimOptions::default() });
            let one = threaded(1);
            assert!(one.1.1 > 0, "wavelets move");
            for threads in [2, 4] {
                assert_eq!(threaded(threads), one, "{} on {arch}, {threads} threads", scene.name);
            }
        }
    }
}

/// Scenes run alike without a clock, but for those that say why they measure time (`timed`) or why else they need one
/// (`clocked`).
#[test]
fn scenes_run_without_a_clock() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    let needs_clock = |scene: &Scene| scene.key("timed").is_some() || scene.key("clocked").is_some();
    for subject in all_subjects().into_iter().filter(|subject| subject != "faults") {
        for scene in files(&subject).iter().map(|path| Scene::read(path)).filter(|scene| !needs_clock(scene)) {
            for (arch, sdk) in scene.runs() {
                let settings = Settings { untimed: Some(Some(TimeReads::Refused)), ..Settings::new(1) };
                // Reading the time is refused.
                let what = complaint_with(&scene, arch, sdk, Passes::ALL, settings)
                    .filter(|what| !what.contains("an untimed run has no clock"));
                wrong.extend(what.map(|what| format!("{subject}/{} on {arch} {what}", scene.name)));
                count += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} scenes went wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The difference that checks make to a run of a scene, or the reports that it does not expect, if any.
fn difference(scene: &Scene, arch: Arch, sdk: Option<Sdk>) -> Option<String> {
    let folder = TempDir::new().expect("a temporary folder");
    let options = options(scene, arch, sdk, &folder);
    if !compile(&options).succeeded() || scene.key("fails").is_some() {
        return None;
    }
    let with = |check| simulated(scene, &options, SimOptions { check, ..SimOptions::default() });
    if with(Check::Off) != with(Check::On) {
        return Some("runs otherwise when it is checked".to_owned());
    }
    // Scenes of other subjects do odd things on purpose.
    if !scene.keys.keys().any(|key| key.starts_with("checks")) {
        return None;
    }
    let mut runtime =
        play(scene, &options, Settings { check: Some(Check::On), ..Settings::new(1) }).expect("it runs unchecked");
    let told: Vec<String> = runtime.take_warnings().into_iter().filter(|text| text.starts_with("check: ")).collect();
    let keys = scene.keys.iter().filter(|(key, _)| key.starts_with("checks"));
    let parts: Vec<&str> = keys.map(|(_, part)| &**part).collect();
    let is_told = |part: &&str| told.iter().any(|text| text.contains(*part));
    (told.len() != parts.len() || !parts.iter().all(is_told)).then(|| format!("is told {told:#?}\n    not {parts:?}"))
}

/// A checked run has the cycles, the landings and the results of one without checks, and reports what the scene says.
#[test]
fn checks_change_nothing_and_report_what_scenes_say() {
    let mut wrong = Vec::new();
    for subject in all_subjects().into_iter().filter(|subject| subject != "faults") {
        for scene in files(&subject).iter().map(|path| Scene::read(path)) {
            for (arch, sdk) in scene.runs() {
                let what = difference(&scene, arch, sdk);
                wrong.extend(what.map(|what| format!("{subject}/{} on {arch} {what}", scene.name)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} scenes went wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The image of a scene, as far as it does not depend on white space; none if it is rejected.
fn image_without_lines(options: &Options) -> Option<Image> {
    build(options, &mut Compilation::default()).map(Image::without_lines)
}

/// Formatting a program does not change its image. Only the line tables, which name lines and columns, are left out.
#[test]
fn formatting_changes_no_image() {
    let mut compared = 0;
    for scene in all_subjects().iter().flat_map(|subject| files(subject)).map(|path| Scene::read(&path)) {
        for (arch, sdk) in scene.runs() {
            let folder = TempDir::new().expect("a temporary folder");
            let options = options(&scene, arch, sdk, &folder);
            let before = image_without_lines(&options);
            for entry in fs::read_dir(folder.path()).expect("the folder is readable") {
                let path = entry.expect("the folder is readable").path();
                let text = fs::read_to_string(&path).expect("a scene is readable text");
                if let Ok(formatted) = csl_fmt::format("", &text) {
                    fs::write(path, formatted).expect("the folder is writable");
                }
            }
            compared += usize::from(before.is_some());
            assert!(image_without_lines(&options) == before, "{} on {arch}", scene.name);
        }
    }
    assert!(compared > 300, "{compared} programs compared");
}

/// The folders of `tests/run` with scenes.
fn all_subjects() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/run");
    let entries = fs::read_dir(&folder).expect("the tests are there");
    let names = entries.map(|entry| entry.expect("it is readable").file_name().to_string_lossy().into_owned());
    // Those have layouts and harnesses of their own.
    let mut names: Vec<String> = names.filter(|name| name != "std" && name != "printed").collect();
    names.sort();
    names
}

macro_rules! subjects {
    ($($subject:ident)*) => {
        $(#[test]
        fn $subject() {
            check(stringify!($subject));
        })*
    };
}

subjects! {
    checked dsds dsrs fifos tasks queues wavelets switches filters teardown registers memcpy language kernels messages rpc builtins
    libraries
}
