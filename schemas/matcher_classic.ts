import type { Matcher } from './matcher.ts'
import { compileMatcher, MatcherError } from './matching.ts'

/** The classic syntax of matchers (Prometheus label names, tolerant of missing quotes), as Alertmanager's pkg/labels reads it. */

const HEAD = /^[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*/
const isClassicSpace = (sign: string): boolean => '\t\n\f\r '.includes(sign)
const isSpace = (sign: string): boolean => /\p{White_Space}/u.test(sign)

function trimmedRight(text: string, isBlank: (sign: string) => boolean): string {
  let end = text.length
  while (end > 0 && isBlank(text.charAt(end - 1))) end--
  return text.slice(0, end)
}

/** `\\`, `\"` and `\n` are escapes, any other backslash means itself. */
function unescaped(text: string): string {
  return text.replace(/\\([\\"n])/g, (_whole, sign: string) => (sign === 'n' ? '\n' : sign))
}

/** Is there a double quote that no backslash escapes? */
function hasBareQuote(text: string): boolean {
  let escaped = false
  for (const sign of text) {
    if (escaped) escaped = false
    else if (sign === '\\') escaped = true
    else if (sign === '"') return true
  }
  return false
}

function classicValue(raw: string): string {
  if (!raw.isWellFormed()) throw new MatcherError('matcher-syntax', `matcher value not valid UTF-8: ${raw}`)
  const bad = (): never => {
    throw new MatcherError('matcher-syntax', `matcher value contains unescaped double quote: ${raw}`)
  }
  if (!raw.startsWith('"')) return hasBareQuote(raw) ? bad() : unescaped(raw)
  const body = raw.slice(1)
  if (!body.endsWith('"') || hasBareQuote(body.slice(0, -1)) || !hasBareQuote(body)) return bad()
  return unescaped(body.slice(0, -1))
}

/** One matcher; throws MatcherError. */
export function parseClassicMatcher(text: string): Matcher {
  const head = HEAD.exec(text)
  if (head === null) throw new MatcherError('matcher-syntax', `bad matcher format: ${text}`)
  const value = classicValue(trimmedRight(text.slice(head[0].length), isClassicSpace))
  const matcher: Matcher = { name: head[1] as string, op: head[2] as Matcher['op'], value }
  compileMatcher(matcher)
  return matcher
}

/** The parts between commas that stand outside of double quotes. */
function classicParts(text: string): readonly string[] {
  const parts: string[] = []
  let part = ''
  let quoted = false
  let escaped = false
  for (const sign of text) {
    if (sign === ',' && !quoted) {
      parts.push(part)
      part = ''
      continue
    }
    // A comma leaves `escaped` as it was: that is how the classic parser counts.
    if (sign === '"') {
      if (!escaped) quoted = !quoted
      escaped = false
    } else if (sign === '\\') escaped = !escaped
    else if (sign !== ',') escaped = false
    part += sign
  }
  const last = trimmedRight(part.replace(/^\p{White_Space}+/u, ''), isSpace)
  if (last !== '') parts.push(last)
  return parts
}

/** A list of matchers, separated by commas, with or without braces; throws MatcherError. */
export function parseClassicMatchers(text: string): readonly Matcher[] {
  const opened = text.startsWith('{') ? text.slice(1) : text
  const inner = opened.endsWith('}') ? opened.slice(0, -1) : opened
  return classicParts(inner).map(parseClassicMatcher)
}
