import type { FastifyInstance } from 'fastify'
import { History } from '../analytics/connection.ts'
import { FEED_BOUNDS } from '../api/changes_feed.ts'
import { LiveView } from '../api/live_view.ts'
import { buildServer } from '../api/server.ts'
import { Consumer } from '../ingest/consumer.ts'
import { alertmanagerIngest } from '../ingest/http/alertmanager.ts'
import { Intake } from '../ingest/intake.ts'
import type { Config } from '../schemas/config.ts'
import type { Loaded } from './config.ts'
import { makeWorkers } from './folds.ts'
import type { Logger } from './logger.ts'
import { Metrics } from './metrics.ts'
import { Observation } from './observation.ts'
import type { Clock } from './ports.ts'
import { noTraces, otlpTraces, type Tracing } from './tracing.ts'
import { apiParts } from './service_api.ts'
import { version } from './version.ts'
import { type World, wire } from './wire.ts'
import type { Worker } from './worker.ts'

/** Resolved incidents that the live view keeps at most. */
const CLOSED_IN_VIEW_MAX = 50_000

export interface ServiceParts {
  readonly loaded: Loaded
  readonly clock: Clock
  readonly logger: Logger
  /** A fault of the program: the process must end and be started again. */
  readonly on_fatal: () => void
}

/** The running program: the parts that the configuration asks for, over the world that its mode gives. */
export class Service {
  readonly url: string
  readonly description: string
  private readonly running: Running

  private constructor(running: Running, url: string) {
    this.running = running
    this.url = url
    this.description = running.world.description
  }

  /** Resolves when requests are answered. Throws Misconfigured. */
  static async start(parts: ServiceParts): Promise<Service> {
    const world = await wire(parts)
    const running = await assemble(parts, world)
    try {
      await Promise.all(running.workers.map((worker) => worker.start()))
      await Promise.all(running.consumers.map((consumer) => consumer.start()))
      const url = parts.loaded.config.parts.includes('api') ? await serve(parts, running) : ''
      return new Service(running, url)
    } catch (error) {
      await shutDown(running)
      throw error
    }
  }

  /** Takes nothing new, finishes what is in hand, and lets go. */
  stop(): Promise<void> {
    return shutDown(this.running)
  }
}

/** What has to be stopped again, in the order of stopping. */
export interface Running {
  readonly world: World
  readonly tracing: Tracing
  readonly metrics: Metrics
  readonly observation: Observation
  readonly history: History | null
  readonly intake: Intake
  readonly consumers: readonly Consumer[]
  readonly workers: readonly Worker[]
  readonly started_at_ms: number
  live: LiveView | null
  server: FastifyInstance | null
}

async function assemble({ loaded, clock, logger, on_fatal }: ServiceParts, world: World): Promise<Running> {
  const { config, rules } = loaded
  const metrics = new Metrics()
  const observation = new Observation({ metrics, logger, clock, log: world.log, on_fatal })
  const tracing = config.telemetry.otlp_traces_url === undefined ? noTraces : otlpTraces(config.telemetry.otlp_traces_url, version())
  const history = world.history && new History({ address: world.history, clock, retrying: (error, attempt) => observation.retrying('history', error, attempt) })
  const intake = new Intake({ log: world.log, config, observer: observation, tracing })
  const consumers = await Promise.all(config.parts.includes('ingest') ? config.sources.map((source) => consumerOf(source)) : [])
  const workers = makeWorkers({ loaded, world, clock, metrics, observation, tracing, history, public_url: publicUrl(config) })
  return { world, tracing, metrics, observation, history, intake, consumers, workers, started_at_ms: clock.now(), live: null, server: null }

  async function consumerOf(source: Config['sources'][number]): Promise<Consumer> {
    observation.source(source.name, source.kind)
    const { name, topics } = source
    return new Consumer({ name, topics, source: await world.topicSource(source), intake, clock, observer: observation, resolve_timeout_ms: rules.resolve_timeout_ms })
  }
}

export function publicUrl(config: Config): string {
  return (config.public_url ?? `http://${config.listen}`).replace(/\/$/, '')
}

async function serve(parts: ServiceParts, running: Running): Promise<string> {
  const { loaded, clock, logger } = parts
  const { log, store } = running.world
  running.live = await LiveView.start({ log, store, clock, closed_max: CLOSED_IN_VIEW_MAX })
  const takes_alerts = loaded.config.parts.includes('ingest')
  const ingest = takes_alerts ? [alertmanagerIngest({ intake: running.intake, clock, resolve_timeout_ms: loaded.rules.resolve_timeout_ms })] : []
  running.server = buildServer({ ...apiParts(parts, running, running.live), feed_bounds: FEED_BOUNDS, ingest, logger })
  const split = loaded.config.listen.lastIndexOf(':')
  const host = loaded.config.listen.slice(0, split).replace(/^\[|\]$/g, '')
  return running.server.listen({ host, port: Number(loaded.config.listen.slice(split + 1)) })
}

async function shutDown(running: Running): Promise<void> {
  await running.server?.close()
  await Promise.all(running.consumers.map((consumer) => consumer.close()))
  await Promise.all(running.workers.map((worker) => worker.stop()))
  await running.live?.close()
  await running.history?.close()
  await running.tracing.close()
  await running.world.close()
}
