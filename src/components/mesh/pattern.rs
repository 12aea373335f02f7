//! Patterns of subscriptions: `health.*`, `security.suspicious_failures`, `*`.

use std::fmt;

/// Which types of event a subscriber wants: one pattern, or several behind commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    shapes: Vec<Shape>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    /// `*`
    All,
    /// `health.*`, kept as `health.`
    Below(String),
    /// The type itself.
    Exactly(String),
}

impl Pattern {
    /// A star stands for everything, alone or behind a last dot; all else is the type itself.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let shapes = text.split(',').map(|one| Shape::new(one.trim())).collect();
        Self { text: text.into(), shapes }
    }

    /// Why no event could ever be wanted so; nothing where that is not certain.
    #[must_use]
    pub fn complaint(text: &str) -> Option<String> {
        let half = |one: &&str| match Shape::new(one) {
            Shape::Exactly(word) => word.is_empty() || word.contains('*'),
            Shape::All | Shape::Below(_) => false,
        };
        let one = text.split(',').map(str::trim).find(half)?;
        Some(format!("`{one}` fits no event: a star stands alone or behind a dot, as in `health.*`"))
    }

    /// Does it want events of this type?
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        self.shapes.iter().any(|shape| match shape {
            Shape::All => true,
            Shape::Below(stem) => kind.starts_with(stem.as_str()),
            Shape::Exactly(this) => kind == this,
        })
    }
}

impl Shape {
    fn new(one: &str) -> Self {
        match one.strip_suffix('*') {
            Some("") => Self::All,
            Some(stem) if stem.ends_with('.') => Self::Below(stem.into()),
            _ => Self::Exactly(one.into()),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_wants_what_is_below_it_and_nothing_beside() {
        for (pattern, kind, wants) in [
            ("*", "health.mode_changed", true),
            ("health.*", "health.mode_changed", true),
            ("health.*", "health", false),
            ("health.*", "healthy.mode", false),
            ("health.mode_changed", "health.mode_changed", true),
            ("health.mode_changed", "health.mode_changed_again", false),
            ("heal*", "health.mode_changed", false),
            ("security.*, health.mode_changed", "health.mode_changed", true),
            ("security.*, health.mode_changed", "health.status_changed", false),
            ("", "health.mode_changed", false),
        ] {
            assert_eq!(Pattern::new(pattern).wants(kind), wants, "{pattern} {kind}");
        }
    }
}
