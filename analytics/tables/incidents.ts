import { DURATIONS } from '../metrics/durations.ts'
import { elapsed } from '../metrics/elapsed.ts'
import type { Cohorts } from '../metrics/cohorts.ts'
import { AS_OF, FROM, TO, TZ } from '../metrics/pieces.ts'
import { column, type Table } from './table.ts'

const ms = (time: string) => `toUnixTimestamp64Milli(${time})`

function subjectsOf(name: string, cohorts: Cohorts): string {
  const duration = DURATIONS.find((metric) => metric.name === name)
  if (duration === undefined) throw new Error(`${name} is no duration`)
  return elapsed(duration.subjects(cohorts), cohorts.pieces)
}

const SCATTER_MAX = 5_000

const scatter: Table = {
  name: 'scatter',
  title: {
    en: 'Every incident: when it was opened and how long it took',
    zh: '散点：每个事件的创建时间与解决时长',
  },
  definition: {
    en: `One point for each incident, of more than ${SCATTER_MAX} a fixed sample: time_to_resolve, or until now for those that are open.`,
    zh: `每个事件一个点（超过 ${SCATTER_MAX} 个时取固定样本）：解决时间，未解决者为至今时长。`,
  },
  about: 'incidents',
  columns: [
    column('id', 'Incident', '事件'),
    column('opened_ms', 'Opened', '创建时间'),
    column('elapsed_ms', 'Duration', '时长', 'ms'),
    column('outcome', 'Outcome', '结果'),
    column('severity', 'Severity', '严重程度'),
    column('service', 'Service', '服务'),
    column('title', 'Title', '标题'),
  ],
  rows_max: SCATTER_MAX,
  sql: (cohorts) => `
    SELECT id, ${ms('about.opened_at')} AS opened_ms, elapsed_ms, if(isNotNull(event_at), 'resolved', 'open') AS outcome, about.severity AS severity,
           service, title
    FROM (${subjectsOf('time_to_resolve', cohorts)}) AS subject
    INNER JOIN (SELECT id, opened_at, severity, service, title FROM (${cohorts.incidents}) ORDER BY cityHash64(id) LIMIT ${SCATTER_MAX}) AS about ON about.id = subject.id
    ORDER BY opened_ms DESC`,
}

const heatmap: Table = {
  name: 'heatmap',
  title: { en: 'Incidents by hour of the week', zh: '一周各小时的事件数' },
  definition: {
    en: 'Incidents opened in each hour of the week, and for how many hours of the period it was that hour (days of 23 and 25 hours included).',
    zh: '一周中每个小时的新建事件数，以及统计期内该小时的实际时长（含 23/25 小时的日子）。',
  },
  about: 'incidents',
  columns: [
    column('weekday', 'Weekday (1 = Monday)', '星期（1＝周一）'),
    column('hour', 'Hour', '小时'),
    column('incidents', 'Incidents', '事件数', 'count'),
    column('interruptions', 'Openings and reopenings not suppressed', '未抑制的打开与重新打开', 'count'),
    column('hours', 'Hours of the period', '统计期内的小时数', 'count'),
  ],
  rows_max: 168,
  sql: ({ incidents }) => `
    SELECT toDayOfWeek(at, 0, ${TZ}) AS weekday, toHour(at, ${TZ}) AS hour, sum(n) AS incidents, sum(turns) AS interruptions, sum(slot) / 4 AS hours
    FROM (
      SELECT at, 1 AS n, if(suppressed, 0, 1 + reopened) AS turns, 0 AS slot FROM (${incidents})
      UNION ALL
      SELECT addMinutes(${FROM}, number * 15) AS at, 0, 0, 1 AS slot FROM numbers(toUInt64(intDiv(dateDiff('minute', ${FROM}, least(${TO}, ${AS_OF})), 15)))
    ) GROUP BY weekday, hour ORDER BY weekday, hour`,
}

