import type { Member, Reason } from '../../../schemas/incident.ts'

/** Sums of the reasons that members carry. Pure. */

type Evidence = NonNullable<Reason['evidence']>[number]

export interface EvidenceSum extends Evidence {
  /** Listed members that it spoke for. */
  readonly alerts: number
}

const SUMS_TOLD = 6

/** What spoke for joining, over all listed members: the most frequent first, each with its greatest weight. */
export function sumOfEvidence(members: readonly Member[]): readonly EvidenceSum[] {
  const sums = new Map<string, EvidenceSum>()
  for (const { reason } of members) {
    for (const one of reason.evidence ?? []) {
      const key = `${one.kind} ${one.about}`
      const before = sums.get(key)
      sums.set(key, {
        ...one,
        weight: Math.max(one.weight, before?.weight ?? 0),
        alerts: (before?.alerts ?? 0) + 1,
      })
    }
  }
  return [...sums.values()].sort((a, b) => b.alerts - a.alerts || b.weight - a.weight).slice(0, SUMS_TOLD)
}

/** The member with which the incident began. */
export function opening(members: readonly Member[]): Member | undefined {
  return members.find(({ reason }) => reason.evidence === undefined) ?? members[0]
}

export interface NearMiss {
  readonly incident_id: string
  /** The greatest. */
  readonly strength: number
  readonly alerts: number
}

/** Incidents that came second for some member, the nearest first. */
export function nearMisses(members: readonly Member[]): readonly NearMiss[] {
  const found = new Map<string, NearMiss>()
  for (const { reason } of members) {
    if (!reason.runner_up) continue
    const { incident_id, strength } = reason.runner_up
    const before = found.get(incident_id)
    found.set(incident_id, {
      incident_id,
      strength: Math.max(strength, before?.strength ?? 0),
      alerts: (before?.alerts ?? 0) + 1,
    })
  }
  return [...found.values()].sort((a, b) => b.strength - a.strength)
}
