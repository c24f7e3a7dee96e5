import { z } from 'zod'
import { ROLES } from '../../schemas/config.ts'
import { answers } from '../answers.ts'
import { holderOf, namedActor, presented } from '../auth.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import { ENDED_SESSION_COOKIE, sessionCookie } from '../session_cookie.ts'
import type { App } from '../validation.ts'

const session = z.object({
  login: z
    .enum(['none', 'needed', 'done'])
    .describe('none: this installation has no tokens and whoever reaches it may do everything'),
  role: z.enum(ROLES).nullable(),
  actor: z.string().nullable().describe('in whose name commands are written'),
  version: z.string().nullable(),
  site_time_zone: z.string().nullable().describe('the time zone of the machine that this runs on'),
})
const request = z.strictObject({ token: z.string().min(1).max(1_024) })
const open = { config: { role: 'open' as const } }

const site_time_zone = new Intl.DateTimeFormat().resolvedOptions().timeZone

/** Who the browser is, and logging in and out. */
export function sessionRoutes(app: App, parts: ApiParts): void {
  readRoute(app, parts)
  loginRoute(app, parts)
  logoutRoute(app)
}

function readRoute(app: App, { tokens, version }: ApiParts): void {
  const schema = { tags: ['session'], summary: 'Who I am', response: answers({ 200: session }) }
  app.get('/api/v1/session', { schema, ...open }, async (asked) => {
    if (tokens.length === 0)
      return {
        login: 'none' as const,
        role: 'admin' as const,
        actor: namedActor(asked),
        version,
        site_time_zone,
      }
    try {
      const { role, name } = presented(tokens, asked)
      return { login: 'done' as const, role, actor: name, version, site_time_zone }
    } catch (error) {
      if (error instanceof ApiError && error.code === 'unauthenticated')
        return { login: 'needed' as const, role: null, actor: null, version: null, site_time_zone: null }
      throw error
    }
  })
}

function loginRoute(app: App, { tokens, version }: ApiParts): void {
  const schema = {
    tags: ['session'],
    summary: 'Log a browser in: the token becomes a cookie that no script can read',
    body: request,
    response: answers({ 200: session }),
  }
  app.post('/api/v1/session', { schema, ...open }, async ({ body, headers }, reply) => {
    const holder = holderOf(tokens, body.token)
    if (!holder) throw new ApiError('unauthenticated', 'the token is not known', { field: 'token' })
    const secure = headers.origin?.startsWith('https:') ?? false
    reply.header('set-cookie', sessionCookie(body.token, secure))
    return { login: 'done' as const, role: holder.role, actor: holder.name, version, site_time_zone }
  })
}

function logoutRoute(app: App): void {
  const schema = { tags: ['session'], summary: 'Log a browser out', response: { 204: z.null() } }
  app.delete('/api/v1/session', { schema, ...open }, async (_asked, reply) =>
    reply.code(204).header('set-cookie', ENDED_SESSION_COOKIE).send(null),
  )
}
