//! Saturating programs with the host's requests in between: copies to and from memory that the streams use, launches. The
//! reference has no memcpy, so runs of the engine are compared with each other: on several threads, and traced, which
//! takes other paths through a PE (it runs ahead by a few cycles only).

use std::sync::Arc;

use csl_fabric::TraceEvent;
use csl_image::{Image, PeImage};
use csl_machine::SysOp;
use csl_sim::{
    Command, Copy, Endpoint, EventKind, FaultReport, Rect, RunError, Sim, SimOptions, Spread, Tiles, Traces,
};

use crate::builder::*;
use crate::random::{Dice, imm, log, number, sys};
use crate::saturate::{END, POOL, dice, generate};

const PROGRAMS: u64 = 60;

/// The results of the requests, in order, then all that can be seen at the end.
#[derive(PartialEq)]
struct Seen {
    answers: Vec<Answer>,
    fault: Option<FaultReport>,
    landings: (u64, u64),
    cycle: u64,
    memory: Vec<Vec<u8>>,
}

#[derive(Debug, PartialEq)]
enum Answer {
    /// The cycle at which a request was done, and its data.
    Done(u64, Option<Vec<u32>>),
    Deadlock(u64),
}

/// The program with its pool exported as `data`, and with a function that the host can launch.
fn with_exports(mut image: Image) -> Image {
    for program in &mut image.programs {
        let mut pe = PeImage::clone(program);
        pe.sections[0].bytes = POOL.to_le_bytes().to_vec();
        let mut code = vec![imm(6, 0), sys(SysOp::TscWord, 6, 7)];
        code.extend(log(7));
        code.push(unblock_cmd_stream());
        export(&mut pe, 1, &code);
        *program = Arc::new(pe);
    }
    image
}

fn request(dice: &mut Dice, (width, height): (u32, u32)) -> Command {
    let (x, y) = (dice.below(width.into()) as u32, dice.below(height.into()) as u32);
    let rect = Rect::new(x, y, 1 + dice.below((width - x).into()) as u32, 1 + dice.below((height - y).into()) as u32);
    let copy = Copy::of(rect, dice.between(1, 60).into());
    let words = rect.len() * copy.per_pe as usize;
    match dice.below(5) {
        0 => Command::Launch { function: FUNC_ID, args: vec![7] },
        1 | 2 => Command::D2h { from: Endpoint::Symbol(DATA_ID), copy, room: words },
        _ => {
            let array = (0..words).map(|_| dice.below(1 << 32) as u32).collect();
            Command::H2d { to: Endpoint::Symbol(DATA_ID), copy, spread: Spread::Each, array }
        }
    }
}

fn run(seed: u64, image: &Arc<Image>, threads: usize, is_traced: bool) -> (Seen, Vec<TraceEvent>) {
    let instructions = if is_traced { Tiles::All } else { Tiles::None };
    let traces = Traces { fabric: is_traced, instructions };
    let mut sim =
        Sim::new(Arc::clone(image), SimOptions { threads, force_threads: true, traces, ..SimOptions::default() })
            .expect("the image is right");
    let mut dice = Dice::new(seed);
    let mut answers = Vec::new();
    let mut pending = Vec::new();
    let mut fault = None;
    let size = (image.rect.width, image.rect.height);
    'requests: for _ in 0..dice.between(2, 7) {
        pending.push(sim.submit(request(&mut dice, size)).expect("a right command"));
        if dice.one_in(3) {
            continue;
        }
        for ticket in pending.drain(..) {
            match sim.wait(ticket) {
                Ok(words) => answers.push(Answer::Done(sim.cycle(), words)),
                Err(RunError::Deadlock(_)) => {
                    answers.push(Answer::Deadlock(sim.cycle()));
                    break 'requests;
                }
                Err(RunError::Fault(report)) => {
                    fault = Some(*report);
                    break 'requests;
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    let is_stuck = fault.is_some() || matches!(answers.last(), Some(Answer::Deadlock(_)));
    if !is_stuck {
        match sim.stop() {
            Ok(_) => {}
            Err(RunError::Deadlock(_)) => answers.push(Answer::Deadlock(sim.cycle())),
            Err(RunError::Fault(report)) => fault = Some(*report),
            Err(other) => panic!("{other:?}"),
        }
    }
    let tiles = (0..size.0 * size.1).map(|i| (i % size.0, i / size.0));
    let memory = tiles.map(|(x, y)| sim.read_memory(x, y, 0, END.into()).expect("a tile")).collect();
    let event = |event: csl_sim::Event| match event.what {
        EventKind::Fabric { color, what } => {
            Some(TraceEvent { cycle: event.cycle, x: event.x, y: event.y, color, what })
        }
        _ => None,
    };
    let trace = sim.take_events().into_iter().filter_map(event).collect();
    (Seen { answers, fault, landings: sim.landings(), cycle: sim.cycle(), memory }, trace)
}

#[test]
fn saturating_programs_with_requests_run_alike_on_threads_and_traced() {
    let first = number("CSL_SIM_FIRST", 0);
    let (mut done, mut deadlocks) = (0, 0);
    for seed in first..first + number("CSL_SIM_REQUESTS", PROGRAMS) {
        let image = Arc::new(with_exports(generate(dice(seed)).0));
        let (expected, _) = run(seed, &image, 1, false);
        let mut traces = Vec::new();
        for (threads, is_traced) in [(2, false), (4, false), (1, true), (2, true)] {
            let (found, trace) = run(seed, &image, threads, is_traced);
            traces.extend(is_traced.then_some(trace));
            let what = format!("program {seed}, {threads} threads, traced: {is_traced}");
            assert_eq!(found.answers, expected.answers, "{what}");
            assert_eq!(found.fault, expected.fault, "{what}");
            if found.fault.is_none() {
                assert_eq!((found.landings, found.cycle), (expected.landings, expected.cycle), "{what}");
                assert!(found.memory == expected.memory, "{what}: memory");
            }
        }
        assert!(expected.fault.is_some() || traces[0] == traces[1], "program {seed}: traces");
        let is_done = |answer: &&Answer| matches!(answer, Answer::Done(..));
        let count = expected.answers.iter().filter(is_done).count();
        done += count;
        deadlocks += expected.answers.len() - count;
    }
    println!("{done} requests done, {deadlocks} deadlocks");
    assert!(done > deadlocks, "most requests are done");
}
