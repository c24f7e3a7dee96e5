CREATE TABLE IF NOT EXISTS {database}.alerts
(
    at DateTime64(3, 'UTC') COMMENT 'Time of the record: when the log took the alert' CODEC(Delta, ZSTD(1)),
    log_partition UInt16 COMMENT 'Partition of the alerts log',
    log_position UInt64 COMMENT 'Position in that partition' CODEC(Delta, ZSTD(1)),
    ordinal UInt32 COMMENT 'Place within the log entry, from 0' CODEC(Delta, ZSTD(1)),
    scope LowCardinality(String) COMMENT 'Tenant, site or cluster within which alerts are grouped',
    fingerprint String COMMENT 'Identity of the alert: hash of scope and identifying labels' CODEC(ZSTD(1)),
    severity LowCardinality(String) COMMENT 'critical, high, medium, low or info',
    entity String COMMENT 'What the alert is about: service, host, pod, machine, cell' CODEC(ZSTD(1)),
    source LowCardinality(String) COMMENT 'Who sent it',
    labels Map(LowCardinality(String), String) COMMENT 'All labels, e.g. labels[''alertname'']' CODEC(ZSTD(1)),
    annotations Map(LowCardinality(String), String) COMMENT 'Text for people, e.g. annotations[''summary'']' CODEC(ZSTD(1)),
    generator_url String COMMENT 'Where the sender shows the alert' CODEC(ZSTD(1)),
    starts_at DateTime64(3, 'UTC') COMMENT 'Start of the condition, as the sender says' CODEC(Delta, ZSTD(1)),
    ends_at Nullable(DateTime64(3, 'UTC')) COMMENT 'End of the condition, as the sender says; resolved when it is not after at; NULL: left to the resolve timeout' CODEC(ZSTD(1)),
    repeats UInt64 COMMENT 'How many identical statements this row stands for, at least 1' CODEC(ZSTD(1)),
    origin_source LowCardinality(String) COMMENT 'Source and topic it was read from; empty when the source has no positions',
    origin_partition UInt32 COMMENT 'Partition of that topic',
    origin_offset UInt64 COMMENT 'Offset of the message in that partition' CODEC(Delta, ZSTD(1)),
    origin_ordinal UInt32 COMMENT 'Place within that message, from 0',
    INDEX fingerprint_bloom fingerprint TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, log_partition, log_position, ordinal)
SETTINGS non_replicated_deduplication_window = 20000
COMMENT 'One row for each statement about an alert, as the alerts log told it';

