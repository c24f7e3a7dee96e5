import type { TopologyPart } from '../../schemas/topology.ts'
import { seeded } from '../load/random.ts'
import { type Line, NOISE, type Recording } from './recordings.ts'

/** A recording as it is, or changed in one way. */
export interface Variant {
  readonly name: string
  /** In the order in which they are heard. */
  readonly lines: readonly Line[]
  readonly topology: readonly TopologyPart[]
  /** Which line of the recording each line is, where the variant has its alerts at their times. */
  readonly originals: readonly number[] | null
}

const OVERLAY_SEEDS = [1, 2, 3]
const OVERLAY_SHIFT_S = 120
const OVERLAY_PAIRS_APART_S = 3_600
const NOISE_PER_MINUTE = [0.2, 1, 4]
const SHUFFLED_BY_S = 30
const MISSING_SHARE = 0.1

/** One at a time, because each may be as large as the recording. */
export function* variantsOf(recording: Recording): Generator<Variant> {
  const { lines, topology } = recording
  const plain = { topology, originals: null }
  const indices = lines.map((_, i) => i)
  yield { name: 'plain', lines, topology, originals: indices }
  if (topology.length > 0) yield { name: 'no topology', lines, topology: [], originals: indices }
  for (const seed of OVERLAY_SEEDS) {
    const overlaid = overlay(recording, seed)
    if (overlaid.length > 0) yield { ...plain, name: `overlay ${seed}`, lines: overlaid }
  }
  for (const per_minute of NOISE_PER_MINUTE) {
    yield { ...plain, name: `noise ${per_minute}`, lines: noisy(lines, per_minute, sameAlert) }
    yield { ...plain, name: `new noise ${per_minute}`, lines: noisy(lines, per_minute, newAlert) }
  }
  const chosen = (name: string, originals: readonly number[]): Variant => ({
    name,
    lines: originals.map((i) => lines[i] as Line),
    topology,
    originals,
  })
  yield chosen('shuffled', shuffled(lines))
  yield chosen(
    'duplicated',
    indices.flatMap((i) => [i, i]),
  )
  const random = seeded(1)
  yield chosen(
    'tenth missing',
    indices.filter(() => random() >= MISSING_SHARE),
  )
}

function at(line: Line, ts_s: number, incident = line.incident): Line {
  return { value: { ...line.value, ts: ts_s }, ts_s, incident }
}

function inOrder(lines: readonly Line[]): Line[] {
  return lines.toSorted((a, b) => a.ts_s - b.ts_s)
}

/** Faults in random pairs, of which the second begins 120 s after the first; an hour between pairs. */
function overlay({ lines, faults }: Recording, seed: number): Line[] {
  const incidents = Map.groupBy(
    lines.filter(({ incident }) => incident !== NOISE),
    ({ incident }) => incident,
  )
  const out: Line[] = []
  let began_s = lines[0]?.ts_s ?? 0
  const random = seeded(seed)
  // Only faults of one system meet: what comes before the slash names it.
  for (const ids of Map.groupBy(incidents.keys(), (id) => id.split('/').slice(0, -1).join('/')).values()) {
    shuffle(ids, random)
    for (let i = 0; i + 1 < ids.length; i += 2) {
      for (const [id, delay_s] of [
        [ids[i], 0],
        [ids[i + 1], OVERLAY_SHIFT_S],
      ] as const) {
        const own = incidents.get(id as string) ?? []
        const start_s = faults.get(id as string)?.start_s ?? own[0]?.ts_s ?? 0
        for (const line of own) out.push(at(line, line.ts_s - start_s + began_s + delay_s))
      }
      began_s += OVERLAY_PAIRS_APART_S
    }
  }
  return inOrder(out)
}

function shuffle(list: unknown[], random: () => number): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[list[i], list[j]] = [list[j], list[i]]
  }
}

/** A source of alerts that belong to nothing. */
type Noise = (lines: readonly Line[]) => (random: () => number) => Line['value']

/** With such alerts at random times over the whole recording. */
function noisy(lines: readonly Line[], per_minute: number, noise: Noise): Line[] {
  const random = seeded(1)
  const next = noise(lines)
  const [first_s, last_s] = [lines[0]?.ts_s ?? 0, lines.at(-1)?.ts_s ?? 0]
  const count = Math.floor(((last_s - first_s) / 60) * per_minute)
  const added = Array.from({ length: count }, (): Line => {
    const ts_s = first_s + random() * (last_s - first_s)
    return { value: { ...next(random), ts: ts_s }, ts_s, incident: NOISE }
  })
  return inOrder([...lines, ...added])
}

function oneOf<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T
}

/** Any alert of the recording. */
const sameAlert: Noise = (lines) => (random) => oneOf(lines, random).value

const NEW_KINDS = 30

/** Of kinds that the recording does not have, about its entities, each as often as the others. */
const newAlert: Noise = (lines) => {
  const entityOf = (value: Line['value']) => String(value['entity'] ?? value['host'] ?? value['service'])
  const of_entity = new Map(lines.map(({ value }) => [entityOf(value), value]))
  const values = [...of_entity.values()]
  return (random) => {
    const value = oneOf(values, random)
    return {
      ...value,
      source: 'metric',
      alertname: `noise_${Math.floor(random() * NEW_KINDS)}`,
      message: `noise on ${entityOf(value)}`,
      dep: null,
    }
  }
}

/** The order of what is heard up to 30 s late. */
function shuffled(lines: readonly Line[]): number[] {
  const random = seeded(1)
  return lines
    .map(({ ts_s }, i) => ({ i, heard_s: ts_s + random() * SHUFFLED_BY_S }))
    .sort((a, b) => a.heard_s - b.heard_s)
    .map(({ i }) => i)
}
