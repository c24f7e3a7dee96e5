import type { Labels } from '../../schemas/alert.ts'
import type { AnyOfRule } from '../../schemas/grouping.ts'
import type { Reason } from '../../schemas/incident.ts'
import type { Place } from '../../schemas/record.ts'
import type { Decision } from '../decision.ts'
import { compareOpened, homeOf } from '../home.ts'
import type { AlertRow, IncidentRow, State } from '../state.ts'
import { apartFrom } from './apart.ts'
import { labelsText, refusalOf } from './by_rule.ts'
import { agreeable, agreement } from './compiled.ts'
import { groupKey } from './labels.ts'
import { enter, open, seconds } from './seat.ts'

/** A value that the alerts of more incidents than this share is not looked up. */
const SHARING_INCIDENTS_MAX = 256

/** An incident that has alerts which agree with a new one, and in what. */
interface Agreeing {
  readonly row: IncidentRow
  readonly labels: Record<string, string>
}

/** The incident that agrees in most labels, and of those the newest, if it takes the alert. */
export function joinAgreeing(state: State, fresh: AlertRow, rule: AnyOfRule): Decision | null {
  const takes = ({ row }: Agreeing) =>
    refusalOf(state, rule, row) === null && apartFrom(state, fresh.alert, row) === null
  const [best, second] = agreeing(state, fresh, rule).filter(takes)
  if (!best) return null
  const { row } = best
  const gap = seconds(state.time_ms - row.last_joined_at_ms)
  const also = second ? ` ${second.row.incident.id} has ${labelsText(second.labels)}.` : ''
  const reason: Reason = {
    code: 'any-of',
    rule: rule.name,
    rules_version: state.rules.version,
    text: `Joined by rule ${rule.name}: an alert of the incident has ${labelsText(best.labels)} too; ${gap} after its last new alert.${also}`,
  }
  return enter(state, { ...fresh, incident_id: row.incident.id, reason }, row, row.pace ?? null)
}

export function openAgreeing(state: State, fresh: AlertRow, rule: AnyOfRule, place: Place): Decision {
  const own = chosen(fresh.alert.labels, rule)
  const [nearest] = agreeing(state, fresh, rule)
  const refusal = nearest ? refusalOf(state, rule, nearest.row) : null
  const apart = nearest && !refusal ? apartFrom(state, fresh.alert, nearest.row) : null
  const first = `Opened by rule ${rule.name} for ${labelsText(own)}`
  const why =
    refusal?.text ??
    (apart
      ? `rule ${apart.rule} keeps it apart from ${nearest?.row.incident.id}: ${apart.text}`
      : noneText(state, fresh, rule))
  const reason: Reason = {
    code: refusal?.code ?? (apart ? 'kept-apart' : 'new-group'),
    rule: rule.name,
    rules_version: state.rules.version,
    text: `${first}: ${why}.`,
  }
  const { scope, fingerprint } = fresh.alert
  const opening = {
    group_key: groupKey(scope, rule.name, { fingerprint }),
    group: {},
    rule: rule.name,
    pace: null,
  }
  return open(state, { ...fresh, reason }, opening, place)
}

/** Why no incident agrees. */
function noneText(state: State, { alert }: AlertRow, rule: AnyOfRule): string {
  const common = agreeable(rule, alert.labels).find(
    (label) =>
      state.derived.agreed.sharing(alert.scope, agreement(rule, label, alert.labels)) > SHARING_INCIDENTS_MAX,
  )
  return common === undefined
    ? 'no open incident has any of them'
    : `more than ${SHARING_INCIDENTS_MAX} incidents have the same ${common}, too many to choose from`
}

function chosen(labels: Labels, rule: AnyOfRule): Labels {
  return Object.fromEntries(agreeable(rule, labels).map((name) => [name, labels[name] as string]))
}

function agreeing(state: State, { alert }: AlertRow, rule: AnyOfRule): Agreeing[] {
  const found = new Map<string, Agreeing>()
  const { agreed } = state.derived
  for (const label of agreeable(rule, alert.labels)) {
    const shared = agreed.of(alert.scope, agreement(rule, label, alert.labels), SHARING_INCIDENTS_MAX)
    for (const [incident_id] of shared ?? []) {
      const row = homeOf(state, incident_id)
      if (!row) continue
      const known = found.get(row.incident.id) ?? { row, labels: {} }
      known.labels[label] = alert.labels[label] as string
      found.set(row.incident.id, known)
    }
  }
  return [...found.values()].sort(
    (a, b) => Object.keys(b.labels).length - Object.keys(a.labels).length || compareOpened(b.row, a.row),
  )
}
