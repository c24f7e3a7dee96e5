import { RE2JS, RE2JSException } from 're2js'
import type { Labels } from './alert.ts'
import type { Matcher } from './matcher.ts'

/** A matcher that cannot be used. `code` is `matcher-regex` (not RE2) or `matcher-syntax` (text that is no matcher). */
export class MatcherError extends Error {
  override name = 'MatcherError'
  readonly code: 'matcher-regex' | 'matcher-syntax'
  constructor(code: 'matcher-regex' | 'matcher-syntax', message: string) {
    super(message)
    this.code = code
  }
}

/** A label of the set, or the empty string when it is absent (names such as `constructor` are labels like any other). */
export function labelValue(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : ''
}

/** Only letters, digits and a few signs that mean themselves, separated by `|`: the usual `critical|page`. */
const ALTERNATION_OF_LITERALS = /^[\p{L}\p{N} _:@/%#&,;<>~'"-]*(?:\|[\p{L}\p{N} _:@/%#&,;<>~'"-]*)*$/u

/** Does the whole value match? RE2 syntax, linear time; throws MatcherError `matcher-regex`. */
function compileRegex(regex: string): (value: string) => boolean {
  if (ALTERNATION_OF_LITERALS.test(regex)) {
    const words = new Set(regex.split('|'))
    return (value) => words.has(value)
  }
  try {
    // Wrapped as Alertmanager does, so that flags and alternations inside mean the same.
    const compiled = RE2JS.compile(`^(?:${regex})$`)
    return (value) => compiled.test(value)
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    // The text is RE2's own and the same as Go's, which users of Prometheus know.
    throw new MatcherError('matcher-regex', error.message)
  }
}

function compileValue(matcher: Matcher): (value: string) => boolean {
  const expected = matcher.value
  switch (matcher.op) {
    case '=':
      return (value) => value === expected
    case '!=':
      return (value) => value !== expected
    case '=~':
      return compileRegex(expected)
    case '!~': {
      const matches = compileRegex(expected)
      return (value) => !matches(value)
    }
  }
}

/** One condition as a function of a label set; an absent label is the empty string. Throws MatcherError `matcher-regex`. */
export function compileMatcher(matcher: Matcher): (labels: Labels) => boolean {
  const matches = compileValue(matcher)
  const name = matcher.name
  return (labels) => matches(labelValue(labels, name))
}

/** All conditions together; an empty list matches every label set. Throws MatcherError `matcher-regex`. */
export function compileMatchers(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const conditions = matchers.map(compileMatcher)
  return (labels) => conditions.every((condition) => condition(labels))
}
