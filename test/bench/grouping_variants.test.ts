import { describe, expect, it } from 'vitest'
import type { Line, Recording } from '../../bench/grouping/recordings.ts'
import { type Variant, variantsOf } from '../../bench/grouping/variants.ts'

/** Four faults of a minute's alerts each, twenty minutes apart. */
const lines: readonly Line[] = Array.from({ length: 40 }, (_, i) => {
  const ts_s = 1_000_000 + Math.floor(i / 10) * 1_200 + (i % 10) * 6
  const incident = `shop/${Math.floor(i / 10)}`
  return { value: { ts: ts_s, alertname: `kind-${i % 3}`, entity: `pod-${i % 5}`, incident }, ts_s, incident }
})
const recording: Recording = {
  name: 'four faults',
  lines,
  topology: [],
  faults: new Map(
    [0, 1, 2, 3].map((n) => [
      `shop/${n}`,
      { start_s: 1_000_000 + n * 1_200, entity: 'pod-1', type: 'memory' },
    ]),
  ),
}
const variants = new Map([...variantsOf(recording)].map((one) => [one.name, one]))

function variant(name: string): Variant {
  const found = variants.get(name)
  if (!found) throw new Error(`there is no variant ${name}`)
  return found
}

describe('variants of a recording', () => {
  it.each(['overlay 1', 'overlay 2', 'overlay 3'])(
    '%s: the second fault of a pair begins 120 s after the first',
    (name) => {
      const overlaid = variant(name).lines
      expect(overlaid).toHaveLength(40)
      expect(overlaid.every(({ ts_s }, i) => i === 0 || ts_s >= (overlaid[i - 1]?.ts_s ?? 0))).toBe(true)
      const began = new Map<string, number>()
      for (const { incident, ts_s } of overlaid) if (!began.has(incident)) began.set(incident, ts_s)
      const [a, b, c, d] = [...began.values()] as [number, number, number, number]
      expect([b - a, c - a, d - c]).toEqual([120, 3_600, 120])
    },
  )

  it('adds as much noise as it says, all over the recording, and about its entities', () => {
    const minutes = ((lines.at(-1)?.ts_s ?? 0) - (lines[0]?.ts_s ?? 0)) / 60
    for (const name of ['noise 4', 'new noise 4']) {
      const noise = variant(name).lines.filter(({ incident }) => incident === '-')
      expect(noise).toHaveLength(Math.floor(minutes * 4))
      expect(noise.every(({ value }) => String(value['entity']).startsWith('pod-'))).toBe(true)
      const quarter = (part: number) =>
        noise.filter(({ ts_s }) => Math.floor((4 * (ts_s - 1_000_000)) / (minutes * 60 + 1)) === part).length
      for (let part = 0; part < 4; part++) expect(quarter(part)).toBeGreaterThan(noise.length / 10)
    }
    const kinds = new Set(lines.map(({ value }) => value['alertname']))
    const added = variant('new noise 4').lines.filter(({ incident }) => incident === '-')
    expect(added.some(({ value }) => kinds.has(value['alertname']))).toBe(false)
  })

  it('shuffles the order by at most 30 s and keeps the times', () => {
    const shuffled = variant('shuffled')
    expect(shuffled.lines).not.toEqual(lines)
    expect(shuffled.lines.toSorted((a, b) => a.ts_s - b.ts_s)).toEqual(lines)
    let latest_s = 0
    for (const { ts_s } of shuffled.lines) {
      expect(latest_s - ts_s).toBeLessThanOrEqual(30)
      latest_s = Math.max(latest_s, ts_s)
    }
  })

  it('knows which line each was', () => {
    for (const name of ['shuffled', 'duplicated', 'tenth missing']) {
      const { originals, lines: own } = variant(name)
      expect(own).toEqual(originals?.map((i) => lines[i]))
    }
    expect(variant('duplicated').lines).toHaveLength(80)
    expect(variant('tenth missing').lines.length).toBeLessThan(40)
  })
})
