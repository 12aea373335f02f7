//! A journal with a damaged disk sector: whoever reads it comes to an end, and says what is missing.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use grace::record::{Damage, Journal, Reader};
use grace::replay::prove::prove;

use crate::histories::{HANGS, journal, recorded};

const SECTOR: usize = 512;

/// One in so many sectors is tried.
const EVERY: usize = 7;

/// Makes a sector of the file all zeros, as a disk that cannot read it does.
fn zero(file: &Path, sector: u64) {
    let mut open = fs::OpenOptions::new().write(true).open(file).expect("opens");
    open.seek(SeekFrom::Start(sector * SECTOR as u64)).expect("is there");
    open.write_all(&[0; SECTOR]).expect("written");
}

/// Reads everything, passing by what cannot be read; nothing if it does not come to an end.
fn walk(reader: &Reader, most: usize) -> Option<usize> {
    let mut ticks = reader.ticks(0);
    let mut steps = 0;
    loop {
        steps += 1;
        match ticks.next() {
            None => return Some(steps),
            Some(Err(_)) if ticks.pass_by().is_none() => return Some(steps),
            _ if steps > most => return None,
            _ => {}
        }
    }
}

#[test]
fn whatever_sector_is_lost_whoever_reads_comes_to_an_end_and_proves_nothing_wrong() {
    let whole = tempfile::tempdir().expect("a folder");
    journal(whole.path(), &recorded(HANGS));
    let last = Reader::open(whole.path()).and_then(|reader| reader.last_seq()).expect("read");
    let most = usize::try_from(last).expect("small") * 3 + 100;
    let from = whole.path().join("journal.db");
    let sectors = fs::metadata(&from).expect("there").len() / SECTOR as u64;
    let (mut read, mut holds) = (0, Vec::new());
    for sector in (8..sectors).step_by(EVERY) {
        let damaged = tempfile::tempdir().expect("a folder");
        for entry in fs::read_dir(whole.path()).expect("there").flatten() {
            if entry.path().is_file() {
                fs::copy(entry.path(), damaged.path().join(entry.file_name())).expect("copied");
            }
        }
        zero(&damaged.path().join("journal.db"), sector);
        // SQLite itself refuses some.
        let Ok(reader) = Reader::open(damaged.path()) else { continue };
        assert!(walk(&reader, most).is_some(), "sector {sector} is walked for ever");
        read += 1;
        if prove(&reader).is_ok_and(|proof| proof.holds())
            && reader.verify().is_ok_and(|found| found.is_whole())
        {
            holds.push(sector);
        }
    }
    assert!(read > 20, "only {read} of {sectors} sectors could be tried");
    // A free page, or the part of a page that holds nothing, takes no harm.
    assert!(holds.len() * 4 < read, "{holds:?} of {read} were missed");
}

#[test]
fn a_state_that_is_no_text_any_more_is_named_and_keeps_nobody_from_starting() {
    let dir = tempfile::tempdir().expect("a folder");
    journal(dir.path(), &recorded(HANGS));
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).expect("opens");
    let flip =
        "UPDATE state SET body = CAST(CAST(substr(body, 1, 9) AS BLOB) || x'b4' || substr(body, 11) AS TEXT)";
    assert_eq!(conn.execute(flip, []).expect("flipped"), 1);
    drop(conn);
    let reader = Reader::open(dir.path()).expect("opens");
    let broken = reader.verify().expect("read").broken.expect("broken");
    assert_eq!(broken.damage, Damage::State);
    let last = reader.last_seq().expect("read");
    assert!(broken.seq == last && prove(&reader).expect("read").broken == Some(broken), "of {last}");
    drop(reader);
    assert_eq!(Journal::open(dir.path()).and_then(|journal| journal.state()).expect("opens"), None);
}
