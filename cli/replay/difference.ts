/** How two runs over one recording differ: pure. */

/** Incident by line; null where the line is in none. */
export type Run = readonly (string | null)[]

interface Part {
  readonly incident: string
  readonly alerts: number
  /** Its first lines, counted from 0. */
  readonly first: readonly number[]
}

interface Moved extends Part {
  readonly parts: readonly Part[]
}

/** `before` is the other run. */
export interface Difference {
  readonly incidents: { readonly before: number; readonly after: number }
  readonly counts: Readonly<Record<'same' | 'split' | 'merged' | 'appeared' | 'vanished' | 'changed', number>>
  /** Incidents whose alerts are in several now, with these. */
  readonly split: readonly Moved[]
  /** Incidents of now whose alerts were in several, with those. */
  readonly merged: readonly Moved[]
  /** Incidents of alerts that were in none. */
  readonly appeared: readonly Part[]
  /** Incidents whose alerts are in none now. */
  readonly vanished: readonly Part[]
  /** Incidents of now that have some of their alerts from none, or left some to none; `parts` is the incident as it was. */
  readonly changed: readonly Moved[]
}

const FIRST_LINES = 3

export function difference(before: Run, after: Run): Difference {
  const [old_parts, new_parts] = [partsOf(before, after), partsOf(after, before)]
  const split: Moved[] = []
  const vanished: Part[] = []
  for (const { whole, others } of old_parts.values()) {
    if (others.size === 0) vanished.push(whole)
    else if (others.size > 1) split.push({ ...whole, parts: [...others.values()] })
  }
  const merged: Moved[] = []
  const appeared: Part[] = []
  const changed: Moved[] = []
  let same = 0
  for (const { whole, others } of new_parts.values()) {
    const [only] = others.keys()
    const was = only === undefined ? undefined : old_parts.get(only)
    if (was === undefined) appeared.push(whole)
    else if (others.size > 1) merged.push({ ...whole, parts: [...others.values()] })
    else if (was.others.size === 1) {
      const kept = others.get(was.whole.incident)?.alerts
      if (kept === whole.alerts && kept === was.whole.alerts) same++
      else changed.push({ ...whole, parts: [was.whole] })
    }
  }
  return {
    incidents: { before: old_parts.size, after: new_parts.size },
    counts: {
      same,
      split: split.length,
      merged: merged.length,
      appeared: appeared.length,
      vanished: vanished.length,
      changed: changed.length,
    },
    split,
    merged,
    appeared,
    vanished,
    changed,
  }
}

interface Counted {
  readonly incident: string
  alerts: number
  readonly first: number[]
}

interface Parted {
  readonly whole: Counted
  readonly others: Map<string, Counted>
}

function blank(incident: string): Counted {
  return { incident, alerts: 0, first: [] }
}

/** Each incident of a run, and those of the other run that have its alerts, in the order of their first lines. */
function partsOf(run: Run, other: Run): Map<string, Parted> {
  const found = new Map<string, Parted>()
  for (const [line, incident] of run.entries()) {
    if (incident === null) continue
    const known = found.get(incident) ?? { whole: blank(incident), others: new Map<string, Counted>() }
    found.set(incident, known)
    count(known.whole, line)
    const elsewhere = other[line] ?? null
    if (elsewhere === null) continue
    const part = known.others.get(elsewhere) ?? blank(elsewhere)
    known.others.set(elsewhere, part)
    count(part, line)
  }
  return found
}

function count(counted: Counted, line: number): void {
  counted.alerts++
  if (counted.first.length < FIRST_LINES) counted.first.push(line)
}
