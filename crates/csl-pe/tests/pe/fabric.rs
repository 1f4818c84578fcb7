//! Operations with fabric operands: packing, control wavelets, microthreads, queues. The test plays the router.

use csl_isa::NO_REG;
use csl_isa::dsd::{Dsd, DsdClass, fabric_flags};
use csl_isa::vec::{RegOrImm, VecArg};
use csl_isa::{Insn, Op};
use csl_machine::{
    Action, Arch, Color, DsrFile, MicrothreadId, OnControl, QueueDir, QueueId, Sdk, SysOp, TaskTarget, VecConfig,
    VecOp, Wavelet,
};
use csl_pe::{FaultKind, Need, Outgoing, OutputSlot, Resource};

use crate::builder::*;

const SDK_1_4: Sdk = Sdk { major: 1, minor: 4 };
const SDK_2: Sdk = Sdk { major: 2, minor: 10 };

/// Runs `cycles` cycles, with wavelets of color 2 coming back on color 1. Returns all that left, with the cycles.
fn loop_back(bench: &mut Bench, cycles: u64) -> Vec<(u64, Outgoing)> {
    let mut left = Vec::new();
    for now in 0..cycles {
        for queue in OutputSlot::all().take(bench.ports.outputs.len()) {
            let Some(head) = bench.ports.outputs[queue].ready(now) else { continue };
            let slot = if head.color == Color::at(2) { bench.ports.arrival_slot(Color::at(1)) } else { None };
            let lands = slot.is_none_or(|slot| bench.ports.arrive(slot, head.wavelet));
            if lands {
                bench.ports.depart(queue, now);
                left.push((now, head));
            }
            break;
        }
        bench.advance(now).expect("no fault");
    }
    left
}

fn datas(left: &[(u64, Outgoing)]) -> Vec<u32> {
    left.iter().map(|(_, out)| out.wavelet.data).collect()
}

fn flagged(class: DsdClass, color: u8, queue: u8, extent: u16, flags: u16) -> VecArg {
    VecArg::DsdConst(Dsd::fabric(class, Color::new(color), QueueId::new(queue), extent, flags, false).0)
}

#[test]
fn two_elements_travel_in_a_wavelet_from_sdk_2_on() {
    for (sdk, expected) in [(SDK_1_4, vec![1, 2, 3]), (SDK_2, vec![0x2_0001, 3])] {
        let mut image = image();
        section(&mut image, 0, bytes16(&[1, 2, 3]));
        let send = vec(&mut image, VecOp::Mov16, fabout(3, 2, 3), &[mem(0, 3, 1)]);
        main_task(&mut image, &[send]);
        let mut bench = Bench::on(image, Arch::Wse2, sdk);
        assert_eq!(datas(&loop_back(&mut bench, 50)), expected);
    }
}

#[test]
fn the_narrowest_operand_decides_how_many_travel_together() {
    let mut image = image();
    let off = 1 << fabric_flags::SIMD_SHIFT;
    let relay = vec(&mut image, VecOp::Mov16, flagged(DsdClass::Fabout, 3, 2, 2, off), &[fabin(1, 1, 2)]);
    main_task(&mut image, &[relay]);
    let mut bench = Bench::on(image, Arch::Wse2, SDK_2);
    let slot = bench.ports.arrival_slot(Color::at(1)).expect("a slot");
    assert!(
        bench.ports.arrive(slot, Wavelet::word(0xaaaa_0001)) && bench.ports.arrive(slot, Wavelet::word(0xbbbb_0002))
    );
    assert_eq!(datas(&loop_back(&mut bench, 50)), [1, 2]);
}

#[test]
fn a_synchronous_send_without_queue_streams_at_one_word_a_cycle() {
    let mut image = image();
    let send = vec(&mut image, VecOp::Mov32, fabout(3, 0xff, 20), &[mem(0, 20, 1)]);
    main_task(&mut image, &[send]);
    let mut bench = Bench::new(image);
    let left = loop_back(&mut bench, 60);
    let cycles: Vec<u64> = left.iter().map(|(now, _)| *now).collect();
    // Two DSR loads, two cycles, the way to the ramp; then one a cycle.
    assert_eq!(cycles, (9..29).collect::<Vec<u64>>());
}

