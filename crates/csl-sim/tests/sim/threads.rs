//! The number of threads changes nothing, nor does it whether rows run several cycles at a time.

use std::sync::Arc;

use csl_image::{Image, PeImage};
use csl_machine::{Arch, DirSet, QueueDir, VecOp};
use csl_sim::{Command, Copy, Endpoint, Rect, RunError, Sim, SimOptions, Spread, TimeReads, Windows};

use crate::builder::*;

/// A width with enough busy tiles for threads to be worth it.
const WIDTH: u32 = 40;
const HEIGHT: u32 = 26;
const WORDS: u16 = 150;

/// The color on which row `y` sends south, and column `x` east.
fn south(y: u32) -> u8 {
    2 + (y % 2) as u8
}

fn east(x: u32) -> u8 {
    4 + (x % 2) as u8
}

/// Sends its words south and east, and takes words from north and west.
fn exchanger(x: u32, y: u32) -> PeImage {
    let mut pe = program(&(0..WORDS.into()).map(|i| i + 1000 * x + 50_000 * y).collect::<Vec<u32>>());
    let mut code = Vec::new();
    bind(&mut pe, QueueDir::Out, 2, south(y));
    bind(&mut pe, QueueDir::Out, 3, east(x));
    bind(&mut pe, QueueDir::In, 4, south(y + 1));
    bind(&mut pe, QueueDir::In, 5, east(x + 1));
    if y > 0 {
        code.push(vec_async(&mut pe, VecOp::Mov32, mem(0x4000, WORDS), fabin(south(y + 1), 4, WORDS), 9));
    }
    if x > 0 {
        code.push(vec_async(&mut pe, VecOp::Mov32, mem(0x6000, WORDS), fabin(east(x + 1), 5, WORDS), 9));
    }
    if y + 1 < HEIGHT {
        code.push(vec_async(&mut pe, VecOp::Mov32, fabout(south(y), 2, WORDS), mem(DATA, WORDS), 9));
    }
    if x + 1 < WIDTH {
        code.push(vec_async(&mut pe, VecOp::Mov32, fabout(east(x), 3, WORDS), mem(DATA, WORDS), 9));
    }
    main_task(&mut pe, &code);
    task(&mut pe, 9, &[]);
    pe
}

fn image(arch: Arch) -> Image {
    let mut programs = Vec::new();
    let mut routes = Vec::new();
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            programs.push(exchanger(x, y));
            routes.push((x, y, south(y), RAMP, S));
            routes.push((x, y, south(y + 1), N, RAMP));
            routes.push((x, y, east(x), RAMP, E));
            routes.push((x, y, east(x + 1), W, RAMP));
        }
    }
    let tiles: Vec<Vec<u32>> = (0..HEIGHT).map(|y| (y * WIDTH..(y + 1) * WIDTH).collect()).collect();
    let tiles: Vec<&[u32]> = tiles.iter().map(Vec::as_slice).collect();
    layout(arch, programs, &tiles, &routes)
}

#[test]
fn any_number_of_threads_gives_the_same_run() {
    for arch in [Arch::Wse2, Arch::Wse3] {
        let run = |threads: usize, windows: Windows| {
            let mut sim = threaded(image(arch), threads, windows);
            let rect = Rect::new(0, 0, WIDTH, HEIGHT);
            let (from, copy) = (Endpoint::Symbol(DATA_ID), Copy::of(rect, 1));
            let ticket = sim.submit(Command::D2h { from, copy, room: rect.len() }).expect("a right command");
            let words = sim.wait(ticket).expect("it finishes").expect("data");
            sim.stop().expect("no fault");
            let last = sim.read_memory(WIDTH - 1, HEIGHT - 1, 0x4000 + 4 * WORDS - 4, 4).expect("there is a PE");
            (words, last, sim.cycle(), sim.landings())
        };
        let one = run(1, Windows::Always { cycles: 1 });
        let sent = u64::from(WIDTH * (HEIGHT - 1) + (WIDTH - 1) * HEIGHT) * u64::from(WORDS);
        assert_eq!(one.3.1, 2 * sent, "each word lands from RAMP and from the link");
        for (threads, cycles) in [(1, 7), (2, 8), (4, 3), (4, 1)] {
            assert_eq!(run(threads, Windows::Always { cycles }), one, "{arch:?}, {threads} threads, {cycles} cycles");
        }
        for threads in [1, 2, 4] {
            assert_eq!(run(threads, Windows::Busy), one, "{arch:?}, {threads} threads");
        }
    }
}

