import type { Alert } from '../../schemas/alert.ts'
import { compareOpened, homeOf, isUnresolved } from '../home.ts'
import type { IncidentRow, State } from '../state.ts'
import type { Entry } from './incident_index.ts'
import { linksOf } from './links.ts'
import { alertKind, type Mention, mentionsOf } from './mentions.ts'
import { heatAt, NO_PACE, RATE_TAU_S, rateAt, type Usual } from './pace.ts'
import { pairTerms } from './pairs.ts'
import { passage, type Way } from './relations.ts'
import { eachNear, waysOf } from './vicinity.ts'
import { type Candidate, compareStrength, type Draft, newDraft, sameEntity, weighed } from './weigh.ts'

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
    const { id } = row.incident
    let draft = drafts.get(id)
    if (draft === undefined) drafts.set(id, (draft = newDraft(row)))
    return draft
  }
  const says_where = gatherRelated(state, alert, mentions, draftOf)
  gatherPairs(state, alert, mentions, draftOf)
  gatherKind(state, alert, draftOf)
  gatherLinks(state, alert, draftOf)
  gatherTime(state, pace.recent, usual, draftOf)
  return { mentions, usual, ...sortOut(state, drafts, usual, says_where) }
}

type DraftOf = (incident_id: string) => Draft | null

/** Returns whether the alert says where it belongs, so that an incident unrelated to that is far away. */
function gatherRelated(state: State, alert: Alert, mentions: readonly Mention[], draftOf: DraftOf): boolean {
  const look = new Looking(state, alert, draftOf)
  for (const { value, label } of mentions) {
    look.at(value, 1, label, label, null)
    eachNear(state, alert, value, (to, worth, kind, via) => look.at(to, worth, kind, null, via))
  }
  return look.says_where
}

/** Looks for incidents that name what an alert is near to. */
class Looking {
  says_where = false
  private readonly state: State
  private readonly alert: Alert
  private readonly draftOf: DraftOf

  constructor(state: State, alert: Alert, draftOf: DraftOf) {
    this.state = state
    this.alert = alert
    this.draftOf = draftOf
  }

  /** What the incidents that name `value` have in common with the alert, to which it is worth so much to name it. */
  at(value: string, worth: number, kind: string, label: string | null, via: string | null): void {
    const { state, alert } = this
    const { weights } = state.rules.evidence
    const own = value === alert.entity
    const bound = own ? weights.entity : weights.related * worth
    if (bound < WEIGHT_MIN && this.says_where) return
    const sharing = state.derived.mentioned.of(alert.scope, value, SHARING_INCIDENTS_MAX)
    if (sharing === null && this.says_where) return
    const through = own ? 1 : passage(state, alert.scope, value)
    if (through === 0) return
    this.says_where ||= !own
    const weight = bound * through
    if (weight < WEIGHT_MIN || sharing === null) return
    for (const entry of sharing) this.note(entry, own, weight, value, { worth, kind, label, via })
  }

  private note([incident_id, alerts]: Entry, own: boolean, weight: number, about: string, way: Way): void {
    const draft = this.draftOf(incident_id)
    if (draft === null) return
    if (own) draft.entity ??= { weight, about, alerts }
    else if (draft.related === null || weight > draft.related.weight)
      draft.related = { weight, about, alerts, way }
  }
}

/** An alert that usually follows one that came near just before. */
function gatherPairs(state: State, alert: Alert, mentions: readonly Mention[], draftOf: DraftOf): void {
  if (state.derived.learned.pairsOf(alertKind(alert)).length === 0) return
  for (const [incident_id, term] of pairTerms(state, alert, waysOf(state, alert, mentions))) {
    const draft = draftOf(incident_id)
    if (draft !== null && term[1] > (draft.pair?.[1] ?? 0)) draft.pair = term
  }
}

function gatherKind(state: State, alert: Alert, draftOf: DraftOf): void {
  const weight = state.rules.evidence.weights.kind
  const about = alertKind(alert)
  if (weight === 0 || about === '') return
  for (const [incident_id, alerts] of incidentsOf(state, alert.scope, about)) {
    const draft = draftOf(incident_id)
    if (draft !== null) draft.kind = { weight, about, alerts }
  }
}

function incidentsOf(state: State, scope: string, kind: string): Iterable<Entry> {
  return state.derived.kinds.of(scope, kind, SHARING_INCIDENTS_MAX) ?? []
}

/** What operators said by merging and splitting. What has alerts of the same kind is not kept apart. */
function gatherLinks(state: State, alert: Alert, draftOf: DraftOf): void {
  const { scope } = alert
  const own_kind = alertKind(alert)
  for (const [about, { together, actor }] of linksOf(state, scope, own_kind))
    for (const [incident_id] of incidentsOf(state, scope, about)) {
      const draft = draftOf(incident_id)
      if (draft === null) continue
      if (together) draft.operator = { about, actor, own_kind }
      else draft.apart ||= draft.kind === null
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
    draft.time = { weight, rate_per_s, usual_per_s: usual.usual_per_s }
  }
}

function sortOut(
  state: State,
  drafts: ReadonlyMap<string, Draft>,
  usual: Usual,
  says_where: boolean,
): Pick<Survey, 'live' | 'idle'> {
  const live: Candidate[] = []
  const idle: Candidate[] = []
  for (const draft of drafts.values()) {
    const { row, entity } = draft
    if (!row.pace) continue
    if (heatAt(row.pace, state.time_ms, usual) > 0) live.push(weighed(draft, says_where))
    else if (entity && staysOpen(state, row)) idle.push(sameEntity(draft, entity.weight))
  }
  live.sort(compareStrength)
  idle.sort((a, b) => (b.row.pace?.at_ms ?? 0) - (a.row.pace?.at_ms ?? 0) || compareOpened(b.row, a.row))
  return { live, idle }
}

function staysOpen(state: State, row: IncidentRow): boolean {
  const { same_entity_ms } = state.rules.evidence
  return row.incident.members_firing > 0 && state.time_ms - row.incident.opened_at_ms <= same_entity_ms
}
