//! Running ahead changes nothing: random programs, woken only when they ask for it, agree with the same programs that
//! are stepped through every cycle.

use csl_image::PeImage;
use csl_isa::{Insn, Op};
use csl_machine::{Color, SysOp, VecOp, Wavelet};
use csl_pe::{NoRegisters, OutputSlot, Wake};
use proptest::prelude::*;

use crate::builder::*;

const CYCLES: u64 = 700;
const LOG: u16 = 0x1000;
const COUNT: u16 = 0xffe;

/// One step of the main task.
#[derive(Clone, Debug)]
enum Step {
    Local { op: VecOp, dest: u16, source: u16, len: u16 },
    Receive { queue: u8, dest: u16, len: u16 },
    Send { queue: u8, source: u16, len: u16 },
    ReceiveNow { dest: u16, len: u16 },
    Push { source: u16, len: u16 },
    Pop { dest: u16, len: u16 },
    Work(u16),
    Stamp,
    Activate,
}

fn step() -> impl Strategy<Value = Step> {
    let addr = || (0u16..60).prop_map(|word| 0x200 + 4 * word);
    let op = prop::sample::select(vec![VecOp::Mov32, VecOp::Mov16, VecOp::Fmuls, VecOp::Add16]);
    prop_oneof![
        (op, addr(), addr(), 1u16..60).prop_map(|(op, dest, source, len)| Step::Local { op, dest, source, len }),
        (2u8..4, addr(), 1u16..6).prop_map(|(queue, dest, len)| Step::Receive { queue, dest, len }),
        (4u8..6, addr(), 1u16..9).prop_map(|(queue, source, len)| Step::Send { queue, source, len }),
        (addr(), 1u16..3).prop_map(|(dest, len)| Step::ReceiveNow { dest, len }),
        (addr(), 1u16..9).prop_map(|(source, len)| Step::Push { source, len }),
        (addr(), 1u16..9).prop_map(|(dest, len)| Step::Pop { dest, len }),
        (1u16..40).prop_map(Step::Work),
        Just(Step::Stamp),
        Just(Step::Activate),
    ]
}

/// Appends the time to the log. The branch (to the next instruction) ends a block.
fn stamp(image: &PeImage, before: usize) -> Vec<Insn> {
    let next = (image.code.len() + before + 8) as u16;
    vec![
        imm(1, 0),
        sys(SysOp::TscWord, 1, 2),
        Insn::new(Op::LoadU16At, 11, COUNT, 0),
        Insn::new(Op::Store16AtIdx, 2, LOG, 11),
        Insn::new(Op::AddU16Imm, 11, 11, 1),
        store16(11, COUNT),
        charge(3),
        Insn::new(Op::Jump, 0, next, 2),
    ]
}

fn program(steps: &[Step]) -> PeImage {
    let mut image = image();
    section(&mut image, 0x200, (0..255).collect());
    let fifo = fifo(&mut image, 0x800, 12, 2);
    for id in 10..16 {
        let code = stamp(&image, 0);
        task(&mut image, id, &code);
    }
    let mut code = vec![sys(SysOp::TscEnable, 0, 0)];
    let mut busy = 0u8;
    for step in steps {
        match *step {
            Step::Local { op, dest, source, len } => {
                let srcs = [mem(source, len, 1), mem(dest, len, 1)];
                code.push(vec(&mut image, op, mem(dest, len, 1), &srcs[..op.sources().len()]));
            }
            Step::Receive { queue, dest, len } if busy >> queue & 1 == 0 => {
                busy |= 1 << queue;
                let from = fabin(queue, queue, len);
                code.push(vec_async(&mut image, VecOp::Mov32, mem(dest, len, 1), &[from], 8 + queue));
            }
            Step::Send { queue, source, len } if busy >> queue & 1 == 0 => {
                busy |= 1 << queue;
                let to = fabout(queue, queue, len);
                code.push(vec_async(&mut image, VecOp::Mov32, to, &[mem(source, len, 1)], 8 + queue));
            }
            Step::ReceiveNow { dest, len } => {
                code.push(vec(&mut image, VecOp::Mov32, mem(dest, len, 1), &[fabin(1, 1, len)]));
            }
            Step::Push { source, len } => code.push(vec(&mut image, VecOp::Mov32, fifo, &[mem(source, len, 1)])),
            Step::Pop { dest, len } => code.push(vec(&mut image, VecOp::Mov32, mem(dest, len, 1), &[fifo])),
            Step::Work(cycles) => code.push(charge(cycles)),
            Step::Stamp => code.extend(stamp(&image, code.len())),
            Step::Activate => code.extend([imm(5, 14), sys(SysOp::ActivateTask, 5, 0)]),
            Step::Receive { .. } | Step::Send { .. } => {}
        }
    }
    let end = stamp(&image, code.len());
    main_task(&mut image, &[code, end].concat());
    image
}

