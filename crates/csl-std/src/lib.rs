//! The standard library: CSL files, embedded. A program names one as `@import_module("<math>")`.

mod declarations;
mod table;

pub use declarations::{Declaration, Kind, about, declarations};

use table::LIBRARIES;

/// The text of the library `name`, without angle brackets: `math`, `memcpy/get_params`.
pub fn lookup(name: &str) -> Option<&'static str> {
    LIBRARIES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Every library's name.
pub fn names() -> impl Iterator<Item = &'static str> {
    LIBRARIES.iter().map(|(name, _)| *name)
}
