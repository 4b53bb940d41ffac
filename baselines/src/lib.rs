//! What was normal.