const sla: Table = {
  name: 'sla',
  title: { en: 'Service levels by service and month', zh: '按服务与月份的 SLA' },
  definition: {
    en: 'Of the clocks response, resolve and review: met, breached, and not due yet. Attainment = met ÷ (met + breached).',
    zh: '响应、解决、复盘三个时钟：达成、违约、尚未到期。达成率 = 达成 ÷（达成 + 违约）。',
  },
  about: 'incidents',
  columns: [
    column('service', 'Service', '服务'),
    column('month', 'Month', '月份'),
    column('clock', 'Clock', '时钟'),
    column('met', 'Met', '达成', 'count'),
    column('breached', 'Breached', '违约', 'count'),
    column('not_due', 'Not due', '未到期', 'count'),
    column('attainment', 'Attainment', '达成率', 'share'),
  ],
  rows_max: 10_000,
  sql: (cohorts) => {
    const clock = (name: string, duration: string) => `
      SELECT service, month, '${name}' AS clock, isNotNull(event_at) AND elapsed_ms <= target AS is_met, NOT is_met AND elapsed_ms > target AS is_breached
      FROM (
        SELECT subject.*, about.service AS service, formatDateTime(about.opened_at, '%Y-%m', ${TZ}) AS month,
               transform(subject.severity, {${name}_severities:Array(String)}, {${name}_targets_ms:Array(Int64)}, {${name}_target_ms:Int64}) AS target
        FROM (${subjectsOf(duration, cohorts)}) AS subject
        INNER JOIN (SELECT id, service, opened_at FROM (${cohorts.incidents})) AS about ON about.id = subject.id
      )`
    return `
      SELECT service, month, clock, countIf(is_met) AS met, countIf(is_breached) AS breached, count() - met - breached AS not_due,
             if(met + breached = 0, NULL, met / (met + breached)) AS attainment
      FROM (${clock('response', 'time_to_acknowledge')} UNION ALL ${clock('resolve', 'time_to_resolve')} UNION ALL ${clock('review', 'time_to_review')})
      GROUP BY service, month, clock ORDER BY service, month, clock LIMIT 10000`
  },
}

const recurrence: Table = {
  name: 'recurrence',
  title: { en: 'What recurs', zh: '复发排行' },
  definition: {
    en: 'Root alerts that several incidents of the period had, most first, with how much of all incidents they and those before them make up.',
    zh: '统计期内多次成为根因的告警，按次数排列，并给出累计占比。',
  },
  about: 'incidents',
  columns: [
    column('root_fingerprint', 'Root alert', '根因告警'),
    column('alertname', 'Alert', '告警名'),
    column('entity', 'Entity', '对象'),
    column('service', 'Service', '服务'),
    column('incidents', 'Incidents', '事件数', 'count'),
    column('cumulative', 'Share of all, added up', '累计占比', 'share'),
    column('open_ms', 'Time open, added up', '累计打开时长', 'ms'),
    column('last_id', 'Last incident', '最近事件'),
    column('last_opened_ms', 'Last opened', '最近创建时间'),
  ],
  rows_max: 50,
  sql: ({ incidents }) => `
    SELECT root_fingerprint, alertname, entity, service, incidents, sum(incidents) OVER (ORDER BY incidents DESC, root_fingerprint) / total AS cumulative,
           open_ms, last_id, last_opened_ms
    FROM (
      SELECT root_fingerprint, any(labels['alertname']) AS alertname, any(entity) AS entity, any(service) AS service, count() AS incidents,
             sum(dateDiff('millisecond', opened_at, coalesce(resolved_by, ${AS_OF}))) AS open_ms, argMax(id, opened_at) AS last_id,
             ${ms('max(opened_at)')} AS last_opened_ms, sum(count()) OVER () AS total
      FROM (${incidents}) WHERE root_fingerprint != '' GROUP BY root_fingerprint
    ) WHERE incidents > 1 ORDER BY incidents DESC, root_fingerprint LIMIT 50`,
}

