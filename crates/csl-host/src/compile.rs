//! The pipeline of a compilation: from text to the output folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use csl_diag::{Code, Diagnostic, Diagnostics, Rendering, SourceMap};
use csl_image::{Image, Memcpy, Stream, is_library};
use csl_ir::Wafer;
use csl_machine::{Coord, Size};
use csl_sema::{Analysis, Assembly, Kind, Observation, Sources, Subject};
use serde_json::Value;

use crate::lint;
use crate::options::{Level, Options, PRINTED};
use crate::outdir::{self, Contents, NamedFile};
use crate::placement::{Placement, margins, offset, place};
use crate::sources::{FileSources, Trees, Unsaved};

/// A step that `--emit` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Tokens of the root file.
    Tokens,
    /// The tree of the root file.
    Ast,
    /// The IR after semantic analysis.
    Ir0,
    /// The IR after the optimiser, to which cycles are attached.
    Ir,
    /// The PEs' instructions.
    Bytecode,
    /// Tiles, routes and exports.
    Layout,
}

/// The outcome of a compilation.
#[derive(Debug, Default)]
pub struct Compilation {
    sources: SourceMap,
    diagnostics: Diagnostics,
    text: String,
    summary: String,
}

/// Compiles the program and writes its output folder.
pub fn compile(options: &Options) -> Compilation {
    let mut done = Compilation::of(options);
    let Some(image) = build(options, &mut done) else { return done };
    done.summary = summary(options, &image);
    if let Err(error) = write(options, image, &mut done) {
        done.fail(error);
    }
    done
}

/// The text of one stage; nothing is written.
pub fn emit(options: &Options, stage: Stage) -> Compilation {
    let mut done = Compilation::of(options);
    if let Some(text) = stage_text(options, stage, &mut done) {
        done.text = text;
    }
    done
}

/// Compiles text to an image. `None` when there were errors, which `done` then holds.
pub fn build(options: &Options, done: &mut Compilation) -> Option<Image> {
    build_from(&mut FileSources::new(options), options, done)
}

/// [`build`] of sources that need not be files.
pub fn build_from(sources: &mut dyn Sources, options: &Options, done: &mut Compilation) -> Option<Image> {
    let wafer = analyze_from(sources, options, done)?;
    let placement = done.accept(place(options, wafer.size))?;
    generate(options, wafer, placement, done)
}

fn optimised(options: &Options, mut wafer: Wafer) -> Wafer {
    csl_opt::optimise(&mut wafer.programs, options.passes, options.threads());
    wafer
}

fn analyze(options: &Options, done: &mut Compilation) -> Option<Wafer> {
    analyze_from(&mut FileSources::new(options), options, done)
}

fn analyze_from(sources: &mut dyn Sources, options: &Options, done: &mut Compilation) -> Option<Wafer> {
    let root = options.root.to_string_lossy();
    let analysis = csl_sema::analyze(&root, sources, &sema_options(options));
    done.adopt(analysis, options)
}

/// [`build`] for a layout that a host program describes.
pub(crate) fn assemble(options: &Options, assembly: &Assembly, done: &mut Compilation) -> Option<Image> {
    // `set_symbol_all` gives any object a value, after the compilation.
    let options = &Options { passes: options.passes.without(csl_opt::Pass::Fixed), ..options.clone() };
    let analysis = csl_sema::assemble(assembly, &mut FileSources::new(options), &sema_options(options));
    let wafer = done.adopt(analysis, options)?;
    let placement = Placement { fabric: wafer.size, offset: Coord::default() };
    generate(options, wafer, placement, done)
}

/// What an editor brings to an analysis.
#[derive(Clone, Debug, Default)]
pub struct Editing {
    /// The texts that it holds.
    pub unsaved: Unsaved,
    /// The trees of its earlier analyses.
    pub trees: Trees,
    /// Set when the analysis is no longer wanted: it ends soon then, with an error.
    pub stop: Arc<AtomicBool>,
}

/// Analyses a program for an editor, with a record of names. The findings are those of `cslc` and of the lints, at the levels of
/// a `waferlab.toml`. `alone` analyses the root as the program of a single PE.
pub fn observe(options: &Options, levels: &[(Code, Level)], editing: &Editing, alone: bool) -> Observation {
    let root = options.root.to_string_lossy();
    let Editing { unsaved, trees, stop } = editing.clone();
    let mut sources = FileSources::with(options, unsaved).keeping(trees);
    let sema_options = sema_options(options);
    let mut observed = if alone {
        let kind = Kind { file: root.to_string(), params: Vec::new(), description: format!("{root} on its own") };
        let size = Size { width: 1, height: 1 };
        let assembly = Assembly { size, kinds: vec![kind], tiles: vec![1], routes: Vec::new() };
        csl_sema::observe(Subject::Assembly(&assembly), &mut sources, &sema_options, stop)
    } else {
        csl_sema::observe(Subject::Root(&root), &mut sources, &sema_options, stop)
    };
    lint::find_all(&mut observed.analysis, options, levels);
    observed
}

