//! Tasks: the bound, active and blocked ones, and the choice of the next to run (docs/decisions/machine.md M12 to M16).

use csl_image::{PeImage, Task, TaskParam};
use csl_machine::{Arch, Draws, QueueDir, Startup, TaskId, TaskKind, TaskTarget, Wavelet};
use csl_num::LowBits;

use super::unbound::UnboundActivation;
use crate::fault::FaultKind;
use crate::ports::{InputSlot, Ports};
use crate::queues::InQueue;
use crate::scalar;

/// Positions in the picker's ring: local tasks by id, then input slots, then memcpy's calls.
const FIRST_SLOT: u8 = 32;
const CALLS: u8 = 64;
const RING: u8 = 65;

/// State of the task table. One bit an id.
#[derive(Clone, Debug)]
pub(crate) struct Tasks {
    arch: Arch,
    active: u32,
    /// Local ids that a function is bound to, those that have run, and those that were activated while they were active.
    bound: u32,
    ran: u32,
    met_active: u32,
    /// Activations of ids that nothing is bound to, the first of each.
    pub unbound: Vec<UnboundActivation>,
    local_blocked: u32,
    control_blocked: u64,
    /// The blocked channels: colors on WSE-2, input queues on WSE-3.
    channel_blocked: u32,
    /// Channels with a data task.
    data_bound: u32,
    /// Local tasks, and below channels, whose tasks go before all others (`<tile_config>`'s `task_priority`).
    pub local_priority: u32,
    pub channel_priority: u32,
    /// The start of each input queue's control task table in the common one (WSE-3).
    control_base: [u8; 8],
    /// Input queues of messages, whose last wavelet starts no task (guide, `<message_passing>`).
    message_queues: u32,
    /// The position in the ring after the task that ran last.
    next: u8,
}

/// The choice of the picker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    Local(TaskId),
    /// The wavelet at the head of an input slot, for the data task of its channel.
    Data {
        slot: InputSlot,
        channel: TaskId,
        wavelet: Wavelet,
    },
    /// A control wavelet and its entry point.
    Control {
        slot: InputSlot,
        entry: TaskId,
        wavelet: Wavelet,
    },
    /// A control wavelet that names no task.
    Ignored {
        slot: InputSlot,
    },
    Call,
}

impl Tasks {
    pub fn new(arch: Arch, program: &PeImage) -> Tasks {
        let of_kind = |kind| program.tasks.iter().filter(move |task| task.kind == kind);
        let data_bound = of_kind(TaskKind::Data).fold(0, |mask, task| mask | task.id.bit());
        let data_bound = program.rpc.iter().fold(data_bound, |mask, rpc| mask | rpc.task_id.bit());
        let local_bound = of_kind(TaskKind::Local).fold(0, |mask, task| mask | task.id.bit());
        // On WSE-2 a color and the local task of its number start in the same state: spmv-hypersparse sends control
        // wavelets on a color that it never unblocks, and binds a local task to the number. (WSE-3 keeps the numbers
        // apart.)
        let unblocked = data_bound | if arch == Arch::Wse2 { local_bound } else { 0 };
        Tasks {
            arch,
            active: 0,
            bound: bound_ids(program),
            ran: 0,
            met_active: 0,
            unbound: Vec::new(),
            local_blocked: 0,
            control_blocked: 0,
            channel_blocked: if program.dialect.blocks_unbound_channels { !unblocked } else { 0 },
            data_bound,
            local_priority: 0,
            channel_priority: 0,
            control_base: control_bases(program),
            message_queues: message_queues(program),
            next: 0,
        }
    }

    /// Carries out the actions before the first cycle, in source order.
    pub fn start_up(&mut self, program: &PeImage) -> Result<(), FaultKind> {
        for &startup in &program.startup {
            match startup {
                Startup::Activate(target) => self.activate(target, None)?,
                Startup::Block(target) => self.set_blocked(target, true),
                Startup::Unblock(target) => self.set_blocked(target, false),
            }
        }
        Ok(())
    }

    pub fn activate(&mut self, target: TaskTarget, pc: Option<u32>) -> Result<(), FaultKind> {
        self.activate_local(u16::from(*target.id()), pc)
    }

