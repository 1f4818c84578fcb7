//! Words faults and deadlocks, with source excerpts by the image's line table.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use csl_diag::{Code, Diagnostic, Diagnostics, FileId, Rendering, SourceMap, Span, render};
use csl_fabric::StallReason;
use csl_image::{Flow, Image, PeImage};
use csl_machine::{Arch, Color, Coord, ProgramId, QueueId, TaskId, TaskKind};
use csl_pe::{AstrayRoot, NamedTask, Resource};
use csl_sim::{
    Astray, BlockedState, Count, Dropped, Ending, Filtered, Group, HazardOfMain, HostReason, IdleReason, IdleTask,
    RunError, Running, Sent, Stalled, StalledOutput, StrangeRegister, TaskWait, ThreadWait, UnboundTask,
    UnfinishedLaunch, Unread, UnstartedRead,
};

use indexmap::IndexMap;

use crate::advice;
use crate::inspect::picture::routes_of;
use crate::sources::{Reread, reread};

pub(crate) mod checked;
mod circle;
mod fault;

/// The text of a stop, for people.
pub(crate) fn explain(image: &Image, sources: &Path, stop: &RunError, untimed: bool, how: &Rendering) -> String {
    let mut excerpts = Excerpts::of(image, sources);
    let diagnostic = match stop {
        RunError::Fault(report) => fault::fault(&mut excerpts, report),
        RunError::Deadlock(report) => {
            let text = format!("nothing can move any more in cycle {}, and the host still waits", report.cycle);
            blocked_state(&mut excerpts, report, Diagnostic::unplaced(Code::Deadlock, text))
        }
        RunError::Interrupted(report) => {
            let text = format!("the run was interrupted in cycle {}", report.cycle);
            blocked_state(&mut excerpts, report, Diagnostic::unplaced(Code::RunFault, text))
        }
        RunError::OutOfCycles(report) => {
            let text = format!("the run was ended in cycle {}: it may take no more ({MORE_CYCLES})", report.cycle);
            blocked_state(&mut excerpts, report, Diagnostic::unplaced(Code::RunFault, text))
        }
    };
    let diagnostic = if untimed { diagnostic.note(NO_CLOCK) } else { diagnostic };
    let mut list = Diagnostics::new();
    list.push(excerpts.name_changed(diagnostic));
    render(&excerpts.map, &list, how)
}

/// What has ended a run, the same for all PEs and cycles in which it may happen.
pub(crate) fn event(image: &Image, sources: &Path, stop: &RunError) -> String {
    match stop {
        RunError::Fault(report) => fault::event(&mut Excerpts::of(image, sources), report),
        RunError::Deadlock(_) => "nothing can move any more, and the host still waits".to_owned(),
        RunError::Interrupted(_) => "the run was interrupted".to_owned(),
        RunError::OutOfCycles(_) => "the run may take no more cycles".to_owned(),
    }
}

/// What cycles are in a run without a clock.
const NO_CLOCK: &str =
    "the run has no clock: a cycle is one of a PE's own count, and those of two PEs say nothing of each other";

/// The advice on programs that were busy behind the last unblock.
const LOST: &str =
    "what they would have printed or stored later is lost; unblock the command stream where the work ends";

/// Advice on how to let a run take longer.
const MORE_CYCLES: &str = "`waferlab run --max-cycles=N` or WAFERLAB_MAX_CYCLES=N lets a run take N cycles";

/// Source files, read when a line of them is shown.
struct Excerpts<'a> {
    image: &'a Image,
    sources: &'a Path,
    map: SourceMap,
    files: HashMap<u32, Option<FileId>>,
    /// Files that are others than those which were compiled: no line of them is shown.
    changed: Vec<String>,
}

/// The source of an instruction, or of a call that reached it.
struct Origin {
    function: String,
    /// `file:line`
    line: String,
    /// `file:line:column`
    place: String,
    span: Option<Span>,
}

impl Origin {
    fn is_library(&self) -> bool {
        csl_image::is_library(&self.place)
    }
}

