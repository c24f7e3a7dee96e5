import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Labels } from '../../schemas/alert.ts'
import type { Matcher } from '../../schemas/matcher.ts'
import { DEFAULT_RULES, type SuppressionRule } from '../../schemas/rules.ts'
import { cases } from '../fixtures/cases.ts'
import { anAlert, kinds, MINUTE_MS, NOON_MS, Timeline } from './timeline.ts'

interface CaseAlert {
  readonly labels: Record<string, string>
  readonly startsIn: number | null
  readonly endsIn: number | null
}
interface CaseRule {
  readonly equal: string[]
  readonly source_match?: Record<string, string>
  readonly target_match?: Record<string, string>
  readonly source_matchers?: Matcher[]
  readonly target_matchers?: Matcher[]
}
interface Case {
  readonly name: string
  readonly input:
    | {
        readonly kind: 'mutes'
        readonly rules: readonly CaseRule[]
        readonly alerts: readonly CaseAlert[]
        readonly target: Record<string, string>
      }
    | {
        readonly kind: 'hasEqual'
        readonly equal: string[]
        readonly sourceAlerts: readonly CaseAlert[]
        readonly target: Record<string, string>
      }
  readonly expected: { readonly inhibited: boolean }
}

const LONG = { resolve_timeout_ms: 24 * 60 * MINUTE_MS }
const equals = (labels: Labels = {}): Matcher[] =>
  Object.entries(labels).map(([name, value]) => ({ name, op: '=', value }))

/** Alerts without a label `alertname` of our own, so that the labels are those of the case. */
function told(t: Timeline, { labels, startsIn, endsIn }: CaseAlert): void {
  const seconds = (time: number) => NOON_MS + time * 1_000
  const over = {
    starts_at_ms: seconds(startsIn ?? 0),
    ends_at_ms: endsIn === null ? null : seconds(endsIn),
  }
  t.alerts(0, { ...anAlert(labels, over), labels })
}

/** Is the target suppressed when it fires after the others, and when they fire after it? */
function isSuppressed(rules: SuppressionRule[], alerts: readonly CaseAlert[], target: Labels): boolean[] {
  const mine: CaseAlert = { labels: { ...target }, startsIn: -60, endsIn: 3_600 }
  const among = alerts.some(({ labels }) => JSON.stringify(labels) === JSON.stringify(target))
  const orders = among
    ? [alerts]
    : [
        [...alerts, mine],
        [mine, ...alerts],
      ]
  return orders.map((order) => {
    const t = new Timeline({ ...LONG, suppression: rules })
    for (const alert of order) told(t, alert)
    const row = t.state.alerts.get(anAlert({ ...target }).fingerprint)
    return (row?.silenced_by.length ?? 0) > 0
  })
}

/** What a case asks, as rules and alerts of ours. */
function outcomeOf({ input }: Case): boolean[] {
  if (input.kind === 'mutes') {
    const rules = input.rules.map(({ equal, ...rule }, i) => ({
      name: `rule ${i}`,
      equal,
      source: rule.source_matchers ?? equals(rule.source_match),
      target: rule.target_matchers ?? equals(rule.target_match),
    }))
    return isSuppressed(rules, input.alerts, input.target)
  }
  // These ask for the equal labels alone: a mark tells sources and target apart.
  const mark = (labels: Labels, side: string) => ({ ...labels, side })
  const rule = {
    name: 'equal',
    equal: input.equal,
    source: equals({ side: 'source' }),
    target: equals({ side: 'target' }),
  }
  const sources = input.sourceAlerts.map((one) => ({ ...one, labels: mark(one.labels, 'source') }))
  return isSuppressed([rule], sources, mark(input.target, 'target'))
}

describe('suppression rules as Alertmanager inhibits', () => {
  it.each(cases('inhibition') as Case[])('$name', (one) => {
    expect(new Set(outcomeOf(one))).toEqual(new Set([one.expected.inhibited]))
  })
})

const BEHIND: SuppressionRule = {
  name: 'behind-a-dead-switch',
  source: equals({ alertname: 'SwitchDown' }),
  target: equals({ alertname: 'Down' }),
  equal: ['rack'],
}
const theSwitch = (over = {}) => anAlert({ alertname: 'SwitchDown', rack: '1' }, { entity: 'sw-1', ...over })

