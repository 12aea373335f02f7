//! How facts are obtained: plain descriptions, performed by the shell.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::schema::{COMMAND, FILE, GUARD, HTTP, PLUGIN, PROCESS, TCP};
use crate::model::{ComponentId, FactSpec, Launch, Setting, Shape, Span};

/// One probe of one component.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeSpec {
    /// Its name; its facts are `name.fact`.
    pub name: String,
    /// How long it may take.
    pub timeout: Span,
    /// What it does.
    pub kind: ProbeKind,
}

/// The kinds of probe. A new kind is one variant here, its facts in `schema`, one file in `probe`, and what the
/// compiler then asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum ProbeKind {
    /// Asks one of Grace's own parts.
    Builtin,
    /// Looks at Grace herself: does somebody work against her?
    Guard,
    /// Looks at processes.
    Process(Whose),
    /// Connects, says something, and listens.
    Tcp(TcpProbe),
    /// Asks a URL.
    Http(HttpProbe),
    /// Looks at a file.
    File(FileProbe),
    /// Runs a command and reads what it says.
    Command(CommandProbe),
}

/// Which processes a `process` probe looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those that the component's control started.
    Own,
    /// The one whose number stands in this file, and that is called so, where that is said.
    PidFile {
        /// The file.
        path: String,
        /// The program's name.
        name: Option<String>,
    },
    /// All of this name, and of this user where that is said.
    Name {
        /// The program's name.
        name: String,
        /// Its user.
        user: Option<String>,
    },
}

/// What a `tcp` probe does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpProbe {
    /// Host and port.
    pub address: String,
    /// What is said first.
    pub send: Option<Setting>,
    /// What has to be in the answer.
    pub expect: Option<String>,
}

/// What a `file` probe does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProbe {
    /// The file, from the root.
    pub path: String,
}

/// What an `http` probe does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpProbe {
    /// The address.
    pub url: String,
    /// `GET`, or another method that changes nothing.
    pub method: String,
    /// Headers, which may be secret.
    pub headers: BTreeMap<String, Setting>,
    /// What has to be in the body.
    pub body: Option<String>,
    /// So much of the body is read.
    pub body_max: u64,
    /// So many redirects are followed; more are an answer like any other.
    pub redirects: u32,
}

/// What a `command` probe does.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandProbe {
    /// What is run; no arguments at all mean the control's own `status`.
    pub launch: Launch,
    /// How its output is read.
    pub format: Format,
    /// The facts in its output: the name in the output, and the fact.
    pub facts: Vec<(String, FactSpec)>,
}

/// How the output of a command is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Only how it ended counts.
    #[default]
    Exit,
    /// One JSON object.
    Json,
    /// Lines of `key=value`.
    Pairs,
    /// As monitoring plugins speak: a line, and performance data behind a bar.
    Nagios,
}

impl Format {
    /// All of them, with the word files use.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Exit, "exit"), (Self::Json, "json"), (Self::Pairs, "pairs"), (Self::Nagios, "nagios")];
}

impl ProbeKind {
    /// The words files use for the kinds.
    pub const WORDS: [&'static str; 7] = ["builtin", "guard", "process", "tcp", "http", "file", "command"];

    /// The facts this probe gives for this component, or nothing where the component cannot have it.
    #[must_use]
    pub fn facts(&self, component: &ComponentId) -> Option<Cow<'_, [FactSpec]>> {
        Some(match self {
            Self::Builtin => Cow::Borrowed(crate::model::builtin(component.as_str())?.facts),
            Self::Guard => Cow::Borrowed(&GUARD),
            Self::Process(_) => Cow::Borrowed(&PROCESS),
            Self::Tcp(_) => Cow::Borrowed(&TCP),
            Self::Http(_) => Cow::Borrowed(&HTTP),
            Self::File(_) => Cow::Borrowed(&FILE),
            Self::Command(command) => Cow::Owned(command.all_facts()),
        })
    }
}

impl CommandProbe {
    fn all_facts(&self) -> Vec<FactSpec> {
        let plugin: &[FactSpec] = if self.format == Format::Nagios { &PLUGIN } else { &[] };
        let declared = self.facts.iter().map(|(_, fact)| fact);
        COMMAND.iter().chain(plugin).chain(declared).cloned().collect()
    }

    /// The names that a fact of one's own cannot have, because every command gives them.
    #[must_use]
    pub fn taken(format: Format) -> Vec<&'static str> {
        let plugin: &[FactSpec] = if format == Format::Nagios { &PLUGIN } else { &[] };
        COMMAND
            .iter()
            .chain(plugin)
            .filter_map(|fact| if let Cow::Borrowed(name) = &fact.name { Some(*name) } else { None })
            .collect()
    }

    /// A fact that a file declares, by the word for its type.
    #[must_use]
    pub fn declared(name: &str, word: &str) -> Option<FactSpec> {
        let shape = match word {
            "bool" => Shape::Bool(true),
            "count" => Shape::Count(0),
            "measure" => Shape::Measure(0.0),
            "text" => Shape::Text,
            _ => return None,
        };
        Some(FactSpec { name: Cow::Owned(name.to_owned()), shape, says: "declared in the rule file" })
    }

    /// The words for types of declared facts.
    pub const TYPES: [&'static str; 4] = ["bool", "count", "measure", "text"];
}
