//! Operations with fabric operands: packing, control wavelets, microthreads, queues. The test is the router.

use csl_chip::{Arch, SysOp, VecOp};
use csl_image::{QueueDir, Sdk};
use csl_isa::dsd::{Dsd, DsdClass, fabric_flags};
use csl_isa::vec::{Action, OnControl, RegOrImm, Target, VecArg, VecConfig};
use csl_pe::{FaultKind, Outgoing, Wavelet};

use crate::builder::*;

const SDK_1_4: Sdk = Sdk { major: 1, minor: 4 };
const SDK_2: Sdk = Sdk { major: 2, minor: 10 };

/// Runs `cycles` cycles; what leaves on color 2 comes back on color 1. Everything that left, with its cycle.
fn loop_back(bench: &mut Bench, cycles: u64) -> Vec<(u64, Outgoing)> {
    let mut left = Vec::new();
    for now in 0..cycles {
        for queue in 0..bench.ports.outputs.len() {
            let Some(head) = bench.ports.outputs[queue].ready(now) else { continue };
            let slot = if head.color == 2 { bench.ports.landing_slot(1) } else { None };
            let lands = slot.is_none_or(|slot| bench.ports.land(slot, head.wavelet));
            if lands {
                bench.ports.depart(queue);
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
    VecArg::DsdConst(Dsd::fabric(class, color, queue, extent, flags, false).0)
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
    let slot = bench.ports.landing_slot(1).expect("a slot");
    assert!(bench.ports.land(slot, Wavelet::word(0xaaaa_0001)) && bench.ports.land(slot, Wavelet::word(0xbbbb_0002)));
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
    let slot = bench.ports.landing_slot(1).expect("a slot");
    assert!(bench.ports.land(slot, Wavelet::word(1)));
    bench.run_from(40).expect("no fault");
    assert_eq!(bench.word(0x500), 43);
}

#[test]
fn a_control_wavelet_ends_an_operation_with_on_control() {
    let mut image = image();
    let then = OnControl::Then(Action::Activate(Target::LocalTask(RegOrImm::Imm(9))));
    let config = VecConfig { is_async: true, on_control: Some(then), ..VecConfig::default() };
    let receive = vec_to(&mut image, 0, VecOp::Mov32, mem(0x400, 0x7fff, 1), &[fabin(1, 2, 0x7fff)], config);
    task(&mut image, 9, &[imm(0, 7), store16(0, 0x500)]);
    main_task(&mut image, &[receive]);
    let mut bench = Bench::new(image);
    let slot = bench.ports.landing_slot(1).expect("a slot");
    for wavelet in [Wavelet::word(5), Wavelet::word(6), Wavelet::control(31 << 16)] {
        assert!(bench.ports.land(slot, wavelet));
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
    let slot = bench.ports.landing_slot(1).expect("a slot");
    let control = Wavelet::control(31 << 16);
    for wavelet in [Wavelet::word(1), control, Wavelet::word(2), control] {
        assert!(bench.ports.land(slot, wavelet));
    }
    let rest = bench.run().expect("no fault");
    assert!(bench.ports.land(slot, Wavelet::word(3)));
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
    let out = VecArg::DsdConst(Dsd::fabric(DsdClass::Fabout, 3, 2, 2, 0, true).0);
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

#[test]
fn two_operations_on_one_microthread_are_a_fault() {
    let mut image = image();
    let first = vec_async(&mut image, VecOp::Mov32, mem(0x400, 2, 1), &[fabin(1, 2, 2)], 9);
    let second = vec_async(&mut image, VecOp::Mov32, fabout(3, 2, 2), &[mem(0, 2, 1)], 9);
    main_task(&mut image, &[first, second]);
    let fault = Bench::new(image).run().expect_err("microthread 2 is taken");
    assert_eq!(fault.kind, FaultKind::MicrothreadBusy { ut: 2 });
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
    assert_eq!((left[0].1.color, left[0].1.wavelet.data), (3, 9));
    assert_eq!(bench.pe.waiting(&bench.ports)[0].thread, csl_pe::Thread::Microthread(4));
}

#[test]
fn an_asynchronous_send_needs_a_queue() {
    let mut image = image();
    let send = vec_async(&mut image, VecOp::Mov32, fabout(3, 0xff, 2), &[mem(0, 2, 1)], 9);
    main_task(&mut image, &[send]);
    let fault = Bench::new(image).run().expect_err("no queue");
    assert_eq!(fault.kind, FaultKind::NoQueue { output: true, queue: 0xff });
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
    let slot = bench.ports.landing_slot(1).expect("a slot");
    assert!(bench.ports.land(slot, Wavelet::word(5)) && bench.ports.land(slot, Wavelet::control(0x1f_0000)));
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
    let slot = bench.ports.landing_slot(1).expect("a slot");
    for now in 0..200 {
        if now >= 20 && now % 10 == 0 && now < 60 {
            assert!(bench.ports.land(slot, Wavelet::word(now as u32)));
        }
        bench.advance(now).expect("no fault");
    }
    let received: Vec<u16> = bench.words(0x400, 8).into_iter().step_by(2).collect();
    assert_eq!((received, bench.word(0x500), bench.word(0x600 + 4 * 99)), (vec![20, 30, 40, 50], 1, 3));
}

/// Cycles from the start to the receiver's completion task for `words` words from RAMP to RAMP of one PE.
fn ramp_to_ramp(words: u16) -> u64 {
    let mut image = image();
    let send = vec_async(&mut image, VecOp::Fmovs, fabout(2, 1, words), &[mem(0, words, 1)], 9);
    let receive = vec_async(&mut image, VecOp::Fmovs, mem(0x4000, words, 1), &[fabin(1, 2, words)], 10);
    task(&mut image, 9, &[]);
    task(&mut image, 10, &[imm(1, 0), sys(SysOp::TscWord, 1, 2), store16(2, 0x9000)]);
    main_task(&mut image, &[sys(SysOp::TscEnable, 0, 0), receive, send]);
    let mut bench = Bench::new(image);
    loop_back(&mut bench, 8000);
    u64::from(bench.word(0x9000))
}

/// Published figures of the vendor's simulator: 34 + 7 * floor((M - 1) / 2) + [M even], apart from the program's own
/// constant; for longer ones they lie up to nine cycles above it.
#[test]
fn ramp_to_ramp_takes_seven_cycles_for_two_words() {
    let one = ramp_to_ramp(1);
    for words in [2, 5, 10, 20, 50, 100, 2000] {
        let model = 7 * u64::from((words - 1) / 2) + u64::from(words % 2 == 0);
        assert_eq!(ramp_to_ramp(words) - one, model, "{words} words");
    }
}
