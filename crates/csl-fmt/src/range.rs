//! Formats some lines of a text.

use std::ops::RangeInclusive;

use crate::lexemes;

/// `old`, with the white space of `new` before the tokens that stood in `lines`, and behind the last of a line.
pub fn merge(old: &str, new: &str, lines: RangeInclusive<usize>) -> String {
    let (before, after) = (lexemes(old), lexemes(new));
    let mut out = String::with_capacity(old.len());
    let (mut at, mut new_at, mut line) = (0, 0, 1);
    let mut was_within = false;
    for (lexeme, formatted) in before.iter().zip(&after) {
        let gap = &old[at..lexeme.lo];
        line += gap.matches('\n').count();
        let within = lines.contains(&line);
        let (line_end, _) = gap.split_at(gap.len() - behind_line(gap).len());
        match within {
            true if was_within => out.push_str(&new[new_at..formatted.lo]),
            true => out.extend([line_end, &new[new_at..formatted.lo]]),
            false if was_within => out.push_str(behind_line(gap)),
            false => out.push_str(gap),
        }
        out.push_str(if within { &new[formatted.lo..formatted.hi] } else { &old[lexeme.lo..lexeme.hi] });
        (at, new_at, was_within) = (lexeme.hi, formatted.hi, within);
    }
    out.push_str(if was_within { &new[new_at..] } else { &old[at..] });
    out
}

/// The white space between two lines without that at the end of the first; all of it within a line.
fn behind_line(gap: &str) -> &str {
    match gap.find('\n') {
        Some(end) if gap[..end].ends_with('\r') => &gap[end - 1..],
        Some(end) => &gap[end..],
        None => gap,
    }
}
