//! Words the faults of programs and routers: the event, its place, and the calls that led there.

use csl_diag::{Code, Diagnostic};
use std::sync::Arc;

use csl_image::{Image, PeImage};
use csl_machine::Coord;
use csl_machine::registers::ce;
use csl_pe::scalar::CpuFault;
use csl_sim::{FaultKind, FaultReport};

use super::excerpts::{Excerpts, Origin};
use super::names::fifo_name;
use super::{checked, circle};
use crate::inspect::picture::routes_of;

pub(crate) fn fault(excerpts: &mut Excerpts, report: &FaultReport) -> Diagnostic {
    let FaultReport { cycle, x, y, .. } = report;
    let diagnostic = under(excerpts, report, |what| format!("PE ({x}, {y}) stopped in cycle {cycle}: {what}"));
    let Coord { x: px, y: py } = excerpts.image.to_physical(*x, *y);
    diagnostic.note(format!("in the whole fabric this is PE ({px}, {py})"))
}

/// The event and its line, without PE and cycle.
pub(super) fn event(excerpts: &mut Excerpts, report: &FaultReport) -> String {
    let what = under(excerpts, report, str::to_owned).message;
    let pc = report.of_pe().and_then(|fault| fault.pc);
    let program = excerpts.image.program_at(report.x, report.y);
    match program.zip(pc).and_then(|(program, pc)| excerpts.origin(program, pc)) {
        Some(origin) => format!("{what}, {}", origin.line),
        None => what,
    }
}

/// The fault under a headline that is made of its event.
fn under(excerpts: &mut Excerpts, report: &FaultReport, headline: impl Fn(&str) -> String) -> Diagnostic {
    let FaultReport { x, y, what, .. } = report;
    let image = excerpts.image;
    match what {
        FaultKind::Pe(fault) => {
            let program = image.program_at(*x, *y).map(Arc::as_ref);
            let text = headline(&pe_fault(excerpts, program, &fault.kind));
            let diagnostic = located(excerpts, program, &text, fault);
            match advice(program, &fault.kind) {
                Some(text) => diagnostic.help(text),
                None => diagnostic,
            }
        }
        FaultKind::Fabric(fault) => {
            let diagnostic = fabric_fault(fault, headline);
            let routes = routes_of(image, fault.color);
            match circle::through(&routes, fault.color, Coord { x: *x, y: *y }) {
                Some(text) => diagnostic.note(text),
                None => diagnostic,
            }
        }
        FaultKind::BadPointer { id, addr, bytes } => bad_pointer(image, *id, *addr, *bytes, headline),
    }
}

/// The number of innermost calls shown of a long call stack, beside the outermost ones.
const INNER_CALLS: usize = 8;
const OUTER_CALLS: usize = 4;

/// The fault at its line, with the calls that led there.
fn located(excerpts: &mut Excerpts, program: Option<&PeImage>, text: &str, fault: &csl_pe::Fault) -> Diagnostic {
    let mut origins = |pc: u32| program.map_or(Vec::new(), |program| excerpts.origins(program, pc)).into_iter();
    let mut diagnostic = Diagnostic::unplaced(Code::RunFault, text);
    let mut inlined = fault.pc.map(&mut origins).unwrap_or_default();
    if let Some(here) = inlined.next() {
        diagnostic = match here.span {
            Some(span) => Diagnostic::new(Code::RunFault, span, text),
            None => diagnostic.note(format!("at {}", here.place)),
        };
        diagnostic = diagnostic.note(format!("in {}", here.function));
    }
    diagnostic = inlined.fold(diagnostic, |diagnostic, caller| called(diagnostic, caller, 1));
    let calls = repeated(fault.stack.get(1..).unwrap_or_default());
    let shown = |place: &usize| *place < INNER_CALLS || place + OUTER_CALLS >= calls.len();
    if calls.len() > INNER_CALLS + OUTER_CALLS {
        diagnostic = diagnostic.note("of the calls the innermost and the outermost are shown");
    }
    for (caller, times) in (0..calls.len()).filter(shown).map(|place| calls[place]) {
        diagnostic = origins(caller).fold(diagnostic, |diagnostic, caller| called(diagnostic, caller, times));
    }
    diagnostic
}

/// Adds a call that led to the reported place.
fn called(diagnostic: Diagnostic, caller: Origin, times: usize) -> Diagnostic {
    let how_often = if times == 1 { String::new() } else { format!(" {times} times over") };
    match caller.span {
        Some(span) => diagnostic.traced(span, format!("called here{how_often}, in {}", caller.function)),
        None => diagnostic.note(format!("called{how_often} at {}, in {}", caller.place, caller.function)),
    }
}

/// Merges consecutive calls from one place, with their number.
fn repeated(stack: &[u32]) -> Vec<(u32, usize)> {
    stack.chunk_by(|a, b| a == b).map(|calls| (calls[0], calls.len())).collect()
}

