import { goUnquote } from './go_quote.ts'
import type { Matcher } from './matcher.ts'
import { compileMatcher, MatcherError } from './matching.ts'

/** The UTF-8 syntax of matchers, as Alertmanager's matcher/parse reads it. Columns in messages count characters. */

/** White space and the signs that end a word without quotes. */
const RESERVED = /[\p{White_Space}{}!=~,\\"'`]/u
export const isReserved = (text: string): boolean => RESERVED.test(text)

type Kind = 'eof' | '{' | '}' | ',' | 'operator' | 'quoted' | 'word'
interface Token {
  readonly kind: Kind
  readonly text: string
  readonly column_start: number
  readonly column_end: number
}

function syntax(message: string): MatcherError {
  return new MatcherError('matcher-syntax', message)
}

class Lexer {
  private readonly signs: readonly string[]
  private at = 0

  constructor(input: string) {
    this.signs = [...input]
  }

  /** Column after the last token that was taken. */
  get column(): number {
    return this.at
  }

  /** The next token, without taking it; `eof` at the end. */
  peek(): Token {
    let start = this.at
    while (start < this.signs.length && /\p{White_Space}/u.test(this.sign(start))) start++
    if (start >= this.signs.length) return { kind: 'eof', text: '', column_start: 0, column_end: 0 }
    const sign = this.sign(start)
    if (sign === '{' || sign === '}' || sign === ',') return this.token(sign, start, start + 1)
    if (sign === '=') return this.token('operator', start, start + (this.sign(start + 1) === '~' ? 2 : 1))
    if (sign === '!') return this.negation(start)
    if (sign === '"') return this.quoted(start)
    if (isReserved(sign)) throw syntax(`${start}:${start + 1}: ${sign}: invalid input`)
    let end = start
    while (end < this.signs.length && !isReserved(this.sign(end))) end++
    return this.token('word', start, end)
  }

  take(token: Token): void {
    if (token.kind !== 'eof') this.at = token.column_end
  }

  private sign(index: number): string {
    return this.signs[index] ?? ''
  }

  private token(kind: Kind, start: number, end: number): Token {
    return { kind, text: this.signs.slice(start, end).join(''), column_start: start, column_end: end }
  }

  private negation(start: number): Token {
    const after = this.sign(start + 1)
    if (after === '=' || after === '~') return this.token('operator', start, start + 2)
    const found = after === '' ? 'unexpected end of input,' : '!:'
    throw syntax(`${start}:${start + 1}: ${found} expected one of '=~'`)
  }

  private quoted(start: number): Token {
    let end = start + 1
    while (end < this.signs.length && this.sign(end) !== '"') end += this.sign(end) === '\\' ? 2 : 1
    if (end < this.signs.length) return this.token('quoted', start, end + 1)
    const rest = this.signs.slice(start).join('')
    throw syntax(`${start}:${this.signs.length}: ${rest}: missing end "`)
  }
}

/** The next token when it is one of `kinds`; throws with `wanted` otherwise. */
function expected(lexer: Lexer, kinds: readonly Kind[], wanted: string): Token {
  const token = peeked(lexer, wanted)
  if (kinds.includes(token.kind)) return token
  const found =
    token.kind === 'eof'
      ? 'end of input'
      : `${token.column_start}:${token.column_end}: unexpected ${token.text}`
  throw syntax(`${found}: ${wanted}`)
}

/** The next token; what is wrong with its text is told together with what was wanted. */
function peeked(lexer: Lexer, wanted: string): Token {
  try {
    return lexer.peek()
  } catch (error) {
    throw error instanceof MatcherError ? syntax(`${error.message}: ${wanted}`) : error
  }
}

function meaning(token: Token): string {
  const text = token.kind === 'quoted' ? goUnquote(token.text) : token.text
  if (text === null) throw syntax(`${token.column_start}:${token.column_end}: ${token.text}: invalid input`)
  return text
}

function take(lexer: Lexer, kinds: readonly Kind[], wanted: string): Token {
  const token = expected(lexer, kinds, wanted)
  lexer.take(token)
  return token
}

function parseOne(lexer: Lexer): Matcher {
  const name = meaning(take(lexer, ['quoted', 'word'], 'expected label name'))
  const op = take(lexer, ['operator'], "expected an operator such as '=', '!=', '=~' or '!~'")
    .text as Matcher['op']
  const value = meaning(take(lexer, ['quoted', 'word'], 'expected label value'))
  const matcher: Matcher = { name, op, value }
  try {
    compileMatcher(matcher)
  } catch (error) {
    throw error instanceof MatcherError
      ? new MatcherError(error.code, `failed to create matcher: ${error.message}`)
      : error
  }
  return matcher
}

/** Takes the comma after a matcher; false when the list ends here (with or without one). */
function anotherFollows(lexer: Lexer): boolean {
  if (peeked(lexer, 'expected a comma or close brace').kind === 'eof') return false
  const token = expected(lexer, [',', '}'], 'expected a comma or close brace')
  if (token.kind === '}') return false
  lexer.take(token)
  const wanted = 'expected a matcher or close brace after comma'
  if (peeked(lexer, wanted).kind === 'eof') return false
  return expected(lexer, ['}', 'quoted', 'word'], wanted).kind !== '}'
}

function parseClose(lexer: Lexer, opened: boolean): void {
  if (opened) {
    try {
      take(lexer, ['}'], 'expected close brace')
    } catch (error) {
      throw error instanceof MatcherError ? syntax(`0:${lexer.column}: ${error.message}`) : error
    }
    return
  }
  const token = closeBraceOf(lexer)
  if (token === null) return
  lexer.take(token)
  throw syntax(`0:${lexer.column}: }: expected opening brace`)
}

function closeBraceOf(lexer: Lexer): Token | null {
  const token = lexer.peek()
  return token.kind === '}' ? token : null
}

/** A list of matchers, separated by commas, with or without braces; throws MatcherError. */
export function parseUtf8Matchers(text: string): readonly Matcher[] {
  const lexer = new Lexer(text)
  const matchers: Matcher[] = []
  const first = lexer.peek()
  const opened = first.kind === '{'
  if (opened) lexer.take(first)
  const next = lexer.peek()
  if (first.kind !== 'eof') {
    if (next.kind !== '}' && next.kind !== 'eof') {
      do matchers.push(parseOne(lexer))
      while (anotherFollows(lexer))
    }
    parseClose(lexer, opened)
  }
  const last = peeked(lexer, 'expected end of input')
  if (last.kind !== 'eof')
    throw syntax(`${last.column_start}:${last.column_end}: ${last.text}: expected end of input`)
  return matchers
}

/** One matcher; throws MatcherError. */
export function parseUtf8Matcher(text: string): Matcher {
  const [matcher, ...more] = parseUtf8Matchers(text)
  if (matcher === undefined) throw syntax('no matchers')
  if (more.length > 0) throw syntax(`expected 1 matcher, found ${more.length + 1}`)
  return matcher
}
