//! Programs in, diagnostics or IR out.

mod golden;
mod language;
mod repeat;
mod robust;
mod sharing;
mod support;
mod ui;
mod uncalled;
