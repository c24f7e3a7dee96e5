import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prepareSamples } from '../../../ingest/samples/batch.ts'
import { sampleAppends } from '../../../ingest/samples/entries.ts'
import type { DecodedSamples } from '../../../ingest/samples/format.ts'
import { sampleDecoder } from '../../../ingest/samples/formats.ts'
import { SeriesPlacer } from '../../../ingest/samples/normalise.ts'
import { decodeSamples } from '../../../schemas/samples_codec.ts'
import { SAMPLE_FORMATS, type SampleFormat } from '../../../schemas/source_formats.ts'
import { DEFAULTS } from '../settings.ts'
import { AT_MS, type SampleSeed } from './seed.ts'
import { SAMPLE_SEEDS } from './seeds.ts'

/** What every format of readings keeps, whatever is sent. */

function decode(format: SampleFormat, body: Buffer, headers: Readonly<Record<string, string>> = {}) {
  const labels = { site: 'hamburg' }
  return sampleDecoder({ format, labels })({
    body,
    headers,
    topic: 'plant/readings',
    key: null,
    at_ms: AT_MS,
  })
}

/** Every reading comes into the log as it was told or is a reject that says why. What is not so, or null. */
function unaccounted(decoded: DecodedSamples): unknown {
  const prepared = prepareSamples(
    {
      source: 'test',
      received_at_ms: AT_MS,
      messages: [{ offset: null, decoded }],
      locate: (_offset, ordinal) => `test#${ordinal}`,
    },
    new SeriesPlacer(DEFAULTS, 4),
  )
  for (const reject of prepared.rejects)
    if (!/^[a-z-]+$/.test(reject.code) || reject.reason === '') return reject
  const told = decoded.series.reduce((sum, { readings }) => sum + readings.length, 0)
  let logged = 0
  for (const { topic, value } of sampleAppends([prepared], 4, {}))
    if (topic === 'samples') logged += decodeSamples(value).of.length
  if (logged !== prepared.samples_total) return { logged, prepared: prepared.samples_total }
  const is_told = told === logged || prepared.rejects.length > decoded.rejects.length
  return is_told ? null : { told, logged }
}

const HOSTILE: readonly (readonly [name: string, body: Buffer | string])[] = [
  ['nothing', ''],
  ['spaces', '   \n'],
  ['no JSON', '{"a":'],
  ['null', 'null'],
  ['a text', '"text"'],
  ['a number', '17'],
  ['an empty list', '[]'],
  ['a list of nothing much', '[null,1,"a",[],{}]'],
  ['an empty object', '{}'],
  ['empty lists', '{"metrics":[],"resourceMetrics":[],"fields":{}}'],
  ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d])],
  ['half a surrogate pair', '{"metric":"a\\ud800","value":1,"labels":{"b\\udc00":"\\ud800"}}'],
  ['deep nesting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['deep nesting in a field', `{"resourceMetrics":${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}}`],
  [
    'prototype keys',
    '{"__proto__":{"metric":"x"},"constructor":{"prototype":{}},"metric":"m","name":"n","value":1,"labels":{"__proto__":"p"},"fields":{"__proto__":1}}',
  ],
  ['a duplicate key', '{"name":"a","name":"b","value":1,"value":2,"fields":{"x":1,"x":2}}'],
  ['a protobuf that is cut off', Buffer.from([0x0a, 0xff, 0x01, 0x0a])],
  ['a protobuf of groups', Buffer.from([0x0b, 0x0b, 0x0b])],
  ['a number of eleven bytes', Buffer.alloc(11, 0xff)],
  ['a block of snappy that claims 4 GiB', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61])],
  ['a very long line', `m v=${'1'.repeat(100_000)}`],
  ['quotes that nobody closes', 'm a="x\nm b=1\n"a,b\n1,"2\n'],
  ['only separators', ',,,\n,,,\n'],
]

const BYTES_RUNS = 300

describe.each(SAMPLE_FORMATS)('%s', (format) => {
  it.each(HOSTILE)('takes %s without harm', (_name, body) => {
    expect(unaccounted(decode(format, Buffer.from(body as string)))).toBeNull()
    expect(({} as Record<string, unknown>)['metric']).toBeUndefined()
  })

  it('never throws, and accounts for everything, for any JSON and any bytes', () => {
    fc.assert(
      fc.property(fc.json({ depthSize: 'medium' }), fc.uint8Array({ maxLength: 100 }), (text, bytes) => {
        expect(unaccounted(decode(format, Buffer.from(text)))).toBeNull()
        expect(unaccounted(decode(format, Buffer.from(bytes)))).toBeNull()
      }),
      { numRuns: BYTES_RUNS },
    )
  })

  const seeds = SAMPLE_SEEDS[format]
  it.each(seeds.map((seed, i) => [i, seed] as const))('reads its own example %i', (_i, seed) => {
    const decoded = decode(format, seed.body, seed.headers)
    expect(decoded.rejects).toEqual([])
    expect(decoded.series.length).toBeGreaterThan(0)
    expect(
      decoded.series.every(({ labels }) => labels['site'] === 'hamburg' && labels['metric'] !== ''),
    ).toBe(true)
    expect(unaccounted(decoded)).toBeNull()
  })

  it('gives the same whenever it reads the same', () => {
    const read = sampleDecoder({ format, labels: {} })
    for (const { body, headers = {} } of seeds) {
      const once = read({ body, headers, topic: '', key: null, at_ms: AT_MS })
      expect(read({ body: Buffer.from(body), headers, topic: '', key: null, at_ms: AT_MS })).toEqual(once)
    }
  })

  it('never throws when its examples are cut, or have other bytes', () => {
    const change = fc.tuple(fc.nat(seeds.length - 1), fc.nat(), fc.nat(255), fc.boolean())
    fc.assert(
      fc.property(change, ([which, place, byte, is_cut]) => {
        const { body, headers } = seeds[which] as SampleSeed
        const at = place % body.length
        const changed = is_cut
          ? body.subarray(0, at)
          : Buffer.concat([body.subarray(0, at), Buffer.of(byte), body.subarray(at + 1)])
        expect(unaccounted(decode(format, changed, headers))).toBeNull()
      }),
      { numRuns: BYTES_RUNS * 2 },
    )
  })

  const texts = seeds.filter(({ body }) => body[0] === 0x7b || body[0] === 0x5b)
  // Of formats that are JSON.
  it.each(texts.length > 0 ? [texts.length] : [])(
    'never throws when any value of its %i examples is another, missing or of another type',
    () => {
      const change = fc.tuple(
        fc.nat(texts.length - 1),
        fc.nat(),
        fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 2 }), fc.double(), fc.constant('1e400')),
      )
      fc.assert(
        fc.property(change, ([which, at, value]) => {
          const { body, headers } = texts[which] as SampleSeed
          expect(
            unaccounted(decode(format, Buffer.from(mutate(body.toString(), at, value)), headers)),
          ).toBeNull()
        }),
        { numRuns: BYTES_RUNS },
      )
    },
  )
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
