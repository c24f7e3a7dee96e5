import type { Quality } from '../../schemas/sample.ts'
import type { SparkplugMetric, SparkplugValue } from './sparkplug_payload.ts'

/** Numbers of data types that are numbers: Int8 to UInt64, Float, Double, Boolean. */
const INT8 = 1
const INT16 = 2
const INT32 = 3
const INT64 = 4
const BOOLEAN = 11
/** The sender told no data type: what comes is taken as it is. */
const UNKNOWN = 0

/** Metrics by which the sender itself is controlled. */
const CONTROLS = /^(?:bdSeq$|Node Control\/|Device Control\/)/

/** Is the metric that a birth tells a number of the plant? */
export function isMeasured({ name, datatype, value }: SparkplugMetric): boolean {
  if (name === null || CONTROLS.test(name)) return false
  return datatype === UNKNOWN ? value !== null && value.kind !== 'other' : datatype <= BOOLEAN
}

/** NaN when it is null, null when it is no number. */
export function numberOf({ value, is_null }: SparkplugMetric, datatype: number): number | null {
  if (is_null || value === null) return Number.NaN
  switch (value.kind) {
    case 'real':
      return value.real
    case 'boolean':
      return Number(value.is_true)
    case 'integer':
      return integerOf(value, datatype)
    case 'other':
      return null
  }
}

/** The wire has unsigned integers only. Some senders cut a short one to its own width, others fill up all 32 bits. */
function integerOf(
  { unsigned, signed }: Extract<SparkplugValue, { kind: 'integer' }>,
  datatype: number,
): number {
  switch (datatype) {
    case INT8:
      return (signed << 24) >> 24
    case INT16:
      return (signed << 16) >> 16
    case INT32:
      return signed | 0
    case INT64:
      return signed
    case BOOLEAN:
      return Number(unsigned !== 0)
    default:
      return unsigned
  }
}

const STALE = 500
const GOOD = 192
const UNCERTAIN = 64
const OPC_MAX = 255

/** Sparkplug has 0, 192 and 500; senders give the qualities of OPC (0 to 255) as well. */
export function codeQuality(code: number): Quality {
  if (code === STALE) return 'stale'
  if (code >= GOOD && code <= OPC_MAX) return 'good'
  return code >= UNCERTAIN && code < GOOD ? 'uncertain' : 'bad'
}

export function qualityOf({ quality, is_null, value }: SparkplugMetric, is_doubtful: boolean): Quality {
  if (is_null || value === null) return 'bad'
  const told = quality === null ? 'good' : codeQuality(quality)
  return told === 'good' && is_doubtful ? 'uncertain' : told
}
