import type { DeadLetter } from '../../schemas/deadletter.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Series } from '../../schemas/sample.ts'
import { lettersOf } from '../dead_letters.ts'
import type { DecodedSamples, RawReading, RawSeries, RejectedSample } from './format.ts'
import { readingFault, type SeriesPlacer } from './normalise.ts'

/** What one message (or the body of one request, whose `offset` is null) gave. */
export interface DecodedSampleMessage {
  readonly offset: number | null
  /** Where it came from, of a source that keeps no places (MQTT). */
  readonly from?: string
  readonly decoded: DecodedSamples
}

/** Messages of one source in order, or one request. */
export interface SampleBatch {
  /** Name of the source: of its readings, its dead letters and its metrics. */
  readonly source: string
  readonly received_at_ms: number
  readonly messages: readonly DecodedSampleMessage[]
  /** Where something that was rejected came from, e.g. `mqtt:spBv1.0/plant/DDATA/edge#4`. */
  readonly locate: (offset: number | null, ordinal: number) => string
}

/** Readings of one series that go into the log. */
export interface SeriesReadings {
  readonly series: Series
  readonly historical: boolean
  readonly readings: readonly RawReading[]
}

/** A batch ready for the log. */
export interface PreparedSamples {
  readonly source: string
  readonly received_at_ms: number
  /** By partition of the samples log. */
  readonly readings: ReadonlyMap<number, readonly SeriesReadings[]>
  readonly samples_total: number
  /** Readings that are no numbers, and were left out on purpose. */
  readonly dropped: number
  /** One for each series, or thing of a message, that was not taken. */
  readonly rejects: readonly RejectedSample[]
  readonly letters: readonly DeadLetter[]
  /** Messages of which nothing was taken and something was rejected. */
  readonly messages_rejected: number
}

/** Gives a batch its scopes and partitions, and its rejects their dead letters. */
export function prepareSamples(batch: SampleBatch, placer: SeriesPlacer): PreparedSamples {
  const { source, received_at_ms } = batch
  const sorter = new Sorter(placer, received_at_ms)
  const rejects: RejectedSample[] = []
  const letters: DeadLetter[] = []
  let [dropped, messages_rejected] = [0, 0]
  for (const { offset, from, decoded } of batch.messages) {
    const taken_before = sorter.samples_total
    const refused = [...decoded.rejects]
    for (const [i, raw] of decoded.series.entries()) sorter.add(raw, i, refused)
    dropped += decoded.dropped ?? 0
    if (refused.length === 0) continue
    if (sorter.samples_total === taken_before) messages_rejected++
    for (const reject of refused) rejects.push(reject)
    const locate = (ordinal: number) =>
      from === undefined ? batch.locate(offset, ordinal) : `${from}#${ordinal}`
    letters.push(...lettersOf(bounded(refused), { source, at_ms: received_at_ms, locate }))
  }
  const { readings, samples_total } = sorter
  return { source, received_at_ms, readings, samples_total, dropped, rejects, letters, messages_rejected }
}

class Sorter {
  readonly readings = new Map<number, SeriesReadings[]>()
  samples_total = 0
  private readonly placer: SeriesPlacer
  private readonly received_at_ms: number

  constructor(placer: SeriesPlacer, received_at_ms: number) {
    this.placer = placer
    this.received_at_ms = received_at_ms
  }

  add(raw: RawSeries, ordinal: number, rejects: RejectedSample[]): void {
    const placed = this.placer.place(raw.labels)
    if ('reason' in placed) {
      rejects.push({ ordinal, ...placed, payload: shown(raw) })
      return
    }
    const readings = this.timely(raw, ordinal, rejects)
    if (readings.length === 0) return
    this.samples_total += readings.length
    const one = { series: placed.series, historical: raw.historical ?? false, readings }
    const list = this.readings.get(placed.partition)
    if (list === undefined) this.readings.set(placed.partition, [one])
    else list.push(one)
  }

  /** Those whose time can be; the others of one series are one reject. */
  private timely(raw: RawSeries, ordinal: number, rejects: RejectedSample[]): readonly RawReading[] {
    const { received_at_ms } = this
    const { readings } = raw
    if (readings.every((reading) => readingFault(reading, received_at_ms) === null)) return readings
    const untimely = readings.filter((reading) => readingFault(reading, received_at_ms) !== null)
    const [first] = untimely
    const fault = first && readingFault(first, received_at_ms)
    if (fault) {
      const reason =
        untimely.length === 1 ? fault.reason : `${fault.reason} (and so of ${untimely.length - 1} more)`
      rejects.push({ ordinal, code: fault.code, reason, payload: shown({ ...raw, readings: untimely }) })
    }
    return readings.filter((reading) => readingFault(reading, received_at_ms) === null)
  }
}

const SHOWN_READINGS = 20

/** Values that are no numbers would be null in JSON. */
function shown({ labels, readings }: RawSeries): string {
  const told = readings.slice(0, SHOWN_READINGS).map(({ at_ms, value }) => [at_ms, String(value)])
  return JSON.stringify({
    labels,
    readings: told,
    ...(readings.length > told.length && { of: readings.length }),
  })
}

/** A large message of which all is wrong must not become as many letters. */
function bounded(rejects: readonly RejectedSample[]): readonly RejectedSample[] {
  const told_max = LIMITS.sample_letters_per_message
  const [next] = rejects.slice(told_max)
  if (next === undefined) return rejects
  const reason = `${rejects.length - told_max} more were refused in this message, the first because ${next.reason}`
  return [...rejects.slice(0, told_max), { ...next, code: 'further-rejects', reason }]
}