    /// Activates a local task by instruction `pc`.
    pub fn activate_local(&mut self, id: u16, pc: Option<u32>) -> Result<(), FaultKind> {
        if id >= 32 {
            return Err(FaultKind::NoSuchTask { id });
        }
        let (id, bit) = (TaskId::clamped(id.into()), 1 << id);
        if self.bound & bit == 0 && id != self.arch.chip().tasks.teardown {
            self.note_unbound(id, pc);
            return Ok(());
        }
        self.met_active |= self.active & bit;
        self.active |= bit;
        Ok(())
    }

    #[cold]
    fn note_unbound(&mut self, id: TaskId, pc: Option<u32>) {
        if self.unbound.iter().all(|known| known.id != id) {
            self.unbound.push(UnboundActivation { id, pc });
        }
    }

    /// Activates the local tasks of a mask: those of FIFOs, or that of teardown.
    pub fn activate_mask(&mut self, mask: u32) {
        if mask & !self.bound == 0 { self.active |= mask } else { self.activate_bound(mask) }
    }

    #[cold]
    fn activate_bound(&mut self, mask: u32) {
        let known = self.bound | self.arch.chip().tasks.teardown.bit();
        self.active |= mask & known;
        let unbound = (0..u32::BITS).filter(|id| mask & !known & 1 << id != 0);
        unbound.for_each(|id| self.note_unbound(TaskId::clamped(id.into()), None));
    }

    pub fn set_blocked(&mut self, target: TaskTarget, blocked: bool) {
        match target {
            TaskTarget::LocalTask(id) => set32(&mut self.local_blocked, id, blocked),
            TaskTarget::ControlTask(id) => set64(&mut self.control_blocked, id, blocked),
            // A color that no input queue takes: nothing of it comes here.
            TaskTarget::Color(_) if self.arch == Arch::Wse3 => {}
            TaskTarget::DataTask(id) | TaskTarget::Color(id) | TaskTarget::InputQueue(id) => {
                set32(&mut self.channel_blocked, id, blocked)
            }
        }
    }

    /// The target of `@block(id)` with a number that may be any kind of task: WSE-3 counts input queues below its local
    /// tasks; on WSE-2 a number that is bound to a data task only means its color.
    pub fn task_of_id(&self, program: &PeImage, id: u16) -> TaskTarget {
        let number = TaskId::clamped(id.into());
        let bound = |kind| find(program, kind, number).is_some();
        let first_local = u16::from(self.arch.chip().tasks.first_local);
        if id < first_local || (!bound(TaskKind::Local) && bound(TaskKind::Data)) {
            TaskTarget::DataTask(number)
        } else if id < 32 && (bound(TaskKind::Local) || !bound(TaskKind::Control)) {
            TaskTarget::LocalTask(number)
        } else {
            TaskTarget::ControlTask(number)
        }
    }

    /// Whether a local task is ready.
    pub fn has_ready_local(&self) -> bool {
        self.active & !self.local_blocked != 0
    }

    /// Picks the task that runs next: one position of the ring after another, starting after the one that ran last, so
    /// that no ready task waits for more than one run of each other. (The order is not public: a choice.) `busy` are
    /// input slots whose wavelets a running operation takes.
    #[inline]
    pub fn pick(&self, ports: &Ports, busy: u32, call: bool) -> Option<Pick> {
        let ready = self.active & !self.local_blocked;
        let slots = ports.filled() & !busy;
        let places = u64::from(ready) | u64::from(slots) << FIRST_SLOT;
        if places == 0 { call.then_some(Pick::Call) } else { self.pick_of(ports, places, slots, call) }
    }

    /// Picks of these positions of the ring, with those of the input `slots`, and memcpy's call.
    fn pick_of(&self, ports: &Ports, places: u64, slots: u32, call: bool) -> Option<Pick> {
        let has_levels = self.local_priority | self.channel_priority != 0;
        let first = if has_levels { self.in_turn(ports, places & self.high_places(ports, slots), false) } else { None };
        first.or_else(|| self.in_turn(ports, places, call))
    }

