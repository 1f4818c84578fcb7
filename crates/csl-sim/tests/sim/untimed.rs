//! Random programs without races run to the same memory without a clock.
//!
//! A program counts as one without races where its memory is the same by the machine's own schedule and by several others
//! (delays and orders are drawn), and it comes to rest. The programs are those of `random.rs` and `saturate.rs` without
//! their look at the time.
//!
//! `CSL_SIM_UNTIMED` sets how many programs of each kind a test run makes, `CSL_SIM_FIRST` the number of the first.

use std::sync::Arc;

use csl_image::Image;
use csl_isa::Op;
use csl_machine::{Schedule, SysOp};
use csl_pe::Wrong;
use csl_sim::{Check, Ending, FaultKind, Group, Mistake, RunError, Sim, SimOptions};

use crate::engines::tiles;
use crate::reference::Reference;
use crate::random::{Dice, END, imm, number, random_image};
use crate::saturate::{dice, generate};

/// The number of programs of a usual test run, of each kind.
const PROGRAMS: u64 = 300;

/// Schedules by which a program is looked at for races.
const SCHEDULES: u64 = 8;

/// Schedules by which it is looked at where it ends otherwise without a clock.
const MORE: u64 = 60;

/// The cycles after which a program counts as endless: delays of schedules are long.
const MOST: u64 = 1_000_000;

/// The program with zeros in place of timestamps, and without memcpy: it runs to its end.
fn without_times(mut image: Image) -> Image {
    image.memcpy = None;
    for program in &mut image.programs {
        let program = Arc::make_mut(program);
        for insn in &mut program.code {
            if insn.op == Op::Sys && insn.a == SysOp::TscWord as u16 {
                *insn = imm(insn.c, 0);
            }
        }
    }
    image
}

#[derive(PartialEq)]
struct End {
    memory: Vec<Vec<u8>>,
    rests: bool,
    fault: Option<String>,
}

/// A run to its end, and whether checks have found a race.
fn run(image: &Arc<Image>, options: SimOptions) -> (End, Sim, bool) {
    let options = SimOptions { max_cycles: Some(MOST), ..options };
    let mut sim = Sim::new(Arc::clone(image), options).expect("the image is right");
    let (rests, fault) = match sim.stop() {
        Ok(ending) => (sim.is_at_rest() && ending != Ending::CutOff { after: 0 }, None),
        Err(RunError::OutOfCycles(_)) => (false, None),
        Err(RunError::Fault(fault)) => (true, Some(format!("{:?}", fault.of_pe().map(|fault| fault.kind)))),
        Err(stop) => panic!("{stop:?}"),
    };
    let memory = match fault {
        Some(_) => Vec::new(),
        None => tiles(image).map(|(x, y)| sim.read_memory(x, y, 0, END.into()).expect("a tile")).collect(),
    };
    let is_race = |group: &Group<Mistake>| {
        use Wrong::{Active, FifoEnd, StillRead, StillWritten};
        matches!(group.what.complaint.what, StillWritten { .. } | StillRead { .. } | Active { .. } | FifoEnd { .. })
    };
    let races = sim.mistakes().iter().any(is_race);
    (End { memory, rests, fault }, sim, races)
}

fn run_without_clock(image: &Arc<Image>, threads: usize) -> End {
    run(image, SimOptions { untimed: true, threads, ..SimOptions::default() }).0
}

/// The end by the machine's own schedule, where checks find no race, the program comes to rest and leaves no wavelets in
/// output queues or routers: then it may stand only because buffers are full.
fn own_end(image: &Arc<Image>) -> Option<End> {
    let (end, mut sim, races) = run(image, SimOptions { check: Check::On, ..SimOptions::default() });
    let state = sim.blocked_state();
    (end.rests && !races && state.outputs.is_empty() && state.wavelets.is_empty()).then_some(end)
}

/// Whether a race shows by another schedule, or where routers hold any number of wavelets: then the end follows from the
/// number that they hold, as from a delay.
fn races_by(schedule: u64, image: &Arc<Image>, own: &End) -> bool {
    let schedule = Schedule::new(schedule);
    let options = SimOptions { schedule: Some(schedule), check: Check::On, ..SimOptions::default() };
    let (end, _, races) = run(image, options);
    if races || end != *own {
        return true;
    }
    let mut unbounded = Reference::without_bounds(image, schedule);
    match unbounded.run(MOST) {
        Ok(()) if !unbounded.is_at_rest() => false,
        Ok(()) => tiles(image).zip(&own.memory).any(|(at, memory)| unbounded.memory(at, END) != *memory),
        Err(fault) => own.fault.is_none() || !matches!(fault.what, FaultKind::Pe(_)),
    }
}

