//! csl-sema (see ARCHITECTURE.md).
