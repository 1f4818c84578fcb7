//! Random small programs: tasks, microthreads, blocking, fabric and memory operations, switches, routes that are
//! written at random while the program runs. The engine, on one thread and on two, agrees with the reference: the same
//! memory (with timestamps in it), the same landings, the same fault.
//!
//! `CSL_SIM_PROGRAMS` sets how many programs a test run makes, `CSL_SIM_FIRST` the number of the first.
//! With `CSL_SIM_THREADS=1` each program runs on 1, 2 and 4 threads.

use std::sync::Arc;

use csl_image::{Fifo, Image, PeImage, RouteRun, Task, TaskParam};
use csl_isa::dsd::{Dsd, DsdClass, fabric_flags};
use csl_isa::vec::{RegOrImm, VecArg, VecDesc};
use csl_isa::{Insn, NO_REG, Op};
use csl_machine::{
    Action, Arch, Color, Coord, FifoAction, FifoConfig, Priority, QueueDir, QueueId, Size, SwitchPos, SysOp, TaskId,
    TaskKind, TaskTarget, VecConfig, VecOp,
};

use crate::builder::*;
use crate::engines::{ALONE, Engine, EveryCycle, OnThreads};

/// The number of programs of a usual test run.
const PROGRAMS: u64 = 4_000;

/// Memory that operations of all threads use, the log, and all that is compared.
const POOL: u16 = 0x1000;
const COUNT: u16 = 0x2000;
const LOG: u16 = 0x2002;
pub const END: u16 = 0x2800;

const TASKS: std::ops::Range<u16> = 8..14;

