//! A function computes at run time what it computes at comptime, whichever way leads out of its loops and blocks, and whatever it
//! does with arrays, structs and pointers: random functions, each called with a value that is known and with one that is not, and
//! inlined.

use std::fmt::Write;

use crate::agreement::{Checks, Random, assert_agrees};

/// A function under construction.
struct Function<'a> {
    random: &'a mut Random,
    text: String,
    /// The numbers of the loops and blocks around this place, with whether they are loops.
    around: Vec<(u32, bool)>,
    names: u32,
    depth: usize,
}

impl Function<'_> {
    fn below(&mut self, count: u64) -> u64 {
        self.random.next() % count
    }

    fn name(&mut self) -> u32 {
        self.names += 1;
        self.names
    }

    fn line(&mut self, text: &str) {
        writeln!(self.text, "{:1$}{text}", "", 2 * self.depth + 2).expect("a String takes text");
    }

    fn number(&mut self) -> String {
        const NAMES: [&str; 10] = ["a", "b", "x", "p.*", "s.f", "s.g", "t[1]", "t[@as(u16, a & 3)]", "u.s.f", "u.t[2]"];
        let (number, name) = (self.below(40), NAMES[self.below(NAMES.len() as u64) as usize]);
        ["b + N", "a - N", "N", "x + N"][self.below(4) as usize].replace('N', &format!("({name} & {number})"))
    }

    /// A statement that changes a part of an array or a struct, or what a pointer leads to.
    fn change(&mut self) {
        let (number, other, name) = (self.number(), self.number(), self.name());
        let line = match self.below(14) {
            0 => format!("t[@as(u16, ({number}) & 3)] = ({other}) & 255;"),
            1 => format!("s.f = (s.f + {number}) & 511;"),
            2 => format!("s.g ^= ({number}) & 255;"),
            3 => format!("p.* = (p.* + {number}) & 511;"),
            4 => format!("if ({}) {{ p = &b; }} else {{ p = &t[2]; }}", self.condition()),
            5 => "p = &s.g;".to_owned(),
            6 => "p = &u.t[1];".to_owned(),
            7 => format!("a = (a + bump(p, {number})) & 1023;"),
            8 => format!("a = (a + bump(&t[@as(u16, ({number}) & 3)], 3)) & 1023;"),
            9 => "u.s = s; u.s.g += 1;".to_owned(),
            10 => format!("u.t = t; u.t[3] = ({number}) & 63;"),
            11 => format!("var w{name} = u; w{name}.s.f = 5; t = w{name}.t; s = w{name}.s;"),
            12 => format!(
                "a = (a + switch (@as(u16, ({number}) & 7)) {{ 0 => b, 1, 2 => {other}, 3 => 5, else => s.f }}) & 1023;"
            ),
            _ => format!("for (t) |e{name}, k{name}| {{ b = (b + (e{name} & 15) * @as(i32, k{name})) & 511; }}"),
        };
        self.line(&line);
    }

    fn condition(&mut self) -> String {
        let (left, right) = (self.number(), self.below(30));
        let op = ["<", ">", "==", "!="][self.below(4) as usize];
        format!("(({left}) & 31) {op} {right}")
    }

    /// A statement that leaves something, and ends the list that it stands in.
    fn way_out(&mut self) -> String {
        let number = self.number();
        let at = self.below(1 + self.around.len() as u64) as usize;
        let Some(&(label, is_loop)) = self.around.get(at) else { return format!("return {number};") };
        let is_innermost = self.around.iter().rposition(|target| target.1) == Some(at);
        match self.below(4) {
            0 if is_loop => format!("continue :l{label};"),
            1 if is_innermost => "break;".to_owned(),
            2 if is_innermost => "continue;".to_owned(),
            _ => format!("break :l{label};"),
        }
    }

    fn list(&mut self, most: u64) {
        self.depth += 1;
        for _ in 0..=self.below(most) {
            self.statement();
        }
        if self.below(3) == 0 {
            let way_out = self.way_out();
            self.line(&way_out);
        }
        self.depth -= 1;
    }

    fn around(&mut self, head: &str, label: u32, is_loop: bool, first: &str) {
        self.line(head);
        self.around.push((label, is_loop));
        if !first.is_empty() {
            self.line(first);
        }
        self.list(3);
        self.around.pop();
        self.line("}");
    }

    fn statement(&mut self) {
        let (label, count) = (self.name(), self.below(4));
        let kind = if self.depth > 4 { self.below(4) } else { self.below(13) };
        match kind {
            11 => self.change(),
            12 => {
                let number = self.number();
                self.line(&format!("switch (@as(u16, ({number}) & 3)) {{"));
                for case in ["0 => {", "1, 2 => {", "else => {"] {
                    self.line(case);
                    self.list(2);
                    self.line("},");
                }
                self.line("}");
            }
            0 | 1 => {
                let number = self.number();
                self.line(&format!("a = (a * 3 + {number}) & 1023;"));
            }
            2 if count < 2 => self.change(),
            2 => {
                let number = self.number();
                self.line(&format!("b = (b ^ ({number})) & 511;"));
            }
            3 => {
                let condition = if self.below(4) == 0 { "YES".to_owned() } else { self.condition() };
                let way_out = self.way_out();
                self.line(&format!("if ({condition}) {{ {way_out} }}"));
            }
            4 => {
                let condition = self.condition();
                self.line(&format!("if ({condition}) {{"));
                self.list(2);
                self.line("} else {");
                self.list(2);
                self.line("}");
            }
            5 => self.around(&format!("l{label}: {{"), label, false, ""),
            6 => self.around(&format!("l{label}: for (@range(i16, {count})) |at{label}| {{"), label, true, ""),
            7 => self.around(&format!("l{label}: inline for (@range(i16, {count})) |at{label}| {{"), label, true, ""),
            8 => {
                self.line(&format!("var n{label}: i16 = 0;"));
                let head = format!("l{label}: while (n{label} < {count}) : (n{label} += 1) {{");
                self.around(&head, label, true, "");
            }
            9 => {
                self.line(&format!("var n{label}: i16 = 0;"));
                let first = format!("n{label} += 1; if (n{label} > {count}) {{ break; }}");
                self.around(&format!("l{label}: while (true) {{"), label, true, &first);
            }
            _ => {
                self.line(&format!("const v{label}: i32 = l{label}: {{"));
                self.list_with_value(label);
                self.line("};");
                self.line(&format!("a = (a + v{label}) & 1023;"));
            }
        }
    }

    /// A block that ends with a value, and may be left with another one before.
    fn list_with_value(&mut self, label: u32) {
        self.depth += 1;
        let (condition, early, count) = (self.condition(), self.number(), self.below(4));
        self.line(&format!("for (@range(i16, {count})) |i| {{"));
        // Only what stands around the block can be left from here without a value.
        self.list(2);
        self.line(&format!("if ({condition}) {{ continue; }}"));
        self.line(&format!("break :l{label} {early};"));
        self.line("}");
        let last = self.number();
        self.line(&format!("break :l{label} {last};"));
        self.depth -= 1;
    }
}

