import { describe, expect, it } from 'vitest'
import { rulesOf } from '../../runtime/config_rules.ts'
import { parseConfig } from '../../runtime/config.ts'
import type { Config } from '../../schemas/config.ts'
import { DEFAULT_RULES, rules } from '../../schemas/rules.ts'

const windowOf = (rest: string) => `rules:\n  maintenance:\n    - {name: w, match: [a=b], kind: ${rest}}\n`
const weekly = (over: string) =>
  windowOf(`weekly, weekdays: [mon], at: '22:00', time_zone: Europe/Berlin, duration_ms: 1000, ${over}`)

const configured = (text: string) => {
  const { config, problems } = parseConfig(text, {})
  expect(problems).toEqual([])
  return rulesOf(config as Config)
}

describe('rules of a configuration', () => {
  it('are the defaults of the log when nothing is configured, whatever the log lacks', () => {
    const { version, ...defaults } = DEFAULT_RULES
    expect(configured('')).toEqual(defaults)
    const { grouping, resolve_timeout_ms, reopen_within_ms, growth_interval_ms, retain_resolved_ms } =
      defaults
    // As rules were logged before there was anything else in them.
    const old = {
      version,
      grouping,
      resolve_timeout_ms,
      reopen_within_ms,
      growth_interval_ms,
      retain_resolved_ms,
    }
    expect(rules.parse(old)).toEqual(DEFAULT_RULES)
  })

  it('have matchers and times as the fold reads them', () => {
    const text = `rules:
  maintenance:
    - {kind: once, name: move, match: ['site=~"a|b"'], from: '2026-12-01T22:00:00+01:00', to: '2026-12-02T04:00:00Z'}
  suppression:
    - {name: behind, source: [alertname=SwitchDown], target: ['alertname!=SwitchDown'], equal: [rack]}
  hold_ms: {low: 60000}
`
    expect(configured(text)).toMatchObject({
      maintenance: [
        {
          kind: 'once',
          name: 'move',
          match: [{ name: 'site', op: '=~', value: 'a|b' }],
          starts_at_ms: Date.UTC(2026, 11, 1, 21),
          ends_at_ms: Date.UTC(2026, 11, 2, 4),
          comment: '',
        },
      ],
      suppression: [{ source: [{ op: '=' }], target: [{ op: '!=' }], equal: ['rack'] }],
      hold_ms: { high: 0, medium: 0, low: 60_000, info: 0 },
    })
    expect(rules.safeParse({ ...configured(text), version: 'v' }).success).toBe(true)
  })

  it.each([
    [
      'a zone that is none',
      weekly('time_zone: Berlin').replace('time_zone: Europe/Berlin, ', ''),
      'rules.maintenance.0.time_zone',
    ],
    [
      'a time of day that is none',
      weekly("at: '25:00'").replace("at: '22:00', ", ''),
      'rules.maintenance.0.at',
    ],
    [
      'an end before the beginning',
      windowOf("once, from: '2026-12-02T00:00:00Z', to: '2026-12-01T00:00:00Z'"),
      'rules.maintenance.0.to',
    ],
    [
      'a time without its zone',
      windowOf("once, from: '2026-12-02T00:00:00', to: '2026-12-03T00:00:00Z'"),
      'rules.maintenance.0.from',
    ],
    [
      'a matcher of a suppression rule',
      'rules:\n  suppression:\n    - {name: s, source: [a=b], target: ["a=~(("]}\n',
      'rules.suppression.0.target.0',
    ],
    [
      'two suppression rules of one name',
      'rules:\n  suppression:\n    - {name: s, source: [a=b], target: [c=d]}\n    - {name: s, source: [a=b], target: [c=d]}\n',
      'rules.suppression.1.name',
    ],
    [
      'flapping that would end above its beginning',
      'rules:\n  flapping: {start_percent: 20}\n',
      'rules.flapping.end_percent',
    ],
    ['a hold of critical alerts', 'rules:\n  hold_ms: {critical: 1}\n', 'rules.hold_ms.critical'],
  ])('names %s', (_what, text, path) => {
    const { problems } = parseConfig(text, {})
    expect(problems.map((problem) => problem.path)).toEqual([path])
  })
})
