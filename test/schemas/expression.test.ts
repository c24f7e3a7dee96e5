import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileExpression, ExpressionError } from '../../schemas/expression.ts'

const ALERT = {
  name: 'Disk',
  count: 4,
  tags: ['env:prod', 'team:shop'],
  nested: { state: 'bad', ok: false, none: null },
}
const evaluate = (text: string, alert: unknown = ALERT) => compileExpression(text, ['alert'])({ alert })

function codeOf(act: () => unknown): string {
  try {
    act()
    return 'none'
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    return error.code
  }
}

describe('an expression', () => {
  it.each<[string, unknown]>([
    ['alert.name', 'Disk'],
    ['alert.nested.state == "bad"', true],
    ['alert.name + "/" + alert.nested.state', 'Disk/bad'],
    ['alert.count > 3', true],
    ['alert.count * 2.0', 8],
    ['1 + 2', 3],
    ['string(alert.count)', '4'],
    ['alert.nested.none', null],
    ['alert.?nothing', null],
    ['alert.?nothing.orValue("-")', '-'],
    ['has(alert.nothing) ? "a" : "b"', 'b'],
    ['alert.tags.filter(t, t.startsWith("team:"))[0].substring(5)', 'shop'],
    ['alert.tags.map(t, t.split(":")[0])', ['env', 'team']],
    ['{"P1": "critical"}[?alert.name].orValue("low")', 'low'],
    ['timestamp("2026-01-01T00:00:00Z")', '2026-01-01T00:00:00.000Z'],
    ['9223372036854775807', '9223372036854775807'],
    ['{"a": [1, true]}', { a: [1, true] }],
    ['alert.name.matches("^D.s")', true],
    ['alert.tags.exists(t, t.matches("prod$"))', true],
    ['"a.matches(b)"', 'a.matches(b)'],
    ['uint(7)', 7],
    ['duration("90s")', 90_000],
  ])('%s gives %j', (text, value) => {
    expect(evaluate(text)).toEqual(value)
  })

  it.each([
    ['alert.', 'expression-syntax'],
    ['alert.name ==', 'expression-syntax'],
    ['alarm.name', 'expression-type'],
    ['1 + "a"', 'expression-type'],
    ['nothing(alert)', 'expression-type'],
    [`[${'1,'.repeat(300)}1]`, 'expression-syntax'],
    [`${'('.repeat(100)}1${')'.repeat(100)}`, 'expression-syntax'],
  ])('%s cannot be used', (text, code) => {
    expect(codeOf(() => compileExpression(text, ['alert']))).toBe(code)
  })

  it.each([
    ['alert.tags.map(t, alert.tags.map(u, u))'],
    ['alert.tags.filter(t, alert.tags.exists(u, u == t))'],
    ['alert.tags.exists(t, [t].all(u, u == t) && true)'],
    ['alert.tags.map(t, cel.bind(x, alert.tags.filter(u, true), x))'],
  ])('%s is refused: a macro inside of another', (text) => {
    expect(codeOf(() => compileExpression(text, ['alert']))).toBe('expression-nested')
  })

  it('may have one macro after another', () => {
    expect(evaluate('alert.tags.map(t, t + "!").filter(t, t.endsWith("prod!"))')).toEqual(['env:prod!'])
  })

  it.each([
    ['alert.nothing'],
    ['alert.name.nothing'],
    ['alert.tags[7]'],
    ['alert.name + 1'],
    ['!alert.name'],
    ['alert.constructor'],
    ['alert.__proto__'],
    ['alert["toString"]'],
    ['alert.name.matches("((")'],
  ])('%s fails on what it is given', (text) => {
    const expression = compileExpression(text, ['alert'])
    expect(codeOf(() => expression({ alert: ALERT }))).toBe('expression-failed')
  })

  it('gives back whatever keys JSON has', () => {
    const hostile = JSON.parse(
      '{"valueOf":false,"toString":1,"__proto__":{"a":1},"constructor":null}',
    ) as object
    expect(JSON.stringify(evaluate('[alert]', hostile))).toBe(JSON.stringify([hostile]))
  })

  it('matches in linear time, also by a pattern that the sender chose', () => {
    // What only an engine that goes back can do is refused; without that the rest would not end.
    expect(codeOf(() => evaluate('alert.name.matches("(s)\\\\1")'))).toBe('expression-failed')
    const hostile = { text: `${'a'.repeat(50_000)}!`, pattern: '^(a+)+$' }
    expect(evaluate('alert.text.matches(alert.pattern)', hostile)).toBe(false)
  })

  it('throws nothing but its own error, for any JSON', () => {
    const texts = [
      'alert.a.b',
      'alert.map(x, x)',
      'alert["a"]',
      'alert.a > 1',
      'string(alert)',
      'alert.?a[?0]',
    ]
    const expressions = texts.map((text) => compileExpression(text, ['alert']))
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(texts.length - 1), (alert, which) => {
        expect(codeOf(() => expressions[which]?.({ alert }))).toMatch(/^(?:none|expression-failed)$/)
      }),
      { numRuns: 1_000 },
    )
  })
})
