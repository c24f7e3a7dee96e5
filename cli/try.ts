import { buffer } from 'node:stream/consumers'
import { makeNormaliser } from '../ingest/normalise.ts'
import { type SourceDecoder, sourceDecoder } from '../ingest/source_decoder.ts'
import type { RawAlert } from '../ingest/sources/raw_alert.ts'
import { environment, loadConfig } from '../runtime/config.ts'
import { Misconfigured } from '../runtime/errors.ts'
import type { Config } from '../schemas/config.ts'
import { EXPIRE_AFTER_MS, SOURCE_FORMATS } from '../schemas/source_formats.ts'

export interface TryOptions {
  readonly config?: string
  readonly source: string
  readonly header: readonly string[]
}

/** Shows what the message on standard input would come to, without appending anything; status 1 when something is refused. */
export async function tryOut(options: TryOptions): Promise<void> {
  const { config } = loadConfig(options.config, environment())
  const decode = decoderOf(config, options.source)
  const body = await buffer(process.stdin)
  const { alerts, rejects, acknowledgements, dropped } = decode({
    body,
    headers: Object.fromEntries(options.header.map(headerOf)),
    at_ms: Date.now(),
  })
  const normalise = makeNormaliser(config)
  const found = alerts.map((raw) => shown(raw, normalise(raw, options.source)))
  const refused = [...found.filter((one) => 'reason' in one), ...rejects]
  const told = {
    alerts: found.filter((one) => !('reason' in one)),
    rejects: refused,
    ...(acknowledgements && acknowledgements.length > 0 && { acknowledgements }),
    ...(dropped !== undefined && { dropped }),
  }
  console.log(JSON.stringify(told, null, 2))
  process.exitCode = refused.length === 0 ? 0 : 1
}

/** Times as people read them. */
function shown({ ordinal, identity }: RawAlert, normalised: ReturnType<ReturnType<typeof makeNormaliser>>) {
  if ('reason' in normalised) return { ordinal, ...normalised }
  const { starts_at_ms, ends_at_ms, repeats: _, ...alert } = normalised
  return {
    ordinal,
    ...alert,
    ...(identity && { identity }),
    starts_at: new Date(starts_at_ms).toISOString(),
    ends_at: ends_at_ms === null ? null : new Date(ends_at_ms).toISOString(),
  }
}

function headerOf(text: string): readonly [string, string] {
  const colon = text.indexOf(':')
  if (colon < 1)
    throw new Misconfigured('header-syntax', `--header ${JSON.stringify(text)}: expected "name: value"`)
  return [text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim()]
}

/** A source of the configuration, or the name of a built-in format. */
function decoderOf({ sources }: Config, name: string): SourceDecoder {
  const source = sources.find((one) => one.name === name)
  if (source) return sourceDecoder(source)
  const format = SOURCE_FORMATS.find((one) => one === name)
  if (format) return sourceDecoder({ format, labels: {}, expire_after_ms: EXPIRE_AFTER_MS })
  const names = [...sources.map((one) => one.name), ...SOURCE_FORMATS]
  throw new Misconfigured('source-unknown', `--source ${name}: expected one of ${names.join(', ')}`)
}
