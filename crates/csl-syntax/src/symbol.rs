//! Interned names: compared as one pointer.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{LazyLock, RwLock};

use rustc_hash::FxHashMap;

/// A name. Equal names are equal symbols, in the whole process.
#[derive(Clone, Copy)]
pub struct Symbol(&'static Interned);

struct Interned {
    text: &'static str,
    /// The number of names before this one.
    number: u32,
}

// Names live as long as the process. There are as many as there are different identifiers in the sources that
// it has read.
static INTERNER: LazyLock<RwLock<FxHashMap<&'static str, Symbol>>> = LazyLock::new(RwLock::default);

impl Symbol {
    pub fn new(name: &str) -> Symbol {
        const UNPOISONED: &str = "no code panics while it holds the interner";
        if let Some(&symbol) = INTERNER.read().expect(UNPOISONED).get(name) {
            return symbol;
        }
        let mut interner = INTERNER.write().expect(UNPOISONED);
        if let Some(&symbol) = interner.get(name) {
            return symbol;
        }
        let text: &'static str = Box::leak(name.into());
        let symbol = Symbol(Box::leak(Box::new(Interned { text, number: interner.len() as u32 })));
        interner.insert(text, symbol);
        symbol
    }

    pub fn as_str(self) -> &'static str {
        self.0.text
    }
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Symbol) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Symbol {}

impl Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.number.hash(state);
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.as_str())
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
