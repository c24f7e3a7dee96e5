import { goQuote } from './go_quote.ts'
import { parseClassicMatcher, parseClassicMatchers } from './matcher_classic.ts'
import { isReserved, parseUtf8Matcher, parseUtf8Matchers } from './matcher_utf8.ts'
import type { Matcher } from './matcher.ts'
import { MatcherError } from './matching.ts'

/**
 * How text is read as matchers, as Alertmanager 0.34 does: `default` asks both parsers, and the classic one wins where they
 * disagree; `classic` is its `--enable-feature=classic-mode`, `utf8` its `utf8-strict-mode`.
 */
export type MatcherMode = 'default' | 'classic' | 'utf8'

/** Either what a parser gave or why it could not. */
function attempt<Result>(parse: () => Result): Result | MatcherError {
  try {
    return parse()
  } catch (error) {
    if (error instanceof MatcherError) return error
    throw error
  }
}

/** The classic answer unless only the UTF-8 parser has one. */
function fallback<Result>(classic: Result | MatcherError, utf8: Result | MatcherError): Result {
  if (!(classic instanceof MatcherError)) return classic
  if (utf8 instanceof MatcherError) throw classic
  return utf8
}

/** One matcher such as `severity=~"critical|page"`; throws MatcherError (`matcher-syntax`, `matcher-regex`). */
export function parseMatcher(text: string, mode: MatcherMode = 'default'): Matcher {
  if (mode === 'classic') return parseClassicMatcher(text)
  if (text.startsWith('{') || text.endsWith('}')) {
    throw new MatcherError('matcher-syntax', `unexpected open or close brace: ${text}`)
  }
  if (mode === 'utf8') return parseUtf8Matcher(text)
  return fallback(
    attempt(() => parseClassicMatcher(text)),
    attempt(() => parseUtf8Matcher(text)),
  )
}

/** Matchers separated by commas, in braces or not; throws MatcherError (`matcher-syntax`, `matcher-regex`). */
export function parseMatchers(text: string, mode: MatcherMode = 'default'): readonly Matcher[] {
  if (mode === 'classic') return parseClassicMatchers(text)
  if (mode === 'utf8') return parseUtf8Matchers(text)
  return fallback(
    attempt(() => parseClassicMatchers(text)),
    attempt(() => parseUtf8Matchers(text)),
  )
}

/** The canonical text of a matcher; reading it gives the same matcher. */
export function formatMatcher(matcher: Matcher): string {
  if (isReserved(matcher.name)) return `${goQuote(matcher.name)}${matcher.op}${goQuote(matcher.value)}`
  const value = matcher.value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
  return `${matcher.name}${matcher.op}"${value}"`
}

/** A matcher in the JSON of Alertmanager's API v2; `isEqual` is true when it is left out. */
export interface ApiMatcher {
  readonly name: string
  readonly value: string
  readonly isRegex: boolean
  readonly isEqual?: boolean | undefined
}

export function toApiMatcher(matcher: Matcher): ApiMatcher {
  const { name, op, value } = matcher
  return { name, value, isRegex: op === '=~' || op === '!~', isEqual: op === '=' || op === '=~' }
}

/** The regular expression is not checked: compileMatcher does. */
export function fromApiMatcher(json: ApiMatcher): Matcher {
  const negative = json.isEqual === false
  const op = json.isRegex ? (negative ? '!~' : '=~') : negative ? '!=' : '='
  return { name: json.name, op, value: json.value }
}

/** Is it a name of a label? Classic names are Prometheus's; otherwise any text that is UTF-8 and not empty. */
export function isLabelName(name: string, mode: MatcherMode = 'default'): boolean {
  if (mode === 'classic') return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)
  return name !== '' && name.isWellFormed()
}
