import type { Cohorts } from './cohorts.ts'
import type { RatioMetric } from './metric.ts'
import { AS_OF, FROM, TO, TZ } from './pieces.ts'

const MERGED = 'Incidents that were merged into others are left out.'
const DAYS =
  'Its interval takes days as they come, so it allows for bursts within a day, not for those of weeks.'

export const day = (at: string) => `toDate(${at}, ${TZ})`
const DAY_MS = 86_400_000

/** How many of something came on each day. */
const perDay = (rows: string, count: string) => `
  SELECT grouped, ${day('at')} AS day, ${count} AS numerator, 0 AS denominator FROM (${rows}) GROUP BY grouped, day`

const incidentsPerDay: RatioMetric = {
  name: 'incidents_per_day',
  kind: 'ratio',
  about: 'incidents',
  as: 'ratio',
  exposure: { side: 'denominator', unit_ms: DAY_MS },
  counted: 'numerator',
  title: { en: 'Incidents a day', zh: '日均事件数' },
  definition: { en: 'Incidents opened ÷ days.', zh: '新建事件数 ÷ 天数。' },
  unit: 'per-day',
  better: 'less',
  traps: [MERGED, DAYS],
  days: ({ incidents }) => perDay(incidents, 'count()'),
}

const interruptions: RatioMetric = {
  name: 'interruptions',
  kind: 'ratio',
  about: 'incidents',
  as: 'ratio',
  exposure: { side: 'denominator', unit_ms: DAY_MS },
  counted: 'numerator',
  title: { en: 'Interruptions a day', zh: '日均打扰次数' },
  definition: {
    en: 'Openings and reopenings of incidents that were not suppressed ÷ days.',
    zh: '未被抑制事件的打开与重新打开次数 ÷ 天数。',
  },
  unit: 'per-day',
  better: 'less',
  traps: ['Reopenings count for the day on which the incident was first opened.', MERGED, DAYS],
  days: ({ incidents }) => perDay(incidents, 'sumIf(1 + reopened, NOT suppressed)'),
}

const alertsPerIncident: RatioMetric = {
  name: 'alerts_per_incident',
  kind: 'ratio',
  about: 'incidents',
  as: 'ratio',
  counted: 'denominator',
  title: { en: 'Alerts of an incident', zh: '每个事件的告警数' },
  definition: { en: 'Alerts in incidents ÷ incidents.', zh: '事件包含的告警数 ÷ 事件数。' },
  unit: 'count',
  better: null,
  traps: ['The mean is moved by few large incidents.', MERGED, DAYS],
  days: ({ incidents }) => `
    SELECT grouped, ${day('at')} AS day, sum(members_total) AS numerator, count() AS denominator
    FROM (${incidents}) GROUP BY grouped, day`,
}

/** Sums of two things by group and day, which need not both be there. */
function beside(numerators: string, denominators: string): string {
  return `
    SELECT grouped, day, sum(n) AS numerator, sum(d) AS denominator
    FROM (SELECT grouped, day, n, 0 AS d FROM (${numerators}) UNION ALL SELECT grouped, day, 0 AS n, d FROM (${denominators}))
    GROUP BY grouped, day`
}

const compression: RatioMetric = {
  name: 'compression',
  kind: 'ratio',
  about: 'alarms',
  as: 'complement',
  counted: 'denominator',
  title: { en: 'Compression', zh: '告警压缩率' },
  definition: {
    en: '1 − incidents opened ÷ activations of alerts.',
    zh: '1 − 新建事件数 ÷ 告警激活次数。',
  },
  unit: 'share',
  better: 'more',
  traps: ['High compression is no merit by itself: one incident for everything has the highest.', DAYS],
  days: ({ incidents, alarms }) =>
    beside(
      `SELECT grouped, ${day('at')} AS day, toFloat64(count()) AS n FROM (${incidents}) GROUP BY grouped, day`,
      `SELECT grouped, ${day('at')} AS day, toFloat64(count()) AS d FROM (${alarms}) GROUP BY grouped, day`,
    ),
}

