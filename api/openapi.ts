import swagger, { type SwaggerTransform } from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { annotations, labels } from '../schemas/alert.ts'
import { change } from '../schemas/change.ts'
import { silence } from '../schemas/command.ts'
import { incident, member } from '../schemas/incident.ts'
import { matcher } from '../schemas/matcher.ts'
import { rules } from '../schemas/rules.ts'
import { errorAnswer } from './answers.ts'
import type { App } from './validation.ts'

type JsonSchema = Record<string, unknown>

/** Shapes that the document names once and refers to. */
const NAMED = {
  Change: change,
  Error: errorAnswer,
  Incident: incident,
  Matcher: matcher,
  Member: member,
  Rules: rules,
  Silence: silence,
} as const

const named = z.registry<{ id: string }>()
for (const [id, schema] of Object.entries(NAMED)) named.add(schema, { id })

const STRING_MAP = { type: 'object', additionalProperties: { type: 'string' } }

/** What JSON Schema cannot be derived for: maps that are checked by hand. Descriptions live in zod's own registry. */
function complete({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: JsonSchema }): void {
  if (zodSchema === labels || zodSchema === annotations) Object.assign(jsonSchema, STRING_MAP)
  const description = z.globalRegistry.get(zodSchema)?.description
  if (description !== undefined) jsonSchema['description'] = description
}

function relocate(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'))
}

/** The JSON Schema 2020-12 (which OpenAPI 3.1 speaks) of a zod schema; named shapes inside are referred to. */
function jsonSchemaOf(
  schema: z.ZodType,
  io: 'input' | 'output',
): { readonly schema: JsonSchema; readonly definitions: JsonSchema } {
  // Wrapped, because a named shape at the root would be spelled out instead of referred to.
  const root = z.toJSONSchema(z.object({ it: schema }), {
    io,
    metadata: named,
    unrepresentable: 'any',
    override: complete,
  })
  const { $defs, properties } = relocate({ $defs: root.$defs ?? {}, properties: root.properties }) as {
    $defs: JsonSchema
    properties: { it: JsonSchema }
  }
  return { schema: properties.it, definitions: $defs }
}

function isZod(schema: unknown): schema is z.ZodType {
  return schema instanceof z.ZodType
}

const REQUEST_PARTS = ['body', 'querystring', 'params', 'headers'] as const

/** Routes that check their bodies by hand, in the formats of other programs. */
const UNDESCRIBED = {
  tags: ['ingest'],
  summary: 'Take alerts in the format of another program',
  response: {
    200: { description: 'Taken: every alert is durable.' },
    '4xx': { description: 'Refused, in the form of that program.' },
  },
}

const transform: SwaggerTransform = ({ schema, url }) => {
  if (!schema) return { schema: UNDESCRIBED, url }
  const converted: Record<string, unknown> = { ...schema }
  for (const part of REQUEST_PARTS)
    if (isZod(schema[part])) converted[part] = jsonSchemaOf(schema[part], 'input').schema
  const responses: Record<string, unknown> = {}
  for (const [status, answer] of Object.entries((schema.response ?? {}) as Record<string, unknown>)) {
    responses[status] = isZod(answer)
      ? withDescription(status, jsonSchemaOf(answer, 'output').schema)
      : answer
  }
  return { schema: { ...converted, response: responses }, url }
}

function withDescription(status: string, schema: JsonSchema): JsonSchema {
  const description = status.startsWith('2') ? 'Done.' : 'See `error.code`.'
  return { description, ...schema }
}

/** All named shapes, each spelled out once. */
function definitions(): JsonSchema {
  const all = z.object(NAMED)
  return jsonSchemaOf(all, 'output').definitions
}

/** Collects every route that is registered after it. */
export async function collectOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Tocsin',
        version,
        description: 'Streams of alerts in; few, explained incidents out.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'Needed when api.tokens are configured.' },
        },
      },
      security: [{ token: [] }, {}],
    },
    transform,
    convertConstToEnum: false,
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject
      const { openapiObject } = document
      return {
        ...openapiObject,
        components: {
          ...openapiObject.components,
          schemas: { ...openapiObject.components?.schemas, ...definitions() },
        },
      } as typeof openapiObject
    },
  })
}

export function openApiRoute(app: App): void {
  const schema = { tags: ['operation'], summary: 'This document', response: { 200: z.looseObject({}) } }
  app.get('/api/openapi.json', { schema, config: { role: 'viewer' } }, async (_request, reply) =>
    reply.type('application/json').send(app.swagger() as unknown as Record<string, unknown>),
  )
}
