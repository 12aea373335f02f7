//! `rules/NAME.toml`: what a component is, how it is seen, what is wrong, and what to do.

use crate::config::grammar::{Form, Key, Names, Shape, Table, list, may, must, named, some};
use crate::model::{CommandProbe, ControlKind, Format, Limit, ProbeKind, StopSignal, Window};

/// An address of a web server, without a password.
pub(super) const URL: &str = "^https?://[^/?# @\\n][^ \\n]*$";

/// A path from the root.
pub(super) const PATH: &str = "^/";
const TIME_OF_DAY: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
const EVENT: &str = "^[a-z0-9_]+(\\.[a-z0-9_]+)+$";

pub(super) fn file() -> Table {
    let each = Shape::Words(vec!["component", "healing"]);
    let own = vec![
        may("component", "What the component is", Shape::Table(component())),
        may(
            "control",
            "How it is started and stopped; without it, it is only watched",
            Shape::Table(control()),
        ),
        must(
            "probe",
            "How facts about it are obtained: `[probe.NAME]`; facts are `NAME.fact`",
            named(probe()),
        ),
        may("threshold", THRESHOLD, Shape::Named(Names::Units, Box::new(Shape::Threshold))),
        must("status", "How it is, asked in this order: critical, warn; neither: ok", Shape::Table(status())),
        may("rule", RULE, named(rule())),
    ];
    let all = vec![
        must(
            "each",
            "The rules of this file are for each component, or for each rule that heals; it declares no component",
            each,
        ),
        may("threshold", THRESHOLD, Shape::Named(Names::Units, Box::new(Shape::Threshold))),
        may("rule", RULE, named(rule())),
    ];
    Table {
        says: "A rule file: one component's whole story",
        forms: vec![Form { keys: own }, Form { keys: all }],
    }
}

const THRESHOLD: &str = "Values that conditions know as `threshold.NAME`, in the unit of their name: `late_s = \"1m\"` is 60.0 seconds";
const RULE: &str = "What is wrong, what to do, how success is seen: `[rule.NAME]`";

fn component() -> Table {
    Table::of(
        "What the component is",
        vec![
            may("label", "Its name for people; without it the file's name", Shape::Text("web shop")),
            may("tier", "1 = critical: policies may ask for approval; 2 is usual", Shape::Whole(1, 9)),
            may("protected", "No rule may block it; without a rule that heals none may either", Shape::Truth),
            may("depends_on", "It is not healed for the fault of these", list(Shape::Text("web"))),
            may("workers", "How many of it a start or restart brings", Shape::Whole(1, 1000)),
            may("windows", "When its downtime is planned: it is held then", list(Shape::Table(window()))),
        ],
    )
}

fn window() -> Table {
    Table::of(
        "A time of day that comes again",
        vec![
            must("at", "When it begins, in UTC", Shape::Pattern(TIME_OF_DAY, "02:00")),
            must("for", "How long it lasts, at most a day", Shape::Duration("1h")),
            may(
                "days",
                "The days on which it begins; without it all",
                list(Shape::Words(Window::DAYS.to_vec())),
            ),
            may("why", "What is planned", Shape::Text("the nightly backup")),
        ],
    )
}

fn status() -> Table {
    let sees = "facts and thresholds of this file";
    Table::of(
        "How the component is",
        vec![
            must("critical", "True: it has failed, and rules may heal it", Shape::Condition(sees)),
            may("warn", "True: it is worse than it should be", Shape::Condition(sees)),
        ],
    )
}

fn control() -> Table {
    let forms = ControlKind::WORDS.into_iter().map(|word| Form { keys: control_of(word) }).collect();
    Table { says: "How the component is started and stopped", forms }
}

fn control_of(word: &'static str) -> Vec<Key> {
    let stop = Table::of(
        "How it is stopped; what is left then is killed",
        vec![
            may(
                "signal",
                "The signal that asks it to end (TERM)",
                Shape::Words(StopSignal::ALL.map(|(_, word)| word).to_vec()),
            ),
            may("within", "So long it has to end by itself (10s, at most 45s)", Shape::Duration("10s")),
        ],
    );
    let kind = must("kind", "`process`: Grace starts it and keeps it; `command`: commands do", tag(word));
    let mut keys = vec![kind];
    if word == "command" {
        keys.extend([
            must("start", "The command that starts it, word by word", argv("systemctl")),
            must("stop", "The command that stops it", argv("systemctl")),
            may("restart", "The command that does both; else stop and start", argv("systemctl")),
            may("status", "Exits 0 where it runs, 3 where not", argv("systemctl")),
        ]);
        keys.extend(around());
        keys.push(may("within", "How long each command may take (20s, at most 45s)", Shape::Duration("20s")));
    } else {
        keys.push(must(
            "argv",
            "The program and its arguments, word by word; no shell sees it",
            argv("/usr/bin/web"),
        ));
        keys.extend(around());
        keys.push(may("stop", "How it is stopped; what is left then is killed", Shape::Table(stop)));
    }
    keys
}

