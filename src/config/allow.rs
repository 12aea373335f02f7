//! Comments that allow a warning: `# allow(GR4201): it starts at once`. They are about the line they stand on, else about
//! the statement or the table that follows; the reason is for whoever reads the file next.

use std::ops::Range;
use std::sync::Arc;

use toml_parser::Source;
use toml_parser::lexer::{Token, TokenKind};

use crate::config::files::Texts;
use crate::say::{Code, Diagnostic, Fix, Place, Severity, nearest};

/// What begins such a comment, behind its `#`.
const WORD: &str = "allow(";

/// One allowance.
struct Allowance {
    code: Code,
    /// Where the comment stands, with the line break behind it where it has the line for itself.
    comment: Range<usize>,
    /// What it is about.
    about: Range<usize>,
}

/// Takes the allowed warnings out, and says which allowances are no good.
pub(super) fn apply(texts: &Texts, found: &mut Vec<Diagnostic>) {
    for (name, text) in texts.iter().filter(|(_, text)| text.contains(WORD) || names_a_code(text)) {
        for allowance in read(name, text, found) {
            let before = found.len();
            found.retain(|one| !allowance.fits(one, name));
            // Where something is wrong not every check was made.
            let sound = !found.iter().any(|one| one.severity == Severity::Error);
            if found.len() == before && sound {
                let message = format!("there is no {} here to allow", allowance.code);
                let place = Place::new(name, allowance.comment.clone());
                let fix = Fix::instead(place.clone(), "").safe();
                let unused = Diagnostic::warning(Code::UnusedAllowance, message);
                found.push(unused.at(place).help("take the comment away").fix(fix));
            }
        }
    }
}

impl Allowance {
    fn fits(&self, found: &Diagnostic, name: &Arc<str>) -> bool {
        let inside = |place: &Place| place.file == *name && self.about.contains(&place.span.0);
        found.code == self.code
            && found.severity == Severity::Warning
            && found.place.as_ref().is_some_and(inside)
    }
}

/// The allowances of a text; what only looks like one is a problem.
fn read(name: &Arc<str>, text: &str, found: &mut Vec<Diagnostic>) -> Vec<Allowance> {
    let tokens = Source::new(text).lex().into_vec();
    let mut all = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind() == TokenKind::Comment) {
        let span = token.span().start()..token.span().end();
        let says = text.get(span.clone()).unwrap_or_default();
        let says = says.trim_start_matches('#').trim();
        let Some(says) = says.strip_prefix(WORD) else {
            found.extend(near_miss(says, Place::new(name, span)));
            continue;
        };
        match code(says) {
            Ok(code) => all.push(Allowance {
                code,
                comment: whole_line(text, &tokens, at),
                about: about(text, &tokens, at),
            }),
            Err((message, help)) => {
                let bad = Diagnostic::warning(Code::BadAllowance, message);
                found.push(bad.at(Place::new(name, span)).help(help));
            }
        }
    }
    all
}

/// Does a code stand anywhere in it? Only then a comment can be an allowance that went wrong.
fn names_a_code(text: &str) -> bool {
    text.match_indices(['G', 'g']).any(|(at, _)| text.get(at..).and_then(leading_code).is_some())
}

/// The digits of the code that a text begins with: `GR4201`, the letters in either size.
fn leading_code(text: &str) -> Option<&str> {
    let letters = text.get(..2)?.eq_ignore_ascii_case("gr");
    let digits = text.get(2..6).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let ends = !text.get(6..)?.starts_with(|c: char| c.is_ascii_alphanumeric());
    (letters && ends).then_some(digits)
}

