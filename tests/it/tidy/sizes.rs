//! How long files and functions may be. Most are far shorter; the trouble is always in the tail.

use super::source::{Source, Token};

/// Lines of a file, its unit tests apart.
const FILE: usize = 450;

/// Lines of a function, from its `fn` to its last brace. Clippy counts lines of code; this counts what a reader
/// has to scroll past.
const FUNCTION: usize = 70;

/// Every file and function that is too long.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        let tests: usize = source.tests.iter().map(|lines| lines.end() + 1 - lines.start()).sum();
        let lines = source.text.lines().count() - tests;
        if lines > FILE {
            breaches.push(format!("{}: {lines} lines, at most {FILE}", source.path));
        }
        for (name, line, length) in functions(&source.tokens) {
            if length > FUNCTION {
                breaches
                    .push(format!("{}: `{name}` has {length} lines, at most {FUNCTION}", source.at(line)));
            }
        }
    }
    breaches
}

/// Name, first line and length of every function that has a body.
fn functions(tokens: &[Token]) -> Vec<(&str, usize, usize)> {
    let starts = tokens.windows(2).enumerate().filter(|(_, pair)| {
        pair[0].text == "fn" && pair[1].text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    });
    starts
        .filter_map(|(at, pair)| {
            let last = last_line(&tokens[at + 2..])?;
            Some((pair[1].text.as_str(), pair[0].line, last + 1 - pair[0].line))
        })
        .collect()
}

/// The line of the brace that ends the function whose signature begins here.
fn last_line(tokens: &[Token]) -> Option<usize> {
    // A semicolon inside `[u8; 4]` ends nothing.
    let (mut round, mut curly) = (0_i32, 0_i32);
    for token in tokens {
        match token.text.as_str() {
            "(" | "[" => round += 1,
            ")" | "]" => round -= 1,
            ";" if round == 0 && curly == 0 => return None,
            "{" => curly += 1,
            "}" if curly == 1 => return Some(token.line),
            "}" => curly -= 1,
            _ => {}
        }
    }
    None
}

#[test]
fn what_is_too_long_is_found() {
    let long = "//! x\n".repeat(FILE + 1);
    assert_eq!(check(&[Source::new("src/say/x.rs", &long)]).len(), 1);
    let body = "    a();\n".repeat(FUNCTION - 1);
    let found =
        check(&[Source::new("src/say/x.rs", &format!("fn f(_: [u8; 4]) {{\n{body}}}\nfn g() {{}}\n"))]);
    assert_eq!(found, ["src/say/x.rs:1: `f` has 71 lines, at most 70"]);
}

#[test]
fn unit_tests_and_declarations_do_not_count() {
    let tests =
        format!("#[cfg(test)]\nmod tests {{\n    fn f() {{\n{}    }}\n}}\n", "    a();\n".repeat(500));
    assert!(check(&[Source::new("src/say/x.rs", &tests)]).is_empty());
    let shape =
        format!("trait T {{\n    fn f();\n    const X: fn(u8);\n}}\n{}", "const Y: u8 = 1;\n".repeat(80));
    assert!(check(&[Source::new("src/say/x.rs", &shape)]).is_empty());
}
