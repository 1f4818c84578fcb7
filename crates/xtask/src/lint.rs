//! Runs the tools that judge the sources: layout, lints, documentation, dependencies.

use crate::shell::{cargo, output, run};

/// A command of cargo's that finds fault.
pub struct Lint {
    pub name: &'static str,
    arguments: &'static str,
    /// The command that installs the tool.
    from: &'static str,
}

pub const ALL: [Lint; 5] = [
    Lint { name: "rustfmt", arguments: "fmt --all --check", from: "rustup component add rustfmt" },
    Lint {
        name: "rustfmt, fuzz",
        arguments: "fmt --manifest-path fuzz/Cargo.toml --check",
        from: "rustup component add rustfmt",
    },
    Lint {
        name: "clippy",
        arguments: "clippy --workspace --all-targets --quiet -- -D warnings",
        from: "rustup component add clippy",
    },
    // Libraries alone: the Python package builds the commands of `csl-cli` a second time.
    Lint { name: "rustdoc", arguments: "doc --workspace --no-deps --lib --quiet", from: "rustup toolchain install" },
    // Advisories come from the network: a bare `cargo deny check` looks at them, too.
    Lint {
        name: "cargo deny",
        arguments: "deny --offline check bans licenses sources",
        from: "cargo install --locked cargo-deny",
    },
];

impl Lint {
    /// The command that installs the tool, if it is not there.
    pub fn missing(&self) -> Option<&'static str> {
        let command = self.arguments.split(' ').next();
        match output(cargo().args(command).arg("-h")) {
            Some(_) => None,
            None => Some(self.from),
        }
    }

    /// An error if the tool finds something.
    pub fn check(&self) -> Result<(), String> {
        run(cargo().args(self.arguments.split(' ')).env("RUSTDOCFLAGS", "-D warnings"))
    }
}
