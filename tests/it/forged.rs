//! A journal that was changed by somebody who chained everything anew: what is derived again tells.

mod told;

use std::path::Path;
use std::sync::Arc;

use grace::config;
use grace::engine::{Bundle, Input, State, adopt, caution, go_on_behind, start_over, step};
use grace::model::{ActId, ApprovalId, Effect, Meaning, Performed, Record, Span, Taken, Time};
use grace::record::{Damage, Journal, Reader, Recorded, state_digest};
use grace::replay::prove::{Proof, prove};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::daemon::{command, said};
use crate::histories::{HANGS, bundle, files, recorded};
use crate::journal::sample::forge;

/// One life of Grace after the other, written as production writes them.
struct Lives {
    journal: Journal,
    bundle: Arc<Bundle>,
    state: State,
    cut: Vec<Performed>,
}

impl Lives {
    fn new(dir: &Path) -> Self {
        let (journal, state) = (Journal::open(dir).unwrap(), State::default());
        Self { journal, bundle: Arc::new(bundle(&[])), state, cut: Vec::new() }
    }

    /// A start, with what Grace has to be cautious about.
    fn start(&mut self, now: Time, cautious: &[(Record, &str)]) {
        let interrupted = self.state.in_flight();
        let mut adopted = adopt(&self.bundle, None, &self.state, now);
        let generation = self.bundle.generation.clone();
        let version = env!("CARGO_PKG_VERSION").into();
        let cut = |act: &_| Performed { act: *act, effect: Effect::Interrupted, steps: Vec::new() };
        self.cut = interrupted.iter().map(cut).collect();
        let meaning = Meaning::default();
        start_over(&mut adopted.state, meaning);
        let mut records = vec![Record::Started { version, generation, process: 7, interrupted, meaning }];
        records.append(&mut adopted.records);
        for (record, cause) in cautious {
            records.push(record.clone());
            go_on_behind(record, &mut adopted.state);
            records.extend(caution(&self.bundle, &mut adopted.state, cause, "something is wrong"));
        }
        self.journal.adopt(now, &records, &adopted.state).unwrap();
        self.state = adopted.state;
    }

    fn reload(&mut self, now: Time, bundle: Bundle) {
        let adopted = adopt(&bundle, Some(&self.bundle), &self.state, now);
        self.journal.adopt(now, &adopted.records, &adopted.state).unwrap();
        (self.bundle, self.state) = (Arc::new(bundle), adopted.state);
    }

    /// A tick that sees and hears this; says whether it began an act.
    fn tick(&mut self, seen: &Input) -> bool {
        let performed = std::mem::take(&mut self.cut);
        let input = Input { tick: self.state.tick + 1, performed, ..seen.clone() };
        let step = step(&self.bundle, &self.state, &input);
        let acts = step.records.iter().any(|record| matches!(record, Record::Intent { .. }));
        self.state = self.journal.commit(input.now, &input, step).unwrap().state;
        acts
    }
}

/// Two acts are cut short, one by an end of Grace and one by rules that do not know its component any more; and in the end
/// Grace does not trust what she remembers.
fn lived(dir: &Path) -> usize {
    let mut lives = Lives::new(dir);
    let history = recorded(HANGS);
    let mut seen = history.iter().filter_map(|one| match one {
        Recorded::Tick { input, .. } => Some(Input { performed: Vec::new(), ..Input::clone(input) }),
        _ => None,
    });
    let mut last = Time(0);
    for life in 0..2 {
        if life == 0 {
            lives.start(seen.clone().next().unwrap().now, &[]);
        } else {
            lives.start(last + Span::seconds(1), &[]);
        }
        last = seen.find(|seen| lives.tick(seen)).expect("an act begins").now;
    }
    // The hands are done, and nobody has looked yet.
    let done = |act| Performed { act, effect: Effect::Done, steps: Vec::new() };
    lives.cut = lives.state.in_flight().into_iter().map(done).collect();
    lives.tick(&Input { now: last + Span(500), ..Input::default() });
    let dir = files(None, &[]);
    std::fs::remove_file(dir.path().join("rules/reflection_service.toml")).unwrap();
    lives.reload(last + Span::seconds(1), config::load(dir.path()).unwrap().bundle);
    let more = seen.next().unwrap();
    lives.tick(&more);
    let taken = Taken { act: ActId(900), approval: ApprovalId(90), ..Taken::default() };
    let replaced = Record::JournalReplaced { named: Some(7), last: 3, taken: Some(taken) };
    let looped = Record::CrashLoop { exits: 3, within: Span::minutes(10), good: None };
    lives.start(more.now + Span::seconds(1), &[(replaced, "journal"), (looped, "crash_loop")]);
    lives.tick(&seen.next().unwrap());
    4
}