    /// The first of these positions, from the ring's place on and around, that starts a task; memcpy's call has the last
    /// position of the ring.
    #[inline]
    fn in_turn(&self, ports: &Ports, places: u64, call: bool) -> Option<Pick> {
        let behind = u64::MAX.checked_shl(u32::from(self.next)).unwrap_or(0);
        let first = self.first_of(ports, places & behind).or_else(|| call.then_some(Pick::Call));
        first.or_else(|| self.first_of(ports, places & !behind))
    }

    /// The lowest of these positions that starts a task.
    #[inline]
    fn first_of(&self, ports: &Ports, mut places: u64) -> Option<Pick> {
        while places != 0 {
            let place = places.trailing_zeros().low8();
            let pick = match place.checked_sub(FIRST_SLOT) {
                Some(slot) => InputSlot::new(slot).and_then(|slot| self.slot(ports, slot)),
                None => TaskId::new(place).map(Pick::Local),
            };
            if pick.is_some() {
                return pick;
            }
            places &= places - 1;
        }
        None
    }

    /// The positions of the tasks that go before all others; `slots` are the input slots to look at.
    #[cold]
    fn high_places(&self, ports: &Ports, slots: u32) -> u64 {
        let is_high = |input: &InQueue| self.channel(input).is_some_and(|id| self.channel_priority & id.bit() != 0);
        let inputs = (0..u32::BITS).zip(&ports.inputs).filter(|(slot, input)| slots >> slot & 1 != 0 && is_high(input));
        inputs.fold(self.local_priority.into(), |places, (slot, _)| places | 1 << (u32::from(FIRST_SLOT) + slot))
    }

    /// The data task of an input slot's channel.
    pub fn channel(&self, input: &InQueue) -> Option<TaskId> {
        if self.arch == Arch::Wse2 { Some(input.color.into()) } else { input.queue.map(TaskId::from) }
    }

    /// The task that the head of an input slot starts.
    fn slot(&self, ports: &Ports, slot: InputSlot) -> Option<Pick> {
        let input = ports.inputs.get(slot.index())?;
        let wavelet = input.front()?;
        let channel = self.channel(input)?;
        if self.is_channel_blocked(channel) {
            return None;
        }
        if wavelet.control && self.message_queues & channel.bit() != 0 {
            return Some(Pick::Ignored { slot });
        }
        if wavelet.control {
            return self.control(slot, channel, wavelet);
        }
        (self.data_bound & channel.bit() != 0).then_some(Pick::Data { slot, channel, wavelet })
    }

    fn control(&self, slot: InputSlot, channel: TaskId, wavelet: Wavelet) -> Option<Pick> {
        let Some(entry) = self.entry(channel, wavelet) else { return Some(Pick::Ignored { slot }) };
        (!self.is_control_blocked(entry)).then_some(Pick::Control { slot, entry, wavelet })
    }

    /// The control task that a control wavelet of a channel names; `None` where it names none.
    pub fn entry(&self, channel: TaskId, wavelet: Wavelet) -> Option<TaskId> {
        let entry = wavelet.entry();
        let base = self.control_base.get(channel.index()).unwrap_or(&0);
        (entry != self.arch.chip().tasks.no_entrypoint).then(|| TaskId::at(entry.number() + base))
    }

    pub fn is_control_blocked(&self, entry: TaskId) -> bool {
        self.control_blocked.checked_shr(u32::from(entry)).unwrap_or(0) & 1 == 1
    }

    /// Notes that the picked task starts: its activation is used up, and the ring moves on.
    pub fn started(&mut self, pick: Pick) {
        let place = match pick {
            Pick::Local(id) => id.number(),
            Pick::Data { slot, .. } | Pick::Control { slot, .. } | Pick::Ignored { slot } => FIRST_SLOT + slot.number(),
            Pick::Call => CALLS,
        };
        if let Pick::Local(id) = pick {
            self.active &= !id.bit();
            self.ran |= id.bit();
        }
        self.next = (place + 1) % RING;
    }

    /// Lets the ring go on at one of the tasks that are ready, each of them as likely.
    #[cold]
    pub fn turn_to_any(&mut self, ports: &Ports, busy: u32, call: bool, draws: &mut Draws) {
        let ready = self.active & !self.local_blocked;
        let mut places = u64::from(ready) | u64::from(ports.filled() & !busy) << FIRST_SLOT;
        for _ in 0..draws.next_below(places.count_ones().low8() + u8::from(call)) {
            places &= places.wrapping_sub(1);
        }
        self.next = places.trailing_zeros().low8();
    }