pub(super) fn tag(word: &'static str) -> Shape {
    Shape::Words(vec![word])
}

pub(super) fn argv(example: &'static str) -> Shape {
    some(Shape::Text(example))
}

/// Where, as whom and within which bounds a program runs.
pub(super) fn around() -> [Key; 4] {
    let limits = Limit::ALL.map(|(_, word)| {
        let (says, shape) = if word.ends_with("_bytes") {
            ("What the kernel lets it use, in bytes", Shape::Size("512MiB"))
        } else {
            ("What the kernel lets it use", Shape::Whole(0, (1 << 40) - 1))
        };
        may(word, says, shape)
    });
    [
        may("dir", "Its working directory; without it one of its own", Shape::Pattern(PATH, "/srv/web")),
        may("user", "The user it runs as; without it Grace's own", Shape::Text("www-data")),
        may(
            "env",
            "Its environment, besides what every program needs",
            Shape::Named(Names::Any, Box::new(setting())),
        ),
        may("limits", "What the kernel lets it use", Shape::Table(Table::of("Bounds", limits.to_vec()))),
    ]
}

/// A text that may be secret.
fn setting() -> Shape {
    let file = must(
        "file",
        "The file that holds it; it is read when used, never kept",
        Shape::Pattern(PATH, "/etc/web/token"),
    );
    let env = must("env", "Its name in Grace's own environment", Shape::Text("WEB_TOKEN"));
    Shape::Any(vec![
        Shape::Text("a text"),
        Shape::Table(Table {
            says: "Where it stands",
            forms: vec![Form { keys: vec![file] }, Form { keys: vec![env] }],
        }),
    ])
}

fn probe() -> Table {
    let forms = ProbeKind::WORDS.into_iter().flat_map(probes_of).map(|keys| Form { keys }).collect();
    Table { says: "How facts are obtained", forms }
}

/// The forms of one kind: a `process` is found in three ways.
fn probes_of(word: &'static str) -> Vec<Vec<Key>> {
    let (says, ways) = match word {
        "builtin" => ("Asks a part of Grace", vec![vec![]]),
        "guard" => ("Looks at Grace herself: does somebody work against her?", vec![vec![]]),
        "process" => ("Looks at processes", process()),
        "tcp" => ("Connects, says something, and waits for an answer", vec![tcp()]),
        "http" => ("Asks a URL", vec![http()]),
        "file" => {
            ("Looks at a file: is it there, how old, and is it another one than before?", vec![looked_at()])
        }
        _ => ("Runs a command and reads what it says", vec![command()]),
    };
    let timeout = if word == "command" { "How long it may take (10s)" } else { "How long it may take (2s)" };
    let whole = |way: Vec<Key>| {
        let mut keys = vec![must("kind", says, tag(word))];
        keys.extend(way);
        keys.push(may("timeout", timeout, Shape::Duration("2s")));
        keys
    };
    ways.into_iter().map(whole).collect()
}

fn process() -> Vec<Vec<Key>> {
    let name = |key: fn(_, _, _) -> Key, says| key("name", says, Shape::Pattern("^[^/]+$", "nginx"));
    vec![
        vec![],
        vec![
            must("pid_file", "The file that holds its number", Shape::Pattern(PATH, "/run/nginx.pid")),
            name(may, "What it is called, where the number could be another's"),
        ],
        vec![
            name(must, "All processes of this name"),
            may(
                "user",
                "Only those of this user; anybody can run a program of that name",
                Shape::Text("www-data"),
            ),
        ],
    ]
}

fn looked_at() -> Vec<Key> {
    vec![must("path", "The file", Shape::Pattern(PATH, "/etc/systemd/system/web.service"))]
}

fn tcp() -> Vec<Key> {
    let address = Shape::Pattern("^[^ /]+:[0-9]{1,5}$", "127.0.0.1:6379");
    vec![
        must("address", "Host and port", address),
        may("send", "What is said first", setting()),
        may("expect", "What has to be in the answer", Shape::Pattern("[\\s\\S]", "+PONG")),
    ]
}

