//! The rooms of the command line. Imports go down only, here as in the house: so there are no circles.

use super::paths;
use super::source::Source;

/// From the ground up. What shares a floor does not import each other.
const ROOMS: &[&[&str]] =
    &[&["terminal"], &["asking", "checking", "keeping", "installing"], &["writing", "rehearsing", "running"]];

fn floor(room: &str) -> Option<usize> {
    ROOMS.iter().position(|floor| floor.contains(&room))
}

/// Every file without a room, and every import that does not go down.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| source.module() == "cli" && !source.is_root()) {
        let inside = source.path.strip_prefix("src/cli/").unwrap_or(&source.path);
        let own = inside.split('/').next().unwrap_or(inside);
        let Some(here) = floor(own) else {
            breaches.push(format!("{}: lies in no room of the command line", source.path));
            continue;
        };
        for named in paths::all(source).iter().filter(|named| named.starts_with("crate::cli")) {
            // `pub(in crate::cli)` names no room.
            let Some(target) = named.path.get(2).map(String::as_str) else { continue };
            if target != own && floor(target).is_none_or(|there| there >= here) {
                breaches.push(format!("{}: {own} imports `{target}`", source.at(named.line)));
            }
        }
    }
    breaches
}

#[test]
fn an_import_between_rooms_that_does_not_go_down_is_found() {
    for (path, code, says) in [
        ("src/cli/terminal/out.rs", "use crate::cli::asking::mode::words;", "terminal imports `asking`"),
        ("src/cli/asking/mode.rs", "use crate::cli::checking::places;", "asking imports `checking`"),
        (
            "src/cli/asking/mode.rs",
            "use crate::cli::{Shared, terminal::out::Out};",
            "asking imports `Shared`",
        ),
        ("src/cli/checking/fmt.rs", "fn a() { crate::cli::wait(b) }", "checking imports `wait`"),
        ("src/cli/helpers.rs", "", "lies in no room"),
    ] {
        let found = check(&[Source::new(path, code)]);
        assert!(found.len() == 1 && found[0].contains(says), "{path}: {found:?}");
    }
    for (path, code) in [
        ("src/cli/writing/init/mod.rs", "use crate::cli::checking::validate;"),
        (
            "src/cli/asking/mode.rs",
            "use crate::cli::asking::client;\nuse crate::cli::terminal::{exit::Exit, out};",
        ),
        ("src/cli/mod.rs", "use crate::cli::asking::mode;"),
        ("src/api/mod.rs", ""),
    ] {
        assert_eq!(check(&[Source::new(path, code)]), Vec::<String>::new(), "{path}");
    }
}
