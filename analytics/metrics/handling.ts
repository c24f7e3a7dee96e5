import { AS_OF, FROM, TO } from './pieces.ts'
import type { ShareMetric } from './metric.ts'

const DAY_MS = 86_400_000
const MERGED = 'Incidents that were merged into others are left out.'

const neverAcknowledged: ShareMetric = {
  name: 'never_acknowledged',
  kind: 'share',
  about: 'incidents',
  title: { en: 'Never acknowledged', zh: '从未人工确认的比例' },
  definition: {
    en: 'Resolved incidents that no person acknowledged ÷ resolved incidents.',
    zh: '已解决但从未人工确认的事件 ÷ 已解决事件。',
  },
  unit: 'share',
  better: 'less',
  traps: ['Incidents that resolve by themselves within seconds count as well.', MERGED],
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, isNull(acknowledged_by) AS hit FROM (${incidents}) WHERE isNotNull(resolved_by)`,
}

const REOPEN_WITHIN_MS = DAY_MS

/** Every first resolution is followed for the same time; what cannot be followed so long yet is left out. */
const reopened: ShareMetric = {
  name: 'reopened',
  kind: 'share',
  about: 'incidents',
  title: { en: 'Reopened', zh: '重新打开率' },
  definition: {
    en: 'Incidents that were reopened within 24 h of their first resolution ÷ incidents that resolved. `within` sets the time.',
    zh: '首次解决后 24 小时内重新打开的事件 ÷ 已解决过的事件；可用 within 调整时限。',
  },
  unit: 'share',
  better: 'less',
  traps: [
    'Resolutions too recent to be followed for that long are left out.',
    'An alert that comes back later than rules.reopen_within_ms opens a new incident: see recurrence.',
    MERGED,
  ],
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, back_at <= first_at + {reopen_within_ms:Int64} AND back_at >= first_at AS hit
    FROM (
      SELECT id, grouped, at,
             if(reopened = 0, toUnixTimestamp64Milli(assumeNotNull(resolved_by)), turns.first_resolved_ms) AS first_at,
             if(reopened = 0, 0, turns.first_reopened_ms) AS back_at
      FROM (SELECT * FROM (${incidents}) WHERE isNotNull(resolved_by) OR reopened > 0) AS incident
      LEFT JOIN (
        SELECT incident_id, minIf(toUnixTimestamp64Milli(at), kind = 'resolved') AS first_resolved_ms,
               minIf(toUnixTimestamp64Milli(at), kind = 'reopened') AS first_reopened_ms
        FROM incident_changes FINAL
        WHERE kind IN ('resolved', 'reopened') AND at <= ${AS_OF} AND incident_id IN (SELECT id FROM (${incidents}) WHERE reopened > 0)
        GROUP BY incident_id
      ) AS turns ON turns.incident_id = incident.id
    )
    WHERE first_at > 0 AND first_at + {reopen_within_ms:Int64} <= {as_of_ms:Int64}`,
}

const RECUR_WITHIN_MS = 7 * DAY_MS

const recurrence: ShareMetric = {
  name: 'recurrence',
  kind: 'share',
  about: 'incidents',
  title: { en: 'Recurrence', zh: '问题复发率' },
  definition: {
    en: 'Resolved incidents that were followed within 7 days by an incident with the same root alert ÷ resolved incidents. `within` sets the time.',
    zh: '解决后 7 天内出现相同根因告警的事件 ÷ 已解决事件；可用 within 调整时限。',
  },
  unit: 'share',
  better: 'less',
  traps: [
    'The same root alert is the same fingerprint: a cause that shows on another entity is not found.',
    'Resolutions too recent to be followed for that long are left out.',
    MERGED,
  ],
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, next_at >= resolved_by AND next_at <= addMilliseconds(resolved_by, {recur_within_ms:Int64}) AS hit
    FROM (
      SELECT id, grouped, at, assumeNotNull(resolved_by) AS resolved_by, root_fingerprint FROM (${incidents})
      WHERE isNotNull(resolved_by) AND root_fingerprint != '' AND addMilliseconds(resolved_by, {recur_within_ms:Int64}) <= ${AS_OF}
    ) AS incident
    ASOF LEFT JOIN (
      SELECT root_fingerprint, opened_at AS next_at FROM incident_facts
      WHERE opened_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC') AND opened_at <= ${AS_OF} AND state != 'merged' AND root_fingerprint != ''
    ) AS later ON later.root_fingerprint = incident.root_fingerprint AND later.next_at >= incident.resolved_by`,
}

const flapping: ShareMetric = {
  name: 'flapping',
  kind: 'share',
  about: 'incidents',
  title: { en: 'Flapping', zh: '抖动事件比例' },
  definition: {
    en: 'Incidents with an alert that flapped (rules.flapping says what that is) ÷ incidents.',
    zh: '含抖动告警的事件 ÷ 事件总数（抖动的定义见 rules.flapping）。',
  },
  unit: 'share',
  better: 'less',
  traps: ['Counts only what the rules recognised; without them nothing flaps.', MERGED],
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, id IN (
      SELECT incident_id FROM incident_changes WHERE kind = 'flapping-started' AND at <= ${AS_OF} AND at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
    ) AS hit FROM (${incidents})`,
}

