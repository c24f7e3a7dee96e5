import type { Alert } from '../../schemas/alert.ts'
import type { Reason } from '../../schemas/incident.ts'
import { homeOf, isUnresolved } from '../home.ts'
import type { IncidentRow, State } from '../state.ts'
import { NOBODY } from './incident_index.ts'
import { linksOf } from './links.ts'
import { alertKind, type Mention, mentionsOf } from './mentions.ts'
import { heatAt, NO_PACE, RATE_TAU_S, rateAt, type Usual } from './pace.ts'
import { pairTerms } from './pairs.ts'
import type { Near, Way } from './relations.ts'
import { waysOf } from './vicinity.ts'

export type EvidenceKind = NonNullable<Reason['evidence']>[number]['kind']

/** One reason to join, with what it is worth alone. */
export interface Term {
  readonly kind: EvidenceKind
  readonly weight: number
  readonly about: string
  /** For people; worded when it is needed. */
  readonly say: () => string
}

/** An incident that the alert could join. */
export interface Candidate {
  readonly row: IncidentRow
  /** What all evidence together is worth: one minus the product of what each leaves open (noisy-OR; Pearl 1988). */
  readonly strength: number
  /** Strongest first. */
  readonly terms: readonly Term[]
}

export interface Survey {
  readonly mentions: readonly Mention[]
  readonly usual: Usual
  /** Incidents that take alerts now, strongest first; of equally strong ones the newest. */
  readonly live: readonly Candidate[]
  /** Incidents that take none any more but for alerts about an entity that they have alerts about; the last active first. */
  readonly idle: readonly Candidate[]
}

/** What is worth less is not looked for. */
const WEIGHT_MIN = 0.1
/** A value that more open incidents than this share tells nothing. */
const SHARING_INCIDENTS_MAX = 64
/** Evidence that differs by less than this is equally strong. */
const STRENGTH_STEP = 0.05
/** Below this, an alert whose entity has known relations is held to be far from an incident. */
const NEAR_MIN = 0.15
/** What coincidence in time, and the same kind of alert, are still worth for an incident far away. */
const FAR = { time: 0.4, kind: 0.5 }
const OPERATOR_WEIGHT = 0.8
/** What is left of the evidence when an operator keeps the kinds apart. */
const APART = 0.2

interface Draft {
  readonly row: IncidentRow
  entity: Term | null
  related: Term | null
  pair: Term | null
  kind: Term | null
  time: Term | null
  operator: Term | null
  /** An operator keeps the two kinds apart. */
  apart: boolean
}

/** All that speaks for each incident of the alert's scope. */
export function survey(state: State, alert: Alert): Survey {
  const { scope } = alert
  const mentions = mentionsOf(alert)
  const pace = state.paces.get(scope) ?? NO_PACE
  const usual: Usual = { usual_per_s: pace.usual_per_s, quiet_ms: state.rules.evidence.quiet_ms }
  const drafts = new Map<string, Draft>()
  const draftOf = (incident_id: string): Draft | null => {
    const known = drafts.get(incident_id)
    if (known !== undefined) return known
    const row = homeOf(state, incident_id)
    if (!row || !isUnresolved(row) || !row.pace) return null
    let draft = drafts.get(row.incident.id)
    if (draft === undefined)
      drafts.set(
        row.incident.id,
        (draft = {
          row,
          entity: null,
          related: null,
          pair: null,
          kind: null,
          time: null,
          operator: null,
          apart: false,
        }),
      )
    return draft
  }
  const says_where = gatherRelated(state, alert, mentions, draftOf)
  gatherPairs(state, alert, mentions, draftOf)
  gatherKind(state, alert, draftOf)
  gatherLinks(state, alert, draftOf)
  gatherTime(state, pace.recent, usual, draftOf)
  return { mentions, usual, ...sortOut(state, [...drafts.values()], usual, says_where) }
}

type DraftOf = (incident_id: string) => Draft | null

