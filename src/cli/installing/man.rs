//! `grace man`

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grace man | man -l -\n  grace man /usr/local/share/man/man1")]
pub(in crate::cli) struct Args {
    /// Write this page and those of all verbs into a directory, over those of an older version
    dir: Option<PathBuf>,
}

/// What the grammar does not know: what else a running Grace listens to, and where her files lie.
const BESIDES: &str = r".SH SIGNALS
.TP
.B SIGTERM
stops Grace in good order. What she started goes on.
.TP
.B SIGHUP
has the rules and policies read at once. Saved files are read without it.
.SH FILES
.TP
.I /etc/grace/rules, /etc/grace/policies
what decides what an installed Grace does.
.TP
.I /var/lib/grace
the journal, the working database and the socket of the service.
.TP
.I /var/lib/grace/STOP
while there is a file of this name nothing is healed.
";

pub(in crate::cli) fn run(args: &Args, grammar: &Command, out: Out) -> Result<Exit, Failure> {
    let Some(dir) = &args.dir else {
        let page = page(grammar, false).map_err(Failure::Output)?;
        out.line(page.trim_end())?;
        return Ok(Exit::Clean);
    };
    let written = fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(grammar.clone(), dir))
        .and_then(|()| fs::write(dir.join("grace.1"), page(grammar, true)?));
    written.map_err(|error| Failure::Usage(format!("cannot write into {}: {error}", dir.display())))?;
    out.talk(format_args!("the pages are in {}", dir.display()));
    Ok(Exit::Clean)
}

/// The first page. It stands alone, unless `others` says that those of the verbs lie beside it.
fn page(grammar: &Command, others: bool) -> io::Result<String> {
    let man = Man::new(grammar.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    page.extend(verbs(grammar, others).into_bytes());
    man.render_options_section(&mut page)?;
    man.render_extra_section(&mut page)?;
    page.extend(BESIDES.as_bytes());
    man.render_version_section(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn verbs(grammar: &Command, others: bool) -> String {
    let mut text = String::from(".SH VERBS\n");
    for verb in grammar.get_subcommands() {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        let page = if others { format!(" (grace\\-{}(1))", plain(verb.get_name())) } else { String::new() };
        // Nothing can go wrong when a text is written into a text.
        let _ = write!(text, ".TP\n.B {}\n{}{page}\n", plain(verb.get_name()), plain(&about));
    }
    text + ".PP\n.B grace\n.I verb\n.B \\-\\-help\nsays what each takes, with examples.\n"
}

/// A text without what a manual's page would read as a command.
fn plain(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}
