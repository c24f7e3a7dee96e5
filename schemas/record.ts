import { z } from 'zod'
import { alert } from './alert.ts'
import { command } from './command.ts'
import { LIMITS } from './limits.ts'
import type { Repeats } from './repeats.ts'
import { rules } from './rules.ts'
import { topologyPart } from './topology.ts'

const offset = z.number().int().min(0)

/** Where a batch of alerts came from, when its source has positions (a Kafka topic). */
export const origin = z.object({
  /** Name of the configured source and its topic, e.g. `plant/alerts`. */
  source: z
    .string()
    .min(1)
    .max(LIMITS.source_chars * 2),
  partition: offset,
})
export type Origin = z.infer<typeof origin>

/** Place of one alert in its source partition: message offset, and its place inside the message. Ordered first by offset. */
export const place = z.tuple([offset, offset])
export type Place = z.infer<typeof place>

/**
 * One entry of the alerts log, but for repeats. `alerts` is a batch of one partition; with an origin, `places[i]` is where
 * `alerts[i]` came from, ascending, so that a fold can skip what it has had.
 */
export const record = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('alerts'),
    received_at_ms: z.number().int().min(0),
    origin: origin.nullable(),
    places: z.array(place),
    alerts: z.array(alert).min(1).max(LIMITS.alerts_per_entry),
  }),
  z.object({ kind: z.literal('tick') }),
  z.object({ kind: z.literal('command'), command }),
  z.object({ kind: z.literal('rules'), rules }),
  z.object({ kind: z.literal('topology'), topology: topologyPart }),
])
type PlainRecord = z.infer<typeof record>

/** Alerts told in full, and repeats of alerts told before: at least one of either. */
export type AlertsRecord = Extract<PlainRecord, { kind: 'alerts' }> & {
  readonly repeats?: Repeats
  /** With repeats: for each of `alerts`, how many of the repeats come before it; ascending. */
  readonly repeats_before?: readonly number[]
}
export type LogRecord = Exclude<PlainRecord, { kind: 'alerts' }> | AlertsRecord
