ALTER TABLE {database}.incidents
    ADD COLUMN IF NOT EXISTS labels Map(String, String) COMMENT 'Labels of its root alert: the first about its likeliest cause, else its first' CODEC(ZSTD(1)) AFTER tickets,
    ADD COLUMN IF NOT EXISTS entity String COMMENT 'What the root alert is about' CODEC(ZSTD(1)) AFTER labels,
    ADD COLUMN IF NOT EXISTS root_fingerprint String COMMENT 'The root alert: equal in incidents that recur; empty: unknown' CODEC(ZSTD(1)) AFTER entity,
    ADD COLUMN IF NOT EXISTS impact_start_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When users began to suffer, as somebody recorded it; NULL: not recorded' AFTER root_fingerprint,
    ADD COLUMN IF NOT EXISTS detected_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was first noticed, as somebody recorded it; NULL: by opening it' AFTER impact_start_at,
    ADD COLUMN IF NOT EXISTS impact_end_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When users stopped to suffer, as somebody recorded it; NULL: not recorded' AFTER detected_at,
    ADD COLUMN IF NOT EXISTS satisfaction Nullable(UInt8) COMMENT 'How content its reporter was, 1 to 5; NULL: not asked' AFTER impact_end_at,
    ADD COLUMN IF NOT EXISTS imported_from LowCardinality(String) COMMENT 'System that it was imported from; empty: it is our own' AFTER satisfaction;

ALTER TABLE {database}.incident_changes
    ADD COLUMN IF NOT EXISTS assignee String DEFAULT JSONExtractString(change, 'incident', 'assignee') COMMENT 'Who had the incident after the change; empty: nobody' CODEC(ZSTD(1)) AFTER change;