fn generate(options: &Options, wafer: Wafer, placement: Placement, done: &mut Compilation) -> Option<Image> {
    for (name, _) in &options.link_sections {
        let globals = wafer.programs.iter().flat_map(|program| &program.globals).map(|global| &global.linksection);
        let funcs = wafer.programs.iter().flat_map(|program| &program.funcs).map(|func| &func.linksection);
        if !globals.chain(funcs).flatten().any(|section| section == name) {
            let text = format!("nothing is in the link section {name}, which is given an address");
            done.push(Diagnostic::unplaced(Code::IgnoredOption, text));
        }
    }
    match csl_codegen::generate(&optimised(options, wafer), &done.sources, &codegen_options(options, placement)) {
        Ok(image) => {
            let image = checked(image, done)?;
            Some(if options.line_tables { image } else { image.without_lines() })
        }
        Err(diagnostics) => {
            done.extend(diagnostics, options);
            None
        }
    }
}

/// An image that the machine takes. Else the user would learn of a fault of the compiler from a run, which calls the folder damaged.
fn checked(image: Image, done: &mut Compilation) -> Option<Image> {
    match image.check() {
        Ok(()) => Some(image),
        Err(what) => {
            let text = format!("a defect of the compiler: it has made an image with {what}");
            let note = "this is a fault of Waferlab, not of the program: please report it";
            done.push(Diagnostic::unplaced(Code::Internal, text).note(note));
            None
        }
    }
}

/// The errors of code generation; the code itself is dropped.
pub(crate) fn code_errors(options: &Options, wafer: Wafer, at: Placement, sources: &SourceMap) -> Diagnostics {
    csl_codegen::generate(&optimised(options, wafer), sources, &codegen_options(options, at)).err().unwrap_or_default()
}

/// Writes the output folder, and the files that the command line names.
fn write(options: &Options, image: Image, done: &mut Compilation) -> Result<(), String> {
    let sources = done.source_files(options);
    let routes_file = options.out_routes.as_deref().filter(|path| *path != Path::new(PRINTED));
    check_named(options, [options.output_json.as_deref(), routes_file])?;
    let mut named = Vec::new();
    if let Some(path) = &options.output_json {
        let text = outdir::json_bytes(&outdir::metadata(&image, &options.colors));
        named.push(NamedFile::stage(&options.locate(path), text, &sources)?);
    }
    let printed = match routes_file {
        Some(path) => {
            let text = outdir::routes(&image).into_bytes();
            named.push(NamedFile::stage(&options.locate(path), text, &sources)?);
            String::new()
        }
        None if options.out_routes.is_some() => outdir::routes(&image),
        None => String::new(),
    };
    store(options, image, done, Extras::default())?;
    named.into_iter().try_for_each(NamedFile::put)?;
    done.text = printed;
    Ok(())
}

/// Refuses files beside the program that would take the place of one of its own, or of each other.
fn check_named(options: &Options, named: [Option<&Path>; 2]) -> Result<(), String> {
    let named = named.map(|path| path.map(|path| options.locate(path)));
    let folder = options.locate(&options.output);
    if let Some(path) = named.iter().flatten().find(|path| outdir::is_of_program(&folder, path)) {
        return Err(format!("cannot write {}: it stands among the files of the compiled program", path.display()));
    }
    match named.map(|path| path.map(|path| outdir::resolved(&path))) {
        [Some(json), Some(routes)] if json == routes => {
            Err(format!("--output-json and --out-routes name the same file, {}", json.display()))
        }
        _ => Ok(()),
    }
}

