import type { Incident } from '../../schemas/incident.ts'
import { DEMO_LABELS } from './conditions.ts'

const CLOSED = new Set<Incident['state']>(['resolved', 'reviewed', 'merged'])

/** An incident of this run, or of an earlier one that goes on: it lists alerts of the demo, and is not closed since long. */
export function isOfDemo({ members, state, updated_at_ms }: Incident, began_ms: number): boolean {
  if (CLOSED.has(state) && updated_at_ms < began_ms) return false
  return members.some(({ labels }) => labels['environment'] === DEMO_LABELS.environment)
}

/** What became of the alerts, for a person. */
export function summary(alerts: number, sent: number, incidents: readonly Incident[], url: string): string {
  const fewer = Math.round((1 - incidents.length / alerts) * 1_000) / 10
  const rows = incidents.map(
    ({ state, severity, members_total, title }) =>
      `  ${state.padEnd(13)} ${severity.padEnd(9)} ${`${members_total} alert${members_total === 1 ? '' : 's'}`.padStart(10)}  ${title}`,
  )
  return [
    `${alerts} alerts (${sent} notifications) → ${incidents.length} incidents (${fewer} % fewer)`,
    ...rows,
    `Look at them: ${url}/`,
  ].join('\n')
}
