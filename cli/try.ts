import { buffer } from 'node:stream/consumers'
import { makeNormaliser } from '../ingest/normalise.ts'
import { triedSampleSources } from '../ingest/samples/trial.ts'
import { triedSources, tryMessage } from '../ingest/trial.ts'
import { systemClock } from '../runtime/clock.ts'
import { environment, loadConfig } from '../runtime/config.ts'
import { Misconfigured } from '../runtime/errors.ts'
import { Tables } from '../runtime/tables.ts'

export interface TryOptions {
  readonly config?: string
  readonly source: string
  readonly header: readonly string[]
}

/** Shows what the message on standard input would come to, without appending anything; status 1 when something is refused. */
export async function tryOut({ config: file, source: name, header }: TryOptions): Promise<void> {
  const { config } = loadConfig(file, environment())
  const tables = await Tables.open({ tables: config.tables, clock: systemClock, logger: console })
  const sources = triedSources(config, tables.lookup)
  const sample_sources = triedSampleSources(config)
  const decode = sources.get(name)
  const trySamples = sample_sources.get(name)
  if (decode === undefined && trySamples === undefined)
    throw new Misconfigured(
      'source-unknown',
      `--source ${name}: expected one of ${[...sources.keys(), ...sample_sources.keys()].join(', ')}`,
    )
  const message = {
    body: await buffer(process.stdin),
    headers: Object.fromEntries(header.map(headerOf)),
    at_ms: Date.now(),
  }
  const trial =
    decode === undefined
      ? trySamples?.({ ...message, topic: '', key: null })
      : tryMessage({ name, decode }, makeNormaliser(config), message)
  console.log(JSON.stringify(trial, null, 2))
  process.exitCode = trial?.rejects.length === 0 ? 0 : 1
}

function headerOf(text: string): readonly [string, string] {
  const colon = text.indexOf(':')
  if (colon < 1)
    throw new Misconfigured('header-syntax', `--header ${JSON.stringify(text)}: expected "name: value"`)
  return [text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim()]
}
