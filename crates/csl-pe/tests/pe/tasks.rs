//! Task rules (docs/decisions/machine.md M12 to M16), host calls, services, faults.

use csl_isa::{Insn, Op};
use csl_machine::{
    Arch, Color, FlushId, QueueDir, QueueId, RotatingTasks, Sdk, Startup, SysOp, TaskId, TaskKind, TaskTarget, VecOp,
    Wavelet,
};
use csl_pe::{FaultKind, InputSlot, OutputSlot};

use crate::builder::*;

const LOG: u16 = 0x400;
const COUNT: u16 = 0x3fe;

/// Appends `value` to a log in memory.
fn log(value: u16) -> [Insn; 5] {
    [
        imm(10, value),
        Insn::new(Op::LoadU16At, 11, COUNT, 0),
        Insn::new(Op::Store16AtIdx, 10, LOG, 11),
        Insn::new(Op::AddU16Imm, 11, 11, 1),
        store16(11, COUNT),
    ]
}

/// Appends register 0 to the log.
fn log_argument(reg: u16) -> [Insn; 4] {
    [
        Insn::new(Op::LoadU16At, 11, COUNT, 0),
        Insn::new(Op::Store16AtIdx, reg, LOG, 11),
        Insn::new(Op::AddU16Imm, 11, 11, 1),
        store16(11, COUNT),
    ]
}

fn activate(id: u16) -> [Insn; 2] {
    [imm(5, id), sys(SysOp::ActivateTask, 5, 0)]
}

impl Bench {
    fn log(&self) -> Vec<u16> {
        self.words(LOG, self.word(COUNT))
    }

    fn arrive(&mut self, color: u8, wavelet: Wavelet) {
        let slot = self.ports.arrival_slot(Color::at(color)).expect("a slot");
        assert!(self.ports.arrive(slot, wavelet), "room for the wavelet");
    }
}

#[test]
fn activations_merge_and_a_task_can_activate_itself_again() {
    let mut image = image();
    main_task(&mut image, &[&activate(9)[..], &activate(9), &log(1)].concat());
    // The second task runs once for two activations, and once more for its own.
    let body = [&log(2)[..], &[imm(6, 3), Insn::new(Op::LoadU16At, 7, COUNT, 0)], &activate(9)].concat();
    let skip = image.code.len() as u32 + body.len() as u32;
    let mut code = body.clone();
    // Leaves out the activation from the third entry on.
    code.splice(7..7, [Insn::new(Op::BrLeU, 6, 7, 0), Insn::new(Op::Ext, 3, 6, skip as u16 + 2)]);
    task(&mut image, 9, &code);
    assert_eq!(run(image).log(), [1, 2, 2]);
}

#[test]
fn tasks_that_are_always_ready_take_turns() {
    let mut image = image();
    for id in [9, 12] {
        task(&mut image, id, &[&log(u16::from(id))[..], &activate(u16::from(id)), &[charge(10)]].concat());
        image.startup.push(Startup::Activate(TaskTarget::LocalTask(TaskId::at(id))));
    }
    let mut bench = Bench::new(image);
    for now in 0..100 {
        bench.advance(now).expect("no fault");
    }
    assert!(bench.log().starts_with(&[9, 12, 9, 12, 9, 12]), "{:?}", bench.log());
}

#[test]
fn a_blocked_task_keeps_its_activation() {
    let mut image = image();
    image.startup.push(Startup::Block(TaskTarget::LocalTask(TaskId::at(9))));
    task(&mut image, 9, &log(9));
    task(&mut image, 10, &[&log(10)[..], &[imm(5, 9), sys(SysOp::UnblockTask, 5, 0)]].concat());
    main_task(&mut image, &[&activate(9)[..], &activate(10)].concat());
    assert_eq!(run(image).log(), [10, 9]);
}

#[test]
fn a_data_task_takes_the_halves_of_its_wavelet() {
    let mut image = image();
    let func = func(&mut image, 2, &[log_argument(0), log_argument(1)].concat());
    bind(&mut image, TaskKind::Data, 4, &[16, 16], func);
    let mut bench = Bench::new(image);
    bench.arrive(4, Wavelet::word(0x2222_1111));
    bench.run().expect("no fault");
    assert_eq!(bench.log(), [0x1111, 0x2222]);
}

