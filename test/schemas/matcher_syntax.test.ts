import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { goQuote, goUnquote } from '../../schemas/go_quote.ts'
import type { Matcher } from '../../schemas/matcher.ts'
import {
  type ApiMatcher,
  formatMatcher,
  fromApiMatcher,
  isLabelName,
  type MatcherMode,
  parseMatcher,
  parseMatchers,
  toApiMatcher,
} from '../../schemas/matcher_syntax.ts'
import { parseUtf8Matcher, parseUtf8Matchers } from '../../schemas/matcher_utf8.ts'
import { MatcherError } from '../../schemas/matching.ts'
import { cases } from '../fixtures/cases.ts'

interface ParseCase {
  readonly name: string
  readonly input: {
    readonly mode: MatcherMode | 'utf8-core'
    readonly single: boolean
    readonly text: string
  }
  readonly expected: { readonly matchers?: readonly Matcher[]; readonly error?: string }
}

function parse({ mode, single, text }: ParseCase['input']): readonly Matcher[] {
  if (mode === 'utf8-core') return single ? [parseUtf8Matcher(text)] : parseUtf8Matchers(text)
  return single ? [parseMatcher(text, mode)] : parseMatchers(text, mode)
}

function outcome(input: ParseCase['input']): ParseCase['expected'] {
  try {
    return { matchers: parse(input) }
  } catch (error) {
    if (error instanceof MatcherError) return { error: error.message }
    throw error
  }
}

describe('text of matchers, with the exact texts of errors', () => {
  const rows = (cases('matcher-parse') as readonly ParseCase[]).map((one) => {
    const { mode, single } = one.input
    return [`${mode} ${single ? 'single' : 'list'} ${one.name}`, one] as const
  })
  it.each(rows)('%s', (_name, { input, expected }) => {
    expect(outcome(input)).toEqual(expected)
  })

  it('gives every error a code', () => {
    expect(() => parseMatcher('a=~"("')).toThrow(expect.objectContaining({ code: 'matcher-regex' }))
    expect(() => parseMatcher('a')).toThrow(expect.objectContaining({ code: 'matcher-syntax' }))
  })

  it.each(['default', 'classic', 'utf8'] as const)('throws nothing else, whatever the text (%s)', (mode) => {
    const sign = fc.constantFrom(
      'a',
      'é',
      '🙂',
      '=',
      '!',
      '~',
      '"',
      '\\',
      '{',
      '}',
      ',',
      ' ',
      '\n',
      '\u0085',
      '(',
      '|',
      'x',
      '\ud800',
    )
    fc.assert(
      fc.property(fc.string({ unit: sign, maxLength: 16 }), fc.boolean(), (text, single) => {
        const result = outcome({ mode, single, text })
        expect(result.matchers === undefined).toBe(result.error !== undefined)
      }),
    )
  })
})

interface FormatCase {
  readonly name: string
  readonly input: { readonly matcher?: Matcher; readonly json?: ApiMatcher }
  readonly expected: { readonly string?: string; readonly json?: ApiMatcher; readonly matcher?: Matcher }
}

function formatted(input: FormatCase['input'], expected: FormatCase['expected']): FormatCase['expected'] {
  if (input.json !== undefined) return { matcher: fromApiMatcher(input.json) }
  if (input.matcher === undefined) throw new Error('a case without input')
  return expected.string === undefined
    ? { json: toApiMatcher(input.matcher) }
    : { string: formatMatcher(input.matcher) }
}

describe('canonical text and JSON of matchers', () => {
  it.each((cases('matcher-format') as readonly FormatCase[]).map((one) => [one.name, one] as const))(
    '%s',
    (_name, { input, expected }) => {
      expect(formatted(input, expected)).toEqual(expected)
    },
  )

  it('reads back what it writes', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 })
    fc.assert(
      fc.property(
        text,
        fc.constantFrom('=', '!=') as fc.Arbitrary<Matcher['op']>,
        fc.string({ unit: 'grapheme' }),
        (name, op, value) => {
          expect(parseMatchers(formatMatcher({ name, op, value }), 'utf8')).toEqual([{ name, op, value }])
        },
      ),
    )
  })
})

describe('names of labels', () => {
  interface NameCase {
    readonly name: string
    readonly input: { readonly mode: MatcherMode; readonly name: string }
    readonly expected: boolean
  }
  it.each((cases('label-name') as readonly NameCase[]).map((one) => [one.name, one] as const))(
    '%s',
    (_name, { input, expected }) => {
      expect(isLabelName(input.name, input.mode)).toBe(expected)
    },
  )
})

describe('quoting', () => {
  it.each([
    ['a\tb"\\', String.raw`"a\tb\"\\"`],
    ['\u0000\u007f', String.raw`"\x00\x7f"`],
    ['\u00a0\u2028', String.raw`"\u00a0\u2028"`],
    ['\ud800', String.raw`"\ufffd"`],
    ['\u{e0001}', String.raw`"\U000e0001"`],
    ['中 é 🙂', '"中 é 🙂"'],
  ])('writes %j as Go does', (text, quoted) => {
    expect(goQuote(text)).toBe(quoted)
  })

  it.each([
    [String.raw`"\xf0\x9f\x99\x82"`, '🙂'],
    [String.raw`"\101\u00e9\U0001f642"`, 'Aé🙂'],
    [String.raw`"\xff"`, null],
    [String.raw`"\400"`, null],
    [String.raw`"\ud800"`, null],
    [String.raw`"\'"`, null],
    ['"a\nb"', null],
    [String.raw`"a\"`, null],
    ['a', null],
  ])('reads %s as Go does', (quoted, text) => {
    expect(goUnquote(quoted)).toBe(text)
  })
})
