import { NOISE } from './recordings.ts'

/** How well a grouping agrees with the labels of the alerts. Noise counts in groups, compression and contamination alone. */
export interface Score {
  readonly incidents: number
  readonly groups: number
  /** B³ (Bagga and Baldwin 1998), as means over true incidents, so that small ones count like large ones. */
  readonly precision: number
  readonly recall: number
  readonly f1: number
  /** Share of incidents with a group that has half of the incident and of which half is the incident. */
  readonly match: number
  readonly groups_per_incident: number
  /** Share of alerts that nobody reads as something of their own. */
  readonly compression: number
  /** Share of noise in the groups that have anything else. */
  readonly contamination: number
  readonly of_incident: ReadonlyMap<string, OfIncident>
}

export interface OfIncident {
  readonly precision: number
  readonly recall: number
  /** The group that has most of its alerts. */
  readonly home: string
}

interface Cell {
  readonly incident: string
  readonly group: string
  alerts: number
}

/** `groups` has a group for each of `incidents`; an alert with null stands alone. */
export function score(incidents: readonly string[], groups: readonly (string | null)[]): Score {
  const counted = count(incidents, groups)
  const { in_incident, in_group, noise_in_group, cells } = counted
  const of_incident = new Map<string, OfIncident>()
  const matched = new Set<string>()
  for (const [incident, own] of Map.groupBy(cells.values(), (cell) => cell.incident)) {
    const total = in_incident.get(incident) ?? 0
    const sum = (weight: (cell: Cell) => number) => sumOf(own.map(weight)) / total
    const size = ({ group }: Cell) => in_group.get(group) ?? 0
    of_incident.set(incident, {
      precision: sum((cell) => cell.alerts ** 2 / size(cell)),
      recall: sum((cell) => cell.alerts ** 2 / total),
      home: own.reduce((best, cell) => (cell.alerts > best.alerts ? cell : best)).group,
    })
    if (own.some((cell) => cell.alerts >= total / 2 && cell.alerts >= size(cell) / 2)) matched.add(incident)
  }
  const noise = sumOf([...in_group.keys()].map((group) => noise_in_group.get(group) ?? 0))
  return {
    incidents: in_incident.size,
    groups: new Set([...in_group.keys(), ...noise_in_group.keys()]).size,
    ...macro([...of_incident.values()]),
    match: matched.size / in_incident.size,
    groups_per_incident: cells.size / in_incident.size,
    compression: 1 - new Set([...in_group.keys(), ...noise_in_group.keys()]).size / incidents.length,
    contamination: noise / (noise + sumOf([...in_group.values()])),
    of_incident,
  }
}

/** Means over incidents, and of them the harmonic mean. */
export function macro(
  of_incident: readonly Pick<OfIncident, 'precision' | 'recall'>[],
): Pick<Score, 'precision' | 'recall' | 'f1'> {
  const precision = sumOf(of_incident.map((one) => one.precision)) / of_incident.length
  const recall = sumOf(of_incident.map((one) => one.recall)) / of_incident.length
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) }
}

function count(incidents: readonly string[], groups: readonly (string | null)[]) {
  const in_incident = new Map<string, number>()
  const in_group = new Map<string, number>()
  const noise_in_group = new Map<string, number>()
  const cells = new Map<string, Cell>()
  incidents.forEach((incident, i) => {
    const group = groups[i] ?? `alone-${i}`
    if (incident === NOISE) return raise(noise_in_group, group)
    raise(in_incident, incident)
    raise(in_group, group)
    const key = `${incident}\u0000${group}`
    const cell = cells.get(key) ?? { incident, group, alerts: 0 }
    cell.alerts++
    cells.set(key, cell)
  })
  return { in_incident, in_group, noise_in_group, cells }
}

function raise(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0)
}

export interface CauseScore {
  readonly faults: number
  /** Share of incidents whose injected entity is named first, and among the first three. */
  readonly at_1: number
  readonly at_3: number
  /** Mean reciprocal rank. */
  readonly mrr: number
}

/** How the causes that the home of each incident names, the likeliest first, agree with what was injected. */
export function scoreCauses(
  { of_incident }: Pick<Score, 'of_incident'>,
  faults: ReadonlyMap<string, { readonly entity: string }>,
  causes: ReadonlyMap<string, readonly string[]>,
): CauseScore {
  const ranks: number[] = []
  for (const [incident, { home }] of of_incident) {
    const fault = faults.get(incident)
    if (fault !== undefined) ranks.push((causes.get(home) ?? []).indexOf(fault.entity))
  }
  const share = (worth: (rank: number) => number) =>
    sumOf(ranks.map((rank) => (rank < 0 ? 0 : worth(rank)))) / ranks.length
  return {
    faults: ranks.length,
    at_1: share((rank) => (rank === 0 ? 1 : 0)),
    at_3: share((rank) => (rank < 3 ? 1 : 0)),
    mrr: share((rank) => 1 / (rank + 1)),
  }
}

/** How alike two groupings of the same alerts are, by pairs of alerts. */
export interface Likeness {
  /** Share of the pairs that are together before, which are together after. */
  readonly kept: number
  /** Share of the pairs that are together after, which were not together before. */
  readonly new: number
}

export function likeness(before: readonly (string | null)[], after: readonly (string | null)[]): Likeness {
  const [old, now, both] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()]
  before.forEach((group, i) => {
    const [was, is] = [group ?? `alone-${i}`, after[i] ?? `alone-${i}`]
    raise(old, was)
    raise(now, is)
    raise(both, `${was}\u0000${is}`)
  })
  const pairs = (counts: Map<string, number>) => sumOf([...counts.values()].map((n) => (n * (n - 1)) / 2))
  return { kept: pairs(both) / pairs(old), new: 1 - pairs(both) / pairs(now) }
}
