//! csl-ir (see ARCHITECTURE.md).
