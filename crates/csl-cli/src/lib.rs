//! csl-cli (see ARCHITECTURE.md).