const noiseReduction: RatioMetric = {
  name: 'noise_reduction',
  kind: 'ratio',
  about: 'times',
  as: 'complement',
  counted: 'denominator',
  title: { en: 'Noise reduction', zh: '降噪率' },
  definition: {
    en: '1 − activations of alerts ÷ statements about alerts that came in.',
    zh: '1 − 告警激活次数 ÷ 收到的告警消息数。',
  },
  unit: 'share',
  better: 'more',
  traps: [
    'Senders that repeat often make it high.',
    'Filters and groups other than times do not apply: statements are counted without.',
    DAYS,
  ],
  days: ({ alarms, pieces }) =>
    beside(
      `SELECT grouped, ${day('at')} AS day, toFloat64(count()) AS n FROM (${alarms}) GROUP BY grouped, day`,
      `SELECT ${pieces.groups('at')} AS grouped, ${day('at')} AS day, toFloat64(sum(statements)) AS d FROM alert_statements
       WHERE at >= ${FROM} AND at < ${TO} AND at <= ${AS_OF} GROUP BY grouped, day`,
    ),
}

/** Stretches in which at least one incident of the group was open; each counts for the day on which it began. */
const downtime = ({ incidents }: Cohorts, columns = '') => `
  SELECT grouped, at${columns}, greatest(0, end_ms - greatest(begin_ms, before_ms)) AS down_ms
  FROM (
    SELECT *, max(end_ms) OVER (PARTITION BY grouped${columns} ORDER BY begin_ms, end_ms ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_ms
    FROM (
      SELECT grouped, at${columns}, toUnixTimestamp64Milli(opened_at) AS begin_ms,
             toUnixTimestamp64Milli(least(coalesce(resolved_by, ${AS_OF}), ${TO})) AS end_ms
      FROM (${incidents})
    )
  )`

const mtbf: RatioMetric = {
  name: 'mtbf',
  kind: 'ratio',
  about: 'incidents',
  as: 'ratio',
  exposure: { side: 'numerator', unit_ms: 1 },
  counted: 'denominator',
  title: { en: 'Mean time between failures', zh: '平均故障间隔（MTBF）' },
  definition: {
    en: 'Time without an open incident ÷ incidents opened. Ask by service: the time is that of each group.',
    zh: '无未解决事件的时间 ÷ 新建事件数；请按服务分组（时间按各组计算）。',
  },
  unit: 'ms',
  better: 'more',
  traps: [
    'A stretch of downtime counts for the day on which it began, and incidents from before the period are not seen.',
    'Every incident counts as a failure: filter by severity if only outages are meant.',
    'Withheld below 5 incidents.',
    MERGED,
  ],
  days: (cohorts) => `
    SELECT grouped, ${day('at')} AS day, -sum(down_ms) AS numerator, count() AS denominator
    FROM (${downtime(cohorts)}) GROUP BY grouped, day`,
}

const downtimeCost: RatioMetric = {
  name: 'downtime_cost',
  kind: 'ratio',
  about: 'incidents',
  as: 'total',
  counted: 'denominator',
  title: { en: 'Cost of downtime', zh: '停机成本' },
  definition: {
    en: 'Hours in which at least one incident of a service was open × the cost of an hour that was given for it (`cost=SERVICE:AMOUNT`), summed.',
    zh: '某服务至少有一个未解决事件的小时数 × 给定的每小时成本（cost=服务:金额），求和。',
  },
  unit: 'money',
  better: 'less',
  traps: [
    'A service without a given cost costs nothing.',
    'An open incident is not always an outage: filter by severity.',
    'Time after the end of the period is left out.',
    MERGED,
  ],
  days: (cohorts) => `
    SELECT grouped, ${day('at')} AS day, sum(down_ms / 3600000 * transform(service, {cost_services:Array(String)}, {cost_rates:Array(Float64)}, 0)) AS numerator,
           count() AS denominator FROM (${downtime(cohorts, ', service')}) GROUP BY grouped, day`,
}

const satisfaction: RatioMetric = {
  name: 'satisfaction',
  kind: 'ratio',
  about: 'incidents',
  as: 'ratio',
  counted: 'denominator',
  title: { en: 'Satisfaction', zh: '满意度' },
  definition: { en: 'Mean of the marks 1 to 5 that reporters gave.', zh: '报障人评分（1–5）的平均值。' },
  unit: 'points',
  better: 'more',
  traps: ['Only imported incidents have marks so far.', 'Who answers is no fair sample.', MERGED],
  days: ({ incidents }) => `
    SELECT grouped, ${day('at')} AS day, sum(satisfaction) AS numerator, count(satisfaction) AS denominator
    FROM (${incidents}) WHERE isNotNull(satisfaction) GROUP BY grouped, day`,
}

export const VOLUME: readonly RatioMetric[] = [
  incidentsPerDay,
  interruptions,
  alertsPerIncident,
  compression,
  noiseReduction,
  mtbf,
  downtimeCost,
  satisfaction,
]
