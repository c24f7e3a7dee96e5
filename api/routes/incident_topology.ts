import { z } from 'zod'
import { severity } from '../../schemas/alert.ts'
import { answers } from '../answers.ts'
import { graphOf, relatedTo } from '../incident_graph.ts'
import type { ApiParts } from '../parts.ts'
import { knownRelations } from '../rows.ts'
import type { App } from '../validation.ts'
import { incidentParams, unknownIncident } from './incident.ts'

const node = z.object({
  entity: z.string(),
  severity: severity.nullable().describe('of its worst listed alert; null: it only connects others'),
  firing: z.boolean(),
  cause: z.number().int().nullable().describe('its place among the likely causes, from 1'),
})
const edge = z.object({
  from: z.string().describe('depends on `to`'),
  to: z.string(),
  kind: z.string(),
  source: z.string().nullable().describe('who declared it; null: read off the labels of alerts'),
})
const graph = z.object({
  nodes: z.array(node),
  edges: z.array(edge),
  left_out: z.number().int().describe('connecting entities that did not fit'),
})

/** How the entities of an incident hang together. */
export function incidentTopologyRoute(app: App, { live, store, log }: ApiParts): void {
  const schema = {
    tags: ['incidents'],
    summary: 'How the entities of an incident depend on each other',
    params: incidentParams,
    response: answers({ 200: graph }),
  }
  app.get(
    '/api/v1/incidents/:id/topology',
    { schema, config: { role: 'viewer' } },
    async ({ params: { id } }) => {
      const incident = live.get(id)
      if (!incident) throw unknownIncident(id)
      const { scope } = incident
      const related = await relatedTo(incident, (entity) => knownRelations(store, log, { scope, entity }))
      const { nodes, edges, left_out } = graphOf(incident, related)
      return { nodes: [...nodes], edges: [...edges], left_out }
    },
  )
}
