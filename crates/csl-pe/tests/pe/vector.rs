//! Operands other than plain mem1d, and the rules of lengths and registers.

use csl_image::PeImage;
use csl_isa::dsd::{Dsd, mem4d};
use csl_isa::vec::{RegOrImm, VecArg};
use csl_machine::{DsrFile, DsrLoad, VecConfig, VecOp};
use csl_pe::FaultKind;

use crate::builder::*;

/// A mem4d descriptor at `at`.
fn descriptor(image: &mut PeImage, at: u16, addr: u16, extents: &[u16], strides: &[i16]) -> VecArg {
    let mut words = [0u16; 10];
    words[0] = addr;
    words[1] = extents.len() as u16;
    words[(mem4d::EXTENTS / 2) as usize..][..extents.len()].copy_from_slice(extents);
    for (i, stride) in strides.iter().enumerate() {
        words[(mem4d::STRIDES / 2) as usize + i] = *stride as u16;
    }
    section(image, at, bytes16(&words));
    VecArg::Mem4dAt(at)
}

/// Twenty words 0, 1, 2, ... at address 0.
fn counting() -> PeImage {
    let mut image = image();
    section(&mut image, 0, bytes16(&std::array::from_fn::<u16, 40, _>(|i| i as u16)));
    image
}

#[test]
fn mem4d_walks_its_innermost_dimension_first() {
    let mut image = counting();
    // |i, j|{3, 2} -> A[4 * i + j]: the outer stride takes back the inner loop.
    let source = descriptor(&mut image, 0x200, 2, &[3, 2], &[1, 3]);
    let insn = vec(&mut image, VecOp::Mov16, mem(0x400, 6, 1), &[source]);
    main_task(&mut image, &[insn]);
    assert_eq!(run(image).words(0x400, 6), [1, 2, 5, 6, 9, 10]);
}

#[test]
fn the_first_source_with_a_length_decides() {
    let mut image = counting();
    let fill = vec(&mut image, VecOp::Mov16, mem(0x400, 3, 1), &[scalar(7, 16)]);
    let of_dest = vec(&mut image, VecOp::Mov16, mem(0x420, 4, 1), &[mem(2, 0, 1)]);
    let of_source = vec(&mut image, VecOp::Mov16, mem(0x440, 5, 1), &[mem(2, 2, 1)]);
    let one = vec(&mut image, VecOp::Mov16, VecArg::PtrAt(0x460), &[scalar(9, 16)]);
    main_task(&mut image, &[fill, of_dest, of_source, one]);
    let bench = run(image);
    assert_eq!(bench.words(0x400, 4), [7, 7, 7, 0]);
    assert_eq!(bench.words(0x420, 5), [1, 2, 3, 4, 0]);
    assert_eq!(bench.words(0x440, 3), [1, 2, 0]);
    assert_eq!(bench.words(0x460, 2), [9, 0]);
}

#[test]
fn a_pointer_and_a_scalar_reduce() {
    let mut image = image();
    section(&mut image, 0, bytes_f32(&[1.0, 5.0, -2.0, 3.0]));
    let (zero, low) = (scalar(0, 32), scalar(f32::NEG_INFINITY.to_bits(), 32));
    let sum = vec(&mut image, VecOp::Fadds, VecArg::PtrAt(0x400), &[zero, mem(0, 4, 1)]);
    let max = vec(&mut image, VecOp::Fmaxs, VecArg::PtrAt(0x404), &[low, mem(0, 4, 1)]);
    let last = vec(&mut image, VecOp::Fmovs, VecArg::PtrAt(0x408), &[mem(0, 4, 1)]);
    main_task(&mut image, &[sum, max, last]);
    assert_eq!(run(image).f32s(0x400, 3), [7.0, 5.0, 3.0]);
}

#[test]
fn a_stride_of_zero_adds_up_in_memory() {
    let mut image = counting();
    let insn = vec(&mut image, VecOp::Add16, mem(0x400, 5, 0), &[mem(0x400, 5, 0), mem(2, 5, 1)]);
    main_task(&mut image, &[insn]);
    assert_eq!(run(image).word(0x400), 1 + 2 + 3 + 4 + 5);
}

#[test]
fn index_offsets_count_words_whatever_the_element() {
    let mut image = image();
    section(&mut image, 0, bytes_f32(&[1.0, 2.0, 3.0, 4.0]));
    let source = VecArg::DsdConst(Dsd::mem1d(0, 2, 1, true).0);
    let config = VecConfig { index: Some(RegOrImm::Imm(4)), ..VecConfig::default() };
    let insn = vec_to(&mut image, 0, VecOp::Fmovs, mem(0x400, 2, 1), &[source], config);
    main_task(&mut image, &[insn]);
    assert_eq!(run(image).f32s(0x400, 2), [3.0, 4.0]);
}