CREATE TABLE IF NOT EXISTS {database}.incident_changes
(
    id String COMMENT 'incident_id and revision; equal ids carry equal content' CODEC(ZSTD(1)),
    incident_id String COMMENT 'The incident' CODEC(ZSTD(1)),
    revision UInt32 COMMENT 'Raised by every change of the incident, from 1',
    kind LowCardinality(String) COMMENT 'What happened: opened, grown, acknowledged, resolved, …',
    at DateTime64(3, 'UTC') COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    actor LowCardinality(String) COMMENT 'Who did it: a person, a ticket system, or the system itself',
    command_id String COMMENT 'The command that caused it; empty when none did',
    reason_code LowCardinality(String) COMMENT 'Why, as a code',
    reason_rule LowCardinality(String) COMMENT 'The grouping rule behind it',
    reason_rules_version LowCardinality(String) COMMENT 'Version of the rules in force',
    reason_text String COMMENT 'Why, as a sentence' CODEC(ZSTD(1)),
    scope LowCardinality(String) COMMENT 'Scope of the incident',
    state LowCardinality(String) COMMENT 'State of the incident after the change',
    severity LowCardinality(String) COMMENT 'Severity of the incident after the change',
    title String COMMENT 'Title of the incident after the change' CODEC(ZSTD(1)),
    members_total UInt32 COMMENT 'Alerts in the incident after the change',
    members_firing UInt32 COMMENT 'Of them, how many fire',
    change String COMMENT 'The whole change as JSON, with the incident as it was then' CODEC(ZSTD(3)),
    log_partition UInt16 COMMENT 'Partition of the incidents log',
    log_position UInt64 COMMENT 'Position in that partition' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (incident_id, revision)
SETTINGS non_replicated_deduplication_window = 20000
COMMENT 'One row for each change of an incident; rows are never altered';

CREATE TABLE IF NOT EXISTS {database}.incidents
(
    id String COMMENT 'The incident' CODEC(ZSTD(1)),
    revision UInt32 COMMENT 'The newest revision of an id holds: read with FINAL',
    scope LowCardinality(String) COMMENT 'Tenant, site or cluster',
    state LowCardinality(String) COMMENT 'open, acknowledged, mitigated, resolved, reviewed or merged',
    severity LowCardinality(String) COMMENT 'critical, high, medium, low or info',
    title String COMMENT 'Title' CODEC(ZSTD(1)),
    group_labels Map(LowCardinality(String), String) COMMENT 'Labels and values that its alerts agree in by rule',
    rule LowCardinality(String) COMMENT 'Grouping rule that opened it',
    rules_version LowCardinality(String) COMMENT 'Version of the rules that opened it',
    suppressed Bool COMMENT 'Every alert is silenced',
    first_event_at DateTime64(3, 'UTC') COMMENT 'Start of the earliest alert',
    opened_at DateTime64(3, 'UTC') COMMENT 'When it was opened; never changes',
    acknowledged_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First acknowledgement by a person; NULL: never',
    mitigated_at Nullable(DateTime64(3, 'UTC')) COMMENT 'NULL: not (again, after a reopening)',
    resolved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last resolution; NULL while it is open',
    reviewed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'NULL: not reviewed',
    updated_at DateTime64(3, 'UTC') COMMENT 'Time of this revision',
    assignee String COMMENT 'Empty: nobody',
    merged_into String COMMENT 'The incident that took its alerts; empty: not merged',
    reopened UInt32 COMMENT 'How often it was opened again',
    members_total UInt32 COMMENT 'Alerts in it',
    members_firing UInt32 COMMENT 'Of them, how many fire',
    tickets Array(Tuple(sink String, external_id String, url String)) COMMENT 'Its tickets',
    log_partition UInt16 COMMENT 'Partition of the incidents log',
    log_position UInt64 COMMENT 'Position in that partition'
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(opened_at)
ORDER BY (opened_at, id)
SETTINGS non_replicated_deduplication_window = 20000
COMMENT 'The current summary of each incident; read with FINAL';

CREATE TABLE IF NOT EXISTS {database}.memberships
(
    incident_id String COMMENT 'The incident' CODEC(ZSTD(1)),
    fingerprint String COMMENT 'The alert' CODEC(ZSTD(1)),
    joined_at DateTime64(3, 'UTC') COMMENT 'When the alert came into the incident',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the alert stopped; NULL while it fires',
    starts_at DateTime64(3, 'UTC') COMMENT 'Start of the alert',
    scope LowCardinality(String) COMMENT 'Scope of the incident',
    entity String COMMENT 'What the alert is about' CODEC(ZSTD(1)),
    severity LowCardinality(String) COMMENT 'Severity of the alert',
    labels Map(LowCardinality(String), String) COMMENT 'Labels of the alert' CODEC(ZSTD(1)),
    silenced_by Array(String) COMMENT 'Silences that muted it',
    reason_code LowCardinality(String) COMMENT 'Why it belongs here, as a code',
    reason_text String COMMENT 'Why it belongs here, as a sentence' CODEC(ZSTD(1)),
    reason_rule LowCardinality(String) COMMENT 'The grouping rule that decided',
    reason_rules_version LowCardinality(String) COMMENT 'Version of the rules that decided',
    revision UInt32 COMMENT 'Revision of the incident that told it: the newest holds, read with FINAL',
    log_partition UInt16 COMMENT 'Partition of the incidents log',
    log_position UInt64 COMMENT 'Position in that partition'
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(joined_at)
ORDER BY (incident_id, fingerprint, joined_at)
SETTINGS non_replicated_deduplication_window = 20000
COMMENT 'Which alerts were in which incident, when and why; read with FINAL';

CREATE TABLE IF NOT EXISTS {database}.dead_letters
(
    id String COMMENT 'Derived from origin and place, or from the content',
    at DateTime64(3, 'UTC') COMMENT 'When it was refused',
    source LowCardinality(String) COMMENT 'Who sent it',
    origin String COMMENT 'Where it came from, e.g. kafka:plant-alerts/3@1207#4' CODEC(ZSTD(1)),
    code LowCardinality(String) COMMENT 'Why it was refused, as a code',
    reason String COMMENT 'Why it was refused, as a sentence' CODEC(ZSTD(1)),
    payload String COMMENT 'What was sent, cut to a bound' CODEC(ZSTD(3)),
    truncated Bool COMMENT 'The payload was cut',
    log_partition UInt16 COMMENT 'Partition of the dead-letter log',
    log_position UInt64 COMMENT 'Position in that partition'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY id
SETTINGS non_replicated_deduplication_window = 20000
COMMENT 'What could not be read, with the reason';
