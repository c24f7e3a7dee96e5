import { systemClock } from '../runtime/clock.ts'
import { environment, loadConfig } from '../runtime/config.ts'
import { makeLogger } from '../runtime/logger.ts'
import { Service } from '../runtime/service.ts'

/** A stop that takes longer than this is cut off; what was acknowledged is safe either way. */
const STOP_TIMEOUT_MS = 9_000

/** Runs until SIGTERM or SIGINT; prints one line when requests are answered. */
export async function start(options: { config?: string }): Promise<void> {
  // Alerts tell about the inside of a plant: files are for our own user only.
  process.umask(0o077)
  const loaded = loadConfig(options.config, environment())
  const logger = makeLogger(loaded.config.log_level, process.stderr.isTTY)
  const fail = (error: unknown) => {
    logger.fatal({ err: error }, 'a fault of the program; the process ends')
    process.exit(70)
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  const service = await Service.start({
    loaded,
    clock: systemClock,
    logger,
    on_fatal: () => process.exit(70),
  })
  const where = service.url === '' ? 'without HTTP' : `at ${service.url}`
  console.log(`tocsin is ready ${where} (${service.description})`)
  const stop = (signal: NodeJS.Signals) => {
    logger.info({ signal }, 'stopping')
    setTimeout(() => {
      logger.error(`not stopped after ${STOP_TIMEOUT_MS / 1_000} s: ending now`)
      process.exit(1)
    }, STOP_TIMEOUT_MS).unref()
    service.stop().then(() => process.exit(0), fail)
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}
