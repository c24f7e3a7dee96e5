import type { ClickHouseClient } from '@clickhouse/client'
import type { FastifyBaseLogger, FastifyPluginAsync } from 'fastify'
import type { DeadLetters } from '../ingest/dead_letters/retry.ts'
import type { DeliveryFilter } from '../notify/rows.ts'
import type { Clock, Log, Position, Store } from '../runtime/ports.ts'
import type { Summary, SummaryQuestion } from '../schemas/analytics.ts'
import type { ImportedIncident } from '../schemas/imported.ts'
import type { SimilarIncidents, SimilarQuestion } from '../schemas/similar.ts'
import type { Token } from './auth.ts'
import type { FeedBounds } from './changes_feed.ts'
import type { LiveView } from './live_view.ts'

/** One thing that must work for this process to be of use. */
export interface ReadinessCheck {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** Asks the history. Throws Retryable when ClickHouse does not answer, and Reject `history-limit`. */
export type AskHistory = <Answer>(ask: (client: ClickHouseClient) => Promise<Answer>) => Promise<Answer>

/** Everything that the HTTP server needs of the rest of the program. */
export interface ApiParts {
  readonly log: Log
  readonly store: Store
  readonly clock: Clock
  readonly logger: FastifyBaseLogger
  readonly live: LiveView
  /** What this process appended as alerts: partition → position of the newest entry. */
  readonly intake: { appended(): ReadonlyMap<number, Position> }
  /** None: whoever reaches this (loopback) address may do everything. */
  readonly tokens: readonly Token[]
  readonly public_url: string
  readonly version: string
  readonly started_at_ms: number
  /** As notify/rows.ts reads them. */
  readonly listDeliveries: (
    filter: DeliveryFilter,
    limit: number,
  ) => Promise<{ readonly total: number; readonly deliveries: readonly object[] }>
  /** Null: this process takes no alerts, and so cannot read their messages again. */
  readonly deadLetters: DeadLetters | null
  readonly sourcesStatus: () => Promise<readonly { readonly name: string }[]>
  /** Look-up tables of the configuration, as runtime/tables.ts tells of them. */
  readonly tablesStatus: () => readonly { readonly name: string }[]
  /** Null: history is off. Throws Retryable when ClickHouse does not answer. */
  readonly analyticsSummary: ((question: SummaryQuestion) => Promise<Summary>) | null
  /** Null: history is off. Throws Retryable when ClickHouse does not answer. */
  readonly similarIncidents: ((question: SimilarQuestion) => Promise<SimilarIncidents>) | null
  /** Null: history is off. */
  readonly askHistory: AskHistory | null
  /** Null: history is off. Throws Retryable when ClickHouse does not take them. */
  readonly importIncidents: ((incidents: readonly ImportedIncident[]) => Promise<void>) | null
  /** Null: history is off. Throws Retryable when ClickHouse does not do it. */
  readonly forgetScope: ((scope: string) => Promise<void>) | null
  readonly metrics: () => Promise<{ readonly content_type: string; readonly text: string }>
  readonly readiness: () => Promise<readonly ReadinessCheck[]>
  readonly observeRequest: (route: string, status: number, seconds: number) => void
  /** Plugins that take alerts in; their routes need the role `ingest` unless they say otherwise. */
  readonly ingest: readonly FastifyPluginAsync[]
  readonly feed_bounds: FeedBounds
}
