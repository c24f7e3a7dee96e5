import type { Severity } from '../../schemas/alert.ts'
import type { Cohorts } from './cohorts.ts'
import { DURATIONS } from './durations.ts'
import { elapsed } from './elapsed.ts'
import type { ShareMetric, Text } from './metric.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

type Clock = 'response' | 'resolve' | 'review'

/** Targets unless the question gives others; the same for every severity. */
const TARGETS_MS: Readonly<Record<Clock, number>> = {
  response: 15 * MINUTE_MS,
  resolve: 2 * HOUR_MS,
  review: 24 * HOUR_MS,
}

/** Targets of a clock as bound parameters. */
export function targetParameters(
  clock: Clock,
  given: Readonly<Partial<Record<Severity, number>>> | null,
): Record<string, unknown> {
  const told = Object.entries(given ?? {})
  return {
    [`${clock}_severities`]: told.map(([severity]) => severity),
    [`${clock}_targets_ms`]: told.map(([, target_ms]) => target_ms),
    [`${clock}_target_ms`]: TARGETS_MS[clock],
  }
}

/** Met, breached or not due yet: an incident that went without the event before the event was due owed none. */
function attainment(clock: Clock, duration_name: string): (cohorts: Cohorts) => string {
  return (cohorts) => {
    const duration = DURATIONS.find(({ name }) => name === duration_name)
    if (duration === undefined) throw new Error(`${duration_name} is no duration`)
    const target = `transform(severity, {${clock}_severities:Array(String)}, {${clock}_targets_ms:Array(Int64)}, {${clock}_target_ms:Int64})`
    return `
      SELECT id, grouped, at, isNotNull(event_at) AND elapsed_ms <= ${target} AS hit
      FROM (${elapsed(duration.subjects(cohorts), cohorts.pieces)})
      WHERE isNotNull(event_at) OR elapsed_ms > ${target}`
  }
}

const NOT_DUE =
  'What is not late yet and has not come is left out; what is late and has not come is breached.'

function serviceLevel(
  clock: Clock,
  duration: string,
  names: { name: string; title: Text; definition: Text },
): ShareMetric {
  return {
    ...names,
    kind: 'share',
    about: 'incidents',
    unit: 'share',
    better: 'more',
    traps: [
      NOT_DUE,
      'Targets are those of the question or the defaults, not what a contract said at the time.',
      'Incidents that were merged into others are left out.',
    ],
    subjects: attainment(clock, duration),
  }
}

export const SERVICE_LEVELS: readonly ShareMetric[] = [
  serviceLevel('response', 'time_to_acknowledge', {
    name: 'response_timeliness',
    title: { en: 'Response in time', zh: '服务响应及时率' },
    definition: {
      en: 'Acknowledged within the target (15 min unless given) ÷ acknowledgements due.',
      zh: '在目标时限内（默认 15 分钟）完成首次人工确认的事件 ÷ 应响应的事件。',
    },
  }),
  serviceLevel('resolve', 'time_to_resolve', {
    name: 'sla_attainment',
    title: { en: 'Resolved in time (SLA)', zh: 'SLA 达成率' },
    definition: {
      en: 'Resolved within the target (2 h unless given) ÷ (met + breached).',
      zh: '在目标时限内（默认 2 小时）解决的事件 ÷（达成 + 违约）。',
    },
  }),
  serviceLevel('review', 'time_to_review', {
    name: 'review_timeliness',
    title: { en: 'Reviewed in time', zh: '复盘及时率' },
    definition: {
      en: 'Reviewed within the target (24 h unless given) of the resolution ÷ reviews due.',
      zh: '解决后在目标时限内（默认 24 小时）完成复盘的事件 ÷ 应复盘的事件。',
    },
  }),
]
