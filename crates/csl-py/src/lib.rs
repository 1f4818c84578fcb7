//! csl-py