impl Excerpts<'_> {
    fn of<'a>(image: &'a Image, sources: &'a Path) -> Excerpts<'a> {
        Excerpts { image, sources, map: SourceMap::new(), files: HashMap::new(), changed: Vec::new() }
    }

    /// Says of which files no line is shown, because they have changed.
    fn name_changed(&self, diagnostic: Diagnostic) -> Diagnostic {
        self.changed.iter().fold(diagnostic, |diagnostic, name| {
            diagnostic.note(format!("{name} has changed since it was compiled, so its lines are not shown"))
        })
    }

    fn origin(&mut self, program: &PeImage, pc: u32) -> Option<Origin> {
        self.origins(program, pc).into_iter().next()
    }

    /// The instruction's own place, then the calls that were replaced by the callee's body, innermost first.
    fn origins(&mut self, program: &PeImage, pc: u32) -> Vec<Origin> {
        let origin = |(function, line): (&str, csl_image::Line)| {
            let file = &self.image.files.get(line.file as usize)?.name;
            let (row, column) = (line.line, line.column);
            let (short, place) = (format!("{file}:{row}"), format!("{file}:{row}:{column}"));
            let span = self.span(line.file, row, column);
            Some(Origin { function: function.to_owned(), line: short, place, span })
        };
        program.origins(pc).into_iter().map_while(origin).collect()
    }

    /// The span of the word at a place; `None` when the file is gone or shorter than that.
    fn span(&mut self, file: u32, line: u32, column: u32) -> Option<Span> {
        let id = self.file(file)?;
        let text = self.map.text(id).clone();
        // The reader of images does not look at numbers of lines: there is none before the first.
        let before = line.checked_sub(1)? as usize;
        let start = text.split_inclusive('\n').take(before).map(str::len).sum::<usize>();
        let rest = text.get(start..)?.lines().next()?;
        let at = rest.char_indices().nth(column.checked_sub(1)? as usize).map(|(at, _)| at)?;
        let word = rest[at..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '@' | '.'));
        let length = word.map(char::len_utf8).sum::<usize>().max(1);
        Some(Span::new(id, start + at, start + at + length))
    }

    fn file(&mut self, file: u32) -> Option<FileId> {
        if let Some(known) = self.files.get(&file) {
            return *known;
        }
        let source = &self.image.files[file as usize];
        let id = match reread(self.sources, source) {
            Reread::Text(text) => Some(self.map.add(&source.name, text)),
            Reread::Changed => {
                self.changed.push(source.name.clone());
                None
            }
            Reread::Gone => None,
        };
        self.files.insert(file, id);
        id
    }
}

/// A placeholder for the PEs in a line that is still to be merged with equal lines.
const WHO: &str = "\0";

/// The placeholder for the number of PEs, where a verb stands between number and names.
const HOW_MANY: &str = "\x01";
const FIRST: &str = "\x02";

/// The greatest number of lines of a report on waiting PEs and stalled wavelets.
const MOST_LINES: usize = 24;

/// A statement that holds for some PEs. It can hold for PEs with different programs.
struct Line {
    at: Option<Span>,
    /// The statement, with [`WHO`], or [`HOW_MANY`] and [`FIRST`], for the PEs.
    text: String,
    pes: Group<()>,
}

impl Line {
    /// The text with the names of its PEs.
    fn named(&self) -> String {
        let Group { tiles, x, y, .. } = self.pes;
        let (how_many, first) = match tiles {
            1 => (format!("PE ({x}, {y})"), String::new()),
            _ => (format!("{tiles} PEs"), format!(", the first ({x}, {y})")),
        };
        self.text.replace(WHO, &who(&self.pes)).replace(HOW_MANY, &how_many).replace(FIRST, &first)
    }
}

fn blocked_state(excerpts: &mut Excerpts, report: &BlockedState, diagnostic: Diagnostic) -> Diagnostic {
    // What was to go on, and could not, comes first.
    let mut lines: Vec<Line> = report.unbound.iter().map(|group| unbound_task(excerpts, group)).collect();
    // Where the host waits for a function, the function is named, and its place.
    lines.extend(report.unfinished.iter().map(|group| unfinished_at(excerpts, group)));
    for group in &report.astray {
        lines.push(at_origin(astray_at(excerpts, group), line(group, astray(group))));
    }
    let is_told = |reason: &HostReason| *reason == HostReason::CommandStream && !report.unfinished.is_empty();
    let reasons = report.host.iter().flat_map(|wait| &wait.reasons).filter(|group| !is_told(&group.what));
    lines.extend(reasons.map(|group| line(group, host_reason(excerpts.image, group))));
    // A route that is missing or closed explains what waits behind it, so it comes first.
    let (broken, held): (Vec<_>, Vec<_>) = report.wavelets.iter().partition(|group| is_broken(group));
    lines.extend(broken.into_iter().map(|group| line(group, stalled(group))));
    lines.extend(report.threads.iter().map(|group| thread_wait(excerpts, group)));
    lines.extend(report.running.iter().map(|group| running(excerpts, group)));
    lines.extend(report.tasks.iter().map(|group| line(group, task_wait(excerpts.image, group))));
    lines.extend(report.idle_tasks.iter().map(|group| idle_task(excerpts, report, group)));
    lines.extend(filtered(excerpts, report));
    lines.extend(report.unread.iter().map(|group| line(group, unread_text(excerpts.image, group))));
    let explained = explained(report);
    let held = held.into_iter().filter(|group| !(is_behind(group) && explained.contains(&group.what.color)));
    lines.extend(held.map(|group| line(group, stalled(group))));
    let outputs = report.outputs.iter().filter(|group| group.what.unrouted || !explained.contains(&group.what.color));
    lines.extend(outputs.map(|group| line(group, stalled_output(group))));
    let mut circles: IndexMap<Color, Line> = IndexMap::new();
    let mut routes: HashMap<Color, circle::Routes> = HashMap::new();
    for group in report.wavelets.iter().filter(|group| matches!(group.what.why, StallReason::Link(_))) {
        let color = group.what.color;
        if circles.contains_key(&color) {
            continue;
        }
        let routes = routes.entry(color).or_insert_with(|| routes_of(excerpts.image, color));
        if let Some(text) = circle::through(routes, color, Coord { x: group.x, y: group.y }) {
            circles.insert(color, line(group, text));
        }
    }
    lines.extend(circles.into_values());
    let off = |group| format!("{}, off the program's rectangle: the fabric there has dropped them", dropped(group));
    lines.extend(report.dropped.iter().map(|group| match sender_of(report, group.what.color) {
        Some(sent) => at_line(excerpts, sent, line(group, off(group))),
        None => line(group, off(group)),
    }));
    let lines = merge(lines);
    let rest = lines.len().saturating_sub(MOST_LINES);
    let shown = lines.iter().take(MOST_LINES).fold(diagnostic, |diagnostic, line| {
        let text = line.named();
        match line.at {
            Some(span) => diagnostic.traced(span, text),
            None => diagnostic.note(text),
        }
    });
    if rest == 0 { shown } else { shown.note(format!("{rest} more like these")) }
}

