//! The stable text of an image's code, for `--emit=bytecode`.

use std::fmt::Write;

use csl_image::{Function, Image, PeImage};
use csl_isa::disassemble;

/// All programs of an image.
pub fn list_image(image: &Image) -> String {
    image.programs.iter().map(|program| list_program(program)).collect::<Vec<_>>().join("\n")
}

/// One program: its functions, then the tables that their instructions name.
pub fn list_program(pe: &PeImage) -> String {
    let mut out = format!("program {}\n", pe.name);
    for (number, func) in pe.funcs.iter().enumerate() {
        push(&mut out, format_args!("\n{}", head(number, func)));
        out.push_str(&disassemble(&pe.code[func.entry as usize..func.end as usize], func.entry as usize));
    }
    rows(&mut out, "pool", pe.pool.iter().map(|value| format!("{value:#x}")));
    rows(&mut out, "mem4d", pe.descriptors.iter().map(|words| format!("{words:?}")));
    rows(&mut out, "vec", pe.vecs.iter().map(vec_row));
    rows(&mut out, "dsr_load", pe.dsr_loads.iter().map(|row| format!("{row:?}")));
    rows(&mut out, "iter_dsd", pe.iters.iter().map(|row| format!("{:?}, {} bits", row.dsd, row.elem_bits)));
    out
}

fn head(number: usize, func: &Function) -> String {
    let result = if func.has_result { ", result" } else { "" };
    let stack = if func.stack > 0 { format!(", stack {}", func.stack) } else { String::new() };
    format!("f{number} {}: params {}, frame {}{stack}{result}\n", func.name, func.params, func.frame)
}

fn vec_row(row: &csl_isa::vec::VecDesc) -> String {
    let name = csl_machine::VecOp::ALL.get(usize::from(row.op)).map_or("?", |op| op.name());
    let srcs: Vec<String> = row.srcs.iter().map(|src| format!("{src:?}")).collect();
    let config = if row.config == Default::default() { String::new() } else { format!(" {:?}", row.config) };
    format!("{name} {:?} <- {}{config}", row.dest, srcs.join(", "))
}

fn rows(out: &mut String, table: &str, rows: impl Iterator<Item = String>) {
    rows.enumerate().for_each(|(number, row)| {
        let gap = if number == 0 { "\n" } else { "" };
        push(out, format_args!("{gap}{table}[{number}] = {row}\n"));
    });
}

fn push(out: &mut String, args: std::fmt::Arguments<'_>) {
    out.write_fmt(args).expect("writing to a String does not fail");
}