#[test]
fn a_control_wavelet_needs_an_unblocked_color_and_starts_its_entry() {
    let mut image = image();
    let func = func(&mut image, 1, &log_argument(0));
    bind(&mut image, TaskKind::Control, 35, &[16], func);
    let wavelet = Wavelet::control(35 << 16 | 7);
    let mut blocked = Bench::new(image.clone());
    blocked.arrive(4, wavelet);
    blocked.run().expect("no fault");
    assert_eq!(blocked.log(), []);

    image.startup.push(Startup::Unblock(TaskTarget::Color(TaskId::at(4))));
    let mut bench = Bench::new(image);
    bench.arrive(4, Wavelet::control(31 << 16)); // names no task
    bench.arrive(4, wavelet);
    bench.run().expect("no fault");
    assert_eq!(bench.log(), [7]);
}

/// The table of tasks is one: a color's number as entry point means its data task (topic-05-switches of 1.0).
#[test]
fn a_control_wavelet_can_start_a_data_task() {
    let mut image = image();
    let func = func(&mut image, 1, &log_argument(0));
    bind(&mut image, TaskKind::Data, 4, &[16], func);
    let mut bench = Bench::new(image);
    bench.arrive(4, Wavelet::control(4 << 16 | 7));
    bench.run().expect("no fault");
    assert_eq!(bench.log(), [7]);
}

/// Tasks of old programs take a wavelet that they do not look at, and are activated (FFT of 0.9).
#[test]
fn an_activation_can_start_a_data_task() {
    let mut image = image();
    let func = func(&mut image, 1, &log_argument(0));
    bind(&mut image, TaskKind::Data, 4, &[16], func);
    main_task(&mut image, &activate(4));
    assert_eq!(run(image).log(), [0]);
}

/// spmv-hypersparse binds a local task to the number of a color for its control wavelets.
#[test]
fn a_color_whose_number_is_a_local_task_starts_unblocked_on_wse2() {
    let mut image = image();
    task(&mut image, 4, &log(4));
    let func = func(&mut image, 1, &log_argument(0));
    bind(&mut image, TaskKind::Control, 35, &[16], func);
    let mut bench = Bench::new(image);
    bench.arrive(4, Wavelet::control(35 << 16 | 7));
    bench.run().expect("no fault");
    assert_eq!(bench.log(), [7]);
}

#[test]
fn before_release_1_every_color_starts_unblocked() {
    let mut image = image();
    let func = func(&mut image, 1, &log_argument(0));
    bind(&mut image, TaskKind::Control, 35, &[16], func);
    let mut bench = Bench::on(image, Arch::Wse2, Sdk { major: 0, minor: 9 });
    bench.arrive(4, Wavelet::control(35 << 16 | 7));
    bench.run().expect("no fault");
    assert_eq!(bench.log(), [7]);
}

#[test]
fn wse3_data_tasks_belong_to_input_queues() {
    let mut image = image();
    let func = func(&mut image, 1, &log_argument(0));
    bind(&mut image, TaskKind::Data, 2, &[16], func);
    queue(&mut image, QueueDir::In, 2, 13);
    let mut bench = Bench::on(image, Arch::Wse3, Sdk { major: 2, minor: 10 });
    assert_eq!(bench.ports.arrival_slot(Color::at(12)), None);
    bench.arrive(13, Wavelet::word(42));
    bench.run().expect("no fault");
    assert_eq!(bench.log(), [42]);
}

#[test]
fn short_data_tasks_follow_each_other_with_the_switch_of_the_table() {
    let mut image = image();
    let entry = image.code.len() as u32;
    image.code.push(Insn::new(Op::RetVoid, 0, 1, 0));
    image.funcs.push(csl_image::Function {
        name: "empty".into(),
        entry,
        end: entry + 1,
        frame: 4,
        params: 1,
        has_result: false,
        stack: 0,
        iters: 0,
    });
    bind(&mut image, TaskKind::Data, 4, &[16], 0);
    let mut bench = Bench::new(image);
    (0..4).for_each(|i| bench.arrive(4, Wavelet::word(i)));
    // The last of four starts three times an instruction and a switch after the first, and ends with its instruction.
    assert_eq!(bench.run().expect("no fault"), 3 * (1 + 5) + 1);
}

#[test]
fn the_alternate_task_runs_after_so_many_starts() {
    let mut image = image();
    let data = func(&mut image, 1, &log_argument(0));
    let alt = func(&mut image, 0, &log(99));
    bind(&mut image, TaskKind::Data, 2, &[16], data);
    queue(&mut image, QueueDir::In, 2, 13);
    image.rotating.push(RotatingTasks { data_task: TaskId::at(2), alt, init: 0, limit: 2 });
    let mut bench = Bench::on(image, Arch::Wse3, Sdk { major: 2, minor: 10 });
    (0..4).for_each(|i| bench.arrive(13, Wavelet::word(i)));
    bench.run().expect("no fault");
    assert_eq!(bench.log(), [0, 1, 99, 2, 3]);
}

