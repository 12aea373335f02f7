//! What a tick says of itself, changed by somebody who chained everything anew: its times, its readings, its meaning, and
//! how often what failed.

use super::*;

#[test]
fn one_tick_that_was_taken_for_expired_among_those_of_its_day_is_named() {
    let old = "91 * 24 * 60 * 60000";
    let tick = "(SELECT seq FROM entries WHERE kind = 'tick' AND tick = 10)";
    // Two clocks stand in an entry, and whoever chains anew can write both: its neighbours tell, and so does the last.
    for (mine, more) in [
        (format!("at = at - {old}"), ""),
        (format!("at = at - {old}, body = json_set(body, '$.now', (body ->> '$.now') - {old})"), ""),
        (
            format!("at = at - {old}, body = json_set(body, '$.now', (body ->> '$.now') - {old})"),
            "UPDATE entries SET body = json_set(body, '$.now', 1) WHERE kind = 'tick' AND tick < 10;",
        ),
    ] {
        let proof = after(&format!(
            "{more}
             UPDATE entries SET {mine} WHERE seq = {tick};
             UPDATE retention SET before = (SELECT at + 1 FROM entries WHERE seq = {tick});
             DELETE FROM readings WHERE seq = {tick};"
        ));
        if more.is_empty() {
            let damage = proof.broken.as_ref().map(|broken| &broken.damage);
            assert_eq!(damage, Some(&Damage::ReadingsMissing), "{mine}: {proof:?}");
        }
        // With all before it moved as well the times are in order, and what was decided then differs.
        assert!(
            !proof.holds() && proof.expired + proof.lost == 1 && proof.behind + proof.uncovered > 0,
            "{mine}: {proof:?}"
        );
    }
}

#[test]
fn a_reading_that_stands_twice_is_named_by_its_entry() {
    let twice = |body: &str| {
        body.replace("\"reflection.age_s\":", "\"reflection.age_s\":500.0,\"reflection.age_s\":")
    };
    let dir = tempfile::tempdir().unwrap();
    lived(dir.path());
    let conn = forge(dir.path());
    let (seq, body): (i64, String) = conn
        .query_row(
            "SELECT seq, r.body FROM readings r JOIN entries e USING (seq) WHERE e.tick = 10",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let forged = twice(&body);
    assert_ne!(forged, body);
    let digest = |text: &str| {
        Sha256::digest(text.as_bytes())
            .iter()
            .fold(String::new(), |hex, byte| hex + format!("{byte:02x}").as_str())
    };
    conn.execute("UPDATE readings SET body = ?1 WHERE seq = ?2", params![forged, seq]).unwrap();
    let changed = conn
        .execute(
            "UPDATE entries SET body = replace(body, ?1, ?2) WHERE seq = ?3 AND body LIKE '%' || ?1 || '%'",
            params![digest(&body), digest(&forged), seq],
        )
        .unwrap();
    assert_eq!(changed, 1);
    chain(&conn);
    let proof = prove(&Reader::open(dir.path()).unwrap());
    assert!(proof.is_err(), "{proof:?}");
    let said = said(&command(dir.path()).arg("prove").output().unwrap());
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains(&format!("entry {seq}: its readings were changed")), "{said:?}");
    assert!(said.out.contains("not proved"), "{said:?}");
}

#[test]
fn what_a_tick_says_twice_is_named() {
    let proof = after(
        "UPDATE entries SET body = replace(body, '\"statuses\":{', '\"statuses\":{\"reflection_service\":\"critical\",')
         WHERE kind = 'tick' AND tick = 10",
    );
    assert_eq!(proof.broken.map(|broken| broken.damage), Some(Damage::Record));
}

#[test]
fn a_tick_that_is_said_to_be_of_an_earlier_meaning_is_named_or_counted() {
    let strip = "body = json_remove(body, '$.state', '$.meaning')";
    let old = format!("UPDATE entries SET {strip} WHERE kind IN ('tick', 'generation')");
    let one = "UPDATE entries SET body = json_remove(body, '$.meaning') WHERE kind = 'tick' AND tick = 10";
    let newer = r#"UPDATE entries SET body = replace(body, '"version":"0.1.0"', '"version":"0.1.1"') WHERE kind = 'started'"#;
    for how in [one.to_owned(), format!("{old};{newer}")] {
        let proof = after(&how);
        assert_eq!(proof.broken.map(|broken| broken.damage), Some(Damage::Meaning), "{how}");
    }
    // All of it: as the first versions wrote, and people are told that they did.
    let dir = tempfile::tempdir().unwrap();
    lived(dir.path());
    let conn = forge(dir.path());
    conn.execute_batch(&old).unwrap();
    chain(&conn);
    let reader = Reader::open(dir.path()).unwrap();
    let (proof, verified) = (prove(&reader).unwrap(), reader.verify().unwrap());
    assert!(proof.unsaid > 30 && verified.unsaid >= proof.unsaid, "{proof:?} {verified:?}");
    for words in [&["prove"][..], &["audit", "verify"]] {
        let said = said(&command(dir.path()).args(words).output().unwrap());
        assert!(said.out.contains("ticks do not say which state came of them"), "{said:?}");
    }
}

#[test]
fn a_meaning_that_only_a_newer_version_knows_is_told_as_its_decision() {
    let set = "UPDATE entries SET body = json_set(body, '$.meaning', 9) WHERE kind";
    for (how, adoption, count) in [
        (format!("{set} = 'tick' AND tick >= 10"), false, None),
        (format!("{set} = 'started'"), true, Some(3)),
    ] {
        let proof = after(&how);
        assert_eq!(proof.broken, None);
        assert!(!proof.holds(), "{proof:?}");
        let one = &proof.differences[0];
        assert_eq!((one.field.as_str(), one.adoption), ("meaning", adoption), "{one:?}");
        let version = env!("CARGO_PKG_VERSION").to_owned();
        assert_eq!(one.cause, grace::replay::prove::Cause::Version { version });
        assert!(one.recorded.starts_with("9, by which a newer version") && one.derived.starts_with("0 to "));
        assert!(adoption || (one.tick == 10 && proof.same == 9 && proof.different > 20), "{proof:?}");
        assert!(count.is_none_or(|count| proof.adopted_otherwise == count), "{proof:?}");
    }
}

#[test]
fn how_often_a_component_failed_is_derived_as_well() {
    for (how, recorded, derived) in [
        (
            r#"replace(body, '"failures":{"reflection_service":2}', '"failures":{"reflection_service":7}')"#,
            "7",
            "2",
        ),
        ("json_remove(body, '$.failures')", "nothing", "2"),
    ] {
        let proof = after(&format!(
            "UPDATE entries SET body = {how} WHERE seq = (SELECT min(seq) FROM entries
             WHERE kind = 'tick' AND body LIKE '%\"failures\":{{\"reflection_service\":2}}%')"
        ));
        let [one] = proof.differences.as_slice() else { panic!("{how}: {proof:?}") };
        assert_eq!(one.field, "tick.failures.reflection_service");
        assert_eq!((one.recorded.as_str(), one.derived.as_str()), (recorded, derived), "{how}");
    }
}
