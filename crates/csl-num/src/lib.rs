//! csl-num (see ARCHITECTURE.md).
