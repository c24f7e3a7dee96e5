import type { Severity } from '../../schemas/alert.ts'
import { seeded } from '../load/random.ts'

/** One activation of an alarm. */
export interface TrueAlarm {
  readonly fingerprint: string
  readonly alertname: string
  readonly entity: string
  readonly severity: Severity
  readonly starts_ms: number
  readonly joined_ms: number
  /** Null: it stands. */
  readonly ended_ms: number | null
}

/** What really happened, which no query has seen. Times after the end of the history have not come: they are null. */
export interface TrueIncident {
  readonly index: number
  readonly id: string
  readonly scope: string
  readonly service: string
  readonly team: string
  readonly severity: Severity
  readonly first_event_ms: number
  readonly opened_ms: number
  readonly acknowledged_ms: number | null
  readonly mitigated_ms: number | null
  /** The stretches in which it was open; the end of the last is null while it is. */
  readonly episodes: readonly (readonly [from_ms: number, to_ms: number | null])[]
  readonly reviewed_ms: number | null
  readonly pauses: readonly (readonly [from_ms: number, to_ms: number])[]
  readonly assignees: readonly { readonly at_ms: number; readonly name: string }[]
  readonly merged_into: string | null
  readonly flapped: boolean
  readonly alarms: readonly TrueAlarm[]
}

