//! csl-sim (see ARCHITECTURE.md).
