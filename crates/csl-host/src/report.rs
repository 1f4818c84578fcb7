//! Faults and deadlocks as texts with source excerpts, through the image's line table.

use std::collections::HashMap;
use std::path::Path;

use csl_chip::registers::ce;
use csl_diag::{Code, Diagnostic, Diagnostics, ErrorFormat, FileId, SourceMap, Span, Style, render};
use csl_fabric::Obstacle;
use csl_image::{Image, PeImage, TaskKind};
use csl_isa::vec::DsrFile;
use csl_sim::{
    FaultKind, FaultReport, Group, Held, HostReason, Running, Situation, Standing, Stop, TaskWait, ThreadWait, Unread,
};

use indexmap::IndexMap;

use crate::check::program_at;
use crate::sources::reread;

/// The text of a stop, for people.
pub fn explain(image: &Image, sources: &Path, stop: &Stop) -> String {
    let mut excerpts = Excerpts { image, sources, map: SourceMap::new(), files: HashMap::new() };
    let diagnostic = match stop {
        Stop::Fault(report) => fault(&mut excerpts, report),
        Stop::Deadlock(report) => {
            let text = format!("nothing can move any more in cycle {}, and the host still waits", report.cycle);
            situation(&mut excerpts, report, Diagnostic::unplaced(Code::Deadlock, text))
        }
        Stop::Interrupted(report) => {
            let text = format!("the run was interrupted in cycle {}", report.cycle);
            situation(&mut excerpts, report, Diagnostic::unplaced(Code::RunFault, text))
        }
    };
    let mut list = Diagnostics::new();
    list.push(diagnostic);
    render(&excerpts.map, &list, ErrorFormat::Human, Style::Plain)
}

/// Source files, read again when a line of them is shown.
struct Excerpts<'a> {
    image: &'a Image,
    sources: &'a Path,
    map: SourceMap,
    files: HashMap<u32, Option<FileId>>,
}

/// Where an instruction comes from.
struct Origin {
    function: String,
    /// `file:line:column`
    place: String,
    span: Option<Span>,
}

impl Excerpts<'_> {
    fn origin(&mut self, program: &PeImage, pc: u32) -> Option<Origin> {
        let line = program.line_of(pc)?;
        let file = self.image.files.get(line.file as usize)?;
        let function = program.func_of(pc).map(|f| f.name.clone()).unwrap_or_default();
        let place = format!("{file}:{}:{}", line.line, line.column);
        Some(Origin { function, place, span: self.span(line.file, line.line, line.column) })
    }

    /// The word at a place; `None` when the file is gone or no longer reaches there.
    fn span(&mut self, file: u32, line: u32, column: u32) -> Option<Span> {
        let id = self.file(file)?;
        let text = self.map.text(id).clone();
        let start = text.split_inclusive('\n').take(line as usize - 1).map(str::len).sum::<usize>();
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
        let name = &self.image.files[file as usize];
        let id = reread(self.sources, name).map(|text| self.map.add(name, text));
        self.files.insert(file, id);
        id
    }
}

fn fault(excerpts: &mut Excerpts, report: &FaultReport) -> Diagnostic {
    let FaultReport { cycle, x, y, what } = report;
    let (px, py) = (excerpts.image.offset.x + x, excerpts.image.offset.y + y);
    let text = format!("PE ({x}, {y}) stopped in cycle {cycle}: {}", describe(excerpts.image, report));
    let diagnostic = match what {
        FaultKind::Pe(fault) => located(excerpts, (*x, *y), &text, fault),
        _ => Diagnostic::unplaced(Code::RunFault, text),
    };
    diagnostic.note(format!("in the whole fabric this is PE ({px}, {py})"))
}

/// Of a long call stack the innermost and the outermost calls are shown.
const INNER_CALLS: usize = 8;
const OUTER_CALLS: usize = 4;

