import type { Origin, Recogniser, UnknownText } from './recognise/recogniser.ts'
import {
  type AlertValue,
  decodeAlerts,
  type DecodeContext,
  decodeValues,
  parseText,
  RefusedBody,
} from './sources/alertmanager.ts'
import { isZeroTime, parseDateTime } from './sources/date_time.ts'
import type { DecodedAlerts, Mark } from './sources/raw_alert.ts'

/** The alerts of one body, where those that were told before need not be read. Throws RefusedBody. */
export function readBody(
  recogniser: Recogniser,
  body: Buffer,
  origin: Origin,
  context: DecodeContext,
): DecodedAlerts {
  const scan = recogniser.scan(body, origin)
  const values = scan && parsePieces(body, scan.unknown)
  if (scan === null || values === null) return decodeAlerts(body, origin.at_ms, context)
  return { ...decodeValues(values, origin.at_ms, context), repeats: scan.repeats }
}

/** Null when one of them is no JSON: the body was cut at a wrong place, or is at fault, and must be read as a whole. */
function parsePieces(body: Buffer, pieces: readonly UnknownText[]): readonly AlertValue[] | null {
  try {
    return pieces.map(({ ordinal, from, to, mark }) => {
      const value = parseText(body.toString('utf8', from, to))
      return { ordinal, value, mark: mark !== null && isSound(value, mark) ? mark : null }
    })
  } catch (error) {
    if (error instanceof RefusedBody) return null
    throw error
  }
}

/**
 * May the statement be recognised by its mark? It must have said when it began (else that differs each time), and what was
 * left out of the hash must be its own end, not a text of the same name elsewhere in it.
 */
function isSound(value: unknown, { end }: Mark): boolean {
  if (typeof value !== 'object' || value === null) return false
  // Another field, or one in other letters, might be what was left out.
  if (!Object.keys(value).every((name) => FIELDS.has(name))) return false
  const { startsAt, endsAt, labels, annotations } = value as Readonly<Record<string, unknown>>
  const starts_at = typeof startsAt === 'string' ? parseDateTime(startsAt) : null
  if (starts_at === null || isZeroTime(starts_at)) return false
  return end === null || (endsAt === end && !hasEnd(labels) && !hasEnd(annotations))
}

const FIELDS = new Set(['labels', 'annotations', 'startsAt', 'endsAt', 'generatorURL'])

function hasEnd(map: unknown): boolean {
  return typeof map === 'object' && map !== null && 'endsAt' in map
}
