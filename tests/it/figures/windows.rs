//! Windows over random histories: what is kept by the hour, what is made anew, and what is folded from an export are the
//! same, and the same as times added up one by one.

use std::collections::BTreeMap;
use std::path::Path;

use grace::figures::Figures;
use grace::model::{ComponentId, Record, Span, Status, Time};
use grace::record::{Journal, Reader, Since, figures_of};

use super::told::{NOON, Told, begun, ended, held, hold_ended, intent, moved, relapsed, started, stopped};

const NAMES: [&str; 3] = ["database", "task_executor", "trigger_mesh"];

struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn time(&mut self, from: Time, to: Time) -> Time {
        from + Span(i64::try_from(self.below(u64::try_from((to - from).0).expect("forward"))).expect("small"))
    }
}

/// What was seen and held from one tick to the next; nothing where nobody looked.
struct Stretch {
    began: Time,
    ended: Time,
    seen: Option<BTreeMap<ComponentId, (Status, bool)>>,
}

/// A history of several hours, as it is written and as it is remembered.
fn history(dir: &Path, seed: u64) -> Vec<Stretch> {
    let (mut dice, mut told) = (Dice(seed), Told::new(dir));
    let (mut holds, mut open, mut acts) = (BTreeMap::<&str, bool>::new(), BTreeMap::new(), 0);
    let (mut healed, mut incidents, mut all) = (BTreeMap::<&str, u64>::new(), 0, Vec::new());
    let mut mode = "normal";
    for _ in 0..600 {
        let now = told.now + Span(1_000 + i64::try_from(dice.below(50_000)).expect("small"));
        let gap = dice.below(60) == 0;
        let now =
            if gap { now + Span::minutes(i64::try_from(dice.below(200)).expect("small") + 3) } else { now };
        if all.is_empty() {
            told.now = NOON;
        } else if gap && dice.below(2) == 0 {
            told.append(&[stopped(), started()]);
        }
        let mut records = Vec::new();
        for name in NAMES {
            let was = told.statuses[&ComponentId::from(name)];
            let is = if dice.below(8) == 0 {
                Status::ALL[usize::try_from(dice.below(4)).expect("small")]
            } else {
                was
            };
            told.statuses.insert(name.into(), is);
            if is == Status::Critical && !open.contains_key(name) {
                incidents += 1;
                open.insert(name, (incidents, now));
                records.push(begun(name, incidents));
                records.extend(healed.remove(name).map(|act| relapsed(name, act)));
                acts += 1;
                records.push(intent(name, acts, Some("restart")));
                let outcome = grace::model::Outcome::ENDS[usize::try_from(dice.below(7)).expect("small")];
                records.push(super::told::end(name, acts, outcome, Span::ZERO));
                if outcome == grace::model::Outcome::Healed {
                    healed.insert(name, acts);
                }
            } else if is.works()
                && let Some((incident, began)) = open.remove(name)
            {
                records.push(ended(name, incident, began));
            }
            if dice.below(20) == 0 {
                let hold = holds.entry(name).or_default();
                *hold = !*hold;
                records.push(if *hold { held(name) } else { hold_ended(name) });
            }
        }
        if dice.below(30) == 0 {
            let to = if mode == "normal" { "read_only" } else { "normal" };
            records.push(moved(mode, to));
            mode = to;
        }
        let before = told.now;
        told.tick(now, &records);
        if let Some(last) = all.last_mut() {
            let last: &mut Stretch = last;
            last.ended = now;
            if gap || now - before > Span::seconds(120) {
                last.seen = None;
            }
        }
        let each = |(id, status): (&ComponentId, &Status)| {
            (id.clone(), (*status, holds.get(id.as_str()) == Some(&true)))
        };
        all.push(Stretch { began: now, ended: now, seen: Some(told.statuses.iter().map(each).collect()) });
    }
    told.keep_state();
    all
}

/// Adds times up one by one.
fn added_up(all: &[Stretch], since: Time, until: Time, name: &str) -> [Span; 6] {
    let mut sums = [Span::ZERO; 6];
    for one in all {
        let length = (one.ended.min(until) - one.began.max(since)).0.max(0);
        let place = match one.seen.as_ref().map(|seen| seen[&ComponentId::from(name)]) {
            None => 5,
            Some((Status::Ok, _)) => 0,
            Some((Status::Warn, _)) => 1,
            Some((Status::Critical, false)) => 2,
            Some((Status::Critical, true)) => 3,
            Some((Status::Unknown, _)) => 4,
        };
        sums[place].0 += length;
    }
    sums
}

