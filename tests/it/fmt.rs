//! `grace fmt`: one form for all files, and never another meaning.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use grace::config::format::format;
use grace::config::grammar::FileKind;
use grace::config::load;
use proptest::prelude::*;

use crate::daemon::{Said, said};
use crate::scenarios::laid_over;

fn home() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// Every rule, test and policy file of this repository.
fn shipped() -> Vec<PathBuf> {
    let mut folders = vec![home()];
    for parent in ["tests/examples", "tests/config/scenarios"] {
        let inside = fs::read_dir(home().join(parent)).expect(parent);
        folders.extend(inside.map(|entry| entry.expect(parent).path()));
    }
    let parts = folders.iter().flat_map(|folder| [folder.join("rules"), folder.join("policies")]);
    let entries = parts.filter_map(|part| fs::read_dir(part).ok()).flatten();
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect()
}

#[test]
fn what_is_shipped_is_in_form() {
    let files = shipped();
    assert!(files.len() > 40, "{}", files.len());
    for path in files {
        let text = fs::read_to_string(&path).expect("a text");
        let formed = format("x", &text, FileKind::of_path(&path)).expect("is TOML");
        assert_eq!(formed, text, "{}", path.display());
    }
}

/// What it is about, and a file before and after.
const PLACES: [(&str, FileKind, &str, &str); 14] = [
    (
        "tables",
        FileKind::Rules,
        "[rule.b]\n[status]\n[rule.a]\n[component]\n",
        "[component]\n\n[status]\n\n[rule.b]\n\n[rule.a]\n",
    ),
    ("keys", FileKind::Rules, "[rule.a]\ndo=[]\nwhen  =  ''\n", "[rule.a]\nwhen = ''\ndo   = []\n"),
    (
        "names people chose",
        FileKind::Modes,
        "mode.z = 1\nmode.a = 2\ninitial = 'z'\n",
        "initial = 'z'\nmode.z  = 1\nmode.a  = 2\n",
    ),
    (
        "a kind's own order",
        FileKind::Rules,
        "[control]\nstop=1\nargv=2\nkind='process'\n",
        "[control]\nkind = 'process'\nargv = 2\nstop = 1\n",
    ),
    (
        "another kind's",
        FileKind::Rules,
        "[control]\nstatus=0\nstop=1\nstart=2\nkind='command'\n",
        "[control]\nkind   = 'command'\nstart  = 2\nstop   = 1\nstatus = 0\n",
    ),
    (
        "what nobody knows",
        FileKind::Rules,
        "[rule.a]\nx=1\nwhen=2\n[y]\n[status]\n",
        "[status]\n\n[rule.a]\nwhen = 2\nx    = 1\n\n[y]\n",
    ),
    (
        "comments above",
        FileKind::Rules,
        "# file\n\n# two\n[rule.a]\n# why\n[status]\n# c\nwarn=1\ncritical=2\n",
        "# file\n\n# why\n[status]\ncritical = 2\n# c\nwarn     = 1\n\n# two\n[rule.a]\n",
    ),
    (
        "comments behind",
        FileKind::Rules,
        "[component]\ntier=1          # one\ndepends_on=[]   # two\n",
        "[component]\ntier       = 1  # one\ndepends_on = [] # two\n",
    ),
    (
        "comments below",
        FileKind::Rules,
        "[status]\nwarn=1\n# below\n\ncritical=2\n",
        "[status]\ncritical = 2\nwarn     = 1\n# below\n",
    ),
    (
        "a test's lines",
        FileKind::Test,
        "[test.a]\nend=1\nstart=2\nonly=[]\nforbid=[]\nexpect=[\n]\n",
        "[test.a]\nstart = 2\nend   = 1\nexpect = [\n]\nforbid = []\nonly   = []\n",
    ),
    (
        "spelling",
        FileKind::System,
        "interval='30s'\nretention=\"\\u0031h\"\n",
        "interval  = '30s'\nretention = \"\\u0031h\"\n",
    ),
    (
        "line ends",
        FileKind::System,
        "retention='1h'\r\n\r\n\r\ninterval='30s'",
        "interval  = '30s'\r\nretention = '1h'\r\n",
    ),
    ("a byte order mark", FileKind::System, "\u{feff}interval='30s'", "\u{feff}interval = '30s'\n"),
    (
        "tables in a list",
        FileKind::Rules,
        "[[rule]]\n[rule.a]\n[[rule]]\n[rule.a]\n[status]\n",
        "[[rule]]\n\n[rule.a]\n\n[[rule]]\n\n[rule.a]\n\n[status]\n",
    ),
];

