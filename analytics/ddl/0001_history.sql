CREATE TABLE IF NOT EXISTS {database}.alerts
(
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Time of the record: when the log took the alert',
    log_partition UInt16 COMMENT 'Partition of the alerts log',
    log_position UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Position in that partition',
    ordinal UInt32 CODEC(Delta, ZSTD(1)) COMMENT 'Place within the log entry, from 0',
    scope LowCardinality(String) COMMENT 'Tenant, site or cluster within which alerts are grouped',
    fingerprint String CODEC(ZSTD(1)) COMMENT 'Identity of the alert: hash of scope and identifying labels',
    severity LowCardinality(String) COMMENT 'critical, high, medium, low or info',
    entity String CODEC(ZSTD(1)) COMMENT 'What the alert is about: service, host, pod, machine, cell',
    source LowCardinality(String) COMMENT 'Who sent it',
    labels Map(LowCardinality(String), String) CODEC(ZSTD(1)) COMMENT 'All labels, e.g. labels[''alertname'']',
    annotations Map(LowCardinality(String), String) CODEC(ZSTD(1)) COMMENT 'Text for people, e.g. annotations[''summary'']',
    generator_url String CODEC(ZSTD(1)) COMMENT 'Where the sender shows the alert',
    starts_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Start of the condition, as the sender says',
    ends_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)) COMMENT 'End of the condition, as the sender says; resolved when it is not after at; NULL: left to the resolve timeout',
    repeats UInt64 CODEC(ZSTD(1)) COMMENT 'How many identical statements this row stands for, at least 1',
    origin_source LowCardinality(String) COMMENT 'Source and topic it was read from; empty when the source has no positions',
    origin_partition UInt32 COMMENT 'Partition of that topic',
    origin_offset UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Offset of the message in that partition',
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
    id String CODEC(ZSTD(1)) COMMENT 'incident_id and revision; equal ids carry equal content',
    incident_id String CODEC(ZSTD(1)) COMMENT 'The incident',
    revision UInt32 COMMENT 'Raised by every change of the incident, from 1',
    kind LowCardinality(String) COMMENT 'What happened: opened, grown, acknowledged, resolved, …',
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened',
    actor LowCardinality(String) COMMENT 'Who did it: a person, a ticket system, or the system itself',
    command_id String COMMENT 'The command that caused it; empty when none did',
    reason_code LowCardinality(String) COMMENT 'Why, as a code',
    reason_rule LowCardinality(String) COMMENT 'The grouping rule behind it',
    reason_rules_version LowCardinality(String) COMMENT 'Version of the rules in force',
    reason_text String CODEC(ZSTD(1)) COMMENT 'Why, as a sentence',
    scope LowCardinality(String) COMMENT 'Scope of the incident',
    state LowCardinality(String) COMMENT 'State of the incident after the change',
    severity LowCardinality(String) COMMENT 'Severity of the incident after the change',
    title String CODEC(ZSTD(1)) COMMENT 'Title of the incident after the change',
    members_total UInt32 COMMENT 'Alerts in the incident after the change',
    members_firing UInt32 COMMENT 'Of them, how many fire',
    change String CODEC(ZSTD(3)) COMMENT 'The whole change as JSON, with the incident as it was then',
    log_partition UInt16 COMMENT 'Partition of the incidents log',
    log_position UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Position in that partition'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (incident_id, revision)
SETTINGS non_replicated_deduplication_window = 20000
COMMENT 'One row for each change of an incident; rows are never altered';

CREATE TABLE IF NOT EXISTS {database}.incidents
(
    id String CODEC(ZSTD(1)) COMMENT 'The incident',
    revision UInt32 COMMENT 'The newest revision of an id holds: read with FINAL',
    scope LowCardinality(String) COMMENT 'Tenant, site or cluster',
    state LowCardinality(String) COMMENT 'open, acknowledged, mitigated, resolved, reviewed or merged',
    severity LowCardinality(String) COMMENT 'critical, high, medium, low or info',
    title String CODEC(ZSTD(1)) COMMENT 'Title',
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
    incident_id String CODEC(ZSTD(1)) COMMENT 'The incident',
    fingerprint String CODEC(ZSTD(1)) COMMENT 'The alert',
    joined_at DateTime64(3, 'UTC') COMMENT 'When the alert came into the incident',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the alert stopped; NULL while it fires',
    starts_at DateTime64(3, 'UTC') COMMENT 'Start of the alert',
    scope LowCardinality(String) COMMENT 'Scope of the incident',
    entity String CODEC(ZSTD(1)) COMMENT 'What the alert is about',
    severity LowCardinality(String) COMMENT 'Severity of the alert',
    labels Map(LowCardinality(String), String) CODEC(ZSTD(1)) COMMENT 'Labels of the alert',
    silenced_by Array(String) COMMENT 'Silences that muted it',
    reason_code LowCardinality(String) COMMENT 'Why it belongs here, as a code',
    reason_text String CODEC(ZSTD(1)) COMMENT 'Why it belongs here, as a sentence',
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
    origin String CODEC(ZSTD(1)) COMMENT 'Where it came from, e.g. kafka:plant-alerts/3@1207#4',
    code LowCardinality(String) COMMENT 'Why it was refused, as a code',
    reason String CODEC(ZSTD(1)) COMMENT 'Why it was refused, as a sentence',
    payload String CODEC(ZSTD(3)) COMMENT 'What was sent, cut to a bound',
    truncated Bool COMMENT 'The payload was cut',
    log_partition UInt16 COMMENT 'Partition of the dead-letter log',
    log_position UInt64 COMMENT 'Position in that partition'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY id
SETTINGS non_replicated_deduplication_window = 20000
COMMENT 'What could not be read, with the reason';
