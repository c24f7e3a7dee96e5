import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import type { Loaded } from '../../runtime/config.ts'
import { Misconfigured } from '../../runtime/errors.ts'
import { historyOf } from '../history.ts'
import { historyOfAlerts, type Period, type Repeated } from './history.ts'
import { type Normaliser, readLine, type Recorded } from './lines.ts'

/** Where recorded alerts come from: a file, or a period of the history. */
export interface Recording {
  readonly alerts?: string
  /** RFC 3339. */
  readonly from?: string
  readonly to?: string
}

/** A line of a file, or a row of the history. */
export type Line = string | Recorded | Repeated

export function isRepeat(line: Line): line is Repeated {
  return typeof line !== 'string' && 'fingerprint' in line
}

/** Throws BadLine. */
export function readRecorded(line: string | Recorded, normalise: Normaliser): Recorded {
  return typeof line === 'string' ? readLine(line, normalise) : line
}

/** Reads the recording, again at each call. Throws Misconfigured when there is none. */
export function recordingOf(
  { alerts, from, to }: Recording,
  loaded: Pick<Loaded, 'config' | 'secret'>,
): () => AsyncIterable<Line> {
  if ((alerts === undefined) === (from === undefined))
    throw new Misconfigured('alerts-missing', 'expected either --alerts FILE, or --from TIME of the history')
  if (alerts !== undefined) return () => linesOf(alerts)
  const period: Period = {
    from_ms: timeOf('--from', from ?? ''),
    to_ms: to === undefined ? Date.now() : timeOf('--to', to),
  }
  return () => readHistory(loaded, period)
}

async function* readHistory(loaded: Pick<Loaded, 'config' | 'secret'>, period: Period): AsyncGenerator<Line> {
  const client = historyOf(loaded)
  try {
    yield* historyOfAlerts(client, period)
  } finally {
    await client.close()
  }
}

function timeOf(option: string, text: string): number {
  const at_ms = Date.parse(text)
  if (Number.isFinite(at_ms)) return at_ms
  throw new Misconfigured(
    'time-invalid',
    `${option} ${JSON.stringify(text)} is no time; expected one such as 2026-11-01T00:00:00Z`,
  )
}

/** The lines of a recording; `.gz` is read too. Throws Misconfigured when there is none. */
export function linesOf(path: string): AsyncIterable<string> {
  if (!existsSync(path)) throw new Misconfigured('alerts-missing', `there is no file ${path} with alerts`)
  const file = createReadStream(path)
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file
  return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
}