#[test]
fn each_thing_comes_to_its_place() {
    for (name, kind, before, after) in PLACES {
        let formed = format("x", before, Some(kind)).expect(name);
        assert_eq!(formed, after, "{name}");
        assert_eq!(format("x", &formed, Some(kind)).expect(name), formed, "{name}, again");
    }
}

#[test]
fn what_a_file_is_its_path_says_or_else_its_names() {
    for (path, kind) in [
        ("rules/web.toml", Some(FileKind::Rules)),
        ("/a/rules/web.test.toml", Some(FileKind::Test)),
        ("policies/modes.toml", Some(FileKind::Modes)),
        ("policies/mode.toml", None),
        ("web.toml", None),
    ] {
        assert_eq!(FileKind::of_path(Path::new(path)), kind, "{path}");
    }
    for (names, kind) in [
        (&["component", "probe"][..], FileKind::Rules),
        (&["component"], FileKind::Rules),
        (&["component", "backoff"], FileKind::Budgets),
        (&["test"], FileKind::Test),
        (&["interval"], FileKind::System),
    ] {
        assert_eq!(FileKind::of_names(names), kind, "{names:?}");
    }
}

/// The shipped files, their order and white space thrown about, mean what they meant.
#[test]
fn the_loaded_files_are_the_same() {
    let meaning = |dir: &Path| {
        let bundle = load(dir).expect("loads").bundle;
        format!("{:?}{:?}{:?}{:?}", bundle.components, bundle.policies, bundle.system, bundle.notify)
    };
    let laid = laid_over(Path::new("/nowhere"));
    let before = meaning(laid.path());
    for part in ["rules", "policies"] {
        for entry in fs::read_dir(laid.path().join(part)).expect(part) {
            let path = entry.expect(part).path();
            let text = fs::read_to_string(&path).expect("a text");
            let messy: Vec<String> = text.split("\n\n").map(|part| part.replace("  ", " ")).collect();
            // The first part may hold what has to stand above all tables.
            let (first, rest) = messy.split_first().expect("a part");
            let top = rest.iter().filter(|part| !part.starts_with('['));
            let tables = rest.iter().rev().filter(|part| part.starts_with('['));
            let messy: Vec<&str> =
                std::iter::once(first).chain(top).chain(tables).map(|part| part.trim_end()).collect();
            fs::write(&path, messy.join("\n")).expect("written");
        }
    }
    assert_eq!(meaning(laid.path()), before, "the mess means the same");
    let formed = grace(laid.path(), &["fmt"]);
    assert_eq!(formed.code, Some(0), "{formed:?}");
    assert!(formed.out.lines().count() >= 5, "{formed:?}");
    assert_eq!(meaning(laid.path()), before);
    assert_eq!(grace(laid.path(), &["fmt", "--check"]).code, Some(0));
}

/// One line of a random file.
fn line() -> impl Strategy<Value = (usize, usize, usize, bool)> {
    (0..9_usize, 0..4_usize, 0..4_usize, any::<bool>())
}

