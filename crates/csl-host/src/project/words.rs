//! Words of a shell: texts with variables in them, and how the values of the variables are put in.

use std::collections::HashMap;

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Characters as they are, and whether they were quoted.
    Text(String, bool),
    /// A variable, the value that stands in where it has none, and whether it was quoted.
    Variable(String, Option<String>, bool),
    /// The output of a command.
    Command,
}

/// The first word, where it stands there as it is.
pub(super) fn first_text(words: &[Vec<Piece>]) -> Option<&str> {
    match words.first().map(Vec::as_slice) {
        Some([Piece::Text(text, false)]) => Some(text),
        _ => None,
    }
}

/// The words with the values of variables; assignments are taken off and remembered. An error is the variable without a value.
pub(super) fn expanded(words: &[Vec<Piece>], variables: &mut HashMap<String, String>) -> Result<Vec<String>, String> {
    let mut out: Vec<String> = Vec::new();
    for word in words {
        let is_first = out.is_empty() || out == ["export"];
        if let Some((name, rest)) = assignment(word).filter(|_| is_first) {
            match joined(&rest, variables) {
                Ok(parts) => drop(variables.insert(name, parts.join(" "))),
                // The variable has a value that is not known.
                Err(_) => drop(variables.remove(&name)),
            }
            continue;
        }
        out.extend(joined(word, variables)?);
    }
    Ok(out)
}

/// The name and the value of a word `NAME=value`.
fn assignment(word: &[Piece]) -> Option<(String, Vec<Piece>)> {
    let (Piece::Text(first, false), rest) = word.split_first()? else { return None };
    let (name, value) = first.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let value = std::iter::once(Piece::Text(value.to_owned(), true)).chain(rest.iter().cloned());
    is_name.then(|| (name.to_owned(), value.collect()))
}

/// A word with the values of its variables; values outside of quotes are split at blanks.
pub(super) fn joined(word: &[Piece], variables: &HashMap<String, String>) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    for piece in word {
        match piece {
            Piece::Text(text, quoted) => {
                is_quoted |= quoted;
                parts.last_mut().expect("there is a part").push_str(text);
            }
            Piece::Command => return Err("(...)".to_owned()),
            Piece::Variable(name, default, quoted) => {
                let value = variables.get(name).cloned().or_else(|| default.clone()).ok_or_else(|| name.clone())?;
                is_quoted |= quoted;
                let mut values = value.split(' ').filter(|_| !quoted);
                let first = if *quoted { value.as_str() } else { values.next().unwrap_or_default() };
                parts.last_mut().expect("there is a part").push_str(first);
                parts.extend(values.map(str::to_owned));
            }
        }
    }
    parts.retain(|part| is_quoted || !part.is_empty());
    Ok(parts)
}
