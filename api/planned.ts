import { z } from 'zod'
import { timeMs } from '../schemas/alert.ts'
import { LIMITS } from '../schemas/limits.ts'
import { type Matcher, matcher } from '../schemas/matcher.ts'
import { parseMatcher } from '../schemas/matcher_syntax.ts'
import { MatcherError } from '../schemas/matching.ts'
import { ApiError } from './errors.ts'
import { silenceFault } from './silences.ts'

const wantedMatcher = z.union([
  matcher.strict(),
  z
    .string()
    .min(1)
    .max(LIMITS.label_name_chars + LIMITS.label_value_chars),
])

/** How a request says which alerts are to be muted, and from when to when: silences and maintenance windows. */
export const plannedFields = {
  matchers: z
    .array(wantedMatcher)
    .min(1)
    .max(LIMITS.matchers_per_silence)
    .describe('all must match; as objects or as text such as `service=~"db|cache"`'),
  starts_at_ms: timeMs.optional().describe('left out: now'),
  ends_at_ms: timeMs.optional(),
  duration_ms: z
    .number()
    .int()
    .min(1_000)
    .max(366 * 86_400_000)
    .optional()
    .describe('instead of ends_at_ms'),
}
const fields = z.object(plannedFields)

export interface Planned {
  readonly matchers: Matcher[]
  readonly starts_at_ms: number
  readonly ends_at_ms: number
}

/** Throws ApiError naming what is missing or contradicts. */
export function plannedOf(body: z.infer<typeof fields>, now_ms: number): Planned {
  const starts_at_ms = body.starts_at_ms ?? now_ms
  if ((body.ends_at_ms === undefined) === (body.duration_ms === undefined))
    throw new ApiError('invalid-body', 'expected either ends_at_ms or duration_ms', { field: 'ends_at_ms' })
  const ends_at_ms = body.ends_at_ms ?? starts_at_ms + (body.duration_ms ?? 0)
  if (ends_at_ms <= Math.max(starts_at_ms, now_ms))
    throw new ApiError('invalid-body', 'the end is not after the start, or is over', { field: 'ends_at_ms' })
  const planned: Planned = { matchers: readMatchers(body.matchers), starts_at_ms, ends_at_ms }
  const fault = silenceFault(planned)
  if (fault !== null) throw new ApiError('invalid-body', fault, { field: 'matchers' })
  return planned
}

export function readMatchers(matchers: z.infer<typeof fields>['matchers']): Matcher[] {
  return matchers.map((given, i) => {
    if (typeof given !== 'string') return given
    try {
      return parseMatcher(given)
    } catch (error) {
      if (error instanceof MatcherError)
        throw new ApiError('invalid-body', error.message, { field: `matchers.${i}` })
      throw error
    }
  })
}
