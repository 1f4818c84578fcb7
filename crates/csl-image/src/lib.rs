//! csl-image (see ARCHITECTURE.md).
