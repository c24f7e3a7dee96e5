import { config } from '../../schemas/config.ts'
import type { NormaliserConfig } from '../../ingest/normalise.ts'

/** The configuration with nothing set. */
export const DEFAULTS: NormaliserConfig = config.parse({})
export const RESOLVE_TIMEOUT_MS = 300_000
