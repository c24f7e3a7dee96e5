import { History } from '../analytics/connection.ts'
import { FEED_BOUNDS } from '../api/changes_feed.ts'
import { LiveView } from '../api/live_view.ts'
import { buildServer } from '../api/server.ts'
import { Acknowledger } from '../ingest/acknowledger.ts'
import type { Loaded } from './config.ts'
import { Retryable } from './errors.ts'
import { layFirstRules } from './first_rules.ts'
import { makeWorkers } from './folds.ts'
import { Metrics } from './metrics.ts'
import { Observation } from './observation.ts'
import { Tables } from './tables.ts'
import { noTraces, otlpTraces } from './tracing.ts'
import { apiParts } from './service_api.ts'
import { ingestRoutes, makeIntakes } from './service_ingest.ts'
import { publicUrl, type Running, type ServiceParts } from './service_parts.ts'
import { sourceReadings } from './service_sources.ts'
import { version } from './version.ts'
import { type World, wire } from './wire.ts'

/** Resolved incidents that the live view keeps at most. */
const CLOSED_IN_VIEW_MAX = 50_000
const VIEW_RETRY_MS = 500

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
      await layFirstRules(world.log, parts.loaded.rules, parts)
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

async function assemble({ loaded, clock, logger, on_fatal }: ServiceParts, world: World): Promise<Running> {
  const { config } = loaded
  const metrics = new Metrics()
  const observation = new Observation({ metrics, logger, clock, log: world.log, on_fatal })
  const tracing = tracingOf(config)
  const history = world.history && historyOf(world.history, { loaded, clock, logger, metrics, observation })
  if (!history) metrics.registry.removeSingleMetric('tocsin_history_up')
  const { intake, sample_intake } = makeIntakes({ log: world.log, clock, config, observation, tracing })
  const tables = await openTables(config, { clock, logger, metrics })
  const acknowledger = new Acknowledger({ ...world, clock, config, intake })
  const taking = { world, observation, intake, sample_intake, acknowledger, tables }
  const consumers = await sourceReadings({ ...taking, loaded, clock })
  const workers = makeWorkers({
    loaded,
    world,
    clock,
    metrics,
    observation,
    tracing,
    history,
    public_url: publicUrl(config),
  })
  return {
    world,
    tracing,
    metrics,
    observation,
    history,
    intake,
    sample_intake,
    acknowledger,
    tables,
    consumers,
    workers,
    started_at_ms: clock.now(),
    live: null,
    server: null,
  }
}

function tracingOf({ telemetry: { otlp_traces_url } }: Loaded['config']) {
  return otlp_traces_url === undefined ? noTraces : otlpTraces(otlp_traces_url, version())
}

async function openTables(
  { tables: files }: Loaded['config'],
  { clock, logger, metrics }: Pick<ServiceParts, 'clock' | 'logger'> & Pick<Running, 'metrics'>,
): Promise<Tables> {
  const failing = (table: string, fails: boolean) => metrics.failing_tables.set({ table }, fails ? 1 : 0)
  const tables = await Tables.open({ tables: files, clock, logger, failing })
  tables.watch()
  return tables
}

/** Connects in the background; until it is ready nothing is written, and nothing is lost. */
function historyOf(
  address: NonNullable<World['history']>,
  parts: Pick<ServiceParts, 'loaded' | 'clock' | 'logger'> & Pick<Running, 'metrics' | 'observation'>,
): History {
  const { loaded, clock, logger, metrics, observation } = parts
  const { keep_days } = loaded.config.history
  const retrying = (error: Retryable, attempt: number) => observation.retrying('history', error, attempt)
  const history = new History({ address, clock, keep_days, retrying })
  history.ready.then(
    () => metrics.history_up.set(1),
    (error: unknown) => {
      // Retryable: closed before it was ready.
      if (!(error instanceof Retryable)) logger.error({ err: error }, 'there is no history')
    },
  )
  return history
}

async function serve(parts: ServiceParts, running: Running): Promise<string> {
  const { loaded, clock, logger } = parts
  running.live = await liveView(parts, running.world)
  const takes_alerts = loaded.config.parts.includes('ingest')
  const ingest = takes_alerts ? ingestRoutes(loaded, { ...running, clock }) : []
  running.server = buildServer({
    ...apiParts(parts, running, running.live),
    feed_bounds: FEED_BOUNDS,
    ingest,
    logger,
  })
  const split = loaded.config.listen.lastIndexOf(':')
  const host = loaded.config.listen.slice(0, split).replace(/^\[|\]$/g, '')
  return running.server.listen({ host, port: Number(loaded.config.listen.slice(split + 1)) })
}

/** Log and store may be away while the program starts (brokers that elect a leader are); the view waits for them as all else does. */
async function liveView({ clock, logger }: ServiceParts, { log, store }: World): Promise<LiveView> {
  for (;;) {
    try {
      return await LiveView.start({ log, store, clock, closed_max: CLOSED_IN_VIEW_MAX })
    } catch (error) {
      if (!(error instanceof Retryable)) throw error
      logger.warn(
        { code: error.code, retry_in_ms: VIEW_RETRY_MS },
        `starting the live view: ${error.message}`,
      )
      await clock.sleep(VIEW_RETRY_MS)
    }
  }
}

async function shutDown(running: Running): Promise<void> {
  await running.server?.close()
  await Promise.all(running.consumers.map((consumer) => consumer.close()))
  await Promise.all(running.workers.map((worker) => worker.stop()))
  await running.tables.close()
  await running.live?.close()
  await running.history?.close()
  await running.tracing.close()
  await running.world.close()
}
