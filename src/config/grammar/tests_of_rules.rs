//! `rules/NAME.test.toml`: what is given, what is expected when, and what must not happen.

use crate::config::grammar::{Key, Names, Shape, Table, list, may, must};
use crate::model::Status;

const TIME: &str = "^[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?$";

fn time(example: &'static str) -> Shape {
    Shape::Pattern(TIME, example)
}

pub(super) fn file() -> Table {
    let test = Shape::Named(Names::Any, Box::new(Shape::Table(test())));
    Table::of("Tests of rules, on virtual time", vec![must("test", "`[test.what_it_proves]`", test)])
}

fn test() -> Table {
    let series = Shape::Pattern("\\S", "3 0! _x10");
    Table::of(
        "One test; every component starts healthy, and a test says what differs",
        vec![
            may("why", "For people", Shape::Text("Three incidents in ten minutes are no accident.")),
            may("component", "Which component is meant where none is named (the file's)", Shape::Text("web")),
            must("start", "The first tick", time("12:00:00")),
            must("end", "The end", time("12:05:00")),
            may("interval", "The grid of the ticks (the files')", Shape::Duration("1s")),
            may(
                "series",
                "One value a tick: `3 0 _ missing`; `_` leaves it, `0x4` is four times 0, `0!` is reported at once",
                Shape::Named(Names::Facts, Box::new(series)),
            ),
            may("given", "What is given, at a time or on an act", list(Shape::Table(given()))),
            may("expect", "What is expected at a second", list(Shape::Table(expect()))),
            may("forbid", "What must not happen", list(Shape::Table(forbid()))),
            may(
                "only",
                "Of these kinds nothing happens but what `expect` names",
                list(Shape::Words(vec!["act", "mode", "status", "task", "shadow"])),
            ),
        ],
    )
}

fn given() -> Table {
    let facts = |shape| Shape::Named(Names::Facts, Box::new(shape));
    let asks = [
        "restart",
        "scale",
        "mode",
        "release",
        "unblock",
        "hold",
        "end_hold",
        "silence",
        "end_silence",
        "run",
        "acknowledge",
        "assign",
        "close",
        "accept",
        "decline",
        "approve",
        "deny",
    ];
    let number = || Shape::Whole(1, 999_999);
    Table::of(
        "What is given",
        vec![
            may("at", "When (from the start)", time("12:00:10")),
            may(
                "on",
                "Whenever such an act is begun, from `at` on",
                Shape::Words(vec!["restart", "scale", "notify"]),
            ),
            may("to", "For `on`: until then", time("12:05:00")),
            may("component", "Of which component", Shape::Text("web")),
            may("set", "Facts from then on", facts(Shape::Reading)),
            may(
                "since",
                "Facts that grow since then; `now`: since it is given",
                facts(Shape::Pattern(SINCE, "now")),
            ),
            may("report", "The component reports itself", Shape::Truth),
            may(
                "late",
                "From then on its probes answer so late, with a tick of their own; `0s`: in time again",
                Shape::Duration("2s"),
            ),
            may("fails", "The act of `on` fails for this reason", Shape::Text("it does not start")),
            may(
                "takes",
                "The act of `on` takes so long; a minute or more: it has timed out",
                Shape::Duration("5s"),
            ),
            may("ask", "A person asks", Shape::Words(asks.to_vec())),
            may("actor", "Who asks", Shape::Text("uid:1000")),
            may("mode", "For `ask = \"mode\"`", Shape::Text("read_only")),
            may("for", "How long the mode or hold lasts", Shape::Duration("2h")),
            may("workers", "For `ask = \"scale\"`", number()),
            may("claim", "For `ask = \"release\"`", Shape::Text("read_only/web")),
            may("approval", "For `ask = \"approve\"` and `\"deny\"`", number()),
            may("rule", "For `ask = \"run\"`: what it would do, by hand", Shape::Text("restart")),
            may("task", "For `ask = \"acknowledge\"`, `\"assign\"` and `\"close\"`: its number", number()),
            may("recommendation", "For `ask = \"accept\"` and `\"decline\"`: its number", number()),
            may("who", "For `ask = \"assign\"`", Shape::Text("ann")),
            may("break_glass", "A lone person approves the own request", Shape::Truth),
            may("blocked", "The component stands blocked from before the test", Shape::Truth),
            may("stop", "The STOP file comes or goes", Shape::Truth),
            may("clock", "The wall clock is stepped, or the machine slept", Shape::Pattern(STEP, "+2h")),
            may("away", "Grace does not get to work for so long", Shape::Duration("2m")),
        ],
    )
}

const STEP: &str = "^[+-]?[0-9]";

const SINCE: &str = "^(now|[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?)$";

fn expect() -> Table {
    let mut keys = vec![
        must("at", "The second", time("12:00:30")),
        may("component", "Of which component", Shape::Text("web")),
    ];
    keys.extend(wanted());
    Table::of("What is expected; everything named has to hold", keys)
}

fn forbid() -> Table {
    let mut keys = vec![
        may("from", "From this second on", time("12:00:00")),
        may("to", "Until this second", time("12:05:00")),
        may("component", "Of which component", Shape::Text("web")),
    ];
    keys.extend(wanted());
    Table::of("What must not happen", keys)
}

fn wanted() -> Vec<Key> {
    let outcomes =
        ["healed", "healed_by_itself", "no_effect", "worse", "relapsed", "failed", "timed_out", "unknown"];
    let count = || Shape::Whole(0, 999_999);
    let act = Shape::Pattern("^(restart|scale [0-9]+)(, (restart|scale [0-9]+))*$", "restart");
    let words = |words: &[&'static str]| Shape::Words(words.to_vec());
    vec![
        may("status", "The status at its end", words(&Status::ALL.map(Status::word))),
        may("failures", "Consecutive critical readings at its end", count()),
        may("mode", "The mode at its end", Shape::Text("normal")),
        may("writes", "What becomes of writes at its end", words(&["allow", "queue", "reject"])),
        may("blocked", "Is it blocked at its end?", Shape::Truth),
        may("act", "What is done in it", act),
        may("attempt", "Which try it is", count()),
        may("outcome", "What becomes of a try in it", words(&outcomes)),
        may("result", "How a healing ends in it", words(&["success", "failed"])),
        may("event", "What is announced in it", Shape::Text("health.component_failed")),
        may("task", "What is asked of people in it", Shape::Text("Investigate web issues")),
        may("notify", "Who is notified in it", Shape::Text("oncall")),
        may("recommend", "What is recommended in it", Shape::Text("Raise the threshold of web")),
        may("shadow", "What a shadow rule would have done in it", Shape::Text("restart")),
        may("policy", "Which policy decides in it", Shape::Text("manual_restart")),
        may("verdict", "What is decided in it", words(&["allow", "review", "deny", "wait"])),
        may("why", "A part of a reason given in it", Shape::Text("pending 1 of 2")),
    ]
}