fn compare(name: &str, make: impl Fn(u64) -> Image) {
    let first = number("CSL_SIM_FIRST", 0);
    let count = number("CSL_SIM_UNTIMED", PROGRAMS);
    let (mut free, mut late, mut faults, mut wrong) = (0, Vec::new(), 0, Vec::new());
    for seed in first..first + count {
        let image = Arc::new(without_times(make(seed)));
        let Some(own) = own_end(&image) else { continue };
        if (0..SCHEDULES).any(|schedule| races_by(schedule, &image, &own)) {
            continue;
        }
        let found = run_without_clock(&image, 1);
        if found == own {
            free += 1;
            faults += u64::from(own.fault.is_some());
        } else if let Some(schedule) = (SCHEDULES..MORE).find(|schedule| races_by(*schedule, &image, &own)) {
            late.push((seed, schedule));
        } else {
            let places = found.memory.iter().zip(&own.memory).enumerate();
            let first =
                places.filter_map(|(tile, (a, b))| Some((tile, (0..a.len()).find(|&at| a[at] != b[at])?))).next();
            wrong.push((seed, first, found.rests, found.fault, own.fault));
        }
    }
    println!("{count} {name} programs, {free} without races, {faults} of them with a fault; rare races, and the schedules that show them: {late:?}");
    assert!(
        wrong.is_empty(),
        "{} programs end otherwise without a clock: {:?}",
        wrong.len(),
        &wrong[..wrong.len().min(12)]
    );
    assert!(count < PROGRAMS || free > count / 50, "some programs have no race");
}

#[test]
fn random_programs_without_races_run_alike_without_a_clock() {
    compare("random", |seed| random_image(Dice::new(seed)));
}

#[test]
fn saturating_programs_without_races_run_alike_without_a_clock() {
    compare("saturating", |seed| generate(dice(seed)).0);
}

#[test]
#[ignore]
fn dump() {
    let seed = number("CSL_SIM_FIRST", 0);
    let image = match std::env::var("CSL_SIM_KIND").as_deref() {
        Ok("random") => random_image(Dice::new(seed)),
        _ => generate(dice(seed)).0,
    };
    let image = Arc::new(without_times(image));
    let (own, other) = (run(&image, SimOptions::default()).0, run_without_clock(&image, 1));
    println!("{:?}", image.arch);
    if let Ok(tile) = std::env::var("CSL_SIM_TILE") {
        let tile: usize = tile.parse().unwrap();
        let log = |end: &End| end.memory[tile][0x2000..0x2040].chunks(2).map(|w| u16::from_le_bytes([w[0], w[1]])).collect::<Vec<_>>();
        println!("own {:?}", log(&own));
        println!("unt {:?}", log(&other));
        for schedule in 0..40 {
            println!("{schedule} {:?}", log(&run(&image, SimOptions { schedule: Some(Schedule::new(schedule)), ..SimOptions::default() }).0));
        }
        return;
    }
    for (tile, (x, y)) in tiles(&image).enumerate() {
        let (a, b) = (&own.memory[tile], &other.memory[tile]);
        let diffs: Vec<_> = (0..a.len()).filter(|&at| a[at] != b[at]).map(|at| (at, a[at], b[at])).collect();
        println!("tile {tile} ({x},{y}): {} differ {:?}", diffs.len(), &diffs[..diffs.len().min(40)]);
    }
    for route in &image.routes {
        println!("route ({}, {}) {:?} {:?}", route.x, route.y, route.color, image.color_configs[route.config as usize]);
    }
    for (n, p) in image.programs.iter().enumerate() {
        println!("PROGRAM {n}");
        for q in &p.queues { println!("  queue {q:?}"); }
        for q in &p.tasks { println!("  task {q:?}"); }
        for q in &p.startup { println!("  startup {q:?}"); }
        for (i, q) in p.funcs.iter().enumerate() { println!("  func {i} {q:?}"); }
        for q in &p.fifos { println!("  fifo {q:?}"); }
        for (i, q) in p.code.iter().enumerate() {
            println!("  {i}: {q:?}");
            if q.op == Op::Vec {
                let v = &p.vecs[q.a as usize];
                println!("      {:?} dest {} srcs {:?} {:?}", csl_machine::VecOp::ALL[v.op as usize], show(&v.dest), v.srcs.iter().map(show).collect::<Vec<_>>(), v.config);
            }
        }
    }
}

fn show(arg: &csl_isa::vec::VecArg) -> String {
    match arg {
        csl_isa::vec::VecArg::DsdConst(word) => match word >> 48 & 15 {
            0 => format!("mem {} x{} step {}", word & 0xffff, word >> 16 & 0xffff, (word >> 32) as i16),
            c => format!("{} color {} queue {} x{} flags {:x}", if c == 2 { "in" } else { "out" }, word & 0xff, word >> 8 & 0xff, word >> 16 & 0xffff, word >> 32 & 0xffff),
        },
        other => format!("{other:?}"),
    }
}
