-- Events that bill nothing, each with its reason (contract 3), to be listed and alerted
-- on: what seals have told of them, and what a survey tells of all that came since.

-- What runs tell. A run that seals a month tells of the anomalies of that month, and of
-- the resources that late events touched (touched_resources) of those of all months up to
-- it, since it derives all of them again. So a row stands as long as no later run touched
-- its resource: which it was is written down before anything is derived, also of a
-- resource that has no anomaly left, and no row has to be taken back, nor any earlier one
-- to be read. Rows count from the seal of their run on, but for the accounts that it parks:
-- what a run has touched and not told yet stands as it did.
--
-- All rows follow from the run's cutoff, so a repeated run writes the same.
-- Sort key: as the tables of invoices have it; then time and where the event lies, which is
-- a row's identity; run tells what two runs say apart.
CREATE TABLE IF NOT EXISTS run_anomalies{{.OnCluster}}
(
    month       LowCardinality(String) COMMENT 'of the time, in the billing zone, as 2026-10',
    account_id  String,
    resource_id String,
    time        DateTime64(3, 'UTC'),
    topic       LowCardinality(String),
    partition   Int32,
    offset      Int64,
    log         Int32 COMMENT 'as in events',
    run         Int64 COMMENT 'that tells it',
    reason      LowCardinality(String) COMMENT 'as unmatched_usage',
    type        LowCardinality(String),
    source      String,
    id          String,
    item        LowCardinality(String) COMMENT 'of usage, else empty',
    value       Decimal(38, 9) COMMENT 'of usage, else 0'
)
ENGINE = {{.Replacing}}
PRIMARY KEY (month, account_id, resource_id)
ORDER BY (month, account_id, resource_id, time, topic, partition, offset, log, run)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The runs of which all anomalies are stored. Of those of an older version none are: a
-- survey makes up for them by telling in the name of the last of them what all events
-- before its cutoff come to. That row is the one of since: what runs before it told does
-- not count. Accounts that cannot be derived then are told of when they can; of several
-- rows of a run the one that leaves out fewest holds.
CREATE TABLE IF NOT EXISTS told_runs{{.OnCluster}}
(
    run      Int64,
    since    Bool COMMENT 'it tells of all months, and of every resource',
    left_out Array(String) COMMENT 'of since: accounts that it tells nothing of yet'
)
ENGINE = {{.Replacing}}
ORDER BY (run, since, left_out)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Surveys. A row is written when all of a survey is stored, so one that broke off is
-- nobody's. Of them the newest holds: the one that rests on the newest run, then has most
-- messages, then leaves out fewest accounts; not the latest by the clock, of which hosts
-- have several. A survey of what has not changed is none, and writes nothing; rows stay,
-- one for each survey in which something had.
CREATE TABLE IF NOT EXISTS surveys{{.OnCluster}}
(
    survey      String COMMENT 'digest of what it follows from: run, accounts that are left out, cutoff',
    run         Int64 COMMENT 'the newest run that it rests on, 0 before the first',
    month       String COMMENT 'the newest that was sealed then, empty before the first',
    messages    Int64 COMMENT 'stored by then, events and others',
    left_out    Array(String) COMMENT 'accounts that it tells nothing of',
    noted_at    DateTime64(3, 'UTC') COMMENT 'when it was begun'
)
ENGINE = {{.Replacing}}
ORDER BY survey
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- What surveys tell, and which resources each has derived from all their events, because
-- late events touched them: of those it replaces what runs told. A survey is a partition,
-- dropped when another one holds.
CREATE TABLE IF NOT EXISTS survey_anomalies{{.OnCluster}}
(
    survey      String,
    month       LowCardinality(String),
    account_id  String,
    resource_id String,
    time        DateTime64(3, 'UTC'),
    topic       LowCardinality(String),
    partition   Int32,
    offset      Int64,
    log         Int32,
    noted_at    DateTime64(3, 'UTC'),
    reason      LowCardinality(String),
    type        LowCardinality(String),
    source      String,
    id          String,
    item        LowCardinality(String),
    value       Decimal(38, 9)
)
ENGINE = {{.Replacing}}
PARTITION BY survey
PRIMARY KEY (survey, month, account_id, resource_id)
ORDER BY (survey, month, account_id, resource_id, time, topic, partition, offset, log)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
CREATE TABLE IF NOT EXISTS survey_resources{{.OnCluster}}
(
    survey      String,
    account_id  String,
    resource_id String,
    noted_at    DateTime64(3, 'UTC')
)
ENGINE = {{.Replacing}}
PARTITION BY survey
ORDER BY (survey, account_id, resource_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- What stands: what runs told, and of what came since what the newest survey tells.
--   A row of a run stands from its seal on, until a later run touches the resource or the
--   survey has derived it again.
--   A row of the survey stands while it is of a month that is not sealed. One of a month
--   that was sealed then, until a run after the survey touches the resource; those of
--   months that were sealed since are told by the runs that did.
CREATE VIEW IF NOT EXISTS anomalies{{.OnCluster}}
(
    account_id  String COMMENT 'who would have paid',
    resource_id String COMMENT 'the event''s subject',
    month       String COMMENT 'the billing month of the event''s time, as 2026-10',
    time        DateTime64(3, 'UTC') COMMENT 'the event''s own time',
    reason      String COMMENT 'why it bills nothing: unknown_resource, duplicate_create, after_delete, no_effect, too_late, unmatched_usage or no_term',
    type        String COMMENT 'of the event, as usage.recorded',
    source      String COMMENT 'with id the identity of the event',
    id          String COMMENT 'with source the identity of the event',
    item        String COMMENT 'of usage: the item, else empty',
    value       Decimal(76, 9) COMMENT 'of usage: the value that is billed nowhere, else 0',
    log         Int32 COMMENT 'where the event lies: the log of the topic, 0 for the first',
    topic       String COMMENT 'where the event lies',
    partition   Int32 COMMENT 'where the event lies',
    offset      Int64 COMMENT 'where the event lies',
    run         Int64 COMMENT 'the run that told it at its seal; 0: the newest survey did'
)
AS
WITH
    sealed AS
    (
        SELECT run, parked_accounts FROM seals FINAL ORDER BY run, length(parked_accounts), sealed_at DESC LIMIT 1 BY run
    ),
    parked AS (SELECT run, arrayJoin(parked_accounts) AS account FROM sealed),
    touched AS
    (
        SELECT account_id AS account, resource_id AS resource, max(run) AS touched_by
        FROM touched_resources
        WHERE run IN (SELECT run FROM sealed) AND (run, account_id) NOT IN (SELECT run, account FROM parked)
        GROUP BY account, resource
    ),
    (
        SELECT argMax((run, left_out), (run, -toInt64(length(left_out))))
        FROM told_runs
        WHERE since AND run IN (SELECT run FROM sealed)
    ) AS told_since,
    (SELECT max(month) FROM seals) AS sealed_to,
    (SELECT argMax((survey, run, month, left_out), (run, messages, -toInt64(length(left_out)), noted_at)) FROM surveys) AS newest
SELECT
    account_id, resource_id, month, time, reason, type, source, id, item, value, log, topic, partition, offset, run
FROM run_anomalies AS a FINAL
LEFT JOIN touched ON a.account_id = touched.account AND a.resource_id = touched.resource
WHERE run >= touched_by AND run >= told_since.1 AND NOT (run = told_since.1 AND has(told_since.2, account_id))
    AND run IN (SELECT run FROM told_runs) AND run IN (SELECT run FROM sealed) AND (run, account_id) NOT IN (SELECT run, account FROM parked)
    AND (
        run > newest.2 OR has(newest.4, account_id)
        OR (account_id, resource_id) NOT IN (SELECT account_id, resource_id FROM survey_resources WHERE survey = newest.1)
    )
UNION ALL
SELECT
    account_id, resource_id, month, time, reason, type, source, id, item, value, log, topic, partition, offset, 0 AS run
FROM survey_anomalies AS a FINAL
LEFT JOIN touched ON a.account_id = touched.account AND a.resource_id = touched.resource
WHERE survey = newest.1 AND NOT has(newest.4, account_id)
    AND (month > sealed_to OR month <= newest.3 AND touched_by <= newest.2)
COMMENT 'Events that bill nothing, each with its reason: what stands of what seals told, and what the newest survey tells of all that came since';
