//! What each probe kind can say: the names and types of its facts. Conditions are checked against this
//! table before they ever run.

use std::borrow::Cow;

use crate::model::{Type, Unit, Value};

/// One fact that a probe gives.
#[derive(Debug, Clone, PartialEq)]
pub struct FactSpec {
    /// Its name behind the probe's: `latency_ms`.
    pub name: Cow<'static, str>,
    /// Its type, without the unit that the name says, and what it reads when all is well.
    pub shape: Shape,
    /// What it tells, for people.
    pub says: &'static str,
}

/// The plain type of a fact, with the value it has when all is well; rule tests start from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Count(i64),
    /// A number.
    Measure(f64),
    /// One of these words; the first is the healthy one.
    Word(&'static [&'static str]),
    /// Any text.
    Text,
}

impl FactSpec {
    /// The type with the unit that the name says.
    #[must_use]
    pub fn kind(&self) -> Type {
        match self.shape {
            Shape::Bool(_) => Type::Bool,
            Shape::Count(_) => Type::Count,
            Shape::Measure(_) => Type::Measure(Unit::of_name(&self.name)),
            Shape::Word(words) => Type::words(words.iter().copied()),
            Shape::Text => Type::any_text(),
        }
    }

    /// Is it one of a probe kind, and not one that a file declares? Of these no number is ever below 0.
    #[must_use]
    pub fn is_standard(&self) -> bool {
        matches!(self.name, Cow::Borrowed(_))
    }

    /// Does it tell that something changed between two starts, as conditions see it in `changed`?
    #[must_use]
    pub fn tells_change(&self) -> bool {
        self.is_standard() && [BINARY_CHANGED, FILE_CHANGED].contains(&self.name.as_ref())
    }

    /// The healthy value in the fact's type.
    #[must_use]
    pub fn healthy_value(&self) -> Value {
        match self.shape {
            Shape::Bool(value) => Value::Bool(value),
            Shape::Count(value) => Value::Int(value),
            Shape::Measure(value) => Value::Float(value),
            Shape::Word(words) => Value::text(words.first().copied().unwrap_or_default()),
            Shape::Text => Value::text(""),
        }
    }
}

const fn fact(name: &'static str, shape: Shape, says: &'static str) -> FactSpec {
    FactSpec { name: Cow::Borrowed(name), shape, says }
}

const fn yes(name: &'static str, says: &'static str) -> FactSpec {
    fact(name, Shape::Bool(true), says)
}

const fn no(name: &'static str, says: &'static str) -> FactSpec {
    fact(name, Shape::Bool(false), says)
}

const fn count(name: &'static str, healthy: i64, says: &'static str) -> FactSpec {
    fact(name, Shape::Count(healthy), says)
}

const fn measure(name: &'static str, healthy: f64, says: &'static str) -> FactSpec {
    fact(name, Shape::Measure(healthy), says)
}

/// A built-in as files know it: the component's name, its control's kind is fixed, and its facts.
#[derive(Debug, Clone)]
pub struct BuiltinSpec {
    /// The component's id.
    pub component: &'static str,
    /// The facts its `builtin` probe gives.
    pub facts: &'static [FactSpec],
}

/// The four built-ins. This table and the module `components` are the only code that knows their names.
pub static BUILTINS: [BuiltinSpec; 4] = [
    BuiltinSpec {
        component: "reflection_service",
        facts: &[
            yes("running", "the reflection loop is alive"),
            measure("age_s", 5.0, "time since the last reflection that the write gate accepted"),
            count("reflections", 1, "reflections since the start of Grace"),
        ],
    },
    BuiltinSpec {
        component: "database",
        facts: &[
            yes("connected", "the database answered a ping in time"),
            measure("latency_ms", 1.0, "how long the ping took, or how long was waited in vain"),
            count("queued_writes", 0, "writes that wait in the journal for the database"),
        ],
    },
    BuiltinSpec {
        component: "task_executor",
        facts: &[
            count("workers", 3, "workers that are alive"),
            count("wanted", 3, "workers that there should be"),
            count("queued", 0, "jobs that wait"),
            measure("oldest_queued_s", 0.0, "how long the oldest job has waited"),
            count("stuck", 0, "workers whose job runs over its time"),
        ],
    },
    BuiltinSpec {
        component: "trigger_mesh",
        facts: &[
            yes("running", "the router is alive"),
            yes("routing", "a self-addressed ping came back"),
            measure("route_latency_ms", 1.0, "how long that ping took"),
            count("dropped", 0, "events that the router lost since its start"),
            count("subscribers", 3, "handlers that are subscribed"),
        ],
    },
];

