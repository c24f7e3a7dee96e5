import type { Severity } from '../../../schemas/alert.ts'
import type { IncidentState } from '../../../schemas/incident.ts'
import type { IncidentSummary } from '../../../schemas/incident_summary.ts'
import { SEVERITIES } from '../../parts/severity.tsx'

/** Which incidents a list shows and in which order; read from the address and pure from there on. */

export const STATES = [
  'open',
  'acknowledged',
  'mitigated',
  'resolved',
  'reviewed',
  'merged',
] as const satisfies readonly IncidentState[]
export const UNRESOLVED: readonly IncidentState[] = ['open', 'acknowledged', 'mitigated']
export const SORTS = ['attention', 'severity', 'opened', 'updated', 'alerts'] as const
export type Sort = (typeof SORTS)[number]

/** Filters by the name of their parameter. */
export const FILTERS = ['severity', 'state', 'scope', 'assignee', 'q'] as const
export type Filter = (typeof FILTERS)[number]

export interface View {
  /** Empty: all. */
  readonly severities: readonly Severity[]
  readonly states: readonly IncidentState[]
  readonly scope: string | null
  /** Empty: nobody's. */
  readonly assignee: string | null
  /** In lower case. */
  readonly text: string
  readonly sort: Sort
}

function listOf<Item extends string>(text: string | null, known: readonly Item[]): readonly Item[] {
  const asked = text?.split(',') ?? []
  return known.filter((item) => asked.includes(item))
}

export function viewOf(query: URLSearchParams): View {
  const states = query.get('state')
  const asked = listOf(states, STATES)
  const sort = query.get('sort')
  return {
    severities: listOf(query.get('severity'), SEVERITIES),
    states: states === 'all' ? STATES : asked.length > 0 ? asked : UNRESOLVED,
    scope: query.get('scope'),
    assignee: query.get('assignee'),
    text: (query.get('q') ?? '').trim().toLowerCase(),
    sort: SORTS.find((known) => known === sort) ?? 'attention',
  }
}

export function activeFilters(query: URLSearchParams): readonly Filter[] {
  return FILTERS.filter((name) => query.has(name))
}

function hasText({ title, id, entity, group, assignee }: IncidentSummary, text: string): boolean {
  const includes = (value: string) => value.toLowerCase().includes(text)
  return (
    includes(title) ||
    includes(entity) ||
    includes(id) ||
    (assignee !== null && includes(assignee)) ||
    Object.values(group).some(includes)
  )
}

const AGREES: Readonly<Record<Filter, (view: View, incident: IncidentSummary) => boolean>> = {
  severity: ({ severities }, { severity }) => severities.length === 0 || severities.includes(severity),
  state: ({ states }, { state }) => states.includes(state),
  scope: ({ scope }, incident) => scope === null || incident.scope === scope,
  assignee: ({ assignee }, incident) => assignee === null || (incident.assignee ?? '') === assignee,
  q: ({ text }, incident) => text === '' || hasText(incident, text),
}

function matches(view: View, incident: IncidentSummary): boolean {
  return FILTERS.every((name) => AGREES[name](view, incident))
}

/** How many incidents match all filters but this one. */
export function hiddenBy(view: View, filter: Filter, all: Iterable<IncidentSummary>): number {
  let hidden = 0
  for (const incident of all) {
    const others = FILTERS.every((name) => name === filter || AGREES[name](view, incident))
    if (others && !AGREES[filter](view, incident)) hidden++
  }
  return hidden
}

const STATE_RANK = new Map(STATES.map((state, i) => [state, i]))
const SEVERITY_RANK = new Map(SEVERITIES.map((severity, i) => [severity, i]))

/** States before severities, as one number. */
const SEVERITIES_MAX = 16

/** What sorts ascending; among equals the newest comes first, then ids decide. */
function rank(sort: Sort, of: IncidentSummary): number {
  const severity = SEVERITY_RANK.get(of.severity) ?? 0
  switch (sort) {
    case 'attention':
      return (STATE_RANK.get(of.state) ?? 0) * SEVERITIES_MAX + severity
    case 'severity':
      return severity
    case 'opened':
      return 0
    case 'updated':
      return -of.updated_at_ms
    case 'alerts':
      return -of.members_total
  }
}

export function ordered(view: View, all: Iterable<IncidentSummary>): string[] {
  const ranked: { readonly id: string; readonly rank: number; readonly opened_at_ms: number }[] = []
  for (const incident of all) {
    const { id, opened_at_ms } = incident
    if (matches(view, incident)) ranked.push({ id, rank: rank(view.sort, incident), opened_at_ms })
  }
  ranked.sort((a, b) => a.rank - b.rank || b.opened_at_ms - a.opened_at_ms || (a.id < b.id ? -1 : 1))
  return ranked.map(({ id }) => id)
}

export interface Counts {
  readonly by_severity: Readonly<Record<Severity, number>>
  readonly unresolved: number
  readonly unacknowledged: number
  readonly alerts: number
  readonly kept: number
}

/** What the strip says: of all unresolved incidents, whatever the filters. */
export function countsOf(all: Iterable<IncidentSummary>): Counts {
  const by_severity: Record<Severity, number> = { critical: 0, high: 0, medium: 0, low: 0, info: 0 }
  let [unresolved, unacknowledged, alerts, kept] = [0, 0, 0, 0]
  for (const { state, severity, members_total } of all) {
    kept++
    if (!UNRESOLVED.includes(state)) continue
    unresolved++
    alerts += members_total
    by_severity[severity]++
    if (state === 'open') unacknowledged++
  }
  return { by_severity, unresolved, unacknowledged, alerts, kept }
}
