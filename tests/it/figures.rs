//! The figures: what they are, where they are kept, and that every surface tells the same.

mod by_hand;
mod exported;
mod incident;
mod outcomes;
mod surfaces;
mod told;
mod windows;
