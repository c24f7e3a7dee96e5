import type { Cohorts } from './cohorts.ts'
import type { RatioMetric } from './metric.ts'
import { AS_OF, FROM, TO } from './pieces.ts'
import { day } from './volume.ts'

/** ISA-18.2 and EEMUA 191: what an operator's position can bear. */
const SLOT_S = 600
const FLOOD_ABOVE = 10
const FLOOD_UNTIL_BELOW = 5
const CHATTERING_TIMES = 3
const CHATTERING_WITHIN_S = 60
const STALE_AFTER_H = 24
const TOP = 10

const ACTIVATIONS =
  'An activation is a new start of an alert: repeats and what flaps until it is steady count once.'
const POSITION = 'Limits are for the console of one operator: ask by site, line or scope.'

const alarmRate: RatioMetric = {
  name: 'alarm_rate',
  kind: 'ratio',
  about: 'alarms',
  as: 'ratio',
  exposure: { side: 'denominator', unit_ms: SLOT_S * 1_000 },
  counted: 'numerator',
  title: { en: 'Alarm rate', zh: '平均报警率' },
  definition: {
    en: 'Activations of alarms ÷ periods of 10 minutes (ISA-18.2: up to 1 very likely acceptable, 2 manageable).',
    zh: '报警激活次数 ÷ 10 分钟时段数（ISA-18.2：≤1 可接受，≤2 可管理）。',
  },
  unit: 'per-10-min',
  better: 'less',
  traps: [ACTIVATIONS, POSITION],
  days: ({ alarms }) => `
    SELECT grouped, ${day('at')} AS day, count() AS numerator, 0 AS denominator
    FROM (${alarms}) GROUP BY grouped, day`,
}

/** Slots of ten minutes of each group from the begin of the period on, and whether each is in a flood: the last that was decisive says. */
export function floodSlots({ alarms }: Cohorts): string {
  const slots = `toUInt32(ceil(dateDiff('second', ${FROM}, least(${TO}, ${AS_OF})) / ${SLOT_S}))`
  return `
    SELECT grouped, slot, activations, addSeconds(${FROM}, slot * ${SLOT_S}) AS begin_at, flood
    FROM (
      SELECT grouped, groupArrayInsertAt(0, ${slots})(n, number) AS counts,
             arrayFill(x -> x != 2, arrayMap(x -> multiIf(x > ${FLOOD_ABOVE}, 1, x < ${FLOOD_UNTIL_BELOW}, 0, 2), counts)) AS floods
      FROM (
        SELECT grouped, toUInt32(intDiv(dateDiff('second', ${FROM}, at), ${SLOT_S})) AS number, toUInt32(count()) AS n
        FROM (${alarms}) GROUP BY grouped, number
      ) GROUP BY grouped
    ) ARRAY JOIN counts AS activations, arrayMap(x -> x = 1, floods) AS flood, range(length(counts)) AS slot`
}

const floodTime: RatioMetric = {
  name: 'flood_time',
  kind: 'ratio',
  about: 'alarms',
  as: 'ratio',
  counted: 'denominator',
  title: { en: 'Time in alarm floods', zh: '报警泛滥时间占比' },
  definition: {
    en: 'Periods of 10 minutes in a flood ÷ all. A flood begins with more than 10 activations in 10 minutes and ends with fewer than 5 (ISA-18.2: below 1 %).',
    zh: '处于报警泛滥的 10 分钟时段 ÷ 全部时段；10 分钟内超过 10 次激活为开始，少于 5 次为结束（ISA-18.2：<1%）。',
  },
  unit: 'share',
  better: 'less',
  traps: [
    ACTIVATIONS,
    POSITION,
    'Only groups with at least one alarm in the period are there; slots are counted from its begin.',
  ],
  days: (cohorts) => `
    SELECT grouped, ${day('begin_at')} AS day, countIf(flood) AS numerator, count() AS denominator
    FROM (${floodSlots(cohorts)}) GROUP BY grouped, day`,
}

