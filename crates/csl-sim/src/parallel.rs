//! Shards on threads. In each cycle they run and meet; the first of them decides on the next step, and they meet again.
//! Wavelets over a border lie in a mailbox until the receiving shard begins its next cycle. Two sets of mailboxes take
//! turns, so that none is read and written between the same two meetings.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use csl_fabric::Batch;

use crate::barrier::Barrier;
use crate::element::Element;
use crate::machine::{Decision, Machine, Pause};
use crate::memcpy::Done;
use crate::shard::{Border, Shard};
use crate::tile::NEVER;

/// A decision as a number: a cycle, or this value for all others.
const STOP: u64 = NEVER;

/// A batch for each border and direction, with the cycle in which it was sent.
#[derive(Default)]
struct Mailbox {
    to_north: Mutex<Option<(Batch, u64)>>,
    to_south: Mutex<Option<(Batch, u64)>>,
}

struct Shared {
    meeting: Barrier,
    /// The mailboxes by border (the one north of shard i is number i), then by turn.
    mail: Vec<[Mailbox; 2]>,
    /// The next cycle of each shard.
    next: Vec<AtomicU64>,
    done: Mutex<Vec<Done>>,
    has_done: AtomicBool,
    has_fault: AtomicBool,
    /// The next cycle, or [`STOP`].
    go: AtomicU64,
}

/// Runs up to `cycles` cycles; then all shards stand at the same cycle with nothing between them.
pub(crate) fn run<E: Element>(
    machine: &mut Machine<E>,
    limit: u64,
    cycles: u32,
    reached: &mut impl FnMut(&mut Vec<Done>) -> bool,
) -> Decision {
    let next = machine.shards.iter().map(Shard::next).min().unwrap_or(NEVER);
    let Decision::Go(first) = machine.decide(next, limit) else { return machine.decide(next, limit) };
    let mut shards = std::mem::take(&mut machine.shards);
    let shared = Shared::new(shards.len(), first);
    let decision = std::thread::scope(|scope| {
        let mut all = shards.iter_mut().enumerate();
        let leader = all.next();
        for (index, shard) in all {
            let shared = &shared;
            scope.spawn(move || {
                work(shard, index, limit, shared, || {});
            });
        }
        let mut decision = Decision::Look;
        let mut left = cycles;
        if let Some((index, shard)) = leader {
            work(shard, index, limit, &shared, || {
                left -= 1;
                decision = decide(machine, &shared, limit, left, reached);
                shared.go.store(if let Decision::Go(now) = decision { now } else { STOP }, Ordering::Release);
            });
        }
        decision
    });
    machine.shards = shards;
    decision
}

impl Shared {
    fn new(shards: usize, first: u64) -> Shared {
        Shared {
            meeting: Barrier::new(shards),
            mail: (0..=shards).map(|_| Default::default()).collect(),
            next: (0..shards).map(|_| AtomicU64::new(NEVER)).collect(),
            done: Mutex::default(),
            has_done: AtomicBool::new(false),
            has_fault: AtomicBool::new(false),
            go: AtomicU64::new(first),
        }
    }
}

/// Runs the cycles of one shard. `between` runs while all shards stand between the two meetings.
fn work<E: Element>(shard: &mut Shard<E>, index: usize, limit: u64, shared: &Shared, mut between: impl FnMut()) {
    let mut turn = 0;
    loop {
        let now = shared.go.load(Ordering::Acquire);
        fetch(shard, index, shared, turn);
        if now == STOP {
            return;
        }
        turn = 1 - turn;
        let mut border = Border::default();
        shard.step(now, limit, &mut border);
        let sends = post(border, index, shared, turn, now);
        let arrival = if sends { now + 1 } else { NEVER };
        shared.next[index].store(shard.next().min(arrival), Ordering::Relaxed);
        report(shard, shared);
        shared.meeting.wait();
        between();
        shared.meeting.wait();
    }
}

fn fetch<E: Element>(shard: &mut Shard<E>, index: usize, shared: &Shared, turn: usize) {
    let take = |mail: &Mutex<Option<(Batch, u64)>>| mail.lock().ok().and_then(|mut mail| mail.take());
    if let Some((batch, sent_at)) = take(&shared.mail[index][turn].to_south) {
        shard.receive(batch, Batch::default(), sent_at);
    }
    if let Some((batch, sent_at)) = take(&shared.mail[index + 1][turn].to_north) {
        shard.receive(Batch::default(), batch, sent_at);
    }
}

/// Posts the batches that leave a shard. Returns whether there are any.
fn post(border: Border, index: usize, shared: &Shared, turn: usize, now: u64) -> bool {
    let put = |mail: &Mutex<Option<(Batch, u64)>>, batch: Batch| {
        let any = !batch.is_empty();
        if let (true, Ok(mut mail)) = (any, mail.lock()) {
            *mail = Some((batch, now));
        }
        any
    };
    let north = put(&shared.mail[index][turn].to_north, border.north);
    let south = put(&shared.mail[index + 1][turn].to_south, border.south);
    north || south
}

fn report<E: Element>(shard: &mut Shard<E>, shared: &Shared) {
    if !shard.done.is_empty()
        && let Ok(mut done) = shared.done.lock()
    {
        done.append(&mut shard.done);
        shared.has_done.store(true, Ordering::Relaxed);
    }
    if shard.fault.is_some() {
        shared.has_fault.store(true, Ordering::Relaxed);
    }
}

/// The decision after a cycle; the leader asks while the others wait.
fn decide<E: Element>(
    machine: &mut Machine<E>,
    shared: &Shared,
    limit: u64,
    left: u32,
    reached: &mut impl FnMut(&mut Vec<Done>) -> bool,
) -> Decision {
    if shared.has_fault.load(Ordering::Relaxed) {
        return Decision::Fault;
    }
    if shared.has_done.swap(false, Ordering::Relaxed) {
        if let Ok(mut done) = shared.done.lock() {
            machine.done.append(&mut done);
        }
        if reached(&mut machine.done) {
            return Decision::Pause(Pause::Reached);
        }
    }
    if left == 0 {
        return Decision::Look;
    }
    let next = shared.next.iter().map(|next| next.load(Ordering::Relaxed)).min().unwrap_or(NEVER);
    machine.decide(next, limit)
}
