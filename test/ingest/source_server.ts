import type { FastifyPluginAsync } from 'fastify'
import Fastify from 'fastify'
import type { TakingParts } from '../../ingest/http/take.ts'
import { Intake } from '../../ingest/intake.ts'
import { systemClock } from '../../runtime/clock.ts'
import { noTraces } from '../../runtime/tracing.ts'
import { KeptLog } from './kept_log.ts'
import { DEFAULTS } from './settings.ts'

export const NOW_MS = Date.UTC(2026, 10, 25, 12)

export interface SourceServer {
  readonly log: KeptLog
  readonly url: string
  post(
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: unknown }>
  close(): Promise<void>
}

/** Routes that take alerts, over real HTTP, and a log that shows what they appended. */
export async function sourceServer(
  plugin: (parts: TakingParts) => FastifyPluginAsync,
): Promise<SourceServer> {
  const log = new KeptLog()
  const intake = new Intake({
    log,
    config: DEFAULTS,
    observer: { accepted: () => {}, rejected: () => {} },
    tracing: noTraces,
  })
  const app = Fastify()
  app.setValidatorCompiler(() => (value) => ({ value: value as unknown }))
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  const clock = { ...systemClock, now: () => NOW_MS }
  await app.register(plugin({ intake, clock, acknowledger: { settle: async () => [] } }))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    log,
    url,
    async post(path, body, headers = {}) {
      const response = await fetch(url + path, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) }
    },
    close: () => app.close(),
  }
}