/** Returns whether the alert says where it belongs, so that an incident unrelated to that is far away. */
function gatherRelated(state: State, alert: Alert, mentions: readonly Mention[], draftOf: DraftOf): boolean {
  const { scope, entity } = alert
  const { vicinity } = state.derived
  const found: Found = { state, alert, draftOf, says_where: false }
  for (const { value, label } of mentions) {
    lookAt(found, value, { worth: 1, kind: label, via: null, label })
    // Of what is two steps away only that of the entity itself counts.
    const near =
      value === entity ? vicinity.nearTo(state, scope, value) : vicinity.nextTo(state, scope, value)
    for (const [to, way] of near) lookAt(found, to, way, value)
  }
  return found.says_where
}

interface Found {
  readonly state: State
  readonly alert: Alert
  readonly draftOf: DraftOf
  says_where: boolean
}

/** What the incidents that name `value` have in common with the alert. `from`: the mention that it is near to, if it is none itself. */
function lookAt(found: Found, value: string, way: Near & Partial<Way>, from?: string): void {
  const { state, alert, draftOf } = found
  const { weights } = state.rules.evidence
  const own = value === alert.entity
  const bound = own ? weights.entity : weights.related * way.worth
  if (bound < WEIGHT_MIN && found.says_where) return
  const { vicinity, mentioned } = state.derived
  const sharing = mentioned.of(alert.scope, value, SHARING_INCIDENTS_MAX)
  if (sharing === NOBODY && found.says_where) return
  const around = own ? null : vicinity.around(state, alert.scope, value)
  if (around?.hub) return
  found.says_where ||= !own
  const weight = bound * (around?.damping ?? 1)
  if (weight < WEIGHT_MIN) return
  for (const { incident_id, alerts } of sharing) {
    const draft = draftOf(incident_id)
    if (draft === null) continue
    if (own)
      draft.entity ??= {
        kind: 'entity',
        weight,
        about: value,
        say: () => `${counted(alerts)} about ${value}`,
      }
    else if (draft.related === null || weight > draft.related.weight) {
      const say = () =>
        wayText(value, { ...way, via: way.via ?? from ?? null, label: way.label ?? null }, alerts)
      draft.related = { kind: 'related', weight, about: value, say }
    }
  }
}

function counted(alerts: number): string {
  return alerts === 1 ? 'it has an alert' : `it has ${alerts} alerts`
}

function wayText(value: string, way: Way, alerts: number): string {
  if (way.label !== null) return `${counted(alerts)} with ${way.label}=${value} too`
  return `${counted(alerts)} about ${value}, which ${way.via} is related to (${way.kind})`
}

/** An alert that usually follows one that came near just before. */
function gatherPairs(state: State, alert: Alert, mentions: readonly Mention[], draftOf: DraftOf): void {
  if (state.derived.learned.pairsOf(alertKind(alert)).length === 0) return
  for (const [incident_id, term] of pairTerms(state, alert, waysOf(state, alert, mentions))) {
    const draft = draftOf(incident_id)
    if (draft !== null && term.weight > (draft.pair?.weight ?? 0)) draft.pair = term
  }
}

function gatherKind(state: State, alert: Alert, draftOf: DraftOf): void {
  const weight = state.rules.evidence.weights.kind
  const about = alertKind(alert)
  if (weight === 0 || about === '') return
  for (const { incident_id, alerts } of state.derived.kinds.of(alert.scope, about, SHARING_INCIDENTS_MAX)) {
    const draft = draftOf(incident_id)
    if (draft !== null)
      draft.kind = { kind: 'kind', weight, about, say: () => `${counted(alerts)} ${about} already` }
  }
}

/** What operators said by merging and splitting. What has alerts of the same kind is not kept apart. */
function gatherLinks(state: State, alert: Alert, draftOf: DraftOf): void {
  const { scope } = alert
  for (const [about, { together, actor }] of linksOf(state, scope, alertKind(alert)))
    for (const { incident_id } of state.derived.kinds.of(scope, about, SHARING_INCIDENTS_MAX)) {
      const draft = draftOf(incident_id)
      if (draft === null) continue
      if (!together) draft.apart ||= draft.kind === null
      else {
        const say = () => `${actor} put ${alertKind(alert)} and ${about} together before`
        draft.operator = { kind: 'operator', weight: OPERATOR_WEIGHT, about, say }
      }
    }
}

