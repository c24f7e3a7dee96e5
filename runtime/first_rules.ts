import { encodeRecord } from '../schemas/codec.ts'
import type { Rules } from '../schemas/rules.ts'
import { Retryable } from './errors.ts'
import type { Logger } from './logger.ts'
import type { Clock, Log } from './ports.ts'

const RETRY_MS = 500

/**
 * Makes the configured rules the first entry of every partition of the alerts log that has had none: an alert that came
 * before them would be grouped as if nothing were configured. Tries until the log takes them. Where several processes
 * begin at once they may be there twice, which changes nothing.
 */
export async function layFirstRules(
  log: Pick<Log, 'append' | 'bounds'>,
  rules: Rules,
  { clock, logger }: { readonly clock: Clock; readonly logger: Pick<Logger, 'warn'> },
): Promise<void> {
  const value = encodeRecord({ kind: 'rules', rules })
  for (;;) {
    try {
      const bounds = await log.bounds('alerts')
      await log.append(
        bounds.flatMap(({ next }, partition) => (next === 0 ? [{ topic: 'alerts', partition, value }] : [])),
      )
      return
    } catch (error) {
      if (!(error instanceof Retryable)) throw error
      logger.warn(
        { code: error.code, retry_in_ms: RETRY_MS },
        `the rules cannot be logged yet: ${error.message}`,
      )
      await clock.sleep(RETRY_MS)
    }
  }
}
