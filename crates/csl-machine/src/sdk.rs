//! Releases of the vendor's SDK, and the rules that changed between generations of programs.

use serde::{Deserialize, Serialize};

/// A release: 1.4 is `{ major: 1, minor: 4 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sdk {
    pub major: u16,
    pub minor: u16,
}

impl Sdk {
    /// The release whose rules hold where neither `--sdk` nor the program names another.
    pub const CURRENT: Sdk = Sdk { major: 2, minor: 10 };
    /// The last release in which 16-bit values travelled one a wavelet.
    pub const LAST_UNPACKED: Sdk = Sdk { major: 1, minor: 4 };
    /// The last release in which `@bind_task` bound tasks to colors.
    pub const LAST_WITH_TASK_COLORS: Sdk = Sdk { major: 0, minor: 9 };
}

/// The rules of a program's generation, by name. They are found once, when the program is analysed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// Whether 16-bit operands on the fabric travel two in a wavelet unless the program says otherwise
    /// (docs/decisions/machine.md M1).
    pub packs_halves: bool,
    /// Whether colors and input queues without a data task start blocked (docs/decisions/machine.md M14).
    pub blocks_unbound_channels: bool,
}

impl Dialect {
    pub const CURRENT: Dialect = Dialect { packs_halves: true, blocks_unbound_channels: true };

    /// The rules of a release.
    pub const fn of(sdk: Sdk) -> Dialect {
        Dialect { packs_halves: sdk.major >= 2, blocks_unbound_channels: sdk.major >= 1 }
    }
}