/// The fact that tells of another program than the one that ran before.
const BINARY_CHANGED: &str = "binary_changed";

/// The fact that tells of another file than the one that was there before.
const FILE_CHANGED: &str = "file_changed";

/// What `guard` says: what could show that somebody works against Grace.
pub(super) static GUARD: [FactSpec; 6] = [
    yes("journal_whole", "the journal's chain held when all of it was last walked"),
    no(
        "rules_changed",
        "at the start the files were others than those that were active; true for a day, or until a reload",
    ),
    no("rules_unsafe", "a file or folder of rules or policies can be written by others"),
    no(BINARY_CHANGED, "Grace's own executable has another digest, owner or mode than at the start before"),
    count(
        "refused_requests",
        0,
        "requests in the last 5 minutes with a wrong token, or without a token, role or permission",
    ),
    measure("clock_back_s", 0.0, "by how much the wall clock was stepped backwards in the last hour"),
];

/// What `process` says of the processes it looks at.
pub(super) static PROCESS: [FactSpec; 14] = [
    yes("running", "at least one of the processes is alive"),
    count("workers", 1, "processes that are alive, without their children"),
    count("wanted", 1, "processes that there should be"),
    count("pid", 1000, "the process that has run longest"),
    no("changed", "it is another process than at the last look"),
    no(BINARY_CHANGED, "the program has another digest, owner or mode than at the start before"),
    measure("age_s", 3600.0, "how long the youngest of them runs"),
    measure("cpu_ratio", 0.01, "share of one core since the last look, children included"),
    measure("resident_bytes", 10_000_000.0, "memory in RAM, children included"),
    count("descriptors", 10, "open files and sockets of the processes themselves"),
    count("tree", 1, "processes with all their descendants"),
    count("orphans", 0, "descendants that outlived the process that began them"),
    count("exits", 0, "ends that nobody asked for, since Grace first looked"),
    count("exit_code", 0, "how the last of them ended; 128 and more is a signal; missing before the first"),
];

/// What `tcp` says of an address.
pub(super) static TCP: [FactSpec; 3] = [
    yes("connected", "the connection was accepted in time"),
    yes("answered", "what was expected came in time; without `expect` the same as `connected`"),
    measure("latency_ms", 1.0, "how long it took, or how long was waited in vain"),
];

/// What `http` says of a URL.
pub(super) static HTTP: [FactSpec; 4] = [
    yes("answered", "a whole answer came in time"),
    count("status_code", 200, "the answer's status code; missing where there was no answer"),
    yes("matched", "the body holds the text of `body`; without one, that there was an answer"),
    measure("latency_ms", 10.0, "how long it took, or how long was waited in vain"),
];

/// What `file` says of a file.
pub(super) static FILE: [FactSpec; 4] = [
    yes("exists", "it is there"),
    measure("age_s", 60.0, "how long ago it was written; missing where it is not there"),
    measure("size_bytes", 1000.0, "how large it is; missing where it is not there"),
    no(FILE_CHANGED, "its digest, owner or mode was another in the last hour; missing of more than 64 MiB"),
];

/// What `command` says of every command; the files declare more.
pub(super) static COMMAND: [FactSpec; 3] = [
    yes("answered", "it ended in time"),
    count("exit_code", 0, "how it ended; 128 and more is a signal; missing where it did not end"),
    measure("latency_ms", 10.0, "how long it took, or how long was waited in vain"),
];

/// What a command in the form of a monitoring plugin says besides.
pub(super) static PLUGIN: [FactSpec; 2] = [
    fact("state", Shape::Word(&["ok", "warning", "critical", "unknown"]), "what the exit code means"),
    fact("message", Shape::Text, "the first line of what it said"),
];

/// The built-in of this name.
#[must_use]
pub fn builtin(component: &str) -> Option<&'static BuiltinSpec> {
    BUILTINS.iter().find(|spec| spec.component == component)
}
