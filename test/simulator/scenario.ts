import { DEFAULTS } from '../ingest/settings.ts'
import { scopeOf } from '../../ingest/scope.ts'
import type { SourceMessage } from '../../runtime/ports.ts'
import { partitionOf } from '../../schemas/ids.ts'
import { DEFAULT_EVIDENCE, DEFAULT_RULES, type Rules } from '../../schemas/rules.ts'
import { Random } from './random.ts'
import type { Expected } from './reference.ts'
import { CALM, type Rates, START_MS } from './world.ts'

export const FAULTS = [
  'crash',
  'crash',
  'crash',
  'stop',
  'rebalance',
  'rebalance',
  'rebalance-source',
  'failover',
  'claims-lost',
  'claims-lost',
  'clock',
  'log-clock',
  'log-down',
  'store-down',
  'history-down',
  'history-halfway',
  'sink-down',
  'source-back',
] as const
export type Fault = (typeof FAULTS)[number]
export const OPERATIONS = [
  'acknowledge',
  'mitigate',
  'resolve',
  'review',
  'reopen',
  'merge',
  'comment',
  'assign',
  'silence',
  'expire-silence',
  'maintenance',
  'end-maintenance',
  'shelve',
  'unshelve',
  'topology',
  'topology',
  'change-event',
  'post',
  'post',
] as const
export type Operation = (typeof OPERATIONS)[number]

interface At<T> {
  readonly at_ms: number
  readonly what: T
}

/** What one seed says will happen; how it comes out is up to the order of things. */
export interface Scenario {
  readonly partitions: number
  readonly hosts: number
  readonly rates: Rates
  /** The faults end here. */
  readonly storm_ms: number
  /** How long the calm lasts at least before everything must be at rest. */
  readonly calm_ms: number
  readonly sink_faults: number
  readonly with_hook: boolean
  readonly with_history: boolean
  readonly messages: readonly (readonly SourceMessage[])[]
  readonly expected: readonly (readonly Expected[])[]
  readonly bad_messages: number
  readonly faults: readonly At<Fault>[]
  readonly operations: readonly At<Operation>[]
}

const CLUSTERS = ['a', 'b', 'c', 'd']

/** Of the first rules only, and begun when they are changed or not. */
const PLANNED: Rules['maintenance'][number] = {
  kind: 'once',
  name: 'planned',
  match: [{ name: 'host', op: '=', value: 'h1' }],
  starts_at_ms: START_MS + 3_000,
  ends_at_ms: START_MS + 12_000,
  comment: '',
}

/** Slow hosts are so because they are full. */
const BEHIND: Rules['suppression'][number] = {
  name: 'behind',
  source: [{ name: 'alertname', op: '=', value: 'Full' }],
  target: [{ name: 'alertname', op: '=~', value: 'Full|Slow' }],
  equal: ['host'],
}

/** What is full takes what runs on it along. */
const CARRIED: Rules['suppression'][number] = {
  name: 'carried',
  source: [{ name: 'alertname', op: '=', value: 'Full' }],
  target: [{ name: 'alertname', op: '=~', value: 'Full|Slow|Down' }],
  equal: [],
  behind: true,
}

/** One pair is learned anew with the second rules, and what is chronic is so no more. */
const LEARNED: Rules['learned'] = {
  pairs: [
    {
      first: 'Full',
      second: 'Slow',
      where: 'related',
      followed: 9,
      of: 10,
      confidence: 0.6,
      gap_p90_ms: 3_000,
    },
  ],
  chronic: [{ scope: 'c', alertname: 'Full', entity: 'h4' }],
}

/** Short terms, so that within a minute groups idle, alerts expire and closed incidents leave the live view. */
export function rulesOf(version: string): Rules {
  return {
    ...DEFAULT_RULES,
    version,
    grouping: [
      {
        kind: 'pairs',
        name: 'down-and-full',
        pairs: [
          {
            a: [{ name: 'alertname', op: '=', value: 'Down' }],
            b: [{ name: 'alertname', op: '=', value: 'Full' }],
            within_ms: 8_000,
            equal: ['host'],
          },
        ],
        members_max: 3,
      },
      {
        kind: 'group_by',
        name: 'several-slow',
        match: [{ name: 'alertname', op: '=', value: 'Slow' }],
        group_by: ['cluster'],
        idle_timeout_ms: 15_000,
        members_max: 4,
        ...(version === 'first' ? { open_after: { alerts: 2, within_ms: 10_000 } } : {}),
      },
      {
        name: 'by-name',
        // What is full finds its incident by evidence.
        match: [{ name: 'alertname', op: '!=', value: 'Full' }],
        group_by: ['alertname'],
        idle_timeout_ms: version === 'first' ? 15_000 : 20_000,
        members_max: 3,
      },
    ],
    evidence: { ...DEFAULT_EVIDENCE, quiet_ms: 10_000, same_entity_ms: 15_000 },
    resolve_timeout_ms: 20_000,
    reopen_within_ms: 10_000,
    growth_interval_ms: 1_000,
    retain_resolved_ms: 30_000,
    maintenance: version === 'first' ? [PLANNED] : [],
    suppression: version === 'first' ? [BEHIND, CARRIED] : [CARRIED, BEHIND],
    learned: version === 'first' ? LEARNED : { ...LEARNED, chronic: [] },
    hold_ms: { high: 0, medium: version === 'first' ? 3_000 : 0, low: 0, info: 5_000 },
    flapping: { interval_ms: 2_000, start_percent: 15, end_percent: 10 },
  }
}

