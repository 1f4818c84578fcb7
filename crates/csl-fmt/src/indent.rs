//! Gives each piece its column: a line inside braces is a level deeper than the line with the brace, a line that goes on keeps
//! its distance from the line where the statement began, and one that was aligned with something stays aligned with it.

use csl_syntax::Token;

use crate::piece::Piece;
use crate::roles::Bracket;

/// Spaces of a level.
const LEVEL: usize = 2;

/// A column before and after.
#[derive(Clone, Copy)]
struct Moved {
    old: usize,
    new: usize,
}

impl Moved {
    const ZERO: Moved = Moved { old: 0, new: 0 };

    /// The new column of what stood at an old one, as far from here as before; a level away if it did not stand behind.
    fn follow(self, old: usize) -> usize {
        self.new + old.checked_sub(self.old).filter(|&distance| distance > 0).unwrap_or(LEVEL)
    }
}

/// An open bracket; the first stands for the file.
struct Open {
    at: usize,
    bracket: Bracket,
    /// The line that the bracket stands in; where this line closes an earlier bracket, the line of that.
    line: Moved,
    /// The first piece behind the bracket, if it stands in the same line.
    first: Option<Moved>,
    /// The line of the statement or element under way.
    item: Moved,
}

struct Walk {
    open: Vec<Open>,
    /// The current line, or the line of a bracket that it closes.
    line: Moved,
    /// The pieces of the current line, and of the line before.
    pieces: [Vec<Moved>; 2],
    /// The last piece that is no comment.
    last: Option<usize>,
}

/// Sets columns, and the gaps of the pieces that begin a line.
pub fn place(pieces: &mut [Piece<'_>]) {
    let file = Open { at: usize::MAX, bracket: Bracket::Block, line: Moved::ZERO, first: None, item: Moved::ZERO };
    let mut walk = Walk { open: vec![file], line: Moved::ZERO, pieces: [Vec::new(), Vec::new()], last: None };
    let mut end = 0;
    for at in 0..pieces.len() {
        let starts = walk.starts_item(pieces, at);
        if pieces[at].begins_line() || at == 0 {
            walk.pieces.swap(0, 1);
            walk.pieces[0].clear();
            pieces[at].gap = walk.indentation(pieces, at, starts);
            end = 0;
            walk.line = Moved { old: pieces[at].old_column, new: pieces[at].gap };
        }
        pieces[at].column = end + pieces[at].gap;
        end = pieces[at].end();
        walk.pass(pieces, at, starts);
    }
}

impl Walk {
    fn top(&mut self) -> &mut Open {
        self.open.last_mut().expect("the file stays open")
    }

    /// Whether a statement, declaration or element of a list begins at a piece.
    fn starts_item(&self, pieces: &[Piece<'_>], at: usize) -> bool {
        let top = self.open.last().expect("the file stays open");
        let Some(last) = self.last else { return true };
        match pieces[last].token {
            Token::Comma | Token::Semicolon => true,
            Token::RBrace => {
                pieces[last].bracket.holds_lines() && top.bracket == Bracket::Block && begins_statement(&pieces[at])
            }
            _ => last == top.at,
        }
    }

    fn indentation(&self, pieces: &[Piece<'_>], at: usize, starts: bool) -> usize {
        let top = self.open.last().expect("the file stays open");
        let piece = &pieces[at];
        if piece.closes() {
            return top.line.new;
        }
        // Both stand behind a comment here, or else beside what they belong to; the comment has the same place.
        let follows_block = || self.last.is_some_and(|last| pieces[last].bracket == Bracket::Block);
        let next = pieces[at..].iter().find(|piece| !piece.is_comment());
        let is_body = next.is_some_and(|next| next.token == Token::LBrace && next.bracket.holds_lines() && !starts);
        if is_body || (piece.token == Token::Else && follows_block()) {
            return top.item.new;
        }
        match top.first {
            _ if top.at == usize::MAX && starts => 0,
            Some(first) if starts && !top.bracket.holds_lines() => {
                if first.old == piece.old_column {
                    first.new
                } else {
                    self.aligned(top.line, piece).unwrap_or_else(|| top.line.follow(piece.old_column))
                }
            }
            _ if starts => top.line.new + LEVEL,
            _ => self.aligned(top.item, piece).unwrap_or_else(|| top.item.follow(piece.old_column)),
        }
    }

    /// The new column of the piece of the line before that a piece stood under, if that was not the line's beginning.
    fn aligned(&self, base: Moved, piece: &Piece<'_>) -> Option<usize> {
        let under = self.pieces[1].iter().find(|moved| moved.old == piece.old_column)?;
        (under.old > base.old && under.new > base.new).then_some(under.new)
    }

    fn pass(&mut self, pieces: &[Piece<'_>], at: usize, starts: bool) {
        let piece = &pieces[at];
        let here = Moved { old: piece.old_column, new: piece.column };
        self.pieces[0].push(here);
        let line = self.line;
        let top = self.top();
        if starts {
            top.item = line;
        }
        if at == top.at.wrapping_add(1) && !piece.begins_line() && !piece.is_comment() {
            top.first = Some(here);
        }
        if piece.opens() {
            self.open.push(Open { at, bracket: piece.bracket, line, first: None, item: line });
        } else if piece.closes()
            && self.open.len() > 1
            && let Some(closed) = self.open.pop()
        {
            self.line = closed.line;
        }
        if !piece.is_comment() {
            self.last = Some(at);
        }
    }
}

/// Whether a piece behind the `}` of a block can only begin a statement.
fn begins_statement(piece: &Piece<'_>) -> bool {
    use Token::*;
    !matches!(piece.token, Else | And | Or | Dot | Deref | LBracket | RParen | RBracket | Comma | Semicolon)
        && !piece.token.is_operator()
}
