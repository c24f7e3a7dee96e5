import { z } from 'zod'
import { answers } from '../answers.ts'
import type { ChangesFeed } from '../changes_feed.ts'
import { ApiError } from '../errors.ts'
import type { SummaryFeed } from '../summary_feed.ts'
import type { App } from '../validation.ts'

const cursor = z.string().max(16_384)
const query = z.strictObject({
  since: cursor
    .optional()
    .describe('an event id, or `changes_cursor` of /api/v1/incidents; left out: from now on'),
  view: z
    .enum(['full', 'summary'])
    .default('full')
    .describe('summary: the newest summary of each incident that changed, at most four times a second'),
})
const headers = z.object({
  'last-event-id': cursor.optional().describe('sent by browsers that connect again; goes before `since`'),
})

const DESCRIPTION = `Server-sent events. \`change\`: one change with the whole incident; ignore a revision that you have seen. \`resync\`: changes are missing
(data.reason is cursor-unknown, cursor-too-old, too-far-behind or too-slow), so read /api/v1/incidents again. Event ids are cursors.
With \`view=summary\` instead of \`change\`: \`incidents\` (data: \`{incidents, gone}\`), \`live\` once all that was missed is told, and \`beat\`.`

export function changesRoute(
  app: App,
  { changes, summaries }: { readonly changes: ChangesFeed; readonly summaries: SummaryFeed },
): void {
  const schema = {
    tags: ['incidents'],
    summary: 'Follow all changes',
    description: DESCRIPTION,
    produces: ['text/event-stream'],
    querystring: query,
    headers,
    response: answers({ 200: z.string() }),
  }
  app.get(
    '/api/v1/changes',
    { schema, config: { role: 'viewer' }, exposeHeadRoute: false },
    async (request, reply) => {
      const feed = request.query.view === 'summary' ? summaries : changes
      if (feed.full) throw new ApiError('unavailable', 'too many clients follow the changes already')
      const since = request.headers['last-event-id'] ?? request.query.since ?? null
      reply.hijack()
      const head = {
        ...reply.getHeaders(),
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
      }
      reply.raw.writeHead(200, head as Record<string, string>)
      reply.raw.flushHeaders()
      try {
        await feed.serve(reply.raw, since)
      } catch (error) {
        // The head is out: all that can be said is to connect again.
        request.log.warn({ err: error }, 'a follower of changes was let go')
        reply.raw.destroy()
      }
    },
  )
}
