CREATE TABLE IF NOT EXISTS {database}.alert_repeats
(
    at DateTime64(3, 'UTC') COMMENT 'When the log took the last of them' CODEC(Delta, ZSTD(1)),
    first_at DateTime64(3, 'UTC') COMMENT 'When the log took the first of them' CODEC(Delta, ZSTD(1)),
    log_partition UInt16 COMMENT 'Partition of the alerts log',
    log_position UInt64 COMMENT 'Position of the last of them in that partition' CODEC(Delta, ZSTD(1)),
    fingerprint_bytes FixedString(16) COMMENT 'Identity of the alert' CODEC(ZSTD(1)),
    fingerprint String ALIAS lower(hex(fingerprint_bytes)) COMMENT 'The same as in alerts',
    repeats UInt64 COMMENT 'How many statements this row stands for, at least 1' CODEC(ZSTD(1)),
    origin_source LowCardinality(String) COMMENT 'Source and topic they were read from; empty when the source has no positions',
    origin_partition UInt32 COMMENT 'Partition of that topic',
    origin_offset UInt64 COMMENT 'Offset of the last message in that partition' CODEC(Delta, ZSTD(1)),
    origin_ordinal UInt32 COMMENT 'Place within that message, from 0'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, log_partition, log_position)
SETTINGS non_replicated_deduplication_window = 20000
COMMENT 'Statements that said nothing new of an alert in alerts, counted over short times';

CREATE VIEW IF NOT EXISTS {database}.alert_statements
(
    at DateTime64(3, 'UTC') COMMENT 'When the log took it, or the last of them',
    fingerprint String COMMENT 'Identity of the alert',
    statements UInt64 COMMENT 'How many statements the row stands for'
) AS
SELECT at, fingerprint, repeats AS statements FROM {database}.alerts
UNION ALL
SELECT at, fingerprint, repeats AS statements FROM {database}.alert_repeats
COMMENT 'Every statement about every alert: rows of alerts and of alert_repeats';

ALTER TABLE {database}.incident_changes
    COMMENT COLUMN IF EXISTS change 'The change as JSON, with the incident as it was then; its members are in memberships';

ALTER TABLE {database}.alerts
    MODIFY COLUMN IF EXISTS labels Map(String, String) COMMENT 'All labels, e.g. labels[\'alertname\']' CODEC(ZSTD(1)),
    MODIFY COLUMN IF EXISTS annotations Map(String, String) COMMENT 'Text for people, e.g. annotations[\'summary\']' CODEC(ZSTD(1));

ALTER TABLE {database}.memberships
    MODIFY COLUMN IF EXISTS labels Map(String, String) COMMENT 'Labels of the alert' CODEC(ZSTD(1));