fn http() -> Vec<Key> {
    let url = Shape::Pattern(URL, "http://127.0.0.1:8080/health");
    vec![
        must("url", "What is asked; everybody sees it, so it is no place for a password", url),
        may("method", "GET, or another that changes nothing", Shape::Words(vec!["GET", "HEAD", "OPTIONS"])),
        may("headers", "Headers, which may be secret", Shape::Named(Names::Any, Box::new(setting()))),
        may("redirects", "So many are followed (0)", Shape::Whole(0, 10)),
        may("body", "A text that has to be in the body", Shape::Pattern("[\\s\\S]", "ok")),
        may("body_max", "So much of the body is read (64KiB, at most 4MiB)", Shape::Size("64KiB")),
    ]
}

fn command() -> Vec<Key> {
    let types = Shape::Words(CommandProbe::TYPES.to_vec());
    let fact = Table::of(
        "A fact whose name in the output is another",
        vec![
            may("from", "Its name in the output", Shape::Text("/")),
            must("type", "Its type; the unit is in its name", types.clone()),
        ],
    );
    let fact = Shape::Any(vec![types, Shape::Table(fact)]);
    let formats = Shape::Words(Format::ALL.map(|(_, word)| word).to_vec());
    let mut keys = vec![may(
        "argv",
        "The command, word by word; without it the control's `status`",
        argv("/usr/lib/nagios/plugins/check_load"),
    )];
    keys.extend(around());
    keys.extend([
        may("format", "How its output is read (exit: not at all)", formats),
        may("facts", "The facts in its output, with their types", Shape::Named(Names::Plain, Box::new(fact))),
    ]);
    keys
}

const WHEN: &str = "facts, thresholds, ok, warn, critical, unknown, failures, tier, mode, component, and functions over history";

fn rule() -> Table {
    let verify = Table::of(
        "When it is looked again",
        vec![
            may("delay", "How long after the act (at once)", Shape::Duration("5s")),
            may(
                "within",
                "By then it has to be seen ok (30s); where nobody looked, what came of it is unknown",
                Shape::Duration("30s"),
            ),
        ],
    );
    Table::of(
        "What is wrong, what to do, how success is seen",
        vec![
            must("when", "What is wrong", Shape::Condition(WHEN)),
            may("after", "So many readings in a row, or of the last `of` (1)", Shape::Whole(1, 60)),
            may("of", "`after = 2` and `of = 3`: 2 of the last 3", Shape::Whole(1, 60)),
            must("do", "What to do, in order", some(action(true))),
            may("verify", "How success is seen: healed when a later reading is ok", Shape::Table(verify)),
            may("attempts", "Tries of one healing, spaced by the backoff (3)", Shape::Whole(1, 20)),
            may("on_failure", "What to do when every try failed", list(action(false))),
            may("shadow", "It never acts; what it would have done is in the journal (false)", Shape::Truth),
            may(
                "why",
                "For whoever reads it after an incident",
                Shape::Text("A hang looks alive; only its age tells."),
            ),
        ],
    )
}

/// An action of a rule; after a failed healing nothing heals.
fn action(heals: bool) -> Shape {
    let text = |name, says, example| must(name, says, Shape::Pattern(TEMPLATE, example));
    let of = |keys| Shape::Table(Table::of("An action", keys));
    let mut all = vec![Shape::Words(if heals { vec!["restart", "block"] } else { vec!["block"] })];
    if heals {
        all.push(of(vec![must(
            "scale",
            "Start or end workers until there are so many",
            Shape::Whole(1, 1000),
        )]));
    }
    all.extend([
        of(vec![
            must("set_mode", "Claim this mode", Shape::Text("read_only")),
            may("until", "The claim ends by itself when this is true", Shape::Condition(WHEN)),
        ]),
        of(vec![
            must("notify", "Tell this receiver", Shape::Text("oncall")),
            may("text", "What it is told", Shape::Pattern(TEMPLATE, "{label} is {status} (rule {rule})")),
        ]),
        of(vec![must("event", "Announce an event of this type", Shape::Pattern(EVENT, "web.failing"))]),
        of(vec![text("task", "Ask this of a person", "Investigate {label} issues")]),
        of(vec![
            text("recommend", "Recommend this", "Give {label} more memory"),
            may("expects", "This share of the tries should heal then (0.5)", Shape::Number(0.0, 1.0)),
            may("review", "Before and after are compared so much later (7 days)", Shape::Duration("7days")),
            may("change", "The change, so that it can be rehearsed", Shape::Pattern(CHANGE, "after + 1")),
        ]),
    ]);
    Shape::Any(all)
}

/// A change that needs no explanation.
const CHANGE: &str = "^(after *\\+ *[0-9]+|threshold\\.[a-z0-9_]+ *\\* *[0-9.]+|no healing)$";

/// No braces but around names that texts know; a unit test compares with the names of `evaluate`.
pub(super) const TEMPLATE: &str = "^([^{}]|\\{(label|component|rule|status|signals|healing|success)\\})*$";