export interface HistoryShape {
  readonly incidents: number
  readonly from_ms: number
  readonly to_ms: number
  readonly seed: number
  /** From then on incidents of this service are resolved in this share of the time. */
  readonly change: { readonly service: string; readonly at_ms: number; readonly factor: number }
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const SERVICES = 40
const ENTITIES = 60
const STORM_ALARMS = 55
const NAMES = ['HighLatency', 'ErrorRate', 'DiskFull', 'PodRestarts', 'QueueLag', 'CertExpiry']
const SEVERITIES: readonly (readonly [Severity, share: number, slower: number])[] = [
  ['critical', 0.1, 0.6],
  ['high', 0.25, 0.8],
  ['medium', 0.35, 1],
  ['low', 0.3, 1.6],
]

type Random = () => number

function lognormal(random: Random, median: number, spread: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Math.ceil(median * Math.exp(spread * normal))
}

const exponential = (random: Random, mean: number) => Math.ceil(-mean * Math.log(1 - random()))
const pick = <Item>(random: Random, items: readonly Item[]) =>
  items[Math.floor(random() * items.length)] as Item

/** Few services have most of the incidents. */
function serviceOf(random: Random): number {
  return Math.floor(SERVICES * random() ** 2)
}

function severityOf(random: Random): (typeof SEVERITIES)[number] {
  let place = random()
  for (const one of SEVERITIES) {
    place -= one[1]
    if (place < 0) return one
  }
  return SEVERITIES[2] as (typeof SEVERITIES)[number]
}

const incidentId = (index: number) => `inc_${index.toString(16).padStart(8, '0')}`
const fingerprintOf = (text: number) => text.toString(16).padStart(32, '0')

/** Incidents in the order in which they were opened. */
export function* trueIncidents(shape: HistoryShape): Generator<TrueIncident> {
  const random = seeded(shape.seed)
  const step = (shape.to_ms - shape.from_ms) / shape.incidents
  for (let index = 0; index < shape.incidents; index++)
    yield trueIncident(shape, index, Math.floor(shape.from_ms + (index + random()) * step), random)
}

function trueIncident(shape: HistoryShape, index: number, opened_ms: number, random: Random): TrueIncident {
  const come = (at_ms: number) => (at_ms < shape.to_ms ? at_ms : null)
  const number = serviceOf(random)
  const service = `service-${number}`
  const [severity, , slower] = severityOf(random)
  const changed = service === shape.change.service && opened_ms >= shape.change.at_ms
  const factor = slower * (changed ? shape.change.factor : 1)
  const first_event_ms = opened_ms - exponential(random, 20_000)
  const first_end_ms = opened_ms + lognormal(random, 90 * MINUTE_MS * factor, 1.2)
  const episodes = episodesOf(opened_ms, first_end_ms, random, come)
  const last_end_ms = episodes.at(-1)?.[1] ?? null
  const until_ms = last_end_ms ?? shape.to_ms
  const answered = opened_ms + lognormal(random, 6 * MINUTE_MS * slower, 1)
  const eased = opened_ms + lognormal(random, 50 * MINUTE_MS * factor, 1)
  const begin_ms = episodes.at(-1)?.[0] ?? opened_ms
  const wants = {
    answer: random() < 0.85,
    ease: random() < 0.5,
    review: random() < 0.6,
    merge: random() < 0.05,
  }
  const merged = wants.merge && index > 0 && episodes.length === 1
  const reviewed = (last_end_ms ?? 0) + exponential(random, 20 * HOUR_MS)
  return {
    index,
    id: incidentId(index),
    scope: `plant-${number % 4}`,
    service,
    team: `team-${number % 8}`,
    severity,
    first_event_ms,
    opened_ms,
    acknowledged_ms:
      !merged && wants.answer && answered < Math.min(first_end_ms, shape.to_ms) ? answered : null,
    mitigated_ms: !merged && wants.ease && eased > begin_ms && eased < until_ms ? eased : null,
    episodes,
    reviewed_ms: !merged && last_end_ms !== null && wants.review ? come(reviewed) : null,
    pauses: pausesOf(opened_ms, until_ms, random),
    assignees: merged ? [] : assigneesOf(opened_ms, until_ms, number, random),
    merged_into: merged ? incidentId(index - 1) : null,
    flapped: random() < 0.03,
    alarms: alarmsOf(
      shape,
      { number, severity, opened_ms, first_event_ms, until_ms, ended: last_end_ms !== null },
      random,
    ),
  }
}

function episodesOf(
  opened_ms: number,
  first_end_ms: number,
  random: Random,
  come: (at_ms: number) => number | null,
): (readonly [number, number | null])[] {
  const ended = come(first_end_ms)
  if (ended === null || random() > 0.08) return [[opened_ms, ended]]
  const again = come(ended + exponential(random, 14 * HOUR_MS))
  if (again === null) return [[opened_ms, ended]]
  return [
    [opened_ms, ended],
    [again, come(again + lognormal(random, 60 * MINUTE_MS, 1))],
  ]
}

function pausesOf(opened_ms: number, until_ms: number, random: Random): [number, number][] {
  if (random() > 0.1) return []
  const length = until_ms - opened_ms
  const begin = opened_ms + Math.floor(length * 0.2 * random())
  return [[begin, begin + Math.floor(length * 0.5 * random())]]
}

function assigneesOf(opened_ms: number, until_ms: number, service: number, random: Random) {
  if (random() > 0.7) return []
  const at = (share: number) => opened_ms + Math.floor((until_ms - opened_ms) * share)
  const first = { at_ms: at(0.05), name: `line-1-${service % 8}` }
  return random() < 0.25 ? [first, { at_ms: at(0.4), name: `line-2-${service % 3}` }] : [first]
}

interface Around {
  readonly number: number
  readonly severity: Severity
  readonly opened_ms: number
  readonly first_event_ms: number
  readonly until_ms: number
  readonly ended: boolean
}

function alarmsOf(shape: HistoryShape, about: Around, random: Random): TrueAlarm[] {
  const { number, opened_ms, until_ms } = about
  const alarms: TrueAlarm[] = []
  // Few are storms, which flood an operator.
  const others = random() < 0.01 ? STORM_ALARMS : Math.min(STORM_ALARMS, exponential(random, 3) - 1)
  const entities = new Set([Math.floor(ENTITIES * random() ** 2)])
  for (let i = 0; i < others; i++) entities.add(Math.floor(ENTITIES * random()))
  const name = Math.floor(random() * NAMES.length)
  for (const entity of entities) {
    const first = alarms.length === 0
    const joined = first
      ? opened_ms
      : opened_ms + Math.floor(random() * Math.min(until_ms - opened_ms, 20 * MINUTE_MS))
    const ended =
      about.ended || random() < 0.5
        ? Math.min(until_ms, random() < 0.05 ? until_ms : joined + exponential(random, 40 * MINUTE_MS))
        : null
    alarms.push({
      fingerprint: fingerprintOf((number * ENTITIES + entity) * NAMES.length + name),
      alertname: NAMES[name] as string,
      entity: `host-${number}-${entity}`,
      severity: first ? about.severity : pick(random, SEVERITIES)[0],
      starts_ms: first ? about.first_event_ms : joined - Math.floor(random() * 30_000),
      joined_ms: joined,
      ended_ms: ended !== null && ended < shape.to_ms ? ended : null,
    })
  }
  return random() < 0.02 ? [...chattered(alarms[0] as TrueAlarm), ...alarms.slice(1)] : alarms
}

/** The same alarm five times within a minute, then once as before. */
function chattered(alarm: TrueAlarm): TrueAlarm[] {
  const short = Array.from({ length: 5 }, (_, i) => ({
    ...alarm,
    starts_ms: alarm.starts_ms + i * 8_000,
    joined_ms: alarm.joined_ms + i * 8_000,
    ended_ms: alarm.joined_ms + i * 8_000 + 4_000,
  }))
  const [, ...rest] = short
  return [{ ...alarm, ended_ms: alarm.joined_ms + 4_000 }, ...rest]
}
