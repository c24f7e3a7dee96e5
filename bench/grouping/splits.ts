import { type Figure, rounded, spread } from '../report.ts'
import type { Recording } from './recordings.ts'
import { macro, type OfIncident } from './score.ts'

/** The incidents of a recording in parts, by what divides them and the name of the part. */
function partsOf(recording: Recording): ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> {
  const { lines, faults, topology } = recording
  const incidents = [...new Set(lines.map(({ incident }) => incident))].filter((one) => one !== '-')
  const began = new Map<string, number>()
  for (const { incident, ts_s } of lines) began.set(incident, Math.min(began.get(incident) ?? ts_s, ts_s))
  incidents.sort((a, b) => (began.get(a) ?? 0) - (began.get(b) ?? 0))
  const first_half = new Set(incidents.slice(0, incidents.length / 2))
  const by = (nameOf: (incident: string) => string) => Map.groupBy(incidents, nameOf)
  const parts = new Map([['time', by((one) => (first_half.has(one) ? 'first half' : 'second half'))]])
  if (faults.size === 0) return parts
  const service_of = new Map(
    topology
      .flatMap(({ edges }) => edges)
      .filter(({ kind }) => kind === 'instance_of')
      .map(({ from, to }) => [from, to]),
  )
  const entityOf = (incident: string) => faults.get(incident)?.entity ?? 'unknown'
  parts.set(
    'fault',
    by((one) => faults.get(one)?.type ?? 'unknown'),
  )
  parts.set(
    'service',
    by((one) => service_of.get(entityOf(one)) ?? entityOf(one)),
  )
  return parts
}

/** Scores of the same incidents in variants, by the name of the column. */
export type Scored = Readonly<Record<string, readonly ReadonlyMap<string, OfIncident>[]>>

type Rows = Record<string, Record<string, Figure>>

/** F1 of each part of the incidents, and how it spreads over the parts. */
export function spreadRows(
  recording: Recording,
  scored: Scored,
): { readonly parts: Rows; readonly spread: Rows } {
  const parts: Rows = {}
  const spreads: Rows = {}
  for (const [what, named] of partsOf(recording)) {
    const found: Record<string, number[]> = {}
    for (const [name, incidents] of named) {
      const row: Record<string, Figure> = { incidents: incidents.length }
      for (const [column, runs] of Object.entries(scored)) {
        const own = runs.flatMap((run) => incidents.flatMap((incident) => run.get(incident) ?? []))
        if (own.length === 0) continue
        const { f1 } = macro(own)
        row[column] = rounded(f1, 4)
        ;(found[column] ??= []).push(f1)
      }
      parts[`${what}: ${name}`] = row
    }
    const row: Record<string, Figure> = { parts: named.size }
    for (const [column, values] of Object.entries(found)) {
      const { min, median, max } = spread(values)
      row[`${column} min`] = rounded(min, 4)
      row[`${column} median`] = rounded(median, 4)
      row[`${column} max`] = rounded(max, 4)
    }
    spreads[what] = row
  }
  return { parts, spread: spreads }
}
