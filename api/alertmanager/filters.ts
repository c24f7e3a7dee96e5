import { z } from 'zod'
import type { LabelTest } from '../../correlate/state.ts'
import type { Matcher } from '../../schemas/matcher.ts'
import { parseMatcher } from '../../schemas/matcher_syntax.ts'
import { compileMatcher, compileMatchers, MatcherError } from '../../schemas/matching.ts'
import { BadRequest } from './errors.ts'

/** The one receiver: sinks are chosen by severity, not by route. */
export const RECEIVER = 'tocsin'

const TRUE_WORDS = new Set(['true', '1', 'yes', 'ok', 'y', 'on', 'selected', 'checked', 't', 'enabled'])

/** A boolean as Alertmanager's generated server reads it (go-openapi/swag): any other word is false. */
const flag = z.preprocess(
  (value) => (value === undefined ? true : typeof value === 'string' && TRUE_WORDS.has(value.toLowerCase())),
  z.boolean(),
)

/** A parameter that may be repeated. */
const repeated = z.preprocess(
  (value): unknown => (value === undefined ? [] : Array.isArray(value) ? value : [value]),
  z.array(z.string()).max(200),
)

const filter = repeated.describe('a matcher such as alertname="DiskFull"; all must hold')
const receiver = z.string().optional().describe('regular expression on the name of the receiver')
const receiver_matchers = repeated.describe('matchers on the labels of the receiver')

export const alertsQuery = z.object({
  active: flag,
  silenced: flag,
  inhibited: flag,
  unprocessed: flag,
  filter,
  receiver,
  receiver_matchers,
})
export const groupsQuery = z.object({
  active: flag,
  silenced: flag,
  inhibited: flag,
  muted: flag,
  filter,
  receiver,
  receiver_matchers,
})
export const receiversQuery = z.object({ receiver_matchers })
export const silencesQuery = z.object({ active: flag, expired: flag, pending: flag, filter })

/** Throws BadRequest with the parser's text. */
export function parseFilters(filters: readonly string[], prefix = ''): readonly Matcher[] {
  try {
    return filters.map((text) => parseMatcher(text))
  } catch (error) {
    if (error instanceof MatcherError) throw new BadRequest(prefix + error.message)
    throw error
  }
}

export function filterTest(filters: readonly string[]): LabelTest {
  return compileMatchers(parseFilters(filters))
}

/** Do the parameters want our receiver, which has no labels? */
export function wantsReceiver(query: {
  readonly receiver?: string | undefined
  readonly receiver_matchers: readonly string[]
}): boolean {
  let named = true
  if (query.receiver !== undefined) {
    try {
      named = compileMatcher({ name: 'name', op: '=~', value: query.receiver })({ name: RECEIVER })
    } catch (error) {
      if (error instanceof MatcherError)
        throw new BadRequest(`failed to parse receiver param: ${error.message}`)
      throw error
    }
  }
  return (
    compileMatchers(parseFilters(query.receiver_matchers, 'failed to parse receiver_matchers param: '))({}) &&
    named
  )
}

/** Alertmanager compares filters of silences by what they say, not by what they match. */
export function saysAll(matchers: readonly Matcher[], filters: readonly Matcher[]): boolean {
  return filters.every((wanted) =>
    matchers.some(
      ({ name, op, value }) => name === wanted.name && op === wanted.op && value === wanted.value,
    ),
  )
}
