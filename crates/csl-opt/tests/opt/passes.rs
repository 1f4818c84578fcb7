//! What each pass does: the IR of small programs before and after.
