//! Every vector operation over mem1d and mem4d operands against a plain loop over the documented meaning of one element.

use csl_image::PeImage;
use csl_isa::vec::VecArg;
use csl_machine::{Elem, VecOp};
use csl_num::{FloatKind, IntTy, fma, fmachs};
use proptest::prelude::*;

use crate::builder::*;

const F16: FloatKind = FloatKind::F16;
const F32: FloatKind = FloatKind::F32;

/// One element, written with the scalar semantics and plain integers.
fn element(op: VecOp, [a, b, c]: [u64; 3], carry: &mut u64) -> u64 {
    let shift = |count: u64| count.min(16) as u32;
    match op {
        VecOp::Add16 => (a + b) & 0xffff,
        VecOp::Addc16 => {
            let sum = a + b + *carry;
            *carry = sum >> 16;
            sum & 0xffff
        }
        VecOp::Sub16 => (a + 0x10000 - b) & 0xffff,
        VecOp::And16 => a & b,
        VecOp::Or16 => a | b,
        VecOp::Xor16 => a ^ b,
        VecOp::Sll16 => (a << shift(b)) & 0xffff,
        VecOp::Slr16 => a >> shift(b),
        VecOp::Sar16 => (i64::from(a as i16) >> shift(b)) as u64 & 0xffff,
        VecOp::Clz => (0..16).rev().take_while(|bit| a >> bit & 1 == 0).count() as u64,
        VecOp::Ctz => (0..16).take_while(|bit| a >> bit & 1 == 0).count() as u64,
        VecOp::Popcnt => (0..16).map(|bit| a >> bit & 1).sum(),
        VecOp::Mov16 | VecOp::Mov32 | VecOp::Fmovh | VecOp::Fmovs | VecOp::Dfilt => a,
        VecOp::Fabsh => csl_num::float_abs(F16, a),
        VecOp::Fabss => csl_num::float_abs(F32, a),
        VecOp::Fnegh => csl_num::float_neg(F16, a),
        VecOp::Fnegs => csl_num::float_neg(F32, a),
        VecOp::Faddh => csl_num::float_add(F16, a, b),
        VecOp::Fadds => csl_num::float_add(F32, a, b),
        VecOp::Fsubh => csl_num::float_sub(F16, a, b),
        VecOp::Fsubs => csl_num::float_sub(F32, a, b),
        VecOp::Fmulh => csl_num::float_mul(F16, a, b),
        VecOp::Fmuls => csl_num::float_mul(F32, a, b),
        VecOp::Fmaxh => csl_num::float_max(F16, a, b),
        VecOp::Fmaxs => csl_num::float_max(F32, a, b),
        VecOp::Fmach => fma(F16, b, c, a),
        VecOp::Fmacs => fma(F32, b, c, a),
        VecOp::Fmachs => fmachs(F16, b, c, a),
        VecOp::Faddhs => csl_num::faddhs(F16, a, b),
        VecOp::Fh2s => csl_num::float_convert(F16, F32, a),
        VecOp::Fs2h => csl_num::float_convert(F32, F16, a),
        VecOp::Fh2xp16 => csl_num::float_to_xp16(F16, a) & 0xffff,
        VecOp::Fs2xp16 => csl_num::float_to_xp16(F32, a) & 0xffff,
        VecOp::Xp162fh => csl_num::int_to_float(F16, IntTy::I16, a as i16 as u64),
        VecOp::Xp162fs => csl_num::int_to_float(F32, IntTy::I16, a as i16 as u64),
        VecOp::Fnormh => csl_num::float_norm(F16, a),
        VecOp::Fnorms => csl_num::float_norm(F32, a),
        VecOp::Fscaleh => csl_num::float_scale(F16, a, b as i16),
        VecOp::Fscales => csl_num::float_scale(F32, a, b as i16),
    }
}

#[derive(Clone, Debug)]
struct Operand {
    addr: u16,
    stride: i16,
    /// The elements from one row to the next of a mem4d operand of two dimensions.
    row: Option<i16>,
}

/// The elements of an operation: of a row, and rows.
#[derive(Clone, Copy, Debug)]
struct Extents {
    inner: u16,
    outer: u16,
}

