//! A test file: what is given, what is expected when, and what must not happen.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::config::reader::{File, Item, Problems, Table, parse};
use crate::engine::Bundle;
use crate::model::{ComponentId, Span, Time};
use crate::replay::given::{Given, When, given};
use crate::replay::moment::Stamp;
use crate::replay::series;
use crate::replay::wanted::{Wanted, wanted};
use crate::replay::words::{Names, stamp, time};
use crate::say::{Code, suggest};

/// One test.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) start: Time,
    pub(super) end: Time,
    /// The grid, where it is another than the files'.
    pub(super) interval: Option<Span>,
    pub(super) given: Vec<Given>,
    pub(super) expect: Vec<Expect>,
    pub(super) forbid: Vec<Forbid>,
    /// Kinds of things of which every one has to be expected.
    pub(super) only: BTreeSet<Kind>,
}

/// What is expected at one second, or in one tick.
#[derive(Debug)]
pub(super) struct Expect {
    pub(super) at: Stamp,
    /// Where the time stands in the file.
    pub(super) place: Range<usize>,
    pub(super) component: Option<ComponentId>,
    pub(super) wanted: Wanted,
}

/// What must not happen, and when.
#[derive(Debug)]
pub(super) struct Forbid {
    pub(super) from: Option<Time>,
    pub(super) to: Option<Time>,
    pub(super) component: Option<ComponentId>,
    pub(super) wanted: Wanted,
}

/// Kinds of things of which `only` can want every one expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Act,
    Mode,
    Status,
    Task,
    Shadow,
}

impl Kind {
    const ALL: [(&'static str, Self); 5] = [
        ("act", Self::Act),
        ("mode", Self::Mode),
        ("status", Self::Status),
        ("task", Self::Task),
        ("shadow", Self::Shadow),
    ];

    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("act", |(word, _)| word)
    }
}

const SECOND: Span = Span::seconds(1);

/// A test longer than this is a slip; 30 seconds of grid make 8,640 ticks of it.
const LONGEST: Span = Span::minutes(3 * 24 * 60);

/// Reads the tests of a file; whatever is wrong with them is a problem, and then none of them runs.
pub(super) fn read(bundle: &Bundle, name: &Arc<str>, text: &str, problems: &Problems) -> Vec<Case> {
    let file = File { name, text, problems };
    let Some(parsed) = parse(file) else { return Vec::new() };
    let root = Table::new(file, "", parsed.get_ref(), parsed.span());
    let stem = name.trim_start_matches("rules/").trim_end_matches(".test.toml");
    let own = Some(ComponentId::from(stem)).filter(|id| bundle.components.contains_key(id));
    let before = problems.len();
    let tests = root.need("test", "write `[test.what_it_proves]`").and_then(|item| item.table());
    root.finish();
    if tests.as_ref().is_some_and(|tests| tests.named().is_empty()) {
        file.error(Code::EmptyTest, 0..0, "there is no test in this file", "write `[test.what_it_proves]`");
    }
    let named = tests.iter().flat_map(Table::named);
    let cases: Vec<Case> = named
        .filter_map(|(name, _, item)| {
            CaseReader(Names { bundle, own: own.clone() }).case(name, &item.table()?)
        })
        .collect();
    if problems.len() > before { Vec::new() } else { cases }
}

/// Reads the parts of a case.
struct CaseReader<'b>(Names<'b>);

