import { QUALITIES, type Quality } from '../../../schemas/sample.ts'
import type { Verdict } from '../detector.ts'
import { isUsable } from '../detector.ts'
import { noteReading } from './evidence.ts'
import { isMoment, type Plan } from './plan.ts'
import { type Heard, hearSeries } from './presence.ts'
import { noteRecent } from './recent.ts'
import { closeOpen, type Occasion, raiseOpen } from './raise.ts'
import type { Device, Watch, Watched } from './state.ts'

/** What is folded now. */
export interface Turn extends Occasion {
  readonly plan: Plan
  /** Time of the log less the time in which nobody kept the clock. */
  readonly kept_ms: number
  /** Readings of the past: they teach where they can, and raise nothing. */
  readonly historical: boolean
  readonly counts: Counts
}

export interface Counts {
  readings: number
  /** Not later than the last of their series. */
  late: number
  /** Raised, and not told because the machine stands, or because they are of the past. */
  suppressed: number
  /** Of series beyond the bounds. */
  unwatched: number
}

/** A clock that was set back is believed after so many readings in a row from its past, … */
const LATE_READINGS = 10
/** … if they did not come all at once: a batch that is sent again is no clock. */
const LATE_LASTING_MS = 60_000

/** Shared: what is read lives no longer than the call. */
const reading: { at_ms: number; value: number; quality: Quality } = { at_ms: 0, value: 0, quality: 'good' }

/** One reading of one series; says whether anything was learned of it. */
export function read(watched: Watched, at_ms: number, value: number, quality: number, turn: Turn): boolean {
  if (!isNext(watched, at_ms, turn)) {
    turn.counts.late++
    return false
  }
  reading.at_ms = at_ms
  reading.value = value
  reading.quality = QUALITIES[quality] as Quality
  const usable = isUsable(reading)
  watched.at_ms = at_ms
  watched.value = value
  watched.quality = quality
  if (usable) noteRecent(watched.recent, at_ms, value)
  if (watched.evidence !== null)
    for (const evidence of watched.evidence.values()) noteReading(evidence, at_ms, usable ? value : null)
  const stands = stoppedBy(watched, turn) !== null
  for (const watch of watched.watches) {
    const { silence, learns } = watch.spec
    if (silence !== null) hear(watched, watch, quality, usable, turn)
    else if (learns ? !stands : !turn.historical)
      settle(watched, watch, judge(watch, watched.device, turn), turn, stands)
  }
  return true
}

function isNext(watched: Watched, at_ms: number, { kept_ms, historical }: Turn): boolean {
  if (!historical) watched.heard_ms = kept_ms
  if (at_ms > watched.at_ms) {
    watched.late = 0
    return true
  }
  if (historical) return false
  if (watched.late === 0) watched.late_since_ms = kept_ms
  watched.late++
  if (watched.late < LATE_READINGS || kept_ms - watched.late_since_ms < LATE_LASTING_MS) return false
  watched.late = 0
  return true
}

const STALE = QUALITIES.indexOf('stale')

function hear(watched: Watched, watch: Watch, quality: number, usable: boolean, turn: Turn): void {
  if (turn.historical || quality === STALE) return
  hearSeries(watch.state as Heard, turn.kept_ms, usable)
  if (watch.opens === null) return
  closeOpen(watched, watch, 'missing', turn)
  if (usable) closeOpen(watched, watch, 'bad-quality', turn)
}

/**
 * During an incident of its device a detector of moments is asked, and forgets what it saw. Others go on: they learn at first only, or
 * not while they are active, and must see the end.
 */
function judge({ spec, state }: Watch, { resting }: Device, { kept_ms }: Turn): Verdict {
  const { detector } = spec
  if (resting === null || resting.until_ms <= kept_ms || !isMoment(spec)) return detector.step(state, reading)
  return detector.step(detector.restore(detector.save(state)), reading)
}

/** The name of the stop by which alerts of the series are suppressed; null: by none. */
export function stoppedBy({ stops, device }: Watched, { plan, kept_ms, now_ms }: Turn): string | null {
  for (const stop of stops) {
    if (
      (device.stands_until[stop] ?? Number.NEGATIVE_INFINITY) > kept_ms ||
      plan.standsByCalendar(stop, now_ms)
    )
      return plan.stops[stop]?.rule.name ?? ''
  }
  return null
}

/** Takes what a detector says: conditions begin and end, and are told unless that is suppressed. */
export function settle(watched: Watched, watch: Watch, verdict: Verdict, turn: Turn, stands: boolean): void {
  if (verdict.transitions.length > 0 || watch.opens !== null)
    takeTransitions(watched, watch, verdict, turn, stands)
  const { pending } = watched.device
  if (dueOf(watch) !== null) pending.set(watch, watched)
  else if (pending.size > 0) pending.delete(watch)
}

/** When time alone makes a difference, by the clock of the series; null: never. */
export const dueOf = ({ spec, state }: Watch): number | null =>
  spec.silence === null ? (spec.detector.dueAt?.(state) ?? null) : null

function takeTransitions(
  watched: Watched,
  watch: Watch,
  verdict: Verdict,
  turn: Turn,
  stands: boolean,
): void {
  const moment = isMoment(watch.spec)
  const suppressed = turn.historical || stands
  for (const { to, condition, at_ms } of verdict.transitions) {
    if (to === 'cleared') closeOpen(watched, watch, condition, turn)
    else if (suppressed) {
      turn.counts.suppressed++
      if (!moment) open(watch, condition, at_ms, verdict.score)
    } else if (!isKnown(watch, condition, verdict.score, turn)) {
      const begun = open(watch, condition, at_ms, verdict.score)
      raiseOpen(watched, watch, begun, verdict, turn)
    }
  }
  if (watch.opens === null || suppressed) return
  // What began while the machine stood, and holds still.
  for (const one of watch.opens) if (!one.told) raiseOpen(watched, watch, one, verdict, turn)
  forgetMoments(watched, watch, turn)
}

/** It holds already, and no more strongly: a detector that learns nothing finds the same again. */
function isKnown({ opens }: Watch, condition: string, score: number, { now_ms }: Turn): boolean {
  const known = opens?.find((one) => one.condition === condition && one.told)
  return known !== undefined && (known.until_ms === null || (known.until_ms > now_ms && score <= known.score))
}

function open(watch: Watch, condition: string, at_ms: number, score: number) {
  watch.opens ??= []
  const known = watch.opens.find((one) => one.condition === condition)
  if (known !== undefined) {
    known.score = score
    return known
  }
  const begun = { condition, told: false, since_ms: at_ms, until_ms: null, score }
  watch.opens.push(begun)
  return begun
}

function forgetMoments(watched: Watched, watch: Watch, turn: Turn): void {
  for (const one of [...(watch.opens ?? [])])
    if (one.until_ms !== null && one.until_ms <= turn.now_ms) closeOpen(watched, watch, one.condition, turn)
}
