import { z } from 'zod'
import { incident } from './incident.ts'

/**
 * An incident as a list shows it: without members and timeline, so that ten thousand of them can be read and followed
 * by a browser.
 */
export const incidentSummary = incident
  .omit({
    members: true,
    timeline: true,
    causes: true,
    storm: true,
    rules_version: true,
  })
  .extend({
    /** What it is about: the likeliest cause, else the entity of the first member. */
    entity: z.string(),
    /** Entities among the listed members; a lower bound when there are more members than are listed. */
    entities: z.number().int().min(0),
    /** The likeliest cause and what speaks for it; null while one entity alone alerts. */
    cause: z.object({ entity: z.string(), reasons: z.array(z.string()) }).nullable(),
  })
export type IncidentSummary = z.infer<typeof incidentSummary>
