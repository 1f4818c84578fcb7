//! Gives numbers to the colors of a layout.
//!
//! Colors that a connection joins form one class, because a wavelet keeps its color on its way. A class gets the number
//! that the program gives to one of its colors; else, among the numbers that no other class has at any of its PEs, the
//! one in least use.

use csl_machine::Color;
use std::collections::{BTreeMap, BTreeSet};

use crate::layout::grid::Cell;
use crate::layout::{ColorId, Layout, LayoutError};

/// A class of joined colors, named by the lowest of them.
pub(crate) type Class = usize;

/// The classes of colors, and their names.
pub(crate) struct Classes {
    /// The class of each color, then of each stream.
    class: Vec<Class>,
    names: Vec<String>,
    fixed: Vec<Option<u8>>,
}

impl Classes {
    /// Joins the colors of connected ports, and adds a color of its own for each stream's PE.
    pub(crate) fn new(layout: &Layout) -> Result<Classes, LayoutError> {
        let mut names: Vec<String> = layout.colors.keys().cloned().collect();
        let mut fixed: Vec<Option<u8>> = layout.colors.values().copied().collect();
        names.extend(layout.streams.iter().map(|stream| format!("of the host's stream {}", stream.name)));
        fixed.resize(names.len(), None);
        let mut classes = Classes { class: (0..names.len()).collect(), names, fixed };
        for (tx, rx) in &layout.connections {
            classes.join(layout.ports[tx.0].color.0, layout.ports[rx.0].color.0)?;
        }
        Ok(classes)
    }

    fn join(&mut self, a: usize, b: usize) -> Result<(), LayoutError> {
        let (first, second) = (self.class[a].min(self.class[b]), self.class[a].max(self.class[b]));
        if first == second {
            return Ok(());
        }
        self.fixed[first] = match (self.fixed[first], self.fixed[second]) {
            (Some(x), Some(y)) if x != y => {
                let (a, b) = (self.names[a].clone(), self.names[b].clone());
                return Err(LayoutError::ConnectedValues { a, b, x, y });
            }
            (x, y) => x.or(y),
        };
        self.class.iter_mut().filter(|class| **class == second).for_each(|class| *class = first);
        Ok(())
    }

    pub(crate) fn of(&self, color: ColorId) -> Class {
        self.class[color.0]
    }

    /// The color between the host and a stream's PE.
    pub(crate) fn of_stream(&self, layout: &Layout, stream: usize) -> Class {
        self.class[layout.colors.len() + stream]
    }

    pub(crate) fn name(&self, class: Class) -> &str {
        &self.names[class]
    }

    /// The number of every class, by class; classes that meet at a PE have different numbers.
    pub(crate) fn number(&self, uses: &BTreeMap<Cell, BTreeSet<Class>>, colors: u8) -> Result<Vec<Color>, LayoutError> {
        let meets = self.meetings(uses);
        let mut numbers: Vec<Option<u8>> = vec![None; self.names.len()];
        let mut counts = vec![0u32; usize::from(colors)];
        let own = || (0..self.names.len()).filter(|class| self.class[*class] == *class);
        for (class, number) in own().filter_map(|class| Some((class, self.fixed[class]?))) {
            if let Some(other) = meets[class].iter().find(|other| numbers[**other] == Some(number)) {
                let (a, b) = (self.name(*other).to_owned(), self.name(class).to_owned());
                return Err(LayoutError::SharedValue { a, b, number });
            }
            numbers[class] = Some(number);
            counts[usize::from(number)] += 1;
        }
        for class in own().filter(|class| self.fixed[*class].is_none()) {
            let taken: BTreeSet<u8> = meets[class].iter().filter_map(|other| numbers[*other]).collect();
            let free = (0..colors).filter(|number| !taken.contains(number));
            let Some(number) = free.min_by_key(|number| counts[usize::from(*number)]) else {
                return Err(LayoutError::NoColorLeft { name: self.name(class).to_owned(), colors });
            };
            numbers[class] = Some(number);
            counts[usize::from(number)] += 1;
        }
        Ok(self.class.iter().map(|class| numbers[*class].and_then(Color::new).unwrap_or_default()).collect())
    }

    /// For each class, the classes that share a PE with it.
    fn meetings(&self, uses: &BTreeMap<Cell, BTreeSet<Class>>) -> Vec<BTreeSet<Class>> {
        let mut meets = vec![BTreeSet::new(); self.names.len()];
        let together: BTreeSet<&BTreeSet<Class>> = uses.values().collect();
        for classes in together {
            for class in classes {
                meets[*class].extend(classes.iter().filter(|other| *other != class));
            }
        }
        meets
    }
}
