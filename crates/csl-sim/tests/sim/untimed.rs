//! Random programs without races run to the same memory without a clock.
//!
//! A program counts as one without races where it comes to rest with the same memory by the machine's own schedule and by
//! several others (delays and orders are drawn), with routers that hold as many wavelets as they know and with routers
//! that hold any number, and where checks find no race in any of these runs. The programs are those of `random.rs` and
//! `saturate.rs` without their look at the time.
//!
//! `CSL_SIM_UNTIMED` sets how many programs of each kind a test run makes, `CSL_SIM_FIRST` the number of the first,
//! `CSL_SIM_SCHEDULES` how many schedules look for the race of a program that ends otherwise.

use std::sync::Arc;

use csl_image::Image;
use csl_isa::Op;
use csl_machine::{Schedule, SysOp};
use csl_pe::Wrong;
use csl_sim::{Check, Ending, FaultKind, Group, Mistake, RunError, Sim, SimOptions, TimeReads};

use crate::engines::tiles;
use crate::random::{Dice, END, imm, number, random_image};
use crate::reference::Reference;
use crate::saturate::{dice, generate};

/// The number of programs of a usual test run, of each kind.
const PROGRAMS: u64 = 300;

/// Schedules by which a program is looked at for races.
const SCHEDULES: u64 = 8;

/// Schedules by which it is looked at where it ends otherwise without a clock.
const MORE: u64 = 1000;

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
    run(image, SimOptions { untimed: Some(TimeReads::Refused), threads, ..SimOptions::default() }).0
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
    let schedules = number("CSL_SIM_SCHEDULES", MORE);
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
        } else if let Some(schedule) = (SCHEDULES..schedules).find(|schedule| races_by(*schedule, &image, &own)) {
            late.push((seed, schedule));
        } else {
            let places = found.memory.iter().zip(&own.memory).enumerate();
            let first =
                places.filter_map(|(tile, (a, b))| Some((tile, (0..a.len()).find(|&at| a[at] != b[at])?))).next();
            wrong.push((seed, first, found.rests, found.fault, own.fault));
        }
    }
    println!(
        "{count} {name} programs, {free} without races, {faults} of them with a fault; rare races, and the schedules that show them: {late:?}"
    );
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
