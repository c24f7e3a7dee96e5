import { digestOf } from '../../../schemas/ids.ts'
import type { Labels } from '../../../schemas/alert.ts'
import { seriesHash } from '../../../schemas/series_hash.ts'
import type { Json } from '../detector.ts'
import { NOVELTY_BYTES, type NoveltyState, readNovelty, startNovelty, writeNovelty } from '../novelty.ts'
import type { Evidence } from './evidence.ts'
import { type StoredGroup, storedGroup } from './group.ts'
import { Plan } from './plan.ts'
import { type Presence, startPresence } from './presence.ts'
import { type Recent, RECENT_DOUBLES, RECENT_FLOATS, startRecent } from './recent.ts'
import type { Context, Device, Open, State, StoredWatch, Watch, Watched } from './state.ts'

/**
 * A device is two rows, stored together: `i/…`, JSON that views read too, and `d/…`, what its detectors know. `m` is the context in which
 * a replay begins.
 */
const CONTEXT_ROW = 'm'
export const SERIES_ROWS = 'i/'
const DETECTOR_ROWS = 'd/'
export const EVIDENCE_ROWS = 'e/'

/** JSON has no NaN and no infinities. */
type Stored<T> = { readonly [K in keyof T]: T[K] extends number ? number | null : T[K] }

/** One series as views see it. */
export interface StoredSeries {
  readonly labels: Labels
  /** Null before the first reading. */
  readonly at_ms: number | null
  readonly value: number
  readonly quality: number
  readonly heard_ms: number
  readonly late: number
  readonly late_since_ms: number
  readonly watches: readonly { key: string; rule: string; detector: string; opens: Open[] | null }[]
  readonly stops: readonly number[]
  /** Fingerprints of alerts whose plot goes on. */
  readonly evidence: readonly string[]
}

export interface StoredDevice {
  readonly key: string
  readonly scope: string
  readonly labels: Labels
  readonly applied: number
  readonly presence: Stored<Omit<Presence, 'open'>> & Pick<Presence, 'open'>
  readonly resting: Device['resting']
  readonly stands_until: readonly (number | null)[]
  readonly due_ms: number | null
  readonly series: readonly StoredSeries[]
}

/** Of its two rows. */
export function keysOf({ key }: Device): readonly [info: string, details: string] {
  const id = digestOf('device', key).slice(0, 16)
  return [`${SERIES_ROWS}${id}`, `${DETECTOR_ROWS}${id}`]
}

export function rowsOf(device: Device): [key: string, value: Buffer][] {
  const [info, details] = keysOf(device)
  const evidence = [...device.closed, ...device.series.flatMap((one) => [...(one.evidence?.values() ?? [])])]
  device.closed.length = 0
  return [
    [info, Buffer.from(JSON.stringify(storedDevice(device)))],
    [details, detectorBytes(device)],
    ...evidence.map((one): [string, Buffer] => [
      `${EVIDENCE_ROWS}${one.fingerprint}`,
      Buffer.from(JSON.stringify(one)),
    ]),
  ]
}

export const contextRow = ({ position, time_ms, away_ms, rules }: Context): [key: string, value: Buffer] => [
  CONTEXT_ROW,
  Buffer.from(JSON.stringify({ position, time_ms, away_ms, rules })),
]

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null)

function storedDevice(device: Device): StoredDevice {
  const { key, scope, labels, applied, presence, resting, stands_until, due_ms } = device
  return {
    key,
    scope,
    labels,
    applied,
    presence,
    resting,
    stands_until: Array.from(stands_until, (until_ms) => until_ms ?? null),
    due_ms: finite(due_ms),
    series: device.series.map((one) => ({
      labels: one.series.labels,
      at_ms: finite(one.at_ms),
      value: one.value,
      quality: one.quality,
      heard_ms: one.heard_ms,
      late: one.late,
      late_since_ms: one.late_since_ms,
      watches: one.watches.map(({ spec, opens }) => ({
        key: spec.key,
        rule: spec.rule.name,
        detector: spec.detector.name,
        opens,
      })),
      stops: one.stops,
      evidence: [...(one.evidence?.keys() ?? [])],
    })),
  }
}

const RECENT_BYTES = RECENT_DOUBLES * 8 + RECENT_FLOATS * 4
const isNovelty = ({ spec }: Watch): boolean => spec.detector.name === 'novelty'

/** `u32` bytes of the JSON of all states but novelty's, that JSON; then for each series what it has shown lately, and its novelty. */
function detectorBytes(device: Device): Buffer {
  const { series } = device
  const states = series.map(({ watches }) =>
    watches.map((watch) =>
      isNovelty(watch)
        ? null
        : watch.spec.silence === null
          ? watch.spec.detector.save(watch.state)
          : watch.state,
    ),
  )
  const text = Buffer.from(
    JSON.stringify({ states, groups: device.groups.map((group) => storedGroup(device, group)) }),
  )
  const novelties = series.reduce((sum, { watches }) => sum + watches.filter(isNovelty).length, 0)
  const bytes = Buffer.allocUnsafe(4 + text.length + series.length * RECENT_BYTES + novelties * NOVELTY_BYTES)
  bytes.writeUInt32LE(text.length, 0)
  text.copy(bytes, 4)
  let at = 4 + text.length
  for (const { recent, watches } of series) {
    writeRecent(recent, bytes, at)
    at += RECENT_BYTES
    for (const watch of watches) {
      if (!isNovelty(watch)) continue
      writeNovelty(watch.state as NoveltyState, bytes, at)
      at += NOVELTY_BYTES
    }
  }
  return bytes
}

