//! What is shipped beside the program says what the program says: Debian's package and the container's recipe.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn home() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn text(name: &str) -> String {
    fs::read_to_string(home().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The manifest without its comments.
fn manifest() -> Vec<String> {
    text("Cargo.toml").lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// Is it there, or, where it is a pattern `*.toml`, at least one of its kind?
fn exists(path: &str) -> bool {
    match path.strip_suffix("/*.toml") {
        None => home().join(path).exists(),
        Some(folder) => fs::read_dir(home().join(folder)).is_ok_and(|mut found| {
            found.any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().ends_with(".toml")))
        }),
    }
}

#[test]
fn the_unit_in_debians_package_is_what_grace_unit_prints() {
    let file = "tests/examples/debian/grace.service";
    let printed = Command::new(env!("CARGO_BIN_EXE_grace"))
        .args(["unit", "--binary", "/usr/bin/grace"])
        .env_remove("GRACE_CONFIG")
        .env_remove("GRACE_DATA")
        .output()
        .expect("runs");
    let printed = String::from_utf8(printed.stdout).expect("a text");
    if std::env::var_os("BLESS").is_some() {
        fs::write(home().join(file), &printed).expect("written");
    }
    assert_eq!(text(file), printed, "set BLESS=1 to write {file} anew");
}

#[test]
fn the_page_in_debians_package_is_what_grace_man_prints() {
    let file = "tests/examples/debian/grace.1";
    let printed = Command::new(env!("CARGO_BIN_EXE_grace")).arg("man").output().expect("runs");
    let printed = String::from_utf8(printed.stdout).expect("a text");
    if std::env::var_os("BLESS").is_some() {
        fs::write(home().join(file), &printed).expect("written");
    }
    assert_eq!(text(file), printed, "set BLESS=1 to write {file} anew");
}

#[test]
fn debians_package_is_made_of_what_is_there() {
    let lines = manifest();
    let assets =
        lines.iter().skip_while(|line| *line != "assets = [").skip(1).take_while(|line| *line != "]");
    let sources: Vec<&str> = assets.filter_map(|line| line.split('"').nth(1)).collect();
    assert!(sources.len() >= 5, "{sources:?}");
    for source in sources.iter().filter(|source| **source != "target/release/grace") {
        assert!(exists(source), "{source}");
    }
    let version = lines.iter().find_map(|line| line.strip_prefix("version = \"")).expect("a version");
    let newest = format!("grace ({}-1) ", version.trim_end_matches('"'));
    let changelog = text("tests/examples/debian/changelog");
    assert!(changelog.starts_with(&newest), "the changelog begins with another version than {newest}");
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(text(file).len() > 500, "{file}");
    }
}

/// The words of a Dockerfile's instructions, one list for each.
fn instructions(recipe: &str) -> Vec<Vec<String>> {
    let lines = recipe.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    joined.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn the_container_is_made_of_what_is_there_and_of_all_that_the_manifest_names() {
    let folder = "tests/examples/docker";
    let copied: Vec<String> = instructions(&text(&format!("{folder}/Dockerfile")))
        .into_iter()
        .filter(|words| words.first().is_some_and(|word| word == "COPY"))
        .filter(|words| !words[1].starts_with("--from="))
        .flat_map(|words| words[1..words.len() - 1].to_vec())
        .collect();
    assert!(copied.len() >= 6, "{copied:?}");
    let lets_in = text(&format!("{folder}/Dockerfile.dockerignore"));
    for path in &copied {
        assert!(home().join(path.trim_start_matches("./")).exists(), "{path}");
        let line = format!("!{}", path.trim_start_matches("./"));
        assert!(lets_in.lines().any(|known| known == line), "{path} is kept out of the build");
    }
    // cargo refuses a manifest that names targets whose files are missing.
    for line in manifest() {
        let Some(path) = line.strip_prefix("path = \"").map(|path| path.trim_end_matches('"')) else {
            continue;
        };
        let is_there = |copied: &String| Path::new(path).starts_with(copied.trim_start_matches("./"));
        assert!(copied.iter().any(is_there), "{path} is not copied");
    }
}

#[test]
fn the_containers_recipe_keeps_its_promises() {
    let instructions = instructions(&text("tests/examples/docker/Dockerfile"));
    let known = [
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "ENV",
        "VOLUME",
        "USER",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    ];
    let with = |word: &str| -> Vec<String> {
        let of = instructions.iter().filter(|words| words.first().is_some_and(|first| first == word));
        of.map(|words| words[1..].join(" ")).collect()
    };
    for words in instructions.iter().filter(|words| !words.is_empty()) {
        assert!(known.contains(&words[0].as_str()), "{words:?}");
    }
    assert_eq!(with("FROM").len(), 2, "what builds does not run");
    assert!(with("FROM")[0].starts_with(&format!("rust:{}-", env!("CARGO_PKG_RUST_VERSION"))));
    assert_eq!((with("USER"), with("STOPSIGNAL")), (vec!["grace".into()], vec!["SIGTERM".into()]));
    assert_eq!(with("VOLUME"), ["/var/lib/grace"]);
    assert!(with("HEALTHCHECK")[0].contains("grace status"));
    let order: Vec<&str> =
        instructions.iter().filter_map(|words| words.first()).map(String::as_str).collect();
    let at = |word| order.iter().rposition(|one| *one == word);
    assert!(at("USER") < at("ENTRYPOINT") && at("RUN") < at("USER"), "{order:?}");
}
