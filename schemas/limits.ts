/**
 * Every bound of the system in one place. Reaching a bound is always visible: a reject with its reason,
 * a metric, or a count ("and 3 112 more"); nothing grows without one.
 */
export const LIMITS = {
  /** Labels (and, separately, annotations) of one alert. */
  labels_per_alert: 64,
  label_name_chars: 256,
  label_value_chars: 4_096,
  annotation_value_chars: 16_384,
  generator_url_chars: 2_048,
  /** One alert as JSON; a larger one goes to dead letters. */
  alert_bytes: 65_536,
  /** One HTTP request body, checked before parsing. */
  http_body_bytes: 16_777_216,
  alerts_per_request: 50_000,
  /** One log entry, well below Kafka's default of 1 MiB. */
  alerts_per_entry: 1_000,
  /** Repeats in one log entry, 32 bytes each. */
  repeats_per_entry: 8_000,
  /** An alert that is told again and again is told in full at least this often; in between it may be told as a repeat. */
  repeat_reference_ms: 900_000,
  /** An alert that ended is remembered at least this long: well beyond what a repeat may refer to, whatever clocks and delays add. */
  ended_alert_kept_ms: 1_800_000,
  /** Statements that ingest recognises as repeats, and their size; beyond it they are read in full. */
  recognised_statements: 524_288,
  recognised_statement_bytes: 4_096,
  entry_bytes: 524_288,
  /** Readings in one message or request, and in one log entry. */
  samples_per_message: 500_000,
  samples_per_entry: 10_000,
  /** Different series in one log entry. */
  series_per_entry: 4_000,
  /** Names and values of the labels of one series together. */
  series_chars: 16_384,
  /** A reading may be this far ahead of our clock: a series takes nothing older than its newest reading. */
  sample_ahead_ms: 600_000,
  /** Readings that wait for the log at most; beyond that senders are asked to come again. */
  samples_waiting: 500_000,
  /** Refused things of one message of samples that get a dead letter of their own; the rest is one letter with their number. */
  sample_letters_per_message: 100,
  scope_chars: 256,
  source_chars: 128,
  id_chars: 128,
  /** Alerts that fire at once in one partition; further ones are left out of incidents, counted and logged. */
  active_alerts_per_partition: 250_000,
  /** Beyond this many, new alerts of a scope join its one overflow incident. */
  unresolved_incidents_per_partition: 20_000,
  /** Members listed in a summary; the rest is counted, and all memberships are in the history. The summary goes with every change and every commit. */
  members_listed_per_incident: 25,
  /** Members, by arrival, that the ranking of causes looks at. */
  members_ranked_per_incident: 1_000,
  /** Memberships told in one change; more are told by further changes. */
  memberships_per_change: 200,
  timeline_entries_per_incident: 100,
  tickets_per_incident: 16,
  silences_per_partition: 10_000,
  matchers_per_silence: 32,
  maintenance_windows_per_partition: 1_000,
  shelved_alerts_per_partition: 10_000,
  suppression_rules: 100,
  grouping_rules: 200,
  group_by_labels: 32,
  /** Edges of one source of the topology. */
  topology_edges: 200_000,
  pairs_per_rule: 50,
  /** Alerts of one group that wait for more before an incident is opened. */
  waiting_alerts_per_group: 1_000,
  /** Kinds of partners, by rule and values, of which pair rules remember that one came; further alerts find no partner. */
  sightings_per_partition: 50_000,
  /** Declarations in the rules; signs of life that are expected in one partition, beyond which further ones are not. */
  heartbeats: 100,
  heartbeats_per_partition: 1_000,
  rule_tests: 500,
  alerts_per_rule_test: 200,
  /** Edges of the topology in one log entry. */
  topology_edges_per_entry: 1_000,
  /** Relations of one entity; with more it is a hub, and being related through it tells nothing. */
  relations_per_entity: 40,
  /** Kinds of alerts by class of entity that a storm incident counts; the rest is one number. */
  storm_counters: 50,
  /** What operators said about pairs of kinds in one scope; the oldest is forgotten. */
  links_per_scope: 500,
  alerts_per_move: 500,
  /** Deployments and other changes that are remembered as suspects in one scope; the oldest is forgotten. */
  change_events_per_scope: 100,
  change_event_scopes_per_partition: 1_000,
  change_event_chars: 500,
  /** Entities with relations in one partition; further ones are not learned from labels. */
  related_entities_per_partition: 200_000,
  /** Scopes whose usual pace is known in one partition; in further ones every pace counts as unusual. */
  paced_scopes_per_partition: 10_000,
  /** Learned pairs and chronic alerts in the rules, and the length of the names in them: all of them fit into one log entry. */
  learned_pairs: 500,
  chronic_alerts: 500,
  learned_name_chars: 128,
  detector_rules: 500,
  /** Series that detectors watch in one partition of the samples log; further ones are counted and not watched. */
  series_per_partition: 100_000,
  series_per_device: 10_000,
  /** Points of the plot that an alert of a detector keeps. */
  evidence_points: 200,
  /** Plots of alerts that are over, in one partition; the oldest goes. */
  evidence_kept_per_partition: 2_000,
  commands_remembered_per_partition: 10_000,
  comment_chars: 4_096,
  /** A look-up table, and its file. */
  table_rows: 100_000,
  table_bytes: 16_777_216,
  /** Of one birth or data message of Sparkplug. */
  sparkplug_metrics_per_message: 10_000,
  /** Metrics whose definitions are kept for one source partition; births beyond it are rejected. */
  sparkplug_metrics: 500_000,
  sparkplug_nodes: 10_000,
  sparkplug_devices_per_node: 1_000,
  dead_letter_payload_bytes: 16_384,
  /** A message of which something was rejected is kept, once, up to this size, so that it can be read again. */
  dead_letter_message_bytes: 262_144,
  /** One dead letter in the log. */
  dead_letter_bytes: 524_288,
  /** The newest ones, which are listed and can be retried. */
  dead_letters_read: 10_000,
  /** A time further away than this from the epoch is a mistake in units: years 1970 to 2200. */
  time_ms_max: 7_258_118_400_000,
} as const