impl CaseReader<'_> {
    fn case(&self, name: &str, table: &Table) -> Option<Case> {
        let before = table.file.problems.len();
        let start = table.need("start", "write the time of the first tick: `start = \"12:00:00\"`");
        let start = start.and_then(|item| time(&item));
        let end =
            table.need("end", "write when the test ends: `end = \"12:05:00\"`").and_then(|item| time(&item));
        let own =
            table.get("component").and_then(|item| self.0.component(&item)).or_else(|| self.0.own.clone());
        let reader = CaseReader(Names { bundle: self.0.bundle, own });
        let interval = table.get("interval").and_then(|item| item.length());
        let grid = interval.unwrap_or(self.0.bundle.system.interval);
        // For people only.
        let _ = table.get("why").map(|item| item.text());
        let mut all: Vec<Given> = Vec::new();
        if let (Some(series), Some(start)) = (table.get("series"), start) {
            all.extend(series::read(&reader.0, &series, start, grid));
        }
        let listed = table.get("given").map(|item| item.items()).unwrap_or_default();
        for item in &listed {
            let Some(given) = given(&reader.0, item) else { continue };
            if let Some((start, end)) = start.zip(end) {
                given.complain_of_time(item, start, end);
            }
            all.push(given);
        }
        let expect: Vec<Expect> = list(table, "expect", |table| reader.expect(table));
        let forbid = list(table, "forbid", |table| Some(reader.forbid(table, start.zip(end))));
        let only = table.get("only").map(|item| only(&item)).unwrap_or_default();
        table.finish();
        if expect.is_empty() && forbid.is_empty() && table.file.problems.len() == before {
            let help = "say what happens: `expect = [{ at = \"12:00:30\", status = \"critical\" }]`";
            table.file.error(Code::EmptyTest, table.head(), format!("test `{name}` expects nothing"), help);
        }
        let (start, end) = (start?, end?);
        if end < start || end - start > LONGEST {
            let help = format!("it ends after it starts, and within {LONGEST}");
            table.file.error(Code::BadValue, table.head(), format!("test `{name}` cannot end then"), help);
            return None;
        }
        let given = all.into_iter().map(|one| one.from(start)).collect();
        Some(Case { name: name.to_owned(), start, end, interval, given, expect, forbid, only })
    }

    fn expect(&self, table: &Table) -> Option<Expect> {
        let before = table.file.problems.len();
        let at = table.need("at", "write when: `at = \"12:00:30\"`");
        let place = at.as_ref().map(|item| item.span.clone());
        let at = at.and_then(|item| stamp(&item));
        let component =
            table.get("component").and_then(|item| self.0.component(&item)).or_else(|| self.0.own.clone());
        let wanted = wanted(&self.0, table);
        table.finish();
        wanted.complain(table, before);
        Some(Expect { at: at?, place: place?, component, wanted })
    }

    fn forbid(&self, table: &Table, test: Option<(Time, Time)>) -> Forbid {
        let before = table.file.problems.len();
        let from = table.get("from").and_then(|item| time(&item));
        let to = table.get("to").and_then(|item| time(&item));
        let component = table.get("component").and_then(|item| self.0.component(&item));
        let wanted = wanted(&self.0, table);
        table.finish();
        wanted.complain(table, before);
        // What is forbidden to a second is so in all of it, also where the test begins within it.
        let last = to.map(|to| if to.slot(SECOND) == to { to + SECOND - Span(1) } else { to });
        let outside =
            |(start, end)| from.is_some_and(|from| from > end) || last.is_some_and(|last| last < start);
        if test.is_some_and(outside) {
            let help = "choose a time between the test's start and end, or leave it out";
            table.file.error(Code::BadValue, table.head(), "nothing can happen then: the test is over", help);
        }
        Forbid { from, to, component, wanted }
    }
}

fn list<T>(table: &Table, key: &'static str, read: impl Fn(&Table) -> Option<T>) -> Vec<T> {
    let items = table.get(key).map(|item| item.items()).unwrap_or_default();
    items.iter().filter_map(|item| read(&item.table()?)).collect()
}

fn only(item: &Item) -> BTreeSet<Kind> {
    let words = item.texts().into_iter().filter_map(|(item, word)| {
        let kind = Kind::ALL.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind);
        if kind.is_none() {
            let help = suggest(word, Kind::ALL.map(|(word, _)| word));
            item.error(Code::BadValue, format!("`only` cannot hold `{word}`"), help);
        }
        kind
    });
    words.collect()
}

impl Given {
    /// What has no time of its own is given from the start.
    fn from(mut self, start: Time) -> Self {
        if let When::At(at) = &mut self.when {
            *at = at.or(Some(start));
        }
        self
    }
}