const chattering: RatioMetric = {
  name: 'chattering',
  kind: 'ratio',
  about: 'alarms',
  as: 'ratio',
  counted: 'denominator',
  title: { en: 'Chattering alarms', zh: '颤振报警占比' },
  definition: {
    en: 'Activations that were the third or later of their alarm within a minute ÷ activations.',
    zh: '同一报警一分钟内第 3 次及以后的激活 ÷ 全部激活。',
  },
  unit: 'share',
  better: 'less',
  traps: ['What rules.flapping holds back is not activated again, so it hides chattering.', ACTIVATIONS],
  days: ({ alarms }) => `
    SELECT grouped, ${day('at')} AS day, countIf(times >= ${CHATTERING_TIMES}) AS numerator, count() AS denominator
    FROM (
      SELECT grouped, at, count() OVER (PARTITION BY fingerprint ORDER BY toUnixTimestamp64Milli(at) RANGE BETWEEN ${CHATTERING_WITHIN_S * 1_000} PRECEDING AND CURRENT ROW) AS times
      FROM (${alarms})
    ) GROUP BY grouped, day`,
}

const stale: RatioMetric = {
  name: 'stale_alarms',
  kind: 'ratio',
  about: 'alarms',
  as: 'ratio',
  counted: 'denominator',
  title: { en: 'Stale alarms', zh: '陈旧报警占比' },
  definition: {
    en: 'Activations that stood for more than 24 h ÷ activations that could have.',
    zh: '持续超过 24 小时的激活 ÷ 已可观察满 24 小时的激活。',
  },
  unit: 'share',
  better: 'less',
  traps: ['Activations of the last 24 h are left out.', ACTIVATIONS],
  days: ({ alarms }) => `
    SELECT grouped, ${day('at')} AS day,
           countIf(isNull(ended_at) OR ended_at > addHours(at, ${STALE_AFTER_H}) OR ended_at > ${AS_OF}) AS numerator, count() AS denominator
    FROM (${alarms}) WHERE addHours(at, ${STALE_AFTER_H}) <= ${AS_OF} GROUP BY grouped, day`,
}

const topTen: RatioMetric = {
  name: 'top_ten_share',
  kind: 'ratio',
  about: 'alarms',
  as: 'ratio',
  counted: 'denominator',
  title: { en: 'Share of the ten most frequent alarms', zh: '前十报警占比' },
  definition: {
    en: 'Activations of the ten alarms of each group that activated most ÷ activations (ISA-18.2: 1 to 5 %).',
    zh: '各组激活最多的十个报警的激活次数 ÷ 全部激活（ISA-18.2：1–5%）。',
  },
  unit: 'share',
  better: 'less',
  traps: ['With few different alarms it is high by itself.', ACTIVATIONS],
  days: ({ alarms }) => `
    SELECT grouped, day, sumIf(n, place <= ${TOP}) AS numerator, sum(n) AS denominator
    FROM (
      SELECT *, dense_rank() OVER (PARTITION BY grouped ORDER BY total DESC, fingerprint) AS place
      FROM (
        SELECT grouped, fingerprint, ${day('at')} AS day, count() AS n, sum(n) OVER (PARTITION BY grouped, fingerprint) AS total
        FROM (${alarms}) GROUP BY grouped, fingerprint, day
      )
    ) GROUP BY grouped, day`,
}

const highPriority: RatioMetric = {
  name: 'high_priority_share',
  kind: 'ratio',
  about: 'alarms',
  as: 'ratio',
  counted: 'denominator',
  title: { en: 'Share of high priorities', zh: '高优先级报警占比' },
  definition: {
    en: 'Activations of severity critical or high ÷ activations (ISA-18.2: about 5 %; medium 15 %, low 80 %).',
    zh: '严重程度为 critical 或 high 的激活 ÷ 全部激活（ISA-18.2：约 5%，中 15%，低 80%）。',
  },
  unit: 'share',
  better: 'less',
  traps: [ACTIVATIONS],
  days: ({ alarms }) => `
    SELECT grouped, ${day('at')} AS day, countIf(severity IN ('critical', 'high')) AS numerator, count() AS denominator
    FROM (${alarms}) GROUP BY grouped, day`,
}

export const ALARMS: readonly RatioMetric[] = [alarmRate, floodTime, chattering, stale, topTen, highPriority]