    pub fn is_channel_blocked(&self, channel: TaskId) -> bool {
        self.channel_blocked & channel.bit() != 0
    }

    /// Local tasks that are active and blocked.
    pub fn active_and_blocked(&self) -> u32 {
        self.active & self.local_blocked
    }

    pub fn active(&self) -> u32 {
        self.active
    }

    /// Local ids that a function is bound to, and that have never run.
    pub fn never_run(&self) -> u32 {
        self.bound & !self.ran
    }

    /// Local tasks that were activated while they were active, so that they ran once for both.
    pub fn met_active(&self) -> u32 {
        self.met_active
    }

    pub fn blocked_channels(&self) -> u32 {
        self.channel_blocked
    }
}

fn control_bases(program: &PeImage) -> [u8; 8] {
    let mut bases = [0; 8];
    for queue in program.queues.iter().filter(|queue| queue.dir == QueueDir::In) {
        if let Some(base) = bases.get_mut(queue.id.index()) {
            *base = queue.control_base;
        }
    }
    bases
}

fn message_queues(program: &PeImage) -> u32 {
    let carries = |color| program.colors.iter().any(|(own, config)| *own == color && config.messages.is_some());
    let inputs = program.queues.iter().filter(|queue| queue.dir == QueueDir::In && queue.color.is_some_and(carries));
    inputs.fold(0, |mask, queue| mask | TaskId::from(queue.id).bit())
}

/// Ids below 32 with a local task ([`find_in_table`]).
fn bound_ids(program: &PeImage) -> u32 {
    let kinds = std::iter::once(TaskKind::Local).chain(others(program, TaskKind::Local).iter().copied());
    let of_table = program.tasks.iter().filter(|task| kinds.clone().any(|kind| kind == task.kind));
    of_table.fold(0, |mask, task| mask | task.id.bit())
}

/// The task bound to a number.
pub(crate) fn find(program: &PeImage, kind: TaskKind, id: TaskId) -> Option<&Task> {
    program.tasks.iter().find(|task| task.kind == kind && task.id == id)
}

/// The task that an activation of a local id, or a control wavelet's entry point, starts. One table serves both unless
/// the program separates them (WSE-3). Data tasks are in it too, by color or input queue: a control wavelet starts one
/// in topic-05-switches of 1.0, an activation in the FFT of 0.9.
pub(crate) fn find_in_table(program: &PeImage, kind: TaskKind, id: TaskId) -> Option<&Task> {
    find(program, kind, id).or_else(|| others(program, kind).iter().find_map(|&other| find(program, other, id)))
}

/// The other kinds of task in the table of a kind.
fn others(program: &PeImage, kind: TaskKind) -> &'static [TaskKind] {
    match kind {
        _ if program.separate_control_table => &[],
        TaskKind::Control => &[TaskKind::Local, TaskKind::Data],
        _ => &[TaskKind::Control, TaskKind::Data],
    }
}

/// The arguments of a task: a wavelet's bits from the lowest on, in canonical form.
pub(crate) fn arguments(task: &Task, data: u32) -> ([u64; 4], usize) {
    let mut args = [0; 4];
    let mut shift = 0;
    let count = task.params.len().min(args.len());
    for (arg, param) in args.iter_mut().zip(&task.params) {
        *arg = canonical(*param, u64::from(data).checked_shr(shift).unwrap_or(0));
        shift += if param.bits <= 16 { 16 } else { 32 };
    }
    (args, count)
}

/// The low bits of `raw` as a register holds them.
pub(crate) fn canonical(param: TaskParam, raw: u64) -> u64 {
    scalar::canonical(raw, u32::from(param.bits), param.signed)
}

fn set32(mask: &mut u32, id: TaskId, value: bool) {
    *mask = if value { *mask | id.bit() } else { *mask & !id.bit() };
}

fn set64(mask: &mut u64, id: TaskId, value: bool) {
    let bit = 1u64.checked_shl(u32::from(id)).unwrap_or(0);
    *mask = if value { *mask | bit } else { *mask & !bit };
}
