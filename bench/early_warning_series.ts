/** Made-up series; the same seed makes the same series. */
import type { Reading } from '../ingest/detect/detector.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const STEP_MS = 300_000
const DAY_ROWS = DAY_MS / STEP_MS
const FROM_MS = Date.UTC(2025, 0, 6)

export interface Random {
  /** In [0, 1). */
  uniform(): number
  /** Of mean 0 and deviation 1. */
  normal(): number
}

/** Mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  }
}

export interface RunToLimit {
  readonly readings: readonly Reading[]
  /** Row from which something is wrong, and row at which the limit is reached (the last). */
  readonly onset: number
  readonly limit_row: number
}

/** What a fault adds to a healthy value, `age` going from 0 at its onset to 1 when the limit is reached. */
type Fault = (healthy: number, age: number, random: Random) => number

const HEALTHY_DAYS = 28

/**
 * Each kind: 28 healthy days of a daily curve (amplitude 1) with noise (deviation 0.3, partly lasting) and a weaker weekend, then a fault
 * of 2 to 7 days, at the end of which the value is 8 beyond the mean: the limit.
 * - wear: an exponential rise, most of it in the last quarter
 * - leak: a straight decline
 * - stuck_valve: the value freezes where it is, then creeps to the limit
 * - bearing: bursts, more and more of them and ever larger, on a slow rise
 */
export const FAULTS: Readonly<Record<string, Fault>> = {
  wear: (healthy, age) => healthy + (8 * (Math.exp(4 * age) - 1)) / (Math.exp(4) - 1),
  leak: (healthy, age) => healthy - 8 * age,
  stuck_valve: (_, age, random) => 0.3 + 0.02 * random.normal() + 8 * age ** 2,
  bearing: (healthy, age, random) =>
    healthy + 4 * age ** 3 + (random.uniform() < 0.02 + 0.3 * age ? 4 * age * random.uniform() : 0),
}

export function runToLimit(fault: Fault, seed: number): RunToLimit {
  const random = randomOf(seed)
  const onset =
    (HEALTHY_DAYS + Math.floor(3 * random.uniform())) * DAY_ROWS + Math.floor(DAY_ROWS * random.uniform())
  const limit_row = onset + Math.floor((2 + 5 * random.uniform()) * DAY_ROWS)
  let lasting = 0
  const readings = Array.from({ length: limit_row + 1 }, (_, row): Reading => {
    const day = row / DAY_ROWS
    lasting = 0.9 * lasting + 0.4 * random.normal()
    const weight = Math.floor(day) % 7 >= 5 ? 0.5 : 1
    const healthy = weight * Math.sin(2 * Math.PI * day) + 0.2 * random.normal() + 0.2 * lasting
    const value = row < onset ? healthy : fault(healthy, (row - onset) / (limit_row - onset), random)
    return { at_ms: FROM_MS + row * STEP_MS, value, quality: 'good' }
  })
  return { readings, onset, limit_row }
}

/** Local hours since Monday midnight, with an hour of daylight saving from late March to late October. */
function localHours(at_ms: number): number {
  const day = (at_ms - FROM_MS) / DAY_MS
  return (at_ms - FROM_MS) / HOUR_MS + (day >= 83 && day < 293 ? 1 : 0)
}

type Shape = (hours: number, weekend: boolean, random: Random, lasting: number, day: number) => number

/** The ordinary: sine, working hours, a slow process, traffic (lognormal), outdoor temperature. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  sine: (hours, _, random) => 50 + 10 * Math.sin((2 * Math.PI * hours) / 24) + random.normal(),
  office: (hours, weekend, random) =>
    (weekend ? 10 : hours % 24 >= 8 && hours % 24 < 18 ? 60 : 12) + 2 * random.normal(),
  process: (hours, weekend, _, lasting) =>
    50 + 10 * Math.sin((2 * Math.PI * hours) / 24) * (weekend ? 0.3 : 1) + 2 * lasting,
  traffic: (hours, weekend, random) =>
    Math.exp(3 + Math.sin((2 * Math.PI * (hours - 9)) / 24) * (weekend ? 0.5 : 1) + 0.15 * random.normal()),
  outdoor: (hours, _, __, lasting, day) =>
    10 +
    10 * Math.sin((2 * Math.PI * (day - 100)) / 365) +
    4 * Math.sin((2 * Math.PI * hours) / 24) +
    lasting,
}

/**
 * A year without anything wrong, as plants send it: three maintenance gaps of 9 to 30 hours, two shifts of daylight saving, a clock that
 * runs 20 minutes ahead for a day and one that falls back by 2 hours for an hour, one row in 200 twice, one in 500 late by an hour.
 */
export function* cleanYear(shape: Shape, seed: number, step_ms: number = STEP_MS): Generator<Reading> {
  const random = randomOf(seed)
  let lasting = 0
  for (let at_ms = FROM_MS; at_ms < FROM_MS + 365 * DAY_MS; at_ms += step_ms) {
    const day = (at_ms - FROM_MS) / DAY_MS
    lasting = 0.95 * lasting + 0.3 * random.normal()
    const hours = localHours(at_ms)
    const value = shape(hours, Math.floor(hours / 24) % 7 >= 5, random, lasting, day)
    if ((day > 60 && day < 60.4) || (day > 181 && day < 182.25) || (day > 300.5 && day < 301.2)) continue
    const ahead_ms = day > 120 && day < 121 ? 1_200_000 : day > 240 && day < 240.042 ? -7_200_000 : 0
    const reading: Reading = { at_ms: at_ms + ahead_ms, value, quality: 'good' }
    yield reading
    if (random.uniform() < 1 / 200) yield reading
    if (random.uniform() < 1 / 500) yield { ...reading, at_ms: reading.at_ms - HOUR_MS }
  }
}
