//! The account of running and waiting threads, for when nothing can move any more or the run is interrupted.

use std::collections::{BTreeMap, BTreeSet};

use csl_image::PeImage;
use csl_machine::{Arch, Color, ProgramId, QueueId, TaskId, TaskKind};
use csl_pe::{InputSlot, Need, TaskState, Thread, Waiting};

use crate::element::Element;
use crate::machine::Machine;
use crate::memcpy::Host;
use crate::memcpy::Ticket;
use crate::row::Row;
use crate::stop::{
    Astray, BlockedState, Count, Dropped, Filtered, Group, HazardOfMain, HostReason, HostWait, IdleReason, IdleTask,
    Mistake, Running, Sent, Stalled, StalledOutput, StrangeRegister, TaskWait, ThreadWait, UnboundTask,
    UnfinishedLaunch, Unread, UnstartedRead,
};
use crate::tile::Tile;

pub(crate) fn look<E: Element>(machine: &mut Machine<E>, host: &Host) -> BlockedState {
    let mut reasons: Vec<(Ticket, HostReason, u32, u32)> = Vec::new();
    let (mut wavelets, mut unread, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
    let (mut threads, mut running, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
    let (mut unfinished, mut hazards, mut unserved) = (Vec::new(), Vec::new(), Vec::new());
    let (mut idle_tasks, mut sent, mut astray) = (Vec::new(), Vec::new(), Vec::new());
    let (mut unstarted, mut unbound) = (Vec::new(), Vec::new());
    let (mut counts, mut dropped, mut filtered) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let now = machine.now;
    let world = std::sync::Arc::clone(&machine.world);
    for row in machine.rows() {
        wavelets.extend(stalled(row));
        add_counts(&mut counts, row);
        add_dropped(&mut dropped, row);
        for tile in &row.elements.tiles {
            let (x, y) = (tile.x, row.y);
            reasons.extend(waits(tile, now).into_iter().map(|(ticket, reason)| (ticket, reason, x, y)));
            let launch = UnfinishedLaunch { function: tile.host().launched.id };
            unfinished.extend(tile.host().is_blocked.then_some((launch, x, y)));
            let Some(program) = world.image.program_number(x, y) else { continue };
            let waiting = tile.element.waiting(&tile.ports);
            if tile.host().is_blocked && waiting.is_empty() && tile.element.running().is_none() {
                let code = &world.image.programs[program.index()];
                let idle = idle(tile, program, code, world.chip.arch);
                add_filtered(&mut filtered, row, x, idle.iter().filter_map(awaited_by_task));
                idle_tasks.extend(idle.into_iter().map(|task| (task, x, y)));
            }
            add_filtered(&mut filtered, row, x, waiting.iter().filter_map(awaited));
            sent.extend(sent_by(tile, program).map(|sent| (sent, x, y)));
            astray.extend(tile.element.astray_root().map(|root| (Astray { program, root: root.clone() }, x, y)));
            threads.extend(waiting.into_iter().map(|waiting| (ThreadWait { program, waiting }, x, y)));
            running.extend(runs(tile, program).into_iter().map(|running| (running, x, y)));
            tasks.extend(active(tile, program).map(|task| (task, x, y)));
            unread.extend(left_unread(tile, world.chip.arch).into_iter().map(|unread| (unread, x, y)));
            outputs.extend(stalled_outputs(row, tile).into_iter().map(|output| (output, x, y)));
            hazards.extend(tile.element.hazards().iter().map(|&hazard| (HazardOfMain { program, hazard }, x, y)));
            let read = tile.element.unstarted_read();
            unstarted.extend(read.map(|pc| (UnstartedRead { program, pc }, x, y)));
            let activations = tile.element.unbound_activations().iter();
            unbound.extend(activations.map(|&activation| (UnboundTask { program, activation }, x, y)));
            let strange = tile.element.unserved().iter();
            unserved.extend(strange.map(|&place| (StrangeRegister { program, place }, x, y)));
        }
    }
    BlockedState {
        cycle: now,
        host: host_waits(host, &reasons),
        unfinished: group(unfinished),
        astray: group(astray),
        threads: group(threads),
        running: group(running),
        tasks: group(tasks),
        idle_tasks: group(idle_tasks),
        sent: group(sent),
        wavelets: group(wavelets),
        unread: group(unread),
        outputs: group(outputs),
        hazards: group(hazards),
        unserved: group(unserved),
        unbound: group(unbound),
        unstarted: group(unstarted),
        counts: counts.into_iter().map(|(color, (wavelets, pes))| Count { color, wavelets, pes }).collect(),
        dropped: dropped.into_values().collect(),
        filtered: filtered.into_values().collect(),
    }
}

/// The mistakes that checked PEs have found, equal ones of a program in one group: the first by cycle, then row and column,
/// with the number of all.
pub(crate) fn complaints<E: Element>(machine: &mut Machine<E>) -> Vec<Group<Mistake>> {
    let world = std::sync::Arc::clone(&machine.world);
    let mut found: BTreeMap<_, Group<Mistake>> = BTreeMap::new();
    for row in machine.rows() {
        for tile in &row.elements.tiles {
            let Some(program) = world.image.program_number(tile.x, row.y) else { continue };
            for complaint in tile.element.complaints() {
                let group = Group { what: Mistake { program, complaint: *complaint }, tiles: 0, x: tile.x, y: row.y };
                let known = found.entry((program, complaint.pc, complaint.what.key())).or_insert(group.clone());
                let count = if known.tiles == 0 { 0 } else { known.what.complaint.count };
                if complaint.cycle < known.what.complaint.cycle {
                    *known = Group { tiles: known.tiles, ..group };
                }
                known.what.complaint.count = count + complaint.count;
                known.tiles += 1;
            }
        }
    }
    let mut all: Vec<Group<Mistake>> = found.into_values().collect();
    all.sort_by_key(|group| (group.what.complaint.cycle, group.y, group.x));
    all
}

/// Adds the wavelets of a row that have left the program, by color. Rows come in order, so that the first PE stays.
fn add_dropped<E: Element>(dropped: &mut BTreeMap<Color, Group<Dropped>>, row: &Row<E>) {
    let mut last = None;
    for csl_fabric::Dropped { x, color, side, count } in row.fabric.dropped() {
        let first = Group { what: Dropped { color, wavelets: 0, side }, tiles: 0, x, y: row.y };
        let group = dropped.entry(color).or_insert(first);
        group.what.wavelets += count;
        // Wavelets of a color may leave one PE by several sides.
        group.tiles += u64::from(last != Some((color, x)));
        last = Some((color, x));
    }
}

/// Adds what the filters of a PE have dropped of these colors. Rows and columns come in order, so that the first PE stays.
fn add_filtered<E: Element>(
    filtered: &mut BTreeMap<Color, Group<Filtered>>,
    row: &Row<E>,
    x: u32,
    colors: impl Iterator<Item = Color>,
) {
    for color in colors.collect::<BTreeSet<_>>() {
        let filter = row.fabric.color_state(x, color).and_then(|state| state.filter.as_ref());
        let Some(filter) = filter.filter(|filter| filter.dropped > 0) else { continue };
        let first = Group { what: Filtered { color, wavelets: 0 }, tiles: 0, x, y: row.y };
        let group = filtered.entry(color).or_insert(first);
        group.what.wavelets += filter.dropped;
        group.tiles += 1;
    }
}

/// The color of the wavelet that a thread waits for.
fn awaited(waiting: &Waiting) -> Option<Color> {
    match waiting.need {
        Need::Wavelet { color, .. } => Some(color),
        _ => None,
    }
}

/// The color of the wavelet that an idle task waits for.
fn awaited_by_task(task: &IdleTask) -> Option<Color> {
    match task.what {
        IdleReason::Wavelets { color, .. } => Some(color),
        _ => None,
    }
}

/// Adds the wavelets that are left in a row, and the PEs that have some, by color.
fn add_counts<E: Element>(counts: &mut BTreeMap<Color, (u64, u64)>, row: &mut Row<E>) {
    let in_routers = row.fabric.stalled(&mut row.elements).into_iter();
    let mut all: Vec<(Color, u32, u64)> = in_routers.map(|(x, found)| (found.color, x, found.count.into())).collect();
    for tile in &row.elements.tiles {
        let heads = tile.ports.inputs.iter().filter(|input| !input.is_empty());
        all.extend(heads.map(|input| (input.color, tile.x, input.len() as u64)));
        let entered = tile.host().incoming.iter().filter(|stream| stream.has_entered);
        all.extend(entered.map(|stream| (stream.color, tile.x, stream.left() as u64)));
        let sent = tile.ports.outputs.iter().flat_map(|queue| (0..queue.len()).filter_map(|i| queue.get(i)));
        all.extend(sent.map(|outgoing| (outgoing.color, tile.x, 1)));
    }
    let mut places = BTreeMap::new();
    for (color, x, count) in all {
        *places.entry((color, x)).or_insert(0) += count;
    }
    for ((color, _), count) in places {
        let (wavelets, pes) = counts.entry(color).or_default();
        (*wavelets, *pes) = (*wavelets + count, *pes + 1);
    }
}

fn stalled<E: Element>(row: &mut Row<E>) -> Vec<(Stalled, u32, u32)> {
    let y = row.y;
    let all = row.fabric.stalled(&mut row.elements).into_iter();
    all.map(|(x, found)| (Stalled { color: found.color, from: found.from, why: found.why }, x, y)).collect()
}

/// The main thread of a tile, if it runs a task and waits for nothing.
fn runs<E: Element>(tile: &Tile<E>, program: ProgramId) -> Option<Running> {
    let main_waits = tile.element.waiting(&tile.ports).iter().any(|waiting| waiting.thread == Thread::Main);
    tile.element.running().filter(|_| !main_waits).map(|pc| Running { program, pc })
}

fn active<E: Element>(tile: &Tile<E>, program: ProgramId) -> impl Iterator<Item = TaskWait> {
    let TaskState { active, active_and_blocked, .. } = tile.element.tasks();
    let is_active = move |id: &TaskId| active & id.bit() != 0;
    let wait = move |id: TaskId| TaskWait { program, id, is_blocked: active_and_blocked & id.bit() != 0 };
    TaskId::all().filter(is_active).map(wait)
}

/// The tasks that could still start on a tile which has nothing under way.
fn idle<E: Element>(tile: &Tile<E>, program: ProgramId, code: &PeImage, arch: Arch) -> Vec<IdleTask> {
    let TaskState { never_run, met_active, active, .. } = tile.element.tasks();
    let idle = |id: TaskId, what: IdleReason| IdleTask { program, id, what };
    let own = |kind| code.tasks.iter().filter(move |task| task.kind == kind);
    let inputs = tile.ports.inputs.iter().filter(|input| input.is_empty());
    let channels = inputs.filter_map(|input| {
        let id = if arch == Arch::Wse2 { Some(TaskId::from(input.color)) } else { input.queue.map(TaskId::from) };
        let what = IdleReason::Wavelets { color: input.color, queue: input.queue, came: input.landed };
        own(TaskKind::Data).any(|task| Some(task.id) == id).then_some(idle(id?, what))
    });
    let local = own(TaskKind::Local).map(|task| task.id).filter_map(|id| {
        let is_in = |mask: u32| mask & id.bit() != 0;
        match (is_in(active), is_in(met_active), is_in(never_run)) {
            (true, ..) => None,
            (_, true, _) => Some(idle(id, IdleReason::MetActive)),
            (.., true) => Some(idle(id, IdleReason::NeverActivated)),
            _ => None,
        }
    });
    channels.chain(local).collect()
}

/// The output queues by which a tile has sent.
fn sent_by<E: Element>(tile: &Tile<E>, program: ProgramId) -> impl Iterator<Item = Sent> {
    tile.ports.outputs.iter().filter_map(move |output| {
        let color = output.color.or(output.last_color())?;
        let (queue, wavelets, pc) = (output.queue, output.put, output.sender());
        (wavelets > 0).then_some(Sent { program, queue, color, wavelets, pc })
    })
}

/// The heads of input queues that no task or operation takes.
fn left_unread<E: Element>(tile: &Tile<E>, arch: Arch) -> Vec<Unread> {
    let TaskState { blocked_channels: blocked, reading, .. } = tile.element.tasks();
    let unread = InputSlot::all().zip(&tile.ports.inputs).filter(|(slot, _)| reading & slot.bit() == 0);
    let heads = unread.filter_map(|(_, input)| Some((input, input.front()?)));
    heads
        .map(|(input, head)| {
            let channel = if arch == Arch::Wse2 { Some(input.color.bit()) } else { input.queue.map(QueueId::bit) };
            let is_blocked = channel.is_some_and(|channel| blocked & channel != 0);
            let named = tile.element.named_task(input);
            Unread { queue: input.queue, color: input.color, is_control: head.control, named, is_blocked }
        })
        .collect()
}

/// The heads of output queues that do not move.
fn stalled_outputs<E: Element>(row: &Row<E>, tile: &Tile<E>) -> Vec<StalledOutput> {
    let heads = tile.ports.outputs.iter().filter_map(|queue| Some((queue.queue, queue.front()?.color)));
    heads
        .map(|(queue, color)| StalledOutput { queue, color, unrouted: row.fabric.routed(tile.x, color).is_none() })
        .collect()
}

/// The reasons why a tile does not finish its commands.
fn waits<E: Element>(tile: &Tile<E>, now: u64) -> Vec<(Ticket, HostReason)> {
    let host = tile.host();
    let called = host.calling.iter().map(|calling| (calling.ticket, HostReason::NotCalled));
    let incoming = host
        .incoming
        .iter()
        .filter(|stream| !stream.has_entered)
        .map(|stream| (stream.ticket, HostReason::StreamIn { color: stream.color, left: stream.left() as u32 }));
    let outgoing = host.outgoing.iter().map(|stream| {
        let missing = (stream.wanted - stream.words.len()) as u32;
        (stream.ticket, HostReason::StreamOut { color: stream.color, missing })
    });
    let commands = host.commands.iter().enumerate().map(|(index, command)| {
        let first = if host.is_blocked { HostReason::CommandStream } else { HostReason::MainThread };
        let behind = index > 0 || (host.calling.is_some() && !tile.element.between_tasks(now));
        (command.ticket, if behind { HostReason::EarlierCommand } else { first })
    });
    called.chain(incoming).chain(outgoing).chain(commands).collect()
}

fn host_waits(host: &Host, reasons: &[(Ticket, HostReason, u32, u32)]) -> Vec<HostWait> {
    let of =
        |ticket| reasons.iter().filter(move |reason| reason.0 == ticket).map(|reason| (reason.1, reason.2, reason.3));
    let wait = |(ticket, tiles): (Ticket, usize)| HostWait { ticket, pes: tiles as u64, reasons: group(of(ticket)) };
    host.pending().map(wait).collect()
}

/// Groups equal items, with their number and the first tile by row, then column.
fn group<T: Ord>(all: impl IntoIterator<Item = (T, u32, u32)>) -> Vec<Group<T>> {
    let mut groups: BTreeMap<T, (u64, u32, u32)> = BTreeMap::new();
    for (what, x, y) in all {
        let group = groups.entry(what).or_insert((0, y, x));
        group.0 += 1;
        (group.1, group.2) = (group.1, group.2).min((y, x));
    }
    groups.into_iter().map(|(what, (tiles, y, x))| Group { what, tiles, x, y }).collect()
}