/// A comment that begins nearly like an allowance and names a code right behind: it allows nothing.
fn near_miss(says: &str, place: Place) -> Option<Diagnostic> {
    let end = says.find(|c: char| !c.is_ascii_alphabetic())?;
    let (word, rest) = says.split_at_checked(end)?;
    nearest(&word.to_ascii_lowercase(), ["allow"])?;
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || "([{:=".contains(c));
    let code = leading_code(rest)?;
    let reason = rest.get(6..)?.trim_start_matches(|c: char| c.is_whitespace() || ")]}:,-".contains(c));
    let wanted = format!("# allow(GR{code}): {}", if reason.is_empty() { "the reason" } else { reason });
    let found = Diagnostic::warning(Code::BadAllowance, format!("this is no allowance of GR{code}"));
    let fix = (!reason.is_empty()).then(|| Fix::instead(place.clone(), wanted.clone()));
    Some(found.at(place).help(format!("write `{wanted}`")).fix(fix))
}

/// The code that is allowed, for a reason.
fn code(says: &str) -> Result<Code, (String, String)> {
    const HELP: &str = "write `# allow(GR4201): the reason`";
    let Some((word, reason)) = says.split_once(')') else {
        return Err(("an allowance without an end".into(), HELP.into()));
    };
    let code: Code = word.parse().map_err(|help| (format!("there is no code `{}`", word.trim()), help))?;
    if !code.can_be_allowed() {
        let help = format!("mend it; `grace explain {code}` says how");
        return Err((format!("{code} cannot be allowed: {}", code.title()), help));
    }
    if reason.trim_start_matches(':').trim().is_empty() {
        return Err((format!("{code} is allowed without a reason"), HELP.into()));
    }
    Ok(code)
}

/// Is nothing but blanks between this token and the beginning of its line?
fn begins_line(tokens: &[Token], at: usize) -> bool {
    let before = tokens.get(..at).unwrap_or_default().iter().rev();
    let mut before = before.map(Token::kind).skip_while(|kind| *kind == TokenKind::Whitespace);
    before.next().is_none_or(|kind| kind == TokenKind::Newline)
}

/// The comment, and all of its line where it has that for itself.
fn whole_line(text: &str, tokens: &[Token], at: usize) -> Range<usize> {
    let Some(span) = tokens.get(at).map(Token::span) else { return 0..0 };
    if !begins_line(tokens, at) {
        let before = text.get(..span.start()).unwrap_or_default();
        return before.trim_end().len()..span.end();
    }
    let start = text.get(..span.start()).and_then(|before| before.rfind('\n')).map_or(0, |line| line + 1);
    let end = text.get(span.end()..).and_then(|rest| rest.find('\n'));
    start..end.map_or(text.len(), |line| span.end() + line + 1)
}

/// What the comment is about.
fn about(text: &str, tokens: &[Token], at: usize) -> Range<usize> {
    let rest = tokens.get(at..).unwrap_or_default();
    if !begins_line(tokens, at) {
        let end = rest.first().map_or(text.len(), |token| token.span().end());
        let line = text.get(..end).and_then(|before| before.rfind('\n')).map_or(0, |line| line + 1);
        return line..end;
    }
    let silent = [TokenKind::Comment, TokenKind::Newline, TokenKind::Whitespace];
    let Some(first) = rest.iter().position(|token| !silent.contains(&token.kind())) else { return 0..0 };
    let first = at + first;
    let start = tokens.get(first).map_or(text.len(), |token| token.span().start());
    let header = |number: usize| {
        tokens.get(number).is_some_and(|token| token.kind() == TokenKind::LeftSquareBracket)
            && begins_line(tokens, number)
    };
    let end = if header(first) {
        // The header may have two brackets.
        (first + 2..tokens.len()).find(|number| header(*number))
    } else {
        statement_ends(tokens, first)
    };
    let end = end.and_then(|number| tokens.get(number)).map_or(text.len(), |token| token.span().start());
    start..end
}

/// The line break that ends the statement which this token begins.
fn statement_ends(tokens: &[Token], first: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (number, token) in tokens.iter().enumerate().skip(first) {
        match token.kind() {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => depth = depth.saturating_sub(1),
            TokenKind::Newline if depth == 0 => return Some(number),
            _ => {}
        }
    }
    None
}
