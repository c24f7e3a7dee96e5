import { z } from 'zod'
import { severity } from './alert.ts'
import { duration_ms, name } from './config_connections.ts'
import { weekly } from './calendar.ts'
import { detectorRule, IMPACTS, stopRule } from './detect.ts'
import { LIMITS } from './limits.ts'

/** What is watched how, as people write it: matchers as text. */

const matchers = z.array(z.string()).max(LIMITS.matchers_per_silence)
const match = matchers
  .default([])
  .describe(
    'matchers of labels of the series, such as `equipment=~"acme/hall1/.*"`, all of which must hold; none: every series',
  )

export const detectorEntry = z.strictObject({
  name: name.describe('tells this entry from others; unique'),
  match,
  detector: detectorRule.shape.detector.describe(
    'a detector of docs/detectors.md, or `none` to take back what stands before',
  ),
  options: detectorRule.shape.options.default({}).describe('its options'),
  severity: severity
    .optional()
    .describe('of its alerts; by default from impact and time_to_respond_ms, else medium (novelty: low)'),
  impact: z.enum(IMPACTS).optional().describe('what becomes worse when nobody answers'),
  time_to_respond_ms: duration_ms.optional().describe('how long an operator has until then'),
  alertname: detectorRule.shape.alertname
    .unwrap()
    .optional()
    .describe('name of its alerts; by default the metric and the condition'),
  annotations: z
    .record(z.string().max(LIMITS.label_name_chars), z.string().max(LIMITS.annotation_value_chars))
    .default({})
    .describe('what the operator is to know: cause, consequence, corrective_action'),
})
export type DetectorEntry = z.infer<typeof detectorEntry>

export const stopEntry = z.strictObject({
  name: stopRule.shape.name.describe('told as the reason; unique'),
  match,
  weekly: weekly
    .extend({
      weekdays: weekly.shape.weekdays.describe('days on which it begins'),
      at: weekly.shape.at.describe('local time at which it begins, HH:MM'),
      time_zone: weekly.shape.time_zone.describe('IANA time zone of that time'),
      duration_ms: weekly.shape.duration_ms.describe('how long it lasts'),
    })
    .optional()
    .describe('every week at the same local time'),
  state: z
    .strictObject({
      match: matchers.min(1).describe('matchers of a series of the same device that tells its state'),
      values: stopRule.shape.state.unwrap().shape.values.describe('values that mean that it stands'),
    })
    .optional()
    .describe('while the machine itself says that it stands'),
  settle_ms: duration_ms.default(0).describe('it counts for so long after its end: a start is no fault'),
})
export type StopEntry = z.infer<typeof stopEntry>

export const detectorKeys = z
  .array(detectorEntry)
  .max(LIMITS.detector_rules)
  .default([])
  .describe(
    'what watches which series; a later entry with the same detector overrides; without any that matches: novelty',
  )
  .meta({
    examples: [
      [
        {
          name: 'boiler-temperature',
          match: ['metric="temperature"', 'equipment=~"acme/hall1/boiler.*"'],
          detector: 'limits',
          options: { high: 80, high_high: 90, deadband: 1, on_delay_ms: 10_000 },
          impact: 'major',
          time_to_respond_ms: 300_000,
          alertname: 'BoilerHot',
          annotations: { cause: 'circulation pump', corrective_action: 'close V12' },
        },
        { name: 'silence', match: ['equipment=~"acme/.*"'], detector: 'stale', severity: 'medium' },
      ],
    ],
  })

export const stopKeys = z
  .array(stopEntry)
  .max(LIMITS.detector_rules)
  .default([])
  .describe(
    'times in which machines stand: alerts of their series are suppressed by design, and nothing is learned',
  )
  .meta({
    examples: [
      [
        {
          name: 'weekend',
          match: ['equipment=~"acme/hall1/.*"'],
          weekly: { weekdays: ['sat'], at: '00:00', time_zone: 'Europe/Berlin', duration_ms: 172_800_000 },
          settle_ms: 1_800_000,
        },
        {
          name: 'the machine stands',
          match: ['equipment=~"acme/.*"'],
          state: { match: ['metric="execution"'], values: [0, 2] },
        },
      ],
    ],
  })
