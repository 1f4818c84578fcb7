//! Interned names: compared and hashed as one number.

use std::fmt;
use std::sync::{LazyLock, RwLock};

use rustc_hash::FxHashMap;

/// A name. Equal names are equal symbols, in the whole process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

#[derive(Default)]
struct Interner {
    ids: FxHashMap<&'static str, u32>,
    names: Vec<&'static str>,
}

// Names live as long as the process. There are as many as there are different identifiers in the sources that
// it has read.
static INTERNER: LazyLock<RwLock<Interner>> = LazyLock::new(RwLock::default);

impl Symbol {
    pub fn new(name: &str) -> Symbol {
        const UNPOISONED: &str = "no code panics while it holds the interner";
        if let Some(&id) = INTERNER.read().expect(UNPOISONED).ids.get(name) {
            return Symbol(id);
        }
        let mut interner = INTERNER.write().expect(UNPOISONED);
        if let Some(&id) = interner.ids.get(name) {
            return Symbol(id);
        }
        let id = interner.names.len() as u32;
        let name: &'static str = Box::leak(name.into());
        interner.names.push(name);
        interner.ids.insert(name, id);
        Symbol(id)
    }

    pub fn as_str(self) -> &'static str {
        INTERNER.read().expect("no code panics while it holds the interner").names[self.0 as usize]
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