/// Landings as (cycle, color). The outcome has the departures with their cycles.
type Landings = Vec<(u64, u8)>;

#[derive(Debug, PartialEq)]
struct Outcome {
    memory: Vec<u8>,
    sent: Vec<(u64, u8, u32)>,
}

/// Runs a program; `eager` visits the PE in every cycle and lets it run no further.
fn outcome(image: &PeImage, landings: &Landings, eager: bool) -> Outcome {
    let mut bench = Bench::new(image.clone());
    let mut sent = Vec::new();
    let mut wake = Wake::at(0);
    let mut next = landings.iter().enumerate().peekable();
    for now in 0..CYCLES {
        let mut visit = eager || wake.at <= now;
        while let Some((i, (_, color))) = next.next_if(|(_, (cycle, _))| *cycle <= now) {
            let slot = bench.ports.arrival_slot(Color::at(*color)).expect("a slot");
            // Without room it is lost, in both runs.
            let _ = bench.ports.arrive(slot, Wavelet::word(i as u32 * 0x101));
            visit |= wake.arrivals & slot.bit() != 0;
        }
        for slot in OutputSlot::all().take(bench.ports.outputs.len()) {
            if bench.ports.outputs[slot].ready(now).is_some() {
                let head = bench.ports.depart(slot, now).expect("it is ready");
                sent.push((now, head.color.number(), head.wavelet.data));
                visit |= wake.credits & slot.bit() != 0;
            }
        }
        if visit {
            let limit = if eager { now + 1 } else { CYCLES };
            wake = bench.pe.advance(now, limit, &mut bench.ports, &mut NoRegisters).expect("no fault");
        }
    }
    bench.pe.synchronize(CYCLES);
    let mut memory = vec![0; 0x1400];
    bench.pe.memory().read_bytes(0, &mut memory);
    Outcome { memory, sent }
}

/// The number of random programs; `WAFERLAB_CASES` sets it for a long run.
fn cases() -> u32 {
    std::env::var("WAFERLAB_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn temporal_decoupling_changes_nothing(
        steps in prop::collection::vec(step(), 1..14),
        landings in prop::collection::vec((0u64..400, 1u8..4), 0..40),
    ) {
        let image = program(&steps);
        let mut landings: Landings = landings;
        landings.sort();
        let (lazy, eager) = (outcome(&image, &landings, false), outcome(&image, &landings, true));
        prop_assert_eq!(&lazy.sent, &eager.sent);
        prop_assert!(lazy.memory == eager.memory, "log {:?} against {:?}", log(&lazy), log(&eager));
    }
}

fn log(outcome: &Outcome) -> Vec<u16> {
    let word =
        |addr: u16| u16::from_le_bytes([outcome.memory[usize::from(addr)], outcome.memory[usize::from(addr) + 1]]);
    (0..word(COUNT)).map(|i| word(LOG + 2 * i)).collect()
}
