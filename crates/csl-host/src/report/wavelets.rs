//! Words the wavelets that stand in routers and queues, that filters have dropped, or that have left the program.

use std::collections::BTreeSet;
use std::sync::Arc;

use csl_fabric::StallReason;
use csl_image::{Image, PeImage};
use csl_machine::{Arch, Color, ProgramId, TaskId, TaskKind};
use csl_pe::NamedTask;
use csl_sim::{BlockedState, Dropped, Filtered, Group, IdleReason, Sent, Stalled, StalledOutput, ThreadWait, Unread};

use super::excerpts::{Excerpts, image_origin};
use super::lines::{Line, WHO, line, who};
use super::names::task_name;

/// Wavelets that stand in routers, and the reason.
pub(super) fn stalled(group: &Group<Stalled>) -> String {
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

/// A wavelet that has come to PEs and is not taken, and the reason.
pub(super) fn unread_text(image: &Image, group: &Group<Unread>) -> String {
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
    let name = task_name(Some(program), TaskKind::Control, id);
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

/// Wavelets that wait in output queues, and the reason.
pub(super) fn stalled_output(group: &Group<StalledOutput>) -> String {
    let StalledOutput { queue, color, unrouted } = group.what;
    let why = if unrouted {
        "no route takes the color, and the host reads no stream of it"
    } else {
        "the router has no room"
    };
    format!("wavelets of color {color} wait in output queue {queue} of {WHO}: {why}")
}

/// Whether the route itself stops wavelets.
pub(super) fn is_broken(group: &Group<Stalled>) -> bool {
    matches!(group.what.why, StallReason::InputClosed { .. } | StallReason::Teardown | StallReason::Unrouted)
}

/// Whether wavelets stand only because others stand before them.
pub(super) fn is_behind(group: &Group<Stalled>) -> bool {
    matches!(group.what.why, StallReason::Link(_))
}

/// The colors of which a line tells why their wavelets stand, so that those behind need none.
pub(super) fn explained(report: &BlockedState) -> BTreeSet<Color> {
    let unread = report.unread.iter().map(|group| group.what.color);
    let stalled = report.wavelets.iter().filter(|group| !is_behind(group)).map(|group| group.what.color);
    unread.chain(stalled).collect()
}

/// The reason why wavelets of a color are stalled, preferably one at the end of their way.
pub(super) fn holding(image: &Image, report: &BlockedState, color: Color) -> Option<Line> {
    let unread = report.unread.iter().filter(|group| group.what.color == color);
    let unread = unread.map(|group| line(group, unread_text(image, group)));
    let on_its_way = |group: &&Group<Stalled>| matches!(group.what.why, StallReason::Link(_));
    let mut stopped: Vec<_> = report.wavelets.iter().filter(|group| group.what.color == color).collect();
    stopped.sort_by_key(on_its_way);
    let stalled = stopped.into_iter().map(|group| line(group, stalled(group)));
    let outputs = report.outputs.iter().filter(|group| group.what.color == color);
    unread.chain(stalled).chain(outputs.map(|group| line(group, stalled_output(group)))).next()
}

/// `one wavelet`, or the number of them.
pub(super) fn amount(wavelets: u64) -> String {
    if wavelets == 1 { "one wavelet".to_owned() } else { format!("{wavelets} wavelets") }
}

/// Wavelets that have left the program's rectangle.
pub(super) fn dropped(group: &Group<Dropped>) -> String {
    let Dropped { color, wavelets, side } = group.what;
    format!("{} of color {color} left {WHO}, to the {}", amount(wavelets), side.name())
}

/// The wavelets that came to PEs which wait for some, and that filters have kept from them. Where the library alone waits, the
/// filter is its own.
pub(super) fn filtered(excerpts: &mut Excerpts, report: &BlockedState) -> Vec<Line> {
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
            let text = format!(
                "{} of color {color} came to {WHO} and did not pass its filter, which has dropped them",
                amount(wavelets)
            );
            lines.push(line(group, text));
        }
    }
    lines
}

/// The wavelets that a PE, or each of some, has sent.
pub(super) fn sent(group: &Group<Sent>) -> String {
    let Sent { queue, wavelets, .. } = group.what;
    let each = if group.tiles == 1 { "has" } else { "have each" };
    format!("{} {each} sent {wavelets} by output queue {queue}", who(group))
}

/// The instruction that has sent on a color last, of the first PE that has.
pub(super) fn sender_of(report: &BlockedState, color: Color) -> Option<(ProgramId, u32)> {
    let sent = report.sent.iter().filter(|group| group.what.color == color);
    sent.min_by_key(|group| (group.y, group.x)).and_then(|group| Some((group.what.program, group.what.pc?)))
}
