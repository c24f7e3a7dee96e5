import type { ClickHouseClient } from '@clickhouse/client'
import type { LiveView } from '../api/live_view.ts'
import type { ApiParts, AskHistory, ReadinessCheck } from '../api/parts.ts'
import { forgetScope } from '../analytics/forget.ts'
import { writeImported } from '../analytics/imports.ts'
import { similarTo } from '../analytics/queries/similar.ts'
import { summary } from '../analytics/queries/summary.ts'
import { type History, unavailable } from '../analytics/connection.ts'
import { DeadLetters } from '../ingest/dead_letters/retry.ts'
import { triedSources } from '../ingest/trial.ts'
import { readDeliveries } from '../notify/rows.ts'
import { Reject, Retryable } from './errors.ts'
import { publicUrl, type Running, type ServiceParts } from './service_parts.ts'
import { version } from './version.ts'

/** What the HTTP server is given of the running program. */
export function apiParts(
  parts: ServiceParts,
  running: Running,
  live: LiveView,
): Omit<ApiParts, 'feed_bounds' | 'ingest'> {
  const { log, store } = running.world
  const { config } = parts.loaded
  return {
    log,
    store,
    clock: parts.clock,
    logger: parts.logger,
    live,
    intake: running.intake,
    tokens: config.api.tokens,
    public_url: publicUrl(config),
    version: version(),
    started_at_ms: running.started_at_ms,
    listDeliveries: (filter, limit) => readDeliveries(store, log.partitions('incidents'), filter, limit),
    deadLetters: config.parts.includes('ingest')
      ? new DeadLetters({
          log,
          clock: parts.clock,
          intake: running.intake,
          sources: triedSources(config, running.tables.lookup),
        })
      : null,
    sourcesStatus: () => sourcesStatus(running),
    tablesStatus: () => running.tables.status(),
    analyticsSummary: running.history && asking(running.history, summary),
    similarIncidents: running.history && asking(running.history, similarTo),
    askHistory: running.history && historyOf(running.history),
    importIncidents: running.history && writing(running.history, writeImported),
    forgetScope: running.history && writing(running.history, forgetScope),
    metrics: () => running.observation.metricsText(),
    readiness: () =>
      Promise.all([answering('log', () => log.ping()), answering('store', () => store.ping())]),
    observeRequest: (route, status, seconds) =>
      running.metrics.http_seconds.observe({ route, status: `${Math.floor(status / 100)}xx` }, seconds),
  }
}

/** What is known of each source, with how many messages wait in the topics that this process reads. */
async function sourcesStatus({ observation, consumers }: Running) {
  const lags = new Map(
    await Promise.all(consumers.map(async (consumer) => [consumer.name, await consumer.lag()] as const)),
  )
  return observation
    .sourcesNow()
    .map((status) => ({ ...status, lag_messages: lags.get(status.name) ?? null }))
}

async function answering(name: string, ping: () => Promise<void>): Promise<ReadinessCheck> {
  try {
    await ping()
    return { name, ok: true, detail: '' }
  } catch (error) {
    if (!(error instanceof Retryable)) throw error
    return { name, ok: false, detail: error.message }
  }
}

/** The history for questions; whatever ClickHouse does not answer is Retryable. */
function historyOf(history: History): AskHistory {
  return async (ask) => {
    try {
      return await ask(history.reader())
    } catch (error) {
      throw error instanceof Reject ? error : unavailable(error)
    }
  }
}

function asking<Question, Answer>(
  history: History,
  ask: (client: ClickHouseClient, question: Question) => Promise<Answer>,
): (question: Question) => Promise<Answer> {
  return (question) => historyOf(history)((client) => ask(client, question))
}

/** The history for what is no question: imports, and deletion. */
function writing<Argument>(
  history: History,
  write: (client: ClickHouseClient, argument: Argument) => Promise<void>,
): (argument: Argument) => Promise<void> {
  return async (argument) => {
    // It tells without waiting when ClickHouse is away.
    history.reader()
    try {
      await write(await history.ready, argument)
    } catch (error) {
      throw unavailable(error)
    }
  }
}
