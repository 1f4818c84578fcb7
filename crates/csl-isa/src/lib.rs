//! csl-isa (see ARCHITECTURE.md).
