//! Mutations of source text by words: a damaged word stops the lexer, a word in the wrong place reaches everything behind it.

use std::sync::LazyLock;

use crate::Random;

/// Words beside builtins: keywords, types, marks, numbers at the edges of types.
const WORDS: &str = r#"
    and anytype bool break color comptime comptime_float comptime_int comptime_string comptime_struct const continue
    control_task_id cb16 data_task_id direction dsr_dest dsr_src0 dsr_src1 else enum export extern f16 f32 false fn for i1 i16
    i32 i64 i8 if imported_module inline input_queue layout linkname linksection local_task_id mem1d_dsd mem4d_dsd fabin_dsd
    fabout_dsd noinline null or output_queue packed param return struct switch task true type u0 u1 u16 u32 u64 u8 undefined
    union ut_id var void while
    ( ) { } [ ] ; : , . .* .{ = == != < > << >> + - * / % & | ^ ~ ! -> => += || ++ ** *const [*] [_] [0] [2,3] //
    0 1 2 7 8 15 16 23 24 31 32 63 64 127 128 255 256 0x7fff 0x8000 65535 65536 0x7fffffff 0x80000000 4294967295 4294967296
    0xffffffffffffffff 1000000000000000000000000 -1 0.0 1.5 1e38 1e400 0x1p-140 é
    "" "pe.csl" "<memcpy/memcpy>" "<math>" "<collectives_2d/pe>" "\""
"#;

/// Settings and lines that begin files.
const PHRASES: [&str; 12] = [
    ".async = true",
    ".activate = ",
    ".extent = ",
    ".base_address = ",
    ".stride = ",
    ".tensor_access = |i|{4} -> ",
    ".fabric_color = ",
    ".input_queue = ",
    ".output_queue = ",
    ".routes = .{ .rx = .{ RAMP }, .tx = .{ EAST } }",
    "\n//- pe.csl\n",
    "\u{0}",
];

/// All words that mutations put in.
static DICTIONARY: LazyLock<Vec<String>> = LazyLock::new(|| {
    let builtins = csl_sema::builtin_names().filter(|name| !name.starts_with("wl_")).map(|name| format!("@{name}"));
    builtins.chain(WORDS.split_whitespace().chain(PHRASES).map(str::to_owned)).collect()
});

/// A text with one to four changes.
pub fn mutated(text: &str, random: &mut Random) -> String {
    let mut words = split(text);
    for _ in 0..=random.below(4) {
        if words.is_empty() {
            words.push(" ");
        }
        change(&mut words, random);
    }
    words.concat()
}

/// A text with words of another in it.
pub fn crossed(text: &str, other: &str, random: &mut Random) -> String {
    let (mut words, others) = (split(text), split(other));
    let (from, to) = run(&others, random, 60);
    let (first, last) = run(&words, random, 20);
    words.splice(first..last, others[from..to].iter().copied());
    words.concat()
}

fn change(words: &mut Vec<&str>, random: &mut Random) {
    let at = random.below(words.len());
    match random.below(9) {
        0 | 1 => words[at] = random.pick(&DICTIONARY[..]).as_str(),
        2 | 3 => words[at] = words[random.below(words.len())],
        4 => {
            let new = random.pick(&DICTIONARY[..]).as_str();
            words.splice(at..at, [" ", new, " "]);
        }
        5 => {
            let (first, last) = run(words, random, 12);
            words.drain(first..last);
        }
        6 => {
            let (first, last) = run(words, random, 30);
            let copy = words[first..last].to_vec();
            words.splice(at..at, copy);
        }
        7 => {
            let to = random.below(words.len());
            words.swap(at, to);
        }
        _ => {
            // A number or a name for one of its kind, which keeps the text parseable.
            let is_alike = |word: &&str| kind(word) == kind(words[at]);
            let alike: Vec<&str> =
                DICTIONARY.iter().map(String::as_str).chain(words.iter().copied()).filter(is_alike).collect();
            if !alike.is_empty() {
                words[at] = *random.pick(&alike[..]);
            }
        }
    }
}

/// Bounds of a run of words, of up to `most`.
fn run(words: &[&str], random: &mut Random, most: usize) -> (usize, usize) {
    let first = random.below(words.len());
    (first, (first + 1 + random.below(most)).min(words.len()))
}

fn kind(word: &str) -> u8 {
    match word.chars().next() {
        Some('0'..='9') => 0,
        Some('@') => 1,
        Some('"') => 2,
        Some(c) if c.is_alphabetic() || c == '_' => 3,
        Some(c) if c.is_whitespace() => 4,
        _ => 5,
    }
}

/// Names, numbers and builtins; any other character is a word of its own.
fn split(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '@';
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match is_word(first) {
            true => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (word, behind) = rest.split_at(length);
        words.push(word);
        rest = behind;
    }
    words
}
