import { z } from 'zod'
import { weekly } from './calendar.ts'
import { LIMITS } from './limits.ts'
import { onceWindow } from './maintenance.ts'
import { DEFAULT_RULES, flapping, hold_ms, suppressionRule } from './rules.ts'

/** Rules as people write them: matchers and times as text. */

const matchers = z.array(z.string()).max(LIMITS.matchers_per_silence)
const instant = z.iso.datetime({ offset: true })

const named = {
  name: onceWindow.shape.name.describe('shown on each incident that it suppresses; unique'),
  match: matchers.min(1).describe('matchers, all of which must hold'),
  comment: onceWindow.shape.comment.default('').describe('told with its beginning'),
}

export const maintenanceEntry = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('once').describe('one stretch of time'),
    ...named,
    from: instant.describe('when it begins (RFC 3339)'),
    to: instant.describe('when it is over (RFC 3339)'),
  }),
  z.strictObject({
    kind: z.literal('weekly').describe('every week at the same local time'),
    ...named,
    weekdays: weekly.shape.weekdays.describe('days on which it begins'),
    at: weekly.shape.at.describe('local time at which it begins, HH:MM'),
    time_zone: weekly.shape.time_zone.describe('IANA time zone of that time'),
    duration_ms: weekly.shape.duration_ms.describe('how long it lasts'),
  }),
])
export type MaintenanceEntry = z.infer<typeof maintenanceEntry>

export const suppressionEntry = z.strictObject({
  name: suppressionRule.shape.name.describe('shown on each incident that it suppresses; unique'),
  source: matchers.min(1).describe('matchers of the alerts that suppress others while they fire'),
  target: matchers.min(1).describe('matchers of the alerts that are suppressed'),
  equal: suppressionRule.shape.equal
    .default([])
    .describe('labels in which both must agree; an absent one is empty'),
  behind: z
    .literal(true)
    .optional()
    .describe('only targets whose entity depends on that of the source, by the topology'),
})

export const flappingKeys = z
  .strictObject({
    interval_ms: flapping.shape.interval_ms
      .default(DEFAULT_RULES.flapping.interval_ms)
      .describe('a state is taken at every turn and in between once in this time; 0: nothing flaps'),
    start_percent: flapping.shape.start_percent
      .default(DEFAULT_RULES.flapping.start_percent)
      .describe('it begins above this weighted share of changes in the last 20 states'),
    end_percent: flapping.shape.end_percent
      .default(DEFAULT_RULES.flapping.end_percent)
      .describe('it ends at this share or below'),
  })
  .prefault({})
  .describe('an alert that turns again and again counts as firing until it is steady')

const hold = (severity: keyof typeof DEFAULT_RULES.hold_ms) =>
  hold_ms.shape[severity]
    .default(DEFAULT_RULES.hold_ms[severity])
    .describe(`for alerts of severity ${severity}`)

export const holdKeys = z
  .strictObject({ high: hold('high'), medium: hold('medium'), low: hold('low'), info: hold('info') })
  .prefault({})
  .describe(
    'an alert waits this long before it makes an incident, and makes none if it resolves before; critical ones never wait',
  )

export const MAINTENANCE_EXAMPLES: readonly z.input<typeof maintenanceEntry>[] = [
  {
    kind: 'once',
    name: 'move-to-hall-2',
    match: ['site="hall-1"'],
    from: '2026-12-01T22:00:00+01:00',
    to: '2026-12-02T04:00:00+01:00',
    comment: 'racks are moved',
  },
  {
    kind: 'weekly',
    name: 'patch-night',
    match: ['team="platform"'],
    weekdays: ['tue', 'thu'],
    at: '22:30',
    time_zone: 'Europe/Berlin',
    duration_ms: 7_200_000,
  },
]

export const SUPPRESSION_EXAMPLES: readonly z.input<typeof suppressionEntry>[] = [
  {
    name: 'behind-a-dead-switch',
    source: ['alertname="SwitchDown"'],
    target: ['alertname="HostUnreachable"'],
    equal: ['rack'],
  },
  {
    name: 'what-a-switch-carries',
    source: ['alertname="SwitchDown"'],
    target: ['severity!="critical"'],
    equal: [],
    behind: true,
  },
]
