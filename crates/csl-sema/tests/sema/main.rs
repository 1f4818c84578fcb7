//! Programs in, diagnostics or IR out.

mod golden;
mod language;
mod robust;
mod support;
mod ui;
