import { AS_OF } from './pieces.ts'
import type { DurationMetric } from './metric.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

const CENSORED =
  'What is still open is censored at the time of asking: leaving it out would make everything look faster than it is.'
const MERGED = 'Incidents that were merged into others are left out; their alerts went to another.'

const step = (event: string) => `
  SELECT id, grouped, at, severity, opened_at AS begin_at, ${event}_by AS event_at, resolved_by AS closed_at`

/** From the first event, or the recorded start of the impact, until somebody or something noticed. */
const timeToDetect: DurationMetric = {
  name: 'time_to_detect',
  kind: 'duration',
  about: 'incidents',
  title: { en: 'Time to detect', zh: '检测时间（TTD）' },
  definition: {
    en: 'Detected − start of the impact. Not recorded: opened − start of the earliest alert.',
    zh: '检测时刻 − 影响开始时刻；未记录时为：事件创建时刻 − 最早告警的开始时刻。',
  },
  unit: 'ms',
  better: 'less',
  traps: [
    'The start of an alert is what its sender says; rules that wait before they fire hide their wait.',
    MERGED,
  ],
  within_ms: 5 * MINUTE_MS,
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, severity, coalesce(impact_start_at, first_event_at) AS begin_at,
           coalesce(detected_at, opened_at) AS event_at, NULL::Nullable(DateTime64(3, 'UTC')) AS closed_at FROM (${incidents})`,
}

const detectionLatency: DurationMetric = {
  name: 'detection_latency',
  kind: 'duration',
  about: 'incidents',
  title: { en: 'Detection latency', zh: '检测延迟' },
  definition: { en: 'Opened − start of the earliest alert.', zh: '事件创建时刻 − 最早告警的开始时刻。' },
  unit: 'ms',
  better: 'less',
  traps: ['A source that does not say when its alert began is taken to begin when it is heard.', MERGED],
  within_ms: MINUTE_MS,
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, severity, first_event_at AS begin_at, opened_at::Nullable(DateTime64(3, 'UTC')) AS event_at,
           NULL::Nullable(DateTime64(3, 'UTC')) AS closed_at FROM (${incidents})`,
}

const timeToAcknowledge: DurationMetric = {
  name: 'time_to_acknowledge',
  kind: 'duration',
  about: 'incidents',
  title: { en: 'Time to acknowledge', zh: '响应时间（TTA）' },
  definition: {
    en: 'First acknowledgement by a person − opened.',
    zh: '首次人工确认时刻 − 事件创建时刻。',
  },
  unit: 'ms',
  better: 'less',
  traps: [
    'Assigning, escalating and resolving imply no acknowledgement.',
    'An incident that resolved unacknowledged is censored at its resolution; see never_acknowledged beside it.',
    CENSORED,
    MERGED,
  ],
  within_ms: 15 * MINUTE_MS,
  subjects: ({ incidents }) => `${step('acknowledged')} FROM (${incidents})`,
}

const timeToMitigate: DurationMetric = {
  name: 'time_to_mitigate',
  kind: 'duration',
  about: 'incidents',
  title: { en: 'Time to mitigate', zh: '缓解时间（TTM）' },
  definition: { en: 'Mitigated − opened.', zh: '缓解时刻 − 事件创建时刻。' },
  unit: 'ms',
  better: 'less',
  traps: [
    'Only incidents that somebody marked as mitigated have the event; the others are censored at their resolution.',
    'A reopening takes the mitigation back.',
    CENSORED,
    MERGED,
  ],
  within_ms: HOUR_MS,
  subjects: ({ incidents }) => `${step('mitigated')} FROM (${incidents})`,
}

const timeToResolve: DurationMetric = {
  name: 'time_to_resolve',
  kind: 'duration',
  about: 'incidents',
  title: { en: 'Time to resolve', zh: '解决时间（首次打开至最后解决）' },
  definition: { en: 'Last resolution − first opening.', zh: '最后一次解决时刻 − 首次创建时刻。' },
  unit: 'ms',
  better: 'less',
  traps: [
    'Of a reopened incident the quiet time between is part of it; active_time leaves it out.',
    CENSORED,
    MERGED,
  ],
  within_ms: 2 * HOUR_MS,
  subjects: ({ incidents }) => `${step('resolved')} FROM (${incidents})`,
}

