//! Wrong files and what is said of them: one mistake a sample, with the exact report.
//!
//! A sample is one text under `tests/config/`: why it is there, what it changes in the shipped files, and the
//! report. `BLESS=1 cargo test config` writes the reports anew; then read the difference before you keep it.

pub(crate) mod lay;
mod sample;

use std::fs;
use std::path::{Path, PathBuf};

use grace::config;
use grace::replay;
use grace::say::{self, Code, Report};

use sample::Sample;

#[test]
fn every_mistake_is_reported_with_its_place_and_its_mend() {
    check_all("invalid", |report| {
        let silent = report.diagnostics.is_empty();
        if silent { Err("nothing is said, although something is wrong".into()) } else { Ok(()) }
    });
}

#[test]
fn whatever_is_right_is_taken() {
    check_all(
        "valid",
        |report| if report.is_fatal() { Err("right files are refused".into()) } else { Ok(()) },
    );
}

#[test]
fn every_code_has_a_sample() {
    let folder = home().join("tests/config/invalid");
    let samples =
        fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let all: String = samples.collect();
    let of_a_folder = |code: &Code| matches!(code.number(), 6000..7000);
    let other: Vec<&Code> =
        Code::ALL.iter().filter(|code| !of_a_folder(code) && !all.contains(&format!("[{code}]"))).collect();
    // The first is a warning that lies among the right ones, the second wants a generation that is active.
    assert_eq!(other, [&Code::GroupWritable, &Code::CutOff]);
}

/// Holds every sample of a folder against its report, and lists all differences at once.
fn check_all(folder: &str, verdict: fn(&Report) -> Result<(), String>) {
    let folder = home().join("tests/config").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are samples in {}", folder.display());
    let wrong: Vec<String> = paths.iter().filter_map(|path| check(path, verdict).err()).collect();
    assert!(wrong.is_empty(), "\n{}\n{} of {} differ", wrong.join("\n"), wrong.len(), paths.len());
}

fn check(path: &Path, verdict: fn(&Report) -> Result<(), String>) -> Result<(), String> {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let sample = Sample::read(path).map_err(|why| format!("{name}: {why}"))?;
    let dir = lay::shipped(&home());
    match lay::over(dir.path(), &sample) {
        Ok(()) => {}
        Err(lay::Problem::Sample(why)) => return Err(format!("{name}: {why}")),
        Err(lay::Problem::Skip(why)) => {
            say(&format!("sample {name} is skipped: {why}"));
            return Ok(());
        }
    }
    let report = if sample.tests { replay::run_tests(dir.path(), None).report } else { load(dir.path()) };
    // Drawing never fails, whatever the place.
    let drawn = say::human(&report, false);
    assert_eq!(drawn.is_empty(), report.diagnostics.is_empty(), "{name}");
    assert_eq!(say::to_json(&report)["valid"], !report.is_fatal(), "{name}");
    let mut said = say::short(&report).join("\n").replace(&*dir.path().to_string_lossy(), "DIR");
    if said.is_empty() {
        "no problem".clone_into(&mut said);
    }
    if std::env::var_os("BLESS").is_some() {
        sample.bless(path, &said);
    } else if said != sample.report {
        return Err(format!("{name}: expected\n{}\nand it said\n{said}\n", sample.report));
    }
    verdict(&report).map_err(|why| format!("{name}: {why}"))
}

fn load(dir: &Path) -> Report {
    match config::Folder::read(dir).compile(None) {
        Ok(loaded) => loaded.report,
        Err(report) => *report,
    }
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[expect(clippy::print_stderr, reason = "a sample that cannot be laid out here says so")]
fn say(why: &str) {
    eprintln!("{why}");
}

/// The samples of a folder, laid out: the name, the report and where the files lie. What cannot be laid out here is
/// left out, as above.
pub(crate) fn laid_out(folder: &str) -> Vec<(String, String, tempfile::TempDir)> {
    let entries = fs::read_dir(home().join("tests/config").join(folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let laid = paths.into_iter().filter_map(|path| {
        let (sample, dir) = (Sample::read(&path).unwrap(), lay::shipped(&home()));
        lay::over(dir.path(), &sample).ok()?;
        Some((path.file_stem().unwrap().to_string_lossy().into_owned(), sample.report, dir))
    });
    laid.collect()
}

#[test]
fn a_generation_that_ran_is_not_asked_what_it_can_mean() {
    for name in ["rule_component_never_in_each", "division_by_nothing_of_a_time", "policy_kind_never"] {
        let sample = Sample::read(&home().join(format!("tests/config/invalid/{name}.txt"))).unwrap();
        let dir = lay::shipped(&home());
        lay::over(dir.path(), &sample).unwrap();
        assert!(load(dir.path()).is_fatal(), "{name}: files of people");
        let files = config::Folder::read(dir.path()).into_files();
        assert!(config::Folder::of(&files).compile(None).is_ok(), "{name}: a generation of the journal");
    }
}
