//! Words what PEs and the host wait for: threads, tasks, launched functions, requests.

use std::sync::Arc;

use csl_image::{Flow, Image, PeImage};
use csl_machine::{QueueId, TaskKind};
use csl_pe::{AstrayRoot, Resource};
use csl_sim::{
    Astray, BlockedState, Group, HostReason, IdleReason, IdleTask, Running, TaskWait, ThreadWait, UnboundTask,
    UnfinishedLaunch,
};

use super::excerpts::{Excerpts, Origin, image_origin};
use super::lines::{FIRST, HOW_MANY, Line, WHO, at_line, at_origin, line};
use super::names::{fifo_name, task_name};
use super::wavelets::{amount, sent};
use crate::advice;

/// The reason why the host waits for PEs.
pub(super) fn host_reason(image: &Image, group: &Group<HostReason>) -> String {
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

/// [`waits`], with the place of the operation.
pub(super) fn thread_wait(excerpts: &mut Excerpts, group: &Group<ThreadWait>) -> Line {
    let ThreadWait { program, waiting } = group.what;
    let text = waits(excerpts.image, group);
    at_line(excerpts, (program, waiting.pc), line(group, text))
}

/// A thread, and what its operation waits for.
pub(super) fn waits(image: &Image, group: &Group<ThreadWait>) -> String {
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

pub(super) fn running(excerpts: &mut Excerpts, group: &Group<Running>) -> Line {
    let Running { program, pc } = group.what;
    at_line(excerpts, (program, pc), line(group, format!("the main thread of {WHO} runs")))
}

pub(super) fn task_wait(image: &Image, group: &Group<TaskWait>) -> String {
    let TaskWait { program, id, is_blocked } = group.what;
    let program = image.programs.get(program.index());
    let name = task_name(program.map(Arc::as_ref), TaskKind::Local, id);
    let state = if is_blocked { "active and blocked" } else { "active and waits for its turn" };
    format!("local task {id}{name} of {WHO} is {state}")
}

/// A task of a PE that is waited for and has nothing to do, with the wavelets that came for it and that were sent.
pub(super) fn idle_task(image: &Image, report: &BlockedState, group: &Group<IdleTask>) -> Line {
    let IdleTask { program, id, what } = group.what;
    let kind = if matches!(what, IdleReason::Wavelets { .. }) { TaskKind::Data } else { TaskKind::Local };
    let program = image.programs.get(program.index());
    let name = task_name(program.map(Arc::as_ref), kind, id);
    let text = match what {
        IdleReason::NeverActivated => format!("local task {id}{name} of {WHO} was never activated"),
        IdleReason::MetActive => {
            format!("local task {id}{name} of {WHO} was activated while it was active already: it ran once for both")
        }
        IdleReason::Wavelets { color, queue, came } => {
            let place = queue.map_or_else(String::new, |queue| format!(" in input queue {queue}"));
            let senders: Vec<String> = report.sent.iter().filter(|group| group.what.color == color).map(sent).collect();
            let senders = if senders.is_empty() { "no PE has sent any".to_owned() } else { senders.join(", ") };
            let came = if came == 0 { "no wavelet".to_owned() } else { amount(came.into()) };
            format!("data task {id}{name} of {WHO} waits: {came} of color {color} came{place}, and {senders}")
        }
    };
    line(group, text)
}

/// What an operation needs to go on.
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

pub(super) fn resource(resource: Resource) -> String {
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

/// A function that was launched and has not unblocked the command stream.
pub(super) fn unfinished_launch(image: &Image, group: &Group<UnfinishedLaunch>) -> String {
    let export = image.export(group.what.function);
    let name = export.map_or("a launched function", |export| export.name.as_str());
    format!("{name} has not called unblock_cmd_stream() on {WHO}")
}

/// [`unfinished_launch`], with the place of the function.
pub(super) fn unfinished_at(excerpts: &mut Excerpts, group: &Group<UnfinishedLaunch>) -> Line {
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
pub(super) fn astray(group: &Group<Astray>) -> String {
    let AstrayRoot { root, size, .. } = group.what.root;
    let pes = if size == 1 { "one PE (0)".to_owned() } else { format!("{size} PEs (0 to {})", size.saturating_sub(1)) };
    format!(
        "a row or column of {pes} has no PE {root}, so that all of them wait: {WHO} named it as the root of a collective operation"
    )
}

/// The call of that operation, by the program if that is known.
pub(super) fn astray_at(excerpts: &mut Excerpts, group: &Group<Astray>) -> Option<Origin> {
    let Astray { program, root: AstrayRoot { stack, .. } } = &group.what;
    let program = excerpts.image.programs.get(program.index())?.clone();
    let mut origins: Vec<Origin> = stack.iter().flat_map(|pc| excerpts.origins(&program, *pc)).collect();
    let own = origins.iter().position(|origin| !origin.is_library());
    (!origins.is_empty()).then(|| origins.swap_remove(own.unwrap_or(0)))
}

pub(super) fn unbound_task(excerpts: &mut Excerpts, group: &Group<UnboundTask>) -> Line {
    let UnboundTask { program, activation } = group.what;
    let origin = activation.pc.and_then(|pc| image_origin(excerpts, program, pc));
    at_origin(origin, line(group, unbound_text(group)))
}

pub(super) fn unbound_text(group: &Group<UnboundTask>) -> String {
    let id = group.what.activation.id;
    format!("{HOW_MANY} activated task {id}{FIRST}, to which nothing is bound (`@bind_local_task`)")
}
