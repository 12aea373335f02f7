-- Version 7. A moment says that nobody changed it. Of one from before nobody knows: it is forgotten, so that the next start
-- goes on by the wall clock once.
DELETE FROM moment;
ALTER TABLE moment ADD COLUMN seal TEXT NOT NULL DEFAULT '';
