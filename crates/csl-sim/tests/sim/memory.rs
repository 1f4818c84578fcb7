//! Tests of the host's view of a PE's memory when it stops the PE in the middle of an operation.

use csl_isa::{Insn, Op};
use csl_machine::{Arch, QueueDir, VecOp};

use crate::builder::*;

const WORDS: u16 = 10_000;
const FROM: u16 = 0x200;
const TO: u16 = 0x400;

/// Fills memory with `value` again and again; with a microthread that waits in vain beside it, or without.
fn filler(waits: bool) -> csl_image::PeImage {
    let mut pe = program(&[7]);
    let mut code = Vec::new();
    if waits {
        bind(&mut pe, QueueDir::In, 2, 3);
        code.push(vec_async(&mut pe, VecOp::Mov32, mem(0x300, 1), fabin(3, 2, 1), 9));
    }
    let fill = csl_isa::vec::VecArg::DsdConst(csl_isa::dsd::Dsd::mem1d(FROM, WORDS, 0, false).0);
    code.push(vec(&mut pe, VecOp::Mov32, mem(TO, WORDS), fill));
    code.extend([Insn::new(Op::Imm, 1, 9, 0), Insn::new(Op::Store16At, 1, FROM, 0)]);
    code.push(vec(&mut pe, VecOp::Mov32, mem(TO, WORDS), fill));
    main_task(&mut pe, &code);
    task(&mut pe, 9, &[]);
    pe
}

/// A vector operation is stopped between two of its elements, whether or not the PE could have run ahead.
#[test]
fn memory_at_the_stop_is_exact() {
    let written = |waits| {
        let mut sim = sim(layout(Arch::Wse2, vec![filler(waits)], &[&[0]], &[(0, 0, 3, W, RAMP)]));
        sim.stop().expect("nothing goes wrong");
        let bytes = sim.read_memory(0, 0, TO, 4 * u32::from(WORDS)).expect("there is a PE");
        let new = bytes.chunks(4).take_while(|word| word[0] == 9).count();
        assert!(bytes.chunks(4).skip(new).all(|word| word[0] == 7));
        (sim.cycle(), new)
    };
    // Two elements a cycle; the second operation starts about cycle 5,009 and, behind the start of the microthread, three later.
    assert_eq!(written(false), (9_999, 9_982));
    assert_eq!(written(true), (9_999, 9_976));
}
