//! csl-std (see ARCHITECTURE.md).
