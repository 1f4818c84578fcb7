//! Formatting, of a whole file and of some lines.

use csl_fmt::{Refusal as Reason, format, format_lines};
use lsp_types::{DocumentFormattingParams, DocumentRangeFormattingParams, TextEdit, Uri};

use crate::requests::Refusal;
use crate::text::Text;
use crate::world::World;

type Edits = Result<Option<Vec<TextEdit>>, Refusal>;

pub fn whole(world: &World, params: &DocumentFormattingParams) -> Edits {
    formatted(world, &params.text_document.uri, format)
}

pub fn range(world: &World, params: &DocumentRangeFormattingParams) -> Edits {
    let (first, last) = (params.range.start.line as usize + 1, params.range.end);
    // A range that ends at the beginning of a line ends with the line before.
    let last = last.line as usize + usize::from(last.character > 0);
    formatted(world, &params.text_document.uri, |name, text| format_lines(name, text, first..=last.max(first)))
}

fn formatted(world: &World, uri: &Uri, format: impl Fn(&str, &str) -> Result<String, Reason>) -> Edits {
    let Some((key, file)) = world.key(uri).and_then(|key| Some((key.clone(), world.file(&key)?))) else {
        return Ok(None);
    };
    let old = file.text.text();
    if csl_fmt::is_citation_style(old) {
        return Err(Refusal("this is XML (Citation Style Language)".to_owned()));
    }
    match format(&key.to_string_lossy(), old) {
        Ok(new) => Ok(Some(edits(&file.text, &new))),
        Err(Reason::Syntax(..)) => Err(Refusal("not formatted, since it does not parse".to_owned())),
        Err(Reason::Bug) => {
            Err(Refusal("not formatted: the result would be another program; this is a bug".to_owned()))
        }
    }
}

/// The edit that makes `new` of a text: from the first line that changes to the last.
fn edits(old: &Text, new: &str) -> Vec<TextEdit> {
    let text = old.text();
    if **text == *new {
        return Vec::new();
    }
    let is_same = |pair: &(&u8, &u8)| pair.0 == pair.1;
    let head = text.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let head = text[..text.floor_char_boundary(head)].rfind('\n').map_or(0, |at| at + 1);
    let tail =
        text.as_bytes()[head..].iter().rev().zip(new.as_bytes()[head..].iter().rev()).take_while(is_same).count();
    let end = text.ceil_char_boundary(text.len() - tail);
    let end = text[end..].find('\n').map_or(text.len(), |at| end + at);
    let kept = text.len() - end;
    vec![TextEdit { range: old.range(head..end), new_text: new[head..new.len() - kept].to_owned() }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_makes_the_new_text() {
        for (old, new) in [
            ("a\nb  c\nd\n", "a\nb c\nd\n"),
            ("", "x\n"),
            ("x", "x\n"),
            ("aaa\naaa\n", "aaa\n"),
            ("é\n", "è\n"),
            ("a\n\n\nb\n", "a\n\nb\n"),
            ("same\n", "same\n"),
        ] {
            let text = Text::new(old);
            let mut made = text.clone();
            for TextEdit { range, new_text } in edits(&text, new) {
                let change = lsp_types::TextDocumentContentChangeEvent {
                    range: Some(range),
                    range_length: None,
                    text: new_text,
                };
                made = made.changed(&change);
            }
            assert_eq!(&**made.text(), new, "{old:?}");
        }
    }
}