/// Whether the route itself stops wavelets.
fn is_broken(group: &Group<Stalled>) -> bool {
    matches!(group.what.why, StallReason::InputClosed { .. } | StallReason::Teardown | StallReason::Unrouted)
}

/// Whether wavelets stand only because others stand before them.
fn is_behind(group: &Group<Stalled>) -> bool {
    matches!(group.what.why, StallReason::Link(_))
}

/// The colors of which a line tells why their wavelets stand, so that those behind need none.
fn explained(report: &BlockedState) -> BTreeSet<Color> {
    let unread = report.unread.iter().map(|group| group.what.color);
    let stalled = report.wavelets.iter().filter(|group| !is_behind(group)).map(|group| group.what.color);
    unread.chain(stalled).collect()
}

/// The launched functions and PEs that had not ended when the run was stopped; `None` if all had.
pub(crate) fn unfinished(image: &Image, sources: &Path, ending: Ending, report: &BlockedState) -> Option<String> {
    let mut excerpts = Excerpts::of(image, sources);
    let cycle = report.cycle;
    let (head, tail) = match ending {
        Ending::Complete => return None,
        Ending::Drained { after } => (
            format!(
                "the programs were cut off in cycle {cycle}, {after} cycles after the host had nothing left to wait for"
            ),
            Some(LOST),
        ),
        Ending::Waiting => (format!("nothing could move any more in cycle {cycle} when the run was stopped"), None),
        Ending::CutOff { after } => {
            (format!("the run was cut off in cycle {cycle}, {after} cycles after it was to stop"), Some(MORE_CYCLES))
        }
    };
    let mut lines: Vec<Line> =
        report.unfinished.iter().map(|group| line(group, unfinished_launch(image, group))).collect();
    lines.extend(report.astray.iter().map(|group| {
        let place = astray_at(&mut excerpts, group);
        line(group, astray(group) + &in_origin(place))
    }));
    lines.extend(report.running.iter().map(|group| {
        let Running { program, pc } = group.what;
        line(group, format!("{HOW_MANY} still ran{FIRST}{}", in_function(&mut excerpts, program, pc)))
    }));
    // The PEs between the host and a stream's port wait for ever, and are none of the program's.
    let is_own = |group: &&Group<ThreadWait>| {
        !image.programs.get(group.what.program.index()).is_some_and(|program| csl_image::is_library(&program.name))
    };
    lines.extend(report.threads.iter().filter(is_own).map(|group| {
        let ThreadWait { program, waiting } = group.what;
        let text = format!("{}{}", waits(image, group), in_function(&mut excerpts, program, waiting.pc));
        line(group, text)
    }));
    lines.extend(report.tasks.iter().map(|group| line(group, task_wait(image, group))));
    lines.extend(report.idle_tasks.iter().map(|group| idle_task(&mut excerpts, report, group)));
    lines.extend(filtered(&mut excerpts, report));
    let lines = merge(lines);
    let rest = lines.len().saturating_sub(MOST_LINES);
    let shown = lines.iter().take(MOST_LINES).map(Line::named);
    let more = (rest > 0).then(|| format!("{rest} more like these"));
    let all: Vec<String> = shown.chain(more).chain(tail.map(str::to_owned)).collect();
    Some(format!("{head}: {}", all.join("; ")))
}

/// ` in FUNCTION, FILE:LINE` for an instruction.
fn in_function(excerpts: &mut Excerpts, program: ProgramId, pc: u32) -> String {
    in_origin(image_origin(excerpts, program, pc))
}

fn in_origin(origin: Option<Origin>) -> String {
    origin.map(|Origin { function, line, .. }| format!(" in {function}, {line}")).unwrap_or_default()
}

/// A function that was launched and has not unblocked the command stream.
fn unfinished_launch(image: &Image, group: &Group<UnfinishedLaunch>) -> String {
    let export = image.export(group.what.function);
    let name = export.map_or("a launched function", |export| export.name.as_str());
    format!("{name} has not called unblock_cmd_stream() on {WHO}")
}

