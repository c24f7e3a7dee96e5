import { encodeRecord } from '../schemas/codec.ts'
import { type DetectRules, encodeDetectRecord } from '../schemas/detect.ts'
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
export function layFirstRules(log: LogPart, rules: Rules, parts: Parts): Promise<void> {
  return layFirst(log, 'alerts', encodeRecord({ kind: 'rules', rules }), parts)
}

/** The same for the samples log: a reading that came before the rules would be judged by the default detector alone. */
export function layFirstDetectRules(log: LogPart, rules: DetectRules, parts: Parts): Promise<void> {
  return layFirst(log, 'samples', encodeDetectRecord({ kind: 'detect-rules', rules }), parts)
}

type LogPart = Pick<Log, 'append' | 'bounds'>
interface Parts {
  readonly clock: Clock
  readonly logger: Pick<Logger, 'warn'>
}

async function layFirst(
  log: LogPart,
  topic: 'alerts' | 'samples',
  value: Buffer,
  { clock, logger }: Parts,
): Promise<void> {
  for (;;) {
    try {
      const bounds = await log.bounds(topic)
      await log.append(
        bounds.flatMap(({ next }, partition) => (next === 0 ? [{ topic, partition, value }] : [])),
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
