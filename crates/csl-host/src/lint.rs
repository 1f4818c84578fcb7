//! Lints of programs, as `waferlab lint` gives them, and the edits of findings that are safe.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csl_diag::{Code, Diagnostics, Edit, FileId, Severity, SourceMap};
use csl_image::is_library;
use csl_lint::{Joint, Told};
use csl_sema::{Analysis, Resolved, Sources};

use crate::compile::{Compilation, code_errors, sema_options, without_effect};
use crate::options::{Level, Options};
use crate::placement::place;
use crate::sources::FileSources;

/// The greatest number of times that edits are looked for in what edits have left.
const MOST_ROUNDS: usize = 20;

/// Texts that stand in for those of files.
type Texts = BTreeMap<PathBuf, Arc<str>>;

/// The findings of the compiler and of the lints about programs that are looked at together: that something is not used is
/// told where none of those that read its file uses it. Later levels go before earlier ones. Nothing is written.
pub fn lint(programs: &[Options], levels: &[(Code, Level)]) -> Compilation {
    findings(programs, levels, &Texts::new())
}

/// The outcome of [`fixed`].
pub struct Fixed {
    /// The findings that are left.
    pub left: Compilation,
    /// The files that change.
    pub files: Vec<FixedFile>,
    /// Files with safe edits that are left alone, because they lie outside of the programs' folders.
    pub foreign: Vec<PathBuf>,
}

/// A file with its safe edits made.
pub struct FixedFile {
    /// Its path, as the process can open it.
    pub path: PathBuf,
    /// Its text as it was read.
    pub old: Arc<str>,
    /// Its text with the edits.
    pub new: Arc<str>,
    /// The number of findings that are mended.
    pub count: usize,
}

/// Makes the safe edits of all findings, and those of findings that these leave, in memory.
///
/// # Errors
/// Behind an edit a program has an error that it did not have: the edit was not safe.
pub fn fixed(programs: &[Options], levels: &[(Code, Level)]) -> Result<Fixed, String> {
    let mut texts = Texts::new();
    let mut done = findings(programs, levels, &texts);
    let mut files: BTreeMap<PathBuf, FixedFile> = BTreeMap::new();
    let mut foreign: Vec<PathBuf> = Vec::new();
    let folders = own_folders(programs);
    for _ in 0..MOST_ROUNDS {
        let mut changed = false;
        for (file, edits) in safe_edits(&done) {
            let path = PathBuf::from(done.sources().name(file));
            if !fs::canonicalize(&path).is_ok_and(|path| folders.iter().any(|folder| path.starts_with(folder))) {
                if !foreign.contains(&path) {
                    foreign.push(path);
                }
                continue;
            }
            changed = true;
            let text = done.sources().text(file);
            let new: Arc<str> = Arc::from(edited(text, &edits));
            let entry = files.entry(path.clone()).or_insert_with(|| FixedFile {
                path: path.clone(),
                old: text.clone(),
                new: text.clone(),
                count: 0,
            });
            (entry.new, entry.count) = (new.clone(), entry.count + edits.len());
            texts.insert(path, new);
        }
        if !changed {
            break;
        }
        let next = findings(programs, levels, &texts);
        if errors(&next) > errors(&done) {
            return Err(
                "an edit that is thought to be safe breaks the program; nothing is changed. This is a bug".to_owned()
            );
        }
        done = next;
    }
    Ok(Fixed { left: done, files: files.into_values().collect(), foreign })
}

fn findings(programs: &[Options], levels: &[(Code, Level)], texts: &Texts) -> Compilation {
    let mut joint = Joint::default();
    let mut unplaced = Vec::new();
    for options in programs {
        let mut sources = Edited { files: FileSources::new(options), folder: &options.folder, texts };
        let checked = csl_sema::Options { check_all: true, ..sema_options(options) };
        let mut analysis = csl_sema::analyze(&options.root.to_string_lossy(), &mut sources, &checked);
        let own = allowed(options, levels);
        for warning in without_effect(options) {
            if !own.contains(&Code::IgnoredOption) && !unplaced.contains(&warning) {
                unplaced.push(warning);
            }
        }
        if let Ok(wafer) = &analysis.wafer {
            match place(options, wafer.size) {
                Ok(placement) if !analysis.diagnostics.has_errors() => {
                    let found = code_errors(options, wafer.clone(), placement, &analysis.sources);
                    analysis.diagnostics.extend(found);
                }
                Ok(_) => {}
                Err(found) => unplaced.extend(found),
            }
        }
        analysis.diagnostics.allow(&analysis.sources, &own);
        Compilation::help_with_layouts(&mut analysis.diagnostics, options);
        if options.warnings_as_errors {
            analysis.diagnostics.promote_warnings();
        }
        let allow = &own;
        joint.add(
            analysis,
            |code| allow.contains(&code),
            |name| match is_library(name) {
                true => name.to_owned(),
                false => options.locate(Path::new(name)).to_string_lossy().into_owned(),
            },
        );
    }
    let (sources, mut found) = joint.finish();
    unplaced.into_iter().for_each(|diagnostic| found.push(diagnostic));
    set_levels(&mut found, &sources, levels);
    Compilation::found(sources, found)
}

