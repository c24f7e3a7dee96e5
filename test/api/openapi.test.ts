import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, startWorld, type World } from './world.ts'

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: object
}
interface Operation {
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>
}
interface Document {
  readonly openapi: string
  readonly info: object
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>
    readonly securitySchemes: object
  }
}

/** Every value of a key, wherever it is in the document. */
function valuesOf(node: unknown, key: string): unknown[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node as Record<string, unknown>).flatMap(([name, value]) => [
    ...(name === key ? [value] : []),
    ...valuesOf(value, key),
  ])
}

function resolve(document: unknown, pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], document)
}

describe('/api/openapi.json', () => {
  let world: World
  let document: Document
  beforeAll(async () => {
    world = await startWorld()
    document = (await call(world.url, '/api/openapi.json')).body as Document
  })
  afterAll(() => world.close())

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
    )

  it('is an OpenAPI 3.1 document of this version', () => {
    expect(document).toMatchObject({
      openapi: '3.1.1',
      info: { title: 'Tocsin', version: '1.2.3', license: { name: 'Apache-2.0' } },
    })
    expect(document.components.securitySchemes).toMatchObject({ token: { type: 'http', scheme: 'bearer' } })
  })

  it('has every route with its methods', () => {
    expect(
      operations()
        .map(({ path, method }) => `${method} ${path}`)
        .toSorted(),
    ).toEqual([
      'delete /api/v1/analytics/scopes/{scope}',
      'delete /api/v1/maintenance/{name}',
      'delete /api/v1/session',
      'delete /api/v1/silences/{id}',
      'delete /api/v2/silence/{silenceID}',
      'get /-/healthy',
      'get /-/ready',
      'get /api/openapi.json',
      'get /api/v1/alarms',
      'get /api/v1/analytics/alarm-priorities',
      'get /api/v1/analytics/breaching',
      'get /api/v1/analytics/dispatch',
      'get /api/v1/analytics/floods',
      'get /api/v1/analytics/flow',
      'get /api/v1/analytics/frequent-alarms',
      'get /api/v1/analytics/funnel',
      'get /api/v1/analytics/heatmap',
      'get /api/v1/analytics/metrics',
      'get /api/v1/analytics/metrics/{name}',
      'get /api/v1/analytics/recurrence',
      'get /api/v1/analytics/reviews-due',
      'get /api/v1/analytics/scatter',
      'get /api/v1/analytics/sla',
      'get /api/v1/analytics/standing-alarms',
      'get /api/v1/analytics/summary',
      'get /api/v1/analytics/support-lines',
      'get /api/v1/analytics/survival',
      'get /api/v1/changes',
      'get /api/v1/deadletters',
      'get /api/v1/deadletters/{id}',
      'get /api/v1/deliveries',
      'get /api/v1/heartbeats',
      'get /api/v1/incidents',
      'get /api/v1/incidents/{id}',
      'get /api/v1/incidents/{id}/similar',
      'get /api/v1/incidents/{id}/topology',
      'get /api/v1/maintenance',
      'get /api/v1/rules',
      'get /api/v1/series',
      'get /api/v1/series/evidence',
      'get /api/v1/session',
      'get /api/v1/silences',
      'get /api/v1/sources',
      'get /api/v1/topology',
      'get /api/v2/alerts',
      'get /api/v2/alerts/groups',
      'get /api/v2/receivers',
      'get /api/v2/silence/{silenceID}',
      'get /api/v2/silences',
      'get /api/v2/status',
      'get /metrics',
      'post /api/v1/analytics/import',
      'post /api/v1/change-events',
      'post /api/v1/deadletters/retry',
      'post /api/v1/events',
      'post /api/v1/incidents/{id}/commands',
      'post /api/v1/maintenance',
      'post /api/v1/series/accept',
      'post /api/v1/session',
      'post /api/v1/silences',
      'post /api/v1/silences/preview',
      'post /api/v1/sources/{name}',
      'post /api/v1/sources/{name}/try',
      'post /api/v2/alerts',
      'post /api/v2/silences',
      'post /v1/logs',
      'post /v2/alerts',
      'post /v2/alerts/{identifier}/acknowledge',
      'post /v2/alerts/{identifier}/close',
      'post /v2/change/enqueue',
      'post /v2/enqueue',
      'put /api/v1/topology/{source}',
    ])
    for (const { path, method } of operations()) {
      expect(
        world.app.hasRoute({ url: path.replaceAll(/\{(\w+)\}/g, ':$1'), method: method.toUpperCase() }),
      ).toBe(true)
    }
  })

  it('describes each operation: what it does, its path parameters, its answers', () => {
    for (const { path, method, operation } of operations()) {
      const where = `${method} ${path}`
      expect(operation.summary, where).toMatch(/\w/)
      expect(operation.tags, where).toHaveLength(1)
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      expect(
        inPath.map(({ name }) => name),
        where,
      ).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))
      expect(
        inPath.every(({ required }) => required),
        where,
      ).toBe(true)
      for (const parameter of operation.parameters ?? [])
        expect(Object.keys(parameter.schema), `${where} ${parameter.name}`).not.toHaveLength(0)
      expect(
        Object.keys(operation.responses).some((status) => status.startsWith('2')),
        where,
      ).toBe(true)
      for (const [status, { description }] of Object.entries(operation.responses)) {
        expect(status, where).toMatch(/^[1-5](\d\d|XX)$/)
        expect(description, where).toMatch(/\w/)
      }
    }
  })

  it('refers to nothing that it does not have', () => {
    const refs = valuesOf(document, '$ref') as string[]
    expect(new Set(refs)).toContain('#/components/schemas/Incident')
    for (const ref of refs) expect(resolve(document, ref), ref).toBeTypeOf('object')
    expect(valuesOf(document, '$defs')).toEqual([])
  })

  it('describes commands as they are checked', () => {
    const body = document.paths['/api/v1/incidents/{id}/commands']?.['post']?.requestBody?.content[
      'application/json'
    ]?.schema as { oneOf: { properties: { kind: { const: string } }; additionalProperties: boolean }[] }
    expect(body.oneOf.map(({ properties }) => properties.kind.const)).toEqual([
      'acknowledge',
      'mitigate',
      'resolve',
      'review',
      'reopen',
      'assign',
      'comment',
      'merge',
      'move',
      'split',
      'link-ticket',
      'shelve',
      'unshelve',
    ])
    expect(body.oneOf.every(({ additionalProperties }) => !additionalProperties)).toBe(true)
    expect(document.components.schemas['Member']).toMatchObject({
      properties: { labels: { type: 'object', additionalProperties: { type: 'string' } } },
    })
  })

  it('describes defaults and lists of parameters', () => {
    const parameters = document.paths['/api/v1/incidents']?.['get']?.parameters ?? []
    expect(parameters.find(({ name }) => name === 'limit')).toMatchObject({
      in: 'query',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 2_000, default: 50 },
    })
    expect(parameters.find(({ name }) => name === 'state')).toMatchObject({
      schema: {
        type: 'array',
        items: { type: 'string', enum: expect.arrayContaining(['open']) as string[] },
      },
    })
  })
})