#[test]
fn host_calls_run_as_tasks_in_their_order() {
    let mut image = image();
    let function = func(&mut image, 1, &[&log_argument(0)[..], &[sys(SysOp::UnblockCmdStream, 0, 0)]].concat());
    let mut bench = Bench::new(image);
    bench.run().expect("no fault");
    assert!(bench.pe.memcpy_ready(5) && !bench.ports.cmd_stream_unblocked);
    bench.pe.call(function, &[3]);
    bench.pe.call(function, &[4]);
    bench.run_from(10).expect("no fault");
    assert_eq!((bench.log(), bench.pe.calls_started()), (vec![3, 4], 2));
    assert!(bench.ports.cmd_stream_unblocked);
}

#[test]
fn an_activated_id_without_task_starts_nothing() {
    let mut image = image();
    main_task(&mut image, &[&activate(17)[..], &activate(17), &log(1)].concat());
    let mut bench = Bench::new(image);
    bench.run().expect("no fault");
    let ids: Vec<TaskId> = bench.pe.unbound_activations().iter().map(|activation| activation.id).collect();
    assert_eq!((ids, bench.log()), (vec![TaskId::at(17)], vec![1]));
}

#[test]
fn a_fault_counts_at_the_local_time_of_its_pe() {
    let mut image = image();
    main_task(&mut image, &[charge(500), imm(1, 0), sys(SysOp::Assert, 1, 0)]);
    let mut bench = Bench::new(image);
    let wake = bench.advance(0).expect("the fault is not due yet");
    assert_eq!(wake.at, 500);
    let fault = bench.advance(500).expect_err("now it is");
    assert_eq!((fault.kind, fault.cycle), (FaultKind::AssertionFailed, 500));
}

#[test]
fn nothing_starts_at_the_stop_cycle() {
    let mut image = image();
    // An endless loop that counts.
    let start = image.code.len() as u16;
    main_task(&mut image, &[&log(1)[..], &[Insn::new(Op::Jump, 0, start, 10)]].concat());
    let mut bench = Bench::new(image);
    bench.pe.advance(0, 100, &mut bench.ports, &mut csl_pe::NoRegisters).expect("no fault");
    assert_eq!(bench.log().len(), 10);
}

#[test]
fn prints_come_with_their_cycle() {
    let mut image = image();
    let print = [imm(1, 2), imm(2, 55), sys(SysOp::PrintValue, 1, 0), charge(30), sys(SysOp::PrintFlush, 0, 0)];
    main_task(&mut image, &print);
    let mut bench = Bench::new(image);
    bench.run().expect("no fault");
    let events = bench.pe.take_events();
    let printed = csl_pe::Printed { kind: 2, value: 55 };
    assert_eq!(events, [csl_pe::Event { cycle: 30, what: csl_pe::EventKind::Print(vec![printed]) }]);
}

#[test]
fn a_torn_down_color_runs_its_handler() {
    let mut image = image();
    let handler = func(&mut image, 0, &log(6));
    image.teardown_handlers.push((Color::at(6), handler));
    let mut bench = Bench::new(image);
    bench.run().expect("no fault");
    bench.pe.tear_down(Color::at(6));
    bench.run_from(10).expect("no fault");
    assert_eq!(bench.log(), [6]);
}

#[test]
fn random_numbers_are_those_of_the_generator() {
    let mut image = image();
    main_task(
        &mut image,
        &[sys(SysOp::Random16, 0, 1), store16(1, LOG), sys(SysOp::Random16, 0, 1), store16(1, LOG + 2)],
    );
    let mut prng = csl_num::Prng::default();
    assert_eq!(run(image).words(LOG, 2), [prng.next_u16(), prng.next_u16()]);
}

#[test]
fn coordinates_are_those_of_the_tile() {
    let mut image = image();
    let code = [sys(SysOp::GetX, 0, 1), store16(1, LOG), sys(SysOp::GetY, 0, 1), store16(1, LOG + 2)];
    main_task(&mut image, &code);
    assert_eq!(run(image).words(LOG, 2), [3, 5]);
}

