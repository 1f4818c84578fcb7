//! The scenes of `tests/fabric/*.scene`: each describes a small fabric and its input, and draws the events that follow.
//!
//! Lines before the first `--- CHIP` set the scene; `#` begins a comment.
//!
//! - `X,Y COLOR: IN > OUT options`: a route, with directions from `WESNR` (`-` for none). Options are `posK rx D`,
//!   `posK tx D`, `posK rx D tx D` (switch positions 1 to 3), `at K` (current position), `ring`,
//!   `pop always|on_advance|on_advance_nop`, `swap_x`, `swap_y`, `teardown`, and a filter: `counter`, `sparse` or `range`
//!   with the fields `limit1=`, `limit2=`, `max_counter=`, `init_counter=`, `min_idx=`, `max_idx=`, `count_data=0`,
//!   `count_control`, `filter_control`; `messages FIRST` (a color of the message network)
//! - `send X,Y COLOR @CYCLE: WORD..`: the CE sends from that cycle on, one word a cycle as long as there is room. Words are
//!   hexadecimal. `!` makes a control wavelet: of a hexadecimal word, or of up to eight commands as letters, `n` NOP, `a`
//!   SWITCH_ADV, `r` SWITCH_RST, `t` TEARDOWN, capitals where the CE ignores the command
//! - `last X,Y COLOR @CYCLE: WORD..`: the same, and the last word advances the sender's switch (`.advance_switch`)
//! - `room X,Y N`: the CE takes N wavelets and no more; with `@CYCLE`, from the end of that cycle on; `all` for N ends that
//! - `route X,Y COLOR @CYCLE: IN > OUT options`: the route is written anew at the end of that cycle
//! - `resume X,Y COLOR @CYCLE`: the color leaves teardown at the end of that cycle
//! - `run N`: N cycles (40)
//!
//! After each `--- CHIP` come the events on that chip: a line for each cycle with a landing, a column for each tile.
//! `W3:1` has landed from WEST on color 3 with the word 1, `^3:1` has gone up the ramp to the CE, `sw3=1` means that the
//! switch of color 3 now stands at position 1, `torn3` that the CE was told of the end of color 3. Then wavelets that are
//! stalled in routers, with the reason, those that have left the program (all tiles without a route are outside), and the
//! fault that ended the run. `INSTA_UPDATE=always` draws anew; read it.

use std::fs;
use std::path::{Path, PathBuf};

use csl_machine::{Arch, Color, Coord};

use crate::config::config;
use crate::drawing;
use crate::fabric::{Action, Deed, Fabric, Routes};

const CYCLES: u64 = 40;

fn place(at: &str) -> Coord {
    let (x, y) = at.split_once(',').unwrap_or_else(|| panic!("`{at}` is not X,Y"));
    Coord { x: x.parse().expect("a column"), y: y.parse().expect("a row") }
}

fn cycle(word: &str) -> u64 {
    word.trim_matches(['@', ':']).parse().unwrap_or_else(|_| panic!("`{word}` is not @CYCLE"))
}

/// The lines that set a scene, without comments.
fn lines(setting: &str) -> impl Iterator<Item = &str> {
    setting.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty())
}

fn routes(setting: &str) -> Routes {
    let mut routes = Routes::new();
    for line in lines(setting).filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
        let (head, text) = line.split_once(':').expect("X,Y COLOR: ...");
        let words: Vec<&str> = head.split_whitespace().collect();
        routes.entry(place(words[0])).or_default().push((color(words[1]), config(text)));
    }
    routes
}

fn color(text: &str) -> Color {
    text.parse().ok().and_then(Color::new).expect("a color")
}

