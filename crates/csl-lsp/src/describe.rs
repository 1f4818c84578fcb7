//! Declarations as text: what hover, completion and signatures show of them.

use csl_diag::Span;
use csl_syntax::ast::{FnDecl, Item};

use crate::file::{Def, File, is_function};

/// The longest declaration that is shown whole.
const LONGEST: usize = 400;

/// The declaration of a name, without the body of a function.
pub fn head(file: &File, def: &Def) -> String {
    let whole = match function(file, def) {
        Some(decl) => Span { hi: decl.ret.span.hi, ..decl.span },
        None => def.whole,
    };
    let text = file.snippet(whole).trim_end();
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let line = text.lines().next().unwrap_or_default();
    format!("{}...", &line[..line.floor_char_boundary(LONGEST)])
}

/// The tree of a declared function.
pub fn function<'f>(file: &'f File, def: &Def) -> Option<&'f FnDecl> {
    let of_item = |item: &'f Item| match item {
        Item::Fn(decl) if decl.name.span == def.span => Some(&**decl),
        _ => None,
    };
    if is_function(def) { file.source.ast.items.iter().find_map(of_item) } else { None }
}

/// The comment right before a declaration.
pub fn comment(file: &File, def: &Def) -> Option<String> {
    let first = file.text.line_of(def.whole.to(def.span).lo as usize);
    let mut lines = Vec::new();
    for number in (0..first).rev() {
        let Some(comment) = file.text.line_text(number).trim_start().strip_prefix("//") else { break };
        // A line of dashes is no text.
        let text = comment.trim_start_matches('/');
        lines.push(text.strip_prefix(' ').unwrap_or(text).trim_end());
    }
    lines.reverse();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}
