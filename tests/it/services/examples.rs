//! The examples, with the real programs.
