import type { BusinessHours } from '../../schemas/analytics_question.ts'
import { occurrences, weekdayOf, type Weekly, WEEKDAYS } from '../../schemas/calendar.ts'

/**
 * Working time by days of UTC, so that a query finds its place without a search: how much lay before the day, and where in the day
 * it lies, in at most two stretches. In milliseconds since the epoch; a stretch that is not there begins and ends with the day.
 */
export interface WorkingDays {
  readonly first_day: number
  readonly before: readonly number[]
  readonly begins: readonly [readonly number[], readonly number[]]
  readonly ends: readonly [readonly number[], readonly number[]]
}

type Stretch = readonly [from_ms: number, to_ms: number]

const DAY_MS = 86_400_000
/** What was opened in a period may have begun so long before. */
const BEFORE_MS = 92 * DAY_MS

/** The stretches of working time that may touch a time from one to another, in order, apart from each other. */
export function workingStretches(hours: BusinessHours, from_ms: number, to_ms: number): Stretch[] {
  const { weekdays, at, duration_ms, time_zone, holidays, workdays } = hours
  const every: Weekly = { weekdays: [...WEEKDAYS], at, duration_ms, time_zone }
  const is_usual = (date: string) => weekdays.includes(weekdayOf(date)) && !holidays.includes(date)
  const worked = occurrences(every, from_ms - DAY_MS, to_ms + DAY_MS).filter(
    ({ date }) => workdays.includes(date) || is_usual(date),
  )
  const apart: [number, number][] = []
  for (const { begin_ms, end_ms } of worked) {
    const last = apart.at(-1)
    if (last !== undefined && begin_ms <= last[1]) last[1] = Math.max(last[1], end_ms)
    else apart.push([begin_ms, end_ms])
  }
  return apart
}

/** All working time that durations of a period may touch. */
export function workingDays(hours: BusinessHours, from_ms: number, as_of_ms: number): WorkingDays {
  const first_day = Math.floor((from_ms - BEFORE_MS) / DAY_MS)
  const last_day = Math.floor(as_of_ms / DAY_MS) + 1
  const stretches = workingStretches(hours, first_day * DAY_MS, (last_day + 1) * DAY_MS)
  const days = {
    before: [] as number[],
    begins: [[], []] as [number[], number[]],
    ends: [[], []] as [number[], number[]],
  }
  let total = 0
  let next = 0
  for (let day = first_day; day <= last_day; day++) {
    const begin = day * DAY_MS
    const end = begin + DAY_MS
    while (next < stretches.length && (stretches[next] as Stretch)[1] <= begin) next++
    const within: Stretch[] = []
    for (let i = next; i < stretches.length && (stretches[i] as Stretch)[0] < end; i++) {
      const [from, to] = stretches[i] as Stretch
      within.push([Math.max(from, begin), Math.min(to, end)])
    }
    if (within.length > 2) throw new Error(`a day of UTC has ${within.length} stretches of working time`)
    days.before.push(total)
    for (const slot of [0, 1] as const) {
      const [from, to] = within[slot] ?? [begin, begin]
      days.begins[slot].push(from)
      days.ends[slot].push(to)
      total += to - from
    }
  }
  return { first_day, ...days }
}

/** The bound parameters of `workedUntil`. */
export function workingParameters({ first_day, before, begins, ends }: WorkingDays): Record<string, unknown> {
  return {
    work_first_day: first_day,
    work_before: before,
    work_begins_1: begins[0],
    work_ends_1: ends[0],
    work_begins_2: begins[1],
    work_ends_2: ends[1],
  }
}

/** SQL of how much working time lies before a time (in milliseconds), counted from some beginning. */
export function workedUntil(at_ms: string): string {
  const days = (name: string) => `{${name}:Array(Int64)}`
  const day = `least(greatest(intDiv(${at_ms}, ${DAY_MS}) - {work_first_day:Int64} + 1, 1), length(${days('work_before')}))`
  const slot = (n: 1 | 2) => {
    const begin = `${days(`work_begins_${n}`)}[${day}]`
    return `least(greatest(${at_ms}, ${begin}), ${days(`work_ends_${n}`)}[${day}]) - ${begin}`
  }
  return `(${days('work_before')}[${day}] + ${slot(1)} + ${slot(2)})`
}
