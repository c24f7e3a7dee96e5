import { floodSlots } from '../metrics/alarms.ts'
import { AS_OF } from '../metrics/pieces.ts'
import { column, type Table } from './table.ts'

const ms = (time: string) => `toUnixTimestamp64Milli(${time})`

const frequent: Table = {
  name: 'frequent-alarms',
  title: { en: 'Alarms that activate most', zh: '激活最多的报警' },
  definition: {
    en: 'The alarms with the most activations, with their share of all and how often they chattered (third or later activation within a minute).',
    zh: '激活次数最多的报警、占全部激活的比例，以及颤振次数（一分钟内第 3 次及以后）。',
  },
  about: 'alarms',
  columns: [
    column('fingerprint', 'Alarm', '报警'),
    column('alertname', 'Name', '名称'),
    column('entity', 'Entity', '对象'),
    column('severity', 'Severity', '严重程度'),
    column('activations', 'Activations', '激活次数', 'count'),
    column('share', 'Share', '占比', 'share'),
    column('chattering', 'Of them chattering', '其中颤振', 'count'),
  ],
  rows_max: 100,
  sql: ({ alarms }) => `
    SELECT fingerprint, any(labels['alertname']) AS alertname, any(entity) AS entity, any(severity) AS severity, count() AS activations,
           count() / sum(count()) OVER () AS share, countIf(times >= 3) AS chattering
    FROM (
      SELECT *, count() OVER (PARTITION BY fingerprint ORDER BY ${ms('at')} RANGE BETWEEN 60000 PRECEDING AND CURRENT ROW) AS times FROM (${alarms})
    ) GROUP BY fingerprint ORDER BY activations DESC, fingerprint LIMIT 100`,
}

const floods: Table = {
  name: 'floods',
  title: { en: 'Alarm floods', zh: '报警泛滥' },
  definition: {
    en: 'Stretches that began with more than 10 activations in 10 minutes and lasted until fewer than 5 came.',
    zh: '10 分钟内激活超过 10 次开始、少于 5 次结束的时段。',
  },
  about: 'alarms',
  columns: [
    column('grouped', 'Group', '分组'),
    column('begin_ms', 'Begin', '开始'),
    column('duration_ms', 'Duration', '时长', 'ms'),
    column('activations', 'Activations', '激活次数', 'count'),
    column('peak', 'Most in 10 minutes', '10 分钟峰值', 'count'),
  ],
  rows_max: 1_000,
  sql: (cohorts) => `
    SELECT grouped, ${ms('min(begin_at)')} AS begin_ms, count() * 600000 AS duration_ms, sum(n) AS activations, max(n) AS peak
    FROM (
      SELECT *, slot - row_number() OVER (PARTITION BY grouped ORDER BY slot) AS stretch
      FROM (SELECT grouped, slot, toUInt64(activations) AS n, begin_at FROM (${floodSlots(cohorts)}) WHERE flood)
    ) GROUP BY grouped, stretch ORDER BY begin_ms, grouped LIMIT 1000`,
}

const standing: Table = {
  name: 'standing-alarms',
  title: { en: 'Alarms that stand', zh: '持续中的报警' },
  definition: {
    en: 'Alarms of the period that have not returned to normal at the time of asking, the longest first; stale from 24 h on.',
    zh: '统计期内激活、提问时仍未恢复的报警，按持续时间排列；24 小时以上为陈旧。',
  },
  about: 'alarms',
  columns: [
    column('fingerprint', 'Alarm', '报警'),
    column('alertname', 'Name', '名称'),
    column('entity', 'Entity', '对象'),
    column('severity', 'Severity', '严重程度'),
    column('since_ms', 'On since', '激活时间'),
    column('standing_ms', 'Standing for', '已持续', 'ms'),
    column('stale', 'Stale', '陈旧'),
  ],
  rows_max: 1_000,
  sql: ({ alarms }) => `
    SELECT fingerprint, labels['alertname'] AS alertname, entity, severity, ${ms('at')} AS since_ms, dateDiff('millisecond', at, ${AS_OF}) AS standing_ms,
           toBool(standing_ms > 86400000) AS stale
    FROM (${alarms}) WHERE isNull(ended_at) OR ended_at > ${AS_OF} ORDER BY standing_ms DESC, fingerprint LIMIT 1000`,
}

const priorities: Table = {
  name: 'alarm-priorities',
  title: { en: 'Alarms by priority', zh: '报警优先级分布' },
  definition: {
    en: 'Activations by severity, beside what ISA-18.2 holds for usual: low and info 80 %, medium 15 %, high and critical 5 %.',
    zh: '按严重程度统计激活次数；ISA-18.2 的参考分布：低 80%、中 15%、高 5%。',
  },
  about: 'alarms',
  columns: [
    column('severity', 'Severity', '严重程度'),
    column('activations', 'Activations', '激活次数', 'count'),
    column('share', 'Share', '占比', 'share'),
  ],
  rows_max: 5,
  sql: ({ alarms }) => `
    SELECT severity, count() AS activations, count() / sum(count()) OVER () AS share FROM (${alarms})
    GROUP BY severity ORDER BY indexOf(['critical', 'high', 'medium', 'low', 'info'], severity)`,
}

export const ALARM_TABLES: readonly Table[] = [frequent, floods, standing, priorities]
