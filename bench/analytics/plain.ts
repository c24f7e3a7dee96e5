/**
 * The figures of metrics computed again, plainly, from what really happened. Nothing here is shared with the product: loops over all
 * incidents, and the product-limit estimate as its definition reads.
 */
import type { TrueAlarm, TrueIncident } from './truth.ts'

export interface Subject {
  readonly ms: number
  readonly event: boolean
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export interface PlainPeriod {
  readonly from_ms: number
  readonly to_ms: number
  readonly as_of_ms: number
}

const resolved = ({ episodes }: TrueIncident) => episodes.at(-1)?.[1] ?? null

/** Working time between two times: Monday to Friday, 09:00 to 17:00 at UTC+8, without a holiday and with a worked Saturday. */
export function plainWork(
  from_ms: number,
  to_ms: number,
  holidays: readonly string[],
  workdays: readonly string[],
): number {
  let total = 0
  for (
    let day = Math.floor((from_ms + 8 * HOUR_MS) / DAY_MS);
    day <= Math.floor((to_ms + 8 * HOUR_MS) / DAY_MS);
    day++
  ) {
    const date = new Date(day * DAY_MS)
    const text = date.toISOString().slice(0, 10)
    const usual = date.getUTCDay() >= 1 && date.getUTCDay() <= 5 && !holidays.includes(text)
    if (!usual && !workdays.includes(text)) continue
    const begin = day * DAY_MS + HOUR_MS
    total += Math.max(0, Math.min(to_ms, begin + 8 * HOUR_MS) - Math.max(from_ms, begin))
  }
  return total
}

type Elapsed = (from_ms: number, to_ms: number, pauses: TrueIncident['pauses']) => number
const wall: Elapsed = (from_ms, to_ms) => to_ms - from_ms

/** How durations end: with the event, or without it at `closed`, or without it now. */
function subject(
  begin: number,
  event: number | null,
  closed: number | null,
  as_of: number,
  elapsed: Elapsed,
  pauses: TrueIncident['pauses'],
): Subject {
  return { ms: elapsed(begin, event ?? closed ?? as_of, pauses), event: event !== null }
}

export function plainDurations(
  incidents: readonly TrueIncident[],
  as_of: number,
  elapsed: Elapsed = wall,
): Record<string, Subject[]> {
  const of = (step: (one: TrueIncident) => number | null) =>
    incidents.map((one) => subject(one.opened_ms, step(one), resolved(one), as_of, elapsed, one.pauses))
  return {
    time_to_detect: incidents.map((one) =>
      subject(one.first_event_ms, one.opened_ms, null, as_of, elapsed, one.pauses),
    ),
    time_to_acknowledge: of((one) => one.acknowledged_ms),
    time_to_mitigate: of((one) => one.mitigated_ms),
    time_to_resolve: of(resolved),
    time_to_review: incidents
      .filter((one) => resolved(one) !== null)
      .map((one) => subject(resolved(one) as number, one.reviewed_ms, null, as_of, elapsed, one.pauses)),
  }
}

export function plainActiveTime(incidents: readonly TrueIncident[], as_of: number): Subject[] {
  return incidents.map(({ episodes }) => {
    let ms = 0
    for (const [from, to] of episodes) ms += (to ?? as_of) - from
    return { ms, event: episodes.at(-1)?.[1] !== null }
  })
}

export function plainAlarmDurations(alarms: readonly TrueAlarm[], as_of: number): Subject[] {
  return alarms.map((one) => ({ ms: (one.ended_ms ?? as_of) - one.joined_ms, event: one.ended_ms !== null }))
}

/** Seconds rounded up, from 10,000 on to four digits, as the metrics say. */
function rounded(ms: number): number {
  const seconds = Math.ceil(ms / 1_000)
  const unit = 10 ** (Math.max(4, String(seconds).length) - 4)
  return Math.ceil(seconds / unit) * unit
}

/** The shortest times within which shares had the event, by the definition of the product-limit estimate; in milliseconds. */
export function plainQuantiles(subjects: readonly Subject[], shares: readonly number[]): (number | null)[] {
  const sorted = subjects.map(({ ms, event }) => ({ at: rounded(ms), event })).sort((a, b) => a.at - b.at)
  const curve: { at: number; survival: number }[] = []
  let survival = 1
  for (const [index, { at }] of sorted.entries()) {
    if (index > 0 && sorted[index - 1]?.at === at) continue
    let events = 0
    for (let i = index; sorted[i]?.at === at; i++) if (sorted[i]?.event) events++
    survival *= 1 - events / (sorted.length - index)
    curve.push({ at, survival })
  }
  return shares.map((share) => {
    const reached = curve.find((point) => point.survival <= 1 - share + 1e-9)
    return reached === undefined ? null : reached.at * 1_000
  })
}

/** Shares as [hits, n]. */
export function plainShares(
  incidents: readonly TrueIncident[],
  all: readonly TrueIncident[],
  as_of: number,
): Record<string, readonly [number, number]> {
  const count = <Item>(items: readonly Item[], is: (item: Item) => boolean) =>
    [items.filter(is).length, items.length] as const
  const closed = incidents.filter((one) => resolved(one) !== null)
  const followed = incidents.filter(
    ({ episodes }) => (episodes[0]?.[1] ?? Number.POSITIVE_INFINITY) + DAY_MS <= as_of,
  )
  const weeks = closed.filter((one) => (resolved(one) as number) + 7 * DAY_MS <= as_of)
  const assigned = incidents.filter(({ assignees }) => assignees.length > 0)
  const root = (one: TrueIncident) => one.alarms[0]?.fingerprint
  const others = Map.groupBy(
    all.filter((one) => one.merged_into === null),
    root,
  )
  const late = (subjects: readonly Subject[], target: number) => {
    const due = subjects.filter(({ ms, event }) => event || ms > target)
    return count(due, ({ ms, event }) => event && ms <= target)
  }
  const durations = plainDurations(incidents, as_of)
  return {
    never_acknowledged: count(closed, (one) => one.acknowledged_ms === null),
    reopened: count(
      followed,
      ({ episodes }) =>
        episodes.length > 1 && (episodes[1]?.[0] as number) - (episodes[0]?.[1] as number) <= DAY_MS,
    ),
    recurrence: count(weeks, (one) => {
      const end = resolved(one) as number
      return (others.get(root(one)) ?? []).some(
        (other) => other.opened_ms >= end && other.opened_ms <= end + 7 * DAY_MS,
      )
    }),
    flapping: count(incidents, (one) => one.flapped),
    dispatch_accuracy: count(
      closed.filter(({ assignees }) => assignees.length > 0),
      ({ assignees }) => assignees[0]?.name === assignees.at(-1)?.name,
    ),
    escalated: count(assigned, ({ assignees }) => new Set(assignees.map(({ name }) => name)).size > 1),
    response_timeliness: late(durations['time_to_acknowledge'] ?? [], 900_000),
    sla_attainment: late(durations['time_to_resolve'] ?? [], 7_200_000),
    review_timeliness: late(durations['time_to_review'] ?? [], 86_400_000),
  }
}

/** Length of the union of stretches. */
function union(stretches: readonly (readonly [number, number])[]): number {
  let total = 0
  let until = Number.NEGATIVE_INFINITY
  for (const [from, to] of [...stretches].sort(([a], [b]) => a - b)) {
    total += Math.max(0, to - Math.max(from, until))
    until = Math.max(until, to)
  }
  return total
}

/** Ratios as [numerator, denominator]; `alarms` are those that came in the period. */
export function plainRatios(
  incidents: readonly TrueIncident[],
  alarms: readonly TrueAlarm[],
  { from_ms, to_ms, as_of_ms }: PlainPeriod,
): Record<string, readonly [number, number]> {
  const days = (to_ms - from_ms) / DAY_MS
  const down = union(
    incidents.map((one) => [one.opened_ms, Math.min(resolved(one) ?? as_of_ms, to_ms)] as const),
  )
  const counts = new Map<string, number>()
  for (const { fingerprint } of alarms) counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1)
  const top = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 10)
  const observed = alarms.filter(({ joined_ms }) => joined_ms + DAY_MS <= as_of_ms)
  return {
    incidents_per_day: [incidents.length, days],
    interruptions: [incidents.reduce((sum, { episodes }) => sum + episodes.length, 0), days],
    alerts_per_incident: [
      incidents.reduce((sum, one) => sum + new Set(one.alarms.map(({ fingerprint }) => fingerprint)).size, 0),
      incidents.length,
    ],
    compression: [incidents.length, alarms.length],
    mtbf: [to_ms - from_ms - down, incidents.length],
    alarm_rate: [alarms.length, days * 144],
    flood_time: floods(alarms, from_ms, to_ms),
    chattering: [
      alarms.filter(
        (one) =>
          alarms.filter(
            (other) =>
              other.fingerprint === one.fingerprint &&
              other.joined_ms <= one.joined_ms &&
              other.joined_ms >= one.joined_ms - 60_000,
          ).length >= 3,
      ).length,
      alarms.length,
    ],
    stale_alarms: [
      observed.filter(
        ({ joined_ms, ended_ms }) => (ended_ms ?? Number.POSITIVE_INFINITY) > joined_ms + DAY_MS,
      ).length,
      observed.length,
    ],
    top_ten_share: [top.reduce((sum, [, n]) => sum + n, 0), alarms.length],
    high_priority_share: [
      alarms.filter(({ severity }) => severity === 'critical' || severity === 'high').length,
      alarms.length,
    ],
  }
}

function floods(alarms: readonly TrueAlarm[], from_ms: number, to_ms: number): readonly [number, number] {
  let flood = false
  let slots = 0
  let flooded = 0
  for (let begin = from_ms; begin < to_ms; begin += 600_000) {
    const here = alarms.filter(({ joined_ms }) => joined_ms >= begin && joined_ms < begin + 600_000).length
    if (here > 10) flood = true
    else if (here < 5) flood = false
    slots++
    if (flood) flooded++
  }
  return [flooded, slots]
}
