//! Names that were probably meant: as help for people, and as edits for tools.

use csl_diag::{Diagnostic, Span};

use crate::context::Sema;

/// The greatest number of names that a help lists.
const MOST: usize = 5;

impl Sema<'_> {
    /// Adds the candidates nearest to `name`, which stands within `span`, to a diagnostic. `sign` stands before names as
    /// they are shown: `.` before fields, `@` before builtins.
    pub fn did_you_mean<'n>(
        &self,
        diagnostic: Diagnostic,
        span: Option<Span>,
        (sign, name): (&str, &str),
        candidates: impl Iterator<Item = &'n str>,
    ) -> Diagnostic {
        let close = closest(name, candidates);
        let shown: Vec<String> = close.iter().map(|close| format!("`{sign}{close}`")).collect();
        let Some((last, others)) = shown.split_last() else { return diagnostic };
        let help = match others {
            [] => format!("did you mean {last}?"),
            _ => format!("did you mean {} or {last}?", others.join(", ")),
        };
        let place = span.and_then(|span| self.name_within(span, name));
        let edits = |diagnostic: Diagnostic, span| close.iter().fold(diagnostic, |d, close| d.edit(span, *close));
        let diagnostic = diagnostic.help(help);
        match place {
            Some(span) => edits(diagnostic, span),
            None => diagnostic,
        }
    }

    /// Where a name stands within an expression: before a `=` if it is given a value there, else where it comes last.
    pub fn name_within(&self, span: Span, name: &str) -> Option<Span> {
        let text = self.map.text(span.file).get(span.range())?;
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let whole = |at: &usize| !text[..*at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part);
        let places: Vec<usize> = text.match_indices(name).map(|(at, _)| at).filter(whole).collect();
        let is_set = |at: &&usize| {
            let rest = text[*at + name.len()..].trim_start();
            text[..**at].ends_with('.') && rest.starts_with('=') && !rest.starts_with("==")
        };
        let at = span.lo as usize + *places.iter().find(is_set).or(places.last())?;
        Some(Span::new(span.file, at, at + name.len()))
    }
}

/// The candidates within two edits of `name` that are nearest to it, in alphabetical order.
pub fn closest<'n>(name: &str, candidates: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let limit = if name.len() <= 3 { 1 } else { 2 };
    let mut near: Vec<(usize, &str)> = candidates
        .filter(|candidate| *candidate != name)
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .collect();
    near.sort_unstable();
    near.dedup();
    let least = near.first().map_or(0, |nearest| nearest.0);
    near.into_iter().take_while(|&(distance, _)| distance == least).map(|near| near.1).take(MOST).collect()
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
