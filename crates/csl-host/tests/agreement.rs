//! A run-time operation has the value that the same operation has at comptime: tested for every operator, cast and
//! type, on edge values and pseudo-random ones. Both sides stand in one CSL program, which counts where they differ.

use std::fmt::Write;

use csl_host::Arch;
use csl_num::FloatKind;

use crate::verdict::{FRAME, verdict};

const INTS: [(&str, u32, bool); 12] = [
    ("i8", 8, true),
    ("u8", 8, false),
    ("i16", 16, true),
    ("u16", 16, false),
    ("i32", 32, true),
    ("u32", 32, false),
    ("i64", 64, true),
    ("u64", 64, false),
    ("i5", 5, true),
    ("u3", 3, false),
    ("i24", 24, true),
    ("u48", 48, false),
];

/// xorshift64, so that every run of the test is the same.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A generated program: checks, in functions of a moderate length.
pub struct Checks {
    body: String,
    functions: String,
    texts: Vec<String>,
    pub globals: String,
}

impl Checks {
    pub fn new() -> Checks {
        Checks { body: String::new(), functions: String::new(), texts: Vec::new(), globals: String::new() }
    }

    /// Checks that the run-time expression equals the comptime one.
    pub fn add(&mut self, runtime: &str, comptime: &str) {
        let number = self.texts.len();
        writeln!(self.body, "  check({runtime} == comptime ({comptime}), {number});").expect("a String takes text");
        self.texts.push(format!("{runtime} against comptime {comptime}"));
        if self.body.len() > 4000 {
            self.close();
        }
    }

    /// Gives a variable a value for the checks that follow.
    pub fn set(&mut self, variable: &str, value: i32) {
        writeln!(self.body, "  {variable} = {value};").expect("a String takes text");
    }

    fn close(&mut self) {
        let number = self.functions.matches("fn part").count();
        write!(self.functions, "fn part{number}() void {{\n{}}}\n", self.body).expect("a String takes text");
        self.body.clear();
    }

    fn source(&mut self) -> String {
        self.close();
        let calls: String = (0..self.functions.matches("fn part").count()).map(|n| format!("  part{n}();\n")).collect();
        format!(
            "{FRAME}{}{}fn run() void {{\n{calls}  sys_mod.unblock_cmd_stream();\n}}\n",
            self.globals, self.functions
        )
    }
}

fn run(checks: &mut Checks) -> Vec<u32> {
    verdict(&checks.source(), Arch::Wse2, FloatKind::F16).unwrap_or_else(|error| panic!("{error}"))
}

pub fn assert_agrees(mut checks: Checks) {
    let result = run(&mut checks);
    assert_eq!(result[0], 0, "{} differences, the first: {}", result[0], checks.texts[result[1] as usize]);
}

/// Values of an integer type: its edges, small numbers, and random ones.
fn int_values(bits: u32, signed: bool, random: &mut Random) -> Vec<i128> {
    let (least, most) =
        if signed { (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1) } else { (0, (1i128 << bits) - 1) };
    let mut values = vec![least, most, 0, 1, most / 2];
    if signed {
        values.push(-1);
    }
    values.extend((0..4).map(|_| least + (i128::from(random.next()) % (most - least + 1))));
    values
}

fn int_checks(name: &str, bits: u32, signed: bool) -> Checks {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ u64::from(bits));
    let values = int_values(bits, signed, &mut random);
    let mut checks = Checks::new();
    let list: Vec<String> = values.iter().map(i128::to_string).collect();
    checks.globals =
        format!("var x = [{}]{name} {{ {} }};\nvar count = @zeros([1]u16);\n", values.len(), list.join(", "));
    let literal = |v: i128| format!("@as({name}, {v})");
    for (i, &a) in values.iter().enumerate() {
        for _ in 0..4 {
            let j = random.next() as usize % values.len();
            let b = values[j];
            for op in ["+", "-", "*", "/", "%", "&", "|", "^"] {
                if b != 0 || !matches!(op, "/" | "%") {
                    checks.add(&format!("(x[{i}] {op} x[{j}])"), &format!("{} {op} {}", literal(a), literal(b)));
                }
            }
            for op in ["==", "!=", "<", "<=", ">", ">="] {
                checks.add(&format!("(x[{i}] {op} x[{j}])"), &format!("({} {op} {})", literal(a), literal(b)));
            }
        }
        let shift = random.next() % u64::from(bits);
        for op in ["<<", ">>"] {
            let runtime = format!("(x[{i}] {op} (count[0] + {shift}))");
            checks.add(&runtime, &format!("{} {op} @as(u16, {shift})", literal(a)));
        }
        checks.add(&format!("(-x[{i}])"), &format!("-{}", literal(a)));
        checks.add(&format!("(~x[{i}])"), &format!("~{}", literal(a)));
        for (to, _, _) in INTS {
            checks.add(&format!("@as({to}, x[{i}])"), &format!("@as({to}, {})", literal(a)));
        }
        checks.add(&format!("@as(bool, x[{i}])"), &format!("@as(bool, {})", literal(a)));
        for (float, raw) in [("f16", "u16"), ("f32", "u32")] {
            checks.add(&bits_of(float, raw, &format!("x[{i}]")), &bits_of(float, raw, &literal(a)));
        }
    }
    checks
}