/// A source of choices: bytes that are given, as long as there are some, then SplitMix64. The targets in `fuzz/` give bytes.
pub struct Dice {
    bytes: std::vec::IntoIter<u8>,
    state: u64,
}

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice { bytes: Vec::new().into_iter(), state: seed }
    }

    #[cfg_attr(test, expect(dead_code, reason = "of the targets in `fuzz/`, which share this file"))]
    pub fn of_bytes(bytes: Vec<u8>) -> Dice {
        Dice { bytes: bytes.into_iter(), state: 0 }
    }

    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.state ^ self.state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// A choice takes one byte where that is enough, else two.
    pub fn below(&mut self, n: u64) -> u64 {
        let choice = match self.bytes.next() {
            Some(low) if n > 256 => u64::from(low) | u64::from(self.bytes.next().unwrap_or(0)) << 8,
            Some(byte) => byte.into(),
            None => self.roll(),
        };
        choice % n
    }

    pub fn between(&mut self, low: u16, high: u16) -> u16 {
        low + self.below(u64::from(high - low) + 1) as u16
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// The way of a color from one tile to others.
struct Path {
    color: u8,
    words: u16,
    /// Whether some tile on the way has a switch.
    has_switch: bool,
}

/// The part of a tile in a color's path.
#[derive(Clone, Copy)]
struct End {
    color: u8,
    queue: u8,
    words: u16,
    control: bool,
}

#[derive(Default)]
struct Plan {
    sends: Vec<End>,
    receives: Vec<End>,
}

pub fn random_image(mut dice: Dice) -> Image {
    let arch = dice.pick(&[Arch::Wse2, Arch::Wse3]);
    let size = Size { width: dice.between(1, 4).into(), height: dice.between(1, 3).into() };
    let Size { width, height } = size;
    let mut plans: Vec<Plan> = (0..width * height).map(|_| Plan::default()).collect();
    let mut routes = Vec::new();
    let colors = dice.between(1, 6) as u8;
    for color in 2..2 + colors {
        lay(&mut dice, size, color, &mut plans, &mut routes);
    }
    let reroutes = dice.one_in(4);
    let programs = plans.iter().map(|plan| random_program(&mut dice, arch, plan, reroutes)).collect();
    let tiles: Vec<Vec<u32>> = (0..height).map(|y| (y * width..(y + 1) * width).collect()).collect();
    let tiles: Vec<&[u32]> = tiles.iter().map(Vec::as_slice).collect();
    let mut image = layout(arch, programs, &tiles, &[]);
    routes.sort_by_key(|(x, y, color, _)| (*y, *x, *color));
    for (x, y, color, config) in routes {
        image.routes.push(RouteRun { x, y, len: 1, color: Color::at(color), config: image.color_configs.len() as u32 });
        image.color_configs.push(config);
    }
    image
}

type Routes = Vec<(u32, u32, u8, csl_machine::ColorConfig)>;

/// A random walk from a random tile; tiles on the way may take passing wavelets, the last one does.
fn lay(dice: &mut Dice, size: Size, color: u8, plans: &mut [Plan], routes: &mut Routes) {
    let mut at = Coord { x: dice.below(size.width.into()) as u32, y: dice.below(size.height.into()) as u32 };
    let mut path = Path { color, words: dice.between(1, 40), has_switch: false };
    let source = at;
    if plans[size.number(at) as usize].sends.len() == 2 {
        return;
    }
    let mut visited = vec![at];
    let mut from = RAMP;
    for _ in 0..dice.between(0, 4) {
        let side = dice.pick(&[W, E, S, N]);
        let Some(next) = neighbour(at, side, size).filter(|next| !visited.contains(next)) else { break };
        let takes = dice.one_in(2) && from != RAMP;
        let switches = dice.one_in(4) && from != RAMP;
        let mut config = csl_machine::ColorConfig { rx: dirs(from), tx: dirs(side), ..Default::default() };
        if switches {
            config.positions[0] = SwitchPos::Tx(dirs(RAMP));
            config.ring_mode = dice.one_in(2);
        } else if takes {
            config.tx = dirs(side | RAMP);
        }
        path.has_switch |= switches;
        routes.push((at.x, at.y, color, config));
        if takes || switches {
            take(dice, &path, &mut plans[size.number(at) as usize]);
        }
        from = [(W, E), (E, W), (S, N), (N, S)].into_iter().find(|pair| pair.0 == side).map_or(RAMP, |pair| pair.1);
        at = next;
        visited.push(at);
    }
    routes.push((at.x, at.y, color, csl_machine::ColorConfig { rx: dirs(from), tx: dirs(RAMP), ..Default::default() }));
    take(dice, &path, &mut plans[size.number(at) as usize]);
    let sends = &mut plans[size.number(source) as usize].sends;
    let queue = 3 + sends.len() as u8;
    sends.push(End { color, queue, words: path.words, control: path.has_switch });
}

fn dirs(set: u8) -> csl_machine::DirSet {
    csl_machine::DirSet(set)
}

fn neighbour(Coord { x, y }: Coord, side: u8, size: Size) -> Option<Coord> {
    let at = match side {
        W => Coord { x: x.checked_sub(1)?, y },
        E => Coord { x: x + 1, y },
        S => Coord { x, y: y + 1 },
        _ => Coord { x, y: y.checked_sub(1)? },
    };
    size.contains(at).then_some(at)
}

fn take(dice: &mut Dice, path: &Path, plan: &mut Plan) {
    let queue = [2, 5, 6, 7].get(plan.receives.len()).copied();
    let words = if dice.one_in(8) { dice.between(1, 45) } else { path.words };
    if let Some(queue) = queue {
        plan.receives.push(End { color: path.color, queue, words, control: false });
    }
}

/// A program under construction.
struct Maker<'a> {
    dice: &'a mut Dice,
    pe: PeImage,
    sends: Vec<End>,
    receives: Vec<End>,
    fifo: bool,
    /// Whether the program writes routes, in the registers from this one on.
    reroutes: bool,
    color_routes: u16,
}

fn random_program(dice: &mut Dice, arch: Arch, plan: &Plan, reroutes: bool) -> PeImage {
    let mut pe = program(&[]);
    let bytes = (0..(COUNT - POOL)).map(|_| dice.roll() as u8).collect();
    pe.sections.push(csl_image::Section { addr: POOL, bytes });
    pe.data_end = END;
    for end in &plan.sends {
        bind(&mut pe, QueueDir::Out, end.queue, end.color);
    }
    for end in &plan.receives {
        bind(&mut pe, QueueDir::In, end.queue, end.color);
    }
    let fifo = dice.one_in(3);
    if fifo {
        let action = dice.pick(&[FifoAction::TestOrSuspend, FifoAction::Suspend]);
        pe.fifos.push(Fifo {
            addr: 0xa00,
            words: 2 * dice.between(2, 12),
            config: FifoConfig {
                elem_words: 2,
                empty_action: action,
                full_action: action,
                activate_push: None,
                activate_pop: None,
                priority: None,
                simd: None,
            },
        });
    }
    let mut maker = Maker {
        dice,
        pe,
        sends: plan.sends.clone(),
        receives: plan.receives.clone(),
        fifo,
        reroutes,
        color_routes: csl_machine::chip(arch).config.color_routes,
    };
    maker.data_tasks(arch);
    for id in TASKS {
        let code = maker.body(id);
        if id == 8 { main_task(&mut maker.pe, &code) } else { task(&mut maker.pe, id as u8, &code) }
    }
    maker.pe
}

