import type { ClickHouseClient } from '@clickhouse/client'
import { z } from 'zod'
import { incident } from '../../schemas/incident.ts'
import { figureText } from '../estimates/words.ts'
import type { Text } from '../metrics/metric.ts'
import { rowsOf } from '../queries/ask.ts'
import { dateTime, NONE } from './cells.ts'
import { type Cell, html, type Html, type Language, note, page, section, table } from './page.ts'

const MEMBERS_MAX = 200
const CHANGES_MAX = 2_000

const TEXTS = {
  title: { en: 'Review of incident', zh: '事件复盘' },
  facts: { en: 'Facts', zh: '概况' },
  state: { en: 'State', zh: '状态' },
  severity: { en: 'Severity', zh: '严重程度' },
  scope: { en: 'Scope', zh: '范围' },
  service: { en: 'Service', zh: '服务' },
  assignee: { en: 'Assignee', zh: '负责人' },
  first_event: { en: 'First event', zh: '首个告警' },
  opened: { en: 'Opened', zh: '创建' },
  acknowledged: { en: 'Acknowledged', zh: '人工确认' },
  mitigated: { en: 'Mitigated', zh: '缓解' },
  resolved: { en: 'Resolved', zh: '解决' },
  reviewed: { en: 'Reviewed', zh: '复盘' },
  reopened: { en: 'Reopened', zh: '重新打开次数' },
  after: { en: 'after', zh: '用时' },
  causes: { en: 'Likely causes', zh: '可能原因' },
  causes_head: { en: 'Entity|Score|Why', zh: '对象|得分|依据' },
  timeline: { en: 'Timeline', zh: '时间线' },
  timeline_head: { en: 'When|What|Who|Why', zh: '时间|动作|人员|说明' },
  clocks: { en: 'Clocks', zh: '时钟' },
  clocks_head: { en: 'Clock|Leg|State|Line|Begin|End|Reason', zh: '时钟|段|状态|支持线|开始|结束|原因' },
  tickets: { en: 'Tickets', zh: '工单' },
  tickets_head: { en: 'Sink|Ticket|Address', zh: '系统|工单号|地址' },
  members: { en: 'Alerts and why they belong to it', zh: '相关告警及归组原因' },
  members_head: { en: 'Alert|Entity|Severity|From|Until|Why', zh: '告警|对象|严重程度|开始|结束|归组原因' },
  review: { en: 'For the review', zh: '复盘记录' },
  review_list: {
    en: 'What went well?|What went badly?|Where were we lucky?|What will be done, by whom, until when?',
    zh: '哪些做得好？|哪些做得不好？|哪里靠运气？|后续措施、负责人、期限？',
  },
  none: { en: 'None recorded.', zh: '无记录。' },
} as const satisfies Record<string, Text>

type Say = (key: keyof typeof TEXTS) => string

interface FactRow {
  readonly title: string
  readonly state: string
  readonly severity: string
  readonly scope: string
  readonly service: string
  readonly assignee: string
  readonly reopened: number
  readonly steps: Readonly<Record<string, number>>
}

interface ChangeRow {
  readonly at_ms: number
  readonly kind: string
  readonly actor: string
  readonly text: string
}

interface MemberRow {
  readonly alertname: string
  readonly entity: string
  readonly severity: string
  readonly from_ms: number
  readonly to_ms: number
  readonly reason_text: string
}

interface ClockRow {
  readonly clock: string
  readonly leg: number
  readonly state: string
  readonly line: string
  readonly from_ms: number
  readonly to_ms: number
  readonly reason: string
}

const ms = (time: string) => `toUnixTimestamp64Milli(${time})`
const STEPS = ['first_event', 'opened', 'acknowledged', 'mitigated', 'resolved', 'reviewed'] as const
const OF = 'incident_id = {id:String}'
const NEVER = "coalesce(ended_at, toDateTime64(0, 3, 'UTC'))"

