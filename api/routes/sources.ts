import { z } from 'zod'
import { answers } from '../answers.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'

const list = z.object({
  sources: z.array(z.looseObject({ name: z.string() })),
  tables: z
    .array(z.looseObject({ name: z.string() }))
    .describe('look-up tables, and why a file is not taken'),
})

export function sourcesRoute(app: App, { sourcesStatus, tablesStatus }: ApiParts): void {
  const schema = {
    tags: ['sources'],
    summary: 'List the sources of alerts and how they are',
    response: answers({ 200: list }),
  }
  app.get('/api/v1/sources', { schema, config: { role: 'viewer' } }, async () => ({
    sources: (await sourcesStatus()).map((source) => ({ ...source })),
    tables: tablesStatus().map((table) => ({ ...table })),
  }))
}
