import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { type Language, TEXTS } from '../page/texts.ts'
import type { App } from '../validation.ts'

const query = z.object({
  lang: z
    .string()
    .max(64)
    .optional()
    .catch(undefined)
    .describe('language of the page; left out: as the browser prefers'),
})

function pageFile(name: string): string {
  return readFileSync(new URL(`../page/${name}`, import.meta.url), 'utf8')
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** The first language of the header that we speak (its order stands; weights are seldom out of order). */
function preferredLanguage(accept: string | undefined): Language {
  for (const part of (accept ?? '').split(',')) {
    const tag = part.split(';', 1)[0]?.trim().toLowerCase() ?? ''
    if (tag === 'zh' || tag.startsWith('zh-')) return 'zh-CN'
    if (tag === 'en' || tag.startsWith('en-')) return 'en'
  }
  return 'en'
}

function render(template: string, language: Language): string {
  const texts = TEXTS[language]
  return template.replace(/\{\{(\w+)\}\}/g, (_whole, key: string) => {
    if (key === 'lang') return language
    if (key === 'texts') return escapeHtml(JSON.stringify(texts))
    if (key in texts) return escapeHtml(texts[key as keyof typeof texts])
    throw new RangeError(`the page names the text ${key}, which there is not`)
  })
}

/** A small page that shows what is open. It holds no data itself, so it is open; its script asks for a token when one is needed. */
export function pageRoutes(app: App): void {
  const template = pageFile('index.html')
  const pages = { en: render(template, 'en'), 'zh-CN': render(template, 'zh-CN') } as const satisfies Record<
    Language,
    string
  >
  const files = [
    { path: '/status.css', type: 'text/css; charset=utf-8', text: pageFile('status.css') },
    { path: '/status.js', type: 'text/javascript; charset=utf-8', text: pageFile('status.js') },
    { path: '/status.svg', type: 'image/svg+xml', text: pageFile('status.svg') },
    { path: '/event_stream.js', type: 'text/javascript; charset=utf-8', text: pageFile('event_stream.js') },
  ]
  const schema = {
    tags: ['page'],
    summary: 'The status page',
    produces: ['text/html'],
    querystring: query,
    response: { 200: z.string() },
  }
  app.get('/', { schema, config: { role: 'open' } }, async ({ query: { lang }, headers }, reply) => {
    const language = preferredLanguage(lang ?? headers['accept-language'])
    return reply
      .type('text/html; charset=utf-8')
      .headers({ 'content-language': language, vary: 'accept-language' })
      .send(pages[language])
  })
  for (const { path, type, text } of files) {
    const of_file = {
      tags: ['page'],
      summary: 'A file of the status page',
      produces: [type.split(';', 1)[0] ?? type],
      response: { 200: z.string() },
    }
    app.get(path, { schema: of_file, config: { role: 'open' } }, async (_request, reply) =>
      reply.type(type).send(text),
    )
  }
}
