import type { ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { History } from '../../analytics/connection.ts'
import { METRICS, metricNamed } from '../../analytics/metrics/catalogue.ts'
import { askMetric } from '../../analytics/queries/metric.ts'
import {
  plainActiveTime,
  plainAlarmDurations,
  plainDurations,
  plainQuantiles,
  plainRatios,
  plainShares,
  plainWork,
} from '../../bench/analytics/plain.ts'
import { addStatements, TruthWriter } from '../../bench/analytics/rows_of_truth.ts'
import { type TrueIncident, trueIncidents } from '../../bench/analytics/truth.ts'
import { metricAnswer, type GroupFigures } from '../../schemas/analytics_answer.ts'
import { type AnalyticsQuestion, DEFAULT_SHIFTS } from '../../schemas/analytics_question.ts'
import { encodeRecord } from '../../schemas/codec.ts'
import type { Command } from '../../schemas/command.ts'
import { clickhouse, describeWith } from '../services/index.ts'
import { Owner, Shard } from './driver.ts'
import { openHistory } from './place.ts'

const DAY_MS = 86_400_000
const TO_MS = Date.UTC(2026, 10, 1)
const FROM_MS = TO_MS - 61 * DAY_MS
const CHANGE_MS = Date.UTC(2026, 9, 1)
const SHAPE = {
  incidents: 1_200,
  from_ms: FROM_MS,
  to_ms: TO_MS,
  seed: 11,
  change: { service: 'service-0', at_ms: CHANGE_MS, factor: 0.35 },
}
/** A period within it, so that what begins before and after has to be left out. */
const PERIOD = { from_ms: FROM_MS + 3 * DAY_MS, to_ms: TO_MS - 2 * DAY_MS }
const QUESTION: AnalyticsQuestion = {
  period: PERIOD,
  compared: null,
  as_of_ms: TO_MS,
  tz: 'UTC',
  by: [],
  filters: {},
  labels: [],
  shifts: DEFAULT_SHIFTS,
  business_hours: null,
  target_ms: null,
  within_ms: null,
  cost_per_hour: {},
}
const TRUTH: readonly TrueIncident[] = [...trueIncidents(SHAPE)]
const opened = TRUTH.filter(({ opened_ms }) => opened_ms >= PERIOD.from_ms && opened_ms < PERIOD.to_ms)
const cohort = opened.filter(({ merged_into }) => merged_into === null)
const cohortOfAll = TRUTH.filter(({ merged_into }) => merged_into === null)
const alarms = TRUTH.flatMap((one) => one.alarms).filter(
  ({ joined_ms }) => joined_ms >= PERIOD.from_ms && joined_ms < PERIOD.to_ms,
)
const HOLIDAYS = ['2026-10-01', '2026-10-02', '2026-10-05', '2026-10-06', '2026-10-07']
const WORKDAYS = ['2026-10-10']
const QUANTILES = [0.5, 0.75, 0.9, 0.95]

await describeWith(clickhouse, 'metrics over a history whose truth is known', (address) => {
  let history: History
  let client: ClickHouseClient
  beforeAll(async () => {
    ;({ history, client } = await openHistory(address))
    const writer = new TruthWriter(client)
    for (const one of TRUTH) await writer.add(one)
    await writer.close()
    await addStatements(client, { ...PERIOD, count: 10_000, repeats: 3 })
  })
  afterAll(() => history.close())

  async function ask(name: string, more: Partial<AnalyticsQuestion> = {}): Promise<GroupFigures[]> {
    const metric = metricNamed(name)
    if (!metric) throw new Error(`there is no metric ${name}`)
    const answer = await askMetric(client, metric, { ...QUESTION, ...more })
    expect(metricAnswer.parse(answer)).toEqual(answer)
    return answer.groups
  }

  const durations = {
    ...plainDurations(cohort, TO_MS),
    detection_latency: plainDurations(cohort, TO_MS)['time_to_detect'] ?? [],
    repair_time: plainDurations(cohort, TO_MS)['time_to_resolve'] ?? [],
    active_time: plainActiveTime(cohort, TO_MS),
    alarm_duration: plainAlarmDurations(alarms, TO_MS),
  }
  it.each(Object.entries(durations))('%s has the quantiles of the truth', async (name, subjects) => {
    const [group] = await ask(name)
    const { value, n, duration } = group as GroupFigures
    expect([n, value, duration?.p75, duration?.p90, duration?.p95]).toEqual([
      subjects.length,
      ...plainQuantiles(subjects, QUANTILES),
    ])
    expect(subjects.filter(({ event }) => !event)).toHaveLength(
      (duration?.open ?? 0) + (duration?.closed_without ?? 0),
    )
  })

  it('tells durations in working time, less pauses', async () => {
    const work = (from_ms: number, to_ms: number) => plainWork(from_ms, to_ms, HOLIDAYS, WORKDAYS)
    const subjects = plainDurations(cohort, TO_MS, (from_ms, to_ms, pauses) => {
      const paused = pauses.map(([from, to]) =>
        work(Math.max(from, from_ms), Math.max(from_ms, Math.min(to, to_ms))),
      )
      return work(from_ms, to_ms) - paused.reduce((sum, ms) => sum + Math.max(0, ms), 0)
    })
    const business_hours = {
      weekdays: ['mon', 'tue', 'wed', 'thu', 'fri'],
      at: '09:00',
      duration_ms: 8 * 3_600_000,
      time_zone: 'Asia/Shanghai',
      holidays: HOLIDAYS,
      workdays: WORKDAYS,
    } as const
    for (const name of ['time_to_resolve', 'time_to_acknowledge']) {
      const [group] = await ask(name, { business_hours })
      expect([group?.value, group?.duration?.p75, group?.duration?.p90]).toEqual(
        plainQuantiles(subjects[name] ?? [], QUANTILES.slice(0, 3)),
      )
    }
  })

  it.each([
    ...Object.entries(plainShares(cohort, TRUTH, TO_MS)),
    ['merged', [opened.length - cohort.length, opened.length]] as const,
  ])('%s is the share of the truth', async (name, [hits, n]) => {
    const [group] = await ask(name)
    expect(hits).toBeGreaterThan(0)
    expect([group?.hits, group?.n]).toEqual([hits, n])
    expect(group?.value).toBe(hits / n)
  })

  const ratios = {
    ...plainRatios(cohort, alarms, { ...PERIOD, as_of_ms: TO_MS }),
    noise_reduction: [alarms.length, 30_000] as const,
  }
  it.each(Object.entries(ratios))('%s is the ratio of the truth', async (name, [numerator, denominator]) => {
    const [group] = await ask(name)
    expect(numerator).toBeGreaterThan(0)
    expect(group?.ratio?.numerator).toBeCloseTo(numerator, 6)
    expect(group?.ratio?.denominator).toBeCloseTo(denominator, 6)
  })

  it('costs downtime by the rates that are given', async () => {
    const hours = (service: string) => {
      const own = cohort.filter((one) => one.service === service)
      const up = plainRatios(own, [], { ...PERIOD, as_of_ms: TO_MS })['mtbf']?.[0] ?? 0
      return (PERIOD.to_ms - PERIOD.from_ms - up) / 3_600_000
    }
    const [group] = await ask('downtime_cost', { cost_per_hour: { 'service-0': 100, 'service-3': 7.5 } })
    expect(group?.value).toBeCloseTo(hours('service-0') * 100 + hours('service-3') * 7.5, 4)
  })

  it('tells how many changes were followed by trouble', async () => {
    const place = { partition: 0, position: 0, time_ms: PERIOD.from_ms }
    const about = cohort.filter((_, index) => index % 5 === 0)
    const command = (id: string, change: object) =>
      ({ id, actor: 'ci', body: { kind: 'change-event', change } }) as const
    const told = about.map(({ service, opened_ms }, i) => ({
      scope: '',
      entity: service,
      at_ms: opened_ms - (i % 3) * 3_600_000,
      text: 'deployed',
    }))
    const entries = [...told, ...told].map((change, position) => ({
      position,
      time_ms: place.time_ms,
      headers: {},
      // What concerns every scope is in every partition, with one id.
      value: encodeRecord({
        kind: 'command',
        command: command(`deploy-${position % told.length}`, change) as Command,
      }),
    }))
    await (await new Owner(new Shard(), { topic: 'alerts', partition: 0, client }).claim()).read(entries)
    const inPeriod = told.filter(({ at_ms }) => at_ms >= PERIOD.from_ms && at_ms < PERIOD.to_ms)
    const broke = inPeriod.filter(({ entity, at_ms }) =>
      cohortOfAll.some(
        (one) => one.service === entity && one.opened_ms >= at_ms && one.opened_ms <= at_ms + 3_600_000,
      ),
    )
    const [group] = await ask('change_failure')
    expect([group?.hits, group?.n]).toEqual([broke.length, inPeriod.length])
    expect(broke.length).toBeLessThan(inPeriod.length)
  })

  it('counts by what it is asked for, in the time zone that it is asked for', async () => {
    const local = new Intl.DateTimeFormat('en-CA', {
      timeZone: 'America/New_York',
      year: 'numeric',
      month: '2-digit',
    })
    const wanted = Map.groupBy(
      cohort,
      (one) => `${one.team} ${local.format(one.opened_ms).replace('/', '-')}`,
    )
    const groups = await ask('never_acknowledged', { by: ['team', 'month'], tz: 'America/New_York' })
    const share = (one: TrueIncident[]) => plainShares(one, TRUTH, TO_MS)['never_acknowledged']
    expect(groups.map(({ by, hits, n }) => [`${by['team']} ${by['month']}`, [hits, n]])).toEqual(
      [...wanted].map(([key, own]) => [key, share(own)]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    )
    const [one] = await ask('sla_attainment', {
      filters: { service: ['service-1', 'service-2'], severity: ['high'] },
      target_ms: { high: 3_600_000 },
    })
    const own = cohort.filter(
      ({ service, severity }) => ['service-1', 'service-2'].includes(service) && severity === 'high',
    )
    const due = (plainDurations(own, TO_MS)['time_to_resolve'] ?? []).filter(
      ({ ms, event }) => event || ms > 3_600_000,
    )
    expect([one?.hits, one?.n]).toEqual([
      due.filter(({ ms, event }) => event && ms <= 3_600_000).length,
      due.length,
    ])
    const [labelled] = await ask('incidents_per_day', { labels: [{ name: 'alertname', value: 'DiskFull' }] })
    expect(labelled?.n).toBe(cohort.filter((incident) => incident.alarms[0]?.alertname === 'DiskFull').length)
  })

  it('divides rates by the hours that there were, of days with 23 and 25 as well', async () => {
    // Berlin leaves summer time on 25 October 2026.
    const period = { from_ms: Date.UTC(2026, 9, 23, 22), to_ms: Date.UTC(2026, 9, 26, 23) }
    const groups = await ask('incidents_per_day', { period, by: ['day'], tz: 'Europe/Berlin' })
    expect(groups.map(({ by, ratio }) => [by['day'], (ratio?.denominator ?? 0) * 24])).toEqual([
      ['2026-10-24', 24],
      ['2026-10-25', 25],
      ['2026-10-26', 24],
    ])
  })

  it('finds the planted change and no other', async () => {
    const more = {
      period: { from_ms: CHANGE_MS, to_ms: TO_MS },
      compared: { from_ms: FROM_MS, to_ms: CHANGE_MS },
    }
    const groups = await ask('time_to_resolve', {
      ...more,
      by: ['service'],
      filters: { service: ['service-0', 'service-1', 'service-2', 'service-4'] },
    })
    const verdicts = Object.fromEntries(
      groups.map(({ by, compared }) => [by['service'], compared?.verdict.code]),
    )
    expect(verdicts).toEqual({
      'service-0': 'lower',
      'service-1': 'no-evidence',
      'service-2': 'no-evidence',
      'service-4': 'no-evidence',
    })
    const changed = groups.find(({ by }) => by['service'] === 'service-0')?.compared?.verdict
    expect(changed?.text.en).toMatch(/^shorter \(−[\d.]+ (?:min|h), −[\d.]+…−[\d.]+; n \d+\/\d+\)$/)
    expect(changed?.text.zh).toMatch(/^缩短（−[\d.]+ (?:分钟|小时)，−[\d.]+…−[\d.]+；n \d+\/\d+）$/)
  })

  it('withholds what few incidents cannot tell', async () => {
    const period = { from_ms: TO_MS - DAY_MS / 12, to_ms: TO_MS }
    const [group] = await ask('time_to_resolve', {
      period,
      compared: PERIOD,
      filters: { service: ['service-0'] },
    })
    expect(group?.compared?.verdict).toMatchObject({ code: 'withheld', difference: null })
    const [mtbf] = await ask('mtbf', { period, filters: { service: ['service-39'] } })
    expect([mtbf?.value, (mtbf?.n ?? 0) < 5]).toEqual([null, true])
  })

  it('answers every metric about nothing', async () => {
    const period = { from_ms: 0, to_ms: DAY_MS }
    for (const { name } of METRICS) {
      const groups = await ask(name, { period })
      for (const { value } of groups) expect([name, value]).toEqual([name, expect.toBeOneOf([null, 0])])
    }
  })
})
