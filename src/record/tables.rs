//! What `journal.db` is made of.

use crate::store::Schema;

/// The name of the journal's file in the data directory.
pub(super) const FILE: &str = "journal.db";

/// Where figures are kept.
pub(super) const FIGURES: &str = include_str!("figures.sql");

/// The journal's versions.
pub(super) const SCHEMA: Schema = Schema {
    name: "journal",
    application: 0x6772_616a, // "graj"
    migrations: &[
        concat!(include_str!("schema.sql"), include_str!("views.sql")),
        include_str!("moment.sql"),
        include_str!("people.sql"),
        FIGURES,
        include_str!("meta.sql"),
        include_str!("accepted.sql"),
        include_str!("sealed.sql"),
    ],
};
