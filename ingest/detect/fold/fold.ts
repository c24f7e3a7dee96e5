import type { DetectRecord } from '../../../schemas/detect.ts'
import { LIMITS } from '../../../schemas/limits.ts'
import type { Matcher } from '../../../schemas/matcher.ts'
import { compileMatchers } from '../../../schemas/matching.ts'
import { type SamplesRecord, type Series } from '../../../schemas/sample.ts'
import { seriesHash } from '../../../schemas/series_hash.ts'
import {
  accept,
  addSeries,
  bind,
  heard,
  pass,
  refit,
  refreshDue,
  removeSeries,
  startDevice,
} from './device.ts'
import { Plan } from './plan.ts'
import { type Counts, read, type Turn } from './series.ts'
import { type Device, Slots, type State, type Watched } from './state.ts'
import { Teller, type Told } from './told.ts'

/** A record with the place and time that the log gave it. */
export interface LoggedSamples {
  readonly position: number
  readonly time_ms: number
  readonly record: SamplesRecord | DetectRecord
}

/** Alerts of one entry of the log. */
export interface ToldAt {
  readonly position: number
  readonly time_ms: number
  readonly told: readonly Told[]
}

/** What folding came to. */
export interface Outcome {
  readonly told: ToldAt[]
  readonly counts: Counts
}

export const emptyOutcome = (): Outcome => ({
  told: [],
  counts: { readings: 0, late: 0, suppressed: 0, unwatched: 0 },
})

/** While a partition has something to watch, its owner appends at least a tick in this time. */
export const HEARTBEAT_MS = 30_000
/** When nothing was logged for so long nobody kept the clock: that time does not count as silence. */
const AWAY_MS = 3 * HEARTBEAT_MS
const SWEEP_MS = 1_000
const HOUR_MS = 3_600_000
const FORGET_AFTER_MS = 14 * 24 * HOUR_MS

/**
 * Folds one record into the state. Each device is folded by itself: what was stored of it at a later position is left alone until that
 * position is reached, and comes to the same, whatever the others are at.
 */
export function foldSamples(state: State, logged: LoggedSamples, outcome: Outcome): void {
  const before = state.context
  const time_ms = Math.max(before.time_ms, logged.time_ms)
  const passed_ms = before.time_ms === 0 ? 0 : time_ms - before.time_ms
  const away_ms = before.away_ms + (passed_ms > AWAY_MS ? passed_ms : 0)
  const { record, position } = logged
  const turn: FoldTurn = {
    position,
    now_ms: time_ms,
    kept_ms: time_ms - away_ms,
    plan: state.plan,
    entity_labels: state.plan.rules.entity_labels,
    historical: record.kind === 'samples' && record.historical,
    teller: new Teller(time_ms),
    counts: outcome.counts,
  }
  if (Math.floor(time_ms / SWEEP_MS) !== Math.floor(before.time_ms / SWEEP_MS)) sweep(state, turn)
  if (Math.floor(time_ms / HOUR_MS) !== Math.floor(before.time_ms / HOUR_MS)) forget(state, turn)
  if (record.kind === 'samples') foldReadings(state, record, turn)
  else foldOrder(state, record, turn)
  state.context = { position: position + 1, time_ms, away_ms, rules: state.plan.rules }
  const told = turn.teller.done()
  if (told.length > 0) outcome.told.push({ position, time_ms, told })
}

interface FoldTurn extends Turn {
  readonly position: number
}

/** Whether this entry was not folded into the device before it was stored; marks it as changed. */
function touch(state: State, device: Device, turn: FoldTurn): boolean {
  if (device.applied > turn.position) return false
  if (device.plan === null) bind(device, turn.plan)
  if (!state.dirty.has(device)) state.dirty.set(device, state.context)
  return true
}

/** Time that passed makes a difference to some devices. */
function sweep(state: State, turn: FoldTurn): void {
  for (const device of state.devices.values())
    if (device.due_ms <= turn.kept_ms && touch(state, device, turn)) pass(device, turn)
}

/** Once an hour: what was not heard for two weeks, and has no alert, is forgotten, so that what comes and goes does not fill the bounds. */
function forget(state: State, turn: FoldTurn): void {
  for (const device of state.devices.values()) {
    const gone = device.series.filter((watched) => isForgotten(watched, turn))
    if (gone.length === 0 || !touch(state, device, turn)) continue
    for (const watched of gone) state.series.delete(watched, seriesHash(watched.series))
    removeSeries(device, new Set(gone), turn)
    // Without series it is deleted from the store as well.
    if (device.series.length === 0) state.devices.delete(device.key)
  }
}

const isForgotten = ({ heard_ms, evidence, device }: Watched, { kept_ms }: Turn): boolean =>
  kept_ms - heard_ms > FORGET_AFTER_MS && evidence === null && device.presence.open === null

