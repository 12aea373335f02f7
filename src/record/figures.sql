-- Version 4. What the figures are made of. It is derived from the entries and no part of the chain: it can be made anew,
-- and is, where `version`, or the entry `seq` with its `hash`, does not fit.

-- What was added up in an hour of Grace's own time, and the fold as it stood at the hour's end: all entries up to `seq`
-- are in it. Hours in which nobody looked have no row.
CREATE TABLE figure_hours (
    hour    INTEGER PRIMARY KEY,     -- its begin, milliseconds since 1970
    version INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    body    TEXT NOT NULL,
    fold    TEXT NOT NULL
) STRICT;

-- What is over: incidents, tries, gaps, components that are gone, moves of the mode, steps of the clock.
CREATE TABLE figure_rows (
    kind      TEXT NOT NULL,
    id        INTEGER NOT NULL,
    component TEXT NOT NULL,         -- empty where it is about none
    began     INTEGER NOT NULL,      -- Grace's own time, milliseconds since 1970
    ended     INTEGER NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (kind, id, component)
) STRICT, WITHOUT ROWID;

CREATE INDEX figure_rows_ended ON figure_rows (ended);
