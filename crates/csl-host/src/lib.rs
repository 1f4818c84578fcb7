//! csl-host (see ARCHITECTURE.md).