/// A random file: tables and keys in any order, comments and empty lines anywhere.
fn file() -> impl Strategy<Value = String> {
    let tables = [
        "component",
        "control",
        "probe.x",
        "probe.a",
        "status",
        "threshold",
        "rule.b",
        "rule.a",
        "odd",
        "rule.b.verify",
    ];
    let keys = ["kind", "when", "do", "tier", "why", "\"quoted key\"", "zz", "verify", "argv"];
    let values = [
        "1",
        "'a # b'",
        "[\n  1, # inside\n  2\n]",
        "\"\"\"\nx\n\n# y\n\"\"\"",
        "{ a = 1, b = 'c' }",
        "'process'",
        "nan",
    ];
    let section = proptest::collection::vec((Just(keys.to_vec()).prop_shuffle(), line()), 0..4);
    (
        Just(tables.to_vec()).prop_shuffle(),
        proptest::collection::vec(section, 0..10),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(move |(tables, sections, windows, ended)| {
            let mut text = String::new();
            let mut count = 0;
            let mut comment = |text: &mut String, wanted: bool| {
                count += 1;
                if wanted {
                    writeln!(text, "# c{count}.").expect("a text");
                }
            };
            for (at, section) in sections.iter().enumerate() {
                if at > 0 {
                    write!(text, "[{}]", tables[at - 1]).expect("a text");
                    text.push_str([" # behind\n", "\n", "\n\n", "\n# under\n\n"][at % 4]);
                }
                let used: Vec<&str> = section.iter().map(|(keys, _)| keys[0]).collect();
                for (index, (keys, (value, blank, spaces, wanted))) in section.iter().enumerate() {
                    if used[..index].contains(&keys[0])
                        || at > 0 && tables[at - 1] == "rule.b" && keys[0] == "verify"
                    {
                        continue;
                    }
                    text.push_str(&"\n".repeat(*blank));
                    comment(&mut text, *wanted);
                    text.push_str(&"\n".repeat(blank % 2));
                    let gap = " ".repeat(*spaces);
                    write!(text, "{gap}{}{gap}={gap}{}", keys[0], values[value % values.len()])
                        .expect("a text");
                    text.push_str(["\n", " # t\n", "      # t2\n", "\n# after\n\n"][*spaces]);
                }
            }
            if !ended {
                text.truncate(text.trim_end().len());
            }
            if windows { text.replace('\n', "\r\n") } else { text }
        })
}

/// How often each comment stands there; all of them look like no value does.
fn comments(text: &str) -> Vec<String> {
    let behind = text.lines().filter_map(|line| line.split_once('#'));
    let words = |rest: &str| rest.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found: Vec<String> = behind.map(|(_, rest)| words(rest)).collect();
    found.sort_unstable();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_file_is_formed_once_and_for_all(text in file()) {
        let formed = format("x", &text, Some(FileKind::Rules)).map_err(|report| {
            TestCaseError::fail(format!("{text}\n{}", grace::say::human(&report, false)))
        })?;
        let again = format("x", &formed, Some(FileKind::Rules)).expect("is TOML still");
        prop_assert_eq!(&again, &formed, "{}", text);
        prop_assert_eq!(comments(&formed), comments(&text), "{}", text);
        let meaning = |text: &str| text.parse::<toml::Table>().map(|table| format!("{table:?}"));
        prop_assert_eq!(meaning(&formed), meaning(&text));
        prop_assert!(formed.is_empty() || formed.ends_with('\n'));
    }

    #[test]
    fn whatever_comes_in_something_is_said(text in "[\\PC\n\t \\[\\]={}'\"#.]{0,80}") {
        if let Ok(formed) = format("x", &text, None) {
            prop_assert_eq!(format("x", &formed, None).expect("is TOML still"), formed);
        }
    }
}

fn grace(config: &Path, args: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
    said(&command.arg("--config").arg(config).args(args).stdin(Stdio::null()).output().expect("runs"))
}

/// A folder whose only file is not in form.
fn messy() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("rules")).expect("made");
    let path = dir.path().join("rules/web.toml");
    fs::write(&path, "[status]\ncritical='x'\n[component]\ntier=1\n").expect("written");
    (dir, path)
}

const FORMED: &str = "[component]\ntier = 1\n\n[status]\ncritical = 'x'\n";

