import { z } from 'zod'
import { answers } from '../answers.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'

const list = z.object({ sources: z.array(z.looseObject({ name: z.string() })) })

export function sourcesRoute(app: App, { sourcesStatus }: ApiParts): void {
  const schema = {
    tags: ['sources'],
    summary: 'List the sources of alerts and how they are',
    response: answers({ 200: list }),
  }
  app.get('/api/v1/sources', { schema, config: { role: 'viewer' } }, async () => ({
    sources: (await sourcesStatus()).map((source) => ({ ...source })),
  }))
}
