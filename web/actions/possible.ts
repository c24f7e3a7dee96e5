import type { IncidentState } from '../../schemas/incident.ts'

/** The states from which a step is possible, as the correlator holds it (correlate/lifecycle.ts). */
const FROM = {
  acknowledge: ['open'],
  mitigate: ['open', 'acknowledged'],
  resolve: ['open', 'acknowledged', 'mitigated'],
  review: ['resolved'],
  reopen: ['resolved', 'reviewed'],
  merge: ['open', 'acknowledged', 'mitigated'],
} as const satisfies Record<string, readonly IncidentState[]>

type Step = keyof typeof FROM

export function isPossible(step: Step, state: IncidentState): boolean {
  return (FROM[step] as readonly IncidentState[]).includes(state)
}