fn times(figures: &Figures, name: &str) -> [Span; 6] {
    let one = figures.components.iter().find(|one| one.component == name).expect("is there");
    let found = &one.measures;
    let ok = Span(found.up_s.0 - found.warn_s.0);
    [ok, found.warn_s, found.down_s, found.planned_s, found.unknown_s, found.unobserved_s]
}

fn export(reader: &Reader, to: &Path) {
    let mut file = std::fs::File::create(to).expect("is made");
    let written = reader.write_entries::<Box<dyn std::error::Error>>(&mut file);
    written.expect("is written");
}

#[test]
fn windows_add_up_however_they_are_cut() {
    for seed in [7, 0x9e37_79b9_7f4a_7c15, 0xdead_beef] {
        let dir = tempfile::tempdir().expect("a directory");
        let all = history(dir.path(), seed);
        let reader = Reader::open(dir.path()).expect("opens");
        let file = dir.path().join("entries.jsonl");
        export(&reader, &file);
        let (first, last) = (all[0].began, all[all.len() - 1].began);
        let mut dice = Dice(seed);
        for round in 0..40 {
            let (mut since, mut until) = (dice.time(first, last), dice.time(first, last));
            match round % 4 {
                0 => since = since.slot(Span::minutes(60)).max(first),
                1 => until = until.slot(Span::minutes(60)),
                2 => (since, until) = (first, last),
                _ => {}
            }
            if since >= until {
                continue;
            }
            let window = (Some(Since::At(since)), Some(until));
            let figures = reader.figures(window.0, window.1, None).expect("figures");
            for name in NAMES {
                assert_eq!(
                    times(&figures, name),
                    added_up(&all, since, until, name),
                    "{name} {since} {until}"
                );
            }
            assert_eq!(
                figures_of(&file, window.0, window.1, None).expect("figures"),
                figures,
                "{since} {until}"
            );
        }
    }
}

#[test]
fn what_is_made_anew_is_what_was_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    history(dir.path(), 99);
    let rows = |table: &str| -> Vec<String> {
        let db = rusqlite::Connection::open(dir.path().join("journal.db")).expect("opens");
        let query = format!("SELECT * FROM {table} ORDER BY 1, 2, 3");
        let mut query = db.prepare(&query).expect("a table");
        let columns = query.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            Ok((0..columns)
                .map(|at| format!("{:?}", row.get_ref(at).expect("a column")))
                .collect::<Vec<_>>()
                .join(" "))
        };
        let all = query.query_map([], row).expect("rows");
        all.map(|row| row.expect("a row")).collect()
    };
    let kept = (rows("figure_hours"), rows("figure_rows"));
    assert!(kept.0.len() > 5 && kept.1.len() > 50, "{} {}", kept.0.len(), kept.1.len());
    let db = rusqlite::Connection::open(dir.path().join("journal.db")).expect("opens");
    for spoilt in [
        "UPDATE figure_hours SET version = 0",
        "UPDATE figure_hours SET hash = zeroblob(32), body = 'spoilt'",
        "DELETE FROM figure_hours",
        "UPDATE figure_hours SET fold = '{}'",
    ] {
        db.execute_batch(spoilt).expect(spoilt);
        let journal = Journal::open(dir.path()).expect("opens");
        let reader = Reader::open(dir.path()).expect("opens");
        // What does not fit is not looked at, and still there are figures.
        reader.figures(None, None, None).expect(spoilt);
        journal.make_figures(&reader, |_| true).expect(spoilt);
        let totals = journal.totals().expect("they are made");
        let note = Record::DiskFull { acts: false };
        journal.append(NOON, &[note]).expect("is written");
        assert_eq!(journal.totals(), Some(totals), "{spoilt}");
        assert!(rows("figure_hours") == kept.0, "{spoilt}");
        assert!(rows("figure_rows") == kept.1, "{spoilt}");
    }
}