/// Additions to a program by a layout of the host.
#[derive(Default)]
pub(crate) struct Extras {
    pub streams: Vec<Stream>,
    pub files: Vec<(&'static str, Value)>,
}

/// Writes the output folder.
pub(crate) fn store(options: &Options, image: Image, done: &Compilation, extras: Extras) -> Result<(), String> {
    let source_folder = std::path::absolute(options.locate(Path::new(".")));
    let source_folder = source_folder.map_err(|error| format!("the working directory: {error}"))?;
    let contents = Contents {
        image,
        colors: options.colors.clone(),
        source_folder,
        sources: done.source_files(options),
        streams: extras.streams,
        more: extras.files,
    };
    outdir::write(&options.locate(&options.output), contents)
}

fn stage_text(options: &Options, stage: Stage, done: &mut Compilation) -> Option<String> {
    match stage {
        Stage::Tokens => Some(csl_syntax::dump_tokens(&root_text(options, done)?)),
        Stage::Ast => dump_ast(options, done),
        Stage::Ir0 => analyze(options, done).map(|wafer| dump_ir(&wafer)),
        Stage::Ir => analyze(options, done).map(|wafer| dump_ir(&optimised(options, wafer))),
        Stage::Layout => analyze(options, done).map(|wafer| csl_ir::dump_layout(&wafer)),
        Stage::Bytecode => build(options, done).map(|image| csl_codegen::list_image(&image)),
    }
}

fn root_text(options: &Options, done: &mut Compilation) -> Option<String> {
    match FileSources::new(options).resolve(&options.root.to_string_lossy(), None) {
        Ok(found) => Some(found.text.to_string()),
        Err(reason) => {
            done.push(Diagnostic::unplaced(Code::FileNotFound, reason));
            None
        }
    }
}

fn dump_ast(options: &Options, done: &mut Compilation) -> Option<String> {
    let text = root_text(options, done)?;
    let file = done.sources.add(options.root.to_string_lossy(), text.as_str());
    let (ast, diagnostics) = csl_syntax::parse(file, &text);
    done.extend(diagnostics, options);
    Some(csl_syntax::dump_ast(&ast))
}

fn dump_ir(wafer: &Wafer) -> String {
    wafer.programs.iter().map(csl_ir::dump_program).collect::<Vec<_>>().join("\n")
}

pub(crate) fn sema_options(options: &Options) -> csl_sema::Options {
    let defaults = csl_sema::Options::default();
    csl_sema::Options {
        arch: options.arch,
        fp16: options.fp16,
        params: options.params.clone(),
        colors: options.colors.clone(),
        fabric: options.fabric_dims,
        offsets: offset(options),
        margins: margins(options),
        memcpy: options.memcpy,
        max_inlined_iterations: options.max_inlined_iterations,
        most_steps: defaults.most_steps,
        comptime_func_depth_limit: options.comptime_func_depth_limit.unwrap_or(defaults.comptime_func_depth_limit),
        sdk: options.sdk,
        check_all: options.check_all,
        share_programs: defaults.share_programs,
        threads: options.threads(),
    }
}

fn codegen_options(options: &Options, placement: Placement) -> csl_codegen::Options {
    csl_codegen::Options {
        fabric: placement.fabric,
        offset: placement.offset,
        memcpy: options.memcpy.then_some(Memcpy {
            channels: options.channels,
            west_buffer: options.west_buffer,
            east_buffer: options.east_buffer,
        }),
        sections: options.link_sections.clone(),
        threads: options.threads(),
    }
}

fn summary(options: &Options, image: &Image) -> String {
    let tiles: u64 = image.tiles.iter().map(|run| u64::from(run.len)).sum();
    format!(
        "{}: {} in {} on {} of a fabric of {}x{} at ({}, {})",
        options.output.display(),
        crate::counted(tiles, "tile"),
        crate::counted(image.programs.len() as u64, "program"),
        options.arch,
        image.fabric.width,
        image.fabric.height,
        image.offset.x,
        image.offset.y
    )
}

/// The options of a program that have no effect on it: a mistake of the command line.
pub(crate) fn without_effect(options: &Options) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // No published script gives these without `--memcpy`.
    let of_memcpy = [
        ("--channels", u32::from(options.channels), 1),
        ("--width-west-buf", options.west_buffer, 0),
        ("--width-east-buf", options.east_buffer, 0),
    ];
    for (option, given, usual) in of_memcpy {
        if !options.memcpy && given != usual {
            let text = format!("{option}={given} has no effect without --memcpy");
            let help = "give --memcpy, too, or leave the option out";
            found.push(Diagnostic::unplaced(Code::IgnoredOption, text).help(help));
        }
    }
    for folder in options.import_paths.iter().filter(|folder| !options.locate(folder).is_dir()) {
        let text = format!("--import-path={}: there is no such folder", folder.display());
        found.push(Diagnostic::unplaced(Code::IgnoredOption, text));
    }
    found
}