/// [`unfinished_launch`], with the place of the function.
fn unfinished_at(excerpts: &mut Excerpts, group: &Group<UnfinishedLaunch>) -> Line {
    let image = excerpts.image;
    let said = line(group, unfinished_launch(image, group));
    // Other PEs may have another program, and another function under the name.
    let found = image.program_at(group.x, group.y).and_then(|program| {
        let func = program.exported_function(group.what.function)?;
        Some((Arc::clone(program), program.funcs.get(usize::from(func))?.entry))
    });
    // The last origin is the function's own line, where its first instruction comes from a call that was inlined.
    let Some(Origin { span, line, .. }) = found.and_then(|(program, pc)| excerpts.origins(&program, pc).pop()) else {
        return said;
    };
    match span {
        Some(_) => Line { at: span, ..said },
        None => Line { text: format!("{} ({line})", said.text), ..said },
    }
}

/// A collective operation that waits for a root which is not there.
fn astray(group: &Group<Astray>) -> String {
    let AstrayRoot { root, size, .. } = group.what.root;
    let pes = if size == 1 { "one PE (0)".to_owned() } else { format!("{size} PEs (0 to {})", size.saturating_sub(1)) };
    format!(
        "a row or column of {pes} has no PE {root}, so that all of them wait: {WHO} named it as the root of a collective operation"
    )
}

/// The call of that operation, by the program if that is known.
fn astray_at(excerpts: &mut Excerpts, group: &Group<Astray>) -> Option<Origin> {
    let Astray { program, root: AstrayRoot { stack, .. } } = &group.what;
    let program = excerpts.image.programs.get(program.index())?.clone();
    let mut origins: Vec<Origin> = stack.iter().flat_map(|pc| excerpts.origins(&program, *pc)).collect();
    let own = origins.iter().position(|origin| !origin.is_library());
    (!origins.is_empty()).then(|| origins.swap_remove(own.unwrap_or(0)))
}

/// Warns that a command had to begin before its turn, with the reasons why the host waited.
pub(crate) fn overtaken(image: &Image, report: &BlockedState) -> String {
    let reasons = report.host.iter().flat_map(|wait| &wait.reasons);
    let lines = merge(reasons.map(|group| line(group, host_reason(image, group))).collect());
    let waits: Vec<String> =
        lines.iter().take(MOST_LINES).map(|line| line.text.replace(WHO, &who(&line.pes))).collect();
    format!(
        "memcpy carries out one command after another, but in cycle {} nothing could move any more until a later one began, \
         so it began before its turn; the vendor's tools would wait for ever ({})",
        report.cycle,
        waits.join("; ")
    )
}

/// Warns of wavelets left in routers and queues that no program will take any more, a line for each color.
pub(crate) fn left_over(image: &Image, sources: &Path, report: &BlockedState) -> Vec<String> {
    let mut excerpts = Excerpts::of(image, sources);
    report.counts.iter().map(|count| left_of(&mut excerpts, report, count)).collect()
}

/// Warns of wavelets that have left the program's rectangle, all colors in one warning.
pub(crate) fn left_the_rectangle(image: &Image, sources: &Path, report: &BlockedState) -> Option<String> {
    let mut excerpts = Excerpts::of(image, sources);
    let colors = report.dropped.iter().map(|group| {
        let sent =
            sender_of(report, group.what.color).and_then(|(program, pc)| image_origin(&mut excerpts, program, pc));
        let sent = sent.map_or_else(String::new, |sent| {
            format!(" (the last on this color were sent at {} in {})", sent.place, sent.function)
        });
        dropped(group).replace(WHO, &who(group)) + &sent
    });
    let colors = colors.collect::<Vec<_>>().join(", ");
    let text = "wavelets have left the program's rectangle, and the fabric around it has dropped them";
    (!colors.is_empty()).then(|| format!("{text}: {colors}"))
}

fn dropped(group: &Group<Dropped>) -> String {
    let Dropped { color, wavelets, side } = group.what;
    let amount = if wavelets == 1 { "one wavelet".to_owned() } else { format!("{wavelets} wavelets") };
    format!("{amount} of color {color} left {WHO}, to the {}", side.name())
}

/// Warns of places where operations have waited for earlier ones, a line for each.
pub(crate) fn hazards(image: &Image, sources: &Path, report: &BlockedState) -> Vec<String> {
    let mut excerpts = Excerpts::of(image, sources);
    let mut places: IndexMap<String, (String, Group<()>)> = IndexMap::new();
    for group in &report.hazards {
        let HazardOfMain { program, hazard } = group.what;
        let Some(waited) = image_origin(&mut excerpts, program, hazard.pc) else { continue };
        let first = image_origin(&mut excerpts, program, hazard.first);
        let first = first.map_or_else(String::new, |first| format!(" at {} in {}", first.place, first.function));
        let text = format!(
            "the operation at {} in {} waited until the one{first} was done with {}, and held the main thread of {WHO}{}",
            waited.place,
            waited.function,
            resource(hazard.resource),
            why_they_meet(excerpts.image, hazard.resource)
        );
        let one = line(group, String::new()).pes;
        let (_, pes) = places.entry(waited.place).or_insert((text, Group { tiles: 0, ..one }));
        pes.tiles += group.tiles;
        (pes.y, pes.x) = (pes.y, pes.x).min((group.y, group.x));
    }
    places.into_values().map(|(text, pes)| text.replace(WHO, &who(&pes))).collect()
}

