//! A source file as the rules see it: its code without comments, texts and unit tests, and its texts apart.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

/// One word or sign of code.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) text: String,
}

/// A string literal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Literal {
    pub(super) line: usize,
    pub(super) text: String,
}

/// One file.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// From the house down: `src/act/mod.rs`.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
    pub(super) texts: Vec<Literal>,
    /// The lines of its unit tests.
    pub(super) tests: Vec<RangeInclusive<usize>>,
    /// Modules that are compiled for tests only.
    test_modules: Vec<String>,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (code, texts) = strip(text);
        let mut source = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            tokens: tokens(&code),
            texts,
            tests: Vec::new(),
            test_modules: Vec::new(),
        };
        source.take_tests_away();
        source
    }

    /// The module of the house it belongs to: `act` for `src/act/heal.rs`, `engine` for `src/engine.rs`.
    pub(super) fn module(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let first = inside.split('/').next().unwrap_or(inside);
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Is it the file in which its module begins?
    pub(super) fn is_root(&self) -> bool {
        let module = self.module();
        self.path == format!("src/{module}.rs") || self.path == format!("src/{module}/mod.rs")
    }

    pub(super) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }

    /// The paths of files that its test-only modules may lie in.
    fn test_files(&self) -> Vec<String> {
        let folder = match self.path.strip_suffix("/mod.rs") {
            Some(folder) => folder,
            None => self.path.trim_end_matches(".rs"),
        };
        self.test_modules.iter().map(|name| format!("{folder}/{name}")).collect()
    }

    /// Drops every item behind `#[cfg(test)]`.
    fn take_tests_away(&mut self) {
        const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
        let mut kept = Vec::new();
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            let marked = self.tokens[at..].iter().map(|token| token.text.as_str()).take(7).eq(MARK);
            if !marked {
                kept.push(token.clone());
                at += 1;
                continue;
            }
            let (line, end) = (token.line, self.item_end(at + 7));
            let words: Vec<&str> =
                self.tokens[at + 7..end].iter().map(|token| token.text.as_str()).take(3).collect();
            if let ["mod", name, ";"] = words.as_slice() {
                self.test_modules.push((*name).to_owned());
            }
            self.tests.push(line..=self.tokens[end - 1].line);
            at = end;
        }
        self.tokens = kept;
        self.texts.retain(|literal| !self.tests.iter().any(|lines| lines.contains(&literal.line)));
    }

    /// The token behind an item: its body's closing brace, or its semicolon.
    fn item_end(&self, from: usize) -> usize {
        let mut depth = 0;
        for (at, token) in self.tokens.iter().enumerate().skip(from) {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" if depth <= 1 => return at + 1,
                "}" => depth -= 1,
                ";" if depth == 0 => return at + 1,
                _ => {}
            }
        }
        self.tokens.len()
    }
}

/// The Rust files of some folders, without files that hold only unit tests.
pub(super) fn all(home: &Path, folders: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        walk(home, folder, &mut found);
    }
    let tests: Vec<String> = found.iter().flat_map(Source::test_files).collect();
    let is_test = |path: &str| {
        tests.iter().any(|test| path == format!("{test}.rs") || path.starts_with(&format!("{test}/")))
    };
    found.retain(|source| !is_test(&source.path));
    assert!(!found.is_empty(), "there are sources in {folders:?}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(home: &Path, folder: &str, found: &mut Vec<Source>) {
    for entry in fs::read_dir(home.join(folder)).expect(folder) {
        let entry = entry.expect(folder);
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a type").is_dir() {
            walk(home, &path, found);
        } else if Path::new(&path).extension().is_some_and(|end| end == "rs") {
            found.push(Source::new(&path, &fs::read_to_string(home.join(&path)).expect("a text")));
        }
    }
}

/// The code with comments and texts blanked out, line for line, and the texts.
fn strip(text: &str) -> (String, Vec<Literal>) {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::new();
    let mut texts = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while at < chars.len() {
        let (length, literal) = one(&chars, at);
        let part = &chars[at..at + length];
        if length > 1 || literal.is_some() {
            code.extend(part.iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        } else {
            code.extend(part);
        }
        texts.extend(literal.map(|text| Literal { line, text }));
        line += part.iter().filter(|c| **c == '\n').count();
        at += length;
    }
    (code, texts)
}

/// How long the comment or text is that begins here, and what a text holds; 1 for plain code.
fn one(chars: &[char], at: usize) -> (usize, Option<String>) {
    let rest = &chars[at..];
    let behind_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match rest {
        ['/', '/', ..] => (rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()), None),
        ['/', '*', ..] => (block(rest), None),
        ['"', ..] => quoted(rest),
        ['r', '"' | '#', ..] if !behind_word => raw(rest, 1),
        ['b', 'r', '"' | '#', ..] if !behind_word => raw(rest, 2),
        // A character; a life time has no second quote.
        ['\'', '\\', _, tail @ ..] => {
            (3 + tail.iter().position(|c| *c == '\'').map_or(0, |end| end + 1), None)
        }
        ['\'', _, '\'', ..] => (3, None),
        _ => (1, None),
    }
}

fn block(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] if depth == 1 => return at + 2,
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn quoted(rest: &[char]) -> (usize, Option<String>) {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    let end = at.min(rest.len());
    ((end + 1).min(rest.len()), Some(rest[1..end].iter().collect()))
}

fn raw(rest: &[char], prefix: usize) -> (usize, Option<String>) {
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let start = prefix + hashes;
    if rest.get(start) != Some(&'"') {
        return (1, None); // A raw name: r#type.
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let inside = &rest[start + 1..];
    let end = inside.windows(close.len()).position(|part| part == close).unwrap_or(inside.len());
    ((start + 1 + end + close.len()).min(rest.len()), Some(inside[..end].iter().collect()))
}

fn tokens(code: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for (index, text) in code.lines().enumerate() {
        let line = index + 1;
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let length = if word > 0 {
                word
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push(Token { line, text: rest[..length].to_owned() });
            rest = rest[length..].trim_start();
        }
    }
    found
}

#[test]
fn comments_texts_and_tests_are_no_code() {
    let source = Source::new(
        "src/x.rs",
        "//! tokio\n/* std::fs /* nested */ */ fn a<'x>() { b('\"', '\\'', r#\"in \"it\"#, \"c\\\"d\") }\n\
         #[cfg(test)]\nmod tests {\n    fn e() { f(\"g\") }\n}\nfn h() {}\n#[cfg(test)]\nmod away;\n",
    );
    let words: Vec<&str> = source.tokens.iter().map(|token| token.text.as_str()).collect();
    let plain: Vec<&str> = "fn a < ' x > ( ) { b ( , , , ) } fn h ( ) { }".split(' ').collect();
    assert_eq!(words, plain);
    let texts: Vec<&str> = source.texts.iter().map(|literal| literal.text.as_str()).collect();
    assert_eq!(texts, ["in \"it", "c\\\"d"]);
    assert_eq!(source.tests, [3..=6, 8..=9]);
    assert_eq!(source.test_files(), ["src/x/away"]);
    assert_eq!(source.tokens.last().map(|token| token.line), Some(7));
}
