//! Compilation.

use std::path::PathBuf;

use csl_host::{Options, Rendering};

/// A compiled program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its output folder.
    pub folder: PathBuf,
    /// Warnings and notes, as `cslc` prints them; empty where there are none.
    pub warnings: String,
}

/// A program has errors. The text is what `cslc` prints.
#[derive(Clone, Debug)]
pub struct CompileError {
    report: String,
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.report)
    }
}

impl std::error::Error for CompileError {}

/// Compiles a program and writes its output folder, as `cslc` does.
///
/// # Errors
/// [`CompileError`] when the program has errors, or the folder cannot be written.
///
/// # Example
/// ```
/// use waferlab::{Arch, Options, compile};
///
/// # let temporary = tempfile::tempdir()?;
/// # let folder = temporary.path().to_owned();
/// std::fs::write(folder.join("layout.csl"), "layout { @set_rectangle(1); }")?;
/// let error = compile(&Options { folder, arch: Arch::Wse3, ..Options::new("layout.csl") }).expect_err("it is wrong");
/// assert!(error.to_string().contains("layout.csl:1:10"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn compile(options: &Options) -> Result<Program, CompileError> {
    let done = csl_host::compile(options);
    let report = done.render(&Rendering::default());
    match done.succeeded() {
        true => Ok(Program { folder: csl_host::output_folder(options), warnings: report }),
        false => Err(CompileError { report }),
    }
}