/** With this many alerts it is half a burst. */
const BURST_HALF = 0.5

/** One alert is no burst, ten within half a minute are: from 0.5 to 1. */
function burstiness(rate_per_s: number): number {
  const alerts = rate_per_s * RATE_TAU_S
  return alerts / (BURST_HALF + alerts)
}

/** An alert that comes while an incident brings many is unlikely to be there by chance. */
function gatherTime(state: State, recent: readonly string[], usual: Usual, draftOf: DraftOf): void {
  for (const incident_id of recent) {
    const draft = draftOf(incident_id)
    if (!draft?.row.pace) continue
    const rate_per_s = rateAt(draft.row.pace, state.time_ms)
    const chance = Math.max(0, 1 - usual.usual_per_s / rate_per_s)
    const weight = state.rules.evidence.weights.time * chance * burstiness(rate_per_s)
    const per_minute = (per_s: number) => Number((per_s * 60).toPrecision(2))
    const say = () =>
      `it brought ${per_minute(rate_per_s)} alerts a minute just before, where ${per_minute(usual.usual_per_s)} are usual`
    draft.time = { kind: 'time', weight, about: incident_id, say }
  }
}

function sortOut(
  state: State,
  drafts: readonly Draft[],
  usual: Usual,
  says_where: boolean,
): Pick<Survey, 'live' | 'idle'> {
  const live: Candidate[] = []
  const idle: Candidate[] = []
  for (const draft of drafts) {
    const { row } = draft
    if (!row.pace) continue
    if (heatAt(row.pace, state.time_ms, usual) > 0) live.push(weighed(draft, says_where))
    else if (draft.entity && staysOpen(state, row))
      idle.push({ row, strength: draft.entity.weight, terms: [draft.entity] })
  }
  live.sort((a, b) => compareStrength(a, b) || compareNewest(a, b))
  idle.sort((a, b) => (b.row.pace?.at_ms ?? 0) - (a.row.pace?.at_ms ?? 0) || compareNewest(a, b))
  return { live, idle }
}

function staysOpen(state: State, row: IncidentRow): boolean {
  const { same_entity_ms } = state.rules.evidence
  return row.incident.members_firing > 0 && state.time_ms - row.incident.opened_at_ms <= same_entity_ms
}

function weighed(
  { row, entity, related, pair, kind, time, operator, apart }: Draft,
  says_where: boolean,
): Candidate {
  const nearness = Math.max(entity?.weight ?? 0, related?.weight ?? 0)
  const far = says_where && nearness < NEAR_MIN
  const terms: Term[] = []
  // Of being about the same and about something related only the stronger counts: the one implies the other.
  if (entity && entity.weight >= (related?.weight ?? 0)) terms.push(entity)
  else if (related) terms.push(related)
  if (pair) terms.push(pair)
  if (kind) terms.push(far ? { ...kind, weight: kind.weight * FAR.kind } : kind)
  if (operator) terms.push(far ? { ...operator, weight: operator.weight * FAR.kind } : operator)
  if (time) terms.push(far ? { ...time, weight: time.weight * FAR.time } : time)
  terms.sort((a, b) => b.weight - a.weight)
  const open = terms.reduce((product, { weight }) => product * (1 - weight), 1)
  return { row, strength: (1 - open) * (apart ? APART : 1), terms: terms.filter(({ weight }) => weight > 0) }
}

function compareStrength(a: Candidate, b: Candidate): number {
  return Math.round(b.strength / STRENGTH_STEP) - Math.round(a.strength / STRENGTH_STEP)
}

function compareNewest(a: Candidate, b: Candidate): number {
  const [position_a, ordinal_a] = a.row.opened_place
  const [position_b, ordinal_b] = b.row.opened_place
  return position_b - position_a || ordinal_b - ordinal_a
}