#[test]
fn check_and_diff_only_look() {
    let (dir, path) = messy();
    let before = fs::read_to_string(&path).expect("reads");
    let check = grace(dir.path(), &["fmt", "--check"]);
    assert!(check.code == Some(1) && check.out.contains("rules/web.toml"), "{check:?}");
    let diff = grace(dir.path(), &["fmt", "--diff"]);
    assert!(
        diff.code == Some(1) && diff.out.contains("\n-tier=1\n") && diff.out.contains("\n+tier = 1\n"),
        "{diff:?}"
    );
    let json = grace(dir.path(), &["fmt", "--check", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("is JSON");
    assert_eq!(json["not_in_form"].as_array().map(Vec::len), Some(1), "{json}");
    assert_eq!(fs::read_to_string(&path).expect("reads"), before);
}

#[test]
fn a_file_is_replaced_at_once_and_keeps_its_rights_and_links() {
    let (dir, path) = messy();
    let kept = dir.path().join("kept.toml");
    fs::rename(&path, &kept).expect("moved");
    symlink("../kept.toml", &path).expect("linked");
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o640)).expect("set");
    let done = grace(dir.path(), &["fmt"]);
    assert!(done.code == Some(0) && done.out.contains("brought into form"), "{done:?}");
    assert!(path.symlink_metadata().expect("is there").is_symlink(), "the link stays");
    assert_eq!(fs::read_to_string(&kept).expect("reads"), FORMED);
    assert_eq!(fs::metadata(&kept).expect("is there").permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 2, "nothing is left behind");
    assert_eq!(grace(dir.path(), &["fmt"]).out, "", "there is nothing left to do");
}

#[test]
fn what_is_no_toml_stays_and_the_others_are_formed() {
    let (dir, path) = messy();
    let broken = dir.path().join("rules/broken.toml");
    fs::write(&broken, "[status\ncritical = 'x'\n").expect("written");
    let done = grace(dir.path(), &["fmt"]);
    assert!(
        done.code == Some(1) && done.out.contains("GR2001") && done.out.contains("broken.toml:1:"),
        "{done:?}"
    );
    assert_eq!(fs::read_to_string(&broken).expect("reads"), "[status\ncritical = 'x'\n");
    assert_eq!(fs::read_to_string(&path).expect("reads"), FORMED);
}

#[test]
fn what_cannot_be_read_is_said_and_never_waited_for() {
    let (dir, path) = messy();
    fs::write(dir.path().join("rules/latin.toml"), b"# \xe4\n").expect("written");
    let pipe = dir.path().join("rules/pipe.toml");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("runs").success());
    let large = fs::File::create(dir.path().join("rules/large.toml")).expect("made");
    large.set_len(1024 * 1024 + 1).expect("grows");
    let done = grace(dir.path(), &["fmt", "--output", "short"]);
    for code in ["GR1004", "GR1007", "GR1003"] {
        assert!(done.code == Some(1) && done.out.contains(code), "{code}: {done:?}");
    }
    assert_eq!(fs::read_to_string(&path).expect("reads"), FORMED);
    for nothing in [dir.path().join("nowhere"), tempfile::tempdir().expect("a folder").path().to_owned()] {
        assert_eq!(grace(dir.path(), &["fmt", nothing.to_str().expect("a path")]).code, Some(2));
    }
}

#[test]
fn stdin_goes_to_stdout() {
    let run = |args: &[&str], text: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
        let piped = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("runs");
        std::io::Write::write_all(&mut child.stdin.take().expect("is piped"), text.as_bytes())
            .expect("writes");
        said(&child.wait_with_output().expect("ends"))
    };
    let formed = run(&["fmt", "-"], "[status]\ncritical='x'\n[component]\ntier=1\n");
    assert_eq!((formed.code, formed.out.as_str()), (Some(0), FORMED), "{formed:?}");
    let named = run(&["fmt", "-", "--as", "policies/budgets.toml"], "overall={}\ncomponent={}");
    assert_eq!(named.out, "component = {}\noverall   = {}\n");
    let check = run(&["fmt", "-", "--check"], "a=1");
    assert_eq!((check.code, check.out.as_str()), (Some(1), ""));
    let broken = run(&["fmt", "-"], "a=");
    assert!(
        broken.code == Some(1) && broken.out.is_empty() && broken.err.contains("<stdin>:1:"),
        "{broken:?}"
    );
    assert_eq!(run(&["fmt", "-", "rules"], "").code, Some(2));
}
