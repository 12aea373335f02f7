//! Half of a promotion: what lies in the folder when whoever promoted a candidate died in the middle.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::promotion::{began, kept_in};
use crate::model::GenerationId;
use crate::replay::is_half;

/// What is wrong with these files, where a promotion of this candidate to the folder began and they are half of it. A part of
/// a candidate that somebody saves by hand is none: no promotion keeps anything beside it.
pub(super) fn half(
    dir: &Path,
    files: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
    (generation, to): (&GenerationId, &BTreeMap<String, String>),
) -> Option<String> {
    (is_half(files, live, to) && began(dir, generation)).then(|| {
        let kept = kept_in(Path::new(""), generation);
        format!(
            "these files are in part the live generation's and in part the candidate's, as a promotion that was cut short \
             leaves them: `grace shadow promote --write --reason ...` ends it, or put the live files back (what it replaced \
             is in {}); who wants only this part puts them back, ends the candidate with `grace shadow end`, and saves it \
             again",
            kept.display()
        )
    })
}