impl Compilation {
    /// A compilation that has begun. `--warnings-as-errors` leaves the warnings of options without effect alone: the
    /// program is not at fault.
    fn of(options: &Options) -> Compilation {
        let mut begun = Compilation::default();
        if options.allow.contains(&Code::IgnoredOption) {
            return begun;
        }
        for option in &options.ignored {
            let text = format!("{option} has no effect: Waferlab's compiler has nothing of the kind to write");
            begun.push(Diagnostic::unplaced(Code::IgnoredOption, text));
        }
        without_effect(options).into_iter().for_each(|warning| begun.push(warning));
        begun
    }

    /// A compilation that does not begin, for these errors.
    pub(crate) fn refused(sources: SourceMap, errors: Vec<Diagnostic>) -> Box<Compilation> {
        let mut refused = Compilation { sources, ..Compilation::default() };
        errors.into_iter().for_each(|error| refused.push(error));
        Box::new(refused)
    }

    /// Findings about sources, without anything that was made.
    pub(crate) fn found(sources: SourceMap, diagnostics: Diagnostics) -> Compilation {
        Compilation { sources, diagnostics, ..Compilation::default() }
    }

    pub(crate) fn sources(&self) -> &SourceMap {
        &self.sources
    }

    /// Names the files with a layout, where one without was given.
    pub(crate) fn help_with_layouts(found: &mut Diagnostics, options: &Options) {
        found.amend(Code::NoLayout, |diagnostic| match FileSources::new(options).layouts_beside(&options.root) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }

    /// Turns every warning into an error.
    pub fn promote_warnings(&mut self) {
        self.diagnostics.promote_warnings();
    }

    /// Whether no diagnostic is an error.
    pub fn succeeded(&self) -> bool {
        !self.diagnostics.has_errors()
    }

    /// All diagnostics as text, and for people a line on how many there were.
    pub fn render(&self, how: &Rendering) -> String {
        csl_diag::render(&self.sources, &self.diagnostics, how)
    }

    /// The text that `emit` was asked for.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// One line that sums up the compilation.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The findings, in order.
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// Takes the findings of an analysis over; `None` when the analysis failed.
    fn adopt(&mut self, analysis: Analysis, options: &Options) -> Option<Wafer> {
        self.sources = analysis.sources;
        self.extend(analysis.diagnostics, options);
        analysis.wafer.ok().filter(|_| self.succeeded())
    }

    /// The source files that were read, without those of the library.
    fn source_files(&self, options: &Options) -> Vec<PathBuf> {
        let own = self.sources.names().filter(|name| !is_library(name));
        own.map(|name| options.locate(Path::new(name))).collect()
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(crate) fn fail(&mut self, text: String) {
        self.push(Diagnostic::unplaced(Code::BadArgument, text));
    }

    fn extend(&mut self, mut found: Diagnostics, options: &Options) {
        found.allow(&self.sources, &options.allow);
        Compilation::help_with_layouts(&mut found, options);
        if options.warnings_as_errors {
            found.promote_warnings();
        }
        self.diagnostics.extend(found);
    }

    fn accept<T>(&mut self, result: Result<T, Vec<Diagnostic>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(found) => {
                found.into_iter().for_each(|diagnostic| self.push(diagnostic));
                None
            }
        }
    }
}

/// The path of the output folder as the caller has to open it.
pub fn output_folder(options: &Options) -> PathBuf {
    options.locate(&options.output)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The image of a program that is right, with a tile beyond its rectangle, as a fault in the layout's lowering would leave it.
    #[test]
    fn an_image_that_no_machine_takes_is_told_as_a_defect_of_the_compiler() {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let layout = "layout { @set_rectangle(1, 1); @set_tile_code(0, 0, \"pe.csl\", .{}); }";
        std::fs::write(folder.path().join("layout.csl"), layout).expect("the folder is writable");
        std::fs::write(folder.path().join("pe.csl"), "export fn f() void {}").expect("the folder is writable");
        let options = Options { folder: folder.path().to_owned(), ..Options::new("layout.csl") };
        let mut done = Compilation::default();
        let right = build(&options, &mut done).expect("the program is right");
        let mut wrong = right.clone();
        wrong.tiles[0].len = 2;
        assert!(checked(right, &mut done).is_some() && done.succeeded());
        assert!(checked(wrong, &mut done).is_none());
        assert_eq!(
            done.render(&Rendering { format: csl_diag::ErrorFormat::Short, ..Rendering::default() }),
            "error[E0999]: a defect of the compiler: it has made an image with a run of 2 at 0, 0 leaves the rectangle\n"
        );
    }
}
