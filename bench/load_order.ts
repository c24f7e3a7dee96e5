import type { Mix } from './load/bodies.ts'
import type { HttpOrder } from './load/http.ts'
import type { BenchOptions } from './options.ts'

const SEED = 1
const PER_GROUP = 100
/** With 200,000 that repeat, below the bound of active alerts in each of the four partitions of the embedded mode. */
const FRESH_MAX = 600_000

export interface LoadParts
  extends Pick<BenchOptions, 'batch' | 'connections' | 'seconds' | 'warmup_seconds' | 'rate'> {
  readonly url: string
  readonly mix: Mix
  readonly distinct: number
  readonly round: number
}

/** The order for the load generator. Rounds differ in their seed alone; new alerts are new to a server that saw another run. */
export function httpOrder(parts: LoadParts): HttpOrder {
  const { url, mix, batch, connections, seconds, warmup_seconds, rate, distinct, round } = parts
  const started_at_ms = Date.now()
  return {
    url,
    shape: {
      seed: SEED + round,
      distinct,
      per_group: PER_GROUP,
      started_at_ms,
      run: started_at_ms.toString(36),
    },
    mix,
    batch,
    connections,
    warmup_seconds,
    seconds,
    rate: rate ?? 0,
    fresh_max: FRESH_MAX,
  }
}