#[test]
fn a_register_that_no_part_serves_keeps_what_is_written() {
    let mut image = image();
    let read = |at| [imm(1, 0x7f20), sys(SysOp::GetConfig, 1, 3), store16(3, at)];
    let write = [imm(1, 0x7f20), imm(2, 77), sys(SysOp::SetConfig, 1, 0)];
    main_task(&mut image, &[&read(LOG)[..], &write[..], &read(LOG + 2)[..]].concat());
    let bench = run(image);
    assert_eq!(bench.words(LOG, 2), [0, 77]);
    let words: Vec<u16> = bench.pe.unserved().iter().map(|place| place.word).collect();
    assert_eq!(words, [0x7f20; 3], "a warning for each place");
}

#[test]
fn a_synchronous_receive_holds_the_main_thread() {
    let mut image = image();
    let receive = vec(&mut image, VecOp::Mov32, mem(0x600, 1, 1), &[fabin(4, 1, 1)]);
    task(&mut image, 9, &log(9));
    main_task(&mut image, &[&activate(9)[..], &[receive], &log(1)].concat());
    let mut bench = Bench::new(image);
    let rest = bench.run().expect("no fault");
    assert_eq!(bench.log(), []);
    assert!(!bench.pe.memcpy_ready(rest));
    let waiting = bench.pe.waiting(&bench.ports);
    assert_eq!(waiting[0].need, csl_pe::Need::Wavelet { queue: QueueId::new(1), color: Color::at(4) });
    bench.arrive(4, Wavelet::word(77));
    bench.run_from(rest + 50).expect("no fault");
    assert_eq!((bench.log(), bench.word(0x600)), (vec![1, 9], 77));
}

#[test]
fn tasks_of_high_priority_go_first() {
    let mut image = image();
    for id in [9, 10] {
        task(&mut image, id, &log(u16::from(id)));
        image.startup.push(Startup::Activate(TaskTarget::LocalTask(TaskId::at(id))));
    }
    image.configs.push((csl_machine::registers::ce::LOCAL_TASK_PRIORITY, 1 << 10));
    assert_eq!(run(image).log(), [10, 9]);
}

#[test]
fn an_input_queue_takes_another_color_only_when_it_is_empty() {
    let register = csl_machine::registers::ce::INPUT_QUEUES + 2;
    let mut image = image();
    queue(&mut image, QueueDir::In, 2, 13);
    main_task(&mut image, &[imm(1, register), imm(2, 14), sys(SysOp::SetConfig, 1, 0)]);
    let wse3 = |image| Bench::on(image, Arch::Wse3, Sdk { major: 2, minor: 10 });
    let mut bench = wse3(image.clone());
    bench.run().expect("the queue is empty");
    assert_eq!(
        (bench.ports.arrival_slot(Color::at(13)), bench.ports.arrival_slot(Color::at(14))),
        (None, InputSlot::new(0))
    );

    let mut full = wse3(image);
    full.arrive(13, Wavelet::word(1));
    let fault = full.run().expect_err("the queue holds a wavelet");
    assert_eq!(fault.kind, FaultKind::QueueNotEmpty { output: false, queue: QueueId::at(2) });
}

#[test]
fn a_drained_output_queue_runs_its_handler() {
    let mut image = image();
    queue(&mut image, QueueDir::Out, 2, 13);
    let handler = func(&mut image, 0, &log(2));
    image.empty_queue_handlers.push((FlushId::at(2), handler));
    let send = vec(&mut image, VecOp::Mov32, fabout(0xff, 2, 1), &[scalar(1, 32)]);
    main_task(&mut image, &[send, imm(1, 2), sys(SysOp::QueueFlush, 1, 0)]);
    let mut bench = Bench::on(image, Arch::Wse3, Sdk { major: 2, minor: 10 });
    let rest = bench.run().expect("no fault");
    assert_eq!(bench.log(), []);
    bench.ports.depart(OutputSlot::at(0), rest);
    bench.run_from(rest + 1).expect("no fault");
    assert_eq!(bench.log(), [2]);
}

/// The register of an input queue holds its color and the priority of the microthread of its number (spmv-hypersparse of
/// SDK 0.9 sets it in place).
#[test]
fn an_input_queue_s_register_keeps_color_and_priority() {
    use csl_machine::registers::ce;
    let mut image = image();
    queue(&mut image, QueueDir::In, 2, 13);
    let (register, word) = (ce::INPUT_QUEUES + 2, 13 | ce::HIGH_PRIORITY);
    let write = [imm(1, register), imm(2, word), sys(SysOp::SetConfig, 1, 0)];
    let read = [imm(1, register), sys(SysOp::GetConfig, 1, 3), store16(3, LOG)];
    main_task(&mut image, &[&write[..], &read].concat());
    assert_eq!(run(image).word(LOG), word);
}
