//! Releases of the vendor's SDK.

use serde::{Deserialize, Serialize};

/// A release: 1.4 is `{ major: 1, minor: 4 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sdk {
    pub major: u16,
    pub minor: u16,
}
