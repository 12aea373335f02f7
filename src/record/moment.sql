-- Version 2. When the last commit was: on Grace's own time line, and on the clock of the boot it happened under, which
-- counts on while Grace is down and which nobody steps. Convenience, and no part of the chain.
CREATE TABLE moment (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    at   INTEGER NOT NULL,     -- Grace's own time, milliseconds since 1970
    boot TEXT NOT NULL,        -- the kernel's name for the boot
    up   INTEGER NOT NULL      -- milliseconds since that boot, sleep and all
) STRICT;
