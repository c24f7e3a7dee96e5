import type { Alert } from '../../schemas/alert.ts'
import type { TopologyPart } from '../../schemas/topology.ts'

/** The group of each alert, in the order in which they are heard. */
type Grouping = (alerts: readonly Alert[], topology: readonly TopologyPart[]) => readonly string[]

/** What is usual elsewhere, with the settings that are usual for it. */
export const BASELINES: Readonly<Record<string, Grouping>> = {
  'gap 300 s': byGap(300_000, () => ''),
  'gap 60 s': byGap(60_000, () => ''),
  'gap 20 s': byGap(20_000, () => ''),
  // As in the usual configuration of Alertmanager.
  'service, 300 s': byGap(300_000, ({ labels }) => `${labels['cluster']}\u0000${labels['service']}`),
  'cluster, 60 s': byGap(60_000, ({ labels }) => labels['cluster'] ?? ''),
  'topology, 60 s': byTopology(60_000, 2),
}

/** Alerts with the same key are together until none came for the gap. */
function byGap(gap_ms: number, keyOf: (alert: Alert) => string): Grouping {
  return (alerts) => {
    const last = new Map<string, { at_ms: number; readonly group: string }>()
    return alerts.map((alert, i) => {
      const key = keyOf(alert)
      const open = last.get(key)
      if (open && alert.starts_at_ms - open.at_ms <= gap_ms) {
        open.at_ms = Math.max(open.at_ms, alert.starts_at_ms)
        return open.group
      }
      const group = `g${i}`
      last.set(key, { at_ms: alert.starts_at_ms, group })
      return group
    })
  }
}

/** An alert joins the group of the latest alert within the gap whose entity is at most so many hops away. */
function byTopology(gap_ms: number, hops: number): Grouping {
  return (alerts, topology) => {
    const reach = reachOf(topology, hops)
    const last = new Map<string, { readonly at_ms: number; readonly group: string }>()
    return alerts.map(({ scope, entity, starts_at_ms }, i) => {
      let best: { readonly at_ms: number; readonly group: string } | null = null
      for (const near of reach(entity)) {
        const other = last.get(`${scope}\u0000${near}`)
        if (other && starts_at_ms - other.at_ms <= gap_ms && other.at_ms > (best?.at_ms ?? 0)) best = other
      }
      const group = best?.group ?? `g${i}`
      last.set(`${scope}\u0000${entity}`, { at_ms: starts_at_ms, group })
      return group
    })
  }
}

function reachOf(topology: readonly TopologyPart[], hops: number): (entity: string) => ReadonlySet<string> {
  const beside = new Map<string, string[]>()
  const link = (from: string, to: string) => {
    const known = beside.get(from)
    if (known === undefined) beside.set(from, [to])
    else known.push(to)
  }
  for (const { from, to } of topology.flatMap(({ edges }) => edges)) {
    link(from, to)
    link(to, from)
  }
  const known = new Map<string, ReadonlySet<string>>()
  return (entity) => {
    let found = known.get(entity)
    if (found === undefined) {
      let reached = new Set([entity])
      for (let hop = 0; hop < hops; hop++)
        reached = new Set([...reached, ...[...reached].flatMap((one) => beside.get(one) ?? [])])
      known.set(entity, (found = reached))
    }
    return found
  }
}
