import { z } from 'zod'
import { severity } from './alert.ts'
import { HEARTBEAT_LABEL, heartbeat, type Heartbeat } from './heartbeat.ts'
import { LIMITS } from './limits.ts'
import { parseMatcher } from './matcher_syntax.ts'

/** Heartbeats as people write them: matchers as text. */
export const heartbeatEntry = z.strictObject({
  name: heartbeat.shape.name.describe('told in the alert that it is lost; unique'),
  source: z
    .string()
    .min(1)
    .max(LIMITS.source_chars)
    .optional()
    .describe(
      'name of a source, or of a built-in one (alertmanager, pagerduty, cloudevents, opsgenie, otlp-logs); without `match` whatever it sends is a sign of life',
    )
    .meta({ examples: ['plant'] }),
  match: z
    .array(z.string())
    .min(1)
    .max(LIMITS.matchers_per_silence)
    .optional()
    .describe('matchers of alerts that are no alerts but signs of life, each for itself')
    .meta({ examples: [['alertname="Watchdog"']] }),
  every_ms: heartbeat.shape.every_ms.describe('how often it should be heard'),
  grace_ms: heartbeat.shape.grace_ms
    .optional()
    .describe('how much later it may be; by default as long as `every_ms`, so that one may be missed')
    .meta({ examples: [60_000] }),
  severity: severity.default('high').describe('of the alert that it is lost'),
  labels: z
    .record(z.string().min(1).max(LIMITS.label_name_chars), z.string().min(1).max(LIMITS.label_value_chars))
    .default({})
    .describe('given to that alert; of a whole source they may name its scope')
    .meta({ examples: [{ team: 'platform' }] }),
})
export type HeartbeatEntry = z.infer<typeof heartbeatEntry>

export const HEARTBEAT_EXAMPLES: readonly z.input<typeof heartbeatEntry>[] = [
  { name: 'watchdog', match: ['alertname="Watchdog"'], every_ms: 60_000, grace_ms: 120_000 },
  { name: 'plant-is-heard', source: 'plant', every_ms: 300_000, severity: 'critical' },
]

/** As the rules hold it. Of a whole source ingest writes a sign of life by itself, which this finds (ingest/signs_of_life.ts). Throws MatcherError. */
export function heartbeatOf(entry: HeartbeatEntry): Heartbeat {
  const { name, every_ms, severity: of_alert, labels } = entry
  return {
    name,
    source: entry.source ?? null,
    match: entry.match?.map((text) => parseMatcher(text)) ?? [
      { name: HEARTBEAT_LABEL, op: '=', value: name },
    ],
    every_ms,
    grace_ms: entry.grace_ms ?? every_ms,
    severity: of_alert,
    labels,
  }
}
