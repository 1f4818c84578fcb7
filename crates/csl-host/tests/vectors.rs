//! Every vector operation has the value of a plain loop over its elements: for each operand every form that the guide's
//! page of builtins gives it. The operation and the loop stand in one CSL program, which counts where they differ.

mod operands;
mod reference;

use std::fmt::Write;

use csl_host::Arch;
use csl_machine::{Elem, Forms, VecOp};
use csl_num::FloatKind;

use self::operands::{Dest, Source, destinations, pointer_sources, sources};
pub use self::reference::EXPRESSIONS;
use self::reference::{DECLARATIONS, data};
use crate::verdict::{FRAME, verdict};

/// The CSL type of an element.
fn type_of(elem: Elem) -> &'static str {
    match elem {
        Elem::I16 => "u16",
        Elem::I32 => "u32",
        Elem::Half => "half",
        Elem::F32 => "f32",
    }
}

/// The program of one operation: a function for each case.
struct Program {
    op: VecOp,
    cases: String,
    texts: Vec<String>,
}

impl Program {
    fn new(op: VecOp) -> Program {
        Program { op, cases: String::new(), texts: Vec::new() }
    }

    /// One use of the operation, and the loop that computes its result.
    fn case(&mut self, dest: &Dest, srcs: &[Source]) {
        let number = self.texts.len();
        let op = self.op.name();
        let args: Vec<&str> = [dest.text.as_str()].into_iter().chain(srcs.iter().map(|s| s.text.as_str())).collect();
        let config = if dest.is_async { ", .{ .async = true }" } else { "" };
        let call = format!("@{op}({}{config})", args.join(", "));
        let setup: String = srcs.iter().map(|s| s.setup.as_str()).chain([dest.setup.as_str()]).collect();
        let run = if dest.is_async { format!("{call};") } else { format!("check({call}, {number});") };
        let compare = comparison(dest, srcs, number);
        write!(
            self.cases,
            "fn case{number}() void {{\n  carry = 0;\n  {setup}{run}\n  {}{compare}  clear();\n}}\n",
            dest.after
        )
        .expect("a String takes text");
        self.texts.push(format!("{setup}{call}"));
    }

    fn source(&self) -> String {
        let words = self.op.dest().words();
        let dest = format!(
            "const D = {};\nconst bits_of_D = {};\n",
            type_of(self.op.dest()),
            if words == 1 { "u16" } else { "u32" }
        );
        let expression = EXPRESSIONS.iter().find(|(op, _)| *op == self.op).expect("every operation has its row").1;
        let function = format!("fn f(a: anytype, b: anytype, c: anytype) D {{ return {expression}; }}\n");
        let calls: String = (0..self.texts.len()).map(|n| format!("  case{n}();\n")).collect();
        format!(
            "{FRAME}{dest}{DECLARATIONS}{}{function}{}fn run() void {{\n{calls}  sys_mod.unblock_cmd_stream();\n}}\n",
            data(),
            self.cases
        )
    }
}

/// The loop that compares: element for element, or the final value of a scalar behind a pointer.
fn comparison(dest: &Dest, srcs: &[Source], number: usize) -> String {
    let mut at: Vec<&str> = srcs.iter().map(|s| s.at.as_str()).collect();
    at.resize(3, "0");
    if dest.accumulates {
        let step = format!("sum = f(sum, {}, 0);", at[1]);
        return format!(
            "var sum: D = {};\n  for (@range(u16, 6)) |i| {{ {step} }}\n  check(bits(sum) == bits(one), {number});\n",
            at[0]
        );
    }
    let at = at.join(", ");
    format!(
        "for (@range(u16, 6)) |i| {{ want[i] = f({at}); }}
  for (@range(u16, 6)) |i| {{ check(bits({}) == bits(want[{}]), {number}); }}\n",
        dest.at, dest.from
    )
}

/// All cases of an operation.
fn program(op: VecOp, arch: Arch) -> Program {
    let mut program = Program::new(op);
    if matches!(op.forms(), Forms::ScalarUnary | Forms::ScalarBinary) {
        for (dest, srcs) in pointer_sources(op) {
            program.case(&dest, &srcs);
        }
        return program;
    }
    let plain = sources(op, arch).into_iter().next().expect("all sources in memory");
    for dest in destinations(op) {
        program.case(&dest, &plain);
    }
    for srcs in sources(op, arch).iter().skip(1) {
        program.case(&Dest::plain(), srcs);
    }
    for (dest, srcs) in pointer_sources(op) {
        program.case(&dest, &srcs);
    }
    program
}

fn assert_equals_loop(op: VecOp, arch: Arch, fp16: FloatKind) {
    let program = program(op, arch);
    let run = verdict(&program.source(), arch, fp16);
    let result = run.unwrap_or_else(|error| panic!("@{} on {arch}: {error}", op.name()));
    let first = &program.texts[result[1] as usize % program.texts.len()];
    assert_eq!(result[0], 0, "{arch} {fp16}: {} differences, the first in {first}", result[0]);
}

/// All operations but `@dfilt`, which has no elements: `tests/run/wavelets` tests the wavelets that it drops.
fn operations() -> impl Iterator<Item = VecOp> {
    VecOp::ALL.iter().copied().filter(|&op| op != VecOp::Dfilt)
}

#[test]
fn every_operation_equals_a_loop() {
    for arch in Arch::ALL.iter().copied() {
        operations().for_each(|op| assert_equals_loop(op, arch, FloatKind::F16));
    }
}

#[test]
fn in_every_16_bit_format() {
    let has_half = |op: &VecOp| op.dest() == Elem::Half || op.sources().contains(&Elem::Half);
    for fp16 in [FloatKind::Bf16, FloatKind::Cb16] {
        operations().filter(has_half).for_each(|op| assert_equals_loop(op, Arch::Wse3, fp16));
    }
}

#[test]
fn a_difference_is_seen() {
    let mut wrong = Program::new(VecOp::Sub16);
    let srcs = sources(VecOp::Sub16, Arch::Wse2).remove(0);
    wrong.case(&Dest::plain(), &srcs);
    let source = wrong.source().replace("return a - b;", "return a + b;");
    let result = verdict(&source, Arch::Wse2, FloatKind::F16).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(result, [5, 0]);
}
