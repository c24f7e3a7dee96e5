import type { Labels } from '../../schemas/alert.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { shownBody, Unreadable } from '../sources/format.ts'
import type { DecodeSamples, RawReading, RawSeries, RejectedSample, SampleMessage } from './format.ts'

/** Throws Unreadable when a message has more readings, or things that are to be readings, than one may have. */
export function checkCount(count: number): void {
  if (count <= LIMITS.samples_per_message) return
  const reason = `the message has more than ${LIMITS.samples_per_message} readings`
  throw new Unreadable('too-many-samples', reason)
}

/** When so many items were refused and none was taken, the rest is not tried. */
const HOPELESS_REJECTS = 10_000
const WHOLE_MESSAGE = new Set(['too-many-samples', 'nothing-readable'])

/** What a decoder has found of a message so far. */
export class Gathering {
  readonly series: RawSeries[] = []
  readonly rejects: RejectedSample[] = []
  dropped = 0
  private readings = 0
  private items = 0

  /** Throws Unreadable when the message has too many readings. */
  add(labels: Labels, readings: readonly RawReading[], historical = false): void {
    if (readings.length === 0) return
    this.readings += readings.length
    checkCount(this.readings)
    this.series.push(historical ? { labels, readings, historical } : { labels, readings })
  }

  /** Reads items one by one: a bad one is rejected, the others are taken. */
  each<Item>(items: readonly Item[], textOf: (item: Item) => string, read: (item: Item) => void): void {
    checkCount(this.items + items.length)
    for (const item of items) this.item(item, textOf, read)
  }

  /** The next item of the message. What `read` throws as Unreadable is its reject, unless it is about the whole message. */
  item<Item>(item: Item, textOf: (item: Item) => string, read: (item: Item) => void): void {
    const ordinal = this.items++
    try {
      read(item)
    } catch (error) {
      if (!(error instanceof Unreadable) || WHOLE_MESSAGE.has(error.code)) throw error
      this.rejects.push({ ordinal, code: error.code, reason: error.message, payload: textOf(item) })
      if (this.rejects.length < HOPELESS_REJECTS || this.readings > 0) return
      const reason = `of ${this.rejects.length} items none can be read, the first because ${this.rejects[0]?.reason}`
      throw new Unreadable('nothing-readable', reason)
    }
  }
}

type Read = (message: SampleMessage, into: Gathering) => void

/** A decoder of a function that may throw Unreadable, which refuses the message as a whole. */
export function gathering(read: Read, payloadOf: (body: Buffer) => string = shownBody): DecodeSamples {
  return (message) => {
    const into = new Gathering()
    try {
      read(message, into)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      const payload = payloadOf(message.body)
      return { series: [], rejects: [{ ordinal: 0, code: error.code, reason: error.message, payload }] }
    }
    const { series, rejects, dropped } = into
    return dropped === 0 ? { series, rejects } : { series, rejects, dropped }
  }
}

/** Of a body that is no text: dead letters have it in base64. */
export function binaryGathering(read: Read): DecodeSamples {
  return gathering(read, (body) => body.toString('base64', 0, LIMITS.dead_letter_payload_bytes))
}
