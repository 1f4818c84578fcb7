//! Columns that an author made of several lines: pieces that began at the same column in lines one below the other, at least
//! one of them behind more than one space. They stay one below the other.

use csl_syntax::Token;

use crate::piece::Piece;

/// Only pieces of one class make a column.
#[derive(PartialEq, Eq)]
enum Class {
    Comment,
    Assign,
    Other,
}

fn class(piece: &Piece<'_>) -> Class {
    match piece.token {
        Token::Comment(_) => Class::Comment,
        Token::Assign => Class::Assign,
        _ => Class::Other,
    }
}

/// Sets the gaps of the pieces that stand in columns.
pub fn align(pieces: &mut [Piece<'_>]) {
    let lines = lines(pieces);
    let mut columns = columns(pieces, &lines);
    // A column moves those to its right.
    columns.sort_by_key(|column| pieces[column[0]].old_column);
    for column in columns {
        let ends: Vec<usize> = column.iter().map(|&at| end_before(pieces, at)).collect();
        let least = column.iter().map(|&at| pieces[at].old_gap).min().unwrap_or(1);
        let target = ends.iter().max().map_or(0, |end| end + least);
        for (at, end) in column.into_iter().zip(ends) {
            pieces[at].gap = target - end;
        }
    }
}

/// The pieces of each line, as ranges.
fn lines(pieces: &[Piece<'_>]) -> Vec<std::ops::Range<usize>> {
    let mut starts: Vec<usize> = (0..pieces.len()).filter(|&at| at == 0 || pieces[at].begins_line()).collect();
    starts.push(pieces.len());
    starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

fn columns(pieces: &[Piece<'_>], lines: &[std::ops::Range<usize>]) -> Vec<Vec<usize>> {
    let mut done: Vec<Vec<usize>> = Vec::new();
    // The columns that reach the line before.
    let mut under_way: Vec<Vec<usize>> = Vec::new();
    for line in lines {
        let goes_on = pieces.get(line.start).is_some_and(|piece| piece.breaks == 1);
        let mut next: Vec<Vec<usize>> = Vec::new();
        for at in line.clone().skip(1).filter(|&at| can_stand_in_column(&pieces[at])) {
            let above = under_way.iter().position(|column| goes_on && stands_under(pieces, column, at));
            let mut column = above.map(|above| under_way.swap_remove(above)).unwrap_or_default();
            column.push(at);
            next.push(column);
        }
        done.append(&mut under_way);
        under_way = next;
    }
    done.append(&mut under_way);
    done.retain(|column| column.len() > 1 && column.iter().any(|&at| pieces[at].old_gap > 1));
    done
}

fn can_stand_in_column(piece: &Piece<'_>) -> bool {
    piece.gap > 0 && piece.old_gap > 0
}

fn stands_under(pieces: &[Piece<'_>], column: &[usize], at: usize) -> bool {
    let above = column.last().map(|&last| &pieces[last]);
    above.is_some_and(|above| above.old_column == pieces[at].old_column && class(above) == class(&pieces[at]))
}

/// The column behind the piece before, with the gaps of now.
fn end_before(pieces: &[Piece<'_>], at: usize) -> usize {
    let start = (0..at).rev().find(|&i| i == 0 || pieces[i].begins_line()).unwrap_or(0);
    pieces[start..at].iter().map(|piece| piece.gap + piece.width).sum()
}