/// Warns of registers without a use here that programs have accessed, a line for each place.
pub(crate) fn unserved_registers(image: &Image, sources: &Path, report: &BlockedState) -> Vec<String> {
    let mut excerpts = Excerpts::of(image, sources);
    let mut said = Vec::new();
    for group in &report.unserved {
        let StrangeRegister { program, place } = group.what;
        let Some(origin) = image_origin(&mut excerpts, program, place.pc) else { continue };
        let text = format!(
            "{} in {} reads or writes word address 0x{:04x} on {WHO}, behind the memory of a PE: is an index or a pointer too \
             large there? A register with that address does nothing here but keep what is written to it",
            origin.place, origin.function, place.word
        );
        said.push(text.replace(WHO, &who(&line(group, String::new()).pes)));
    }
    said
}

/// Warns of activations that start nothing, a line for each place.
pub(crate) fn unbound_activations(image: &Image, sources: &Path, report: &BlockedState) -> Vec<String> {
    let mut excerpts = Excerpts::of(image, sources);
    let of_group = |group: &Group<UnboundTask>| {
        let UnboundTask { program, activation } = group.what;
        let origin = activation.pc.and_then(|pc| image_origin(&mut excerpts, program, pc));
        let place = origin.map_or_else(String::new, |origin| format!("{} in {}: ", origin.place, origin.function));
        Line { text: place + &unbound_text(group), ..line(group, String::new()) }
    };
    merge(report.unbound.iter().map(of_group).collect()).iter().map(Line::named).collect()
}

fn unbound_task(excerpts: &mut Excerpts, group: &Group<UnboundTask>) -> Line {
    let UnboundTask { program, activation } = group.what;
    let origin = activation.pc.and_then(|pc| image_origin(excerpts, program, pc));
    at_origin(origin, line(group, unbound_text(group)))
}

fn unbound_text(group: &Group<UnboundTask>) -> String {
    let id = group.what.activation.id;
    format!("{HOW_MANY} activated task {id}{FIRST}, to which nothing is bound (`@bind_local_task`)")
}

/// Warns of programs that read the time stamp counter and never start it, a line for each program. The function that reads is
/// named, since the place is the library's.
pub(crate) fn unstarted_reads(image: &Image, sources: &Path, report: &BlockedState) -> Vec<String> {
    let mut excerpts = Excerpts::of(image, sources);
    let mut programs: IndexMap<ProgramId, (u32, Group<()>)> = IndexMap::new();
    for group in &report.unstarted {
        let UnstartedRead { program, pc } = group.what;
        let first = line(group, String::new()).pes;
        let (_, pes) = programs.entry(program).or_insert((pc, Group { tiles: 0, ..first }));
        pes.tiles += group.tiles;
        (pes.y, pes.x) = (pes.y, pes.x).min((group.y, group.x));
    }
    let lines = programs.into_iter().map(|(program, (pc, pes))| {
        let function = image_origin(&mut excerpts, program, pc).map(|origin| origin.function);
        let place = function.map_or_else(String::new, |function| format!(", read in {function},"));
        let text = format!(
            "the time stamp counter of {WHO}{place} was never started: all times are 0 without enable_tsc() of <time>"
        );
        Line { at: None, text, pes }
    });
    merge(lines.collect()).iter().map(Line::named).collect()
}

/// The reason why two operations have one microthread, where it is not written in them.
fn why_they_meet(image: &Image, resource: Resource) -> &'static str {
    match resource {
        Resource::Microthread(_) if image.arch == Arch::Wse3 => {
            " (without a `.ut_id`, an asynchronous operation takes the microthread with the number of an operand's queue)"
        }
        Resource::Microthread(_) => {
            " (an asynchronous operation takes the microthread with the number of an operand's queue, input and output alike)"
        }
        Resource::Input(_) | Resource::Output(_) => "",
    }
}

fn resource(resource: Resource) -> String {
    let queue = |side: &str, queue: Option<QueueId>| match queue {
        Some(queue) => format!("{side} queue {queue}"),
        None => format!("the {side}"),
    };
    match resource {
        Resource::Microthread(ut) => format!("microthread {ut}"),
        Resource::Input(id) => queue("input", id),
        Resource::Output(id) => queue("output", id),
    }
}

/// The line on a color: the number of wavelets left, the reason why the first of them stalls, and the thread that waits
/// to send more.
fn left_of(excerpts: &mut Excerpts, report: &BlockedState, count: &Count) -> String {
    let Count { color, wavelets, pes } = *count;
    let amount = if wavelets == 1 { "one wavelet".to_owned() } else { format!("{wavelets} wavelets") };
    let place = if pes == 1 { String::new() } else { format!(" on {pes} PEs") };
    let mut text = format!("{amount} of color {color} stood{place} when the run was stopped");
    if let Some(line) = holding(excerpts.image, report, color) {
        text += &format!(": {}", line.text.replace(WHO, &who(&line.pes)));
    }
    if let Some(origin) = sender(excerpts, report, color) {
        text += &format!("; more are to be sent at {} in {}", origin.place, origin.function);
    }
    text
}

