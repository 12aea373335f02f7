//! A text as a unit file wants it: quoted where it has blanks, and safe from what systemd would put in its place.

/// As a word of a command: `%` begins a specifier, `$` a variable.
pub(super) fn word(text: &str) -> String {
    quoted(&text.replace('%', "%%").replace('$', "$$"))
}

/// As the program of a command: there a `$` is a `$`.
pub(super) fn program(text: &str) -> String {
    quoted(&text.replace('%', "%%"))
}

/// As one of a list of paths.
pub(super) fn path(text: &str) -> String {
    program(text)
}

/// What needs no quotes is easier to read without.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%$=,".contains(c);
    if text.chars().all(plain) && !text.is_empty() { text.to_owned() } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_as_something_else() {
        for (text, as_word, as_path) in [
            ("/usr/bin/grace", "/usr/bin/grace", "/usr/bin/grace"),
            ("/srv/my data", "\"/srv/my data\"", "\"/srv/my data\""),
            ("/a%h", "/a%%h", "/a%%h"),
            ("/a$HOME b", "\"/a$$HOME b\"", "\"/a$HOME b\""),
            ("/a'b;c#d", "\"/a'b;c#d\"", "\"/a'b;c#d\""),
        ] {
            assert_eq!((word(text).as_str(), path(text).as_str()), (as_word, as_path), "{text}");
        }
    }
}
