import type { FastifyInstance } from 'fastify'
import type { History } from '../analytics/connection.ts'
import type { LiveView } from '../api/live_view.ts'
import type { Acknowledger } from '../ingest/acknowledger.ts'
import type { Intake } from '../ingest/intake.ts'
import type { SampleIntake } from '../ingest/samples/intake.ts'
import type { Config } from '../schemas/config.ts'
import type { Loaded } from './config.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import type { Observation } from './observation.ts'
import type { Clock } from './ports.ts'
import type { Tables } from './tables.ts'
import type { Tracing } from './tracing.ts'
import type { World } from './wire.ts'
import type { Worker } from './worker.ts'

export interface ServiceParts {
  readonly loaded: Loaded
  readonly clock: Clock
  readonly logger: Logger
  /** A fault of the program: the process must end and be started again. */
  readonly on_fatal: () => void
}

/** Reads from somewhere until it is closed. */
export interface Reading {
  /** Of the source. */
  readonly name: string
  /** Messages that wait; null where nobody knows. */
  lag(): Promise<number | null>
  start(): Promise<void>
  close(): Promise<void>
}

/** What has to be stopped again, in the order of stopping. */
export interface Running {
  readonly world: World
  readonly tracing: Tracing
  readonly metrics: Metrics
  readonly observation: Observation
  readonly history: History | null
  readonly intake: Intake
  readonly sample_intake: SampleIntake
  readonly acknowledger: Acknowledger
  readonly tables: Tables
  readonly consumers: readonly Reading[]
  readonly workers: readonly Worker[]
  readonly started_at_ms: number
  live: LiveView | null
  server: FastifyInstance | null
}

/** Where people reach this tocsin, for links in tickets. */
export function publicUrl(config: Config): string {
  return (config.public_url ?? `http://${config.listen}`).replace(/\/$/, '')
}