/// The place where a thread waits to send more on a color.
fn sender(excerpts: &mut Excerpts, report: &BlockedState, color: Color) -> Option<Origin> {
    let sends = |wait: &ThreadWait| match wait.waiting.need {
        csl_pe::Need::Room { color: to, .. } => to == Some(color),
        _ => false,
    };
    let wait = report.threads.iter().map(|group| group.what).find(sends)?;
    image_origin(excerpts, wait.program, wait.waiting.pc)
}

/// The reason why wavelets of a color are stalled, preferably one at the end of their way.
fn holding(image: &Image, report: &BlockedState, color: Color) -> Option<Line> {
    let unread = report.unread.iter().filter(|group| group.what.color == color);
    let unread = unread.map(|group| line(group, unread_text(image, group)));
    let on_its_way = |group: &&Group<Stalled>| matches!(group.what.why, StallReason::Link(_));
    let mut stopped: Vec<_> = report.wavelets.iter().filter(|group| group.what.color == color).collect();
    stopped.sort_by_key(on_its_way);
    let stalled = stopped.into_iter().map(|group| line(group, stalled(group)));
    let outputs = report.outputs.iter().filter(|group| group.what.color == color);
    unread.chain(stalled).chain(outputs.map(|group| line(group, stalled_output(group)))).next()
}

fn line<T>(group: &Group<T>, text: String) -> Line {
    Line { at: None, text, pes: Group { what: (), tiles: group.tiles, x: group.x, y: group.y } }
}

/// Merges equal lines into one, in the place of the first.
fn merge(lines: Vec<Line>) -> Vec<Line> {
    let mut merged: IndexMap<(Option<Span>, String), Group<()>> = IndexMap::new();
    for Line { at, text, pes } in lines {
        let (tiles, place) = (pes.tiles, (pes.y, pes.x));
        let all = merged.entry((at, text)).or_insert(Group { tiles: 0, ..pes });
        all.tiles += tiles;
        (all.y, all.x) = (all.y, all.x).min(place);
    }
    merged.into_iter().map(|((at, text), pes)| Line { at, text, pes }).collect()
}

fn who<T>(group: &Group<T>) -> String {
    let Group { tiles, x, y, .. } = group;
    if *tiles == 1 { format!("PE ({x}, {y})") } else { format!("{tiles} PEs, the first of them ({x}, {y})") }
}

fn host_reason(image: &Image, group: &Group<HostReason>) -> String {
    let who = WHO;
    let cause = |color, flow| advice::stream(image, color, flow).map_or_else(String::new, |why| format!(": {why}"));
    match group.what {
        HostReason::CommandStream => {
            format!("the host waits for {who}: a function that it launched before has not called unblock_cmd_stream()")
        }
        HostReason::EarlierCommand => format!("the host waits for {who}: an earlier command there is not done"),
        HostReason::MainThread => {
            format!("the host waits for {who}: a task or synchronous operation there holds the main thread")
        }
        HostReason::NotCalled => format!("the host waits for {who}: the launched function has not been called there"),
        HostReason::StreamIn { color, left } => {
            let cause = cause(color, Flow::In);
            format!("the host streams to {who} on color {color}: {left} wavelets are still to be taken{cause}")
        }
        HostReason::StreamOut { color, missing } => {
            let cause = cause(color, Flow::Out);
            format!("the host waits for {missing} more wavelets of color {color} from {who}{cause}")
        }
    }
}

fn thread_wait(excerpts: &mut Excerpts, group: &Group<ThreadWait>) -> Line {
    let ThreadWait { program, waiting } = group.what;
    let text = waits(excerpts.image, group);
    at_line(excerpts, (program, waiting.pc), line(group, text))
}

fn waits(image: &Image, group: &Group<ThreadWait>) -> String {
    let ThreadWait { program, waiting } = group.what;
    let thread = match waiting.thread {
        csl_pe::Thread::Main => "the main thread".to_owned(),
        csl_pe::Thread::Microthread(Some(ut)) => format!("microthread {ut}"),
        csl_pe::Thread::Microthread(None) => "a microthread".to_owned(),
    };
    let left = match waiting.left {
        None => String::new(),
        Some(1) => ", one element to go".to_owned(),
        Some(left) => format!(", {left} elements to go"),
    };
    let need = need(image.programs.get(program.index()), waiting.need);
    format!("{thread} of {WHO} waits for {need}{left}")
}

fn running(excerpts: &mut Excerpts, group: &Group<Running>) -> Line {
    let Running { program, pc } = group.what;
    at_line(excerpts, (program, pc), line(group, format!("the main thread of {WHO} runs")))
}

