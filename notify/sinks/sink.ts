import { Reject } from '../../runtime/errors.ts'
import type { TopicPublisher } from '../../runtime/ports.ts'
import type { SecretRef, SinkConfig } from '../../schemas/config.ts'
import type { Action, Result, SinkPolicy, Summary, Told } from '../delivery.ts'
import { OutboundError, type OutboundResponse, retryAfterMs } from '../outbound.ts'

export type KafkaSinkConfig = Extract<SinkConfig, { kind: 'kafka' }>

/** What an attempt has to tell, taken from the row that was stored before it. */
export interface Telling {
  readonly summary: Summary
  /** What the sink's copy says; null when that is not known or there is none. */
  readonly told: Told | null
  readonly external_id: string | null
  /** An earlier attempt to tell something newer than `told` ended without an answer or in failure, or may be forgotten. */
  readonly repeated: boolean
}

/**
 * A place that receives incidents. Never throws for what the world does: every ending is a Result.
 * Every sink passes test/contracts/sink.ts.
 */
export interface Sink {
  readonly policy: SinkPolicy
  deliver(action: Action, telling: Telling, signal: AbortSignal): Promise<Result>
  close(): void
}

/** What sinks need besides their configuration. */
export interface SinkWorld {
  /** Value of a secret; throws Misconfigured. */
  readonly secret: (reference: SecretRef) => string
  readonly now: () => number
  /** Where people reach Tocsin, without a slash at its end. */
  readonly public_url: string
  /** For sinks that write to a topic: the way to its brokers, which are reached when something is published. */
  readonly publisher: (sink: KafkaSinkConfig) => Promise<TopicPublisher>
}

export function incidentLink(world: Pick<SinkWorld, 'public_url'>, incident_id: string): string {
  return `${world.public_url}/incidents/${encodeURIComponent(incident_id)}`
}

/** How an answer that is no success ends the attempt. 429 is refused before anything is done; other answers leave it open. */
export function retryAfterAnswer(response: OutboundResponse, now_ms: number): Result {
  const { status } = response
  const code = status >= 300 && status < 400 ? 'redirect' : `http-${status}`
  const retry_after_ms = retryAfterMs(response.headers['retry-after'], now_ms)
  return { kind: 'retry', code, status, retry_after_ms, not_done: status === 429 }
}

/** A result for what the HTTP client throws; anything else is a bug and thrown on. */
export function resultOfError(error: unknown): Result {
  if (error instanceof OutboundError) {
    return { kind: 'retry', code: error.code, status: null, retry_after_ms: null, not_done: error.not_sent }
  }
  if (error instanceof Reject) return { kind: 'refused', code: error.code, status: null }
  throw error
}
