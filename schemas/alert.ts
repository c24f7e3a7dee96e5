import { z } from 'zod'
import { LIMITS } from './limits.ts'

/** Severities, most severe first. */
export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const
export const severity = z.enum(SEVERITIES)
export type Severity = z.infer<typeof severity>

/** Negative when `a` is more severe than `b`. */
export function compareSeverity(a: Severity, b: Severity): number {
  return SEVERITIES.indexOf(a) - SEVERITIES.indexOf(b)
}

/** Milliseconds since the epoch. */
export const timeMs = z.number().int().min(0).max(LIMITS.time_ms_max)

/** A map of names to strings. Checked by hand: `z.record` costs nine tenths of the validation of an alert. */
function stringMap(entries_max: number, value_chars_max: number) {
  return z.custom<Readonly<Record<string, string>>>((value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const entries = Object.entries(value)
    if (entries.length > entries_max) return false
    return entries.every(
      ([name, text]) =>
        typeof text === 'string' && name.length <= LIMITS.label_name_chars && text.length <= value_chars_max,
    )
  }, `expected at most ${entries_max} names with strings of at most ${value_chars_max} characters`)
}

export const labels = stringMap(LIMITS.labels_per_alert, LIMITS.label_value_chars)
export const annotations = stringMap(LIMITS.labels_per_alert, LIMITS.annotation_value_chars)
export type Labels = z.infer<typeof labels>

/** 128 bits of SHA-256 over scope and identifying labels, as 32 hex digits. */
export const fingerprint = z.string().regex(/^[0-9a-f]{32}$/)

/**
 * A normalised statement that a condition on an entity fires or has resolved. It is resolved when `ends_at_ms`
 * is not after the time of its record; `ends_at_ms: null` leaves the end to the resolve timeout of the rules.
 */
export const alert = z.object({
  fingerprint,
  labels,
  annotations,
  generator_url: z.string().max(LIMITS.generator_url_chars),
  severity,
  /** What the alert is about: service, host, pod, machine, cell. */
  entity: z.string().max(LIMITS.label_value_chars),
  scope: z.string().min(1).max(LIMITS.scope_chars),
  source: z.string().min(1).max(LIMITS.source_chars),
  starts_at_ms: timeMs,
  /** The source did not say when it began: `starts_at_ms` is when it was heard. */
  start_assumed: z.literal(true).optional(),
  ends_at_ms: timeMs.nullable(),
  /** How many identical statements this one stands for (at least 1). */
  repeats: z.number().int().min(1),
})
export type Alert = z.infer<typeof alert>
