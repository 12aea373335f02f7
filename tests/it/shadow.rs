//! Shadows: what never acts is told, and nobody else is any different for it.

mod beside;
mod candidate;
mod rule;