const funnel: Table = {
  name: 'funnel',
  title: { en: 'From statements to incidents', zh: '从消息到事件' },
  definition: {
    en: 'Statements about alerts that came in (filters do not apply), activations of alerts, incidents opened, those that were not merged, those that disturbed somebody, those that somebody acknowledged.',
    zh: '收到的告警消息（不受筛选影响）、告警激活、新建事件、未被合并的事件、打扰到人的事件、被人工确认的事件。',
  },
  about: 'incidents',
  columns: [column('stage', 'Stage', '阶段'), column('count', 'Count', '数量', 'count')],
  rows_max: 6,
  sql: ({ opened, incidents, alarms }) => `
    SELECT stage, count FROM (
      SELECT 1 AS place, 'statements' AS stage, sum(statements) AS count FROM alert_statements WHERE at >= ${FROM} AND at < ${TO} AND at <= ${AS_OF}
      UNION ALL SELECT 2, 'alerts', count() FROM (${alarms})
      UNION ALL SELECT 3, 'opened', count() FROM (${opened})
      UNION ALL SELECT 4, 'incidents', count() FROM (${incidents})
      UNION ALL SELECT 5, 'disturbing', countIf(NOT suppressed) FROM (${incidents})
      UNION ALL SELECT 6, 'acknowledged', countIf(isNotNull(acknowledged_by)) FROM (${incidents})
    ) ORDER BY place`,
}

const breaching: Table = {
  name: 'breaching',
  title: { en: 'Open incidents by their next deadline', zh: '未解决事件的下一个期限' },
  definition: {
    en: 'Incidents that are open at the time of asking, whenever they were opened within the period, with the time left to the target of resolution; negative: breached.',
    zh: '提问时仍未解决的事件（创建于统计期内）及距解决目标的剩余时间；负数为已违约。',
  },
  about: 'incidents',
  columns: [
    column('id', 'Incident', '事件'),
    column('title', 'Title', '标题'),
    column('severity', 'Severity', '严重程度'),
    column('service', 'Service', '服务'),
    column('assignee', 'Assignee', '负责人'),
    column('opened_ms', 'Opened', '创建时间'),
    column('acknowledged', 'Acknowledged', '已确认'),
    column('left_ms', 'Time left', '剩余时间', 'ms'),
  ],
  rows_max: 200,
  sql: (cohorts) => `
    SELECT id, about.title AS title, about.severity AS severity, about.service AS service, about.assignee AS assignee,
           ${ms('about.opened_at')} AS opened_ms, toBool(isNotNull(about.acknowledged_by)) AS acknowledged,
           transform(subject.severity, {resolve_severities:Array(String)}, {resolve_targets_ms:Array(Int64)}, {resolve_target_ms:Int64}) - elapsed_ms AS left_ms
    FROM (SELECT * FROM (${subjectsOf('time_to_resolve', cohorts)}) WHERE isNull(event_at)) AS subject
    INNER JOIN (SELECT id, title, severity, service, assignee, opened_at, acknowledged_by FROM (${cohorts.incidents})) AS about ON about.id = subject.id
    ORDER BY left_ms LIMIT 200`,
}

const reviewsDue: Table = {
  name: 'reviews-due',
  title: { en: 'Reviews that are overdue', zh: '逾期未复盘的事件' },
  definition: {
    en: 'Incidents of the period that resolved longer ago than the target of review and were not reviewed, the most severe first.',
    zh: '统计期内已解决、超过复盘目标时限仍未复盘的事件，按严重程度排列。',
  },
  about: 'incidents',
  columns: [
    column('id', 'Incident', '事件'),
    column('title', 'Title', '标题'),
    column('severity', 'Severity', '严重程度'),
    column('service', 'Service', '服务'),
    column('assignee', 'Assignee', '负责人'),
    column('opened_ms', 'Opened', '创建时间'),
    column('late_ms', 'Overdue by', '逾期', 'ms'),
  ],
  rows_max: 200,
  sql: (cohorts) => `
    SELECT id, about.title AS title, about.severity AS severity, about.service AS service, about.assignee AS assignee,
           ${ms('about.opened_at')} AS opened_ms,
           elapsed_ms - transform(subject.severity, {review_severities:Array(String)}, {review_targets_ms:Array(Int64)}, {review_target_ms:Int64}) AS late_ms
    FROM (SELECT * FROM (${subjectsOf('time_to_review', cohorts)}) WHERE isNull(event_at)) AS subject
    INNER JOIN (SELECT id, title, severity, service, assignee, opened_at FROM (${cohorts.incidents})) AS about ON about.id = subject.id
    WHERE late_ms > 0 ORDER BY indexOf(['critical', 'high', 'medium', 'low', 'info'], severity), late_ms DESC LIMIT 200`,
}

