//! Parts of a file that can be folded: what stands in brackets on several lines, and comments of several lines.

use csl_syntax::Token;
use lsp_types::{FoldingRange, FoldingRangeKind, FoldingRangeParams};

use crate::scan::lexemes;
use crate::text::Text;
use crate::world::World;

pub fn folding(world: &World, params: &FoldingRangeParams) -> Option<Vec<FoldingRange>> {
    let file = world.file(&world.key(&params.text_document.uri)?)?;
    Some(ranges(&file.text))
}

fn ranges(text: &Text) -> Vec<FoldingRange> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    let mut comment: Option<(usize, usize)> = None;
    for lexeme in lexemes(text.text()) {
        let line = text.line_of(lexeme.lo);
        match lexeme.token {
            Token::LBrace | Token::LParen | Token::LBracket => open.push((lexeme.token, line)),
            Token::RBrace | Token::RParen | Token::RBracket => {
                if let Some((_, start)) = open.pop() {
                    found.extend(range(start, line.saturating_sub(1), None));
                }
            }
            _ => {}
        }
        let is_alone = text.line_text(line).trim_start().starts_with("//");
        comment = match (comment, lexeme.token) {
            (Some((start, last)), Token::Comment(_)) if is_alone && line == last + 1 => Some((start, line)),
            (before, token) => {
                found.extend(before.and_then(|(start, last)| range(start, last, Some(FoldingRangeKind::Comment))));
                (matches!(token, Token::Comment(_)) && is_alone).then_some((line, line))
            }
        };
    }
    found.extend(comment.and_then(|(start, last)| range(start, last, Some(FoldingRangeKind::Comment))));
    found.sort_by_key(|range| (range.start_line, range.end_line));
    found.dedup_by_key(|range| range.start_line);
    found
}

fn range(start: usize, end: usize, kind: Option<FoldingRangeKind>) -> Option<FoldingRange> {
    let (start_line, end_line) = (start as u32, end as u32);
    (end > start).then(|| FoldingRange { start_line, end_line, kind, ..FoldingRange::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_comments_fold() {
        let text = "// one\n// two\nfn f() void {\n  if (x) {\n    y();\n  }\n  g(1,\n    2);\n}\n// alone\n";
        let lines: Vec<_> = ranges(&Text::new(text)).iter().map(|r| (r.start_line, r.end_line)).collect();
        assert_eq!(lines, [(0, 1), (2, 7), (3, 4)]);
        assert!(ranges(&Text::new("}}{{((")).is_empty());
    }
}
