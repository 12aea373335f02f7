//! The tables people query.

use grace::model::{ActId, Asked, By, Gate, Record, Request, Shown, Span, Verdict, Write};
use grace::record::{Journal, Reader};
use rusqlite::Connection;

use super::sample::{NOON, component, end, intent, note, restart, rule};

#[test]
fn a_try_is_one_row_from_its_intent_to_its_relapse() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    journal.append(NOON, &[intent(1)]).unwrap();
    let row = reader.healing_actions(5).unwrap().remove(0);
    assert_eq!((row.act, row.component.as_str(), row.action.as_str()), (1, "reflection_service", "restart"));
    assert_eq!((row.result, row.outcome, row.ended_at), (None, None, None));
    assert_eq!((row.by.as_str(), row.rule.as_deref(), row.attempt), ("rule", Some("restart"), 1));
    journal.append(NOON + Span(1_250), &[end(1)]).unwrap();
    let row = reader.healing_actions(5).unwrap().remove(0);
    assert_eq!((row.result.as_deref(), row.outcome.as_deref()), (Some("success"), Some("healed")));
    assert_eq!(row.at, "2026-11-23T12:00:00Z");
    assert_eq!(row.ended_at.as_deref(), Some("2026-11-23T12:00:01.250Z"));
    let steps: Vec<_> = row.steps.iter().map(|step| step.step.as_str()).collect();
    assert_eq!(steps, ["stop", "start"]);
    journal.append(NOON, &[Record::Relapsed { act: ActId(1), component: component() }]).unwrap();
    let rows = reader.healing_actions(5).unwrap();
    assert_eq!((rows.len(), rows[0].outcome.as_deref()), (1, Some("relapsed")));
}

/// One record for each view, and what a person reads in it.
#[test]
fn every_view_reads() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    journal.append(NOON, &one_of_each()).unwrap();
    journal
        .defer(NOON, "k", &Write::Task { text: "t".into(), by: "uid:0".into(), at: NOON }, "down")
        .unwrap();
    journal.applied(NOON, &["k".into()]).unwrap();
    let conn = Connection::open(dir.path().join("journal.db")).unwrap();
    for (query, answer) in [
        (
            "SELECT from_mode || ' ' || to_mode || ' ' || by || ' ' || at FROM mode_changes",
            "normal read_only restart/reflection_service 2026-11-23T12:00:00Z",
        ),
        (
            "SELECT event || ' ' || component || ' ' || reason FROM security_events",
            "security.suspicious_failures reflection_service thrice",
        ),
        ("SELECT text || ' ' || by FROM tasks", "look restart/reflection_service"),
        ("SELECT text FROM recommendations", "rest"),
        (
            "SELECT component || ' ' || by || ' ' || lifted_by || ' ' || lift_reason FROM blocks",
            "reflection_service restart/reflection_service uid:7 fine",
        ),
        (
            "SELECT action || ' ' || by || ' ' || verdict || ' ' || gate || ' ' || because FROM decisions",
            r#"restart restart/reflection_service deny policy {"gate":"policy","policy":"p"}"#,
        ),
        (
            "SELECT approval || ' ' || asked_by || ' ' || answer || ' ' || answered_by || ' ' || break_glass || ' ' || expires FROM approvals",
            "1 restart/reflection_service approved uid:7 0 2026-11-23T12:15:00Z",
        ),
        ("SELECT actor || ' ' || request || ' ' || says FROM refused_requests", "uid:7 restart no"),
        (
            r#"SELECT key || ' ' || ("write" ->> '$.text') || ' ' || reason || ' ' || applied_at FROM deferred_writes"#,
            "k t down 2026-11-23T12:00:00Z",
        ),
        ("SELECT receiver || ' ' || text || ' ' || result FROM notifications", "oncall help success"),
        ("SELECT generation FROM generations", "g"),
        ("SELECT count(*) || '' FROM healing_actions", "0"),
        (
            "SELECT group_concat(type, ' ') FROM events WHERE subject IS NULL",
            "config.generation_activated health.mode_changed governance.approved governance.request_refused write.deferred write.applied",
        ),
    ] {
        let said: String = conn.query_row(query, [], |row| row.get(0)).expect(query);
        assert_eq!(said, answer, "{query}");
    }
}