/// Threads make the tiles that the first command finds missing, here those of every second column.
#[test]
fn tiles_are_made_alike_on_any_number_of_threads() {
    let (width, height) = (150, 62);
    let row = vec![0; width as usize];
    let image = Arc::new(layout(Arch::Wse2, vec![program(&[7])], &vec![&row[..]; height as usize], &[]));
    let run = |threads: usize| {
        let mut sim =
            Sim::new(Arc::clone(&image), SimOptions { threads, ..SimOptions::default() }).expect("it is right");
        let some = Rect { step_x: 2, ..Rect::new(1, 1, width - 1, height - 1) };
        assert!(some.len() > 4096, "fewer are made by the host's own thread");
        let array = (0..some.len() as u32).collect();
        let copy = Copy::of(some, 1);
        let h2d = Command::H2d { to: Endpoint::Symbol(DATA_ID), copy, spread: Spread::Each, array };
        let ticket = sim.submit(h2d).expect("a right command");
        sim.wait(ticket).expect("it finishes");
        let all = Rect::new(0, 0, width, height);
        let d2h = Command::D2h { from: Endpoint::Symbol(DATA_ID), copy: Copy::of(all, 1), room: all.len() };
        let ticket = sim.submit(d2h).expect("a right command");
        let words = sim.wait(ticket).expect("it finishes").expect("data");
        (words, sim.cycle())
    };
    let one = run(1);
    assert_eq!(one.0[..4], [7; 4], "no row is above the rectangle's first");
    assert_eq!(one.0[width as usize..][..4], [7, 0, 7, 1]);
    for threads in [2, 3, 5] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

/// A row gets the same color from the north and, in the same cycle, from the south.
fn merging(arch: Arch) -> Image {
    let mut image = image(arch);
    let middle = HEIGHT / 2;
    for route in image.routes.iter().filter(|route| route.color.number() == south(middle + 1)) {
        let config = &mut image.color_configs[route.config as usize];
        match route.y {
            y if y == middle => config.rx = DirSet(N | S),
            y if y == middle + 1 => config.tx = DirSet(N),
            _ => {}
        }
    }
    image
}

/// Races included: words of two neighbours meet on their way to a queue that takes half of them.
#[test]
fn any_number_of_threads_gives_the_same_run_without_a_clock() {
    let run = |arch: Arch, threads: usize| {
        let options = SimOptions { threads, untimed: Some(TimeReads::Refused), ..SimOptions::default() };
        let mut sim = Sim::new(Arc::new(merging(arch)), options).expect("the image is right");
        sim.stop().expect("no fault");
        let memory = |y| sim.read_memory(3, y, 0x4000, 4 * u32::from(WORDS)).expect("there is a PE");
        ((0..HEIGHT).map(memory).collect::<Vec<_>>(), sim.cycle(), sim.landings())
    };
    for arch in [Arch::Wse2, Arch::Wse3] {
        let one = run(arch, 1);
        assert_ne!(one.0[HEIGHT as usize / 2], one.0[HEIGHT as usize / 2 - 1], "{arch:?}");
        for threads in [2, 3, 7] {
            assert!(run(arch, threads) == one, "{arch:?}, {threads} threads");
        }
    }
}

/// Two faults in one cycle: the first by row and column counts, whichever thread finds it. Nothing runs behind it.
#[test]
fn the_same_fault_stops_any_number_of_threads() {
    let image = merging(Arch::Wse2);
    let run = |threads: usize, windows: Windows| {
        let mut sim = threaded(image.clone(), threads, windows);
        match (sim.stop(), sim.stop()) {
            (Err(RunError::Fault(fault)), Err(RunError::Fault(again))) if fault == again => *fault,
            other => panic!("{other:?}"),
        }
    };
    let one = run(1, Windows::Always { cycles: 1 });
    assert_eq!((one.x, one.y), (0, HEIGHT / 2));
    for threads in [1, 2, 3] {
        assert_eq!(run(threads, Windows::Busy), one);
        assert_eq!(run(threads, Windows::Always { cycles: 4 }), one);
    }
}

/// A host that looks whenever it can: what it sees, and when, is the same, though rows have run further.
#[test]
fn windows_end_for_the_host_where_a_cycle_would() {
    for arch in [Arch::Wse2, Arch::Wse3] {
        let run = |windows: Windows| {
            let mut sim = threaded(image(arch), 2, windows);
            let mut seen = Vec::new();
            let rows = (0..HEIGHT).map(|y| Rect::new(0, y, WIDTH, 1));
            let (from, to) = (Endpoint::Symbol(DATA_ID), Endpoint::Symbol(DATA_ID));
            for rect in rows {
                let copy = Copy::of(rect, 1);
                let first = sim.submit(Command::D2h { from, copy, room: rect.len() });
                let array = vec![rect.y; rect.len()];
                let second = sim.submit(Command::H2d { to, copy, spread: Spread::Each, array });
                for ticket in [first, second].map(|ticket| ticket.expect("a right command")) {
                    let words = sim.wait(ticket).expect("it finishes");
                    seen.push((sim.cycle(), sim.span(ticket), words));
                }
            }
            let ending = sim.stop().expect("no fault");
            (seen, ending, sim.cycle(), sim.landings(), sim.last_activity())
        };
        let expected = run(Windows::Always { cycles: 1 });
        for cycles in [2, 8, 13] {
            assert!(run(Windows::Always { cycles }) == expected, "{arch:?}, {cycles} cycles");
        }
    }
}

/// A PE that sends 200 words on to its neighbour.
fn pair() -> Image {
    let mut sender = program(&(0..200).collect::<Vec<u32>>());
    bind(&mut sender, QueueDir::Out, 2, 3);
    let send = vec_async(&mut sender, VecOp::Mov32, fabout(3, 2, 200), mem(DATA, 200), 9);
    main_task(&mut sender, &[send]);
    task(&mut sender, 9, &[]);
    let mut receiver = program(&[]);
    bind(&mut receiver, QueueDir::In, 2, 3);
    let receive = vec_async(&mut receiver, VecOp::Mov32, mem(0x4000, 200), fabin(3, 2, 200), 9);
    main_task(&mut receiver, &[receive]);
    task(&mut receiver, 9, &[]);
    layout(Arch::Wse3, vec![sender, receiver], &[&[0, 1]], &[(0, 0, 3, RAMP, E), (1, 0, 3, W, RAMP)])
}

/// A trace only observes: the same landings and the same end; its events come in the order of the cycles.
#[test]
fn a_traced_run_is_the_same_run() {
    use std::sync::{Arc, Mutex};

    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&told);
    let sink = csl_sim::Sink::new(move |events| keep.lock().expect("no thread has panicked").extend(events));
    let traces = csl_sim::Traces { fabric: true, instructions: csl_sim::Tiles::All };
    let options = csl_sim::SimOptions { traces, sink: Some(sink), ..Default::default() };
    let mut traced = csl_sim::Sim::new(Arc::new(pair()), options).expect("the image is right");
    let mut plain = sim(pair());
    traced.stop().expect("no fault");
    plain.stop().expect("no fault");
    assert_eq!((traced.landings(), traced.cycle()), (plain.landings(), plain.cycle()));
    let mut told = std::mem::take(&mut *told.lock().expect("no thread has panicked"));
    assert!(told.len() > 100, "events came while the machine ran");
    told.extend(traced.take_events());
    assert!(told.is_sorted_by_key(|event| event.cycle));
}