/// The raw bits of a value converted to a float type: equal also where the value is no number.
fn bits_of(float: &str, raw: &str, value: &str) -> String {
    format!("@bitcast({raw}, @as({float}, {value}))")
}

#[test]
fn integers() {
    for (name, bits, signed) in INTS {
        assert_agrees(int_checks(name, bits, signed));
    }
}

/// Bit patterns: zeros, ones, subnormals, the largest, infinities, a NaN, and random ones.
fn float_patterns(bits: u32, random: &mut Random) -> Vec<u64> {
    let fixed: [u64; 10] = match bits {
        16 => [0, 0x8000, 0x3c00, 0xbc00, 1, 0x03ff, 0x7bff, 0x7c00, 0xfc00, 0x7e00],
        _ => {
            [0, 0x8000_0000, 0x3f80_0000, 0xbf80_0000, 1, 0x7f_ffff, 0x7f7f_ffff, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000]
        }
    };
    fixed.into_iter().chain((0..8).map(|_| random.next() >> (64 - bits))).collect()
}

fn float_checks(name: &str, raw: &str, bits: u32) -> Checks {
    let mut random = Random(0x2545_f491_4f6c_dd1d ^ u64::from(bits));
    let patterns = float_patterns(bits, &mut random);
    let literal = |pattern: u64| format!("@bitcast({name}, @as({raw}, {pattern}))");
    let mut checks = Checks::new();
    let list: Vec<String> = patterns.iter().map(|&p| literal(p)).collect();
    checks.globals = format!("var x = [{}]{name} {{ {} }};\n", patterns.len(), list.join(", "));
    for (i, &a) in patterns.iter().enumerate() {
        for _ in 0..6 {
            let j = random.next() as usize % patterns.len();
            let b = patterns[j];
            for op in ["+", "-", "*", "/"] {
                let comptime = format!("@bitcast({raw}, {} {op} {})", literal(a), literal(b));
                checks.add(&format!("@bitcast({raw}, x[{i}] {op} x[{j}])"), &comptime);
            }
            for op in ["==", "!=", "<", "<=", ">", ">="] {
                checks.add(&format!("(x[{i}] {op} x[{j}])"), &format!("({} {op} {})", literal(a), literal(b)));
            }
        }
        checks.add(&format!("@bitcast({raw}, -x[{i}])"), &format!("@bitcast({raw}, -{})", literal(a)));
        checks.add(&format!("@as(bool, x[{i}])"), &format!("@as(bool, {})", literal(a)));
        for (to, to_raw) in [("f16", "u16"), ("f32", "u32")] {
            checks.add(&bits_of(to, to_raw, &format!("x[{i}]")), &bits_of(to, to_raw, &literal(a)));
        }
    }
    checks
}

#[test]
fn floats() {
    assert_agrees(float_checks("f16", "u16", 16));
    assert_agrees(float_checks("f32", "u32", 32));
}

/// Floats within the integer's range: beyond it comptime refuses and the PE saturates.
#[test]
fn floats_to_integers() {
    for (name, bits, signed) in INTS {
        let most = 2f64.powi(bits as i32 - 1 - i32::from(signed)).min(30000.0);
        let mut values: Vec<f64> = vec![0.0, 0.25, 0.75, 1.0, 1.5, most * 0.99];
        if signed {
            values.extend(values.clone().iter().map(|v| -v));
        }
        let mut checks = Checks::new();
        for float in ["f16", "f32"] {
            let list: Vec<String> = values.iter().map(|v| format!("{v:?}")).collect();
            writeln!(checks.globals, "var {float}s = [{}]{float} {{ {} }};", values.len(), list.join(", "))
                .expect("a String takes text");
            for (i, value) in values.iter().enumerate() {
                let comptime = format!("@as({name}, @as({float}, {value:?}))");
                checks.add(&format!("@as({name}, {float}s[{i}])"), &comptime);
            }
        }
        assert_agrees(checks);
    }
}

#[test]
fn bools() {
    let mut checks = Checks::new();
    checks.globals = "var x = [2]bool { false, true };\n".to_owned();
    for a in [false, true] {
        for b in [false, true] {
            for op in ["and", "or", "==", "!="] {
                let runtime = format!("(x[{}] {op} x[{}])", usize::from(a), usize::from(b));
                checks.add(&runtime, &format!("({a} {op} {b})"));
            }
        }
        checks.add(&format!("(!x[{}])", usize::from(a)), &format!("!{a}"));
        checks.add(&format!("@as(i16, x[{}])", usize::from(a)), &format!("@as(i16, {a})"));
    }
    assert_agrees(checks);
}

#[test]
fn a_difference_is_seen() {
    let mut checks = Checks::new();
    checks.globals = "var x = [2]i16 { 1, 3 };\n".to_owned();
    checks.add("x[0]", "@as(i16, 1)");
    checks.add("x[1]", "@as(i16, 2)");
    assert_eq!(run(&mut checks), [1, 1]);
}
