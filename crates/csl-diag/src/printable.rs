//! Characters that a terminal would obey instead of showing them, made visible: programs, paths and prints come from
//! anywhere.

use std::borrow::Cow;

/// A text for people, with a picture in place of each control character (`␛` for ESC), and `�` for those without a picture
/// and for the ones that change the direction of text. Line feeds and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    match text.chars().any(|character| picture(character).is_some()) {
        true => text.chars().map(shown).collect::<String>().into(),
        false => text.into(),
    }
}

/// What is shown for a character.
pub fn shown(character: char) -> char {
    picture(character).unwrap_or(character)
}

fn picture(character: char) -> Option<char> {
    match character {
        '\n' | '\t' => None,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)),
        '\x7f' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => Some(char::REPLACEMENT_CHARACTER),
        _ => None,
    }
}
