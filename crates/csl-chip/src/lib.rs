//! csl-chip (see ARCHITECTURE.md).