/** Resolutions less openings: every opening but one that goes on has its resolution. */
const activeTime: DurationMetric = {
  name: 'active_time',
  kind: 'duration',
  about: 'incidents',
  title: { en: 'Active time', zh: '实际处理时长（各次打开时段之和）' },
  definition: {
    en: 'Sum of the intervals in which the incident was open, until its last resolution.',
    zh: '截至最后一次解决，事件处于打开状态的各时段之和。',
  },
  unit: 'ms',
  better: 'less',
  traps: [
    'Told as if it had begun at the opening and gone on without a break, so business hours are those of that stretch.',
    CENSORED,
    MERGED,
  ],
  within_ms: 2 * HOUR_MS,
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, severity, begin_at, if(is_open, NULL, stopped_at) AS event_at, if(is_open, stopped_at, NULL) AS closed_at
    FROM (
      SELECT id, grouped, at, severity, opened_at AS begin_at, isNull(resolved_by) AS is_open,
             subtractMilliseconds(coalesce(resolved_by, ${AS_OF}), quiet_ms) AS stopped_at
      FROM (${incidents}) AS incident
      LEFT JOIN (
        SELECT incident_id, sum(if(kind = 'reopened', 1, -1) * toUnixTimestamp64Milli(at)) AS turns_ms,
               countIf(kind = 'reopened') AS reopenings, countIf(kind = 'resolved') AS resolutions,
               maxIf(toUnixTimestamp64Milli(at), kind = 'resolved') AS last_ms,
               turns_ms + if(resolutions > reopenings, last_ms, 0) AS quiet_ms
        FROM incident_changes FINAL
        WHERE kind IN ('resolved', 'reopened') AND at <= ${AS_OF} AND incident_id IN (SELECT id FROM (${incidents}) WHERE reopened > 0)
        GROUP BY incident_id
      ) AS turns ON turns.incident_id = incident.id
    )`,
}

const timeToReview: DurationMetric = {
  name: 'time_to_review',
  kind: 'duration',
  about: 'incidents',
  title: { en: 'Time to review', zh: '复盘时间' },
  definition: {
    en: 'Reviewed − last resolution, of incidents that resolved.',
    zh: '复盘时刻 − 最后一次解决时刻（仅已解决事件）。',
  },
  unit: 'ms',
  better: 'less',
  traps: ['What was not reviewed yet is censored at the time of asking.', MERGED],
  within_ms: 24 * HOUR_MS,
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, severity, resolved_by AS begin_at, reviewed_by AS event_at,
           NULL::Nullable(DateTime64(3, 'UTC')) AS closed_at FROM (${incidents}) WHERE isNotNull(resolved_by)`,
}

const repairTime: DurationMetric = {
  name: 'repair_time',
  kind: 'duration',
  about: 'incidents',
  title: { en: 'Repair time', zh: '修复时间' },
  definition: {
    en: 'End of the impact − detected. Not recorded: last resolution − opened.',
    zh: '影响结束时刻 − 检测时刻；未记录时为：最后一次解决时刻 − 事件创建时刻。',
  },
  unit: 'ms',
  better: 'less',
  traps: ['Where neither end is recorded it equals time_to_resolve.', CENSORED, MERGED],
  within_ms: 2 * HOUR_MS,
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, severity, coalesce(detected_at, opened_at) AS begin_at, coalesce(impact_end_at, resolved_by) AS event_at,
           NULL::Nullable(DateTime64(3, 'UTC')) AS closed_at FROM (${incidents})`,
}

const recoveryTime: DurationMetric = {
  name: 'recovery_time',
  kind: 'duration',
  about: 'incidents',
  title: { en: 'Recovery time', zh: '恢复时间' },
  definition: {
    en: 'End of the impact − its start, of incidents whose start of impact was recorded.',
    zh: '影响结束时刻 − 影响开始时刻（仅已记录影响开始的事件）。',
  },
  unit: 'ms',
  better: 'less',
  traps: ['Only imported incidents have a recorded impact so far.', CENSORED, MERGED],
  within_ms: 2 * HOUR_MS,
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, severity, impact_start_at AS begin_at, impact_end_at AS event_at,
           NULL::Nullable(DateTime64(3, 'UTC')) AS closed_at FROM (${incidents}) WHERE isNotNull(impact_start_at)`,
}

const alarmDuration: DurationMetric = {
  name: 'alarm_duration',
  kind: 'duration',
  about: 'alarms',
  title: { en: 'Time that an alarm stands', zh: '告警持续时间' },
  definition: { en: 'Return to normal − activation.', zh: '告警恢复时刻 − 告警激活时刻。' },
  unit: 'ms',
  better: 'less',
  traps: ['An alarm that flaps counts as standing until it is steady.', CENSORED],
  within_ms: 10 * MINUTE_MS,
  subjects: ({ alarms }) => `
    SELECT fingerprint AS id, grouped, at, severity, at AS begin_at, if(ended_at <= ${AS_OF}, ended_at, NULL) AS event_at,
           NULL::Nullable(DateTime64(3, 'UTC')) AS closed_at FROM (${alarms})`,
}

export const DURATIONS: readonly DurationMetric[] = [
  timeToDetect,
  detectionLatency,
  timeToAcknowledge,
  timeToMitigate,
  timeToResolve,
  activeTime,
  timeToReview,
  repairTime,
  recoveryTime,
  alarmDuration,
]
