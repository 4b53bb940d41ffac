//! Reading the system under test.
