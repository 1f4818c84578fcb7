//! A color's configuration at a tile as text: `IN > OUT options`.

use std::iter::Peekable;

use csl_machine::{Color, ColorConfig, DirSet, Direction, Filter, FilterKind, PopMode, SwitchPos};

const SIDES: &str = "WESNR";

pub fn directions(set: &str) -> DirSet {
    let direction = |c| Direction::ALL[SIDES.find(c).unwrap_or_else(|| panic!("`{c}` is no direction, in {set}"))];
    set.chars().filter(|c| *c != '-').map(direction).collect()
}

/// The letter of a side.
pub fn letter(side: Direction) -> char {
    SIDES.chars().nth(side.index()).expect("one of five sides")
}

/// Reads `IN > OUT` and the options that the head of `scene.rs` lists.
pub fn config(text: &str) -> ColorConfig {
    let mut words = text.split_whitespace().peekable();
    let mut next = || words.next().expect("IN > OUT");
    let (rx, arrow, tx) = (next(), next(), next());
    assert_eq!(arrow, ">", "in {text}");
    let mut config = ColorConfig::route(directions(rx), directions(tx));
    while let Some(option) = words.next() {
        read_option(&mut config, option, &mut words);
    }
    config
}

fn read_option<'a>(config: &mut ColorConfig, option: &str, rest: &mut Peekable<impl Iterator<Item = &'a str>>) {
    match option {
        "ring" => config.ring_mode = true,
        "swap_x" => config.swap_x = true,
        "swap_y" => config.swap_y = true,
        "teardown" => config.teardown = true,
        "messages" => config.messages = rest.next().and_then(|first| first.parse().ok()).and_then(Color::new),
        "at" => config.current_pos = rest.next().and_then(|k| k.parse().ok()).expect("a position"),
        "pop" => config.pop_mode = pop_mode(rest.next().expect("a pop mode")),
        "counter" => config.filter = Some(filter(FilterKind::Counter, rest)),
        "sparse" => config.filter = Some(filter(FilterKind::SparseCounter, rest)),
        "range" => config.filter = Some(filter(FilterKind::Range, rest)),
        _ => {
            let k = option.strip_prefix("pos").and_then(|k| k.parse::<usize>().ok());
            config.positions[k.unwrap_or_else(|| panic!("`{option}` is no option")) - 1] = position(rest);
        }
    }
}

/// `rx SET`, `tx SET` or both.
fn position<'a>(rest: &mut Peekable<impl Iterator<Item = &'a str>>) -> SwitchPos {
    let mut side = |name: &str| {
        rest.next_if(|word| *word == name)?;
        rest.next().map(directions)
    };
    match (side("rx"), side("tx")) {
        (Some(rx), Some(tx)) => SwitchPos::Both(rx, tx),
        (Some(rx), None) => SwitchPos::Rx(rx),
        (None, Some(tx)) => SwitchPos::Tx(tx),
        (None, None) => SwitchPos::Invalid,
    }
}

fn pop_mode(word: &str) -> PopMode {
    match word {
        "no" => PopMode::NoPop,
        "always" => PopMode::AlwaysPop,
        "on_advance" => PopMode::PopOnAdvance,
        "on_advance_nop" => PopMode::PopOnAdvanceNop,
        other => panic!("`{other}` is no pop mode"),
    }
}

/// Fields `name=number` or `name` alone, up to the first word that is none.
fn filter<'a>(kind: FilterKind, rest: &mut Peekable<impl Iterator<Item = &'a str>>) -> Filter {
    let mut filter = Filter { count_data: true, ..Filter::new(kind) };
    while let Some(word) = rest.next_if(|word| set_field(&mut filter.clone(), word)) {
        set_field(&mut filter, word);
    }
    filter
}

/// Sets a field; false when the word names none.
fn set_field(filter: &mut Filter, word: &str) -> bool {
    let (name, value) = word.split_once('=').unwrap_or((word, "1"));
    let number = value.parse().expect("a number");
    match name {
        "limit1" => filter.limit1 = number,
        "limit2" => filter.limit2 = Some(number),
        "max_counter" => filter.max_counter = number,
        "init_counter" => filter.init_counter = number,
        "min_idx" => filter.min_idx = number,
        "max_idx" => filter.max_idx = number,
        "count_data" => filter.count_data = number != 0,
        "count_control" => filter.count_control = number != 0,
        "filter_control" => filter.filter_control = number != 0,
        _ => return false,
    }
    true
}
