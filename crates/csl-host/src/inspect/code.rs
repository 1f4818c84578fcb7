//! Instructions, function by function, with the source lines that they come from.

use std::collections::HashMap;

use csl_image::{Function, Line, PeImage};
use csl_isa::disassemble;
use serde_json::{Value, json};

use super::{Inspection, list, title};
use crate::error::{HostError, NameError};
use crate::simlog::operands;
use crate::sources::{Reread, reread};

/// An instruction: its number and its text.
struct Row {
    pc: u32,
    text: String,
}

fn rows(program: &PeImage, function: &Function) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut pc = function.entry;
    while pc < function.end {
        let insn = program.code[pc as usize];
        let len = if insn.op.has_ext() { 2 } else { 1 };
        let end = (pc + len).min(program.code.len() as u32);
        let text = disassemble(&program.code[pc as usize..end as usize], pc as usize);
        let plain = || text.trim_start().split_once("  ").map_or("", |(_, text)| text).trim_end().to_owned();
        rows.push(Row { pc, text: operands::vector_text(program, insn).unwrap_or_else(plain) });
        pc += len;
    }
    rows
}

fn functions<'a>(program: &'a PeImage, name: Option<&'a str>) -> impl Iterator<Item = &'a Function> + 'a {
    program.funcs.iter().filter(move |function| name.is_none_or(|name| function.name == name))
}

fn check(inspection: &Inspection, programs: &[usize], name: Option<&str>) -> Result<(), HostError> {
    let chosen = || programs.iter().map(|&number| &inspection.image.programs[number]);
    let Some(name) = name else { return Ok(()) };
    if chosen().any(|program| functions(program, Some(name)).next().is_some()) {
        return Ok(());
    }
    let known = list(chosen().flat_map(|program| program.funcs.iter().map(|function| function.name.as_str())));
    Err(NameError::Code { name: name.to_owned(), known }.into())
}

pub(super) fn text(inspection: &Inspection, variants: &[Vec<usize>], name: Option<&str>) -> Result<String, HostError> {
    check(inspection, &variants.concat(), name)?;
    let mut files = Files { inspection, texts: HashMap::new() };
    let mut out = String::new();
    for programs in variants {
        let program = &inspection.image.programs[programs[0]];
        if functions(program, name).next().is_none() {
            continue;
        }
        out += &title(&inspection.image, programs);
        for function in functions(program, name) {
            out += &format!("\n{}:\n", function.name);
            let mut shown = None;
            for row in rows(program, function) {
                let line = program.line_of(row.pc).map(|line| (line.file, line.line));
                if line != shown {
                    out += &program.line_of(row.pc).map(|line| files.excerpt(line)).unwrap_or_default();
                    shown = line;
                }
                out += &format!("  0x{:04x}  {:5}  {}\n", row.pc, row.pc, row.text);
            }
        }
        out += "\n";
    }
    Ok(out)
}

/// Source files, read again.
struct Files<'a> {
    inspection: &'a Inspection,
    texts: HashMap<u32, Reread>,
}

impl Files<'_> {
    fn excerpt(&mut self, line: Line) -> String {
        let inspection = self.inspection;
        let Some(file) = inspection.image.files.get(line.file as usize) else { return String::new() };
        let name = &file.name;
        let source = match self.texts.entry(line.file).or_insert_with(|| reread(&inspection.sources, file)) {
            // An image may say line 0, which no text has.
            Reread::Text(text) => {
                line.line.checked_sub(1).and_then(|at| text.lines().nth(at as usize)).unwrap_or_default().trim()
            }
            Reread::Changed => "(the file has changed since it was compiled)",
            Reread::Gone => "",
        };
        let head = format!("{name}:{}", line.line);
        let room = super::WIDTH.saturating_sub(head.chars().count() + 2);
        format!("{head}  {}\n", source.chars().take(room).collect::<String>()).replace("  \n", "\n")
    }
}

pub(super) fn json(inspection: &Inspection, programs: &[usize], name: Option<&str>) -> Result<Value, HostError> {
    check(inspection, programs, name)?;
    let files = &inspection.image.files;
    let row = |program: &PeImage, row: &Row| {
        let line = program.line_of(row.pc);
        json!({
            "pc": row.pc, "text": row.text, "file": line.and_then(|line| files.get(line.file as usize).map(|file| &file.name)),
            "line": line.map(|line| line.line),
        })
    };
    let function = |program: &PeImage, function: &Function| {
        let rows = rows(program, function).iter().map(|found| row(program, found)).collect::<Vec<Value>>();
        json!({ "name": function.name, "entry": function.entry, "end": function.end, "instructions": rows })
    };
    let program = |&number: &usize| {
        let program = &inspection.image.programs[number];
        let functions = functions(program, name).map(|found| function(program, found)).collect::<Vec<Value>>();
        json!({ "number": number, "name": program.name, "functions": functions })
    };
    Ok(json!(programs.iter().map(program).collect::<Vec<Value>>()))
}