#[test]
fn a_two_word_queue_sends_at_intervals_of_one_and_four() {
    let mut image = image();
    let send = vec(&mut image, VecOp::Mov32, fabout(3, 1, 5), &[mem(0, 5, 1)]);
    main_task(&mut image, &[send]);
    let left = loop_back(&mut Bench::new(image), 60);
    let gaps: Vec<u64> = left.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert_eq!(gaps, [1, 4, 1, 4]);
}

#[test]
fn send_and_receive_microthreads_loop_back() {
    let mut image = image();
    section(&mut image, 0, bytes_f32(&[1.0, 2.0, 3.0, 4.0, 5.0]));
    let send = vec_async(&mut image, VecOp::Fmovs, fabout(2, 1, 5), &[mem(0, 5, 1)], 9);
    let receive = vec_async(&mut image, VecOp::Fmovs, mem(0x400, 5, 1), &[fabin(1, 2, 5)], 10);
    task(&mut image, 9, &[imm(0, 1), store16(0, 0x500)]);
    task(&mut image, 10, &[imm(0, 1), store16(0, 0x502)]);
    main_task(&mut image, &[send, receive]);
    let mut bench = Bench::new(image);
    loop_back(&mut bench, 100);
    assert_eq!(bench.f32s(0x400, 5), [1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(bench.words(0x500, 2), [1, 1]);
}

#[test]
fn a_completion_takes_effect_three_cycles_after_the_last_dispatch() {
    let mut image = image();
    let receive = vec_async(&mut image, VecOp::Mov32, mem(0x400, 1, 1), &[fabin(1, 2, 1)], 9);
    task(&mut image, 9, &[imm(1, 0), sys(SysOp::TscWord, 1, 2), store16(2, 0x500)]);
    main_task(&mut image, &[sys(SysOp::TscEnable, 0, 0), receive]);
    let mut bench = Bench::new(image);
    bench.advance(0).expect("no fault");
    let rest = bench.run_from(1).expect("no fault");
    assert!(rest < 40);
    let slot = bench.ports.arrival_slot(Color::at(1)).expect("a slot");
    assert!(bench.ports.arrive(slot, Wavelet::word(1)));
    bench.run_from(40).expect("no fault");
    assert_eq!(bench.word(0x500), 43);
}

#[test]
fn a_control_wavelet_ends_an_operation_with_on_control() {
    let mut image = image();
    let then = OnControl::Then(Action::Activate(TaskTarget::LocalTask(RegOrImm::Imm(9))));
    let config = VecConfig { is_async: true, on_control: Some(then), ..VecConfig::default() };
    let receive = vec_to(&mut image, 0, VecOp::Mov32, mem(0x400, 0x7fff, 1), &[fabin(1, 2, 0x7fff)], config);
    task(&mut image, 9, &[imm(0, 7), store16(0, 0x500)]);
    main_task(&mut image, &[receive]);
    let mut bench = Bench::new(image);
    let slot = bench.ports.arrival_slot(Color::at(1)).expect("a slot");
    for wavelet in [Wavelet::word(5), Wavelet::word(6), Wavelet::control(31 << 16)] {
        assert!(bench.ports.arrive(slot, wavelet));
    }
    bench.run().expect("no fault");
    assert_eq!((bench.words(0x400, 4), bench.word(0x500)), (vec![5, 0, 6, 0], 7));
}

#[test]
fn dfilt_drops_data_until_its_control_wavelets_came() {
    let mut image = image();
    let filter = vec_async(&mut image, VecOp::Dfilt, fabin(1, 2, 2), &[fabin(1, 2, 2)], 9);
    let receive = vec(&mut image, VecOp::Mov32, mem(0x400, 1, 1), &[fabin(1, 2, 1)]);
    task(&mut image, 9, &[receive]);
    main_task(&mut image, &[filter]);
    let mut bench = Bench::new(image);
    let slot = bench.ports.arrival_slot(Color::at(1)).expect("a slot");
    let control = Wavelet::control(31 << 16);
    for wavelet in [Wavelet::word(1), control, Wavelet::word(2), control] {
        assert!(bench.ports.arrive(slot, wavelet));
    }
    let rest = bench.run().expect("no fault");
    assert!(bench.ports.arrive(slot, Wavelet::word(3)));
    bench.run_from(rest + 1).expect("no fault");
    assert_eq!(bench.word(0x400), 3);
}

#[test]
fn a_sent_control_wavelet_and_the_last_wavelet_are_marked() {
    let mut image = image();
    let control = flagged(DsdClass::Fabout, 3, 2, 1, fabric_flags::CONTROL);
    let advancing = flagged(DsdClass::Fabout, 4, 3, 2, fabric_flags::ADVANCE_SWITCH);
    let send = vec(&mut image, VecOp::Mov32, control, &[scalar(0x5f_0000, 32)]);
    let send_two = vec(&mut image, VecOp::Mov32, advancing, &[mem(0, 2, 1)]);
    main_task(&mut image, &[send, send_two]);
    let left = loop_back(&mut Bench::new(image), 60);
    assert!(left[0].1.wavelet.control && left[0].1.wavelet.data == 0x5f_0000);
    assert_eq!([left[1].1.advance_switch, left[2].1.advance_switch], [false, true]);
}

#[test]
fn an_index_travels_in_the_high_half() {
    let mut image = image();
    section(&mut image, 0, bytes16(&[7, 8]));
    let out = VecArg::DsdConst(Dsd::fabric(DsdClass::Fabout, Color::new(3), QueueId::new(2), 2, 0, true).0);
    let config = VecConfig { index: Some(RegOrImm::Imm(0x55)), ..VecConfig::default() };
    let send = vec_to(&mut image, 0, VecOp::Mov16, out, &[mem(0, 2, 1)], config);
    main_task(&mut image, &[send]);
    assert_eq!(datas(&loop_back(&mut Bench::on(image, Arch::Wse2, SDK_2), 60)), [0x55_0007, 0x55_0008]);
}

#[test]
fn a_source_can_be_cleared_once_it_is_sent() {
    let mut image = image();
    section(&mut image, 0, bytes_f32(&[1.0, 2.0, 3.0]));
    let out = flagged(DsdClass::Fabout, 3, 2, 2, fabric_flags::ZERO_SECOND);
    let send = vec(&mut image, VecOp::Fmovs, out, &[mem(0, 2, 1)]);
    main_task(&mut image, &[send]);
    let mut bench = Bench::new(image);
    loop_back(&mut bench, 60);
    assert_eq!(bench.f32s(0, 3), [0.0, 0.0, 3.0]);
}

/// Eight words out and back by color 2 and color 1, the receive after the send. Returns the received words and the
/// resources that operations waited for.
fn send_then_receive(arch: Arch, send: VecConfig<RegOrImm>, receive: VecConfig<RegOrImm>) -> (Vec<u16>, Vec<Resource>) {
    let mut image = image();
    section(&mut image, 0, (1..=8u32).flat_map(u32::to_le_bytes).collect());
    queue(&mut image, QueueDir::In, 2, 1);
    queue(&mut image, QueueDir::Out, 2, 2);
    let out = vec_to(&mut image, NO_REG, VecOp::Mov32, fabout(2, 2, 8), &[mem(0, 8, 1)], send);
    let back = vec_to(&mut image, NO_REG, VecOp::Mov32, mem(0x400, 8, 1), &[fabin(1, 2, 8)], receive);
    main_task(&mut image, &[out, back]);
    let mut bench = Bench::on(image, arch, SDK_2);
    loop_back(&mut bench, 200);
    let resources = bench.pe.hazards().iter().map(|hazard| {
        assert_eq!((hazard.pc, hazard.first), (1, 0), "the second operation waits for the first");
        hazard.resource
    });
    ((0..8).map(|i| bench.word(0x400 + 4 * i)).collect(), resources.collect())
}

#[test]
fn the_second_operation_on_a_microthread_waits_for_the_first() {
    let by_queue = || VecConfig { is_async: true, ..VecConfig::default() };
    let on = |ut| VecConfig { ut: Some(RegOrImm::Imm(ut)), ..by_queue() };
    let all = (1..=8).collect::<Vec<u16>>();
    for arch in [Arch::Wse2, Arch::Wse3] {
        let resources = vec![Resource::Microthread(MicrothreadId::at(2))];
        assert_eq!(send_then_receive(arch, by_queue(), by_queue()), (all.clone(), resources));
    }
    let after = |ut| (all.clone(), vec![Resource::Microthread(MicrothreadId::at(ut))]);
    assert_eq!(send_then_receive(Arch::Wse3, on(5), on(5)), after(5));
    assert_eq!(send_then_receive(Arch::Wse3, on(2), by_queue()), after(2));
    assert_eq!(send_then_receive(Arch::Wse3, on(5), by_queue()), (all.clone(), vec![]));
    assert_eq!(send_then_receive(Arch::Wse2, by_queue(), VecConfig::default()), (all, vec![]));
}

/// The first half by a microthread, the second by `second`; both must arrive in this order.
fn halves(arch: Arch, first: VecConfig<RegOrImm>, second: VecConfig<RegOrImm>) -> (Vec<u32>, Vec<Resource>) {
    let mut image = image();
    section(&mut image, 0, (1..=16u32).flat_map(u32::to_le_bytes).collect());
    queue(&mut image, QueueDir::Out, 3, 4);
    let low = vec_to(&mut image, NO_REG, VecOp::Mov32, fabout(4, 3, 8), &[mem(0, 8, 1)], first);
    let high = vec_to(&mut image, NO_REG, VecOp::Mov32, fabout(4, 3, 8), &[mem(32, 8, 1)], second);
    main_task(&mut image, &[low, high]);
    let mut bench = Bench::on(image, arch, SDK_2);
    let left = loop_back(&mut bench, 200);
    (datas(&left), bench.pe.hazards().iter().map(|hazard| hazard.resource).collect())
}

#[test]
fn an_operation_on_a_queue_in_use_waits_for_it() {
    let alone = VecConfig { is_async: true, ..VecConfig::default() };
    let in_order = (1..=16).collect::<Vec<u32>>();
    for arch in [Arch::Wse2, Arch::Wse3] {
        let found = halves(arch, alone.clone(), VecConfig::default());
        assert_eq!(found, (in_order.clone(), vec![Resource::Output(QueueId::new(3))]), "a synchronous one");
        let found = halves(arch, alone.clone(), alone.clone());
        assert_eq!(found, (in_order.clone(), vec![Resource::Microthread(MicrothreadId::at(3))]), "an asynchronous one");
    }
    let other = VecConfig { ut: Some(RegOrImm::Imm(6)), ..alone.clone() };
    // Two microthreads of WSE-3 may share a queue, and then take turns: each keeps its own order.
    let (mut together, waits) = halves(Arch::Wse3, alone, other);
    assert!(waits.is_empty() && together != in_order, "{together:?}");
    let second: Vec<u32> = together.extract_if(.., |word| *word > 8).collect();
    assert_eq!([together, second].concat(), in_order);
}

/// On WSE-2 an operation binds its color to its queue: not before the operation that has the microthread is done.
#[test]
fn what_waits_binds_nothing() {
    let mut image = image();
    let first = vec_async(&mut image, VecOp::Mov32, mem(0x400, 2, 1), &[fabin(5, 2, 2)], 9);
    let second = vec_async(&mut image, VecOp::Mov32, mem(0x420, 1, 1), &[fabin(6, 2, 1)], 9);
    main_task(&mut image, &[first, second]);
    task(&mut image, 9, &[]);
    let mut bench = Bench::new(image);
    let stalled_at = bench.run().expect("it waits");
    assert_eq!(bench.pe.waiting(&bench.ports)[0].need, Need::Earlier(Resource::Microthread(MicrothreadId::at(2))));
    assert_eq!((bench.ports.color_slot(Color::at(5)).is_some(), bench.ports.color_slot(Color::at(6))), (true, None));
    for (color, data) in [(5, 7), (5, 8), (6, 9)] {
        let slot = bench.ports.arrival_slot(Color::at(color)).expect("there is room");
        assert!(bench.ports.arrive(slot, Wavelet::word(data)));
    }
    bench.run_from(stalled_at + 1).expect("no fault");
    assert_eq!([bench.word(0x400), bench.word(0x404), bench.word(0x420)], [7, 8, 9]);
}

/// The load of the second operation's DSR does not count for the first; what the first leaves in the DSR does.
#[test]
fn what_waits_finds_its_dsr_as_the_first_leaves_it() {
    let mut image = image();
    section(&mut image, 0, (1..=16u32).flat_map(u32::to_le_bytes).collect());
    let source = VecArg::Dsr { file: DsrFile::Src1, id: 1 };
    let save = VecConfig { save_address: true, ..VecConfig::default() };
    let load = load_dsr(&mut image, DsrFile::Src1, 1, mem(0, 8, 1), save);
    let config = || VecConfig { is_async: true, ..VecConfig::default() };
    let first = vec_to(&mut image, NO_REG, VecOp::Mov32, fabout(4, 3, 8), &[source], config());
    let second = vec_to(&mut image, NO_REG, VecOp::Mov32, fabout(4, 3, 8), &[source], config());
    main_task(&mut image, &[load, first, second]);
    let mut bench = Bench::new(image);
    assert_eq!(datas(&loop_back(&mut bench, 200)), (1..=16).collect::<Vec<u32>>());
}

#[test]
fn operands_of_length_0_move_nothing_and_complete() {
    for arch in [Arch::Wse2, Arch::Wse3] {
        let mut image = image();
        section(&mut image, 0, bytes16(&[3, 0, 77, 0]));
        queue(&mut image, QueueDir::In, 2, 1);
        queue(&mut image, QueueDir::Out, 2, 2);
        let nothing = fabin(1, 2, 0);
        let receive = vec_async(&mut image, VecOp::Mov32, mem(0x400, 0, 1), &[nothing], 9);
        let to_scalar = vec_async(&mut image, VecOp::Mov32, VecArg::PtrAt(4), &[nothing], 10);
        let send = vec_async(&mut image, VecOp::Mov32, fabout(2, 2, 0), &[scalar(1, 32)], 11);
        let local = vec_to(&mut image, 9, VecOp::Add16, mem(0x402, 0, 1), &[mem(0, 0, 1), scalar(1, 16)], sync());
        let waits = vec_to(&mut image, NO_REG, VecOp::Mov32, VecArg::PtrAt(4), &[nothing], sync());
        let filter = VecConfig { is_async: true, ..VecConfig::default() };
        let filter = vec_to(&mut image, NO_REG, VecOp::Dfilt, nothing, &[nothing], filter);
        main_task(&mut image, &[receive, to_scalar, send, local, waits, filter, store16(9, 0x500)]);
        for id in 9..12 {
            task(&mut image, id, &[imm(1, id.into()), store16(1, 0x500 + 2 * u16::from(id))]);
        }
        let mut bench = Bench::on(image, arch, SDK_2);
        assert_eq!(loop_back(&mut bench, 100), []);
        assert_eq!((bench.word(0x400), bench.word(0x402), bench.words(4, 2)), (0, 0, vec![77, 0]));
        assert_eq!([0x500, 0x512, 0x514, 0x516].map(|at| bench.word(at)), [1, 9, 10, 11]);
        assert_eq!((bench.pe.waiting(&bench.ports), bench.pe.hazards()), (vec![], &[][..]));
    }
}

/// One length of 0 among others, and a FIFO without one, decide nothing.
#[test]
fn a_length_of_0_among_others_decides_nothing() {
    let mut image = image();
    section(&mut image, 0, bytes16(&[5, 6]));
    let fifo = fifo(&mut image, 0x600, 8, 1);
    let push = vec(&mut image, VecOp::Mov16, fifo, &[mem(0, 2, 1)]);
    let pop = vec(&mut image, VecOp::Mov16, VecArg::PtrAt(0x400), &[fifo]);
    let none = vec(&mut image, VecOp::Mov16, mem(0x402, 0, 1), &[fifo]);
    let rest = vec(&mut image, VecOp::Mov16, mem(0x404, 1, 1), &[mem(0x402, 0, 1)]);
    main_task(&mut image, &[push, pop, none, rest]);
    assert_eq!(run(image).words(0x400, 3), [5, 0, 0]);
}

fn sync() -> VecConfig<RegOrImm> {
    VecConfig::default()
}

#[test]
fn wse3_microthreads_are_chosen_by_the_program() {
    let mut image = image();
    queue(&mut image, QueueDir::In, 2, 1);
    queue(&mut image, QueueDir::Out, 2, 3);
    let on = |ut| VecConfig { is_async: true, ut: Some(RegOrImm::Imm(ut)), ..VecConfig::default() };
    let receive = vec_to(&mut image, 0, VecOp::Mov32, mem(0x400, 1, 1), &[fabin(0xff, 2, 1)], on(4));
    let send = vec_to(&mut image, 0, VecOp::Mov32, fabout(0xff, 2, 1), &[scalar(9, 32)], on(5));
    main_task(&mut image, &[receive, send]);
    let mut bench = Bench::on(image, Arch::Wse3, SDK_2);
    let left = loop_back(&mut bench, 60);
    assert_eq!((left[0].1.color.number(), left[0].1.wavelet.data), (3, 9));
    assert_eq!(bench.pe.waiting(&bench.ports)[0].thread, csl_pe::Thread::Microthread(MicrothreadId::new(4)));
}

#[test]
fn an_asynchronous_send_needs_a_queue() {
    let mut image = image();
    let send = vec_async(&mut image, VecOp::Mov32, fabout(3, 0xff, 2), &[mem(0, 2, 1)], 9);
    main_task(&mut image, &[send]);
    let fault = Bench::new(image).run().expect_err("no queue");
    assert_eq!(fault.kind, FaultKind::NoQueue { output: true, queue: None });
}

#[test]
fn a_received_control_wavelet_can_be_stored_and_sent_on_as_one() {
    let mut image = image();
    let receive = flagged(DsdClass::Fabin, 1, 1, 2, fabric_flags::CONTROL_TRANSFORM);
    let send = flagged(DsdClass::Fabout, 3, 2, 2, fabric_flags::CONTROL_TRANSFORM);
    let store = vec(&mut image, VecOp::Mov32, mem(0x400, 2, 1), &[receive]);
    let forward = vec(&mut image, VecOp::Mov32, send, &[mem(0x400, 2, 1)]);
    main_task(&mut image, &[store, forward]);
    let mut bench = Bench::new(image);
    let slot = bench.ports.arrival_slot(Color::at(1)).expect("a slot");
    assert!(bench.ports.arrive(slot, Wavelet::word(5)) && bench.ports.arrive(slot, Wavelet::control(0x1f_0000)));
    let left = loop_back(&mut bench, 60);
    assert_eq!(left[0].1.wavelet, Wavelet::word(5));
    assert_eq!(left[1].1.wavelet, Wavelet::control(0x1f_0000));
}

/// While a receive is pending, a long local operation and the wavelets share the issue slot; the result is the same.
#[test]
fn a_local_operation_and_a_receive_interleave() {
    let mut image = image();
    let receive = vec_async(&mut image, VecOp::Mov32, mem(0x400, 4, 1), &[fabin(1, 2, 4)], 9);
    task(&mut image, 9, &[]);
    let work = vec(&mut image, VecOp::Mov32, mem(0x600, 100, 1), &[scalar(3, 32)]);
    main_task(&mut image, &[receive, work, imm(0, 1), store16(0, 0x500)]);
    let mut bench = Bench::new(image);
    let slot = bench.ports.arrival_slot(Color::at(1)).expect("a slot");
    for now in 0..200 {
        if now >= 20 && now % 10 == 0 && now < 60 {
            assert!(bench.ports.arrive(slot, Wavelet::word(now as u32)));
        }
        bench.advance(now).expect("no fault");
    }
    let received: Vec<u16> = bench.words(0x400, 8).into_iter().step_by(2).collect();
    assert_eq!((received, bench.word(0x500), bench.word(0x600 + 4 * 99)), (vec![20, 30, 40, 50], 1, 3));
}

/// Two sends of four words, of which the first starts two cycles before the second.
#[test]
fn microthreads_of_one_priority_take_turns() {
    let mut image = image();
    let first = vec_async(&mut image, VecOp::Mov32, fabout(5, 2, 4), &[scalar(7, 32)], 9);
    let second = vec_async(&mut image, VecOp::Mov32, fabout(6, 3, 4), &[scalar(8, 32)], 9);
    main_task(&mut image, &[first, second]);
    task(&mut image, 9, &[]);
    let mut bench = Bench::new(image);
    let left = loop_back(&mut bench, 60);
    let colors: Vec<u8> = left.iter().map(|(_, outgoing)| outgoing.color.number()).collect();
    assert_eq!(colors, [5, 5, 6, 5, 6, 5, 6, 6]);
    assert!(left.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1), "no cycle is lost");
}

/// On WSE-2 a long stretch of scalar code keeps the slot from a send; on WSE-3 it goes on a cycle later for each word.
#[test]
fn scalar_code_and_a_send_share_the_slot() {
    let ends = [(Arch::Wse2, SDK_1_4), (Arch::Wse3, SDK_2)].map(|(arch, sdk)| {
        let mut image = image();
        queue(&mut image, QueueDir::Out, 2, 5);
        let send = vec_async(&mut image, VecOp::Mov32, fabout(5, 2, 4), &[scalar(7, 32)], 9);
        let read = [imm(1, 0), sys(SysOp::TscWord, 1, 2), store16(2, 0x500)];
        // The jump to the next instruction ends a block.
        let jump = Insn::new(Op::Jump, 0, image.code.len() as u16 + 3, 40);
        let code = [&[sys(SysOp::TscEnable, 0, 0), send, jump][..], &read].concat();
        main_task(&mut image, &code);
        task(&mut image, 9, &[]);
        let mut bench = Bench::on(image, arch, sdk);
        let left = loop_back(&mut bench, 100);
        (left[0].0, bench.word(0x500))
    });
    let [(wse2_send, wse2_code), (wse3_send, wse3_code)] = ends;
    assert!(wse2_send > 40, "behind the code: {wse2_send}");
    assert!(wse3_send < 20, "amid the code: {wse3_send}");
    assert_eq!(wse3_code, wse2_code + 4);
}

/// A store before the issue of a send that reads its place, and one behind it in the same block, which ends later.
#[test]
fn a_microthread_sees_a_store_in_its_cycle() {
    let [early, late] = [0, 10].map(|before| {
        let mut image = image();
        queue(&mut image, QueueDir::Out, 2, 5);
        let send = vec_async(&mut image, VecOp::Mov32, fabout(5, 2, 1), &[mem(0x600, 1, 1)], 9);
        let code = [vec![sys(SysOp::TscEnable, 0, 0), imm(1, 7), send], vec![imm(2, 0); before]].concat();
        // The jump to the next instruction ends the block.
        let end = image.code.len() + code.len() + 2;
        let read = [Insn::new(Op::Jump, 0, end as u16, 20), imm(1, 0), sys(SysOp::TscWord, 1, 2), store16(2, 0x500)];
        main_task(&mut image, &[&code[..], &[store16(1, 0x600)], &read].concat());
        task(&mut image, 9, &[]);
        let mut bench = Bench::on(image, Arch::Wse3, SDK_2);
        let left = loop_back(&mut bench, 100);
        assert_eq!(bench.word(0x600), 7);
        (left[0].1.wavelet.data, bench.word(0x500))
    });
    assert_eq!((early.0, late.0), (7, 0));
    assert_eq!(early.1, late.1, "the block takes its cycles");
}
