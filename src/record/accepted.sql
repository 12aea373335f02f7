-- Version 6. Whoever accepts a recommendation sets its review date anew, and what is held against what comes after.

DROP VIEW recommendations;
CREATE VIEW recommendations AS
SELECT q.seq,
    q.body ->> '$.recommendation' AS recommendation,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', q.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    q.tick,
    q.body ->> '$.text' AS text,
    q.component,
    coalesce(q.body ->> '$.by.rule' || '/' || (q.body ->> '$.by.component'), q.body ->> '$.by.actor') AS by,
    q.body ->> '$.advice.rule' AS rule,
    q.body ->> '$.advice.action' AS action,
    coalesce(r.body ->> '$.before.closed', a.body ->> '$.before.closed', q.body ->> '$.advice.before.closed') AS closed_before,
    coalesce(r.body ->> '$.before.healed', a.body ->> '$.before.healed', q.body ->> '$.advice.before.healed') AS healed_before,
    q.body ->> '$.advice.expects' AS expects,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(a.body ->> '$.review', q.body ->> '$.advice.review') / 1000.0, 'unixepoch'), '.000Z', 'Z') AS review,
    q.body -> '$.advice.change' AS change,
    CASE
        WHEN r.seq IS NOT NULL THEN 'reviewed'
        WHEN a.body ->> '$.what' = 'decline' THEN 'declined'
        WHEN a.body ->> '$.what' = 'accept' THEN 'accepted'
        ELSE 'open'
    END AS state,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', a.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS answered_at,
    a.body ->> '$.actor' AS answered_by,
    a.body ->> '$.reason' AS answer_reason,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', r.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS reviewed_at,
    r.body ->> '$.verdict' AS verdict,
    r.body ->> '$.after.closed' AS closed_after,
    r.body ->> '$.after.healed' AS healed_after,
    r.body -> '$.difference' AS difference,
    r.body ->> '$.detail' AS detail
FROM entries q
LEFT JOIN entries a ON a.seq = (
    SELECT max(seq) FROM entries
    WHERE kind = 'recommendation_answered' AND body ->> '$.recommendation' = q.body ->> '$.recommendation')
LEFT JOIN entries r ON r.seq = (
    SELECT max(seq) FROM entries WHERE kind = 'reviewed' AND body ->> '$.recommendation' = q.body ->> '$.recommendation')
WHERE q.kind = 'recommended';