describe('a dead switch', () => {
  it('suppresses what is behind it, before and after, and lets it come up when it is back', () => {
    const t = new Timeline({ ...LONG, suppression: [BEHIND] })
    t.alerts(0, anAlert({ host: 'a', rack: '1' }))
    const [, suppressed] = t.alerts(1_000, theSwitch())
    expect(suppressed).toMatchObject({
      kind: 'suppressed',
      reason: {
        code: 'dependency',
        rule: 'behind-a-dead-switch',
        text: 'Suppressed by rule behind-a-dead-switch while SwitchDown on sw-1 fires.',
      },
      incident: { members: [{ silenced_by: ['dependency:behind-a-dead-switch'] }] },
    })
    expect(t.alerts(2_000, anAlert({ host: 'b', rack: '1' }))[0]?.incident.suppressed).toBe(true)
    const back = t.alerts(3_000, theSwitch({ ends_at_ms: NOON_MS + 3_000 }))
    expect(kinds(back)).toEqual(['resolved', 'unsuppressed'])
    expect(back[1]?.incident.members.map(({ silenced_by }) => silenced_by)).toEqual([[], []])
  })

  it('leaves alone what stands elsewhere: another rack, another scope', () => {
    const t = new Timeline({ ...LONG, suppression: [BEHIND] })
    t.alerts(0, theSwitch(), anAlert({ rack: '2' }), anAlert({ rack: '1' }, { scope: 'other' }))
    expect(t.incidents().map(({ suppressed }) => suppressed)).toEqual([false, false, false])
  })

  it('suppresses until the last of two is back', () => {
    const t = new Timeline({ ...LONG, suppression: [BEHIND] })
    const second = (over = {}) => anAlert({ alertname: 'SwitchDown', rack: '1', port: '2' }, over)
    t.alerts(0, theSwitch(), second(), anAlert({ rack: '1' }))
    t.alerts(1_000, theSwitch({ ends_at_ms: NOON_MS }))
    expect(t.incidents().at(-1)?.suppressed).toBe(true)
    t.alerts(2_000, second({ ends_at_ms: NOON_MS }))
    expect(t.incidents().at(-1)?.suppressed).toBe(false)
  })

  it('suppresses no more when an operator resolves its incident, or when it is not repeated', () => {
    const t = new Timeline({ resolve_timeout_ms: MINUTE_MS, suppression: [BEHIND] })
    t.alerts(0, theSwitch(), anAlert({ rack: '1' }, { ends_at_ms: NOON_MS + 10 * MINUTE_MS }))
    const [incident_id] = t.incidents().map(({ id }) => id) as [string]
    expect(kinds(t.command(1_000, { kind: 'resolve', incident_id }))).toEqual(['resolved', 'unsuppressed'])
    expect(kinds(t.alerts(2_000, theSwitch({ starts_at_ms: NOON_MS + 2_000 })))).toEqual([
      'reopened',
      'suppressed',
    ])
    expect(kinds(t.ticksUntil(2 * MINUTE_MS))).toEqual(['resolved', 'unsuppressed'])
  })

  it('follows a change of the rules, and a restart changes nothing', () => {
    const t = new Timeline({ ...LONG, suppression: [BEHIND] })
    t.alerts(0, theSwitch(), anAlert({ rack: '1' }))
    const rules = (version: string, suppression: SuppressionRule[]) =>
      t.record(1_000, { kind: 'rules', rules: { ...DEFAULT_RULES, ...LONG, version, suppression } })
    expect(kinds(rules('none', []))).toEqual(['unsuppressed'])
    expect(kinds(rules('again', [BEHIND]))).toEqual(['suppressed'])
    t.restart()
    expect(t.tick(2_000)).toEqual([])
    expect(kinds(t.alerts(3_000, theSwitch({ ends_at_ms: NOON_MS })))).toEqual(['resolved', 'unsuppressed'])
  })

  it('takes notice of labels that a repeat changes', () => {
    const t = new Timeline({ ...LONG, suppression: [BEHIND] })
    t.alerts(0, theSwitch(), anAlert({ rack: '1' }))
    const moved = theSwitch({ annotations: { moved: 'yes' } })
    expect(kinds(t.alerts(1_000, { ...moved, labels: { ...moved.labels, rack: '2' } }))).toEqual([
      'updated',
      'unsuppressed',
    ])
    const [late] = t.alerts(2_000, anAlert({ rack: '2' }, { scope: 'default' }))
    expect(late?.memberships.joined[0]?.silenced_by).toEqual(['dependency:behind-a-dead-switch'])
  })

  it('mutes exactly as comparing every pair of alerts would', () => {
    const label = fc.constantFrom('x', 'y')
    const anything = fc.array(
      fc.tuple(fc.record({ s: label, t: label, e: fc.option(label, { nil: undefined }) }), fc.boolean()),
      { maxLength: 30 },
    )
    const rule: SuppressionRule = {
      name: 'r',
      source: equals({ s: 'x' }),
      target: equals({ t: 'x' }),
      equal: ['e'],
    }
    fc.assert(
      fc.property(anything, (events) => {
        const t = new Timeline({ ...LONG, suppression: [rule] })
        for (const [i, [labels, fires]] of events.entries()) {
          const present = Object.fromEntries(
            Object.entries(labels).filter(([, value]) => value !== undefined),
          )
          t.alerts(i, anAlert(present as Record<string, string>, fires ? {} : { ends_at_ms: NOON_MS }))
        }
        const firing = [...t.state.alerts.values()].filter((row) => row.firing)
        const is = (row: (typeof firing)[number], name: string) => row.alert.labels[name] === 'x'
        for (const target of firing) {
          const muted =
            is(target, 't') &&
            firing.some(
              (source) =>
                is(source, 's') &&
                !(is(source, 't') && is(target, 's')) &&
                (source.alert.labels['e'] ?? '') === (target.alert.labels['e'] ?? ''),
            )
          expect(target.silenced_by).toEqual(muted ? ['dependency:r'] : [])
        }
      }),
      { numRuns: 300 },
    )
  })
})