impl Operand {
    /// The place of an element among those of its kind, from the first on.
    fn place(&self, i: i32, extents: Extents) -> i32 {
        match self.row {
            None => i * i32::from(self.stride),
            Some(row) => {
                let inner = i32::from(extents.inner);
                i / inner * i32::from(row) + i % inner * i32::from(self.stride)
            }
        }
    }

    fn arg(&self, image: &mut PeImage, extents: Extents) -> VecArg {
        let Extents { inner, outer } = extents;
        let Some(row) = self.row else { return mem(self.addr, inner * outer, self.stride) };
        // The step to the next row takes back the way along this one.
        let back = row - (inner as i16 - 1) * self.stride;
        let number = image.descriptors.len() as u16;
        image.descriptors.push([self.addr, 2, outer, inner, 0, 0, self.stride as u16, back as u16, 0, 0]);
        VecArg::Mem4dConst(number)
    }
}

fn operand() -> impl Strategy<Value = Operand> {
    // Narrow enough that operands overlap each other often, and often contiguous, which has loops of its own.
    let row = prop_oneof![2 => Just(None), 1 => (-20i16..21).prop_map(Some)];
    let stride = prop_oneof![Just(1), -3i16..4];
    (0u16..200, stride, row).prop_map(|(word, stride, row)| Operand { addr: 800 + 2 * word, stride, row })
}

fn op() -> impl Strategy<Value = VecOp> {
    let ops: Vec<VecOp> = VecOp::ALL.iter().copied().filter(|&op| op != VecOp::Dfilt).collect();
    prop_oneof![3 => prop::sample::select(ops), 1 => Just(VecOp::Fmacs)]
}

fn bits(elem: Elem) -> u8 {
    elem.words() as u8 * 16
}

fn read(memory: &[u8], addr: usize, elem: Elem) -> u64 {
    let bytes = usize::from(elem.words()) * 2;
    memory[addr..addr + bytes].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn every_operation_agrees_with_a_plain_loop(
        op in op(),
        dest in operand(),
        srcs in prop::array::uniform3(operand()),
        scalars in prop::array::uniform3(any::<u32>()),
        is_scalar in 0u8..8,
        extents in (1u16..20, 1u16..4).prop_map(|(inner, outer)| Extents { inner, outer }),
        contents in prop::collection::vec(any::<u8>(), 2048),
    ) {
        let mut image = image();
        let count = op.sources().len();
        let args: Vec<VecArg> = (0..count).map(|i| {
            if is_scalar >> i & 1 == 1 {
                scalar(scalars[i], bits(op.sources()[i]))
            } else {
                srcs[i].arg(&mut image, extents)
            }
        }).collect();
        section(&mut image, 0, contents.clone());
        let to = dest.arg(&mut image, extents);
        let insn = vec(&mut image, op, to, &args);
        main_task(&mut image, &[insn]);
        let bench = run(image);

        let mut memory = contents;
        let mut carry = 0;
        for i in 0..i32::from(extents.inner * extents.outer) {
            let at = |operand: &Operand, elem: Elem| {
                (i32::from(operand.addr) + operand.place(i, extents) * i32::from(elem.words()) * 2) as usize
            };
            let mut values = [0; 3];
            for k in 0..count {
                let elem = op.sources()[k];
                let mask = if elem.words() == 1 { 0xffff } else { u32::MAX };
                values[k] = match args[k] {
                    VecArg::ScalarConst { value, .. } => u64::from(value & mask),
                    _ => read(&memory, at(&srcs[k], elem), elem),
                };
            }
            let result = element(op, values, &mut carry);
            let (to, bytes) = (at(&dest, op.dest()), usize::from(op.dest().words()) * 2);
            memory[to..to + bytes].copy_from_slice(&result.to_le_bytes()[..bytes]);
        }
        let mut kept = vec![0; memory.len()];
        bench.pe.memory().read_bytes(0, &mut kept);
        prop_assert!(kept == memory, "{:?} {:?} {:?} {:?} {:?}", op, extents, dest, srcs, args);
    }
}
