//! csl-fabric (see ARCHITECTURE.md).
