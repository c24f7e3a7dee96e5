import { z } from 'zod'
import { labels, severity, timeMs } from './alert.ts'
import { LIMITS } from './limits.ts'

const text = z.string().max(LIMITS.label_value_chars)
const time = timeMs.nullable()

/** An incident of another system, for the history only: nothing is told about it, and no operator sees it in the live view. */
export const importedIncident = z.strictObject({
  /** Name of the system; with `external_id` it identifies the incident. */
  source: z.string().min(1).max(LIMITS.source_chars),
  external_id: text.min(1),
  scope: z.string().min(1).max(LIMITS.scope_chars),
  severity,
  title: text,
  /** What recurs has the same; left empty: title and service. */
  recurrence_key: text,
  labels,
  assignee: text,
  url: z.string().max(LIMITS.generator_url_chars),
  impact_start_ms: time,
  detected_ms: time,
  opened_ms: timeMs,
  acknowledged_ms: time,
  mitigated_ms: time,
  resolved_ms: time,
  reviewed_ms: time,
  impact_end_ms: time,
  /** The newest time that the export tells: of two imports of one incident the newer holds. */
  updated_ms: timeMs,
  reopened: z.number().int().min(0).max(1_000),
  satisfaction: z.number().int().min(1).max(5).nullable(),
  /** Waiting for others; in order, apart from each other; the end of the last may be open. */
  pauses: z.array(z.object({ from_ms: timeMs, to_ms: time, reason: text })).max(100),
})
export type ImportedIncident = z.infer<typeof importedIncident>

export const IMPORT_BATCH_MAX = 1_000
export const importBatch = z.strictObject({
  incidents: z.array(importedIncident).min(1).max(IMPORT_BATCH_MAX),
})
