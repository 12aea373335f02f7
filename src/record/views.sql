-- What people query: views over the entries, with times as people read them (RFC 3339, UTC).

-- A component that a tick looked at. The facts are gone once the readings have expired.
CREATE VIEW health_checks AS
SELECT t.seq,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', t.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    t.tick,
    s.key AS component,
    s.value AS status,
    r.body ->> ('$."' || s.key || '".occasion') AS occasion,
    r.body -> ('$."' || s.key || '".facts') AS facts
FROM entries t
JOIN json_each(t.body, '$.statuses') s
LEFT JOIN readings r ON r.seq = t.seq
WHERE t.kind = 'tick'
  AND (r.seq IS NULL OR json_type(r.body, '$."' || s.key || '"') IS NOT NULL);

-- One row a try. `result` is NULL while it runs; `outcome` is 'relapsed' when the component failed again soon.
CREATE VIEW healing_actions AS
SELECT i.seq,
    i.act,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', i.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS ended_at,
    i.tick,
    i.component,
    coalesce(
        (SELECT group_concat(
            CASE s.value ->> 'step' WHEN 'scale' THEN 'scale ' || (s.value ->> 'workers') ELSE s.value ->> 'step' END, ', ')
         FROM json_each(i.body, '$.proposal.act.steps') s),
        i.body ->> '$.proposal.act.act' || coalesce(' ' || (i.body ->> '$.proposal.act.mode'), ' ' || (i.body ->> '$.proposal.act.receiver'), '')) AS action,
    e.body ->> '$.result' AS result,
    CASE WHEN r.seq IS NULL THEN e.body ->> '$.outcome' ELSE 'relapsed' END AS outcome,
    e.body ->> '$.detail' AS detail,
    e.body -> '$.steps' AS steps,
    i.body ->> '$.proposal.by.by' AS by,
    i.body ->> '$.proposal.by.rule' AS rule,
    i.body ->> '$.proposal.by.actor' AS actor,
    i.body ->> '$.proposal.attempt' AS attempt,
    i.body ->> '$.proposal.slow' AS slow,
    i.body ->> '$.proposal.reason' AS reason,
    i.body ->> '$.policy' AS policy
FROM entries i
LEFT JOIN entries e ON e.kind = 'end' AND e.act = i.act
LEFT JOIN entries r ON r.kind = 'relapsed' AND r.act = i.act
WHERE i.kind = 'intent' AND i.body ->> '$.proposal.act.act' = 'heal';

CREATE VIEW notifications AS
SELECT i.seq,
    i.act,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', i.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS ended_at,
    i.body ->> '$.proposal.act.receiver' AS receiver,
    i.body ->> '$.proposal.act.text' AS text,
    i.component,
    coalesce(i.body ->> '$.proposal.by.rule' || '/' || (i.body ->> '$.proposal.by.component'), i.body ->> '$.proposal.by.actor') AS by,
    e.body ->> '$.result' AS result,
    e.body ->> '$.detail' AS detail
FROM entries i
LEFT JOIN entries e ON e.kind = 'end' AND e.act = i.act
WHERE i.kind = 'intent' AND i.body ->> '$.proposal.act.act' = 'notify';

CREATE VIEW mode_changes AS
SELECT seq,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    tick,
    body ->> '$.from' AS from_mode,
    body ->> '$.to' AS to_mode,
    body ->> '$.reason' AS reason,
    coalesce(body ->> '$.by.rule' || '/' || (body ->> '$.by.component'), body ->> '$.by.actor') AS by
FROM entries WHERE kind = 'mode_changed';

CREATE VIEW security_events AS
SELECT seq,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    tick,
    event,
    component,
    coalesce(body ->> '$.by.rule' || '/' || (body ->> '$.by.component'), body ->> '$.by.actor') AS by,
    body ->> '$.reason' AS reason
FROM entries WHERE kind = 'announced' AND event GLOB 'security.*';

-- What rules ask people to do. What people ask of each other stands in the working database.
CREATE VIEW tasks AS
SELECT seq,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    tick,
    body ->> '$.text' AS text,
    component,
    coalesce(body ->> '$.by.rule' || '/' || (body ->> '$.by.component'), body ->> '$.by.actor') AS by
