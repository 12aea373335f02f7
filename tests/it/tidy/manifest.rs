//! `Cargo.toml`: every dependency says why it is there, behind itself or on the line above.

/// Dependencies without a word.
pub(super) fn unexplained(manifest: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let (mut inside, mut explained) = (false, false);
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
        } else if line.starts_with('#') {
            explained = true;
            continue;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| inside)
            && !explained
            && !has_comment(value)
        {
            breaches.push(format!("`{}` does not say why it is needed", name.trim()));
        }
        explained = false;
    }
    breaches
}

/// Is there a `#` outside of quotes, with words behind it?
fn has_comment(value: &str) -> bool {
    let mut quoted = false;
    let sign = value.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '#' && !quoted
    });
    sign.is_some_and(|(at, _)| !value[at + 1..].trim().is_empty())
}

#[test]
fn a_dependency_without_a_word_is_found() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\n# Why.\na = \"1\"\nb = \"2\"\nc = \"#3\"\n\
                    d = { version = \"4\" }   # why\n[dev-dependencies]\ne = \"5\" #\n[lints]\nf = \"deny\"\n";
    let found = unexplained(manifest);
    let names: Vec<&str> = found.iter().filter_map(|breach| breach.split('`').nth(1)).collect();
    assert_eq!(names, ["b", "c", "e"]);
}