function foldReadings(state: State, record: SamplesRecord, turn: FoldTurn): void {
  const { of, at_ms, value, quality } = record
  const watched = seriesOf(state, record, turn)
  const seen = new Map<Device, number>()
  let device: Device | null = null
  let qualities = 0
  const { counts } = turn
  counts.readings += of.length
  for (let i = 0; i < of.length; i++) {
    const one = watched[of[i] as number]
    if (one === null || one === undefined) {
      counts.unwatched++
      continue
    }
    if (one.device !== device) {
      if (device !== null) seen.set(device, qualities)
      device = one.device
      qualities = seen.get(device) ?? (touch(state, device, turn) ? 0 : FOLDED)
    }
    if (qualities === FOLDED) continue
    const told_quality = quality[i] as number
    qualities |= 1 << told_quality
    if (read(one, at_ms[i] as number, value[i] as number, told_quality, turn) && one.state_of.length > 0)
      noteState(one, turn)
  }
  if (device !== null) seen.set(device, qualities)
  for (const [one, bits] of seen) if (bits !== FOLDED) heard(one, bits, turn)
}

/** A state that nobody repeats for so long suppresses nothing any more. */
const STATE_LASTS_MS = 7 * 86_400_000

/** An incident that lasts for so long is the new usual, or forgotten. */
const REST_MS = 24 * 3_600_000

/** In place of the qualities of a device into which this entry was folded before. */
const FOLDED = -1

/** The machine's own state says that it stands, or that it runs again. */
function noteState({ device, state_of, value }: Watched, { plan, kept_ms }: Turn): void {
  for (const stop of state_of) {
    const rule = plan.stops[stop]?.rule
    const stands = rule?.state?.values.includes(value) === true
    const until_ms = device.stands_until[stop] ?? Number.NEGATIVE_INFINITY
    if (stands) device.stands_until[stop] = kept_ms + STATE_LASTS_MS
    else if (until_ms > kept_ms + (rule?.settle_ms ?? 0))
      device.stands_until[stop] = kept_ms + (rule?.settle_ms ?? 0)
  }
}

/** The state of each series of a record; null beyond the bounds. */
function seriesOf(state: State, { series: all, hashes }: SamplesRecord, turn: FoldTurn): (Watched | null)[] {
  let unknown = 0
  const hash = (i: number): number => hashes?.[i] ?? seriesHash(all[i] as Series)
  const found = all.map((series, i) => {
    const known = state.series.find(series, hash(i))
    if (known === null) unknown++
    return known
  })
  if (unknown === 0) return found
  const slots = new Slots(unknown)
  return found.map((known, i) => known ?? newSeries(state, all[i] as Series, hash(i), turn, slots))
}

function newSeries(state: State, series: Series, hash: number, turn: FoldTurn, slots: Slots): Watched | null {
  const known = state.series.find(series, hash)
  if (known !== null) return known
  if (state.series.size >= LIMITS.series_per_partition) return null
  const device_key = turn.plan.deviceOf(series)
  let device = state.devices.get(device_key)
  if (device === undefined) {
    device = startDevice(device_key, series, turn.plan, turn.position)
    state.devices.set(device_key, device)
  }
  if (!touch(state, device, turn)) return null
  const watched = addSeries(device, series, turn, slots)
  if (watched !== null) state.series.add(watched, hash)
  return watched
}

function foldOrder(state: State, record: DetectRecord, turn: FoldTurn): void {
  switch (record.kind) {
    case 'detect-rules':
      if (record.rules.version === state.plan.rules.version) return
      for (const device of state.devices.values()) touch(state, device, turn)
      state.plan = new Plan(record.rules)
      for (const device of state.devices.values())
        if (device.applied <= turn.position) refit(device, state.plan, { ...turn, plan: state.plan })
      return
    case 'accept':
      return eachOf(state, record.match, turn, (watched) => accept(watched, turn))
    case 'rest':
      return rest(state, record, turn)
    case 'tick':
  }
}

function rest(
  state: State,
  { id, device: key, resting }: Extract<DetectRecord, { kind: 'rest' }>,
  turn: FoldTurn,
): void {
  const device = state.devices.get(key)
  if (device === undefined || !touch(state, device, turn)) return
  if (resting) device.resting = { id, until_ms: turn.kept_ms + REST_MS }
  else if (device.resting?.id === id) device.resting = null
}

function eachOf(
  state: State,
  match: readonly Matcher[],
  turn: FoldTurn,
  act: (watched: Watched) => void,
): void {
  const matches = compileMatchers(match)
  for (const device of state.devices.values()) {
    const wanted = device.series.filter(({ series }) => matches(series.labels))
    if (wanted.length === 0 || !touch(state, device, turn)) continue
    for (const watched of wanted) act(watched)
    refreshDue(device, turn)
  }
}

/** When the clock makes a difference next, by the time of the log; Infinity: not before something is read. */
export function nextDue(state: State): number {
  let due_ms = Number.POSITIVE_INFINITY
  for (const device of state.devices.values()) due_ms = Math.min(due_ms, device.due_ms)
  return due_ms + state.context.away_ms
}
