//! The figures: what they are, where they are kept, and that every surface tells the same.

mod by_hand;
mod exported;
mod gone;
mod incident;
mod outcomes;
mod scraped;
mod surfaces;
mod told;
mod windows;
