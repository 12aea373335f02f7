//! The only place that prints: data on stdout, talk on stderr, colours for terminals alone.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::model::Status;

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Output {
    /// For people.
    Human,
    /// One line for each thing, for grep; where a verb has no such lines, as for people.
    Short,
    /// For programs.
    Json,
    /// For code scanning (SARIF 2.1.0); `validate` alone.
    Sarif,
    /// Annotations of GitHub's workflows; `validate` alone.
    Github,
    /// For CI servers; `validate` and `test`.
    Junit,
    /// For pull requests and tickets; `simulate` and `report`.
    Markdown,
}

impl Output {
    /// Only verbs that write a report have it.
    pub(in crate::cli) fn is_report(self) -> bool {
        matches!(self, Self::Sarif | Self::Github | Self::Junit | Self::Markdown)
    }
}

/// Where output goes.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Out {
    output: Output,
    colour: bool,
    streams: bool,
}

/// How a word looks on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Look {
    /// As all the rest.
    Plain,
    /// Good.
    Good,
    /// Somebody should look.
    Odd,
    /// Bad.
    Bad,
    /// A heading.
    Head,
    /// Less important.
    Dim,
}

impl Out {
    pub(in crate::cli) fn new(output: Output) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { output, colour: wanted && io::stdout().is_terminal(), streams: false }
    }

    /// The same for what only ends when nobody reads on: that it is so is a failure then.
    pub(in crate::cli) fn streaming(self) -> Self {
        Self { streams: true, ..self }
    }

    /// The same without colours, for files.
    pub(in crate::cli) fn plain(self) -> Self {
        Self { colour: false, ..self }
    }

    pub(in crate::cli) fn is_json(self) -> bool {
        self.output == Output::Json
    }

    pub(in crate::cli) fn is_short(self) -> bool {
        self.output == Output::Short
    }

    /// Does a person look at a terminal, whose lines end somewhere?
    #[expect(clippy::unused_self, reason = "holding an `Out` is what allows to print")]
    pub(in crate::cli) fn is_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    pub(in crate::cli) fn has_colour(self) -> bool {
        self.colour
    }

    /// One line of data. What was found stays found, and the exit code says it, also when whoever reads has seen enough.
    pub(in crate::cli) fn line(self, text: impl Display) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        // Flushed, because whoever follows events wants each at once.
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                if self.streams {
                    Err(Failure::Closed)
                } else {
                    Ok(())
                }
            }
            other => other.map_err(Failure::Output),
        }
    }

    /// One value as data.
    pub(in crate::cli) fn json(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Answer(error.to_string()))?;
        self.line(text)
    }

    /// One value on one line, for streams.
    pub(in crate::cli) fn json_line(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|error| Failure::Answer(error.to_string()))?;
        self.line(text)
    }

    /// Talk. It is nobody's data, so that nothing is lost when nobody listens.
    #[expect(clippy::unused_self, reason = "holding an `Out` is what allows to print")]
    pub(in crate::cli) fn talk(self, text: impl Display) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// How far something is, over what was said of it before; for people who look at a terminal alone.
    #[expect(clippy::unused_self, reason = "holding an `Out` is what allows to print")]
    pub(in crate::cli) fn progress(self, text: impl Display) {
        let mut stderr = io::stderr().lock();
        if stderr.is_terminal() {
            // To the line's beginning, and clear what stood there.
            let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
        }
    }

    /// Says why a verb did not do its work, and answers with its exit code.
    pub(in crate::cli) fn fail(self, failure: &Failure) -> Exit {
        match failure {
            Failure::Closed => {}
            Failure::Problem(problem) if self.is_json() => {
                // Programs get one document, whatever happens.
                let _ = self.json(problem);
            }
            _ => {
                self.talk(format_args!("grace: {failure}"));
                if let Some(hint) = failure.hint() {
                    self.talk(format_args!("  help: {hint}"));
                }
            }
        }
        failure.exit()
    }

    /// The text as it looks on this terminal.
    pub(in crate::cli) fn paint(self, look: Look, text: &str) -> String {
        let code = match look {
            Look::Plain => "",
            Look::Good => "32",
            Look::Odd => "33",
            Look::Bad => "1;31",
            Look::Head => "1",
            Look::Dim => "2",
        };
        if self.colour && !code.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

impl Look {
    /// How a status looks.
    pub(in crate::cli) fn of(status: Status) -> Self {
        match status {
            Status::Ok => Self::Good,
            Status::Warn | Status::Unknown => Self::Odd,
            Status::Critical => Self::Bad,
        }
    }
}