fn task_wait(image: &Image, group: &Group<TaskWait>) -> String {
    let TaskWait { program, id, is_blocked } = group.what;
    let program = image.programs.get(program.index());
    let task =
        program.and_then(|program| program.tasks.iter().find(|task| task.kind == TaskKind::Local && task.id == id));
    let func = task.zip(program).and_then(|(task, program)| program.funcs.get(usize::from(task.func)));
    let name = func.map(|func| format!(" ({})", func.name)).unwrap_or_default();
    let state = if is_blocked { "active and blocked" } else { "active and waits for its turn" };
    format!("local task {id}{name} of {WHO} is {state}")
}

/// A task of a PE that is waited for and has nothing to do, with the wavelets that came for it and that were sent.
fn idle_task(excerpts: &mut Excerpts, report: &BlockedState, group: &Group<IdleTask>) -> Line {
    let IdleTask { program, id, what } = group.what;
    let kind = if matches!(what, IdleReason::Wavelets { .. }) { TaskKind::Data } else { TaskKind::Local };
    let code = excerpts.image.programs.get(program.index());
    let task = code.and_then(|code| code.tasks.iter().find(|task| task.kind == kind && task.id == id));
    let func = task.zip(code).and_then(|(task, code)| code.funcs.get(usize::from(task.func)));
    let name = func.map(|func| format!(" ({})", func.name)).unwrap_or_default();
    let text = match what {
        IdleReason::NeverActivated => format!("local task {id}{name} of {WHO} was never activated"),
        IdleReason::MetActive => {
            format!("local task {id}{name} of {WHO} was activated while it was active already: it ran once for both")
        }
        IdleReason::Wavelets { color, queue, came } => {
            let place = queue.map_or_else(String::new, |queue| format!(" in input queue {queue}"));
            let senders: Vec<String> = report.sent.iter().filter(|group| group.what.color == color).map(sent).collect();
            let senders = if senders.is_empty() { "no PE has sent any".to_owned() } else { senders.join(", ") };
            let came = match came {
                0 => "no wavelet".to_owned(),
                1 => "one wavelet".to_owned(),
                came => format!("{came} wavelets"),
            };
            format!("data task {id}{name} of {WHO} waits: {came} of color {color} came{place}, and {senders}")
        }
    };
    line(group, text)
}

/// The wavelets that came to PEs which wait for some, and that filters have kept from them. Where the library alone waits, the
/// filter is its own.
fn filtered(excerpts: &mut Excerpts, report: &BlockedState) -> Vec<Line> {
    let mut lines = Vec::new();
    for group in &report.filtered {
        let Filtered { color, wavelets } = group.what;
        let is_by_task = report.idle_tasks.iter().any(|group| match group.what.what {
            IdleReason::Wavelets { color: of, .. } => of == color,
            _ => false,
        });
        let is_own = |wait: &ThreadWait| {
            let origin = image_origin(excerpts, wait.program, wait.waiting.pc);
            origin.is_none_or(|origin| !origin.is_library())
        };
        let is_for_color = |wait: &&ThreadWait| match wait.waiting.need {
            csl_pe::Need::Wavelet { color: of, .. } => of == color,
            _ => false,
        };
        if is_by_task || report.threads.iter().map(|group| &group.what).filter(is_for_color).any(is_own) {
            let amount = if wavelets == 1 { "one wavelet".to_owned() } else { format!("{wavelets} wavelets") };
            let text =
                format!("{amount} of color {color} came to {WHO} and did not pass its filter, which has dropped them");
            lines.push(line(group, text));
        }
    }
    lines
}

/// The wavelets that a PE, or each of some, has sent.
fn sent(group: &Group<Sent>) -> String {
    let Sent { queue, wavelets, .. } = group.what;
    let each = if group.tiles == 1 { "has" } else { "have each" };
    format!("{} {each} sent {wavelets} by output queue {queue}", who(group))
}

/// The instruction that has sent on a color last, of the first PE that has.
fn sender_of(report: &BlockedState, color: Color) -> Option<(ProgramId, u32)> {
    let sent = report.sent.iter().filter(|group| group.what.color == color);
    sent.min_by_key(|group| (group.y, group.x)).and_then(|group| Some((group.what.program, group.what.pc?)))
}

/// The origin of an instruction of the program with this number.
fn image_origin(excerpts: &mut Excerpts, program: ProgramId, pc: u32) -> Option<Origin> {
    let program = excerpts.image.programs.get(program.index())?.clone();
    excerpts.origin(&program, pc)
}

/// A line with the place of an instruction of a program.
fn at_line(excerpts: &mut Excerpts, (program, pc): (ProgramId, u32), line: Line) -> Line {
    at_origin(image_origin(excerpts, program, pc), line)
}

fn at_origin(origin: Option<Origin>, line: Line) -> Line {
    match origin {
        Some(Origin { function, span: at @ Some(_), .. }) => {
            Line { at, text: format!("{}, in {function}", line.text), ..line }
        }
        Some(Origin { function, place, .. }) => {
            Line { text: format!("{}, at {place} in {function}", line.text), ..line }
        }
        None => line,
    }
}

