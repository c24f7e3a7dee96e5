import { makeNormaliser } from '../../ingest/normalise.ts'
import type { Alert } from '../../schemas/alert.ts'
import type { Config } from '../../schemas/config.ts'
import type { RuleTest } from '../../schemas/config_grouping.ts'
import type { Incident } from '../../schemas/incident.ts'
import type { Rules } from '../../schemas/rules.ts'
import { type Assignment, Replay } from '../replay/run.ts'

/** One expectation that was not met. */
export interface Failure {
  /** Where it stands in the configuration. */
  readonly path: readonly (string | number)[]
  readonly test: string
  readonly lines: readonly string[]
}

/** Any day: only differences of times count. */
const BEGIN_MS = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000

/** Runs the tests of the rules with the real fold in virtual time. */
export function failuresOf(config: Config, rules: Rules): readonly Failure[] {
  return config.rules.tests.flatMap((test, i) => {
    const told = { test: test.name, path: ['rules', 'tests', i] }
    const alerts = alertsOf(config, test)
    if (typeof alerts === 'string') return [{ ...told, lines: [alerts] }]
    const came = run(rules, alerts)
    return compare(test, came).map(({ path, lines }) => ({ ...told, path: [...told.path, ...path], lines }))
  })
}

function timeAt(at_s: number): number {
  return BEGIN_MS + Math.round(at_s * 1_000)
}

interface Given {
  readonly at_ms: number
  readonly alert: Alert
}

/** The alerts as a source would tell them; a sentence when one cannot be told. */
function alertsOf(config: Config, { given }: RuleTest): Given[] | string {
  const normalise = makeNormaliser(config)
  const last_s = Math.max(...given.map(({ at_s }) => at_s))
  const alerts: Given[] = []
  for (const [ordinal, { at_s, labels, ends_at_s }] of given.entries()) {
    const at_ms = timeAt(at_s)
    // What is given no end fires until the test is over.
    const ends_at_ms = ends_at_s === undefined ? timeAt(last_s) + DAY_MS : timeAt(ends_at_s)
    const raw = { ordinal, labels, annotations: {}, generator_url: '', starts_at_ms: at_ms, ends_at_ms }
    const alert = normalise(raw, 'test')
    if ('reason' in alert) return `alert ${ordinal} is refused: ${alert.reason}`
    alerts.push({ at_ms, alert })
  }
  return alerts
}

interface Came {
  readonly alerts: readonly Given[]
  readonly assignments: readonly Assignment[]
  readonly incidents: ReadonlyMap<string, Incident>
}

function run(rules: Rules, alerts: readonly Given[]): Came {
  const replay = new Replay(rules, [])
  const assignments: Assignment[] = []
  const order = [...alerts.keys()].sort((a, b) => (alerts[a]?.at_ms ?? 0) - (alerts[b]?.at_ms ?? 0))
  for (const i of order) {
    const given = alerts[i] as Given
    replay.passUntil(given.at_ms)
    assignments[i] = replay.take(given)
  }
  const incidents = new Map(replay.finish().map((incident) => [incident.id, incident]))
  return { alerts, assignments, incidents }
}

type Mismatch = Pick<Failure, 'path' | 'lines'>

function compare({ expect }: RuleTest, came: Came): Mismatch[] {
  const groups = groupsOf(came)
  const found: Mismatch[] = []
  const met = new Set<string>()
  const named = new Set<number>()
  for (const [j, expected] of expect.entries()) {
    const wanted = wantedBy(expected.alerts, came.alerts)
    for (const i of wanted) named.add(i)
    const lines = mismatch(expected, wanted, came, groups, met)
    if (lines) found.push({ path: ['expect', j], lines })
  }
  for (const [id, members] of groups) {
    if (met.has(id) || [...members].some((i) => named.has(i))) continue
    const lines = ['expected: no incident of these alerts', 'came:', ...incidentLines(id, members, came)]
    found.push({ path: ['expect'], lines })
  }
  return found
}

/** Given alerts by their incident. */
function groupsOf({ assignments }: Came): Map<string, Set<number>> {
  const groups = new Map<string, Set<number>>()
  for (const [i, { incident_id }] of assignments.entries())
    if (incident_id !== null) groups.set(incident_id, (groups.get(incident_id) ?? new Set<number>()).add(i))
  return groups
}

type Expected = RuleTest['expect'][number]

function wantedBy(wanted: Expected['alerts'], alerts: readonly Given[]): Set<number> {
  const has = (labels: Readonly<Record<string, string>>, { alert }: Given) =>
    Object.entries(labels).every(([name, value]) => alert.labels[name] === value)
  return new Set(
    wanted.flatMap((one) =>
      typeof one === 'number' ? [one] : [...alerts.keys()].filter((i) => has(one, alerts[i] as Given)),
    ),
  )
}

/** What is wrong with an expectation, in lines; null when it is met. */
function mismatch(
  expected: Expected,
  wanted: ReadonlySet<number>,
  came: Came,
  groups: ReadonlyMap<string, ReadonlySet<number>>,
  met: Set<string>,
): string[] | null {
  if (wanted.size === 0)
    return ['expected: alerts with these labels', 'came: none of the given alerts has them']
  const touched = [...groups].filter(([, members]) => [...wanted].some((i) => members.has(i)))
  const [one] = touched
  const incident = one && came.incidents.get(one[0])
  const same =
    touched.length === 1 && one?.[1].size === wanted.size && [...wanted].every((i) => one[1].has(i))
  if (same && incident) {
    met.add(incident.id)
    const right =
      (expected.rule ?? incident.rule) === incident.rule &&
      (expected.severity ?? incident.severity) === incident.severity
    if (right) return null
  }
  const alone = [...wanted].filter((i) => came.assignments[i]?.incident_id === null)
  return [
    `expected: an incident of ${listed(wanted)}${expected.rule === undefined ? '' : `, ${byRule(expected.rule)}`}${expected.severity === undefined ? '' : `, severity ${expected.severity}`}`,
    'came:',
    ...touched.flatMap(([id, members]) => incidentLines(id, members, came)),
    ...alone.map((i) => `  no incident of alert ${i} (${nameOf(came, i)}): ${came.assignments[i]?.reason}`),
  ]
}

function incidentLines(id: string, members: ReadonlySet<number>, came: Came): string[] {
  const incident = came.incidents.get(id)
  return [
    `  an incident of ${listed(members)}, ${byRule(incident?.rule ?? '')}, severity ${incident?.severity}`,
    ...[...members].map((i) => `    ${i} (${nameOf(came, i)}): ${came.assignments[i]?.reason}`),
  ]
}

function listed(alerts: ReadonlySet<number>): string {
  const numbers = [...alerts].sort((a, b) => a - b)
  return numbers.length === 1 ? `alert ${numbers[0]}` : `alerts ${numbers.join(', ')}`
}

function byRule(rule: string): string {
  return rule === '' ? 'by evidence' : `by rule ${rule}`
}

function nameOf({ alerts }: Came, i: number): string {
  const { labels } = (alerts[i] as Given).alert
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}
