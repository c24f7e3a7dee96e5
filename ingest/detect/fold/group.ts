import { QUALITIES } from '../../../schemas/sample.ts'
import { type Detector, isUsable, type Verdict } from '../detector.ts'
import { largestDeviations, type MultivariateState, type Row } from '../multivariate.ts'
import type { GroupSpec } from './plan.ts'
import { stoppedBy, type Turn } from './series.ts'
import type { Device, Watched } from './state.ts'
import { entityOf, type Statement } from './told.ts'

/** Series of one device that are judged together, as one rule asks for it. */
export interface Group {
  readonly spec: GroupSpec
  /** In the order of the device's series; each is a column. */
  readonly members: Watched[]
  /** Null until no series joined for a while: a further one makes everything learned useless. */
  working: { readonly detector: Detector<object, Row>; state: object } | null
  /** When the last series joined, by kept time. */
  joined_ms: number
  /** Of the last row, by the clock of the source. */
  row_at_ms: number
  open: { since_ms: number; told: boolean } | null
}

/** A group begins when no series joined it for so long. */
const SETTLED_MS = 60_000
/** A value that was not repeated for so long is missing. */
const HELD_MS = 600_000
const COLUMNS_MAX = 400
const SHOWN_COLUMNS = 3

export function joinGroup(device: Device, spec: GroupSpec, watched: Watched, kept_ms: number): void {
  let group = device.groups.find((one) => one.spec.key === spec.key)
  if (group === undefined) {
    group = {
      spec,
      members: [],
      working: null,
      joined_ms: kept_ms,
      row_at_ms: Number.NEGATIVE_INFINITY,
      open: null,
    }
    device.groups.push(group)
  }
  if (group.members.length >= COLUMNS_MAX) return
  group.members.push(watched)
  group.joined_ms = kept_ms
  group.working = null
}

/** What an entry said of the device is judged, once it has told at least half of the columns anew. */
export function judgeGroups(device: Device, turn: Turn): void {
  for (const group of device.groups) {
    const { members, row_at_ms } = group
    if (members.length < 2 || turn.kept_ms - group.joined_ms < SETTLED_MS) continue
    const fresh = members.reduce((sum, { at_ms }) => sum + (at_ms > row_at_ms ? 1 : 0), 0)
    const [first] = members
    const stands = first !== undefined && stoppedBy(first, turn) !== null
    if (2 * fresh >= members.length && !stands) judge(device, group, turn)
  }
}

function judge(device: Device, group: Group, turn: Turn): void {
  const { members, spec } = group
  const at_ms = members.reduce((newest, one) => Math.max(newest, one.at_ms), Number.NEGATIVE_INFINITY)
  group.row_at_ms = at_ms
  if (group.working === null) {
    // What was found belongs to what is forgotten.
    closeGroup(device, group, turn)
    const detector = spec.detector(members.length)
    group.working = { detector, state: detector.start() }
  }
  const values = members.map((one) => (isHeld(one, turn.kept_ms) ? one.value : Number.NaN))
  const { detector, state } = group.working
  const verdict = detector.step(state, { at_ms, values })
  for (const { to } of verdict.transitions) {
    if (to === 'cleared') closeGroup(device, group, turn)
    else group.open = { since_ms: Math.min(at_ms, turn.now_ms), told: false }
  }
  if (group.open !== null && !group.open.told) raise(device, group, values, verdict, turn)
}

const isHeld = ({ at_ms, value, quality, heard_ms }: Watched, kept_ms: number): boolean =>
  kept_ms - heard_ms <= HELD_MS && isUsable({ at_ms, value, quality: QUALITIES[quality] ?? 'bad' })

function raise(device: Device, group: Group, values: readonly number[], verdict: Verdict, turn: Turn): void {
  if (group.open === null) return
  group.open.told = true
  const largest = largestDeviations(group.working?.state as MultivariateState, values)
    .slice(0, SHOWN_COLUMNS)
    .map(
      ([column, deviations]) =>
        `${group.members[column]?.series.labels['metric']} (${deviations.toFixed(1)} deviations)`,
    )
  const statement = statementOf(device, group, turn)
  turn.teller.tell({
    ...statement,
    annotations: {
      summary: `${group.members.length} series of ${statement.subject.entity} do not fit together as usual; furthest: ${largest.join(', ')}`,
      score: String(Number(verdict.score.toPrecision(3))),
      ...group.spec.rule.annotations,
    },
    ends_at_ms: null,
  })
}

/** Everything is learned anew. */
export function resetGroup(device: Device, group: Group, turn: Turn): void {
  closeGroup(device, group, turn)
  group.working = null
}

export function closeGroup(device: Device, group: Group, turn: Turn): void {
  if (group.open?.told) turn.teller.end({ ...statementOf(device, group, turn), annotations: {} })
  group.open = null
}

function statementOf(
  { scope, labels }: Device,
  { spec, open }: Group,
  { entity_labels, now_ms }: Turn,
): Omit<Statement, 'annotations' | 'ends_at_ms'> {
  const { rule } = spec
  return {
    subject: { scope, labels, entity: entityOf(labels, entity_labels) },
    alertname: rule.alertname ?? rule.name,
    detector: rule.detector,
    condition: rule.name,
    severity: rule.severity,
    starts_at_ms: open?.since_ms ?? now_ms,
  }
}

/** What the group knows, with the places of its members among the series of the device. */
export interface StoredGroup {
  readonly key: string
  readonly members: readonly number[]
  readonly state: unknown
  readonly joined_ms: number
  readonly row_at_ms: number | null
  readonly open: Group['open']
}

export function storedGroup(device: Device, group: Group): StoredGroup {
  const { spec, members, working, joined_ms, row_at_ms, open } = group
  return {
    key: spec.key,
    members: members.map((one) => device.series.indexOf(one)),
    state: working && working.detector.save(working.state),
    joined_ms,
    row_at_ms: Number.isFinite(row_at_ms) ? row_at_ms : null,
    open,
  }
}

/** Goes on as it was stored; where its members are others, or the detector is, it begins anew. */
export function restoreGroup(device: Device, group: Group, stored: StoredGroup): void {
  group.joined_ms = stored.joined_ms
  group.row_at_ms = stored.row_at_ms ?? Number.NEGATIVE_INFINITY
  group.open = stored.open
  const same =
    stored.members.length === group.members.length &&
    stored.members.every((place, i) => device.series[place] === group.members[i])
  if (stored.state === null || !same) return
  const detector = group.spec.detector(group.members.length)
  try {
    group.working = {
      detector,
      state: detector.restore(stored.state as Parameters<typeof detector.restore>[0]),
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
  }
}
