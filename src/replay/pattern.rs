//! Which tests or acts somebody means: a name or, of tests, part of it, or a pattern with `*`.

/// What somebody means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern as somebody wrote it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Is just this name meant?
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        if self.0.contains('*') { glob(&self.0, name) } else { self.0 == name }
    }

    /// Is this test of this file meant? Tests are known as `file::name`, and by their name alone; without a `*` a part
    /// of that is enough.
    #[must_use]
    pub fn meets(&self, file: &str, name: &str) -> bool {
        let whole = format!("{file}::{name}");
        if self.0.contains('*') {
            return glob(&self.0, &whole) || glob(&self.0, name);
        }
        whole.contains(&self.0)
    }
}

/// `*` stands for anything: the pieces between them have to come in order, the first at the beginning and the last at
/// the end.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some((_, behind)) = rest.split_once(piece) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_meant_whole_or_by_a_star() {
        for (pattern, names) in [
            ("restart web", true),
            ("restart", false),
            ("web", false),
            ("restart web2", false),
            ("restart *", true),
            ("* web", true),
            ("restart w*2", false),
            ("", false),
        ] {
            assert_eq!(Pattern::new(pattern).names("restart web"), names, "{pattern}");
        }
        assert!(!Pattern::new("restart web").names("restart web2"));
    }

    #[test]
    fn a_pattern_means_what_it_says() {
        let (file, name) = ("rules/hunter.test.toml", "two_incidents_are_no_attack");
        for (pattern, meets) in [
            ("incidents", true),
            ("hunter.test.toml::two", true),
            ("rules/hunter", true),
            ("three", false),
            ("two*", true),
            ("*attack", true),
            ("two*no*", true),
            ("incidents*", false),
            ("*hunter*::*attack", true),
            ("*hunter*::*defence", false),
            ("two*two*attack", false),
            ("*", true),
        ] {
            assert_eq!(Pattern::new(pattern).meets(file, name), meets, "{pattern}");
        }
    }
}
