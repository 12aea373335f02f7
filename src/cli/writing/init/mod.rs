//! `grace init`

mod sample;
mod story;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::checking::validate;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::cli::writing::schema;
use crate::config::Folder;
use crate::config::format::format;
use crate::config::grammar::FileKind;
use crate::say::{self, Report};

use sample::{Sample, Source, TAPLO, TOMBI};
use story::Service;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes rules/NAME.toml with its tests, the five policy files, and what lets editors find the schemas. No file is ever\n\
                  overwritten: where one is there already, nothing is written at all.\n\n\
                  Examples:\n  grace init watch --service web --http http://127.0.0.1:8080/health\n  \
                  grace init . --service web --http http://127.0.0.1:8080/ --argv /usr/bin/web --port 8080\n  \
                  grace init . --service nginx --pid-file /run/nginx.pid --tcp 127.0.0.1:80\n  \
                  grace init --print rules --service api --tcp 127.0.0.1:9000 > watch/rules/api.toml\n  \
                  grace init --print pre-commit > .pre-commit-config.yaml"
)]
pub(in crate::cli) struct Args {
    /// The directory that gets `rules/` and `policies/`, instead of `--config`
    dir: Option<PathBuf>,
    /// What the service is called; where nothing is said, web
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Ask this URL
    #[arg(long, value_name = "URL")]
    http: Option<String>,
    /// Connect to this address; where nothing else is said, to 127.0.0.1:8080
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Option<String>,
    /// Look at the process whose number stands in this file
    #[arg(long, value_name = "FILE", conflicts_with = "argv")]
    pid_file: Option<String>,
    /// Grace starts the service and keeps it: the program and its arguments, word by word, up to the end of the line
    #[arg(long, value_name = "WORD", num_args = 1.., allow_hyphen_values = true)]
    argv: Vec<String>,
    /// Leave out what is for editors: tombi.toml, .taplo.toml and schema/
    #[arg(long)]
    no_editor: bool,
    /// Write nothing; print this one
    #[arg(long, value_name = "SAMPLE", conflicts_with_all = ["dir", "no_editor"])]
    print: Option<Sample>,
}

const POLICIES: [(&str, &str); 6] = [
    ("policies/modes.toml", include_str!("set/modes.toml")),
    ("policies/governance.toml", include_str!("set/governance.toml")),
    ("policies/budgets.toml", include_str!("set/budgets.toml")),
    ("policies/system.toml", include_str!("set/system.toml")),
    ("policies/notify.toml", include_str!("set/notify.toml")),
    ("policies/access.toml", include_str!("set/access.toml")),
];

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    if let Some(sample) = args.print {
        return print(sample, args, out);
    }
    let dir = args.dir.clone().unwrap_or_else(|| shared.config.clone());
    let editor = !args.no_editor;
    let mut files = match generation(&service(args)) {
        Ok(files) => files,
        Err(report) => return refuse(&report, out),
    };
    if editor {
        files.extend([TOMBI, TAPLO].map(|(name, text)| (name.to_owned(), text.to_owned())));
        files.extend(schema::files()?.into_iter().map(|(name, text)| (format!("schema/{name}"), text)));
    }
    write::all(&dir, &files)?;
    if out.is_json() {
        out.json(&serde_json::json!({ "format_version": 1, "written": files.keys().collect::<Vec<_>>() }))?;
    } else {
        files.keys().try_for_each(|name| out.line(dir.join(name).display()))?;
    }
    let shown = dir.display();
    out.talk(format_args!(
        "next: look at the rule file, then\n  grace validate {shown} && grace test {shown}\n  \
         grace run --config {shown} --data {}\nand in CI: grace init --print github (or gitlab, pre-commit)",
        shared.data.display()
    ));
    Ok(Exit::Clean)
}

/// Prints one text: for people as it is, for programs with the name of the file that it is for.
fn print(sample: Sample, args: Args, out: Out) -> Result<Exit, Failure> {
    let (file, text) = match sample.source() {
        Source::Fixed(file, text) => match spoken_of(&args) {
            None => (file.to_owned(), text.to_owned()),
            Some(flag) => return Err(unheard(sample, flag)),
        },
        Source::Made(end) => {
            let service = service(args);
            let file = format!("rules/{}{end}", service.name);
            match generation(&service) {
                Ok(mut files) => {
                    let text = files.remove(&file).unwrap_or_default();
                    (file, text)
                }
                Err(report) => return refuse(&report, out),
            }
        }
    };
    if out.is_json() {
        out.json(&serde_json::json!({ "format_version": 1, "file": file, "text": text }))?;
    } else {
        out.line(text.trim_end())?;
    }
    Ok(Exit::Clean)
}

/// The first flag that says something of the service.
fn spoken_of(args: &Args) -> Option<&'static str> {
    let said = [
        ("--service", args.service.is_some()),
        ("--http", args.http.is_some()),
        ("--tcp", args.tcp.is_some()),
        ("--pid-file", args.pid_file.is_some()),
        ("--argv", !args.argv.is_empty()),
    ];
    said.into_iter().find_map(|(flag, is_said)| is_said.then_some(flag))
}

fn unheard(sample: Sample, flag: &str) -> Failure {
    let word = sample.to_possible_value().map(|word| word.get_name().to_owned()).unwrap_or_default();
    Failure::Usage(format!(
        "`--print {word}` is the same for every service: leave out {flag}, or print `rules` or `test`"
    ))
}

/// What was asked for makes no valid file: says why, in the form that is wanted.
fn refuse(report: &Report, out: Out) -> Result<Exit, Failure> {
    if out.is_json() {
        out.json(&say::to_json(report))?;
    } else {
        validate::show(out, report)?;
    }
    out.talk("nothing was written: the rule file would not be valid; mend what was asked for");
    Ok(Exit::Usage)
}

fn service(args: Args) -> Service {
    let name = args.service.unwrap_or_else(|| "web".into());
    let asked = args.http.is_some() || args.tcp.is_some() || args.pid_file.is_some() || !args.argv.is_empty();
    let tcp = args.tcp.or_else(|| (!asked).then(|| "127.0.0.1:8080".into()));
    Service { name, argv: args.argv, pid_file: args.pid_file, http: args.http, tcp }
}

/// The rule, test and policy files, in form and proven valid, or what is wrong with what was asked for.
fn generation(service: &Service) -> Result<BTreeMap<String, String>, Box<Report>> {
    let mut files: BTreeMap<String, String> =
        POLICIES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let rules = format!("rules/{}.toml", service.name);
    files.insert(rules.clone(), format(&rules, &story::rules(service), Some(FileKind::Rules))?);
    // The name and all that was asked for meet the same judge as anybody's files.
    Folder::of(&files).compile(None)?;
    let tests = format!("rules/{}.test.toml", service.name);
    files.insert(tests.clone(), format(&tests, &story::tests(service), Some(FileKind::Test))?);
    Ok(files)
}
