-- Version 3. One row for each request, however many have to approve it: it waits as long as the engine says so, and what
-- ended is not approved, though one of two had approved it.
DROP VIEW approvals;
CREATE VIEW approvals AS
SELECT q.seq,
    q.body ->> '$.approval' AS approval,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', q.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    q.component,
    coalesce(
        (SELECT group_concat(
            CASE s.value ->> 'step' WHEN 'scale' THEN 'scale ' || (s.value ->> 'workers') ELSE s.value ->> 'step' END, ', ')
         FROM json_each(q.body, '$.proposal.act.steps') s),
        q.body ->> '$.proposal.act.act' || coalesce(' ' || (q.body ->> '$.proposal.act.mode'), ' ' || (q.body ->> '$.proposal.act.receiver'), '')) AS action,
    coalesce(q.body ->> '$.proposal.by.rule' || '/' || (q.body ->> '$.proposal.by.component'), q.body ->> '$.proposal.by.actor') AS asked_by,
    q.body ->> '$.proposal.reason' AS reason,
    q.body ->> '$.policy' AS policy,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', (q.body ->> '$.expires') / 1000.0, 'unixepoch'), '.000Z', 'Z') AS expires,
    CASE
        WHEN n.seq IS NOT NULL THEN 'ended'
        WHEN y.seq IS NULL THEN 'waiting'
        WHEN EXISTS (
            SELECT 1 FROM state, json_each(state.body, '$.governed.approvals') w
            WHERE w.key = CAST(q.body ->> '$.approval' AS TEXT)
              AND json_array_length(w.value, '$.given') < w.value ->> '$.approvers') THEN 'waiting'
        ELSE 'approved'
    END AS answer,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(n.at, y.at) / 1000.0, 'unixepoch'), '.000Z', 'Z') AS answered_at,
    coalesce(n.body ->> '$.actor', y.body ->> '$.actor') AS answered_by,
    coalesce(n.body ->> '$.reason', y.body ->> '$.reason') AS answer_reason,
    y.body ->> '$.break_glass' AS break_glass
FROM entries q
-- The last of those who approved.
LEFT JOIN entries y ON y.seq = (
    SELECT max(seq) FROM entries WHERE kind = 'approved' AND body ->> '$.approval' = q.body ->> '$.approval')
LEFT JOIN entries n ON n.kind = 'approval_ended' AND n.body ->> '$.approval' = q.body ->> '$.approval'
WHERE q.kind = 'approval_asked';
