//! The integration tests, as one binary.

mod components;
mod gate;
mod mesh;
mod parts;
