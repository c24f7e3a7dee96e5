import { z } from 'zod'
import { SEVERITIES, severity } from '../../schemas/alert.ts'
import { INCIDENT_STATES, type Incident, incident, incidentState } from '../../schemas/incident.ts'
import { incidentSummary } from '../../schemas/incident_summary.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import { summaryOf } from '../incident_summary.ts'
import type { ApiParts } from '../parts.ts'
import { type App, listOf } from '../validation.ts'

const INCIDENTS_PER_PAGE_MAX = 200
const SUMMARIES_PER_PAGE_MAX = 2_000

const query = z.strictObject({
  state: listOf(incidentState).describe('only these states'),
  severity: listOf(severity).describe('only these severities'),
  scope: z.string().max(LIMITS.scope_chars).optional().describe('only this scope'),
  assignee: z
    .string()
    .max(LIMITS.label_value_chars)
    .optional()
    .describe('only those of this person; empty: only those of nobody'),
  q: z
    .string()
    .max(200)
    .optional()
    .describe(
      'text in the title, id, group labels, or entities of listed members; upper and lower case are the same',
    ),
  sort: z
    .enum(['attention', 'severity', 'opened', 'updated'])
    .default('attention')
    .describe('attention: open before acknowledged before the rest, then most severe, then newest'),
  view: z
    .enum(['full', 'summary'])
    .default('full')
    .describe('summary: as a list shows them, without members and timeline; pages may be longer'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(SUMMARIES_PER_PAGE_MAX)
    .default(50)
    .describe(`incidents a page; at most ${INCIDENTS_PER_PAGE_MAX} in full`),
  cursor: z.string().max(500).optional().describe('`next_cursor` of the page before'),
})
type Query = z.infer<typeof query>

const counted = z.record(z.string(), z.number().int())
const page = z.object({
  incidents: z.array(z.union([incident, incidentSummary])).describe('in the `view` that was asked for'),
  next_cursor: z.string().nullable().describe('null on the last page'),
  counts: z.object({
    matching: z.number().int().describe('incidents on all pages'),
    kept: z.number().int().describe('incidents in the live view, whatever the filters'),
    by_state: counted.describe('as if `state` were left out'),
    by_severity: counted.describe('as if `severity` were left out'),
  }),
  changes_cursor: z.string().describe('follow /api/v1/changes?since= from here to miss nothing'),
  losses: z
    .object({ evicted: z.number().int(), unreadable: z.number().int() })
    .describe('closed incidents left out because there are too many, and changes that could not be read'),
})

type SortKey = readonly [...number[], string]

/** Ascending numbers, then the id: a total order that a cursor can name a place in. */
function sortKey(of: Incident, sort: Query['sort']): SortKey {
  const state = INCIDENT_STATES.indexOf(of.state)
  const rank = SEVERITIES.indexOf(of.severity)
  switch (sort) {
    case 'attention':
      return [state, rank, -of.opened_at_ms, of.id]
    case 'severity':
      return [rank, -of.opened_at_ms, of.id]
    case 'opened':
      return [-of.opened_at_ms, of.id]
    case 'updated':
      return [-of.updated_at_ms, of.id]
  }
}

function compareKeys(a: SortKey, b: SortKey): number {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0]
    if (x !== y) return x < y ? -1 : 1
  }
  return 0
}

const pageCursor = z.tuple([query.shape.sort.unwrap()], z.union([z.number(), z.string()]))

/** The key after which the page begins. A cursor belongs to the order that it was made for. */
function startOf({ cursor, sort }: Query): SortKey | null {
  if (cursor === undefined) return null
  const bad = new ApiError('invalid-parameter', `cursor is no cursor of a page in the order ${sort}`, {
    field: 'cursor',
    remedy: 'Leave out `cursor` to read the first page.',
  })
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch (error) {
    if (error instanceof SyntaxError) throw bad
    throw error
  }
  const result = pageCursor.safeParse(parsed)
  if (!result.success || result.data[0] !== sort) throw bad
  return result.data.slice(1) as unknown as SortKey
}

function endOf(last: Incident, sort: Query['sort']): string {
  return Buffer.from(JSON.stringify([sort, ...sortKey(last, sort)])).toString('base64url')
}

function hasText(of: Incident, text: string): boolean {
  const includes = (value: string) => value.toLowerCase().includes(text)
  return (
    includes(of.title) ||
    includes(of.id) ||
    Object.values(of.group).some(includes) ||
    of.members.some((member) => includes(member.entity))
  )
}

interface Found {
  readonly incidents: Incident[]
  readonly by_state: Record<string, number>
  readonly by_severity: Record<string, number>
  kept: number
}

function find(all: Iterable<Incident>, wanted: Query): Found {
  const found: Found = { incidents: [], by_state: {}, by_severity: {}, kept: 0 }
  const text = wanted.q?.toLowerCase() ?? ''
  for (const one of all) {
    found.kept++
    if (wanted.scope !== undefined && one.scope !== wanted.scope) continue
    if (wanted.assignee !== undefined && (one.assignee ?? '') !== wanted.assignee) continue
    if (text !== '' && !hasText(one, text)) continue
    const has_state = wanted.state.length === 0 || wanted.state.includes(one.state)
    const has_severity = wanted.severity.length === 0 || wanted.severity.includes(one.severity)
    if (has_severity) found.by_state[one.state] = (found.by_state[one.state] ?? 0) + 1
    if (has_state) found.by_severity[one.severity] = (found.by_severity[one.severity] ?? 0) + 1
    if (has_state && has_severity) found.incidents.push(one)
  }
  return found
}

export function incidentsRoute(app: App, { live }: ApiParts): void {
  const schema = {
    tags: ['incidents'],
    summary: 'List incidents',
    querystring: query,
    response: answers({ 200: page }),
  }
  app.get('/api/v1/incidents', { schema, config: { role: 'viewer' } }, async ({ query: wanted }) => {
    const after = startOf(wanted)
    if (wanted.view === 'full' && wanted.limit > INCIDENTS_PER_PAGE_MAX)
      throw new ApiError('invalid-parameter', `limit is at most ${INCIDENTS_PER_PAGE_MAX} in full`, {
        field: 'limit',
      })
    const found = find(live.all(), wanted)
    const keyed = found.incidents.map((one) => ({ one, key: sortKey(one, wanted.sort) }))
    const rest = after ? keyed.filter(({ key }) => compareKeys(key, after) > 0) : keyed
    const incidents = rest
      .sort((a, b) => compareKeys(a.key, b.key))
      .slice(0, wanted.limit)
      .map(({ one }) => one)
    const last = incidents.at(-1)
    const next_cursor = last && rest.length > incidents.length ? endOf(last, wanted.sort) : null
    const { by_state, by_severity, kept } = found
    return {
      incidents: wanted.view === 'summary' ? incidents.map(summaryOf) : incidents,
      next_cursor,
      counts: { matching: found.incidents.length, kept, by_state, by_severity },
      changes_cursor: live.cursor(),
      losses: live.losses,
    }
  })
}