fn pe_fault(excerpts: &mut Excerpts, program: Option<&PeImage>, kind: &csl_pe::FaultKind) -> String {
    use csl_pe::FaultKind as F;
    match kind {
        F::UnboundTask { control: true, id } => format!("control task {id} was called, but nothing is bound to it"),
        F::UnboundTask { control: false, id } => {
            format!(
                "a control wavelet put a color into teardown, which activates task {id}, but nothing is bound to it"
            )
        }
        F::NoSuchTask { id } => format!("there is no task id {id}"),
        F::NoQueue { output, queue: None } => format!("the operation names no {} queue", side(*output)),
        F::NoQueue { output, queue: Some(queue) } => format!("{} queue {queue} is bound to no color", side(*output)),
        F::QueueNotEmpty { output, queue } => {
            format!("{} queue {queue} was bound anew while it held wavelets", side(*output))
        }
        F::EmptyDsr { file, id } => format!("{} {id} was used before anything was loaded into it", file.name()),
        F::BadOperand(text) => format!("an operand that the operation does not take: {text}"),
        F::HalfWavelet { queue } => format!("input queue {queue} got a half wavelet, but is not in dense mode"),
        F::BadRpc { function, given } => bad_rpc(program, *function, *given),
        F::FifoEmpty { fifo } => format!("{} is empty", fifo_name(program, *fifo)),
        F::FifoFull { fifo } => format!("{} is full", fifo_name(program, *fifo)),
        F::EndlessOperation => "an operation without end that moves nothing".to_owned(),
        F::NoClock => {
            "the program reads the time, and an untimed run has no clock: run it without `--untimed`, or with \
             `--untimed=own-time` (WAFERLAB_UNTIMED=own-time), where nothing but a report depends on it"
                .to_owned()
        }
        F::AssertionFailed => "an assertion does not hold".to_owned(),
        F::FpException { raised } => format!("an unmasked floating-point exception: {}", exceptions(*raised)),
        F::Scalar(fault) => fault.message().to_owned(),
        F::Checked(what) => match program {
            Some(program) => checked::told(excerpts, program, what),
            None => "a mistake was found".to_owned(),
        },
        F::BadCode(text) => format!("damaged code: {text}"),
        F::Unsupported(what) => format!("Waferlab does not have {what} yet"),
    }
}

fn bad_rpc(program: Option<&PeImage>, function: u16, given: u8) -> String {
    let called = program.and_then(|program| program.funcs.get(usize::from(function)));
    let (name, takes) = called.map_or(("?", 0), |func| (&func.name, func.params));
    format!("a remote call of '{name}' with {given} arguments, which takes {takes}")
}

/// The usual remedy, where it is not obvious.
fn advice(program: Option<&PeImage>, kind: &csl_pe::FaultKind) -> Option<String> {
    use csl_pe::FaultKind as F;
    match kind {
        F::UnboundTask { control: true, id } => Some(format!(
            "a control wavelet carried this number as its entry: bind a task with `@bind_control_task`, or send 31, \
             which calls none, instead of {id}"
        )),
        F::UnboundTask { control: false, .. } => Some(
            "send `SWITCH_ADV` where a switch is to advance; where a color is to be torn down, bind a task with \
             `@set_teardown_handler`"
                .to_owned(),
        ),
        F::NoQueue { output, queue: None } => Some(format!("give its DSD an `.{}_queue`", side(*output))),
        F::NoQueue { output: true, .. } => Some(
            "name the color in its DSD, `.fabric_color = ..`, or, on WSE-3, bind the queue: \
             `@initialize_queue(queue, .{ .color = .. })`"
                .to_owned(),
        ),
        F::NoQueue { .. } => Some("bind it: `@initialize_queue(queue, .{ .color = .. })`".to_owned()),
        F::Checked(what) => Some(checked::advice(what).to_owned()),
        F::Scalar(CpuFault::StackOverflow) => {
            let stack = program?.stack;
            let left = u32::from(stack.end).saturating_sub(stack.start.into());
            Some(format!("{left} bytes are left for local arrays and structs of functions that run"))
        }
        _ => None,
    }
}

fn exceptions(raised: u16) -> String {
    let names = ce::EXCEPTION_NAMES.iter().filter(|(bit, _)| raised & bit != 0);
    names.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

fn side(output: bool) -> &'static str {
    if output { "output" } else { "input" }
}

fn fabric_fault(fault: &csl_fabric::Fault, headline: impl Fn(&str) -> String) -> Diagnostic {
    let csl_fabric::Fault { color, wavelet, kind, .. } = fault;
    let csl_fabric::FaultKind::Collision { sides: [a, b] } = kind;
    let text = headline(&format!("two wavelets of color {color} arrive in the same cycle"));
    Diagnostic::unplaced(Code::RunFault, text)
        .note(format!("one comes from {}, one from {}", a.name(), b.name()))
        .note(format!("one of them is 0x{:08x}; the outcome of such a collision is not defined", wavelet.data))
        .help("let the senders take turns, with a switch on the receiver or with a color for each")
}

fn bad_pointer(image: &Image, id: u16, addr: u16, bytes: u32, headline: impl Fn(&str) -> String) -> Diagnostic {
    let name = image.export(id).map_or("(unknown)", |export| &export.name);
    let text = headline(&format!("memcpy cannot copy {name}: its pointer is no address of memory"));
    Diagnostic::unplaced(Code::RunFault, text)
        .note(format!("the pointer is 0x{addr:04x}, and {bytes} bytes were to be copied from there on"))
}
