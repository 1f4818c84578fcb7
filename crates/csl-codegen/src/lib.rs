//! csl-codegen (see ARCHITECTURE.md).
