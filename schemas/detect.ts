import { z } from 'zod'
import { annotations, SEVERITIES, severity } from './alert.ts'
import { weekly } from './calendar.ts'
import { CodecError } from './codec.ts'
import { LIMITS } from './limits.ts'
import { matcher } from './matcher.ts'

const name = z.string().min(1).max(LIMITS.source_chars)
const match = z.array(matcher).max(LIMITS.matchers_per_silence)

/** What becomes worse when nobody answers, from little to a great deal. */
export const IMPACTS = ['minor', 'major', 'severe'] as const

/** Which detector watches the series that match. Of several with the same detector that match a series, the last one stands. */
export const detectorRule = z.object({
  name,
  match,
  /** A name of the catalogue, or `none`: what stands before is taken back. */
  detector: z.string().min(1).max(LIMITS.source_chars),
  options: z.record(z.string(), z.unknown()),
  severity,
  /** Null: the metric and the condition. */
  alertname: z.string().min(1).max(LIMITS.label_value_chars).nullable(),
  /** Cause, consequence, corrective action and whatever else the operator is to know. */
  annotations,
  time_to_respond_ms: z.number().int().min(0).nullable(),
})
export type DetectorRule = z.infer<typeof detectorRule>

/** Times in which alerts of the series that match are suppressed by design, and nothing is learned. */
export const stopRule = z.object({
  /** Told as the reason. */
  name,
  match,
  /** Weekly, such as a shift without production; null: the state series alone decides. */
  weekly: weekly.nullable(),
  /** A series of the same device that says that it stands: while its last value is one of `values`. */
  state: z.object({ match, values: z.array(z.number()).min(1).max(100) }).nullable(),
  /** The stop counts for so long after its end: a start is no fault. */
  settle_ms: z.number().int().min(0),
})
export type StopRule = z.infer<typeof stopRule>

/** What is watched how: a record of the samples log, so that it takes effect at a position and not at a moment. */
export const detectRules = z.object({
  /** 16 hex digits of SHA-256 over the rest. */
  version: z.string().max(LIMITS.id_chars),
  /** Labels that name the device of a series without `equipment`: the first that it has. */
  entity_labels: z.array(z.string()).max(32),
  detectors: z.array(detectorRule).max(LIMITS.detector_rules),
  stops: z.array(stopRule).max(LIMITS.detector_rules),
})
export type DetectRules = z.infer<typeof detectRules>

export const NO_DETECT_RULES: DetectRules = { version: '', entity_labels: [], detectors: [], stops: [] }

const order = {
  id: z.string().min(1).max(LIMITS.id_chars),
  actor: z.string().min(1).max(LIMITS.source_chars),
  match,
}

/** Entries of the samples log that are no readings. */
export const detectRecord = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tick') }),
  z.object({ kind: z.literal('detect-rules'), rules: detectRules }),
  /** What the series that match show now is their new usual: detectors that learn begin anew. */
  z.object({ kind: z.literal('accept'), ...order }),
  /** While the incident `id` has alerts about a device, its detectors judge and learn nothing. `device` as `deviceKey` has it. */
  z.object({ kind: z.literal('rest'), id: order.id, device: z.string().min(1), resting: z.boolean() }),
])
export type DetectRecord = z.infer<typeof detectRecord>

export function encodeDetectRecord(value: DetectRecord): Buffer {
  return Buffer.from(JSON.stringify(value))
}

const JSON_FORMAT = 0x7b

/** Whether an entry of the samples log is one of these, and not readings. */
export const isDetectRecord = (entry: Buffer): boolean => entry[0] === JSON_FORMAT

/** Throws CodecError `entry-json` or `entry-shape`. */
export function decodeDetectRecord(entry: Buffer): DetectRecord {
  let parsed: unknown
  try {
    parsed = JSON.parse(entry.toString())
  } catch {
    throw new CodecError('entry-json', `an entry of ${entry.length} bytes is not JSON`)
  }
  const checked = detectRecord.safeParse(parsed)
  if (checked.success) return checked.data
  throw new CodecError(
    'entry-shape',
    `a record of the samples log has the wrong shape at ${checked.error.issues[0]?.path.join('.') ?? ''}`,
  )
}

/** How severe a condition is of which so much depends and that leaves so much time (EEMUA 191, ISA-18.2: urgency and consequence). */
export function severityOf(
  impact: (typeof IMPACTS)[number],
  time_to_respond_ms: number,
): (typeof SEVERITIES)[number] {
  const soon =
    time_to_respond_ms < 180_000
      ? 0
      : time_to_respond_ms < 600_000
        ? 1
        : time_to_respond_ms < 1_800_000
          ? 2
          : 3
  const least = { severe: 0, major: 1, minor: 2 }[impact]
  return SEVERITIES[Math.min(SEVERITIES.length - 1, least + soon)] as (typeof SEVERITIES)[number]
}
