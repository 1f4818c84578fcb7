//! Shows the program of each tile, by rectangles.

use csl_image::Image;
use serde_json::{Value, json};

use super::wrapped;

/// Rectangles that a text lists for one program; the JSON form has all.
const MOST: usize = 60;

/// Columns `x..=end_x` and rows `y..=end_y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    x: u32,
    y: u32,
    end_x: u32,
    end_y: u32,
}

/// The number of PEs that run a program.
pub(super) fn count(image: &Image, program: usize) -> u64 {
    image.tiles.iter().filter(|run| run.program.index() == program).map(|run| u64::from(run.len)).sum()
}

/// First and last column, and row, of each maximal run of PEs with one of the programs.
fn runs(image: &Image, programs: &[usize]) -> Vec<(u32, u32, u32)> {
    let wanted: Vec<bool> = (0..image.programs.len()).map(|number| programs.contains(&number)).collect();
    let mut runs: Vec<(u32, u32, u32)> = Vec::new();
    for run in image.tiles.iter().filter(|run| wanted[run.program]) {
        match runs.last_mut() {
            Some(last) if last.2 == run.y && last.1 + 1 == run.x => last.1 += run.len,
            _ => runs.push((run.x, run.x + run.len - 1, run.y)),
        }
    }
    runs
}

/// Rectangles, joined from runs of equal columns in consecutive rows.
fn blocks(image: &Image, programs: &[usize]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut row = 0;
    for (x, end_x, y) in runs(image, programs) {
        if y != row {
            open.retain(|&at| blocks[at].end_y + 1 >= y);
            row = y;
        }
        let above = |at: &&usize| (blocks[**at].x, blocks[**at].end_x, blocks[**at].end_y + 1) == (x, end_x, y);
        match open.iter().find(above).copied() {
            Some(at) => blocks[at].end_y = y,
            None => {
                open.push(blocks.len());
                blocks.push(Block { x, y, end_x, end_y: y });
            }
        }
    }
    blocks
}

fn range(from: u32, to: u32) -> String {
    if from == to { from.to_string() } else { format!("{from}..{to}") }
}

pub(super) fn text(image: &Image, variants: &[Vec<usize>]) -> String {
    let mut out = String::from("PEs by file: (columns, rows), both from 0 and with their ends\n\n");
    for programs in variants {
        let blocks = blocks(image, programs);
        let shown = blocks.iter().take(MOST);
        let mut words: Vec<String> =
            shown.map(|block| format!("({}, {})", range(block.x, block.end_x), range(block.y, block.end_y))).collect();
        if blocks.len() > MOST {
            words.push(format!("and {} more", blocks.len() - MOST));
        }
        let pes = crate::counted(programs.iter().map(|&number| count(image, number)).sum(), "PE");
        let count = crate::counted(programs.len() as u64, "program");
        out += &format!("{}: {pes}, {count}\n", image.programs[programs[0]].name);
        out += &wrapped(" ", &words, 2);
    }
    out
}

pub(super) fn json(image: &Image, programs: &[usize]) -> Value {
    let block = |block: &Block| {
        let (width, height) = (block.end_x - block.x + 1, block.end_y - block.y + 1);
        json!({ "x": block.x, "y": block.y, "width": width, "height": height })
    };
    let program = |&number: &usize| {
        json!({
            "number": number, "name": image.programs[number].name, "pes": count(image, number),
            "rectangles": blocks(image, &[number]).iter().map(block).collect::<Vec<Value>>(),
        })
    };
    json!(programs.iter().map(program).collect::<Vec<Value>>())
}
