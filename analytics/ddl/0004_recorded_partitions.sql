CREATE TABLE IF NOT EXISTS {database}.recorded_partitions
(
    log LowCardinality(String) COMMENT 'alerts, incidents or deadletters',
    log_partition UInt16 COMMENT 'Partition of that log',
    began_at DateTime DEFAULT now() COMMENT 'When the first owner was about to record it'
)
ENGINE = ReplacingMergeTree ORDER BY (log, log_partition)
COMMENT 'Partitions of logs of which something may have been recorded over Redis: a row comes before the first insert';

INSERT INTO {database}.recorded_partitions (log, log_partition) SELECT DISTINCT 'alerts', log_partition FROM {database}.alerts;

INSERT INTO {database}.recorded_partitions (log, log_partition) SELECT DISTINCT 'incidents', log_partition FROM {database}.incident_changes;

INSERT INTO {database}.recorded_partitions (log, log_partition) SELECT DISTINCT 'deadletters', log_partition FROM {database}.dead_letters;
