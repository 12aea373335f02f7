-- Version 3. What people were asked, and what they did about it.

-- One row for each request, however many have to approve it: it waits as long as the engine says so, and what ended is
-- not approved, though one of two had approved it.
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
            WHERE state.id = 1 AND w.key = CAST(q.body ->> '$.approval' AS TEXT)
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

CREATE INDEX entries_task_changed ON entries (body ->> '$.task') WHERE kind = 'task_changed';

-- What rules ask people to do, and what was done about it last. What people ask of each other stands in the working
-- database.
DROP VIEW tasks;
CREATE VIEW tasks AS
SELECT t.seq,
    t.body ->> '$.task' AS task,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', t.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    t.tick,
    t.body ->> '$.text' AS text,
    t.component,
    coalesce(t.body ->> '$.by.rule' || '/' || (t.body ->> '$.by.component'), t.body ->> '$.by.actor') AS by,
    CASE c.body ->> '$.what.deed' WHEN 'acknowledge' THEN 'acknowledged' WHEN 'assign' THEN 'assigned' WHEN 'close' THEN 'closed'
        ELSE 'open' END AS state,
    (SELECT a.body ->> '$.what.to' FROM entries a
     WHERE a.kind = 'task_changed' AND a.body ->> '$.task' = t.body ->> '$.task' AND a.body ->> '$.what.deed' = 'assign'
     ORDER BY a.seq DESC LIMIT 1) AS assigned_to,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', c.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS changed_at,
    c.body ->> '$.actor' AS changed_by,
    c.body ->> '$.reason' AS change_reason
FROM entries t
LEFT JOIN entries c ON c.seq = (
    SELECT max(seq) FROM entries WHERE kind = 'task_changed' AND body ->> '$.task' = t.body ->> '$.task')
WHERE t.kind = 'task_created';