#[test]
fn the_multiply_add_rounds_once() {
    let (a, b) = (f32::from_bits(0x3f80_0001), f32::from_bits(0x3f80_0001));
    let mut image = image();
    section(&mut image, 0, bytes_f32(&[-(a * b), a]));
    let insn = vec(&mut image, VecOp::Fmacs, mem(0x400, 1, 1), &[mem(0, 1, 1), mem(4, 1, 1), scalar(b.to_bits(), 32)]);
    main_task(&mut image, &[insn]);
    assert_eq!(run(image).f32s(0x400, 1), [2f32.powi(-46)]);
}

fn dsr(file: DsrFile) -> VecArg {
    VecArg::Dsr { file, id: 3 }
}

fn dest_and_source(image: &mut PeImage, source: VecArg, save_address: bool) {
    let config = VecConfig { save_address, ..VecConfig::default() };
    for (file, dsd) in [(DsrFile::Dest, mem(0x400, 3, 1)), (DsrFile::Src0, source)] {
        image.dsr_inits.push(DsrLoad { file, id: 3, xdsr: None, srs: Vec::new(), dsd, config: config.clone() });
    }
}

#[test]
fn a_dsr_stands_as_it_was_loaded_unless_it_saves_its_address() {
    for (save, expected) in [(false, [1, 2, 3, 0, 0, 0]), (true, [1, 2, 3, 4, 5, 6])] {
        let mut image = counting();
        dest_and_source(&mut image, mem(2, 3, 1), save);
        let insn = vec(&mut image, VecOp::Mov16, dsr(DsrFile::Dest), &[dsr(DsrFile::Src0)]);
        main_task(&mut image, &[insn, insn]);
        assert_eq!(run(image).words(0x400, 6), expected);
    }
}

#[test]
fn a_circular_buffer_wraps_and_goes_on_where_it_stood() {
    let mut image = counting();
    let circbuf = VecArg::DsdConst(Dsd::circbuf(2, 3, 2).0);
    dest_and_source(&mut image, circbuf, true);
    let insn = vec(&mut image, VecOp::Mov16, dsr(DsrFile::Dest), &[dsr(DsrFile::Src0)]);
    main_task(&mut image, &[insn, insn]);
    assert_eq!(run(image).words(0x400, 6), [1, 2, 1, 2, 1, 2]);
}

#[test]
fn a_saved_mem4d_goes_on_in_its_outermost_dimension() {
    let mut image = counting();
    let source = descriptor(&mut image, 0x200, 0, &[1, 3], &[1, 2]);
    dest_and_source(&mut image, source, true);
    let insn = vec(&mut image, VecOp::Mov16, dsr(DsrFile::Dest), &[dsr(DsrFile::Src0)]);
    main_task(&mut image, &[insn, insn]);
    assert_eq!(run(image).words(0x400, 6), [0, 1, 2, 4, 5, 6]);
}

#[test]
fn an_empty_dsr_is_a_fault_with_its_instruction() {
    let mut image = image();
    let insn = vec(&mut image, VecOp::Mov16, dsr(DsrFile::Dest), &[scalar(1, 16)]);
    main_task(&mut image, &[charge(5), insn]);
    let fault = Bench::new(image).run().expect_err("nothing was loaded");
    assert_eq!(fault.kind, FaultKind::EmptyDsr { file: DsrFile::Dest, id: 3 });
    assert_eq!((fault.pc, fault.cycle), (Some(1), 5));
}

#[test]
fn an_operation_longer_than_memory_wraps_and_ends() {
    let mut image = image();
    let insn = vec(&mut image, VecOp::Mov16, mem(0xbffe, 0x7ffe, 1), &[scalar(1, 16)]);
    main_task(&mut image, &[insn]);
    assert_eq!(run(image).word(0xbffe), 1);
}

#[test]
fn an_endless_operation_over_memory_is_a_fault() {
    let mut image = image();
    let insn = vec(&mut image, VecOp::Mov16, mem(0, 0x7fff, 1), &[scalar(1, 16)]);
    main_task(&mut image, &[insn]);
    assert_eq!(Bench::new(image).run().expect_err("it has no end").kind, FaultKind::EndlessOperation);
}