/** Who had each incident first and last, and how many had it. */
const assignees = (incidents: string) => `
  SELECT incident_id, argMin(assignee, revision) AS first_assignee, argMax(assignee, revision) AS last_assignee, uniqExact(assignee) AS people
  FROM incident_changes FINAL
  WHERE assignee != '' AND at <= ${AS_OF} AND incident_id IN (SELECT id FROM (${incidents}) WHERE assignee != '')
  GROUP BY incident_id`

const dispatchAccuracy: ShareMetric = {
  name: 'dispatch_accuracy',
  kind: 'share',
  about: 'incidents',
  title: { en: 'Dispatch accuracy', zh: '派单准确率' },
  definition: {
    en: 'Resolved incidents whose first assignee still had them at the end ÷ resolved incidents that had an assignee.',
    zh: '首次指派对象即为最终解决者的事件 ÷ 曾被指派的已解决事件。',
  },
  unit: 'share',
  better: 'more',
  traps: ['Assignees are compared as they are written: assign to teams if teams are meant.', MERGED],
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, first_assignee = last_assignee AS hit
    FROM (SELECT * FROM (${incidents}) WHERE isNotNull(resolved_by)) AS incident
    INNER JOIN (${assignees(incidents)}) AS had ON had.incident_id = incident.id`,
}

const escalated: ShareMetric = {
  name: 'escalated',
  kind: 'share',
  about: 'incidents',
  title: { en: 'Handed on', zh: '升级／转派比例' },
  definition: {
    en: 'Incidents that more than one assignee had ÷ incidents that had an assignee.',
    zh: '经手对象多于一个的事件 ÷ 曾被指派的事件。',
  },
  unit: 'share',
  better: 'less',
  traps: ['Handing on within a team counts as well when assignees are persons.', MERGED],
  subjects: ({ incidents }) => `
    SELECT id, grouped, at, people > 1 AS hit
    FROM (${incidents}) AS incident INNER JOIN (${assignees(incidents)}) AS had ON had.incident_id = incident.id`,
}

const merged: ShareMetric = {
  name: 'merged',
  kind: 'share',
  about: 'incidents',
  title: { en: 'Merged away', zh: '被合并比例' },
  definition: {
    en: 'Incidents that were merged into others ÷ incidents opened.',
    zh: '被合并到其他事件的事件 ÷ 新建事件。',
  },
  unit: 'share',
  better: 'less',
  traps: ['A high share says that grouping split what belongs together.'],
  subjects: ({ opened }) => `SELECT id, grouped, at, state = 'merged' AS hit FROM (${opened})`,
}

const CHANGE_WITHIN_MS = 3_600_000

/** In the period, and followed for long enough. */
const CHANGED_IN_PERIOD = `at >= ${FROM} AND at < ${TO} AND addMilliseconds(at, {change_within_ms:Int64}) <= ${AS_OF}`

const changeFailure: ShareMetric = {
  name: 'change_failure',
  kind: 'share',
  about: 'times',
  title: { en: 'Change failure rate', zh: '变更失败率' },
  definition: {
    en: 'Changes followed within 1 h by an incident about the same entity or service ÷ changes. Changes are told to /api/v1/change-events, or are alerts with the label event="change". `within` sets the time.',
    zh: '变更后 1 小时内同一对象或服务出现事件的变更 ÷ 变更总数；变更来自 /api/v1/change-events 或带有标签 event="change" 的告警；可用 within 调整时限。',
  },
  unit: 'share',
  better: 'less',
  traps: [
    'After is not because of; a busy entity has incidents after many changes.',
    'Filters and groups of incidents do not apply; only times do.',
  ],
  subjects: ({ pieces }) => `
    SELECT id, grouped, at, next_at > 0 AND next_at <= toUnixTimestamp64Milli(at) + {change_within_ms:Int64} AS hit
    FROM (
      SELECT id, ${pieces.groups('at')} AS grouped, at, entity FROM (
        SELECT id, at, entity FROM change_events FINAL WHERE ${CHANGED_IN_PERIOD}
        UNION ALL
        SELECT concat(toString(log_partition), '/', toString(log_position), '/', toString(ordinal)) AS id, at, entity FROM alerts
        WHERE ${CHANGED_IN_PERIOD} AND labels['event'] = 'change' AND entity != ''
      )
    ) AS change
    ASOF LEFT JOIN (
      SELECT arrayJoin(arrayDistinct([entity, service])) AS entity, toUnixTimestamp64Milli(opened_at) AS next_at, opened_at AS after_at
      FROM incident_facts
      WHERE opened_at >= ${FROM} AND opened_at <= ${AS_OF} AND state != 'merged' AND labels['event'] != 'change'
    ) AS incident ON incident.entity = change.entity AND incident.after_at >= change.at`,
}

/** How long after, unless the question says. */
export const WITHIN_DEFAULTS_MS = {
  reopen_within_ms: REOPEN_WITHIN_MS,
  recur_within_ms: RECUR_WITHIN_MS,
  change_within_ms: CHANGE_WITHIN_MS,
} as const

export const HANDLING: readonly ShareMetric[] = [
  neverAcknowledged,
  reopened,
  recurrence,
  flapping,
  dispatchAccuracy,
  escalated,
  merged,
  changeFailure,
]