/// The fault at its line, with the calls that led there.
fn located(excerpts: &mut Excerpts, (x, y): (u32, u32), text: &str, fault: &csl_pe::Fault) -> Diagnostic {
    let image = excerpts.image;
    let program = program_at(image, x, y);
    let mut origin = |pc: u32| program.and_then(|program| excerpts.origin(program, pc));
    let mut diagnostic = Diagnostic::unplaced(Code::RunFault, text);
    if let Some(here) = fault.pc.and_then(&mut origin) {
        diagnostic = match here.span {
            Some(span) => Diagnostic::new(Code::RunFault, span, text),
            None => diagnostic.note(format!("at {}", here.place)),
        };
        diagnostic = diagnostic.note(format!("in {}", here.function));
    }
    let calls = fault.stack.len().saturating_sub(1);
    if calls > INNER_CALLS + OUTER_CALLS {
        diagnostic = diagnostic.note(format!("of {calls} calls the innermost and the outermost are shown"));
    }
    let shown = |place: &usize| *place < INNER_CALLS || place + OUTER_CALLS >= calls;
    for place in (0..calls).filter(shown) {
        let Some(caller) = origin(fault.stack[place + 1]) else { continue };
        diagnostic = match caller.span {
            Some(span) => diagnostic.traced(span, format!("called here, in {}", caller.function)),
            None => diagnostic.note(format!("called at {}, in {}", caller.place, caller.function)),
        };
    }
    diagnostic
}

fn describe(image: &Image, report: &FaultReport) -> String {
    match &report.what {
        FaultKind::Pe(fault) => pe_fault(program_at(image, report.x, report.y), &fault.kind),
        FaultKind::Fabric(fault) => fabric_fault(fault),
        FaultKind::BadPointer { id, addr, bytes } => {
            let name = image.exports.iter().find(|e| e.id == *id).map_or("(unknown)", |e| &e.name);
            format!("memcpy was to move {bytes} bytes at address 0x{addr:04x} of {name}, which is no memory")
        }
    }
}

fn pe_fault(program: Option<&PeImage>, kind: &csl_pe::FaultKind) -> String {
    use csl_pe::FaultKind as F;
    match kind {
        F::UnboundTask { control: true, id } => format!("control task {id} was called, but nothing is bound to it"),
        F::UnboundTask { control: false, id } => format!("task {id} was activated, but nothing is bound to it"),
        F::NoSuchTask { id } => format!("there is no task id {id}"),
        F::MicrothreadBusy { ut } => format!("microthread {ut} still runs an earlier operation"),
        F::QueueBusy { output, queue } => format!("{} queue {queue} is in use by another operation", side(*output)),
        F::NoQueue { output, queue } => format!("{} queue {queue} is bound to no color", side(*output)),
        F::QueueNotEmpty { output, queue } => {
            format!("{} queue {queue} was bound anew while it held wavelets", side(*output))
        }
        F::EmptyDsr { file, id } => format!("{} {id} was used before anything was loaded into it", dsr_file(*file)),
        F::BadOperand(text) => format!("an operand that the operation does not take: {text}"),
        F::FifoEmpty { fifo } => format!("{} is empty", fifo_name(program, *fifo)),
        F::FifoFull { fifo } => format!("{} is full", fifo_name(program, *fifo)),
        F::EndlessOperation => "an operation without end that moves nothing".to_owned(),
        F::AssertionFailed => "an assertion does not hold".to_owned(),
        F::Trap { message } => trap(program, *message),
        F::FpException { raised } => format!("an unmasked floating-point exception: {}", exceptions(*raised)),
        F::Scalar(fault) => fault.message().to_owned(),
        F::BadCode(text) => format!("damaged code: {text}"),
        F::NoSuchRegister { word } => format!("there is no register at word address 0x{word:04x}"),
        F::Unsupported(what) => format!("Waferlab does not have {what} yet"),
        F::BadCall { export } => format!("the host called export {export}, which is no function of this PE"),
    }
}

fn exceptions(raised: u16) -> String {
    let names = ce::EXCEPTION_NAMES.iter().filter(|(bit, _)| raised & bit != 0);
    names.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

fn dsr_file(file: DsrFile) -> &'static str {
    match file {
        DsrFile::Dest => "dsr_dest",
        DsrFile::Src0 => "dsr_src0",
        DsrFile::Src1 => "dsr_src1",
    }
}

fn side(output: bool) -> &'static str {
    if output { "output" } else { "input" }
}

