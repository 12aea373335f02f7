-- The journal: one append-only table in which each entry carries the hash of the one before.
CREATE TABLE entries (
    seq       INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,     -- the wall clock, milliseconds since 1970
    tick      INTEGER,              -- the tick that wrote it, where one did
    kind      TEXT NOT NULL,
    event     TEXT,                 -- the type of the event it is carried as
    component TEXT,
    act       INTEGER,
    body      TEXT NOT NULL,        -- the record as JSON
    prev      BLOB NOT NULL CHECK (length(prev) = 32),
    hash      BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX entries_kind ON entries (kind);
CREATE INDEX entries_component ON entries (component, kind) WHERE component IS NOT NULL;
CREATE INDEX entries_events ON entries (seq, event) WHERE event IS NOT NULL;
CREATE INDEX entries_generation ON entries (body ->> '$.generation') WHERE kind = 'generation';
CREATE INDEX entries_approved ON entries (body ->> '$.approval') WHERE kind = 'approved';
CREATE INDEX entries_approval_ended ON entries (body ->> '$.approval') WHERE kind = 'approval_ended';
CREATE INDEX entries_relapsed ON entries (act) WHERE kind = 'relapsed';

-- An act has at most one intent and at most one end; a write is put off at most once and done at most once.
CREATE UNIQUE INDEX one_intent ON entries (act) WHERE kind = 'intent';
CREATE UNIQUE INDEX one_end ON entries (act) WHERE kind = 'end';
CREATE UNIQUE INDEX one_deferral ON entries (body ->> '$.key') WHERE kind = 'write_deferred';
CREATE UNIQUE INDEX one_application ON entries (body ->> '$.key') WHERE kind = 'write_applied';

CREATE TRIGGER entries_only_grow BEFORE INSERT ON entries
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entries)
BEGIN SELECT raise(ABORT, 'the journal only grows: an entry takes the next number'); END;

CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
BEGIN SELECT raise(ABORT, 'the journal is append-only: no entry is ever changed'); END;

CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
BEGIN SELECT raise(ABORT, 'the journal is append-only: no entry is ever deleted'); END;

CREATE TRIGGER an_end_has_an_intent BEFORE INSERT ON entries
WHEN NEW.kind = 'end' AND NOT EXISTS (SELECT 1 FROM entries WHERE kind = 'intent' AND act = NEW.act)
BEGIN SELECT raise(ABORT, 'an end without an intent: nothing is done that was not announced'); END;

CREATE TRIGGER an_application_has_a_deferral BEFORE INSERT ON entries
WHEN NEW.kind = 'write_applied' AND NOT EXISTS (
    SELECT 1 FROM entries WHERE kind = 'write_deferred' AND body ->> '$.key' = NEW.body ->> '$.key')
BEGIN SELECT raise(ABORT, 'a write that never waited cannot be taken off the queue'); END;

-- The last entry once more, so that a journal that lost its end is found out.
CREATE TABLE head (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- What a tick read. Its entry holds the SHA-256 of the body, so the body can expire and the chain still holds.
CREATE TABLE readings (
    seq  INTEGER PRIMARY KEY REFERENCES entries (seq),
    body TEXT NOT NULL
) STRICT;

-- Readings of ticks before `before` (wall clock, milliseconds) may be gone; it never moves back.
CREATE TABLE retention (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    before INTEGER NOT NULL
) STRICT;
INSERT INTO retention VALUES (1, -9223372036854775808);

CREATE TRIGGER retention_only_rises BEFORE UPDATE ON retention
WHEN NEW.before < OLD.before
BEGIN SELECT raise(ABORT, 'the retention of readings never moves back'); END;

CREATE TRIGGER retention_stays BEFORE DELETE ON retention
BEGIN SELECT raise(ABORT, 'the retention of readings never moves back'); END;

CREATE TRIGGER readings_are_not_changed BEFORE UPDATE ON readings
BEGIN SELECT raise(ABORT, 'the journal is append-only: readings expire and are never changed'); END;

CREATE TRIGGER readings_only_expire BEFORE DELETE ON readings
WHEN (SELECT at FROM entries WHERE seq = OLD.seq) >= (SELECT before FROM retention)
BEGIN SELECT raise(ABORT, 'the journal is append-only: these readings have not expired'); END;

-- What the engine remembers, as of the entry `seq`; replaced with every commit.
CREATE TABLE state (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- The same, kept: where a replay can begin. `adopted` ones came from a start or a reload, not from a tick.
CREATE TABLE checkpoints (
    seq     INTEGER PRIMARY KEY REFERENCES entries (seq),
    adopted INTEGER NOT NULL CHECK (adopted IN (0, 1)),
    body    TEXT NOT NULL
) STRICT;

-- How far each subscriber of the mesh has come. Convenience, and no part of the chain.
CREATE TABLE cursors (
    subscriber TEXT PRIMARY KEY,
    seq        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
