//! FIFOs (docs/decisions/machine.md M8).

use csl_isa::vec::VecArg;
use csl_isa::{Insn, Op};
use csl_machine::{Color, FifoAction, TaskId, TaskTarget, VecConfig, VecOp};
use csl_pe::OutputSlot;

use crate::builder::*;

const BUFFER: u16 = 0x800;

/// Stores the bool of an operation.
fn result_to(addr: u16) -> Insn {
    Insn::new(Op::Store16At, 9, addr, 0)
}

#[test]
fn what_is_pushed_is_popped_in_order_around_the_end() {
    let mut image = image();
    section(&mut image, 0, bytes16(&[1, 2, 3, 4, 5, 6]));
    let fifo = fifo(&mut image, BUFFER, 4, 1);
    let push = vec(&mut image, VecOp::Mov16, fifo, &[mem(0, 3, 1)]);
    let pop = vec(&mut image, VecOp::Mov16, mem(0x400, 2, 1), &[fifo]);
    let push_more = vec(&mut image, VecOp::Mov16, fifo, &[mem(6, 3, 1)]);
    let pop_rest = vec(&mut image, VecOp::Mov16, mem(0x404, 4, 1), &[fifo]);
    main_task(&mut image, &[push, pop, push_more, pop_rest]);
    assert_eq!(run(image).words(0x400, 6), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_synchronous_operation_ends_with_false_when_full_or_empty() {
    let mut image = image();
    section(&mut image, 0, bytes16(&[1, 2, 3, 4, 5, 6]));
    let fifo = fifo(&mut image, BUFFER, 4, 1);
    let config = VecConfig::default;
    let push = vec_to(&mut image, 9, VecOp::Mov16, fifo, &[mem(0, 6, 1)], config());
    let pop = vec_to(&mut image, 9, VecOp::Mov16, mem(0x400, 6, 1), &[fifo], config());
    let fits = vec_to(&mut image, 9, VecOp::Mov16, fifo, &[mem(0, 2, 1)], config());
    main_task(&mut image, &[push, result_to(0x500), pop, result_to(0x502), fits, result_to(0x504)]);
    let bench = run(image);
    assert_eq!(bench.words(0x400, 5), [1, 2, 3, 4, 0]);
    assert_eq!(bench.words(0x500, 3), [0, 0, 1]);
}

#[test]
fn a_scalar_destination_keeps_its_value_on_empty() {
    let mut image = image();
    section(&mut image, 0, bytes16(&[77]));
    let fifo = fifo(&mut image, BUFFER, 4, 1);
    let pop = vec(&mut image, VecOp::Mov16, VecArg::PtrAt(0), &[fifo]);
    main_task(&mut image, &[pop]);
    assert_eq!(run(image).word(0), 77);
}

#[test]
fn terminate_ends_with_true() {
    let mut image = image();
    let fifo = fifo(&mut image, BUFFER, 4, 1);
    image.fifos[0].config.empty_action = FifoAction::Terminate;
    let pop = vec_to(&mut image, 9, VecOp::Mov16, mem(0x400, 1, 1), &[fifo], VecConfig::default());
    main_task(&mut image, &[pop, result_to(0x500)]);
    assert_eq!(run(image).word(0x500), 1);
}

#[test]
fn a_push_activates_only_after_somebody_found_the_fifo_empty() {
    let mut image = image();
    let fifo = fifo(&mut image, BUFFER, 8, 1);
    image.fifos[0].config.activate_push = Some(TaskTarget::LocalTask(TaskId::at(9)));
    let push = vec(&mut image, VecOp::Mov16, fifo, &[scalar(5, 16)]);
    let pop = vec(&mut image, VecOp::Mov16, mem(0x400, 1, 1), &[fifo]);
    // Pushed, popped, found empty, pushed: one activation, which counts in memory.
    let count = vec(&mut image, VecOp::Add16, mem(0x500, 1, 1), &[mem(0x500, 1, 1), scalar(1, 16)]);
    task(&mut image, 9, &[count]);
    main_task(&mut image, &[push, pop, pop, push, push]);
    assert_eq!(run(image).word(0x500), 1);
}

#[test]
fn a_received_word_goes_through_a_fifo_to_the_fabric() {
    let mut image = image();
    let fifo = fifo(&mut image, BUFFER, 2, 2);
    let fill = vec_async(&mut image, VecOp::Mov32, fifo, &[fabin(1, 2, 5)], 9);
    let drain = vec_async(&mut image, VecOp::Mov32, fabout(2, 3, 5), &[fifo], 10);
    let done = imm(0, 1);
    task(&mut image, 9, &[done, store16(0, 0x500)]);
    task(&mut image, 10, &[done, store16(0, 0x502)]);
    main_task(&mut image, &[fill, drain]);
    let mut bench = Bench::new(image);
    let (mut sent, mut got) = (0, Vec::new());
    for now in 0..100 {
        let slot = bench.ports.arrival_slot(Color::at(1)).expect("WSE-2 makes a slot for each color");
        if sent < 5 && bench.ports.arrive(slot, csl_machine::Wavelet::word(100 + sent)) {
            sent += 1;
        }
        bench.advance(now).expect("no fault");
        let ready = |queue: &OutputSlot| bench.ports.outputs[*queue].ready(now).is_some();
        let queues: Vec<_> = OutputSlot::all().take(bench.ports.outputs.len()).filter(ready).collect();
        got.extend(queues.into_iter().filter_map(|queue| bench.ports.depart(queue, now)));
    }
    assert_eq!(
        got.iter().map(|out| (out.color.number(), out.wavelet.data)).collect::<Vec<_>>(),
        [(2, 100), (2, 101), (2, 102), (2, 103), (2, 104)]
    );
    assert_eq!(bench.words(0x500, 2), [1, 1]);
}
