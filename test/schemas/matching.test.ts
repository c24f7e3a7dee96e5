import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Matcher } from '../../schemas/matcher.ts'
import { compileMatcher, compileMatchers, MatcherError } from '../../schemas/matching.ts'
import { cases } from '../fixtures/cases.ts'

interface MatchCase {
  readonly name: string
  readonly input: {
    readonly labelValue?: string
    readonly labels?: Record<string, string>
    readonly matcher: Matcher
  }
  readonly expected: boolean
}

describe('matchers as Alertmanager applies them', () => {
  it.each((cases('matcher-match') as readonly MatchCase[]).map((one) => [one.name, one] as const))(
    '%s',
    (_name, { input, expected }) => {
      const labels = input.labels ?? { [input.matcher.name]: input.labelValue ?? '' }
      expect(compileMatcher(input.matcher)(labels)).toBe(expected)
    },
  )
})

describe('compileMatchers', () => {
  it('wants every condition', () => {
    const matches = compileMatchers([
      { name: 'severity', op: '=~', value: 'critical|page' },
      { name: 'team', op: '!=', value: '' },
    ])
    expect(matches({ severity: 'page', team: 'db' })).toBe(true)
    expect(matches({ severity: 'page' })).toBe(false)
    expect(matches({ severity: 'critical page', team: 'db' })).toBe(false)
    expect(compileMatchers([])({})).toBe(true)
  })

  it('takes names of Object members for absent labels', () => {
    expect(compileMatcher({ name: 'constructor', op: '=', value: '' })({})).toBe(true)
    expect(compileMatcher({ name: '__proto__', op: '=', value: 'x' })(JSON.parse('{"__proto__":"x"}'))).toBe(
      true,
    )
  })

  it.each(['(', '[a', 'a**', '(?=a)', '\\1', 'a{1001}', '(?<!a)b'])(
    'refuses %s, which is not RE2, with a code',
    (value) => {
      const compile = (): unknown => compileMatcher({ name: 'a', op: '=~', value })
      expect(compile).toThrow(MatcherError)
      expect(compile).toThrow(expect.objectContaining({ code: 'matcher-regex' }))
    },
  )

  it('anchors alternations as a whole', () => {
    const matches = compileMatcher({ name: 'a', op: '=~', value: 'x.|y' })
    expect([matches({ a: 'xa' }), matches({ a: 'y' }), matches({ a: 'ya' }), matches({ a: 'axa' })]).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  it('takes a word for itself and nothing else, whether or not it has letters beyond ASCII', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-zλ中é🙂_]{1,8}$/u),
        fc.string({ unit: 'grapheme' }),
        (word, other) => {
          const matches = compileMatcher({ name: 'a', op: '=~', value: `zz|${word}` })
          expect(matches({ a: word })).toBe(true)
          expect(matches({ a: other })).toBe(other === word || other === 'zz')
        },
      ),
    )
  })
})