fn trap(program: Option<&PeImage>, message: u16) -> String {
    let text = program.and_then(|program| program.strings.get(usize::from(message)));
    text.cloned().unwrap_or_else(|| "a trap".to_owned())
}

fn fabric_fault(fault: &csl_fabric::Fault) -> String {
    let kind = if fault.wavelet.control { "control wavelet" } else { "wavelet" };
    let what = format!("a {kind} 0x{:08x} of color {}", fault.wavelet.data, fault.color);
    match &fault.kind {
        csl_fabric::FaultKind::Nowhere { side, path } => {
            let way: Vec<String> = path.iter().map(|(x, y)| format!("({x}, {y})")).collect();
            format!(
                "{what} leaves {} and no router there takes it; it came by {}",
                direction(*side),
                way.join(" from ")
            )
        }
        csl_fabric::FaultKind::Collision { sides: [a, b] } => {
            format!("{what} met another of its color: one came from {}, one from {}", direction(*a), direction(*b))
        }
    }
}

/// Sides in the bit order of the routing registers.
fn direction(side: u8) -> &'static str {
    ["WEST", "EAST", "SOUTH", "NORTH", "RAMP"].get(usize::from(side)).copied().unwrap_or("nowhere")
}

/// Stands for the PEs in a line that is still to be merged with its like.
const WHO: &str = "\0";

/// What a report says at most of who waits and where wavelets stand.
const MOST_LINES: usize = 24;

/// One thing that holds for some PEs. PEs with different programs can have the same to say.
struct Line {
    at: Option<Span>,
    /// With [`WHO`] for the PEs.
    text: String,
    pes: Group<()>,
}

fn situation(excerpts: &mut Excerpts, report: &Situation, diagnostic: Diagnostic) -> Diagnostic {
    let mut lines: Vec<Line> = Vec::new();
    let reasons = report.host.iter().flat_map(|wait| &wait.reasons);
    lines.extend(reasons.map(|group| line(group, host_reason(group))));
    lines.extend(report.threads.iter().map(|group| thread_wait(excerpts, group)));
    lines.extend(report.running.iter().map(|group| running(excerpts, group)));
    lines.extend(report.tasks.iter().map(|group| line(group, task_wait(excerpts.image, group))));
    lines.extend(report.unread.iter().map(|group| line(group, unread(group))));
    lines.extend(report.wavelets.iter().map(|group| line(group, standing(group))));
    lines.extend(report.outputs.iter().map(|group| line(group, held(group))));
    let lines = merge(lines);
    let rest = lines.len().saturating_sub(MOST_LINES);
    let shown = lines.iter().take(MOST_LINES).fold(diagnostic, |diagnostic, line| {
        let text = line.text.replace(WHO, &who(&line.pes));
        match line.at {
            Some(span) => diagnostic.traced(span, text),
            None => diagnostic.note(text),
        }
    });
    if rest == 0 { shown } else { shown.note(format!("{rest} more like these")) }
}

/// What a run has left in routers and queues that nobody will take any more.
pub fn left_standing(report: &Situation) -> Vec<String> {
    let mut lines: Vec<Line> = report.unread.iter().map(|group| line(group, unread(group))).collect();
    lines.extend(report.wavelets.iter().map(|group| line(group, standing(group))));
    lines.extend(report.outputs.iter().map(|group| line(group, held(group))));
    let text = |line: &Line| format!("at the end, {}", line.text.replace(WHO, &who(&line.pes)));
    merge(lines).iter().take(MOST_LINES).map(text).collect()
}

fn line<T>(group: &Group<T>, text: String) -> Line {
    Line { at: None, text, pes: Group { what: (), tiles: group.tiles, x: group.x, y: group.y } }
}

/// Lines that say the same become one, in the place of the first.
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

fn host_reason(group: &Group<HostReason>) -> String {
    let who = WHO;
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
            format!("the host streams to {who} on color {color}: {left} wavelets are still to be taken")
        }
        HostReason::StreamOut { color, missing } => {
            format!("the host waits for {missing} more wavelets of color {color} from {who}")
        }
    }
}