/// The types and the function that the functions share.
const SHARED: &str = "const YES = true;
var input: i32 = 0;
const Pair = struct { f: i32, g: i32 };
const Both = struct { s: Pair, t: [4]i32 };
fn bump(at: *i32, by: i32) i32 {
  at.* = (at.* + by) & 511;
  return at.* + 1;
}
";

const VARIABLES: &str = "  var a: i32 = x;
  var b: i32 = 1;
  var t = [4]i32 { 1, 2, 3, 4 };
  var s = Pair { .f = 7, .g = 8 };
  var u = Both { .s = Pair { .f = 1, .g = 2 }, .t = [4]i32 { 5, 6, 7, 8 } };
  var p: *i32 = &a;
";

fn function(random: &mut Random) -> String {
    let mut function = Function { random, text: String::new(), around: Vec::new(), names: 0, depth: 0 };
    for _ in 0..4 {
        function.statement();
    }
    format!(
        "(x: i32) i32 {{\n{VARIABLES}{}  return a * 512 + b + 7 * (t[0] + 3 * t[2] + s.f + 5 * u.s.g + u.t[1]);\n}}\n",
        function.text
    )
}

#[test]
fn every_way_out_of_loops_and_blocks() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..16 {
        let mut checks = Checks::new();
        checks.globals = SHARED.to_owned();
        for at in 0..12 {
            let body = function(&mut random);
            checks.globals += &format!("fn f{at}{body}inline fn g{at}{body}");
            for input in [0, 7, 300] {
                checks.set("input", input);
                checks.add(&format!("f{at}(input)"), &format!("f{at}({input})"));
                checks.add(&format!("g{at}(input)"), &format!("f{at}({input})"));
            }
        }
        assert_agrees(checks);
    }
}
