//! Words the warnings at the end of a run: what it has left, and what its programs have done in vain.

use std::path::Path;

use csl_image::Image;
use csl_machine::{Arch, Color, ProgramId};
use csl_pe::Resource;
use csl_sim::{
    BlockedState, Count, Ending, Group, HazardOfMain, Running, StrangeRegister, ThreadWait, UnboundTask, UnstartedRead,
};
use indexmap::IndexMap;

use super::excerpts::{Excerpts, Origin, image_origin};
use super::lines::{FIRST, HOW_MANY, Line, MOST_LINES, WHO, add, line, merge, pes_of, who};
use super::waiting::{
    astray, astray_at, host_reason, idle_task, resource, task_wait, unbound_text, unfinished_launch, waits,
};
use super::wavelets::{amount, dropped, filtered, holding, sender_of};

/// What is told at the end of a run; `ending` is known of one that was stopped.
pub(crate) fn at_the_end(
    image: &Image,
    sources: &Path,
    report: &BlockedState,
    ending: Option<Ending>,
    is_at_rest: bool,
) -> Vec<String> {
    let mut told = hazards(image, sources, report);
    told.extend(unserved_registers(image, sources, report));
    told.extend(unbound_activations(image, sources, report));
    told.extend(unstarted_reads(image, sources, report));
    told.extend(ending.and_then(|ending| unfinished(image, sources, ending, report)));
    told.extend(left_the_rectangle(image, sources, report));
    if is_at_rest {
        told.extend(left_over(image, sources, report));
    }
    told
}

/// The advice on programs that were busy behind the last unblock.
const LOST: &str =
    "what they would have printed or stored later is lost; unblock the command stream where the work ends";

/// Advice on how to let a run take longer.
pub(super) const MORE_CYCLES: &str = "`waferlab run --max-cycles=N` or WAFERLAB_MAX_CYCLES=N lets a run take N cycles";

/// The launched functions and PEs that had not ended when the run was stopped; `None` if all had.
fn unfinished(image: &Image, sources: &Path, ending: Ending, report: &BlockedState) -> Option<String> {
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
    lines.extend(report.idle_tasks.iter().map(|group| idle_task(image, report, group)));
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

/// Warns that a command had to begin before its turn, with the reasons why the host waited.
pub(crate) fn overtaken(image: &Image, report: &BlockedState) -> String {
    let reasons = report.host.iter().flat_map(|wait| &wait.reasons);
    let lines = merge(reasons.map(|group| line(group, host_reason(image, group))).collect());
    let waits: Vec<String> = lines.iter().take(MOST_LINES).map(Line::named).collect();
    format!(
        "memcpy carries out one command after another, but in cycle {} nothing could move any more until a later one began, \
         so it began before its turn; the vendor's tools would wait for ever ({})",
        report.cycle,
        waits.join("; ")
    )
}

/// Warns of wavelets left in routers and queues that no program will take any more, a line for each color.
fn left_over(image: &Image, sources: &Path, report: &BlockedState) -> Vec<String> {
    let mut excerpts = Excerpts::of(image, sources);
    report.counts.iter().map(|count| left_of(&mut excerpts, report, count)).collect()
}

/// Warns of wavelets that have left the program's rectangle, all colors in one warning.
fn left_the_rectangle(image: &Image, sources: &Path, report: &BlockedState) -> Option<String> {
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

/// Warns of places where operations have waited for earlier ones, a line for each.
fn hazards(image: &Image, sources: &Path, report: &BlockedState) -> Vec<String> {
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
        places.entry(waited.place).and_modify(|(_, pes)| add(pes, group)).or_insert_with(|| (text, pes_of(group)));
    }
    places.into_values().map(|(text, pes)| text.replace(WHO, &who(&pes))).collect()
}

/// Warns of registers without a use here that programs have accessed, a line for each place.
fn unserved_registers(image: &Image, sources: &Path, report: &BlockedState) -> Vec<String> {
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
        said.push(text.replace(WHO, &who(group)));
    }
    said
}

/// Warns of activations that start nothing, a line for each place.
fn unbound_activations(image: &Image, sources: &Path, report: &BlockedState) -> Vec<String> {
    let mut excerpts = Excerpts::of(image, sources);
    let of_group = |group: &Group<UnboundTask>| {
        let UnboundTask { program, activation } = group.what;
        let origin = activation.pc.and_then(|pc| image_origin(&mut excerpts, program, pc));
        let place = origin.map_or_else(String::new, |origin| format!("{} in {}: ", origin.place, origin.function));
        line(group, place + &unbound_text(group))
    };
    merge(report.unbound.iter().map(of_group).collect()).iter().map(Line::named).collect()
}

/// Warns of programs that read the time stamp counter and never start it, a line for each program. The function that reads is
/// named, since the place is the library's.
fn unstarted_reads(image: &Image, sources: &Path, report: &BlockedState) -> Vec<String> {
    let mut excerpts = Excerpts::of(image, sources);
    let mut programs: IndexMap<ProgramId, (u32, Group<()>)> = IndexMap::new();
    for group in &report.unstarted {
        let UnstartedRead { program, pc } = group.what;
        programs.entry(program).and_modify(|(_, pes)| add(pes, group)).or_insert_with(|| (pc, pes_of(group)));
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

/// The line on a color: the number of wavelets left, the reason why the first of them stalls, and the thread that waits
/// to send more.
fn left_of(excerpts: &mut Excerpts, report: &BlockedState, count: &Count) -> String {
    let Count { color, wavelets, pes } = *count;
    let place = if pes == 1 { String::new() } else { format!(" on {pes} PEs") };
    let mut text = format!("{} of color {color} stood{place} when the run was stopped", amount(wavelets));
    if let Some(line) = holding(excerpts.image, report, color) {
        text += &format!(": {}", line.named());
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
