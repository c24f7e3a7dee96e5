import type { Alert } from './alert.ts'
import { type Change, change } from './change.ts'
import { LIMITS } from './limits.ts'
import { type AlertsRecord, type LogRecord, record } from './record.ts'
import { Repeats } from './repeats.ts'

/** Bytes that are no entry of ours. `code` is `entry-format`, `entry-json` or `entry-shape`. */
export class CodecError extends Error {
  override name = 'CodecError'
  readonly code: 'entry-format' | 'entry-json' | 'entry-shape'
  constructor(code: CodecError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * The first byte tells the format. `{`: JSON. 1: alerts with repeats, the latter packed (repeats.ts): bytes 4 to 7 are the bytes
 * of the packed ones (little-endian), which begin at byte 8; behind them is the rest as JSON.
 */
const JSON_FORMAT = 0x7b
const REPEATS_FORMAT = 1
const REPEATS_FROM = 8

/**
 * What was decoded, for as long as the entry's bytes are in use: the readers of a log that lives in one process are given the same
 * bytes, and each entry is parsed once for all of them. Nobody may change what is decoded, nor the bytes.
 */
const decoded_records = new WeakMap<Buffer, LogRecord>()
const decoded_changes = new WeakMap<Buffer, Change>()

function once<T extends object>(known: WeakMap<Buffer, T>, value: Buffer, decode: (value: Buffer) => T): T {
  const found = known.get(value)
  if (found !== undefined) return found
  const decoded = decode(value)
  known.set(value, decoded)
  return decoded
}

function parse(value: Buffer): unknown {
  if (value[0] !== JSON_FORMAT)
    throw new CodecError(
      'entry-format',
      `an entry begins with byte ${value[0] ?? 'none'}, which is no known format`,
    )
  try {
    return JSON.parse(value.toString())
  } catch {
    throw new CodecError('entry-json', `an entry of ${value.length} bytes is not JSON`)
  }
}

export function encodeRecord(value: LogRecord): Buffer {
  if (value.kind !== 'alerts' || value.repeats === undefined) return Buffer.from(JSON.stringify(value))
  const { repeats, ...rest } = value
  const text = JSON.stringify({ ...rest, repeat_places: repeats.places })
  const bytes = Buffer.allocUnsafe(REPEATS_FROM + repeats.bytes.length + Buffer.byteLength(text))
  bytes.writeUInt32LE(REPEATS_FORMAT, 0)
  bytes.writeUInt32LE(repeats.bytes.length, 4)
  repeats.bytes.copy(bytes, REPEATS_FROM)
  bytes.write(text, REPEATS_FROM + repeats.bytes.length)
  return bytes
}

/** Throws CodecError. Alerts, which only ingest writes and has validated, are checked for their shape only: that is a fifth of the cost. */
export function decodeRecord(value: Buffer): LogRecord {
  return once(decoded_records, value, readRecord)
}

function readRecord(value: Buffer): LogRecord {
  if (value[0] === REPEATS_FORMAT) return decodeRepeats(value)
  const parsed = parse(value)
  if (isAlertsRecord(parsed, 1)) return parsed
  const checked = record.safeParse(parsed)
  if (checked.success && checked.data.kind !== 'alerts') return checked.data
  throw new CodecError(
    'entry-shape',
    `a record has the wrong shape at ${checked.error?.issues[0]?.path.join('.') ?? 'places'}`,
  )
}

function decodeRepeats(value: Buffer): AlertsRecord {
  const repeats_to = value.length < REPEATS_FROM ? 0 : REPEATS_FROM + value.readUInt32LE(4)
  if (repeats_to <= REPEATS_FROM || repeats_to > value.length)
    throw new CodecError('entry-format', `an entry of ${value.length} bytes has no place for its repeats`)
  const parsed = parse(value.subarray(repeats_to))
  if (typeof parsed !== 'object' || parsed === null || !isAlertsRecord(parsed, 0))
    throw new CodecError('entry-shape', 'a record with repeats has the wrong shape')
  const { repeat_places, ...rest } = parsed as AlertsRecord & { readonly repeat_places?: unknown }
  try {
    if (!arePlaces(repeat_places) || repeat_places.length > 0 !== (rest.origin !== null))
      throw new RangeError('the places of the repeats do not fit the origin')
    const repeats = new Repeats(value.subarray(REPEATS_FROM, repeats_to), repeat_places)
    if (!isOrder(rest.repeats_before, rest.alerts.length, repeats.count))
      throw new RangeError('it is not told how many repeats come before each alert')
    return { ...rest, repeats }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new CodecError('entry-shape', `a record has the wrong shape at repeats: ${error.message}`)
  }
}

function isOrder(value: unknown, alerts: number, repeats: number): boolean {
  return (
    Array.isArray(value) &&
    value.length === alerts &&
    value.every((one, i, all) => Number.isInteger(one) && one >= (all[i - 1] ?? 0) && one <= repeats)
  )
}

function arePlaces(value: unknown): value is AlertsRecord['places'] {
  return (
    Array.isArray(value) &&
    value.every(
      (place) => Array.isArray(place) && typeof place[0] === 'number' && typeof place[1] === 'number',
    )
  )
}

function isAlertsRecord(value: unknown, alerts_min: number): value is AlertsRecord {
  const { kind, alerts, places, origin } = value as Partial<AlertsRecord>
  if (kind !== 'alerts' || !Array.isArray(alerts) || !arePlaces(places)) return false
  if (
    alerts.length < alerts_min ||
    alerts.length > LIMITS.alerts_per_entry ||
    places.length !== (origin ? alerts.length : 0)
  )
    return false
  return alerts.every(hasShapeOfAlert)
}

function hasShapeOfAlert(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const alert = value as Partial<Alert>
  return (
    typeof alert.fingerprint === 'string' &&
    typeof alert.scope === 'string' &&
    typeof alert.severity === 'string' &&
    typeof alert.starts_at_ms === 'number' &&
    typeof alert.repeats === 'number' &&
    typeof alert.labels === 'object' &&
    alert.labels !== null &&
    typeof alert.annotations === 'object' &&
    alert.annotations !== null &&
    (alert.ends_at_ms === null || typeof alert.ends_at_ms === 'number')
  )
}

export function encodeChange(value: Change): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** Throws CodecError. Changes come from the correlator alone, so their shape is checked, not every field. */
export function decodeChange(value: Buffer): Change {
  return once(decoded_changes, value, readChange)
}

function readChange(value: Buffer): Change {
  const parsed = parse(value) as Partial<Change>
  const { id, revision, incident } = parsed
  if (
    typeof id === 'string' &&
    typeof revision === 'number' &&
    typeof incident === 'object' &&
    incident !== null
  )
    return parsed as Change
  const checked = change.safeParse(parsed)
  if (checked.success) return checked.data
  throw new CodecError(
    'entry-shape',
    `a change has the wrong shape at ${checked.error.issues[0]?.path.join('.') ?? ''}`,
  )
}