pub fn imm(reg: u16, value: u16) -> Insn {
    Insn::new(Op::Imm, reg, value, 0)
}

pub fn sys(op: SysOp, args: u16, dst: u16) -> Insn {
    Insn::new(Op::Sys, op as u16, args, dst)
}

/// Appends a register to the log, which wraps.
pub fn log(reg: u16) -> [Insn; 5] {
    [
        Insn::new(Op::LoadU16At, 11, COUNT, 0),
        Insn::new(Op::Store16AtIdx, reg, LOG, 11),
        Insn::new(Op::AddU16Imm, 11, 11, 1),
        Insn::new(Op::AndImm, 11, 11, 0x3ff),
        Insn::new(Op::Store16At, 11, COUNT, 0),
    ]
}

impl Maker<'_> {
    /// Some colors are taken by data tasks.
    fn data_tasks(&mut self, arch: Arch) {
        let mut rest = Vec::new();
        for end in std::mem::take(&mut self.receives) {
            if !self.dice.one_in(3) {
                rest.push(end);
                continue;
            }
            let id = if arch == Arch::Wse2 { end.color } else { end.queue };
            let mut code = vec![Insn::new(Op::Charge, self.dice.between(0, 9), 0, 0)];
            code.extend(log(0));
            code.extend(self.time());
            let func = func(&mut self.pe, 1, &code);
            let params = vec![TaskParam { bits: 16, signed: false }];
            self.pe.tasks.push(Task { kind: TaskKind::Data, id: TaskId::at(id), func, params });
        }
        self.receives = rest;
    }

    fn time(&mut self) -> Vec<Insn> {
        let mut code = vec![imm(6, 0), sys(SysOp::TscWord, 6, 7)];
        code.extend(log(7));
        code
    }

    fn body(&mut self, id: u16) -> Vec<Insn> {
        let mut code = if id == 8 { vec![sys(SysOp::TscEnable, 0, NO_REG)] } else { self.time() };
        let most = if id == 8 { 10 } else { 6 };
        for _ in 0..self.dice.between(1, most) {
            let start = self.pe.code.len() + code.len();
            let more = self.statement(id, start as u16);
            code.extend(more);
        }
        if self.dice.one_in(2) {
            code.extend(self.time());
        }
        code
    }

    fn statement(&mut self, id: u16, start: u16) -> Vec<Insn> {
        if self.reroutes && self.dice.one_in(8) {
            return self.reroute();
        }
        match self.dice.below(16) {
            6 | 7 if id + 1 < TASKS.end => vec![imm(0, self.later(id)), sys(SysOp::ActivateTask, 0, NO_REG)],
            0 | 6 | 7 => vec![Insn::new(Op::Charge, self.dice.between(1, 40), 0, 0)],
            1..=3 => vec![self.memory_operation()],
            4 => self.time(),
            5 => self.look(),
            8 => self.block(id),
            9..=11 => self.receive(id),
            12 | 13 => self.send(id),
            14 => self.fifo(id),
            _ => self.repeat(start),
        }
    }

    /// Writes the route of a color, whether or not it has one, and reads the result.
    fn reroute(&mut self) -> Vec<Insn> {
        let register = self.color_routes + self.dice.between(2, 8);
        let inputs = self.dice.pick(&[W, E, S, N, RAMP, RAMP, RAMP | W, 0]);
        let outputs = self.dice.pick(&[W, E, S, N, RAMP, RAMP | E, S | E, 0]);
        let word = u16::from(inputs) << 5 | u16::from(outputs);
        let mut code = vec![imm(6, register), imm(7, word), sys(SysOp::SetConfig, 6, NO_REG)];
        code.push(sys(SysOp::GetConfig, 6, 5));
        code.extend(log(5));
        code
    }

    /// A task after this one, so that every program ends.
    fn later(&mut self, id: u16) -> u16 {
        self.dice.between(id.min(TASKS.end - 2) + 1, TASKS.end - 1)
    }

    fn pool(&mut self) -> u16 {
        POOL + 4 * self.dice.between(0, 0x100)
    }

    fn memory(&mut self, extent: u16) -> VecArg {
        let addr = self.pool();
        VecArg::DsdConst(Dsd::mem1d(addr, extent, self.dice.pick(&[1, 1, 1, 2, 0]), false).0)
    }

    fn vector(&mut self, op: VecOp, dest: VecArg, srcs: Vec<VecArg>, config: VecConfig<RegOrImm>) -> Insn {
        self.pe.vecs.push(VecDesc { op: op as u8, dest, srcs, config });
        Insn::new(Op::Vec, self.pe.vecs.len() as u16 - 1, NO_REG, 0)
    }

    fn memory_operation(&mut self) -> Insn {
        let high = self.dice.pick(&[8, 60, 300]);
        let extent = if self.dice.one_in(12) { 0 } else { self.dice.between(1, high) };
        let (dest, a, b) = (self.memory(extent), self.memory(extent), self.memory(extent));
        match self.dice.below(4) {
            0 => self.vector(VecOp::Mov16, dest, vec![a], VecConfig::default()),
            1 => self.vector(VecOp::Mov32, dest, vec![a], VecConfig::default()),
            2 => self.vector(VecOp::Add16, dest, vec![a, b], VecConfig::default()),
            _ => self.vector(VecOp::Fadds, dest, vec![a, b], VecConfig::default()),
        }
    }

    /// Reads a word that other threads may write.
    fn look(&mut self) -> Vec<Insn> {
        let mut code = vec![Insn::new(Op::LoadU16At, 4, self.pool(), 0)];
        code.extend(log(4));
        code
    }

    fn block(&mut self, id: u16) -> Vec<Insn> {
        let op = self.dice.pick(&[
            SysOp::BlockTask,
            SysOp::UnblockTask,
            SysOp::UnblockTask,
            SysOp::BlockUt,
            SysOp::UnblockUt,
            SysOp::UnblockUt,
        ]);
        let is_task = matches!(op, SysOp::BlockTask | SysOp::UnblockTask);
        let number = if is_task { self.later(id) } else { self.dice.between(2, 7) };
        vec![imm(0, number), sys(op, 0, NO_REG)]
    }

    /// A configuration for an operation that may be asynchronous.
    fn config(&mut self, id: u16, queue: u8) -> VecConfig<RegOrImm> {
        if self.dice.one_in(3) {
            return VecConfig::default();
        }
        let task = TaskTarget::LocalTask(RegOrImm::Imm(self.later(id)));
        let completion = self.dice.pick(&[Action::Nothing, Action::Activate(task), Action::Unblock(task)]);
        let priorities = [None, None, Some(Priority::Low), Some(Priority::Medium), Some(Priority::High)];
        // Now and then the microthread of another operation (WSE-3).
        let ut = if self.dice.one_in(6) { self.dice.between(2, 7) } else { queue.into() };
        let (priority, ut) = (self.dice.pick(&priorities), Some(RegOrImm::Imm(ut)));
        VecConfig { is_async: true, completion, priority, ut, ..VecConfig::default() }
    }

    fn receive(&mut self, id: u16) -> Vec<Insn> {
        let Some(end) = self.receives.pop() else { return Vec::new() };
        let source = fabin(end.color, end.queue, end.words);
        let config = self.config(id, end.queue);
        let operand = self.memory(end.words);
        if self.dice.one_in(3) {
            let dest = self.memory(end.words);
            return vec![self.vector(VecOp::Fadds, dest, vec![operand, source], config)];
        }
        if self.dice.one_in(3)
            && let Some(out) = self.sends.pop()
        {
            let dest = fabout(out.color, out.queue, end.words.min(out.words));
            return vec![self.vector(VecOp::Mov32, dest, vec![source], config)];
        }
        vec![self.vector(VecOp::Mov32, operand, vec![source], config)]
    }

    fn send(&mut self, id: u16) -> Vec<Insn> {
        let Some(end) = self.sends.pop() else { return Vec::new() };
        if end.control {
            return self.send_around_advances(end);
        }
        let config = self.config(id, end.queue);
        let mut part = |words: u16, config: VecConfig<RegOrImm>| {
            let source = self.memory(words);
            self.vector(VecOp::Mov32, fabout(end.color, end.queue, words), vec![source], config)
        };
        // In two parts by one queue, of which one may be empty: the second waits for the first.
        let first = if end.words % 4 == 3 { end.words / 8 * 3 } else { end.words };
        let parts = [first, end.words - first].into_iter().take(if first == end.words { 1 } else { 2 });
        parts.map(|words| part(words, config.clone())).collect()
    }

    /// Words, SWITCH_ADV for every router on the way that no CE sees, words.
    fn send_around_advances(&mut self, end: End) -> Vec<Insn> {
        let advance = VecArg::ScalarConst { value: 0x095F_9249, bits: 32 };
        let class = DsdClass::Fabout;
        let control =
            Dsd::fabric(class, Color::new(end.color), QueueId::new(end.queue), 1, fabric_flags::CONTROL, false);
        let mut code = Vec::new();
        for _ in 0..self.dice.between(1, 3) {
            let words = self.dice.between(1, 6);
            let source = self.memory(words);
            let dest = fabout(end.color, end.queue, words);
            code.push(self.vector(VecOp::Mov32, dest, vec![source], VecConfig::default()));
            code.push(self.vector(VecOp::Mov32, VecArg::DsdConst(control.0), vec![advance], VecConfig::default()));
        }
        code
    }

    fn fifo(&mut self, id: u16) -> Vec<Insn> {
        if !self.fifo {
            return Vec::new();
        }
        let words = self.dice.between(1, 30);
        let memory = self.memory(words);
        let (dest, source, ut) =
            if self.dice.one_in(2) { (VecArg::Fifo(0), memory, 0) } else { (memory, VecArg::Fifo(0), 1) };
        let config = self.config(id, ut);
        vec![self.vector(VecOp::Mov32, dest, vec![source], config)]
    }

    /// A loop in scalar code.
    fn repeat(&mut self, start: u16) -> Vec<Insn> {
        let (times, cost) = (self.dice.between(2, 9), self.dice.between(0, 12));
        vec![
            imm(2, 0),
            Insn::new(Op::AddU16Imm, 2, 2, 1),
            Insn::new(Op::Charge, cost, 0, 0),
            Insn::new(Op::Store16At, 2, self.pool(), 0),
            Insn::new(Op::BrLtUImm, 2, times, 0),
            Insn::new(Op::Ext, 3, 10, start + 1),
        ]
    }
}