fn one_of_each() -> Vec<Record> {
    let person = By::Person { actor: "uid:7".into() };
    let mut notify = restart();
    notify.act = grace::model::Act::Notify { receiver: "oncall".into(), text: "help".into(), approval: None };
    let asked = Asked {
        ticket: 1,
        actor: "uid:7".into(),
        reason: "because".into(),
        request: Request::Restart { component: component() },
        shown: Shown { token: Some("00ff".into()), user: Some("ann".into()), ..Shown::default() },
    };
    vec![
        Record::Generation {
            generation: "g".into(),
            files: std::collections::BTreeMap::new(),
            kept: Vec::new(),
            reset: Vec::new(),
            dropped: Vec::new(),
            state: None,
            meaning: None,
        },
        Record::ModeChanged { from: "normal".into(), to: "read_only".into(), reason: "r".into(), by: rule() },
        Record::Announced {
            event: "security.suspicious_failures".into(),
            component: component(),
            by: rule(),
            reason: "thrice".into(),
            known: None,
        },
        Record::Announced {
            event: "other".into(),
            component: component(),
            by: rule(),
            reason: "r".into(),
            known: None,
        },
        Record::TaskCreated { task: None, text: "look".into(), component: component(), by: rule() },
        Record::Recommended {
            recommendation: None,
            text: "rest".into(),
            component: component(),
            by: rule(),
            advice: None,
        },
        Record::Blocked { component: component(), by: rule(), reason: "thrice".into(), known: None },
        Record::Unblocked { component: component(), by: person, reason: "fine".into() },
        Record::Decided {
            proposal: restart(),
            verdict: Verdict::Deny,
            policy: Some("p".into()),
            gate: Some(Gate::Policy { policy: Some("p".into()) }),
        },
        Record::ApprovalAsked {
            approval: grace::model::ApprovalId(1),
            proposal: restart(),
            policy: "p".into(),
            expires: NOON + Span::minutes(15),
        },
        Record::Approved {
            approval: grace::model::ApprovalId(1),
            actor: "uid:7".into(),
            reason: "yes".into(),
            break_glass: false,
        },
        Record::Refused { asked: asked.into(), says: "no".into() },
        Record::Intent { act: ActId(5), proposal: notify, policy: None },
        end(5),
    ]
}

#[test]
fn rows_are_typed_for_status_and_api() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    journal.append(NOON, &one_of_each()).unwrap();
    journal.append(NOON, &[note("end")]).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.mode_changes(9).unwrap()[0].to_mode, "read_only");
    assert_eq!(reader.security_events(9).unwrap().len(), 1);
    assert_eq!(reader.tasks(9).unwrap()[0].text, "look");
    assert_eq!(reader.decisions(9).unwrap()[0].gate.as_deref(), Some("policy"));
    let approval = reader.approvals(9).unwrap().remove(0);
    assert_eq!((approval.approval, approval.answer.as_str(), approval.break_glass), (1, "approved", false));
    assert_eq!(reader.healing_actions(9).unwrap(), []);
    assert_eq!(reader.health_checks().unwrap(), []);
}

/// The newest rows of a view are found from its end, however long the journal is.
#[test]
fn no_view_sorts_the_whole_journal() {
    let dir = tempfile::tempdir().unwrap();
    drop(Journal::open(dir.path()).unwrap());
    let conn = Connection::open(dir.path().join("journal.db")).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'view'";
    let views: Vec<String> = conn
        .prepare(names)
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(views.len(), 14);
    for view in views {
        let query = format!("EXPLAIN QUERY PLAN SELECT * FROM {view} ORDER BY seq DESC LIMIT 9");
        let mut plan = conn.prepare(&query).unwrap();
        let plan: Vec<String> =
            plan.query_map([], |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{view}: {plan:?}");
        assert!(
            !plan
                .iter()
                .any(|step| step.starts_with("SCAN") && !step.contains("VIRTUAL TABLE") && view != "events"),
            "{view}: {plan:?}"
        );
    }
}
