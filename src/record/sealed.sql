-- Version 7. A moment says that nobody changed it. Of one from before nobody knows: it is forgotten, so that the next start
-- goes on by the wall clock once. From here on there always is one, until the first commit that of no boot.
DELETE FROM moment;
ALTER TABLE moment ADD COLUMN seal TEXT NOT NULL DEFAULT '';
INSERT INTO moment (id, at, boot, up, seal)
    VALUES (1, 0, '', 0, 'b63d4e9a4c161f86a645ce82695c08b5d796d36fea5e06da2a15b30b3657e74a');
