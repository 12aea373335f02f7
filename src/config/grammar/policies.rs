//! `policies/*.toml`: modes, governance, budgets, system, access.

use crate::config::grammar::{Key, Shape, Table, list, may, must, named, some};
use crate::govern::Permitted;
use crate::model::{ActKind, Permission, Role};

pub(super) fn modes() -> Table {
    let to = Table::of(
        "Where the mode may move from here; `*` is everywhere",
        vec![
            may("rule", "Where claims of rules may move it", list(Shape::Text("read_only"))),
            may("person", "Where people may move it", list(Shape::Text("*"))),
        ],
    );
    let mode = Table::of(
        "A mode",
        vec![
            must("rank", "The highest-ranked claim is the mode", Shape::Whole(0, 999)),
            must("permits", PERMITS, list(Shape::Words(Permitted::WORDS.to_vec()))),
            may(
                "writes",
                "What becomes of writes that are not permitted (reject)",
                Shape::Words(vec!["queue", "reject"]),
            ),
            may("to", "Where the mode may move from here", Shape::Table(to)),
        ],
    );
    Table::of(
        "The modes: what each permits, and where it may move",
        vec![
            must("initial", "The mode Grace begins with", Shape::Text("normal")),
            must("mode", "`mode.NAME = { rank = 0, ... }`", named(mode)),
        ],
    )
}

const PERMITS: &str = "heal: heal acts of rules; control: heal acts of people; write: the write gate is open";

pub(super) fn governance() -> Table {
    let policy = Table::of(
        "Who may do what; a policy only restricts what rules and people want",
        vec![
            may("by", "Whose acts it is about; without it everybody's", Shape::Words(vec!["rule", "person"])),
            must(
                "action",
                "The acts it is about",
                some(Shape::Words(ActKind::ALL.map(ActKind::word).to_vec())),
            ),
            may("when", "Only where this is true, or not known in a deny or review", Shape::Condition(SEES)),
            must("effect", "Deny beats review beats allow", Shape::Words(vec!["allow", "review", "deny"])),
            may("approvers", "How many people a review asks (1)", Shape::Whole(1, 10)),
            may(
                "expires",
                "An approval that nobody gives runs out, as a denial (15m)",
                Shape::Duration("15m"),
            ),
        ],
    );
    Table::of(
        "Who may do what; what nothing matches is denied",
        vec![must("policy", "`policy.NAME = { action = [...], effect = \"allow\" }`", named(policy))],
    )
}

const SEES: &str =
    "by, actor, mode, action.kind, action.stricter; tier and component where the acts are about one";

pub(super) fn budgets() -> Table {
    let budget = Table::of("So many tries in so long", window(must));
    let component = Table::of(
        "For each component",
        vec![
            may("budget", "Tries of rules; several compose", some(Shape::Table(budget))),
            may("in_flight", "Acts at the same time", Shape::Whole(1, 1000)),
            may("slow_try", "With the budget spent one try comes so often", Shape::Duration("15m")),
        ],
    );
    let overall = Table::of(
        "For all together",
        vec![
            may("in_flight", "Acts at the same time", Shape::Whole(1, 1000)),
            may("blocks", "Components that rules may block at a time (5)", Shape::Whole(1, 1000)),
        ],
    );
    let backoff = Table::of(
        "How tries are spaced",
        vec![
            may("first", "Before the first try", Shape::Duration("0s")),
            may("base", "Before the second; each next waits twice as long", Shape::Duration("30s")),
            may("cap", "Never longer than this", Shape::Duration("5m")),
            may("jitter", "A share of it, so that not all come at once", Shape::Number(0.0, 1.0)),
            may("reset", "So long stable, and it begins anew", Shape::Duration("10m")),
        ],
    );
    Table::of(
        "Ceilings below all rules; no person spends them",
        vec![
            may("component", "For each component", Shape::Table(component)),
            may("overall", "For all together", Shape::Table(overall)),
            may("backoff", "How tries are spaced", Shape::Table(backoff)),
        ],
    )
}

fn window(key: fn(&'static str, &'static str, Shape) -> Key) -> Vec<Key> {
    vec![key("max", "So many", Shape::Whole(1, 1000)), key("within", "In so long", Shape::Duration("10m"))]
}

pub(super) fn system() -> Table {
    let crash_loop = Table::of("Ends of Grace herself that are too many", window(may));
    Table::of(
        "How Grace herself runs",
        vec![
            may("interval", "The grid of her ticks (30s)", Shape::Duration("30s")),
            may("retention", "How long readings are kept (90days)", Shape::Duration("90days")),
            may(
                "crash_loop",
                "Ends of Grace herself that are too many: then she only observes",
                Shape::Table(crash_loop),
            ),
            may("checkpoint", "How often what the journal holds is signed (10m)", Shape::Duration("10m")),
            may("socket_group", "The group that may use the socket", Shape::Text("adm")),
        ],
    )
}

pub(super) fn access() -> Table {
    let role = |name| may(name, "Who has this role", list(Shape::Text("uid:1000")));
    let roles = Role::ALL.map(|role_of| role(role_of.word())).into();
    Table::of(
        "Who may ask what of Grace",
        vec![
            may(
                "anonymous",
                "What somebody unknown may on loopback (health, mode, metrics)",
                list(Shape::Words(Permission::READS.map(Permission::word).to_vec())),
            ),
            may(
                "reads_a_second",
                "So many requests that only read each caller may make in a second (50000)",
                Shape::Whole(1, 1_000_000),
            ),
            may(
                "role",
                "Who has which role: `root`, `owner`, `socket`, `uid:1000`, `user:NAME`, `group:NAME`",
                Shape::Table(Table::of("Who has which role", roles)),
            ),
        ],
    )
}
