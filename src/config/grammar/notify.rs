//! `policies/notify.toml`: the receivers, kind by kind.

use crate::config::grammar::rules::{PATH, URL, argv, around, tag};
use crate::config::grammar::{Form, Key, Shape, Table, may, must, named};
use crate::model::Receiver;

pub(super) fn file() -> Table {
    let forms = Receiver::WORDS.into_iter().flat_map(receivers_of).map(|keys| Form { keys }).collect();
    let receiver = Table { says: "A receiver", forms };
    Table::of(
        "Who is told when a person should know",
        vec![
            may("approvals", "The receiver that hears of requests for approval", Shape::Text("oncall")),
            may("tasks", "Who hears of tasks that rules give to people", Shape::Table(tasks())),
            may("heartbeat", "Who hears that Grace does her work", Shape::Table(heartbeat())),
            may("receiver", "`receiver.NAME = { kind = \"log\" }`", named(receiver)),
        ],
    )
}

fn heartbeat() -> Table {
    let place = [
        must(
            "url",
            "Where to: https, or http on this machine",
            Shape::Pattern(URL, "https://example.org/beat"),
        ),
        must("url_file", "The file that holds the URL", Shape::Pattern(PATH, "/etc/grace/heartbeat")),
        must("url_env", "Where in Grace's environment the URL stands", Shape::Text("HEARTBEAT")),
    ];
    let form = |place| Form {
        keys: vec![
            place,
            may("every", "How often (1m); never more often than ticks", Shape::Duration("1m")),
            may("timeout", "How long it may take (10s, at most 15s)", Shape::Duration("10s")),
        ],
    };
    Table {
        says: "A dead-man's switch: whoever hears nothing for long raises the alarm",
        forms: place.map(form).into(),
    }
}

fn tasks() -> Table {
    Table::of(
        "Who hears of tasks",
        vec![
            may("receiver", "Hears of each new task", Shape::Text("oncall")),
            may("escalate", "Hears of a task that nobody acknowledged for long", Shape::Text("oncall")),
            may("after", "For `escalate`: for how long (1h)", Shape::Duration("1h")),
        ],
    )
}

/// The forms of one kind: a webhook's secret stands in one of two places.
fn receivers_of(word: &'static str) -> Vec<Vec<Key>> {
    let kind = |says| must("kind", says, tag(word));
    match word {
        "webhook" => [
            must(
                "secret_file",
                "The file that holds what signs it",
                Shape::Pattern(PATH, "/etc/grace/webhook"),
            ),
            must("secret_env", "Where in Grace's environment stands what signs it", Shape::Text("WEBHOOK")),
        ]
        .map(|secret| {
            vec![
                kind("Told by HTTP, signed as Standard Webhooks"),
                must(
                    "url",
                    "Where to: https, or http on this machine",
                    Shape::Pattern(URL, "https://example.org/grace"),
                ),
                secret,
                may(
                    "timeout",
                    "How long one of three tries may take (10s, at most 15s)",
                    Shape::Duration("10s"),
                ),
            ]
        })
        .into(),
        "command" => {
            let mut keys = vec![
                kind("A program finds it on its standard input, as JSON"),
                must(
                    "argv",
                    "The program and its arguments, word by word; no shell sees it",
                    argv("/usr/local/bin/page-me"),
                ),
            ];
            keys.extend(around());
            keys.push(may("timeout", "How long it may take (10s, at most 45s)", Shape::Duration("10s")));
            vec![keys]
        }
        _ => vec![vec![kind("A line in the daemon's log")]],
    }
}
