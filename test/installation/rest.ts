import type { Incident } from '../../schemas/incident.ts'
import type { Ask } from './history.ts'
import { summariesDue, type Given } from './outcome.ts'
import { type Tocsin, until } from './processes.ts'

/** Bounds a test that would never pass. A ticket whose creation is in doubt waits for half a minute before it is looked up. */
const PATIENCE_MS = 240_000
const UNTOLD = ['pending', 'in-flight', 'retrying']

/** Resolves with the incidents when everything is folded, told and recorded: nothing is left to do. */
export function atRest(
  tocsin: Tocsin,
  ask: () => Promise<Ask>,
  { statements, sent }: Given,
): Promise<readonly Incident[]> {
  const due = summariesDue(statements)
  const resolved = due.filter(({ state }) => state === 'resolved').length
  const firing = due.reduce((sum, { members_firing }) => sum + members_firing, 0)
  const answered = [...sent.values()].reduce((sum, one) => sum + one.answered, 0)
  let at = ''
  const look = async () => {
    at = 'the live view'
    const incidents = await tocsin.incidents()
    const sum = (of: (incident: Incident) => number) => incidents.reduce((so_far, one) => so_far + of(one), 0)
    if (sum(({ members_total }) => members_total) < sent.size) return null
    if (incidents.filter(({ state }) => state === 'resolved').length < resolved) return null
    if (sum(({ members_firing }) => members_firing) > firing) return null
    at = 'deliveries'
    for (const state of UNTOLD) {
      const { total } = await tocsin.get<{ total: number }>(`/api/v1/deliveries?state=${state}&limit=1`)
      if (total > 0) return null
    }
    at = 'the history'
    const asked = await ask()
    const revisions = await asked<{ id: string; revision: number }>(
      'SELECT id, revision FROM incidents FINAL',
    )
    const recorded = new Map(revisions.map(({ id, revision }) => [id, revision]))
    if (incidents.some(({ id, revision }) => recorded.get(id) !== revision)) return null
    const [changes] = await asked<{ count: number }>('SELECT count() AS count FROM incident_changes')
    if ((changes?.count ?? 0) < sum(({ revision }) => revision)) return null
    const [statements_recorded] = await asked<{ sum: number }>(
      'SELECT sum(statements) AS sum FROM alert_statements',
    )
    return (statements_recorded?.sum ?? 0) >= answered && incidents
  }
  return until('everything is at rest', look, PATIENCE_MS).catch((error: unknown) => {
    throw new Error(`no rest: waiting for ${at}`, { cause: error })
  })
}
