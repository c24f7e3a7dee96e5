import { compareOpened } from '../home.ts'
import type { IncidentRow } from '../state.ts'
import type { Way } from './relations.ts'
import type { Term } from './why.ts'

/** What speaks for one incident, as it is gathered. Weights are 0 where nothing was found. */
export interface Draft {
  readonly row: IncidentRow
  /** It has alerts about the entity of the alert. */
  entity: { readonly weight: number; readonly about: string; readonly alerts: number } | null
  /** It has alerts that name something near the alert; the strongest. */
  related: {
    readonly weight: number
    readonly about: string
    readonly alerts: number
    readonly way: Way
  } | null
  pair: Extract<Term, readonly ['pair', ...unknown[]]> | null
  kind: { readonly weight: number; readonly about: string; readonly alerts: number } | null
  time: { readonly weight: number; readonly rate_per_s: number; readonly usual_per_s: number } | null
  operator: { readonly about: string; readonly actor: string; readonly own_kind: string } | null
  /** An operator keeps the two kinds apart. */
  apart: boolean
}

export function newDraft(row: IncidentRow): Draft {
  return {
    row,
    entity: null,
    related: null,
    pair: null,
    kind: null,
    time: null,
    operator: null,
    apart: false,
  }
}

/** An incident that the alert could join. */
export interface Candidate {
  readonly row: IncidentRow
  /** What all evidence together is worth: one minus the product of what each leaves open (noisy-OR; Pearl 1988). */
  readonly strength: number
  /** What is worth to be about the same entity, or about one near. */
  readonly nearness: number
  /** The alert says where it belongs, and the incident is not there. */
  readonly far: boolean
  readonly draft: Draft
}

/** Evidence that differs by less than this is equally strong. */
const STRENGTH_STEP = 0.05
/** Below this an incident is far from an alert whose entity has known relations; and not near enough to gather a storm's alerts. */
export const NEAR_MIN = 0.15
/** What coincidence in time, and the same kind of alert, are still worth for an incident far away. */
const FAR = { time: 0.4, kind: 0.5 }
/** What an operator said decides alone, wherever the incident is. */
const OPERATOR_WEIGHT = 0.8
/** What is left of the evidence when an operator keeps the kinds apart. */
const APART = 0.2

interface Weights {
  readonly kind: number
  readonly time: number
}

function weightsOf({ kind, time }: Draft, far: boolean): Weights {
  return {
    kind: (kind?.weight ?? 0) * (far ? FAR.kind : 1),
    time: (time?.weight ?? 0) * (far ? FAR.time : 1),
  }
}

/** What the evidence for an incident comes to. Of being about the same and about something near only the stronger counts: the one implies the other. */
export function weighed(draft: Draft, says_where: boolean): Candidate {
  const nearness = Math.max(draft.entity?.weight ?? 0, draft.related?.weight ?? 0)
  const far = says_where && nearness < NEAR_MIN
  const { kind, time } = weightsOf(draft, far)
  const operator = draft.operator ? OPERATOR_WEIGHT : 0
  const open = (1 - nearness) * (1 - (draft.pair?.[1] ?? 0)) * (1 - kind) * (1 - operator) * (1 - time)
  return { row: draft.row, strength: (1 - open) * (draft.apart ? APART : 1), nearness, far, draft }
}

/** The incident has alerts about the entity, which alone makes it take others of that entity. */
export function sameEntity(draft: Draft, weight: number): Candidate {
  const only = { ...newDraft(draft.row), entity: draft.entity }
  return { row: draft.row, strength: weight, nearness: weight, far: false, draft: only }
}

/** What speaks for the candidate, strongest first. */
export function termsOf({ draft, far }: Candidate): readonly Term[] {
  const { entity, related, pair, kind, time, operator } = draft
  const weights = weightsOf(draft, far)
  const terms: Term[] = []
  if (entity && entity.weight >= (related?.weight ?? 0))
    terms.push(['entity', entity.weight, entity.about, entity.alerts])
  else if (related) {
    const { weight, about, alerts, way } = related
    terms.push(['related', weight, about, alerts, way.label, way.via, way.kind])
  }
  if (pair) terms.push(pair)
  if (kind) terms.push(['kind', weights.kind, kind.about, kind.alerts])
  if (operator) terms.push(['operator', OPERATOR_WEIGHT, operator.about, operator.actor, operator.own_kind])
  if (time) terms.push(['time', weights.time, draft.row.incident.id, time.rate_per_s, time.usual_per_s])
  return terms.filter(([, weight]) => weight > 0).sort((a, b) => b[1] - a[1])
}

/** Strongest first; of equally strong ones the newest. */
export function compareStrength(a: Candidate, b: Candidate): number {
  return (
    Math.round(b.strength / STRENGTH_STEP) - Math.round(a.strength / STRENGTH_STEP) ||
    compareOpened(b.row, a.row)
  )
}