/** Stays of incidents with assignees: each assignment lasts until the next, or until the resolution. */
const stays = ({ incidents }: Cohorts) => `
  SELECT incident_id, assignee, lagInFrame(assignee) OVER w AS before, at AS from_at,
         leadInFrame(at) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS next_at
  FROM (
    SELECT incident_id, revision, assignee, at FROM incident_changes FINAL
    WHERE kind = 'assigned' AND at <= ${AS_OF} AND at >= ${FROM} AND incident_id IN (SELECT id FROM (${incidents}))
  ) WINDOW w AS (PARTITION BY incident_id ORDER BY revision)`

const flow: Table = {
  name: 'flow',
  title: { en: 'Flow between assignees', zh: '负责人之间的流转' },
  definition: {
    en: 'Who handed incidents to whom, how often, and how long the giver had had them (median). Nobody yet is an empty name.',
    zh: '事件由谁转给谁、次数，以及转出方持有时长（中位数）；空名表示此前无人负责。',
  },
  about: 'incidents',
  columns: [
    column('from', 'From', '转出'),
    column('to', 'To', '转入'),
    column('incidents', 'Times', '次数', 'count'),
    column('held_ms', 'Held before (median)', '持有时长（中位数）', 'ms'),
  ],
  rows_max: 500,
  sql: (cohorts) => `
    SELECT before AS from, assignee AS to, count() AS incidents, if(from = '', NULL, toInt64(quantileExact(0.5)(held))) AS held_ms
    FROM (
      SELECT *, dateDiff('millisecond', lagInFrame(from_at) OVER (PARTITION BY incident_id ORDER BY from_at), from_at) AS held FROM (${stays(cohorts)})
    ) GROUP BY from, to ORDER BY incidents DESC, from, to LIMIT 500`,
}

const dispatch: Table = {
  name: 'dispatch',
  title: {
    en: 'Dispatch: first assignee against who had it at the end',
    zh: '派单混淆矩阵：首次指派与最终解决者',
  },
  definition: {
    en: 'Resolved incidents by their first and their last assignee.',
    zh: '已解决事件按首次指派对象与最终负责人交叉统计。',
  },
  about: 'incidents',
  columns: [
    column('first', 'First assignee', '首次指派'),
    column('last', 'Last assignee', '最终负责人'),
    column('incidents', 'Incidents', '事件数', 'count'),
  ],
  rows_max: 2_500,
  sql: ({ incidents }) => `
    SELECT first, last, count() AS incidents FROM (
      SELECT argMin(assignee, revision) AS first, argMax(assignee, revision) AS last FROM incident_changes FINAL
      WHERE assignee != '' AND at <= ${AS_OF} AND at >= ${FROM} AND incident_id IN (SELECT id FROM (${incidents}) WHERE isNotNull(resolved_by) AND assignee != '')
      GROUP BY incident_id
    ) GROUP BY first, last ORDER BY incidents DESC, first, last LIMIT 2500`,
}

const supportLines: Table = {
  name: 'support-lines',
  title: { en: 'Time in support lines', zh: '各支持线耗时' },
  definition: {
    en: 'Legs of the clock `support` by line: how many incidents were there and for how long (median). Empty where no such clock is recorded.',
    zh: '按支持线统计 support 时钟：经过的事件数与停留时长（中位数）；未记录该时钟时为空。',
  },
  about: 'incidents',
  columns: [
    column('line', 'Line', '支持线'),
    column('incidents', 'Incidents', '事件数', 'count'),
    column('dwell_ms', 'Time there (median)', '停留时长（中位数）', 'ms'),
  ],
  rows_max: 100,
  sql: ({ incidents }) => `
    SELECT line, uniqExact(incident_id) AS incidents, toInt64(quantileExact(0.5)(dwell)) AS dwell_ms FROM (
      SELECT line, incident_id, sum(dateDiff('millisecond', began_at, coalesce(ended_at, ${AS_OF}))) AS dwell FROM clocks
      WHERE clock = 'support' AND state = 'running' AND began_at <= ${AS_OF} AND incident_id IN (SELECT id FROM (${incidents}))
      GROUP BY line, incident_id
    ) GROUP BY line ORDER BY line LIMIT 100`,
}

export const INCIDENT_TABLES: readonly Table[] = [
  scatter,
  heatmap,
  sla,
  recurrence,
  funnel,
  breaching,
  reviewsDue,
  flow,
  dispatch,
  supportLines,
]
