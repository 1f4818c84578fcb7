//! The rectangles of PEs that commands work on.

use csl_host::Coord;

/// A rectangle of PEs: its north-west PE and its size in PEs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Rect {
    /// `X,Y,WIDTH,HEIGHT`, or `X,Y` and `--dimension=WIDTH,HEIGHT`.
    pub fn parse(words: &[String]) -> Result<Rect, String> {
        let numbers = |text: &str| -> Option<Vec<u32>> { text.split(',').map(|n| n.trim().parse().ok()).collect() };
        let mut all = Vec::new();
        for word in words {
            let text = word.strip_prefix("--dimension=").unwrap_or(word);
            if text != "--dimension" {
                all.extend(numbers(text).ok_or_else(|| format!("`{word}` is not X,Y,WIDTH,HEIGHT"))?);
            }
        }
        match all[..] {
            [x, y, width, height] if width > 0 && height > 0 => Ok(Rect { x, y, width, height }),
            [x, y] => Ok(Rect { x, y, width: 1, height: 1 }),
            _ if words.is_empty() => Err("a rectangle is X,Y,WIDTH,HEIGHT".to_owned()),
            _ => Err(format!("a rectangle is X,Y,WIDTH,HEIGHT, not `{}`", words.join(" "))),
        }
    }

    /// Refuses a rectangle that reaches out of `all`.
    pub fn within(self, all: Rect) -> Result<Rect, String> {
        let ends = |from: u32, length: u32, most: u32| from.checked_add(length).is_some_and(|end| end <= most);
        if ends(self.x, self.width, all.width) && ends(self.y, self.height, all.height) {
            return Ok(self);
        }
        Err(format!("{self} is not within the fabric of {} columns and {} rows", all.width, all.height))
    }

    pub fn contains(&self, Coord { x, y }: Coord) -> bool {
        (self.x..self.x.saturating_add(self.width)).contains(&x)
            && (self.y..self.y.saturating_add(self.height)).contains(&y)
    }

    pub fn places(self) -> impl Iterator<Item = Coord> {
        (self.y..self.y + self.height).flat_map(move |y| (self.x..self.x + self.width).map(move |x| Coord { x, y }))
    }
}

impl std::fmt::Display for Rect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rect(x={}, y={}, width={}, height={})", self.x, self.y, self.width, self.height)
    }
}
