import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeNormaliser } from '../../ingest/normalise.ts'
import { sourceDecoder } from '../../ingest/source_decoder.ts'
import { FORMATS } from '../../ingest/sources/formats.ts'
import { SOURCE_FORMATS, type SourceFormat } from '../../schemas/source_formats.ts'
import { unaccounted } from './accounted.ts'
import { DEFAULTS } from './settings.ts'
import { SEEDS } from './format_seeds.ts'

/** What every format keeps, whatever is sent. */

const AT_MS = Date.UTC(2026, 10, 25, 12)
const normalise = makeNormaliser(DEFAULTS)

function decode(format: SourceFormat, body: Buffer, headers: Readonly<Record<string, string>> = {}) {
  const settings = { format, labels: { site: 'hamburg' }, expire_after_ms: 3_600_000 }
  return sourceDecoder(settings)({ body, headers, at_ms: AT_MS })
}

const HOSTILE: readonly (readonly [name: string, body: Buffer | string])[] = [
  ['nothing', ''],
  ['spaces', '   \n'],
  ['no JSON', '{"a":'],
  ['null', 'null'],
  ['a text', '"text"'],
  ['a number', '17'],
  ['deep nesting beside labels', `[{"labels":{"a":""},"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}]`],
  ['a list of nothing much', '[null,1,"a",[],{}]'],
  ['an empty object', '{}'],
  ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d])],
  ['half a surrogate pair', '{"alerts":[{"status":"firing","labels":{"a\\ud800":"\\udfff"}}]}'],
  ['deep nesting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['deep nesting in a field', `{"alerts":${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}}`],
  [
    'prototype keys',
    '{"__proto__":{"alerts":[{}]},"constructor":{"prototype":{}},"alerts":[{"__proto__":{}}]}',
  ],
]

describe.each(SOURCE_FORMATS)('%s', (format) => {
  it.each(HOSTILE)('takes %s without harm', (_name, body) => {
    const decoded = decode(format, Buffer.from(body as string))
    expect(unaccounted(decoded)).toBeNull()
    expect(({} as Record<string, unknown>)['alerts']).toBeUndefined()
  })

  it('never throws, and accounts for everything, for any JSON', () => {
    fc.assert(
      fc.property(fc.json({ depthSize: 'medium' }), (text) => {
        expect(unaccounted(decode(format, Buffer.from(text)))).toBeNull()
      }),
      { numRuns: 200 },
    )
  })

  it('never throws for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(unaccounted(decode(format, Buffer.from(bytes)))).toBeNull()
      }),
    )
  })

  const seeds = SEEDS[format]
  it.each(seeds.map((seed, i) => [i, seed] as const))('reads its own example %i', (_i, seed) => {
    const decoded = decode(format, Buffer.from(seed.body), seed.headers)
    expect(decoded.rejects).toEqual([])
    expect(decoded.alerts.length).toBeGreaterThan(0)
    for (const raw of decoded.alerts) expect(normalise(raw, 'test')).toMatchObject({ scope: 'hamburg' })
    expect(unaccounted(decoded)).toBeNull()
  })

  it('never throws when any value of its examples is another, missing or of another type', () => {
    const mutation = fc.tuple(
      fc.nat(seeds.length - 1),
      fc.nat(),
      fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 2 }), fc.double(), fc.constant('1e400')),
    )
    fc.assert(
      fc.property(mutation, ([which, at, value]) => {
        const seed = seeds[which]
        if (seed === undefined) return
        const mutated = mutate(seed.body, at, value)
        expect(unaccounted(decode(format, Buffer.from(mutated), seed.headers))).toBeNull()
      }),
      { numRuns: 500 },
    )
  })

  it('gives the same whenever it reads the same', () => {
    for (const seed of seeds) {
      const once = decode(format, Buffer.from(seed.body), seed.headers)
      expect(decode(format, Buffer.from(seed.body), seed.headers)).toEqual(once)
    }
  })
})

it.each(SOURCE_FORMATS)('%s takes values that become neither number nor text', (format) => {
  for (const { body, headers } of SEEDS[format]) {
    // Each value in turn; Number() and String() throw for it.
    const values = JSON.stringify(JSON.parse(body)).match(/[:[,](?=["\d])/g)?.length ?? 0
    for (let at = 0; at < values; at++) {
      const mutated = mutate(body, at, { toString: 1, valueOf: 1 })
      expect(unaccounted(decode(format, Buffer.from(mutated), headers))).toBeNull()
    }
  }
})

it('knows every format that the configuration does', () => {
  expect(Object.keys(FORMATS)).toEqual([...SOURCE_FORMATS])
})

/** The JSON text with its `at`-th value (counted over the whole tree, and around) replaced. */
function mutate(text: string, at: number, value: unknown): string {
  const places: [holder: Record<string, unknown>, key: string][] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, key])
      visit((node as Record<string, unknown>)[key])
    }
  }
  const root: unknown = JSON.parse(text)
  visit(root)
  const place = places[at % Math.max(1, places.length)]
  if (place !== undefined) place[0][place[1]] = value
  return JSON.stringify(root)
}