FROM entries WHERE kind = 'task_created';

CREATE VIEW recommendations AS
SELECT seq,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    tick,
    body ->> '$.text' AS text,
    component,
    coalesce(body ->> '$.by.rule' || '/' || (body ->> '$.by.component'), body ->> '$.by.actor') AS by
FROM entries WHERE kind = 'recommended';

CREATE VIEW events AS
SELECT seq,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    event AS type,
    component AS subject,
    body AS data
FROM entries WHERE event IS NOT NULL;

-- What governance did not simply let through, and why.
CREATE VIEW decisions AS
SELECT seq,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    tick,
    component,
    coalesce(
        (SELECT group_concat(
            CASE s.value ->> 'step' WHEN 'scale' THEN 'scale ' || (s.value ->> 'workers') ELSE s.value ->> 'step' END, ', ')
         FROM json_each(body, '$.proposal.act.steps') s),
        body ->> '$.proposal.act.act' || coalesce(' ' || (body ->> '$.proposal.act.mode'), ' ' || (body ->> '$.proposal.act.receiver'), '')) AS action,
    coalesce(body ->> '$.proposal.by.rule' || '/' || (body ->> '$.proposal.by.component'), body ->> '$.proposal.by.actor') AS by,
    body ->> '$.verdict' AS verdict,
    body ->> '$.policy' AS policy,
    body ->> '$.gate.gate' AS gate,
    body -> '$.gate' AS because,
    body ->> '$.proposal.reason' AS reason
FROM entries WHERE kind = 'decided';

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
    CASE WHEN y.seq IS NOT NULL THEN 'approved' WHEN n.seq IS NOT NULL THEN 'ended' ELSE 'waiting' END AS answer,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(y.at, n.at) / 1000.0, 'unixepoch'), '.000Z', 'Z') AS answered_at,
    coalesce(y.body ->> '$.actor', n.body ->> '$.actor') AS answered_by,
    coalesce(y.body ->> '$.reason', n.body ->> '$.reason') AS answer_reason,
    y.body ->> '$.break_glass' AS break_glass
FROM entries q
LEFT JOIN entries y ON y.kind = 'approved' AND y.body ->> '$.approval' = q.body ->> '$.approval'
LEFT JOIN entries n ON n.kind = 'approval_ended' AND n.body ->> '$.approval' = q.body ->> '$.approval'
WHERE q.kind = 'approval_asked';

CREATE VIEW blocks AS
SELECT b.seq,
    b.component,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', b.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    coalesce(b.body ->> '$.by.rule' || '/' || (b.body ->> '$.by.component'), b.body ->> '$.by.actor') AS by,
    b.body ->> '$.reason' AS reason,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', u.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS lifted_at,
    coalesce(u.body ->> '$.by.rule' || '/' || (u.body ->> '$.by.component'), u.body ->> '$.by.actor') AS lifted_by,
    u.body ->> '$.reason' AS lift_reason
FROM entries b
LEFT JOIN entries u ON u.seq = (
    SELECT min(seq) FROM entries WHERE component = b.component AND kind = 'unblocked' AND seq > b.seq)
WHERE b.kind = 'blocked';

CREATE VIEW refused_requests AS
SELECT seq,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    body ->> '$.asked.actor' AS actor,
    body ->> '$.asked.request' AS request,
    body -> '$.asked' AS asked,
    body ->> '$.says' AS says
FROM entries WHERE kind = 'refused';

-- Writes that waited for the working database; `applied_at` is NULL while one waits.
CREATE VIEW deferred_writes AS
SELECT d.seq,
    d.body ->> '$.key' AS key,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', d.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    d.body -> '$.write' AS "write",
    d.body ->> '$.reason' AS reason,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', a.at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS applied_at
FROM entries d
LEFT JOIN entries a ON a.kind = 'write_applied' AND a.body ->> '$.key' = d.body ->> '$.key'
WHERE d.kind = 'write_deferred';

CREATE VIEW generations AS
SELECT seq,
    replace(strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'), '.000Z', 'Z') AS at,
    body ->> '$.generation' AS generation,
    body -> '$.kept' AS kept,
    body -> '$.reset' AS reset,
    body -> '$.dropped' AS dropped
FROM entries WHERE kind = 'generation';
