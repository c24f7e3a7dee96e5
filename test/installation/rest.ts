import type { DeliveryRow } from '../../notify/delivery.ts'
import type { Incident } from '../../schemas/incident.ts'
import type { Ask } from './history.ts'
import { summariesDue, type Given } from './outcome.ts'
import { type Tocsin, until } from './processes.ts'

/** Bounds a test that would never pass. A ticket whose creation is in doubt waits for half a minute before it is looked up. */
const PATIENCE_MS = 240_000
/** The sinks of the configuration that every installation here has (`sinksText`). */
const [WEBHOOK, TICKETS] = ['pager', 'tickets']

/**
 * Is all that sinks are to know of the incident told? That nothing is untold would not do: the deliver fold may lag, and then
 * has no row of the incident yet, or one of an older revision. A ticket is not at rest before the incident knows of it.
 */
async function isTold(tocsin: Tocsin, { id, revision, severity, tickets }: Incident): Promise<boolean> {
  const critical = severity === 'critical'
  if (critical && !tickets.some(({ sink }) => sink === TICKETS)) return false
  const { deliveries } = await tocsin.get<{ deliveries: readonly DeliveryRow[] }>(
    `/api/v1/deliveries?incident_id=${id}`,
  )
  return [WEBHOOK, ...(critical ? [TICKETS] : [])].every((due) =>
    deliveries.some(
      ({ sink, state, wanted }) => sink === due && state === 'delivered' && wanted.revision === revision,
    ),
  )
}

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
  /** Revisions of incidents, found to be told. */
  const told = new Map<string, number>()
  let at = ''
  const look = async () => {
    at = 'the live view'
    const incidents = await tocsin.incidents()
    const sum = (of: (incident: Incident) => number) => incidents.reduce((so_far, one) => so_far + of(one), 0)
    if (sum(({ members_total }) => members_total) < sent.size) return null
    if (incidents.filter(({ state }) => state === 'resolved').length < resolved) return null
    if (sum(({ members_firing }) => members_firing) > firing) return null
    at = 'deliveries'
    for (const incident of incidents) {
      if (told.get(incident.id) === incident.revision) continue
      if (!(await isTold(tocsin, incident))) return null
      told.set(incident.id, incident.revision)
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
