//! The report of a run that stands, or was ended: what each PE, the host and the wavelets wait for.

use std::collections::HashMap;

use csl_diag::Diagnostic;
use csl_fabric::StallReason;
use csl_machine::{Color, Coord};
use csl_sim::{BlockedState, HostReason};
use indexmap::IndexMap;

use super::circle;
use super::excerpts::Excerpts;
use super::lines::{Line, MOST_LINES, at_line, at_origin, line, merge};
use super::waiting::{
    astray, astray_at, host_reason, idle_task, running, task_wait, thread_wait, unbound_task, unfinished_at,
};
use super::wavelets::{
    dropped, explained, filtered, is_behind, is_broken, sender_of, stalled, stalled_output, unread_text,
};
use crate::inspect::picture::routes_of;

/// Adds to the diagnostic a line for each thing that waits or stands.
pub(super) fn blocked_state(excerpts: &mut Excerpts, report: &BlockedState, diagnostic: Diagnostic) -> Diagnostic {
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
    lines.extend(report.idle_tasks.iter().map(|group| idle_task(excerpts.image, report, group)));
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
