//! Several instructions that are carried out as one do what they do one by one.

use csl_image::PeImage;
use csl_isa::{Field, Insn, Op};
use csl_pe::Memory;
use csl_pe::scalar::{self, Cpu, Exit};
use csl_testkit::{func, program};
use proptest::prelude::*;

/// Registers that instructions name here; they hold addresses, indices and values.
const REGS: u16 = 6;

/// Addresses where data lie, where none were written, where memory ends, where registers begin, where addresses wrap.
const ADDRESSES: [u16; 6] = [0x10, 0x40, 0x4000, 0xbffe, 0xc000, 0xfffe];

/// An instruction with such fields, and its `ext` word. Branches lead to `end`.
fn insn(op: Op, [a, b, c]: [u16; 3], end: u16) -> Vec<Insn> {
    let [a, b, c] = std::array::from_fn(|i| match (op.fields()[i], [a, b, c][i]) {
        (Field::Dst | Field::Src | Field::Acc, value) => value % REGS,
        (Field::Offset, value) => ADDRESSES[usize::from(value) % ADDRESSES.len()],
        (Field::Target | Field::None, _) => 0,
        (_, value) => value,
    });
    let ext = if op.is_row_access() { [128, ADDRESSES[usize::from(a) % ADDRESSES.len()], 0] } else { [3, 7, end] };
    let words = [Insn::new(op, a, b, c), Insn::new(Op::Ext, ext[0], ext[1], ext[2])];
    words[..words[0].words()].to_vec()
}

/// A fused instruction and the instructions behind it.
fn code() -> impl Strategy<Value = Vec<Insn>> {
    let fields = prop::collection::vec(any::<[u16; 3]>(), 8);
    (prop::sample::select(Op::FUSED), any::<[prop::sample::Index; 8]>(), fields).prop_map(|(fused, choices, fields)| {
        let followers = fused.followers().iter().zip(choices).map(|(set, choice)| *choice.get(set));
        let ops: Vec<Op> = [fused].into_iter().chain(followers).collect();
        let at_end = |end| ops.iter().zip(&fields).flat_map(move |(&op, &fields)| insn(op, fields, end)).collect();
        let code: Vec<Insn> = at_end(0);
        at_end(u16::try_from(code.len()).expect("a few words"))
    })
}

/// All exits until the function has returned, with the state at each.
fn run(code: &[Insn], regs: &[u64], until: u64) -> Vec<(Exit, Cpu, Memory)> {
    let mut pe: PeImage = program();
    func(&mut pe, REGS, code);
    let mut memory = Memory::new();
    memory.write_bytes(0, &(0..200u8).map(|i| i.wrapping_mul(37)).collect::<Vec<u8>>());
    let mut cpu = Cpu::new(0);
    cpu.start(&pe, 0, regs);
    let mut seen: Vec<(Exit, Cpu, Memory)> = Vec::new();
    while !matches!(seen.last(), Some((Exit::Returned | Exit::Fault(_), ..))) {
        let exit = scalar::run(&mut cpu, &mut memory, &pe, until);
        if let Exit::Load(load) = exit {
            cpu.finish_load(load, 5);
        }
        seen.push((exit, cpu.clone(), memory.clone()));
    }
    seen
}

fn value() -> impl Strategy<Value = u64> {
    let address = prop::sample::select(&ADDRESSES[..]).prop_map(u64::from);
    prop_oneof![0u64..40, address, any::<f32>().prop_map(|value| u64::from(value.to_bits())), any::<u64>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn fused_instructions_do_what_each_does(
        code in code(),
        regs in prop::collection::vec(value(), usize::from(REGS)),
        until in prop::sample::select(&[0, u64::MAX][..]),
    ) {
        let alone: Vec<Insn> = code.iter().map(|insn| insn.alone()).collect();
        prop_assert_eq!(run(&code, &regs, until), run(&alone, &regs, until));
    }
}

#[test]
fn a_fused_instruction_is_not_hidden_by_a_shorter_one() {
    for (at, &fused) in Op::FUSED.iter().enumerate() {
        assert!(fused.alone().followers().is_empty(), "{fused:?} begins with a fused one");
        let hides = |shorter: &&Op| {
            let mut sets = shorter.followers().iter().zip(fused.followers());
            shorter.alone() == fused.alone()
                && shorter.followers().len() <= fused.followers().len()
                && sets.all(|(of_shorter, set)| set.iter().all(|op| of_shorter.contains(op)))
        };
        assert_eq!(Op::FUSED[..at].iter().find(hides), None, "{fused:?}");
    }
}
