import type { Alert } from '../../schemas/alert.ts'
import type { Reason } from '../../schemas/incident.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { labelValue } from '../../schemas/matching.ts'
import type { Decision } from '../decision.ts'
import { homeOf } from '../home.ts'
import type { AlertRow, IncidentRow, Row, State } from '../state.ts'
import { apartFrom } from './apart.ts'
import { refusalOf } from './by_rule.ts'
import type { CompiledPairs, Half } from './compiled.ts'
import { enter, seconds } from './seat.ts'
import { reasonOf } from './why.ts'

/** That alerts of one half of a pair came, newest last; one stored row. */
export interface SightingRow {
  readonly alerts: readonly { readonly fingerprint: string; readonly at_ms: number }[]
  readonly until_ms: number
}

/** Of each half so many alerts are remembered. */
const REMEMBERED = 4

function keyOf(id: string, alert: Alert, equal: readonly string[]): string {
  return JSON.stringify([alert.scope, id, ...equal.map((name) => labelValue(alert.labels, name))])
}

/** The alert came: what remembers it for its partner. */
export function sightings(state: State, alert: Alert): Row[] {
  const rows: Row[] = []
  for (const half of state.derived.grouping.halves) {
    if (!half.test(alert.labels)) continue
    const key = keyOf(half.id, alert, half.equal)
    const known = state.sightings.get(key)
    if (!known && state.sightings.size + rows.length >= LIMITS.sightings_per_partition) continue
    const { fingerprint } = alert
    const others = (known?.alerts ?? []).filter((seen) => seen.fingerprint !== fingerprint)
    const alerts = [...others, { fingerprint, at_ms: state.time_ms }].slice(-REMEMBERED)
    rows.push({ kind: 'sighting', key, value: { alerts, until_ms: state.time_ms + half.within_ms + 1 } })
  }
  return rows
}

interface Partner {
  readonly row: AlertRow
  readonly home: IncidentRow
  readonly half: Half
  readonly at_ms: number
}

/** Joins the incident of an alert that came within the window and makes a pair with this one, if there is one. */
export function joinPartner(state: State, fresh: AlertRow, { rule, halves }: CompiledPairs): Decision | null {
  for (const half of halves) {
    if (!half.test(fresh.alert.labels)) continue
    const partner = partnerOf(state, fresh, half, rule.members_max)
    if (partner) return paired(state, fresh, rule.name, partner)
  }
  return null
}

function partnerOf(state: State, { alert }: AlertRow, half: Half, members_max: number): Partner | null {
  const sighting = state.sightings.get(keyOf(half.other_id, alert, half.equal))
  if (!sighting) return null
  for (const { fingerprint, at_ms } of sighting.alerts.toReversed()) {
    if (fingerprint === alert.fingerprint || state.time_ms - at_ms > half.within_ms) continue
    const row = state.alerts.get(fingerprint)
    const home = row && homeOf(state, row.incident_id)
    if (!home || refusalOf(state, { members_max }, home) || apartFrom(state, alert, home)) continue
    return { row, home, half, at_ms }
  }
  return null
}

function paired(state: State, fresh: AlertRow, rule: string, { row, home, half, at_ms }: Partner): Decision {
  const labels = half.equal.map((name) => `${name}=${JSON.stringify(labelValue(fresh.alert.labels, name))}`)
  const agreed = labels.length === 0 ? '' : `, with ${labels.join(', ')} in both`
  const reasonFor = (partner: Alert, when: string): Reason => ({
    code: 'paired',
    rule,
    rules_version: state.rules.version,
    text: `Joined by rule ${rule}: it makes a pair with ${nameOf(partner)}, which came ${seconds(state.time_ms - at_ms)} ${when}${agreed}.`,
  })
  const reason = reasonFor(row.alert, 'before')
  const joining = { ...fresh, incident_id: home.incident.id, reason }
  if (!isAlone(home)) return enter(state, joining, home, home.pace ?? null)
  const first: AlertRow = { ...row, reason: reasonFor(fresh.alert, 'after') }
  const entered = enter(state, joining, ofTheRule(home, rule, first), null)
  return {
    ...entered,
    rows: [...entered.rows, { kind: 'alert', key: first.alert.fingerprint, value: first }],
  }
}

function nameOf({ labels, fingerprint }: Alert): string {
  return labels['alertname'] ?? fingerprint
}

/** Evidence opened it, nobody has joined it, and nobody works on it. */
function isAlone({ incident }: IncidentRow): boolean {
  const { rule, members_total, state, tickets } = incident
  return rule === '' && members_total === 1 && state === 'open' && tickets.length === 0
}

/** The incident of the partner becomes one of the rule. */
function ofTheRule(home: IncidentRow, rule: string, first: AlertRow): IncidentRow {
  const { fingerprint } = first.alert
  const members = home.incident.members.map((member) =>
    member.fingerprint === fingerprint ? { ...member, reason: reasonOf(first.reason) } : member,
  )
  return { ...home, incident: { ...home.incident, rule, members } }
}
