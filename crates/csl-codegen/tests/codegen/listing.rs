//! Bytecode of tiny functions.

use csl_codegen::list_program;

use crate::build::pe;
use crate::run::sum_loop;

/// The temporaries are gone, the address is part of the load, and the loop's test stands at its end.
#[test]
fn a_loop_is_four_instructions() {
    insta::assert_snapshot!(list_program(&pe(sum_loop())), @"");
}
