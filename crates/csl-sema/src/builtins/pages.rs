//! The pages of the builtins: what `pages.md` says, with what the tables know.

use std::sync::LazyLock;

use csl_machine::{Arch, Elem, Forms, VecOp};

use super::{Builtin, Context, table};

/// What a program's author has to know of a builtin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltinPage {
    /// The name without the `@`.
    pub name: &'static str,
    /// How it is called.
    pub forms: Vec<String>,
    /// Where it may stand.
    pub place: &'static str,
    /// What it does, in Markdown.
    pub text: String,
}

/// Builtins of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltinGroup {
    pub title: &'static str,
    pub text: &'static str,
    pub pages: Vec<BuiltinPage>,
}

/// A heading `# Title` opens a group, a heading `## name` a builtin. Behind the latter stand its forms, indented, and a text;
/// vector operations have the forms that their table gives.
const TEXT: &str = include_str!("pages.md");

static GROUPS: LazyLock<Vec<BuiltinGroup>> = LazyLock::new(|| TEXT.split("\n# ").map(group).collect());

/// The pages of all builtins but those of the standard library alone.
pub fn pages() -> &'static [BuiltinGroup] {
    &GROUPS
}

fn group(text: &'static str) -> BuiltinGroup {
    let mut parts = text.split("\n## ");
    let (title, text) = parts.next().and_then(|head| head.split_once('\n')).unwrap_or_default();
    BuiltinGroup { title: title.trim_start_matches("# "), text, pages: parts.filter_map(page).collect() }
}

/// The page of a builtin; `None` if the table has none of its name.
fn page(text: &'static str) -> Option<BuiltinPage> {
    let (name, text) = text.split_once('\n')?;
    let builtin = table::find(name)?;
    let is_form = |line: &&str| line.starts_with("    @");
    let forms: Vec<String> = text.lines().take_while(is_form).map(|line| line.trim().to_owned()).collect();
    let text = text.lines().skip(forms.len()).collect::<Vec<_>>().join("\n");
    let (forms, more) = match VecOp::from_name(name) {
        Some(op) if forms.is_empty() => (vector_forms(op), facts(op)),
        Some(op) => (forms, facts(op)),
        None => (forms, String::new()),
    };
    let text = match (text.split_once("\n```"), more.as_str()) {
        (_, "") => text,
        (Some((text, program)), more) => format!("{text}\n\n{more}\n```{program}"),
        (None, more) => format!("{text}\n\n{more}"),
    };
    Some(BuiltinPage { name: builtin.name, forms, place: place(builtin), text })
}

fn place(builtin: &Builtin) -> &'static str {
    match builtin.context {
        Context::Anywhere => "anywhere",
        Context::Layout => "in a `layout` block",
        Context::TopComptime => "in a top-level `comptime` block of a PE program",
        Context::TopOrRuntime => "in a top-level `comptime` block, or in code that runs",
        Context::Runtime => "in code that runs",
        Context::Pe => "in the program of a PE",
        Context::Global => "as the value of a global `const`",
        Context::PeGlobal => "as the value of a global `const` of a PE program",
        Context::Library => "in the standard library",
    }
}

fn vector_forms(op: VecOp) -> Vec<String> {
    let forms: &[&str] = match op.forms() {
        Forms::Unary => &["dsd, source, options"],
        Forms::UnaryPtr => &["dsd, source, options", "pointer, source, options"],
        Forms::Binary => &["dsd, source, source, options"],
        Forms::BinaryPtr => &["dsd, source, source, options", "pointer, scalar, dsd, options"],
        Forms::Fma => &["dsd, source, source, factor, options"],
        Forms::ScalarUnary => &["pointer, value"],
        Forms::ScalarBinary => &["pointer, value, exponent"],
    };
    forms.iter().map(|operands| format!("@{}({operands})", op.name())).collect()
}

/// What the table of vector operations knows.
fn facts(op: VecOp) -> String {
    let names: Vec<&str> = op.sources().iter().map(|elem| name(*elem)).collect();
    let (two, three) = (op.simd_width(Arch::Wse2), op.simd_width(Arch::Wse3));
    let types = format!("Elements: {} from {}.", name(op.dest()), names.join(", "));
    match op.forms() {
        Forms::ScalarUnary | Forms::ScalarBinary => types,
        _ => format!("{types} At most {two} a cycle on WSE-2, {three} on WSE-3."),
    }
}

fn name(elem: Elem) -> &'static str {
    match elem {
        Elem::I16 => "`i16` or `u16`",
        Elem::I32 => "`i32` or `u32`",
        Elem::Half => "`@fp16()`",
        Elem::F32 => "`f32`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_has_one_page_and_every_page_a_builtin() {
        let told: Vec<&str> = TEXT.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let known: Vec<&str> = table::names().filter(|name| !name.starts_with("wl_")).collect();
        assert_eq!(told, known, "in the order of the table");
        assert_eq!(pages().iter().map(|group| group.pages.len()).sum::<usize>(), known.len());
    }

    #[test]
    fn every_builtin_has_an_example_that_uses_it() {
        for page in pages().iter().flat_map(|group| &group.pages) {
            let (_, program) = page.text.split_once("\n```csl").unwrap_or_default();
            assert!(program.contains(&format!("@{}(", page.name)), "@{} has no example", page.name);
        }
    }

    #[test]
    fn forms_have_as_many_arguments_as_the_builtin_takes() {
        for page in pages().iter().flat_map(|group| &group.pages) {
            let (least, most) = table::find(page.name).expect("it is in the table").args;
            assert!(!page.forms.is_empty() && !page.text.trim().is_empty(), "@{}", page.name);
            for form in &page.forms {
                let count = arguments(form);
                let more = if form.contains("...") { usize::MAX } else { count };
                assert!(least <= more && count <= most, "{form}: {count} arguments, not {least} to {most}");
            }
        }
    }

    /// The arguments of a call: commas outside of inner brackets part them.
    fn arguments(form: &str) -> usize {
        let (mut depth, mut commas, mut is_empty) = (0, 0, true);
        for c in form.split_once('(').map_or("", |(_, rest)| rest).trim_end_matches(')').chars() {
            match c {
                '(' | '{' | '[' => depth += 1,
                ')' | '}' | ']' => depth -= 1,
                ',' | '|' if depth > 0 => {}
                ',' => commas += 1,
                _ => {}
            }
            is_empty = false;
        }
        if is_empty { 0 } else { commas + 1 }
    }
}
