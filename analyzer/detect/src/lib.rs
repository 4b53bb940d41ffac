//! The maths.