const SELECTS = {
  fact: `
    SELECT title, state, severity, scope, service, assignee, reopened,
           map(${STEPS.map((step) => `'${step}', ${ms(`assumeNotNull(coalesce(${step}_at, toDateTime64(0, 3)))`)}`).join(', ')}) AS steps
    FROM incident_facts WHERE id = {id:String}`,
  changes: `
    SELECT ${ms('at')} AS at_ms, kind, actor, reason_text AS text FROM incident_changes FINAL WHERE ${OF} ORDER BY revision LIMIT ${CHANGES_MAX}`,
  members: `
    SELECT alertname, entity, severity, ${ms('joined_at')} AS from_ms, ${ms(NEVER)} AS to_ms, reason_text
    FROM alert_memberships WHERE ${OF} ORDER BY joined_at, fingerprint LIMIT ${MEMBERS_MAX}`,
  clocks: `
    SELECT clock, leg, state, line, ${ms('began_at')} AS from_ms, ${ms(NEVER)} AS to_ms, reason FROM clocks WHERE ${OF} ORDER BY clock, leg`,
  newest: `SELECT change FROM incident_changes WHERE ${OF} ORDER BY revision DESC LIMIT 1`,
} as const

/** A document to review an incident with, or null when the history does not know it. */
export async function incidentPage(
  client: ClickHouseClient,
  id: string,
  tz: string,
  language: Language,
): Promise<string | null> {
  const ask = <Row>(sql: string) => rowsOf<Row>(client, { sql, parameters: { id } })
  const [[fact], changes, members, clocks, [newest]] = await Promise.all([
    ask<FactRow>(SELECTS.fact),
    ask<ChangeRow>(SELECTS.changes),
    ask<MemberRow>(SELECTS.members),
    ask<ClockRow>(SELECTS.clocks),
    ask<{ change: string }>(SELECTS.newest),
  ])
  if (fact === undefined) return null
  const say: Say = (key) => TEXTS[key][language]
  const time = (at_ms: number) => (at_ms === 0 ? NONE : dateTime(at_ms, tz, language))
  const told = newest === undefined ? NOTHING : lastTold.parse(JSON.parse(newest.change)).incident
  const causes = told.causes.map(({ entity, score, reasons }) => [
    entity,
    score.toFixed(2),
    reasons.join('; '),
  ])
  const story = changes.map((row) => [time(row.at_ms), row.kind, row.actor, row.text])
  const legs = clocks.map(({ clock, leg, state, line, from_ms, to_ms, reason }) => {
    return [clock, String(leg), state, line || NONE, time(from_ms), time(to_ms), reason]
  })
  const alerts = members.map(({ alertname, entity, severity, from_ms, to_ms, reason_text }) => {
    return [alertname, entity, severity, time(from_ms), time(to_ms), reason_text]
  })
  const questions = say('review_list').split('|')
  return page(language, `${say('title')}: ${fact.title}`, [
    note(`${id} · ${tz}`),
    factsOf(fact, say, time, language),
    listed(say, 'causes', causes),
    listed(say, 'timeline', story),
    listed(say, 'clocks', legs),
    listed(
      say,
      'tickets',
      told.tickets.map(({ sink, external_id, url }) => [sink, external_id, url]),
    ),
    listed(say, 'members', alerts),
    section(say('review'), ...questions.map((question) => html`<h3>${question}</h3><p>&nbsp;</p>`)),
  ])
}

/** What of the newest change is told; imported incidents have none. */
const lastTold = z.object({ incident: incident.pick({ causes: true, tickets: true }) })
const NOTHING: z.infer<typeof lastTold>['incident'] = { causes: [], tickets: [] }

function listed(
  say: Say,
  what: 'causes' | 'timeline' | 'clocks' | 'tickets' | 'members',
  rows: readonly (readonly Cell[])[],
): Html {
  if (rows.length === 0) return section(say(what), note(say('none')))
  return section(say(what), table(say(`${what}_head`).split('|'), rows))
}

function factsOf(fact: FactRow, say: Say, time: (at_ms: number) => string, language: Language): Html {
  const opened_ms = fact.steps['opened'] ?? 0
  const steps = STEPS.map((step): Cell[] => {
    const at_ms = fact.steps[step] ?? 0
    const after = at_ms > opened_ms ? `${say('after')} ${figureText('ms', at_ms - opened_ms)[language]}` : ''
    return [say(step), time(at_ms), after]
  })
  const plain = (['state', 'severity', 'scope', 'service', 'assignee'] as const).map((key): Cell[] => [
    say(key),
    fact[key] || NONE,
    '',
  ])
  return section(
    say('facts'),
    table(['', '', ''], [...plain, ...steps, [say('reopened'), String(fact.reopened), '']]),
  )
}
