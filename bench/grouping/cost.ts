import type { Recorded } from '../../cli/replay/lines.ts'
import { Replay } from '../../cli/replay/run.ts'
import { mentionsOf } from '../../correlate/match/mentions.ts'
import { contentVersion } from '../../schemas/ids.ts'
import type { TopologyEdge, TopologyPart } from '../../schemas/topology.ts'
import { seeded } from '../load/random.ts'
import { type Figure, quantile, rounded, type Table } from '../report.ts'
import { DEFAULTS, recordedOf } from './play.ts'

const BEGAN_S = Date.UTC(2026, 0, 1) / 1_000
const DAY_S = 86_400

type Labels = Readonly<Record<string, string>>

/** What an alert costs in a large scope, and under streams that mean harm, with the bounds that these reach. */
export function measureCost(): { figures: Record<string, Figure>; table: Table } {
  const rows = Object.fromEntries(
    HARM.map((harm) => {
      console.error(`cost: ${harm.name}`)
      return [harm.name, measureHarm(harm)]
    }),
  )
  console.error('cost: large scope')
  return { figures: measureLargeScope(), table: { title: 'cost under streams that mean harm', rows } }
}

function recorded(
  labels: Labels,
  ts_s: number,
  end: { readonly ends?: number; readonly status?: string } = {},
) {
  const [one] = recordedOf([{ value: { ...labels, ...end, ts: ts_s }, ts_s, incident: '' }])
  if (!one) throw new Error('the load has an alert that cannot be read')
  return one
}

/** Times what the fold does with one alert. */
class Timed {
  readonly run: Replay
  private readonly times_us: number[] = []

  constructor(topology: readonly TopologyPart[]) {
    this.run = new Replay(DEFAULTS, topology)
  }

  take(alert: Recorded): void {
    const began_ms = performance.now()
    this.run.take(alert)
    this.times_us.push((performance.now() - began_ms) * 1_000)
  }

  figures() {
    const { times_us } = this
    return {
      alerts: times_us.length,
      mean_us: rounded(times_us.reduce((sum, one) => sum + one, 0) / times_us.length, 1),
      p50_us: rounded(quantile(times_us, 0.5), 1),
      p99_us: rounded(quantile(times_us, 0.99), 1),
    }
  }
}

function topologyOf(edges: TopologyEdge[]): readonly TopologyPart[] {
  return [{ source: 'bench', version: contentVersion(edges), scope: '', edges, last: true }]
}

const OPEN_INCIDENTS = 1_000
const SERVICES = 1_000
const NODES = 250
const PODS = 8_750
const CALLS_PER_SERVICE = 3
const KINDS = 500
const NEW_ALERTS = 20_000
const OPENING_MAX = 50_000

/** 1,000 open incidents that take alerts, 10,000 entities with relations; each new alert ends at once, so that it stays so. */
function measureLargeScope(): Record<string, Figure> {
  const random = seeded(1)
  const timed = new Timed(topologyOf(largeTopology(random)))
  const { state } = timed.run
  let now_s = BEGAN_S
  let made = 0
  const next = (step_s: number): Labels => {
    now_s += step_s
    const pod = Math.floor(random() * PODS)
    return {
      alertname: `kind-${Math.floor(random() * KINDS)}`,
      pod: `pod-${pod}`,
      service: `service-${pod % SERVICES}`,
      node: `node-${pod % NODES}`,
      message: `occurrence-${made++}`,
    }
  }
  while (state.derived.unresolved < OPEN_INCIDENTS && made < OPENING_MAX)
    timed.run.take(recorded(next(0.01), now_s, { ends: now_s + DAY_S }))
  const opened_by = made
  const opened_s = now_s - BEGAN_S
  for (let i = 0; i < NEW_ALERTS; i++) {
    const labels = next(0.001)
    timed.take(recorded(labels, now_s, { ends: now_s + DAY_S }))
    timed.run.take(recorded(labels, now_s, { status: 'resolved' }))
  }
  const { mean_us, p50_us, p99_us } = timed.figures()
  return {
    large_scope_new_alert_mean_us: mean_us,
    large_scope_new_alert_p50_us: p50_us,
    large_scope_new_alert_p99_us: p99_us,
    large_scope_open_incidents: state.derived.unresolved,
    large_scope_related_entities: state.relations.size,
    large_scope_alerts_before: opened_by,
    large_scope_seconds_before: rounded(opened_s),
  }
}

function largeTopology(random: () => number): TopologyEdge[] {
  const edges: TopologyEdge[] = []
  for (let pod = 0; pod < PODS; pod++) {
    edges.push({ from: `pod-${pod}`, to: `service-${pod % SERVICES}`, kind: 'instance_of' })
    edges.push({ from: `pod-${pod}`, to: `node-${pod % NODES}`, kind: 'hosted_on' })
  }
  for (let service = 0; service < SERVICES; service++)
    for (let i = 0; i < CALLS_PER_SERVICE; i++)
      edges.push({
        from: `service-${service}`,
        to: `service-${Math.floor(random() * SERVICES)}`,
        kind: 'calls',
      })
  return edges
}

/** A stream that means harm: labels of its alerts, which come a millisecond apart. */
interface Harm {
  readonly name: string
  readonly alerts: number
  readonly topology: readonly TopologyPart[]
  readonly labels: (i: number, random: () => number) => Labels
}

const HUBS = 2_000
const BESIDE = 20
const RING = 5_000

const HARM: readonly Harm[] = [
  {
    name: 'a million label values',
    alerts: 200_000,
    topology: [],
    labels: (i) => ({
      alertname: `kind-${i % KINDS}`,
      pod: `pod-${i % 100}`,
      ...Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, `value-${name}${i}`])),
    }),
  },
  {
    name: 'one entity with 100,000 alerts',
    alerts: 100_000,
    topology: [],
    labels: (i) => ({ alertname: `kind-${i % KINDS}`, pod: 'pod-1', check: `check-${i}` }),
  },
  {
    name: 'all hubs',
    alerts: 100_000,
    topology: [],
    labels: (i, random) => ({
      alertname: `kind-${i % KINDS}`,
      pod: `pod-${i % HUBS}`,
      peer: `pod-${Math.floor(random() * HUBS)}`,
      message: `occurrence-${i}`,
    }),
  },
  {
    // Nothing is cut short, and everything is looked at.
    name: 'all just below hubs',
    alerts: 20_000,
    topology: topologyOf(
      Array.from({ length: RING * BESIDE }, (_, i) => ({
        from: `pod-${i % RING}`,
        to: `pod-${((i % RING) + 97 * (1 + Math.floor(i / RING))) % RING}`,
        kind: 'calls',
      })),
    ),
    labels: (i, random) => ({
      alertname: `kind-${i % KINDS}`,
      pod: `pod-${Math.floor(random() * RING)}`,
      message: `occurrence-${i}`,
    }),
  },
]

function measureHarm({ alerts, topology, labels }: Harm): Record<string, Figure> {
  const timed = new Timed(topology)
  const random = seeded(1)
  for (let i = 0; i < alerts; i++) timed.take(recorded(labels(i, random), BEGAN_S + i / 1_000))
  const { state } = timed.run
  const values = new Set<string>()
  for (const { alert } of state.alerts.values())
    for (const { value } of mentionsOf(alert)) values.add(`${alert.scope}\u0000${value}`)
  return {
    ...timed.figures(),
    firing: state.derived.firing,
    incidents: state.incidents.size,
    relations: state.relations.size,
    hubs: [...state.relations.entries()].filter(([, , { hub }]) => hub).length,
    values_indexed: values.size,
    paces: state.paces.size,
  }
}
