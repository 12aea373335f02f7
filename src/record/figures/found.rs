//! What was found of a window so far.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::figures::{Bucket, Closed, Figures, Fold, Gather, HOUR, NoFigures, Window};
use crate::model::Time;
use crate::record::error::Fault;
use crate::record::figures::{follow, keep};

/// What was found of a window so far.
pub(super) struct Found {
    window: Window,
    gather: Gather,
    /// From where on buckets are added up.
    since: Time,
    /// All entries are in it, at the end.
    fold: Fold,
    /// What was over in the hour under way, by what tells it from all others.
    over: BTreeMap<(&'static str, i64, String), Closed>,
}

impl Found {
    pub(super) fn new(window: Window) -> Self {
        // Nothing was before the first tick, and so its whole hour is the window's.
        let since = if window.since <= window.first { window.first.slot(HOUR) } else { window.since };
        let mut fold = Fold::default();
        fold.cut([since, window.until]);
        Self { window, gather: Gather::new(window), since, fold, over: BTreeMap::new() }
    }

    /// Takes more entries: `take` folds one.
    pub(super) fn take<E>(&mut self, take: impl FnOnce(&mut Fold) -> Result<(), E>) -> Result<(), E> {
        take(&mut self.fold)?;
        for bucket in self.fold.buckets() {
            self.inside(bucket);
        }
        Ok(())
    }

    /// The hour under way, folded from the entries behind those that were kept.
    pub(super) fn under_way(&mut self, conn: &Connection, mut fold: Fold, after: i64) -> Result<(), Fault> {
        fold.cut([self.since, self.window.until]);
        follow::follow(conn, &mut fold, (after, i64::MAX), |fold, _, _| {
            for bucket in fold.buckets() {
                self.inside(bucket);
            }
            true
        })?;
        self.fold = fold;
        Ok(())
    }

    /// Hours that were kept, and the parts of hours at both ends.
    pub(super) fn hours(&mut self, conn: &Connection) -> Result<(), Fault> {
        let (since, until) = (self.since, self.window.until);
        let (head, tail) = (since.slot(HOUR), until.slot(HOUR));
        let whole = if head == since { head } else { head + HOUR };
        keep::hours(conn, (whole, until - HOUR), |bucket| self.gather.bucket(bucket))?;
        let ends = [(head, head < whole), (tail, tail >= whole && tail != until)];
        for (hour, _) in ends.into_iter().filter(|(_, is_part)| *is_part) {
            if keep::has(conn, hour)? {
                self.part(conn, hour)?;
            }
        }
        Ok(())
    }

    /// The part of an hour that lies in the window, from its entries.
    fn part(&mut self, conn: &Connection, hour: Time) -> Result<(), Fault> {
        let (mut fold, after) = keep::before(conn, hour)?;
        fold.cut([self.since, self.window.until]);
        let end = hour + HOUR;
        follow::follow(conn, &mut fold, (after, i64::MAX), |fold, _, _| {
            for bucket in fold.buckets() {
                if bucket.from >= hour && bucket.to <= end {
                    self.inside(bucket);
                }
            }
            fold.now().is_none_or(|now| now < end)
        })?;
        Ok(())
    }

    /// What was over when an hour was kept.
    pub(super) fn rows(&mut self, conn: &Connection) -> Result<(), Fault> {
        self.over = over(&mut self.fold);
        keep::rows(conn, (self.window.since, self.window.until), |closed| {
            let (kind, id, component) = closed.key();
            // What the hour under way changed counts as it is now.
            if !self.over.contains_key(&(kind, id, component.to_owned())) {
                self.gather.closed(closed);
            }
        })
    }

    fn inside(&mut self, bucket: Bucket) {
        if bucket.from >= self.since && bucket.to <= self.window.until {
            self.gather.bucket(bucket);
        }
    }

    /// The figures. `since` is where the window was asked to begin.
    pub(super) fn finish(mut self, since: Option<Time>, only: Option<&str>) -> Result<Figures, NoFigures> {
        if let Some(rest) = self.fold.rest() {
            self.inside(rest);
        }
        let mut all = std::mem::take(&mut self.over);
        all.append(&mut over(&mut self.fold));
        for closed in all.into_values() {
            self.gather.closed(closed);
        }
        self.gather.finish(&self.fold, since, only)
    }
}

/// A relapse tells once more of a try: what is told last counts.
fn over(fold: &mut Fold) -> BTreeMap<(&'static str, i64, String), Closed> {
    let all = fold.closed().into_iter();
    all.map(|closed| {
        let (kind, id, component) = closed.key();
        ((kind, id, component.to_owned()), closed)
    })
    .collect()
}
