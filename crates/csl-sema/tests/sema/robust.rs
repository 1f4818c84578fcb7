//! Programs that ask for too much end in a diagnostic.