pub fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn random_programs_run_as_on_the_reference() {
    let first = number("CSL_SIM_FIRST", 0);
    let (mut faults, mut landings, mut cycles) = (0, 0, 0);
    let count = number("CSL_SIM_PROGRAMS", PROGRAMS);
    for seed in first..first + count {
        let image = Arc::new(random_image(Dice::new(seed)));
        let expected = EveryCycle.run(&image, END, false);
        let windows = [OnThreads::windows(1, 5), OnThreads::windows(2, 2), OnThreads::windows(4, 3)];
        let engines = if seed % 16 == 0 || number("CSL_SIM_THREADS", 0) != 0 { &windows[..] } else { &windows[..1] };
        for engine in [ALONE].iter().chain(engines) {
            if let Some(difference) = engine.run(&image, END, false).difference(&expected) {
                let traced = engine.run(&image, END, true).difference(&EveryCycle.run(&image, END, true));
                panic!("program {seed} on {}: {difference}; traced: {traced:?}", engine.name());
            }
        }
        faults += u64::from(expected.fault.is_some());
        landings += expected.landings.1;
        cycles += expected.end;
    }
    println!("{count} programs, {faults} with a fault, {landings} landings, {cycles} cycles");
    assert!(faults < count / 2 + 1, "most programs are right");
}