interface Statement {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt?: string
}

/** How often a source says what it has said before, and for how long. */
const REPEATED = 0.4
const REPEATED_TERM_MS = 70_000

/** One statement as a monitoring system would send it. */
export function statement(
  random: Random,
  cluster: string,
  at_ms: number,
  taken: Set<string>,
  mark?: string,
): Statement | null {
  const labels = {
    alertname: random.pick(['Down', 'Slow', 'Full', 'Full']),
    host: `h${random.between(1, 4)}`,
    cluster,
    severity: random.pick(['critical', 'warning', 'info']),
  }
  const key = JSON.stringify(labels)
  if (taken.has(key)) return null
  taken.add(key)
  const end_ms = random.pick([null, null, at_ms - 10, at_ms - 10, at_ms + random.between(1_000, 20_000)])
  return {
    labels,
    annotations: mark === undefined ? {} : { mark },
    startsAt: new Date(at_ms - random.between(100, 5_000)).toISOString(),
    ...(end_ms === null ? {} : { endsAt: new Date(end_ms).toISOString() }),
  }
}

/** The same once more, with an end that moved on, as Prometheus says it. */
function repeatOf(said: Statement, at_ms: number, taken: Set<string>): Statement | null {
  const key = JSON.stringify(said.labels)
  if (taken.has(key)) return null
  taken.add(key)
  return { ...said, endsAt: new Date(at_ms + REPEATED_TERM_MS).toISOString() }
}

export function clusterOf(random: Random): string {
  return random.pick(CLUSTERS)
}

function sourceOf(
  random: Random,
  partitions: number,
  storm_ms: number,
): { messages: SourceMessage[]; expected: Expected[]; bad: number } {
  const messages: SourceMessage[] = []
  const expected: Expected[] = []
  const said: { readonly cluster: string; readonly alert: Statement }[] = []
  let bad = 0
  const count = random.between(8, 20)
  for (let offset = 0; offset < count; offset++) {
    const at_ms = START_MS + Math.floor((offset / count) * storm_ms)
    const broken = random.chance(0.03)
    if (broken) bad++
    const taken = new Set<string>()
    const alerts: object[] = []
    for (let i = random.between(1, 3); i > 0; i--) {
      const again = said.length > 0 && random.chance(REPEATED) ? random.pick(said) : null
      const cluster = again?.cluster ?? clusterOf(random)
      const alert =
        again === null ? statement(random, cluster, at_ms, taken) : repeatOf(again.alert, at_ms, taken)
      if (alert === null || broken) continue
      said.push({ cluster, alert })
      expected.push({
        place: [offset, alerts.length],
        partition: partitionOf(scopeOf({ cluster }, DEFAULTS.scope.labels), partitions),
      })
      alerts.push(alert)
    }
    messages.push({
      offset,
      time_ms: at_ms,
      key: null,
      value: Buffer.from(broken ? '{"labels"' : JSON.stringify(alerts)),
      headers: {},
    })
  }
  return { messages, expected, bad }
}

function scattered<T>(random: Random, count: number, until_ms: number, list: readonly T[]): At<T>[] {
  return Array.from({ length: count }, () => ({
    at_ms: random.between(0, until_ms),
    what: random.pick(list),
  }))
}

/** `faults`: what may happen. */
export function scenarioOf(seed: number, faults: readonly Fault[] = FAULTS): Scenario {
  const random = new Random(seed, 'scenario')
  const partitions = random.between(1, 3)
  const storm_ms = random.between(6_000, 20_000)
  const rough = random.pick([0, 0.01, 0.05])
  const sources = Array.from({ length: random.between(1, 2) }, () => sourceOf(random, partitions, storm_ms))
  return {
    partitions,
    hosts: random.between(2, 3),
    rates: {
      ...CALM,
      refused: rough,
      answer_lost: rough,
      late: rough,
      slow: random.pick([0, 0.02, 0.1]),
      slow_page: random.pick([0, 0, 0.3]),
      insert_unanswered: random.pick([0, 0.3]),
    },
    storm_ms,
    calm_ms: random.pick([0, 0, 0, 0, 20_000, 50_000]),
    sink_faults: random.pick([0, 0.1, 0.4]),
    with_hook: random.chance(0.3),
    with_history: random.chance(0.15),
    messages: sources.map(({ messages }) => messages),
    expected: sources.map(({ expected }) => expected),
    bad_messages: sources.reduce((sum, { bad }) => sum + bad, 0),
    faults: [
      ...scattered(random, random.between(2, 10), storm_ms, faults),
      // Owners that have nothing to do any more learn of it all the same.
      ...(random.chance(0.1) ? [{ at_ms: storm_ms - 1, what: 'failover' as const }] : []),
    ],
    operations: scattered(random, random.between(2, 12), storm_ms, OPERATIONS),
  }
}