CREATE TABLE IF NOT EXISTS {database}.clock_legs
(
    incident_id String COMMENT 'The incident' CODEC(ZSTD(1)),
    clock LowCardinality(String) COMMENT 'response, resolve, review, or support for the time in a support line',
    leg UInt16 COMMENT 'Number of the leg in that clock, from 1',
    state LowCardinality(String) COMMENT 'running or paused',
    line LowCardinality(String) COMMENT 'Support line that had the incident; empty: not told',
    began_at DateTime64(3, 'UTC') COMMENT 'Begin of the leg; legs of a clock do not overlap',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'End of the leg, not in it; NULL: it goes on',
    reason String COMMENT 'Why it was paused' CODEC(ZSTD(1)),
    policy_version LowCardinality(String) COMMENT 'Version of the policy that set the target; empty: not told',
    calendar_version LowCardinality(String) COMMENT 'Version of the calendar that counted; empty: around the clock',
    revision UInt32 COMMENT 'The newest holds: read with FINAL',
    scope LowCardinality(String) COMMENT 'Scope of the incident',
    log_partition UInt16 COMMENT 'Partition of the incidents log; 0 when it was imported',
    log_position UInt64 COMMENT 'Position in that partition; 0 when it was imported'
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(began_at)
ORDER BY (incident_id, clock, leg)
SETTINGS non_replicated_deduplication_window = 20000
COMMENT 'Each leg of each clock of an incident, running or paused; read with FINAL';

CREATE TABLE IF NOT EXISTS {database}.change_events
(
    at DateTime64(3, 'UTC') COMMENT 'When it was done' CODEC(Delta, ZSTD(1)),
    id String COMMENT 'Id of the command that told it' CODEC(ZSTD(1)),
    scope LowCardinality(String) COMMENT 'Scope; empty: it concerns all',
    entity String COMMENT 'What was changed, as alerts name it' CODEC(ZSTD(1)),
    text String COMMENT 'What was done, as a sentence' CODEC(ZSTD(1)),
    actor LowCardinality(String) COMMENT 'Who told it',
    log_partition UInt16 COMMENT 'Partition of the alerts log that told it',
    log_position UInt64 COMMENT 'Position in that partition' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, id)
SETTINGS non_replicated_deduplication_window = 20000
COMMENT 'Deployments and other changes; what concerns every partition is told by each, so read it with FINAL';

CREATE OR REPLACE VIEW {database}.incident_facts
(
    id String COMMENT 'The incident',
    scope LowCardinality(String) COMMENT 'Tenant, site or cluster',
    state LowCardinality(String) COMMENT 'open, acknowledged, mitigated, resolved, reviewed or merged',
    severity LowCardinality(String) COMMENT 'critical, high, medium, low or info',
    title String COMMENT 'Title',
    rule LowCardinality(String) COMMENT 'Grouping rule that opened it',
    suppressed Bool COMMENT 'Every alert is silenced',
    entity String COMMENT 'What the root alert is about',
    service String COMMENT 'Label service, app or job of the root alert; empty: none',
    team String COMMENT 'Label team or owner of the root alert; empty: none',
    site String COMMENT 'Label site, plant or location of the root alert; empty: none',
    line String COMMENT 'Label line or production_line of the root alert; empty: none',
    labels Map(String, String) COMMENT 'Labels of the root alert',
    root_fingerprint String COMMENT 'The root alert; empty: unknown',
    assignee String COMMENT 'Empty: nobody',
    first_event_at DateTime64(3, 'UTC') COMMENT 'Start of the earliest alert',
    impact_start_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When users began to suffer; NULL: not recorded',
    detected_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was first noticed; NULL: by opening it',
    opened_at DateTime64(3, 'UTC') COMMENT 'When it was opened',
    acknowledged_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First acknowledgement by a person; NULL: never',
    mitigated_at Nullable(DateTime64(3, 'UTC')) COMMENT 'NULL: not (again, after a reopening)',
    resolved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last resolution; NULL while it is open',
    reviewed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'NULL: not reviewed',
    impact_end_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When users stopped to suffer; NULL: not recorded',
    reopened UInt32 COMMENT 'How often it was opened again',
    merged_into String COMMENT 'The incident that took its alerts; empty: not merged',
    members_total UInt32 COMMENT 'Alerts in it',
    satisfaction Nullable(UInt8) COMMENT 'How content its reporter was, 1 to 5; NULL: not asked',
    imported_from LowCardinality(String) COMMENT 'System that it was imported from; empty: it is our own'
) AS
SELECT id, scope, state, severity, title, rule, suppressed, entity,
       coalesce(nullIf(labels['service'], ''), nullIf(labels['app'], ''), labels['job']) AS service,
       coalesce(nullIf(labels['team'], ''), labels['owner']) AS team,
       coalesce(nullIf(labels['site'], ''), nullIf(labels['plant'], ''), labels['location']) AS site,
       coalesce(nullIf(labels['line'], ''), labels['production_line']) AS line,
       labels, root_fingerprint, assignee, first_event_at, impact_start_at, detected_at, opened_at, acknowledged_at, mitigated_at,
       resolved_at, reviewed_at, impact_end_at, reopened, merged_into, members_total, satisfaction, imported_from
FROM {database}.incidents FINAL
COMMENT 'Each incident as it is now, with what it can be counted by; no FINAL is needed';

CREATE OR REPLACE VIEW {database}.alert_memberships
(
    incident_id String COMMENT 'The incident',
    fingerprint String COMMENT 'The alert',
    alertname String COMMENT 'Its label alertname',
    entity String COMMENT 'What it is about',
    scope LowCardinality(String) COMMENT 'Scope of the incident',
    severity LowCardinality(String) COMMENT 'Severity of the alert',
    labels Map(String, String) COMMENT 'Labels of the alert',
    starts_at DateTime64(3, 'UTC') COMMENT 'Start of the alert',
    joined_at DateTime64(3, 'UTC') COMMENT 'When it came into the incident',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it stopped; NULL while it fires',
    silenced_by Array(String) COMMENT 'What muted it',
    reason_code LowCardinality(String) COMMENT 'Why it belongs there, as a code',
    reason_rule LowCardinality(String) COMMENT 'The grouping rule that decided',
    reason_text String COMMENT 'Why it belongs there, as a sentence'
) AS
SELECT incident_id, fingerprint, labels['alertname'] AS alertname, entity, scope, severity, labels, starts_at, joined_at, ended_at,
       silenced_by, reason_code, reason_rule, reason_text
FROM {database}.memberships FINAL
COMMENT 'Which alerts were in which incident, when and why; no FINAL is needed';

CREATE OR REPLACE VIEW {database}.operator_actions
(
    at DateTime64(3, 'UTC') COMMENT 'When it was done',
    incident_id String COMMENT 'The incident',
    scope LowCardinality(String) COMMENT 'Scope of the incident',
    actor LowCardinality(String) COMMENT 'Who did it: a person or a ticket system',
    kind LowCardinality(String) COMMENT 'What was done: acknowledged, assigned, resolved, commented, …',
    text String COMMENT 'The same as a sentence',
    command_id String COMMENT 'The command that asked for it'
) AS
SELECT at, incident_id, scope, actor, kind, reason_text AS text, command_id
FROM {database}.incident_changes FINAL WHERE command_id != ''
COMMENT 'What people and ticket systems did to incidents';

CREATE OR REPLACE VIEW {database}.deliveries
(
    at DateTime64(3, 'UTC') COMMENT 'When the ticket was known',
    incident_id String COMMENT 'The incident',
    scope LowCardinality(String) COMMENT 'Scope of the incident',
    actor LowCardinality(String) COMMENT 'Who told: the sink or a person',
    tickets String COMMENT 'The tickets of the incident from then on, as JSON'
) AS
SELECT at, incident_id, scope, actor, JSONExtractRaw(change, 'incident', 'tickets') AS tickets
FROM {database}.incident_changes FINAL WHERE kind = 'ticket-linked'
COMMENT 'Tickets that incidents got';

CREATE OR REPLACE VIEW {database}.rejects
(
    at DateTime64(3, 'UTC') COMMENT 'When it was refused',
    source LowCardinality(String) COMMENT 'Who sent it',
    origin String COMMENT 'Where it came from',
    code LowCardinality(String) COMMENT 'Why, as a code',
    reason String COMMENT 'Why, as a sentence',
    payload String COMMENT 'What was sent, cut to a bound'
) AS
SELECT at, source, origin, code, reason, payload FROM {database}.dead_letters FINAL
COMMENT 'What could not be read, each once; no FINAL is needed';

CREATE OR REPLACE VIEW {database}.clocks
(
    incident_id String COMMENT 'The incident',
    clock LowCardinality(String) COMMENT 'response, resolve, review or support',
    leg UInt16 COMMENT 'Number of the leg',
    state LowCardinality(String) COMMENT 'running or paused',
    line LowCardinality(String) COMMENT 'Support line; empty: not told',
    began_at DateTime64(3, 'UTC') COMMENT 'Begin of the leg',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'End of the leg; NULL: it goes on',
    reason String COMMENT 'Why it was paused'
) AS
SELECT incident_id, clock, leg, state, line, began_at, ended_at, reason FROM {database}.clock_legs FINAL
COMMENT 'Each leg of each clock; no FINAL is needed'
