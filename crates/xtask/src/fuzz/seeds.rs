//! Seeds of the fuzzing targets, from the programs of the tests and the examples.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::shell::root;

/// A layout around programs of tests that have none, and what they name of it.
const LAYOUT: &str = "const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = 2, .height = 1 });
layout {
  @set_rectangle(2, 1);
  for (@range(u16, 2)) |x| {
    @set_tile_code(x, 0, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(x), .column = x, .row = 0 });
  }
  @export_name(\"main\", fn()void);
}
";
const FRAME: &str = "param memcpy_params;
param column: u16;
param row: u16;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
fn done() void { sys_mod.unblock_cmd_stream(); }
comptime { @export_symbol(main); }
";

/// Folders with programs, by their form.
const SCENES: [&str; 2] = ["tests/run", "tests/mistakes"];
const TEXTS: [&str; 5] =
    ["tests/ui", "tests/golden", "crates/csl-syntax/tests", "crates/csl-sema/tests", "crates/csl-opt/tests"];
const FOLDERS: [&str; 2] = ["examples", "tests/timing"];
const LIBRARY: &str = "crates/csl-std/csl";

const WORDS: [&str; 6] = [
    "landing",
    "landing,router@P5.2,inst_trace@P4.1,wavelet",
    "x=in.npy:float32:4@0,0,2,1",
    "y=out.npy:uint16",
    "main",
    "f:1,0x10,-2.5,true",
];

/// Programs whose bytes are random, for the generators of machine programs.
const MACHINES: u64 = 64;

/// Writes a folder for each target.
pub fn write(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let mut texts = Vec::new();
    for (i, path) in programs(&SCENES).iter().enumerate() {
        let chip = ["wse2", "wse3"][i % 2];
        let text = fs::read_to_string(path)?;
        let has_layout = text.contains("\n//- ") || text.starts_with("//- ") || text.contains("layout {");
        texts.push(match has_layout {
            true => format!("//$ {chip}\n{text}"),
            false => format!("//$ {chip}\n//- layout.csl\n{LAYOUT}//- pe.csl\n{FRAME}{text}"),
        });
    }
    for path in programs(&TEXTS) {
        texts.push(fs::read_to_string(path)?);
    }
    for root in programs(&FOLDERS).iter().filter(|path| path.ends_with("layout.csl")) {
        texts.push(joined(root.parent().unwrap_or(root))?);
    }
    for text in &texts {
        put(folder, "compile", text.as_bytes())?;
        put(folder, "image", text.as_bytes())?;
    }
    for path in programs(&[LIBRARY]).into_iter().chain(programs(&SCENES)).chain(programs(&TEXTS)) {
        put(folder, "parse", &fs::read(path)?)?;
    }
    for words in WORDS {
        put(folder, "sim_log", words.as_bytes())?;
    }
    for (descr, shape, bytes) in [("<f4", "(3,)", 12), ("<u2", "(2, 3)", 12), ("|b1", "()", 1)] {
        put(folder, "npy", &npy(descr, shape, bytes))?;
    }
    // Behind the head: the cycle, the number of PEs, and of each its place, its length and its memory.
    let core =
        [&[1u8][..], &[9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0], &[7, 8]].concat();
    put(folder, "core_file", &core)?;
    put(folder, "core_file", b"\0WAFERCOR\x01\0\0\0")?;
    for seed in 0..MACHINES {
        put(folder, "machine", &random(seed))?;
    }
    Ok(())
}

/// Writes a seed under a name that its bytes give it.
fn put(folder: &Path, target: &str, bytes: &[u8]) -> io::Result<()> {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    let folder = folder.join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("{hash:016x}")), bytes)
}

/// The programs of a folder in one text; params of the layout get values.
fn joined(folder: &Path) -> io::Result<String> {
    let mut text = String::from("//$ wse2\n");
    for path in sorted(folder).iter().filter(|path| path.extension().is_some_and(|end| end == "csl")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        text.push_str(&format!("//- {name}\n"));
        for line in fs::read_to_string(path)?.lines() {
            let is_open =
                name == "layout.csl" && line.starts_with("param ") && line.contains(": ") && !line.contains('=');
            text.push_str(&match line.split_once(';').filter(|_| is_open) {
                Some((declared, _)) if declared.ends_with("color") => format!("{declared} = @get_color(4);"),
                Some((declared, _)) => format!("{declared} = 4;"),
                None => line.to_owned(),
            });
            text.push('\n');
        }
    }
    Ok(text)
}

fn npy(descr: &str, shape: &str, bytes: usize) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\0".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(std::iter::repeat_n(3, bytes));
    file
}

/// Bytes of an LCG, 20 to 1,600 of them.
fn random(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let length = 20 + 25 * seed as usize;
    let next = |_| {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        (state >> 56) as u8
    };
    (0..length).map(next).collect()
}

/// Every `.csl` file below the folders, by path.
fn programs(folders: &[&str]) -> Vec<PathBuf> {
    let mut pending: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(folder) = pending.pop() {
        for path in sorted(&folder) {
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|end| end == "csl") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The entries of a folder, by name.
pub fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
