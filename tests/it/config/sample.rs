//! A sample's text: sentences, commands behind `>>>` with their lines, and last the report.

use std::fs;
use std::path::Path;

const REPORT: &str = ">>> report\n";

/// What a sample says.
#[derive(Debug)]
pub(super) struct Sample {
    text: String,
    pub(super) commands: Vec<Command>,
    /// The report is that of the rule tests, not of the generation.
    pub(super) tests: bool,
    pub(super) report: String,
}

/// `>>> edit rules/database.toml` and the lines below it.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) verb: String,
    pub(super) path: String,
    pub(super) argument: String,
    pub(super) lines: Vec<String>,
}

impl Sample {
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        Self::parse(&fs::read_to_string(path).map_err(|error| error.to_string())?)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (body, report) = text.split_once(REPORT).ok_or("has no `>>> report`")?;
        let mut sample = Self {
            text: body.to_owned(),
            commands: Vec::new(),
            tests: false,
            report: report.trim_end().to_owned(),
        };
        for line in body.lines() {
            if line == ">>> check tests" {
                sample.tests = true;
            } else if let Some(command) = line.strip_prefix(">>> ") {
                let mut words = command.splitn(3, ' ').map(str::to_owned);
                let mut next = || words.next().unwrap_or_default();
                let command = Command { verb: next(), path: next(), argument: next(), lines: Vec::new() };
                sample.commands.push(command);
            } else if let Some(command) = sample.commands.last_mut() {
                command.lines.push(repeated(line));
            } else if !line.is_empty() && !line.starts_with("# ") {
                return Err("begins with sentences behind `# ` that say why it is there".into());
            }
        }
        if sample.text.starts_with("# ") { Ok(sample) } else { Err("does not say why it is there".into()) }
    }

    pub(super) fn bless(&self, path: &Path, report: &str) {
        fs::write(path, format!("{}{REPORT}{report}\n", self.text)).unwrap();
    }
}

/// `<<!*3>>` stands for `!!!`, so that a sample can be long without being long.
fn repeated(line: &str) -> String {
    let Some((before, rest)) = line.split_once("<<") else { return line.to_owned() };
    let (inside, after) = rest.split_once(">>").unwrap();
    let (piece, times) = inside.rsplit_once('*').unwrap();
    let piece = piece.replace("\\n", "\n").repeat(times.parse().unwrap());
    format!("{before}{piece}{}", repeated(after))
}

#[test]
fn a_sample_is_read_as_it_is_written() {
    let sample =
        Sample::parse("# Why.\n>>> mode rules/a.toml 666\n>>> file b\nx<<y\\n*2>>z\n>>> report\nr\n")
            .unwrap();
    assert_eq!(sample.report, "r");
    assert_eq!((&*sample.commands[0].path, &*sample.commands[0].argument), ("rules/a.toml", "666"));
    assert_eq!(sample.commands[1].lines, ["xy\ny\nz"]);
    assert!(Sample::parse(">>> report\n").is_err());
    assert!(Sample::parse("# Why.\n").is_err());
}