/// Carries out a line that is no route. Returns the number of cycles if the line gives it.
fn direct(fabric: &mut Fabric, line: &str) -> Option<u64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let color = || color(words[2]);
    let mut later = |at: &str, when: &str, deed| {
        let Coord { x, y } = place(at);
        fabric.actions.push(Action { cycle: cycle(when), x, y, deed });
    };
    let left = |n: &str| (n != "all").then(|| n.parse().expect("a number or `all`"));
    match words[..] {
        ["run", cycles] => return Some(cycles.parse().expect("a number of cycles")),
        [kind @ ("send" | "last"), at, _, from, ..] => {
            let sent = words[4..].iter().map(|word| drawing::wavelet(word)).collect();
            fabric.send(place(at), color(), cycle(from), sent, kind == "last");
        }
        ["room", at, n] => {
            let Coord { x, y } = place(at);
            fabric.carry_out(x, y, Deed::Room(left(n)), 0);
        }
        ["room", at, n, when] => later(at, when, Deed::Room(left(n))),
        ["route", at, _, when, ..] => later(at, when, Deed::Configure(color(), config(&words[4..].join(" ")))),
        ["resume", at, _, when] => later(at, when, Deed::Resume(color())),
        _ => panic!("`{line}` is not understood"),
    }
    None
}

/// The events on a chip, as text.
fn play(setting: &str, arch: Arch) -> String {
    let routes = routes(setting);
    let size = |of: fn(&Coord) -> u32| routes.keys().map(of).max().unwrap_or(0) + 1;
    let mut fabric = Fabric::new(arch, size(|at| at.x), size(|at| at.y), &routes);
    let others = lines(setting).filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()));
    let cycles = others.fold(CYCLES, |cycles, line| direct(&mut fabric, line).unwrap_or(cycles));
    let result = fabric.run(cycles);
    let drawn = drawing::table(&fabric.log);
    match result {
        Ok(()) => drawn + &drawing::stalled(&mut fabric) + &drawing::dropped(&fabric),
        Err(fault) => drawn + &drawing::fault(&fault, fabric.now),
    }
}

/// The setting, and the expected text for each chip.
fn split(text: &str) -> (&str, Vec<(Arch, &str)>) {
    let mut parts = text.split("\n--- ");
    let setting = parts.next().unwrap_or_default();
    let expected = parts.map(|part| {
        let (chip, drawing) = part.split_once('\n').unwrap_or((part, ""));
        let arch = Arch::ALL.iter().find(|arch| arch.to_string() == chip.trim());
        (*arch.unwrap_or_else(|| panic!("`{chip}` is no chip")), drawing)
    });
    (setting, expected.collect())
}

/// The lines of two texts, those that differ marked `-` (expected) and `+` (found).
fn difference(expected: &str, found: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (expected.trim_end().lines().collect(), found.trim_end().lines().collect());
    let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
    for (i, j) in (0..old.len()).rev().flat_map(|i| (0..new.len()).rev().map(move |j| (i, j))) {
        let longer = common[i + 1][j].max(common[i][j + 1]);
        common[i][j] = if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { longer };
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(format!("  {}", old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[i + 1][j] >= common[i][j + 1] {
            lines.push(format!("- {}", old[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", new[j]));
            j += 1;
        }
    }
    lines.join("\n")
}

fn scenes() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fabric");
    let entries = fs::read_dir(folder).expect("there are scenes");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder is readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "scene"));
    paths.sort();
    paths
}

#[test]
fn scenes_come_out_as_drawn() {
    let redraw = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    let mut complaints = Vec::new();
    for path in scenes() {
        let text = fs::read_to_string(&path).expect("a scene is readable text");
        let (setting, drawings) = split(&text);
        assert!(!drawings.is_empty(), "{} expects nothing", path.display());
        let found: Vec<_> = drawings.iter().map(|(arch, _)| (*arch, play(setting, *arch))).collect();
        for ((arch, expected), (_, found)) in drawings.iter().zip(&found) {
            if expected.trim_end() != found.trim_end() {
                complaints.push(format!("{} on {arch}\n{}", path.display(), difference(expected, found)));
            }
        }
        if redraw {
            let drawn = found.iter().map(|(arch, drawing)| format!("\n--- {arch}\n{drawing}"));
            fs::write(&path, setting.to_owned() + &drawn.collect::<String>()).expect("the scene can be written");
        }
    }
    assert!(complaints.is_empty() || redraw, "expected -, found +\n\n{}", complaints.join("\n\n"));
}
