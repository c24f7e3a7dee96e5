import { z } from 'zod'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'

const text = { produces: ['text/plain'], response: answers({ 200: z.string() }) }

/** Whether this process lives, whether it is of use, and its figures. */
export function healthRoutes(app: App, { readiness, metrics }: ApiParts): void {
  const healthy = { tags: ['operation'], summary: 'Answers while the process lives', ...text }
  app.get('/-/healthy', { schema: healthy, config: { role: 'open' } }, async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send('OK\n'),
  )

  const ready = {
    tags: ['operation'],
    summary: 'Answers 200 once everything that is needed works, else 503',
    ...text,
  }
  app.get('/-/ready', { schema: ready, config: { role: 'open' } }, async (_request, reply) => {
    const missing = (await readiness()).filter(({ ok }) => !ok)
    if (missing.length === 0) return reply.type('text/plain; charset=utf-8').send('OK\n')
    throw new ApiError(
      'unavailable',
      `not ready: ${missing.map(({ name, detail }) => `${name} (${detail})`).join(', ')}`,
      { remedy: 'Wait, or see what the message names.' },
    )
  })

  const figures = { tags: ['operation'], summary: 'Figures in the Prometheus text format', ...text }
  app.get('/metrics', { schema: figures, config: { role: 'viewer' } }, async (_request, reply) => {
    const { content_type, text: body } = await metrics()
    return reply.type(content_type).send(body)
  })
}
