//! The vendor simulator's cycles of one operation between two timestamps. The timestamps themselves are the compiler's
//! (6 cycles on WSE-2, 10 on WSE-3): here the counter is read without cost.

use csl_image::PeImage;
use csl_isa::vec::VecArg;
use csl_isa::{Insn, Op};
use csl_machine::{Arch, DsrFile, Sdk, SysOp, VecConfig, VecOp};

use crate::builder::*;

/// Cycles that `code` takes, from a counter that starts right before it.
fn cycles_on(arch: Arch, mut image: PeImage, before: &[Insn], code: &[Insn]) -> u64 {
    let counter = [sys(SysOp::TscEnable, 0, 0)];
    let read = [imm(1, 0), sys(SysOp::TscWord, 1, 2), store16(2, 0x9000)];
    main_task(&mut image, &[before, &counter, code, &read].concat());
    let mut bench = Bench::on(image, arch, Sdk { major: 1, minor: 4 });
    bench.run().expect("no fault");
    u64::from(bench.word(0x9000))
}

fn cycles(arch: Arch, op: VecOp, dest: VecArg, srcs: &[VecArg]) -> u64 {
    let mut image = image();
    let insn = vec(&mut image, op, dest, srcs);
    let stamps = u64::from(arch.chip().timing.timestamp_pair);
    stamps + cycles_on(arch, image, &[], &[insn])
}

/// Arrays far apart, the second source in other banks than the first.
fn d(n: u16) -> VecArg {
    mem(0x6000, n, 1)
}

fn a(n: u16) -> VecArg {
    mem(0x0000, n, 1)
}

fn b(n: u16) -> VecArg {
    mem(0x3004, n, 1)
}

#[test]
fn the_vector_rows_of_wse2() {
    let on = |op, dest, srcs: &[VecArg]| cycles(Arch::Wse2, op, dest, srcs);
    for n in [256, 512, 1024, 4096] {
        let quarter = u64::from(n) / 4;
        assert_eq!(on(VecOp::Fmovh, d(n), &[a(n)]), quarter + 10, "copy f16 {n}");
        assert_eq!(on(VecOp::Fmulh, d(n), &[a(n), scalar(0x4000, 16)]), quarter + 11, "scale f16 {n}");
        assert_eq!(on(VecOp::Faddh, d(n), &[a(n), b(n)]), quarter + 12, "add f16 {n}");
        assert_eq!(on(VecOp::Fmach, d(n), &[a(n), b(n), scalar(0x4000, 16)]), quarter + 13, "triad f16 {n}");
    }
    for n in [128, 512, 2048] {
        let (all, half) = (u64::from(n), u64::from(n) / 2);
        assert_eq!(on(VecOp::Fmovs, d(n), &[a(n)]), half + 10, "copy f32 {n}");
        assert_eq!(on(VecOp::Fmuls, d(n), &[a(n), scalar(0x4000_0000, 32)]), all + 11, "scale f32 {n}");
        assert_eq!(on(VecOp::Fmacs, d(n), &[a(n), b(n), scalar(0x4000_0000, 32)]), all + 12, "triad f32 {n}");
    }
}

/// `fmuls` over explicit DSRs that were loaded long before.
fn loaded_beforehand(second: VecArg) -> u64 {
    let mut image = image();
    let loads = [(DsrFile::Dest, d(512)), (DsrFile::Src0, a(512)), (DsrFile::Src1, second)]
        .map(|(file, dsd)| load_dsr(&mut image, file, 1, dsd, VecConfig::default()));
    let [dest, src0, src1] = [DsrFile::Dest, DsrFile::Src0, DsrFile::Src1].map(|file| VecArg::Dsr { file, id: 1 });
    let insn = vec(&mut image, VecOp::Fmuls, dest, &[src0, src1]);
    6 + cycles_on(Arch::Wse2, image, &[&loads[..], &[charge(10)]].concat(), &[insn])
}

#[test]
fn dsrs_loaded_beforehand_cost_nothing_and_conflicts_double_the_time() {
    assert_eq!(loaded_beforehand(b(512)), 512 + 6);
    assert_eq!(loaded_beforehand(mem(0x3000, 512, 1)), 2 * 512 + 6);
}

#[test]
fn an_operation_right_behind_a_dsr_load_waits_for_it() {
    let mut image = image();
    let load = load_dsr(&mut image, DsrFile::Src0, 1, a(8), VecConfig::default());
    let dest = load_dsr(&mut image, DsrFile::Dest, 1, d(8), VecConfig::default());
    let insn = vec(
        &mut image,
        VecOp::Fmovs,
        VecArg::Dsr { file: DsrFile::Dest, id: 1 },
        &[VecArg::Dsr { file: DsrFile::Src0, id: 1 }],
    );
    assert_eq!(cycles_on(Arch::Wse2, image, &[], &[load, dest, insn]), 1 + 1 + 2 + 8 / 2);
}

#[test]
fn the_vector_rows_of_wse3() {
    let on = |op, dest, srcs: &[VecArg]| cycles(Arch::Wse3, op, dest, srcs);
    assert_eq!(on(VecOp::Fmovh, d(1024), &[a(1024)]), 1024 / 8 + 15, "copy f16");
    assert_eq!(on(VecOp::Fmovs, d(1024), &[a(1024)]), 1024 / 4 + 15, "copy f32");
    assert_eq!(on(VecOp::Fmacs, d(1024), &[a(1024), b(1024), scalar(0, 32)]), 1024 + 17, "fma f32");
}

#[test]
fn strides_of_a_multiple_of_eight_go_one_by_one() {
    let odd = |stride| cycles(Arch::Wse2, VecOp::Mov16, mem(0x6000, 64, 1), &[mem(0, 64, stride)]);
    assert_eq!([odd(1), odd(3), odd(7), odd(8), odd(0)], [16 + 10, 16 + 10, 32 + 10, 64 + 10, 16 + 10]);
}

#[test]
fn a_scalar_destination_takes_one_element_a_cycle() {
    let sum = cycles(Arch::Wse3, VecOp::Fadds, VecArg::PtrAt(0x9100), &[scalar(0, 32), a(256)]);
    assert_eq!(sum, 256 + 10 + 2 + 3 + 1);
}

#[test]
fn scalar_code_moves_the_counter_by_its_charge() {
    assert_eq!(cycles_on(Arch::Wse2, image(), &[], &[charge(17), Insn::new(Op::Imm, 5, 0, 0)]), 17);
}
