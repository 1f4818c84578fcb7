//! Bytecode of tiny functions.

use csl_codegen::list_program;

use crate::build::pe;
use crate::run::{dot_loop, sum_loop};

/// The temporaries are gone, the address is part of the load, and step and test of the loop are one instruction at its end.
#[test]
fn a_loop_is_three_instructions() {
    insta::assert_snapshot!(list_program(&pe(sum_loop())), @"
    program pe.csl

    f0 sum: params 1, frame 4, result
        0  imm r1, 0
        1  imm r2, 0
        2  charge cost 2, 0
        3  br_le_s r0, r1, @9, cost 1/4
        5  load_u32_at_idx r3, 0x10, r1
        6  add_f32 r2, r2, r3
        7  next_i16 r1, r0, @5, cost 11/17
        9  ret r2, cost 6
    ");
}

/// The first instruction of an iteration carries out the other three too, which stay in their places.
#[test]
fn a_sum_of_products_is_one_instruction() {
    insta::assert_snapshot!(list_program(&pe(dot_loop())), @"
    program pe.csl

    f0 dot: params 1, frame 5, result
        0  imm r1, 0
        1  imm r2, 0
        2  charge cost 2, 0
        3  br_le_u r0, r1, @10, cost 1/4
        5  load_u32_at_idx+3 r3, 0x10, r1
        6  load_u32_at_idx r4, 0x30, r1
        7  mul_acc_f32 r2, r3, r4
        8  next_u16 r1, r0, @5, cost 14/20
       10  ret r2, cost 6
    ");
}