fn thread_wait(excerpts: &mut Excerpts, group: &Group<ThreadWait>) -> Line {
    let ThreadWait { program, waiting } = group.what;
    let thread = match waiting.thread {
        csl_pe::Thread::Main => "the main thread".to_owned(),
        csl_pe::Thread::Microthread(ut) => format!("microthread {ut}"),
    };
    let left = match waiting.left {
        None => String::new(),
        Some(1) => ", one element to go".to_owned(),
        Some(left) => format!(", {left} elements to go"),
    };
    let need = need(excerpts.image.programs.get(program as usize), waiting.need);
    at_line(excerpts, (program, waiting.pc), line(group, format!("{thread} of {WHO} waits for {need}{left}")))
}

fn running(excerpts: &mut Excerpts, group: &Group<Running>) -> Line {
    let Running { program, pc } = group.what;
    at_line(excerpts, (program, pc), line(group, format!("the main thread of {WHO} runs")))
}

fn task_wait(image: &Image, group: &Group<TaskWait>) -> String {
    let TaskWait { program, id, is_blocked } = group.what;
    let program = image.programs.get(program as usize);
    let task =
        program.and_then(|program| program.tasks.iter().find(|task| task.kind == TaskKind::Local && task.id == id));
    let func = task.zip(program).and_then(|(task, program)| program.funcs.get(usize::from(task.func)));
    let name = func.map(|func| format!(" ({})", func.name)).unwrap_or_default();
    let state = if is_blocked { "active and blocked" } else { "active and waits for its turn" };
    format!("local task {id}{name} of {WHO} is {state}")
}

/// A line with the place of an instruction of a program.
fn at_line(excerpts: &mut Excerpts, (program, pc): (u32, u32), line: Line) -> Line {
    let program = excerpts.image.programs.get(program as usize).cloned();
    match program.and_then(|program| excerpts.origin(&program, pc)) {
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

fn need(program: Option<&std::sync::Arc<PeImage>>, need: csl_pe::Need) -> String {
    let queue = |queue: u8| if queue == 0xff { String::new() } else { format!(" {queue}") };
    match need {
        csl_pe::Need::Wavelet { queue: id, color } => format!("a wavelet of color {color} in input queue{}", queue(id)),
        csl_pe::Need::Room { queue: id, color } => format!("room for color {color} in output queue{}", queue(id)),
        csl_pe::Need::Fifo(id) => fifo_name(program.map(|program| &**program), id),
        csl_pe::Need::Unblock => "being unblocked".to_owned(),
    }
}

fn standing(group: &Group<Standing>) -> String {
    let Standing { color, from, why } = group.what;
    let why = match why {
        Obstacle::InputClosed { ever: true } => "the switch does not take that input now".to_owned(),
        Obstacle::InputClosed { ever: false } => "the color's route does not take that input".to_owned(),
        Obstacle::Teardown => "the color is in teardown".to_owned(),
        Obstacle::NoOutput => "the route has no output".to_owned(),
        Obstacle::Link(side) => format!("the neighbour to the {} has no room", direction(side)),
        Obstacle::Ramp => "the PE does not take them".to_owned(),
        Obstacle::None => "nothing holds them".to_owned(),
    };
    format!("wavelets of color {color} from {} stand in the router of {WHO}: {why}", direction(from))
}

fn unread(group: &Group<Unread>) -> String {
    let Unread { queue, color, is_control, is_blocked } = group.what;
    let kind = if is_control { "a control wavelet" } else { "a wavelet" };
    let place = if queue == 0xff { "at the ramp".to_owned() } else { format!("in input queue {queue}") };
    let why = if is_blocked {
        "no operation reads it, and its color or queue is blocked"
    } else {
        "no operation reads it, and no task can take it"
    };
    format!("{kind} of color {color} waits {place} of {WHO}: {why}")
}

fn held(group: &Group<Held>) -> String {
    let Held { queue, color, unrouted } = group.what;
    let why = if unrouted {
        "no route takes the color, and the host reads no stream of it"
    } else {
        "the router has no room"
    };
    format!("wavelets of color {color} wait in output queue {queue} of {WHO}: {why}")
}
