//! Where a promotion keeps what it replaces. It is made before the first file gets its place, and so it says for ever that
//! the promotion began, whoever died in it.

use std::path::{Path, PathBuf};

use crate::model::GenerationId;

/// Where what this generation replaces in the folder lies from then on.
#[must_use]
pub fn kept_in(dir: &Path, generation: &GenerationId) -> PathBuf {
    let id: String = generation.as_str().chars().take(12).collect();
    dir.join(format!(".before-promote-{id}"))
}

/// Was a promotion of this generation to the folder begun?
#[must_use]
pub fn began(dir: &Path, generation: &GenerationId) -> bool {
    kept_in(dir, generation).is_dir()
}
