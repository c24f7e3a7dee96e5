import type { Labels } from '../../schemas/alert.ts'
import type { Quality } from '../../schemas/sample.ts'

/** One message of a source: the body of a request, the value of a Kafka message, the payload of an MQTT publication. */
export interface SampleMessage {
  readonly body: Buffer
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Topic of Kafka or MQTT, or the path of the request; where the format has names in it, they are read from here. */
  readonly topic: string
  /** Key of the Kafka message. */
  readonly key: Buffer | null
  /** Of the address of a request. */
  readonly query?: Readonly<Record<string, string>>
  /** When it was heard: stands for a time that is not told. */
  readonly at_ms: number
}

export interface RawReading {
  /** Milliseconds since the epoch; may have a fraction. */
  readonly at_ms: number
  /** NaN and infinities are allowed here: they become readings of quality `bad`. */
  readonly value: number
  readonly quality: Quality
}

/** Readings of one series as its source tells them; not yet given their scope. Labels with an empty value are gone. */
export interface RawSeries {
  /** Frozen where the decoder gives the same object for the same labels. With `metric`; with `equipment` where the format has a place in the plant; the unit as `unit` where it is told. */
  readonly labels: Labels
  readonly readings: readonly RawReading[]
  /** They fill a gap of the past. */
  readonly historical?: true
}

/** Something that is not taken: why, by code and in words, and the thing itself as text. */
export interface RejectedSample {
  /** Its place within the message, from 0. */
  readonly ordinal: number
  readonly code: string
  readonly reason: string
  readonly payload: string
}

export interface DecodedSamples {
  readonly series: readonly RawSeries[]
  readonly rejects: readonly RejectedSample[]
  /** Readings that are no numbers (texts) and are left out on purpose. */
  readonly dropped?: number
}

/** Reads a message. Total: what cannot be read is among the rejects. Depends on its arguments alone. */
export type DecodeSamples = (message: SampleMessage) => DecodedSamples
