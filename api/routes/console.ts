import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type ConsoleFile, ConsoleFiles } from '../console_files.ts'
import { ApiError } from '../errors.ts'
import type { App } from '../validation.ts'

/** The pages of the console; everything below one is its own to read. */
const PAGES = ['incidents', 'analytics', 'alarms', 'sources', 'rules'] as const

/** The name of an asset changes with its content. */
const FOR_EVER = 'public, max-age=31536000, immutable'

const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Tocsin</title>
<h1>The console is not built</h1>
<p>Tocsin runs, and its API answers (<a href="/api/openapi.json">/api/openapi.json</a>); only this page is missing.</p>
<p>Run <code>npm run build:web</code> in the folder of Tocsin, then start it again. <code>npm ci</code> does so by itself unless scripts
are switched off (<code>ignore-scripts</code>) or packages of development are left out (<code>--omit=dev</code>).</p>
<h1 lang="zh-CN">控制台尚未构建</h1>
<p lang="zh-CN">Tocsin 正在运行,API 可用,只缺少此页面。请在 Tocsin 目录中执行 <code>npm run build:web</code>,然后重新启动。</p>
</html>
`

function send(request: FastifyRequest, reply: FastifyReply, file: ConsoleFile): FastifyReply {
  reply.type(file.type).header('vary', 'accept-encoding')
  if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(file.plain)
  return reply.header('content-encoding', 'gzip').send(file.gzipped)
}

/**
 * The console. Its files hold no data, so they are open to anybody; its scripts ask for a login when one is needed.
 * Every page's address gives the same document, so that links into the console work.
 */
export function consoleRoutes(app: App): void {
  const files = new ConsoleFiles()
  const options = { schema: { hide: true }, config: { role: 'open' as const } }
  const page = async (request: FastifyRequest, reply: FastifyReply) => {
    const index = files.index()
    if (index) return send(request, reply, index)
    return reply.code(503).type('text/html; charset=utf-8').send(NOT_BUILT)
  }
  for (const path of ['/', ...PAGES.flatMap((name) => [`/${name}`, `/${name}/*`])])
    app.get(path, options, page)
  const params = z.object({ name: z.string() })
  app.get('/assets/:name', { ...options, schema: { ...options.schema, params } }, async (request, reply) => {
    const file = files.asset(request.params.name)
    if (!file) throw new ApiError('not-found', 'there is no such file of the console')
    return send(request, reply.header('cache-control', FOR_EVER), file)
  })
}
