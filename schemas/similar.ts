import { z } from 'zod'
import { severity, timeMs } from './alert.ts'
import { ticket } from './command.ts'
import { timelineEntry } from './incident.ts'

const share = z.number().min(0).max(1)

/** An earlier incident that resolved. */
const similarIncident = z.object({
  id: z.string(),
  title: z.string(),
  severity,
  opened_at_ms: timeMs,
  resolved_at_ms: timeMs,
  /** Last resolution − first opening. */
  time_to_resolve_ms: z.number().int().min(0),
  /** Shared alerts (alertname and entity) ÷ alerts of either, each weighted by how rare it is. */
  similarity: share,
  /** The same over label values; decides between incidents with equal `similarity`. */
  similarity_of_labels: share,
  /** What they share, for people. */
  shared: z.array(z.string()),
  /** The last comments and steps of its lifecycle, oldest first: how it was resolved. */
  resolution: z.array(timelineEntry.omit({ revision: true })),
  assignee: z.string().nullable(),
  tickets: z.array(ticket),
})

/** Earlier incidents like one, the most similar first. */
export const similarIncidents = z.object({
  incident_id: z.string(),
  /** Alerts of the incident that the history knows; it is behind by a second or two. */
  alerts_compared: z.number().int().min(0),
  incidents: z.array(similarIncident),
})
export type SimilarIncidents = z.infer<typeof similarIncidents>

export interface SimilarQuestion {
  readonly incident_id: string
  readonly scope: string
  readonly opened_at_ms: number
  readonly limit: number
}
