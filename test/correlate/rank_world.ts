/** Evidence, topologies and backgrounds in a line each, for the tests of ranking. */
import { type Background, EMPTY_BACKGROUND, learn } from '../../correlate/rank/background.ts'
import type { Edge, EntityEvidence, Graph } from '../../correlate/rank/evidence.ts'

export function alerting(
  entity: string,
  alertnames: readonly string[],
  more: { first_at_ms?: number; alerts?: number; mentions?: Readonly<Record<string, number>> } = {},
): EntityEvidence {
  const { first_at_ms = 7_200_000, alerts = 1, mentions = {} } = more
  return {
    entity,
    alertnames: new Map(alertnames.map((alertname) => [alertname, { alerts, first_at_ms }])),
    mentions: new Map(Object.entries(mentions)),
    first_at_ms,
  }
}

/** Edges `[dependent, kind, dependency]`, seen from both ends. */
export function topology(links: readonly (readonly [string, string, string])[]): Graph {
  const edges = new Map<string, Edge[]>()
  const add = (entity: string, edge: Edge) => edges.set(entity, [...(edges.get(entity) ?? []), edge])
  for (const [dependent, kind, dependency] of links) {
    add(dependent, { to: dependency, kind, toward: 'dependency' })
    add(dependency, { to: dependent, kind, toward: 'dependent' })
  }
  return { edges: (entity) => edges.get(entity) ?? [] }
}

/** What is known after these incidents, an hour apart. */
export function after(...incidents: readonly (readonly EntityEvidence[])[]): Background {
  let background = EMPTY_BACKGROUND
  for (const [i, incident] of incidents.entries())
    background = learned(background, incident, (i + 1) * 3_600_000)
  return background
}

/** The background with one more incident in it, as the caller keeps it. */
export function learned(
  background: Background,
  incident: readonly EntityEvidence[],
  at_ms: number,
): Background {
  const { head, changed, forgotten } = learn(background, incident, at_ms)
  const habits = new Map(background.habits)
  for (const row of changed) habits.set(row.entity, row)
  for (const entity of forgotten) habits.delete(entity)
  return { head, habits }
}
