import type { Alert } from '../../schemas/alert.ts'
import type { LearnedPair, LearnedRules } from '../../schemas/learned.ts'
import type { AlertRow, State } from '../state.ts'
import { alertKind } from './mentions.ts'

/** When an alert of a kind that others follow came into its incident. */
interface Lead {
  readonly at_ms: number
  readonly fingerprint: string
}

/** Alerts mostly come in order; rows that are read back do not, and are sorted when they are first asked for. */
interface Leads {
  list: Lead[]
  sorted: boolean
}

/** Neither scopes nor names contain it. */
const SEPARATOR = '\u0000'

/** What was learned, by what it is asked for. It follows from the rules and the alert rows. */
export class Learned {
  private readonly pairs = new Map<string, LearnedPair[]>()
  private readonly firsts: ReadonlySet<string>
  private readonly chronic: ReadonlySet<string>
  /** Scope and kind → its alerts. */
  private readonly leads = new Map<string, Leads>()

  constructor({ pairs, chronic }: LearnedRules, alerts: ReadonlyMap<string, AlertRow>) {
    for (const pair of pairs) {
      const others = this.pairs.get(pair.second)
      if (others) others.push(pair)
      else this.pairs.set(pair.second, [pair])
    }
    this.firsts = new Set(pairs.map(({ first }) => first))
    this.chronic = new Set(
      chronic.map(({ scope, alertname, entity }) => chronicKey(scope, alertname, entity ?? null)),
    )
    for (const row of alerts.values()) this.note(null, row)
  }

  /** The pairs whose second alert is of this kind. */
  pairsOf(kind: string): readonly LearnedPair[] {
    return this.pairs.get(kind) ?? []
  }

  /** Fingerprints of the alerts of a kind, by when they came into their incident; only of kinds that others follow. */
  leadsOf(scope: string, kind: string): readonly Lead[] {
    const leads = this.leads.get(scope + SEPARATOR + kind)
    return leads === undefined ? [] : inOrder(leads)
  }

  /** A row changed: `old` is what it was, null when there was or is none. */
  note(old: AlertRow | null, row: AlertRow | null): void {
    if (this.firsts.size === 0) return
    if (old && row && old.joined_at_ms === row.joined_at_ms) return
    if (old) this.remove(old)
    if (row) this.add(row)
  }

  isChronic({ scope, entity, labels }: Alert): boolean {
    if (this.chronic.size === 0) return false
    const kind = labels['alertname'] ?? ''
    return (
      this.chronic.has(chronicKey(scope, kind, null)) || this.chronic.has(chronicKey(scope, kind, entity))
    )
  }

  private add({ alert, joined_at_ms: at_ms }: AlertRow): void {
    const kind = alertKind(alert)
    if (!this.firsts.has(kind)) return
    const lead = { at_ms, fingerprint: alert.fingerprint }
    const key = alert.scope + SEPARATOR + kind
    const leads = this.leads.get(key)
    if (leads === undefined) {
      this.leads.set(key, { list: [lead], sorted: true })
      return
    }
    leads.sorted &&= compareLeads(leads.list.at(-1) ?? lead, lead) <= 0
    leads.list.push(lead)
  }

  private remove({ alert, joined_at_ms: at_ms }: AlertRow): void {
    const key = alert.scope + SEPARATOR + alertKind(alert)
    const leads = this.leads.get(key)
    if (leads === undefined) return
    const list = inOrder(leads)
    const at = placeOf(list, { at_ms, fingerprint: alert.fingerprint })
    if (list[at]?.fingerprint === alert.fingerprint) list.splice(at, 1)
    if (list.length === 0) this.leads.delete(key)
  }
}

function chronicKey(scope: string, alertname: string, entity: string | null): string {
  return scope + SEPARATOR + alertname + (entity === null ? '' : SEPARATOR + entity)
}

/** A total order, so it is the same whatever order rows are read in. */
function compareLeads(a: Lead, b: Lead): number {
  return a.at_ms - b.at_ms || (a.fingerprint < b.fingerprint ? -1 : a.fingerprint > b.fingerprint ? 1 : 0)
}

function inOrder(leads: Leads): Lead[] {
  if (!leads.sorted) {
    leads.list.sort(compareLeads)
    leads.sorted = true
  }
  return leads.list
}

/** Where the lead is. */
function placeOf(leads: readonly Lead[], lead: Lead): number {
  let low = 0
  let high = leads.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareLeads(leads[middle] as Lead, lead) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The alert may join an incident; it opens none, keeps none going and bridges none. One that is critical is never held to be chronic. */
export function isChronic(state: State, alert: Alert): boolean {
  return alert.severity !== 'critical' && state.derived.learned.isChronic(alert)
}