/// Chains everything anew.
fn chain(conn: &Connection) {
    let field = |hasher: &mut Sha256, bytes: Option<&[u8]>| match bytes {
        None => hasher.update([0]),
        Some(bytes) => {
            hasher.update([1]);
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
    };
    let mut hash = [0_u8; 32];
    let last: i64 = conn.query_row("SELECT max(seq) FROM entries", [], |row| row.get(0)).unwrap();
    for seq in 1..=last {
        let next: [u8; 32] = conn
            .query_row(
                "SELECT at, tick, kind, event, component, act, body FROM entries WHERE seq = ?1",
                [seq],
                |row| {
                    let number = |column| row.get::<_, Option<i64>>(column).map(|n| n.map(i64::to_le_bytes));
                    let text = |column| row.get::<_, Option<String>>(column);
                    let mut hasher = Sha256::new();
                    hasher.update(hash);
                    hasher.update(seq.to_le_bytes());
                    hasher.update(row.get::<_, i64>(0)?.to_le_bytes());
                    field(&mut hasher, number(1)?.as_ref().map(<[u8; 8]>::as_slice));
                    for column in [2, 3, 4] {
                        field(&mut hasher, text(column)?.as_deref().map(str::as_bytes));
                    }
                    field(&mut hasher, number(5)?.as_ref().map(<[u8; 8]>::as_slice));
                    field(&mut hasher, text(6)?.as_deref().map(str::as_bytes));
                    Ok(hasher.finalize().into())
                },
            )
            .unwrap();
        conn.execute("UPDATE entries SET prev = ?1, hash = ?2 WHERE seq = ?3", params![hash, next, seq])
            .unwrap();
        hash = next;
    }
    conn.execute("UPDATE head SET seq = ?1, hash = ?2", params![last, hash]).unwrap();
}

/// What is proved of those lives once somebody did this, and chained everything anew.
fn after(how: &str) -> Proof {
    let dir = tempfile::tempdir().unwrap();
    lived(dir.path());
    let conn = forge(dir.path());
    conn.execute_batch(how).unwrap();
    chain(&conn);
    prove(&Reader::open(dir.path()).unwrap()).unwrap()
}

#[test]
fn starts_and_reloads_that_nobody_changed_are_proved() {
    let dir = tempfile::tempdir().unwrap();
    let lives = lived(dir.path());
    let proof = prove(&Reader::open(dir.path()).unwrap()).unwrap();
    assert!(proof.holds(), "{proof:?}");
    assert_eq!((proof.adopted, proof.adopted_otherwise), (u64::try_from(lives).unwrap(), 0));
    assert!(after("").holds(), "chained anew, it is the same");
}

#[test]
fn what_a_start_or_a_reload_did_is_derived_and_a_change_is_named() {
    let of = |kind: &str, from: &str, to: &str| {
        format!(
            "UPDATE entries SET body = replace(body, '{from}', '{to}') WHERE seq = (SELECT max(seq) FROM entries WHERE kind = '{kind}' AND tick IS NULL AND body LIKE '%{from}%')"
        )
    };
    for (how, field, recorded, derived) in [
        (
            of("started", "\"interrupted\":[1]", "\"interrupted\":[]"),
            "started.interrupted[0]",
            "nothing",
            "1",
        ),
        (
            of("end", "\"result\":\"failed\"", "\"result\":\"success\""),
            "end.result",
            "\"success\"",
            "\"failed\"",
        ),
        (of("end", "no longer declared", "fine"), "end.detail", "", ""),
        (
            of("generation", "\"restart/reflection_service\"", "\"restart/database\""),
            "generation.dropped",
            "",
            "",
        ),
        (of("claimed", "observation_only", "emergency"), "claimed.claim.mode", "", ""),
        (
            of("mode_changed", "\"to\":\"observation_only\"", "\"to\":\"emergency\""),
            "mode_changed.to",
            "",
            "",
        ),
    ] {
        let proof = after(&how);
        assert_eq!((proof.broken.as_ref(), proof.adopted_otherwise), (None, 1), "{how}: {proof:?}");
        let one = &proof.differences[0];
        assert!(one.adoption && one.field.starts_with(field), "{how}: {one:?}");
        assert!(recorded.is_empty() || (one.recorded == recorded && one.derived == derived), "{one:?}");
        assert!(!proof.holds());
    }
}

#[test]
fn a_start_or_a_reload_from_another_state_is_named() {
    let dir = tempfile::tempdir().unwrap();
    lived(dir.path());
    let conn = forge(dir.path());
    let (seq, body): (i64, String) = conn
        .query_row(
            "SELECT seq, body FROM checkpoints WHERE adopted ORDER BY seq LIMIT 1 OFFSET 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let forged = body.replace("\"failures\":2", "\"failures\":0");
    assert_ne!(forged, body);
    let digest = |text: &str| state_digest(&serde_json::from_str(text).unwrap()).unwrap();
    conn.execute("UPDATE checkpoints SET body = ?1 WHERE seq = ?2", params![forged, seq]).unwrap();
    conn.execute(
        "UPDATE entries SET body = replace(body, ?1, ?2) WHERE kind = 'generation'",
        params![digest(&body), digest(&forged)],
    )
    .unwrap();
    chain(&conn);
    let proof = prove(&Reader::open(dir.path()).unwrap()).unwrap();
    assert_eq!((proof.broken.as_ref(), proof.adopted_otherwise), (None, 1), "{proof:?}");
    assert!(proof.differences.iter().any(|one| one.adoption && one.field == "generation.state"), "{proof:?}");
}

#[test]
fn a_start_or_a_reload_whose_state_was_taken_away_or_moved_is_named() {
    let row = "(SELECT max(seq) FROM checkpoints WHERE adopted)";
    for (how, damage) in [
        (format!("DELETE FROM checkpoints WHERE seq = {row}"), Damage::StateMissing),
        (format!("UPDATE checkpoints SET adopted = 0 WHERE seq = {row}"), Damage::State),
        (format!("UPDATE checkpoints SET seq = seq + 1 WHERE seq = {row}"), Damage::StateMissing),
        (format!("UPDATE checkpoints SET seq = seq - 1 WHERE seq = {row}"), Damage::Place),
    ] {
        let proof = after(&how);
        assert_eq!(proof.broken.map(|broken| broken.damage), Some(damage), "{how}");
    }
    // Even where its entry does not say which state there was.
    let dir = tempfile::tempdir().unwrap();
    lived(dir.path());
    let conn = forge(dir.path());
    conn.execute_batch(
        "UPDATE entries SET body = json_remove(body, '$.state') WHERE kind IN ('tick', 'generation');
         DELETE FROM checkpoints WHERE seq = (SELECT min(seq) FROM checkpoints WHERE seq > 30)",
    )
    .unwrap();
    chain(&conn);
    let proof = prove(&Reader::open(dir.path()).unwrap()).unwrap();
    assert!(proof.uncovered > 0 && !proof.holds(), "{proof:?}");
    assert_eq!(
        proof.broken.map(|broken| broken.damage),
        Some(Damage::State),
        "only the first meaning said none"
    );
}

#[test]
fn a_start_that_names_another_generation_is_named() {
    let proof = after(
        "UPDATE entries SET body = replace(body, '\"generation\":\"', '\"generation\":\"0') WHERE seq = 1",
    );
    let broken = proof.broken.expect("it is found");
    assert_eq!((broken.seq, broken.damage), (1, Damage::Start));
}

#[test]
fn a_healing_that_never_was_and_one_that_is_hidden_are_named() {
    let first = "(SELECT min(seq) FROM entries WHERE kind = 'intent')";
    let proof = after(&format!("UPDATE entries SET tick = NULL WHERE seq = {first}"));
    assert_eq!(proof.broken.map(|broken| broken.damage), Some(Damage::Place));
    // Behind the last step, as if it were of it, and as if it were of none.
    for tick in ["tick", "NULL"] {
        let proof = after(&format!(
            "INSERT INTO entries SELECT 1 + (SELECT max(seq) FROM entries), at, {tick}, kind, event, component, 99,
                 replace(body, '\"act\":1', '\"act\":99'), prev, hash FROM entries WHERE seq = {first}"
        ));
        assert_eq!(proof.broken.map(|broken| broken.damage), Some(Damage::Place), "{tick}");
    }
}

#[test]
fn behind_each_thing_that_cannot_be_read_the_proof_goes_on_with_the_next_kept_state() {
    let dir = tempfile::tempdir().unwrap();
    lived(dir.path());
    let number = |query: &str| -> u64 {
        let conn = Connection::open(dir.path().join("journal.db")).unwrap();
        let number: i64 = conn.query_row(query, [], |row| row.get(0)).unwrap();
        u64::try_from(number).unwrap()
    };
    let ticks =
        |which: &str| number(&format!("SELECT count(*) FROM entries WHERE kind = 'tick' AND {which}"));
    let second = number("SELECT seq FROM entries WHERE kind = 'started' ORDER BY seq LIMIT 1 OFFSET 1");
    let reload = "(SELECT seq FROM entries WHERE kind = 'generation' ORDER BY seq LIMIT 1 OFFSET 2)";
    let lost = ticks(&format!("tick >= 5 AND seq < {second}"))
        + ticks(&format!("seq > {second} AND tick >= 30 AND seq < {reload}"));
    let (all, prove) = (ticks("1"), |chained: bool| {
        let conn = forge(dir.path());
        conn.execute_batch(
            r#"UPDATE entries SET body = replace(body, '"performed":[]', '"performed":["x"]') WHERE kind = 'tick' AND tick IN (5, 30)"#,
        )
        .unwrap();
        if chained {
            chain(&conn);
        }
        let proved = said(&command(dir.path()).args(["prove", "--output", "json"]).output().unwrap());
        assert_eq!(proved.code, Some(1), "{proved:?}");
        serde_json::from_str::<serde_json::Value>(&proved.out).unwrap()
    });
    for chained in [false, true] {
        let proved = prove(chained);
        let count = |name: &str| proved["proof"][name].as_u64().unwrap();
        assert_eq!(
            (count("uncovered"), count("same"), count("different")),
            (lost, all - lost, 0),
            "{proved}"
        );
        assert_eq!((count("unreadable"), count("missing"), count("adopted")), (0, 0, 2), "{proved}");
        let damage = if chained { "record" } else { "hash" };
        assert_eq!(proved["chain"]["broken"]["damage"]["damage"], damage, "{proved}");
    }
    let told = said(&command(dir.path()).arg("prove").output().unwrap());
    let says = format!("{lost} cannot be decided again: they, or something before them, cannot be read");
    assert!(told.out.contains(&says), "{told:?}");
}

#[test]
fn what_a_view_would_show_and_no_record_knows_is_named() {
    for (how, damage) in [
        // The views read what stands in the text: a rule would seem to be a person's.
        (
            "UPDATE entries SET body = replace(body, '\"by\":{', '\"by\":{\"actor\":\"uid:1000\",') WHERE kind = 'intent' AND seq = (SELECT min(seq) FROM entries WHERE kind = 'intent')",
            Damage::Record,
        ),
        (
            "UPDATE entries SET body = body || ' ' WHERE seq = (SELECT min(seq) FROM entries WHERE kind = 'intent')",
            Damage::Record,
        ),
        // How everything was.
        (
            "UPDATE entries SET body = json_remove(body, '$.statuses') WHERE seq = (SELECT max(seq) FROM entries WHERE kind = 'tick')",
            Damage::Record,
        ),
        // What a tick says besides, says in another way, or under another name.
        (
            "UPDATE entries SET body = json_set(body, '$.reason', 'x') WHERE seq = (SELECT max(seq) FROM entries WHERE kind = 'tick')",
            Damage::Record,
        ),
        (
            "UPDATE entries SET body = replace(body, ',', ', ') WHERE seq = (SELECT max(seq) FROM entries WHERE kind = 'tick')",
            Damage::Record,
        ),
        (
            "UPDATE entries SET body = replace(body, '{', '{ ') WHERE seq = (SELECT max(seq) FROM entries WHERE kind = 'tick')",
            Damage::Record,
        ),
        (
            "UPDATE entries SET body = json_set(body, '$.kind', 'held') WHERE seq = (SELECT max(seq) FROM entries WHERE kind = 'tick')",
            Damage::Record,
        ),
        (
            "UPDATE entries SET body = json_set(body, '$.statuses.more', '\"ok\" ') WHERE seq = (SELECT max(seq) FROM entries WHERE kind = 'tick')",
            Damage::Record,
        ),
        (
            "UPDATE entries SET body = replace(body, '\"statuses\":{', '\"statuses\":{\"grace\":\"warn\",') WHERE seq = (SELECT max(seq) FROM entries WHERE kind = 'tick')",
            Damage::Record,
        ),
        // No tick says which state came of it: then nothing tells that another one lies there.
        (
            "UPDATE entries SET body = json_remove(body, '$.state') WHERE kind IN ('tick', 'generation')",
            Damage::State,
        ),
        ("DELETE FROM state", Damage::StateMissing),
    ] {
        let dir = tempfile::tempdir().unwrap();
        lived(dir.path());
        let conn = forge(dir.path());
        assert!(conn.execute(how, []).unwrap() > 0, "{how}");
        chain(&conn);
        let found = Reader::open(dir.path()).unwrap().verify().unwrap();
        assert_eq!(found.broken.map(|broken| broken.damage), Some(damage), "{how}");
    }
}

/// Three are down at one tick, and Grace was away before it or was not.
#[test]
fn what_stands_at_the_first_look_behind_a_start_is_no_failure_that_was_seen() {
    let test = r#"
[test.three_are_down]
start = "12:00:00"
end   = "12:03:00"
given = [
    { at = "12:01:10", component = "reflection_service", set = { "reflection.running" = false } },
    { at = "12:01:10", component = "trigger_mesh", set = { "mesh.running" = false } },
    { at = "12:01:10", component = "database", set = { "ping.connected" = false } },
]
expect = [{ at = "12:00:00", status = "ok" }]
"#;
    let history = recorded(test);
    let seen = history.iter().filter_map(|one| match one {
        Recorded::Tick { input, .. } => Some(Input { performed: Vec::new(), ..Input::clone(input) }),
        _ => None,
    });
    let seen: Vec<Input> = seen.collect();
    let began = seen[0].now;
    for (away, told) in [(false, 1), (true, 0)] {
        let dir = tempfile::tempdir().unwrap();
        let mut lives = Lives::new(dir.path());
        lives.start(began, &[]);
        for seen in &seen {
            if away && seen.now == began + Span::seconds(90) {
                lives.start(Time(seen.now.0 - 1_000), &[]);
            }
            lives.tick(seen);
        }
        drop(lives);
        let reader = Reader::open(dir.path()).unwrap();
        let count = |kind: &str, of: &str| {
            let all = reader.entries(0, 500, (Some(kind), None)).unwrap();
            all.iter().filter(|entry| entry.body.to_string().contains(of)).count()
        };
        assert_eq!(count("incident_begun", ""), 3, "each begins an incident, away or not");
        assert_eq!(count("announced", "security.failures_at_once"), told, "away: {away}");
        let said = said(&command(dir.path()).arg("prove").output().unwrap());
        assert_eq!(said.code, Some(0), "{said:?}");
    }
}