/// The codes that the levels allow, and those that a command line allows and no level is set for. They are left out before
/// warnings become errors.
fn allowed(options: &Options, levels: &[(Code, Level)]) -> Vec<Code> {
    let by_line = options.allow.iter().copied().filter(|code| level(levels, *code).is_none());
    by_line.chain(codes_at(levels, Level::Allow)).collect()
}

/// The level of a code: that which was set last.
fn level(levels: &[(Code, Level)], code: Code) -> Option<Level> {
    levels.iter().rev().find(|(other, _)| *other == code).map(|(_, level)| *level)
}

fn codes_at(levels: &[(Code, Level)], wanted: Level) -> Vec<Code> {
    Code::ALL.iter().copied().filter(|code| level(levels, *code) == Some(wanted)).collect()
}

fn set_levels(found: &mut Diagnostics, sources: &SourceMap, levels: &[(Code, Level)]) {
    found.allow(sources, &codes_at(levels, Level::Allow));
    found.deny(&codes_at(levels, Level::Deny));
}

/// Adds to the findings of an analysis those that `cslc` makes behind it and those of the lints, and sets levels.
pub(crate) fn find_all(analysis: &mut Analysis, options: &Options, levels: &[(Code, Level)]) {
    let own = allowed(options, levels);
    let placed = analysis.wafer.as_ref().map(|wafer| place(options, wafer.size).err());
    let unplaced: Vec<_> = placed.ok().flatten().into_iter().flatten().collect();
    let lints = csl_lint::lint(analysis);
    let found = &mut analysis.diagnostics;
    found.allow(&analysis.sources, &own);
    Compilation::help_with_layouts(found, options);
    if options.warnings_as_errors {
        found.promote_warnings();
    }
    let lints = lints.into_iter().filter(|finding| !own.contains(&finding.code));
    unplaced.into_iter().chain(lints).for_each(|finding| found.push(finding));
    set_levels(found, &analysis.sources, levels);
}

/// Whether a finding says that something is not used: it holds where all programs that read its file have it.
pub fn is_of_all(code: Code) -> bool {
    csl_lint::LINTS.iter().any(|lint| lint.code == code && lint.told == Told::IfAll)
}

/// The folders whose files are the programs' own: those in which the compiler runs, and those of the layouts.
fn own_folders(programs: &[Options]) -> Vec<PathBuf> {
    let folders = programs.iter().flat_map(|options| {
        let layout = options.locate(&options.root);
        [options.locate(Path::new(".")), layout.parent().unwrap_or(Path::new("")).join(".")]
    });
    folders.filter_map(|folder| fs::canonicalize(folder).ok()).collect()
}

fn errors(done: &Compilation) -> usize {
    done.diagnostics().iter().filter(|finding| finding.severity == Severity::Error).count()
}

/// The edits that can be made together, by file and in order.
fn safe_edits(done: &Compilation) -> BTreeMap<FileId, Vec<Edit>> {
    let mut all: BTreeMap<FileId, Vec<Edit>> = BTreeMap::new();
    for finding in done.diagnostics().iter() {
        // Several edits are alternatives, among which the author chooses.
        if let [edit] = &finding.edits[..]
            && edit.is_safe
        {
            all.entry(edit.span.file).or_default().push(edit.clone());
        }
    }
    for edits in all.values_mut() {
        edits.sort_by_key(|edit| (edit.span.lo, edit.span.hi));
        let mut end = 0;
        edits.retain(|edit| {
            let is_apart = edit.span.lo >= end;
            end = if is_apart { edit.span.hi } else { end };
            is_apart
        });
    }
    all
}

/// The text behind edits, which are in order and apart.
fn edited(text: &str, edits: &[Edit]) -> String {
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        out.push_str(&text[at..edit.span.lo as usize]);
        out.push_str(&edit.replacement);
        at = edit.span.hi as usize;
    }
    out + &text[at..]
}

/// Files, some of them with other texts.
struct Edited<'a> {
    files: FileSources,
    folder: &'a Path,
    texts: &'a Texts,
}

impl Sources for Edited<'_> {
    fn resolve(&mut self, name: &str, importer: Option<&str>) -> Result<Resolved, String> {
        let found = self.files.resolve(name, importer)?;
        match self.texts.get(&self.folder.join(&found.path)) {
            Some(text) if !found.is_library => Ok(Resolved { text: text.clone(), ..found }),
            _ => Ok(found),
        }
    }
}
