//! `--output FORMAT[=FILE]`: one thing in one form, or in several at once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Out, Output};
use crate::cli::terminal::replace;

/// One form, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Target {
    format: Output,
    /// Nothing means stdout.
    file: Option<PathBuf>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, file) = match text.split_once('=') {
            Some((_, "")) => return Err("name a file behind `=`, or leave the `=` out".into()),
            Some((word, file)) => (word, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let words = Output::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let words: Vec<String> = words.map(|word| word.get_name().to_owned()).collect();
        let format = Output::from_str(word, false)
            .map_err(|_| crate::say::suggest(word, words.iter().map(String::as_str)))?;
        Ok(Self { format, file })
    }
}

/// The one form of a verb that says its data as it comes.
pub(in crate::cli) fn plain(targets: &[Target]) -> Result<Output, Failure> {
    match targets {
        [] => Ok(Output::Human),
        [Target { format, file: None }] if !format.is_report() => Ok(*format),
        _ => Err(Failure::Usage(
            "this verb writes one of `human`, `short` and `json`, to stdout; `validate` and `test` can more"
                .into(),
        )),
    }
}

/// The form that goes to stdout, of a verb that writes a report: none where all of them go into files.
pub(in crate::cli) fn on_stdout(targets: &[Target], can: &[Output]) -> Result<Option<Output>, Failure> {
    if let Some(target) = targets.iter().find(|target| !can.contains(&target.format)) {
        let word =
            target.format.to_possible_value().map(|word| word.get_name().to_owned()).unwrap_or_default();
        return Err(Failure::Usage(format!("this verb does not write `{word}`")));
    }
    let files: Vec<&PathBuf> = targets.iter().filter_map(|target| target.file.as_ref()).collect();
    let unique: std::collections::BTreeSet<&&PathBuf> = files.iter().collect();
    if unique.len() < files.len() {
        return Err(Failure::Usage("two forms in one file would be neither".into()));
    }
    if let Some(rule) = files.iter().find(|file| file.extension().is_some_and(|end| end == "toml")) {
        return Err(Failure::Usage(format!("{} would be a report where a rule file is", rule.display())));
    }
    let mut plain = targets.iter().filter(|target| target.file.is_none()).map(|target| target.format);
    let first = plain.next();
    if plain.next().is_some() {
        let says =
            "two forms at once on stdout would be neither: write one of them into a file, `FORMAT=FILE`";
        return Err(Failure::Usage(says.into()));
    }
    Ok(first)
}

/// Writes the forms that go into files.
pub(in crate::cli) fn write_files(
    targets: &[Target],
    text: impl Fn(Output) -> Result<String, Failure>,
) -> Result<(), Failure> {
    for Target { format, file } in targets {
        let Some(path) = file else { continue };
        let mut text = text(*format)?;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        whole(path, text.as_bytes()).map_err(|why| Failure::File { path: path.clone(), why })?;
    }
    Ok(())
}

/// The whole text, or what was there before. A pipe or a device takes it as it comes.
fn whole(path: &Path, text: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => fs::write(path, text),
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        _ => {
            let path = std::path::absolute(path)?;
            replace::whole(|| replace::Staged::write(&path, text)?.put()).map(|_| ())
        }
    }
}

/// Writes a text to stdout, where there is one.
pub(in crate::cli) fn write_stdout(out: Out, text: &str) -> Result<(), Failure> {
    let text = text.trim_end_matches('\n');
    if text.is_empty() { Ok(()) } else { out.line(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_a_file_or_goes_to_stdout() {
        let parse = |text: &str| text.parse::<Target>();
        assert_eq!(parse("json=a=b.json").map(|target| target.file), Ok(Some("a=b.json".into())));
        assert_eq!(parse("sarf"), Err("did you mean `sarif`?".into()));
        assert!(parse("json=").is_err());
        let (json, file) = (parse("json").expect("fine"), parse("sarif=x").expect("fine"));
        let can = [Output::Json, Output::Sarif];
        assert_eq!(on_stdout(&[json.clone(), file.clone()], &can).ok(), Some(Some(Output::Json)));
        assert!(on_stdout(&[json.clone(), json.clone()], &can).is_err());
        assert_eq!(on_stdout(std::slice::from_ref(&file), &can).ok(), Some(None));
        assert!(plain(&[file]).is_err() && plain(&[json]).is_ok());
    }
}
