//! Who waits for what when nothing can move any more.

use std::collections::BTreeMap;

use crate::command::Ticket;
use crate::element::Element;
use crate::host::Host;
use crate::machine::Machine;
use crate::row::Row;
use crate::stop::{Deadlock, Group, Held, HostReason, HostWait, Standing, ThreadWait};
use crate::tile::Tile;

pub(crate) fn explain<E: Element>(machine: &mut Machine<E>, host: &Host) -> Deadlock {
    let mut reasons: Vec<(Ticket, HostReason, u32, u32)> = Vec::new();
    let (mut wavelets, mut outputs) = (Vec::new(), Vec::new());
    let mut threads = Vec::new();
    let now = machine.now;
    let world = std::sync::Arc::clone(&machine.world);
    for row in machine.rows() {
        wavelets.extend(standing(row));
        for tile in &row.ces.tiles {
            let (x, y) = (tile.x, row.y);
            reasons.extend(waits(tile, now).into_iter().map(|(ticket, reason)| (ticket, reason, x, y)));
            let program = world.program_number(x, y).unwrap_or_default();
            let waiting = tile.element.waiting(&tile.ports).into_iter();
            threads.extend(waiting.map(|waiting| (ThreadWait { program, waiting }, x, y)));
            outputs.extend(held(row, tile).into_iter().map(|held| (held, x, y)));
        }
    }
    Deadlock {
        cycle: now,
        host: host_waits(host, &reasons),
        threads: group(threads),
        wavelets: group(wavelets),
        outputs: group(outputs),
    }
}

fn standing<E: Element>(row: &mut Row<E>) -> Vec<(Standing, u32, u32)> {
    let y = row.y;
    let all = row.fabric.standing(&mut row.ces).into_iter();
    all.map(|(x, found)| (Standing { color: found.color, from: found.from, why: found.why }, x, y)).collect()
}

/// Heads of output queues that do not move.
fn held<E: Element>(row: &Row<E>, tile: &Tile<E>) -> Vec<Held> {
    let heads = tile.ports.outputs.iter().filter_map(|queue| Some((queue.queue, queue.front()?.color)));
    heads.map(|(queue, color)| Held { queue, color, unrouted: row.fabric.record(tile.x, color).is_none() }).collect()
}

/// What keeps a tile from finishing its commands.
fn waits<E: Element>(tile: &Tile<E>, now: u64) -> Vec<(Ticket, HostReason)> {
    let host = &tile.host;
    let called = host.calling.iter().map(|calling| (calling.ticket, HostReason::NotCalled));
    let incoming = host.incoming.iter().map(|stream| {
        let left = (stream.end - stream.at) as u32;
        (stream.ticket, HostReason::StreamIn { color: stream.color, left })
    });
    let outgoing = host.outgoing.iter().map(|stream| {
        let missing = (stream.wanted - stream.words.len()) as u32;
        (stream.ticket, HostReason::StreamOut { color: stream.color, missing })
    });
    let commands = host.commands.iter().enumerate().map(|(place, command)| {
        let first = if host.is_blocked { HostReason::CommandStream } else { HostReason::MainThread };
        let behind = place > 0 || (host.calling.is_some() && !tile.element.between_tasks(now));
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

/// Equal things together, with their number and the first tile by row, then column.
fn group<T: Ord>(all: impl IntoIterator<Item = (T, u32, u32)>) -> Vec<Group<T>> {
    let mut groups: BTreeMap<T, (u64, u32, u32)> = BTreeMap::new();
    for (what, x, y) in all {
        let group = groups.entry(what).or_insert((0, y, x));
        group.0 += 1;
        (group.1, group.2) = (group.1, group.2).min((y, x));
    }
    groups.into_iter().map(|(what, (tiles, y, x))| Group { what, tiles, x, y }).collect()
}
