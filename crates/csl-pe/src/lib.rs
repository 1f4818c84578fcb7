//! csl-pe (see ARCHITECTURE.md).
