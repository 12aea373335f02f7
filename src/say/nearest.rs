//! "Did you mean ...": the nearest right thing.

/// The candidate most like `word`, if one is like it enough to be meant.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        // A third of the word may be wrong; beyond that a suggestion only distracts.
        .filter(|(distance, candidate)| *distance <= 1.max(word.len().max(candidate.len()) / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// What was meant, and whether nothing else can have been: two letters at most are wrong, and no other candidate is
/// as near.
#[must_use]
pub fn meant<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, bool)> {
    let all: std::collections::BTreeSet<&str> = candidates.into_iter().collect();
    let found = nearest(word, all.iter().copied())?;
    let distance = |candidate: &str| strsim::damerau_levenshtein(word, candidate);
    let alone = all.iter().filter(|other| distance(other) <= distance(found)).count() == 1;
    Some((found, alone && distance(found) <= 2))
}

/// A sentence that names the nearest right thing, or else all there are.
#[must_use]
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = candidates.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    match nearest(word, all.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if all.is_empty() => "there is none".into(),
        None => format!("there is: {}", listed(&all)),
    }
}

/// The words as a list for a sentence; a long list is cut, and says so.
fn listed(words: &[&str]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<String> = words.iter().take(SHOWN).map(|word| format!("`{word}`")).collect();
    let more = words.len().saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_found_and_nonsense_is_not() {
        let facts = ["reflection.age_s", "reflection.running"];
        assert_eq!(nearest("reflection.agee_s", facts), Some("reflection.age_s"));
        assert_eq!(nearest("latency", facts), None);
        assert_eq!(suggest("x", []), "there is none");
        assert_eq!(meant("reflection.agee_s", facts), Some(("reflection.age_s", true)));
        assert_eq!(meant("ofe", ["off", "of"]), Some(("of", false)), "both are as near");
    }
}
