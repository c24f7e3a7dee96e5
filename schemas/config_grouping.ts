import { z } from 'zod'
import { severity } from './alert.ts'
import { duration_ms } from './config_connections.ts'
import { anyOfRule, groupByRule, neverRule, pairsRule, separateRule, timeFrameRule } from './grouping.ts'
import { LIMITS } from './limits.ts'

/** Grouping rules as people write them: matchers as text. */

const name = groupByRule.shape.name.describe('told to operators as the reason of each grouping; unique')
const matchers = z.array(z.string()).max(LIMITS.matchers_per_silence)
const match = matchers
  .default([])
  .describe('matchers such as `severity=~"critical|page"`, all of which must hold; none: every alert')
const idle_timeout_ms = duration_ms
  .default(300_000)
  .describe('a group that took no new alert for this long takes none any more')
const members_max = groupByRule.shape.members_max
  .default(1_000)
  .describe('a group with this many alerts is full; the next one opens another')
const wanted = groupByRule.shape.open_after.unwrap().shape
const open_after = z
  .strictObject({
    alerts: wanted.alerts.describe('distinct alerts of the group'),
    within_ms: wanted.within_ms.describe('the window in which they come'),
  })
  .optional()
  .describe('open no incident before so many alerts came; until then they wait')
  .meta({ examples: [{ alerts: 3, within_ms: 600_000 }] })

const paired = pairsRule.shape.pairs.element.shape
const pair = z.strictObject({
  a: matchers.min(1).describe('matchers of the one alert'),
  b: matchers.min(1).describe('matchers of the other'),
  within_ms: paired.within_ms.describe('how far apart they come at most, in either order'),
  equal: paired.equal.default([]).describe('labels in which both must agree; an absent one is empty'),
})

export const configuredRule = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('group_by').optional().describe('by equal labels; the kind of a rule that names none'),
    name,
    match,
    group_by: groupByRule.shape.group_by.describe(
      'alerts that agree in these labels belong together; `...` stands for all labels',
    ),
    idle_timeout_ms,
    members_max,
    open_after,
  }),
  z.strictObject({
    kind: z.literal('time_frame').describe('whatever comes soon after the opening'),
    name,
    match,
    within_ms: timeFrameRule.shape.within_ms.describe('time from the opening in which alerts join'),
    members_max,
    open_after,
  }),
  z.strictObject({
    kind: z.literal('any_of').describe('by one equal label out of several'),
    name,
    match,
    any_of: anyOfRule.shape.any_of.describe(
      'an alert joins an incident that has the same value of one of these labels',
    ),
    idle_timeout_ms,
    members_max,
  }),
  z.strictObject({
    kind: z
      .literal('pairs')
      .describe('two alerts that come close to each other; one alone goes on to the next rule'),
    name,
    pairs: z.array(pair).min(1).max(LIMITS.pairs_per_rule).describe('which alerts belong together'),
    members_max,
  }),
  z.strictObject({
    kind: z.literal('never').describe('each alert is an incident of its own'),
    name: neverRule.shape.name.describe('told to operators as the reason; unique'),
    match,
  }),
  z.strictObject({
    kind: z.literal('separate').describe('keeps apart what would come together by evidence or another rule'),
    name: separateRule.shape.name.describe('told to operators as the reason; unique'),
    separate: separateRule.shape.separate.describe(
      'alerts that differ in one of these labels are never together; an absent one is empty',
    ),
  }),
])
export type ConfiguredRule = z.infer<typeof configuredRule>

export const GROUPING_EXAMPLES: readonly z.input<typeof configuredRule>[] = [
  {
    kind: 'group_by',
    name: 'by-namespace',
    match: ['namespace!=""'],
    group_by: ['namespace'],
    idle_timeout_ms: 600_000,
    members_max: 1_000,
  },
  { kind: 'time_frame', name: 'power', match: ['team="power"'], within_ms: 300_000 },
  { kind: 'any_of', name: 'host-or-service', match: ['team="shop"'], any_of: ['host', 'service'] },
  {
    kind: 'pairs',
    name: 'link-and-session',
    pairs: [
      { a: ['alertname="LinkDown"'], b: ['alertname="SessionDown"'], within_ms: 120_000, equal: ['router'] },
    ],
  },
  { kind: 'never', name: 'audits', match: ['alertname=~"Audit.*"'] },
  { kind: 'separate', name: 'environments', separate: ['environment'] },
]

/** Alerts of an example and the incidents that must come of them. */
const given = z.strictObject({
  at_s: z
    .number()
    .min(0)
    .max(90 * 86_400)
    .describe('when it comes, in seconds from the beginning of the test'),
  labels: z
    .record(z.string().min(1), z.string())
    .describe('labels of the alert, as a source would tell them'),
  ends_at_s: z
    .number()
    .min(0)
    .max(90 * 86_400)
    .optional()
    .describe('when it ends; without it, it fires until the resolve timeout')
    .meta({ examples: [120] }),
})
const expectedIncident = z.strictObject({
  alerts: z
    .array(z.union([z.number().int().min(0), z.record(z.string(), z.string())]))
    .min(1)
    .describe('its alerts: numbers of `given`, from 0, or labels that such alerts have'),
  rule: z
    .string()
    .optional()
    .describe('the rule that opened it, empty for evidence')
    .meta({ examples: ['by-namespace'] }),
  severity: severity
    .optional()
    .describe('its severity at the end of the test')
    .meta({ examples: ['high'] }),
})

export const ruleTest = z.strictObject({
  name: groupByRule.shape.name.describe('told when the test fails; unique'),
  given: z
    .array(given)
    .min(1)
    .max(LIMITS.alerts_per_rule_test)
    .describe('alerts in the order in which they come'),
  expect: z
    .array(expectedIncident)
    .max(LIMITS.alerts_per_rule_test)
    .describe('all incidents that come of them; an alert that stands in none must be in none'),
})
export type RuleTest = z.infer<typeof ruleTest>

export const TEST_EXAMPLES: readonly z.input<typeof ruleTest>[] = [
  {
    name: 'one namespace, one incident',
    given: [
      { at_s: 0, labels: { alertname: 'Down', namespace: 'shop', pod: 'a' } },
      { at_s: 30, labels: { alertname: 'Slow', namespace: 'shop', pod: 'b' } },
    ],
    expect: [{ alerts: [0, 1], rule: 'by-namespace' }],
  },
]