const doublesOf = ({ doubles, slot }: Recent): Uint8Array =>
  new Uint8Array(doubles.buffer, doubles.byteOffset + slot * RECENT_DOUBLES * 8, RECENT_DOUBLES * 8)
const floatsOf = ({ floats, slot }: Recent): Uint8Array =>
  new Uint8Array(floats.buffer, floats.byteOffset + slot * RECENT_FLOATS * 4, RECENT_FLOATS * 4)

function writeRecent(recent: Recent, into: Uint8Array, at: number): void {
  into.set(doublesOf(recent), at)
  into.set(floatsOf(recent), at + RECENT_DOUBLES * 8)
}

function readRecent(recent: Recent, from: Uint8Array, at: number): void {
  doublesOf(recent).set(from.subarray(at, at + RECENT_DOUBLES * 8))
  floatsOf(recent).set(from.subarray(at + RECENT_DOUBLES * 8, at + RECENT_BYTES))
}

/** Rows as they come, in any order, into a state. */
export class Restoring {
  private readonly infos = new Map<string, StoredDevice>()
  private readonly details = new Map<string, Buffer>()
  private readonly evidence = new Map<string, Evidence>()
  private context: Context | null = null

  row(key: string, value: Buffer): void {
    if (key === CONTEXT_ROW) this.context = JSON.parse(value.toString()) as Context
    else if (key.startsWith(SERIES_ROWS))
      this.infos.set(key.slice(SERIES_ROWS.length), JSON.parse(value.toString()) as StoredDevice)
    else if (key.startsWith(DETECTOR_ROWS)) this.details.set(key.slice(DETECTOR_ROWS.length), value)
    else {
      const evidence = JSON.parse(value.toString()) as Evidence
      this.evidence.set(evidence.fingerprint, evidence)
    }
  }

  /** Plots of alerts that are over: fingerprint and when. */
  into(state: State): (readonly [fingerprint: string, cleared_at_ms: number])[] {
    if (this.context !== null) {
      state.context = this.context
      state.plan = new Plan(this.context.rules)
    }
    for (const [id, info] of this.infos) this.device(state, info, this.details.get(id))
    return [...this.evidence.values()].flatMap(({ fingerprint, cleared_at_ms }) =>
      cleared_at_ms === null ? [] : [[fingerprint, cleared_at_ms] as const],
    )
  }

  private device(state: State, info: StoredDevice, details: Buffer | undefined): void {
    const { key, scope, labels, applied, resting, due_ms } = info
    const text_bytes = details?.readUInt32LE(0) ?? 0
    const { states, groups } = details
      ? (JSON.parse(details.toString('utf8', 4, 4 + text_bytes)) as {
          states: Json[][]
          groups: StoredGroup[]
        })
      : { states: [], groups: [] }
    const device: Device = {
      key,
      scope,
      labels,
      applied,
      plan: null,
      series: [],
      stored: [],
      stored_groups: groups,
      groups: [],
      presence: presenceOf(info.presence),
      silence: null,
      resting,
      stands_until: info.stands_until.map((until_ms) => until_ms ?? Number.NEGATIVE_INFINITY),
      pending: new Map(),
      due_ms: due_ms ?? Number.POSITIVE_INFINITY,
      closed: [],
    }
    const novelties = info.series.reduce((sum, one) => sum + one.watches.filter(isStoredNovelty).length, 0)
    const slots = { recent: startRecent(info.series.length), novelty: startNovelty(novelties) }
    let at = 4 + text_bytes
    const stored: StoredWatch[][] = []
    for (const [i, one] of info.series.entries()) {
      const recent = slots.recent[i] as Recent
      if (details) readRecent(recent, details, at)
      at += RECENT_BYTES
      stored.push(
        one.watches.map((watch, n) => {
          const { key: watch_key, opens } = watch
          if (!isStoredNovelty(watch)) return { key: watch_key, opens, state: states[i]?.[n] ?? null }
          const novelty = slots.novelty.pop() as NoveltyState
          if (details) readNovelty(novelty, details, at)
          at += NOVELTY_BYTES
          return { key: watch_key, opens, state: novelty }
        }),
      )
      const watched = this.watched(device, one, recent)
      device.series.push(watched)
      state.series.add(watched, seriesHash(watched.series))
    }
    device.stored = stored
    state.devices.set(key, device)
  }

  private watched(device: Device, one: StoredSeries, recent: Recent): Watched {
    const evidence = one.evidence.flatMap((fingerprint) => this.evidence.get(fingerprint) ?? [])
    return {
      series: { scope: device.scope, labels: one.labels },
      device,
      recent,
      watches: [],
      stops: [],
      state_of: [],
      at_ms: one.at_ms ?? Number.NEGATIVE_INFINITY,
      value: one.value,
      quality: one.quality,
      heard_ms: one.heard_ms,
      late: one.late,
      late_since_ms: one.late_since_ms,
      evidence: evidence.length === 0 ? null : new Map(evidence.map((each) => [each.fingerprint, each])),
    }
  }
}

const isStoredNovelty = ({ detector }: { readonly detector: string }): boolean => detector === 'novelty'

function presenceOf({ open, ...times }: StoredDevice['presence']): Presence {
  const start = startPresence()
  return {
    heard_ms: times.heard_ms ?? start.heard_ms,
    usable_ms: times.usable_ms ?? start.usable_ms,
    gap_ms: times.gap_ms ?? start.gap_ms,
    gone_since_ms: times.gone_since_ms ?? start.gone_since_ms,
    checked_ms: times.checked_ms ?? start.checked_ms,
    open,
  }
}