/// The name of a FIFO's buffer.
fn fifo_name(program: Option<&PeImage>, id: u8) -> String {
    let fifo = program.and_then(|program| program.fifos.get(usize::from(id)));
    let symbol = fifo.zip(program).and_then(|(fifo, program)| program.symbols.iter().find(|s| s.addr == fifo.addr));
    symbol.map_or_else(|| format!("FIFO {id}"), |symbol| format!("the FIFO in `{}`", symbol.name))
}

fn need(program: Option<&Arc<PeImage>>, need: csl_pe::Need) -> String {
    let number = |queue: Option<QueueId>| queue.map_or_else(String::new, |queue| format!(" {queue}"));
    match need {
        csl_pe::Need::Wavelet { queue: id, color } => {
            format!("a wavelet of color {color} in input queue{}", number(id))
        }
        csl_pe::Need::Room { queue: id, color } => {
            let wanted = color.map_or_else(|| "a wavelet".to_owned(), |color| format!("color {color}"));
            format!("room for {wanted} in output queue {id}")
        }
        csl_pe::Need::Fifo { id, is_full } => {
            let name = fifo_name(program.map(|program| &**program), id);
            format!("{name}, which is {}", if is_full { "full" } else { "empty" })
        }
        csl_pe::Need::Unblock => "being unblocked".to_owned(),
        csl_pe::Need::Earlier(what) => format!("{}, which an earlier operation has", resource(what)),
    }
}

fn stalled(group: &Group<Stalled>) -> String {
    let Stalled { color, from, why } = group.what;
    let why = match why {
        StallReason::InputClosed { ever: true } => "the switch does not take that input now".to_owned(),
        StallReason::InputClosed { ever: false } => "the color's route does not take that input".to_owned(),
        StallReason::Teardown => "the color is in teardown".to_owned(),
        StallReason::Unrouted => "the color has no route there".to_owned(),
        StallReason::Link(side) => format!("the neighbour to the {} has no room", side.name()),
        StallReason::Ramp => "the PE does not take them".to_owned(),
        StallReason::None => "nothing holds them".to_owned(),
    };
    format!("wavelets of color {color} from {} stand in the router of {WHO}: {why}", from.name())
}

fn unread_text(image: &Image, group: &Group<Unread>) -> String {
    let Unread { queue, color, is_control, named, is_blocked } = group.what;
    let kind = if is_control { "a control wavelet" } else { "a wavelet" };
    let place = queue.map_or_else(|| "at the ramp".to_owned(), |queue| format!("in input queue {queue}"));
    // A color or queue without a data task counts as blocked, though nothing has blocked it.
    let id = if image.arch == Arch::Wse3 { queue.map(TaskId::from) } else { Some(TaskId::from(color)) };
    let is_taken =
        |program: &Arc<PeImage>| program.tasks.iter().any(|task| task.kind == TaskKind::Data && Some(task.id) == id);
    let program = image.program_at(group.x, group.y);
    let has_data_task = program.is_some_and(is_taken);
    let why = match (named.zip(program), has_data_task, is_blocked) {
        (Some((named, program)), ..) => {
            let blocked = is_blocked.then(|| blocked_channel(image, program, &group.what, has_data_task));
            not_started(program, named, blocked)
        }
        (None, ..) if is_control => "no control task takes it".to_owned(),
        (None, false, _) => "no data task is bound to it".to_owned(),
        (None, true, true) => "the color or queue of its data task is blocked".to_owned(),
        (None, true, false) => "its data task does not run".to_owned(),
    };
    format!("{kind} of color {color} waits {place} of {WHO}: no operation reads it, and {why}")
}

/// The reason why a control task that a wavelet names does not start; `channel` is its color or queue, if that is blocked.
fn not_started(program: &PeImage, NamedTask { id, is_blocked }: NamedTask, channel: Option<String>) -> String {
    let task = program.tasks.iter().find(|task| task.kind == TaskKind::Control && task.id == id);
    let func = task.and_then(|task| program.funcs.get(usize::from(task.func)));
    let name = func.map(|func| format!(" ({})", func.name)).unwrap_or_default();
    match channel {
        Some(channel) => format!("control task {id}{name} does not start: {channel} is blocked until `@unblock`"),
        None if is_blocked => format!("control task {id}{name} is blocked"),
        None => format!("control task {id}{name} does not start"),
    }
}

/// The color (WSE-2) or queue (WSE-3) that starts control tasks and is blocked, with what blocks it unless code has.
fn blocked_channel(image: &Image, program: &PeImage, unread: &Unread, has_data_task: bool) -> String {
    let channel = match unread.queue.filter(|_| image.arch == Arch::Wse3) {
        Some(queue) => format!("input queue {queue}"),
        None => format!("color {}", unread.color),
    };
    let is_by_default = program.dialect.blocks_unbound_channels && !has_data_task;
    if is_by_default { format!("{channel}, which has no data task,") } else { channel }
}

fn stalled_output(group: &Group<StalledOutput>) -> String {
    let StalledOutput { queue, color, unrouted } = group.what;
    let why = if unrouted {
        "no route takes the color, and the host reads no stream of it"
    } else {
        "the router has no room"
    };
    format!("wavelets of color {color} wait in output queue {queue} of {WHO}: {why}")
}
