import { z } from 'zod'
import type { DeadLetters, Selection } from '../../ingest/dead_letters/retry.ts'
import { deadLetter } from '../../schemas/deadletter.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'

const id = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 hex digits')
const source = z.string().max(LIMITS.source_chars).optional().describe('only those of this source')
const code = z.string().max(LIMITS.source_chars).optional().describe('only those rejected with this code')
const complete = z.boolean().describe('false: the log did not give all that it keeps in time')

const query = z.strictObject({
  source,
  code,
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
})
const listed = z.object({
  id,
  at_ms: z.number().int(),
  source: z.string(),
  origin: z.string(),
  code: z.string(),
  reason: z.string(),
  truncated: z.boolean().describe('the payload is longer than what is kept of it'),
  retriable: z.boolean().describe('its message is kept, so that it can be read again'),
  retried_at_ms: z.number().int().nullable(),
})
const listing = z.object({
  letters: z.array(listed).describe('newest first'),
  total: z.number().int().describe('letters that match, shown or not'),
  complete,
})

const SHOWN_MAX = 1_000
const request = z.strictObject({
  ids: z.array(id).min(1).max(SHOWN_MAX).optional().describe('these; left out: all that match'),
  source,
  code,
  dry_run: z.boolean().default(false).describe('tell what would pass, and take nothing'),
})
const retrial = z.object({
  id,
  origin: z.string(),
  outcome: z
    .enum(['passed', 'rejected', 'not-kept', 'source-unknown'])
    .describe('not-kept: its message was too large or holds a secret, and must be sent again'),
  reason: z.string().describe('why it is rejected still'),
})
const outcome = z.object({
  dry_run: z.boolean(),
  passed: z.number().int().describe('letters whose message passes now'),
  rejected: z.number().int(),
  not_retriable: z.number().int(),
  alerts: z.number().int().describe('alerts that were taken, or would be'),
  letters: z.array(retrial).describe(`the first ${SHOWN_MAX}, those that are rejected still first`),
  complete,
})

function selectionOf(given: {
  readonly ids?: readonly string[] | undefined
  readonly source?: string | undefined
  readonly code?: string | undefined
}): Selection {
  return {
    ...(given.ids && { ids: new Set(given.ids) }),
    ...(given.source !== undefined && { source: given.source }),
    ...(given.code !== undefined && { code: given.code }),
  }
}

function listRoutes(app: App, letters: DeadLetters): void {
  const list = {
    tags: ['deadletters'],
    summary: 'List what was rejected, as far as the log keeps it',
    querystring: query,
    response: answers({ 200: listing }),
  }
  app.get('/api/v1/deadletters', { schema: list, config: { role: 'viewer' } }, async (asked) => {
    const { limit, ...selection } = asked.query
    const found = await letters.list(selectionOf(selection))
    return {
      letters: found.letters.slice(0, limit),
      total: found.letters.length,
      complete: found.complete,
    }
  })
  const show = {
    tags: ['deadletters'],
    summary: 'Read a dead letter with what was received',
    params: z.object({ id }),
    response: answers({ 200: deadLetter }),
  }
  app.get('/api/v1/deadletters/:id', { schema: show, config: { role: 'viewer' } }, async ({ params }) => {
    const found = await letters.show(params.id)
    if (!found)
      throw new ApiError('deadletter-unknown', `no dead letter ${params.id} is kept`, { field: 'id' })
    return found
  })
}

/** What was rejected: listed, shown, and read again. */
export function deadlettersRoutes(app: App, { deadLetters: letters }: ApiParts): void {
  if (!letters) return
  listRoutes(app, letters)
  const schema = {
    tags: ['deadletters'],
    summary: 'Read rejected messages again, as their sources are configured now',
    body: request,
    response: answers({ 200: outcome }),
  }
  app.post(
    '/api/v1/deadletters/retry',
    { schema, config: { role: 'responder' }, bodyLimit: 262_144 },
    async ({ body, actor }) => {
      const { dry_run, ...selection } = body
      const {
        alerts,
        letters: all,
        complete: is_complete,
      } = await letters.retry(selectionOf(selection), dry_run, actor)
      const rejected = all.filter(({ outcome: of_one }) => of_one === 'rejected')
      const passed = all.filter(({ outcome: of_one }) => of_one === 'passed')
      const others = all.filter((one) => !rejected.includes(one) && !passed.includes(one))
      return {
        dry_run,
        passed: passed.length,
        rejected: rejected.length,
        not_retriable: others.length,
        alerts,
        letters: [...rejected, ...others, ...passed].slice(0, SHOWN_MAX).map((one) => ({ ...one })),
        complete: is_complete,
      }
    },
  )
}
