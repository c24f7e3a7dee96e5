import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { failuresOf } from '../../cli/check/rule_tests.ts'
import { parseConfig } from '../../runtime/config.ts'
import { rulesOf } from '../../runtime/config_rules.ts'
import { tocsin } from './run.ts'

function failures(text: string) {
  const { config, problems } = parseConfig(text, {})
  expect(problems).toEqual([])
  if (!config) throw new Error('unreachable')
  expect(config.rules.tests.length).toBeGreaterThan(0)
  return failuresOf(config, { version: 'test', ...rulesOf(config) })
}

const DOCUMENT = readFileSync(fileURLToPath(new URL('../../docs/grouping.md', import.meta.url)), 'utf8')
const EXAMPLES = DOCUMENT.split(/^## /m).flatMap((section) => {
  const block = /^```yaml\n(.*?)^```$/ms.exec(section)?.[1]
  return block === undefined ? [] : [{ title: section.slice(0, section.indexOf('\n')), block }]
})

describe('the examples of docs/grouping.md', () => {
  it('are there for every kind of rule', () => {
    for (const kind of ['time_frame', 'any_of', 'pairs', 'never', 'separate'])
      expect(DOCUMENT).toContain(`kind: ${kind}`)
    expect(EXAMPLES).toHaveLength(7)
  })

  it.each(EXAMPLES)('hold: $title', ({ block }) => {
    expect(failures(block)).toEqual([])
  })
})

const RULES = `rules:
  grouping:
    - {name: by-namespace, match: ['namespace!=""'], group_by: [namespace]}
  tests:
    - name: one namespace
      given:
        - {at_s: 30, labels: {alertname: Slow, namespace: shop}}
        - {at_s: 0, labels: {alertname: Down, namespace: shop, severity: critical}}
        - {at_s: 40, labels: {alertname: Down, host: a}}
      expect:
`

describe('tests inside the rules file', () => {
  const told = (expected: string) => failures(RULES + expected).map(({ lines }) => lines.join('\n'))

  it('pass, whatever the order in which alerts are given', () => {
    expect(
      told(
        '        - {alerts: [0, {alertname: Down, namespace: shop}], rule: by-namespace}\n        - {alerts: [2]}\n',
      ),
    ).toEqual([])
  })

  it.each([
    [
      'an alert is missing',
      '        - {alerts: [0]}\n        - {alerts: [2]}\n',
      'expected: an incident of alert 0\ncame:\n  an incident of alerts 0, 1, by rule by-namespace, severity critical',
    ],
    [
      'the severity differs',
      '        - {alerts: [0, 1], severity: low}\n        - {alerts: [2]}\n',
      'alerts 0, 1, severity low',
    ],
    [
      'the rule differs',
      "        - {alerts: [0, 1], rule: ''}\n        - {alerts: [2]}\n",
      'alerts 0, 1, by evidence',
    ],
    ['an incident was not expected', '        - {alerts: [0, 1]}\n', 'expected: no incident of these alerts'],
    [
      'no alert has the labels',
      '        - {alerts: [0, 1]}\n        - {alerts: [2]}\n        - {alerts: [{x: y}]}\n',
      'none of the given alerts has them',
    ],
  ])('fail when %s', (_what, expected, text) => {
    expect(told(expected)).toEqual([expect.stringContaining(text)])
  })

  it('keep the clock: what ends between two alerts has ended', () => {
    const text = `rules:
  grouping: [{name: all, group_by: []}]
  tests:
    - name: closed in between
      given:
        - {at_s: 0, labels: {alertname: Down}, ends_at_s: 60}
        - {at_s: 200, labels: {alertname: Slow}}
      expect: [{alerts: [0]}, {alerts: [1]}]
`
    expect(failures(text)).toEqual([])
  })

  it('are run by `tocsin check`, which names line, expectation and reasons, and ends with status 2', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'tocsin-cli-')), 'tocsin.yaml')
    writeFileSync(file, `${RULES}        - alerts: [0]\n        - {alerts: [2]}\n`)
    const failed = await tocsin(['check', '-c', file])
    expect(failed.status).toBe(2)
    expect(failed.stdout).toBe('')
    expect(failed.stderr).toContain(`${file}:11 rules.tests.0.expect.0 (one namespace):`)
    expect(failed.stderr).toContain('Joined by rule by-namespace: namespace="shop" as the incident')
    writeFileSync(file, `${RULES}        - alerts: [0, 1]\n        - {alerts: [2]}\n`)
    const passed = await tocsin(['check', '-c', file])
    expect(passed.status).toBe(0)
    expect(passed.stderr).toContain('The test of the rules passed.')
  })

  it('are no part of the version of the rules', () => {
    const version = (text: string) => {
      const { config } = parseConfig(text, {})
      return config && JSON.stringify(rulesOf(config))
    }
    expect(version(`${RULES}        - {alerts: [0]}\n`)).toBe(
      version(RULES.slice(0, RULES.indexOf('  tests'))),
    )
  })
})
