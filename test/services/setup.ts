/**
 * Services that the test files of one run share. The main process starts each one when the first test file asks for it,
 * over a loopback address that vitest hands to the files, and ends all of them after the run.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { TestProject } from 'vitest/node'
import { startClickHouse } from './clickhouse.ts'
import { startKafka } from './kafka.ts'
import { startMosquitto } from './mosquitto.ts'
import { startRedis } from './redis.ts'
import { startRequestTracker } from './request_tracker.ts'
import { type Controls, Unavailable } from './runner.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    services_url: string
  }
}

export type ServiceName = 'kafka' | 'redis' | 'clickhouse' | 'mosquitto' | 'request-tracker'

/** What a test file gets for its question: the address, or why there is none. */
export interface Answer {
  readonly address?: unknown
  readonly unavailable?: string
  readonly failed?: string
}

const STARTERS: Readonly<Record<ServiceName, () => Promise<Controls>>> = {
  kafka: startKafka,
  redis: () => startRedis(),
  clickhouse: startClickHouse,
  mosquitto: () => startMosquitto(),
  'request-tracker': startRequestTracker,
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<string, Promise<Controls>>()
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) as ServiceName
    const service = started.get(name) ?? STARTERS[name]()
    started.set(name, service)
    void service.then((address) => ({ address }), explain).then((answer) => send(response, answer))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the service provider has no port')
  project.provide('services_url', `http://127.0.0.1:${bound.port}`)
  return async () => {
    server.closeAllConnections()
    server.close()
    const stopped = [...started.values()].map((service) =>
      service.then(
        (controls) => controls.stop(),
        // It never ran, and the test files were told why.
        () => {},
      ),
    )
    await Promise.all(stopped)
  }
}

function explain(error: unknown): Answer {
  return error instanceof Unavailable ? { unavailable: error.message } : { failed: String(error) }
}

function send(response: ServerResponse, answer: Answer): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(answer))
}
