import { systemClock } from '../runtime/clock.ts'
import { environment, loadConfig } from '../runtime/config.ts'
import { Misconfigured } from '../runtime/errors.ts'
import { ensureTopics } from '../runtime/log/kafka.ts'
import { makeLogger } from '../runtime/logger.ts'
import { topicSettings } from '../runtime/wire.ts'

/** Makes the internal topics that are missing and shows them all; safe to repeat. */
export async function topics(options: { config?: string }): Promise<void> {
  const loaded = loadConfig(options.config, environment())
  if (!loaded.config.kafka)
    throw new Misconfigured(
      'config-invalid',
      'the configuration names no brokers (`kafka`); the embedded mode needs no topics',
    )
  const logger = makeLogger(loaded.config.log_level, process.stderr.isTTY)
  const settings = topicSettings({ loaded, clock: systemClock, logger }, loaded.config.kafka)
  const facts = await ensureTopics(settings, settings)
  for (const { name, partitions } of Object.values(facts)) console.log(`${name}\t${partitions} partitions`)
}
