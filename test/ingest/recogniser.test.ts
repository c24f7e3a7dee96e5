import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyOutcome, foldRecord } from '../../correlate/fold.ts'
import { emptyState, type State } from '../../correlate/state.ts'
import { Intake } from '../../ingest/intake.ts'
import { readBody } from '../../ingest/read_body.ts'
import { KeyedHash } from '../../ingest/recognise/keyed_hash.ts'
import { decodeAlerts, RefusedBody } from '../../ingest/sources/alertmanager.ts'
import { noTraces } from '../../runtime/tracing.ts'
import { decodeRecord } from '../../schemas/codec.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { KeptLog } from './kept_log.ts'
import { DEFAULTS, RESOLVE_TIMEOUT_MS } from './settings.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const CONTEXT = { resolve_timeout_ms: RESOLVE_TIMEOUT_MS, lone_alert: false }
const iso = (ms: number) => new Date(ms).toISOString()

interface Sent {
  readonly labels: Record<string, string>
  readonly annotations?: Record<string, string>
  readonly startsAt?: string
  readonly endsAt?: string
  readonly generatorURL?: string
}

/** Ingest in front of a log in memory, with or without recognition, and the fold of what it wrote. */
class Path {
  readonly log = new KeptLog(1)
  readonly intake = new Intake({
    log: this.log,
    config: DEFAULTS,
    observer: { accepted: () => {}, rejected: () => {} },
    tracing: noTraces,
  })
  readonly state: State = emptyState(0)
  readonly changes: unknown[] = []
  readonly unassigned: string[] = []
  private readonly domain = this.intake.recogniser.newDomain()
  private readonly recognises: boolean
  private folded = 0

  constructor(recognises: boolean) {
    this.recognises = recognises
  }

  get repeats(): number {
    return this.log.records.reduce((sum, { repeats }) => sum + (repeats?.count ?? 0), 0)
  }

  /** Bodies that arrive while one append runs. */
  async send(bodies: readonly string[], at_ms: number): Promise<void> {
    await Promise.all(bodies.map((body) => this.take(Buffer.from(body), at_ms)))
    for (const { value } of this.log.appends.slice(this.folded)) {
      const outcome = emptyOutcome()
      const position = this.folded++
      foldRecord(this.state, { position, time_ms: at_ms, record: decodeRecord(value) }, outcome)
      // Ids and links of equal incidents differ: they come from places in the log.
      for (const { kind, at_ms: told_ms, memberships, incident } of outcome.changes)
        this.changes.push({
          kind,
          told_ms,
          joined: memberships.joined.map(({ fingerprint }) => fingerprint).sort(),
          ended: memberships.ended
            .map(({ fingerprint, ended_at_ms }) => `${fingerprint} ${ended_at_ms}`)
            .sort(),
          firing: incident.members_firing,
          state: incident.state,
        })
      this.unassigned.push(...outcome.unassigned.map(({ code }) => code))
    }
  }

  /** What is known of each alert. */
  get alerts(): unknown[] {
    return [...this.state.alerts.values()]
      .map(({ alert, firing, expires_at_ms, by_timeout, ended_at_ms }) => {
        const { fingerprint, annotations, starts_at_ms } = alert
        return { fingerprint, annotations, starts_at_ms, firing, expires_at_ms, by_timeout, ended_at_ms }
      })
      .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
  }

  private async take(body: Buffer, at_ms: number): Promise<void> {
    const inFull = () => decodeAlerts(body, at_ms, CONTEXT)
    const origin = { now_ms: at_ms, at_ms, domain: this.domain, offset: null }
    const decoded = this.recognises ? readBody(this.intake.recogniser, body, origin, CONTEXT) : inFull()
    await this.intake.accept({
      source: 'test',
      origin: null,
      received_at_ms: at_ms,
      messages: [{ offset: null, decoded, inFull }],
      locate: () => 'here',
    })
  }
}

const alert = (name: string, more: Partial<Sent> = {}): Sent => ({
  labels: { alertname: 'A', name },
  startsAt: iso(NOW_MS - 60_000),
  ...more,
})

describe('recognition', () => {
  it('tells an alert in full once, and as a repeat from then on, whatever its end', async () => {
    const path = new Path(true)
    for (let n = 0; n < 5; n++) {
      const at_ms = NOW_MS + n * 60_000
      await path.send([JSON.stringify([alert('x', { endsAt: iso(at_ms + 240_000) }), alert('y')])], at_ms)
    }
    expect(path.log.records.map(({ alerts, repeats }) => [alerts.length, repeats?.count ?? 0])).toEqual([
      [2, 0],
      [0, 2],
      [0, 2],
      [0, 2],
      [0, 2],
    ])
    expect(path.alerts).toMatchObject([{ firing: true }, { firing: true }])
  })

  it.each<[string, Sent, Sent]>([
    [
      'an end that is over',
      alert('x', { endsAt: iso(NOW_MS + 1_000) }),
      alert('x', { endsAt: iso(NOW_MS - 1) }),
    ],
    ['an end that is no time', alert('x', { endsAt: iso(NOW_MS + 1_000) }), alert('x', { endsAt: 'soon' })],
    ['another annotation', alert('x', { annotations: { a: '1' } }), alert('x', { annotations: { a: '2' } })],
    ['another start', alert('x'), alert('x', { startsAt: iso(NOW_MS - 70_000) })],
    ['no start', { labels: { a: '1' } }, { labels: { a: '1' } }],
    [
      'Go’s zero time as start',
      { labels: { a: '1' }, startsAt: '0001-01-01T00:00:00Z' },
      { labels: { a: '1' }, startsAt: '0001-01-01T00:00:00Z' },
    ],
    [
      'a label named endsAt',
      { ...alert('x'), labels: { endsAt: iso(NOW_MS + 1_000) } },
      { ...alert('x'), labels: { endsAt: iso(NOW_MS + 2_000) } },
    ],
  ])('does not take for a repeat: %s', async (_name, first, second) => {
    const path = new Path(true)
    await path.send([JSON.stringify([first])], NOW_MS)
    await path.send([JSON.stringify([second])], NOW_MS + 1).catch((error: unknown) => {
      if (!(error instanceof RefusedBody)) throw error
    })
    expect(path.repeats).toBe(0)
  })

  it('reads a body whose texts look like the border between alerts', async () => {
    const tricky = [alert('x', { annotations: { a: 'p},{"q', b: '"endsAt":"' } }), alert('y')]
    for (const recognises of [true, false]) {
      const path = new Path(recognises)
      for (let n = 0; n < 3; n++)
        await path.send([JSON.stringify(tricky), JSON.stringify(tricky, null, 1)], NOW_MS + n)
      expect(path.alerts).toMatchObject([{ firing: true }, { firing: true }])
    }
  })

  it('reads only the one alert of a body that has resolved in full', async () => {
    const path = new Path(true)
    const lasts = iso(NOW_MS + 240_000)
    const others = Array.from({ length: 9 }, (_, n) => alert(`y${n}`, { endsAt: lasts }))
    await path.send([JSON.stringify([alert('x', { endsAt: lasts }), ...others])], NOW_MS)
    await path.send([JSON.stringify([alert('x', { endsAt: iso(NOW_MS) }), ...others])], NOW_MS + 1)
    expect(path.log.records.at(-1)).toMatchObject({
      alerts: [{ labels: { name: 'x' } }],
      repeats: { count: 9 },
    })
    expect(path.state.derived.firing).toBe(9)
  })

  it('reads a body in full in which an alert is told both anew and as before', async () => {
    const path = new Path(true)
    await path.send([JSON.stringify([alert('x', { annotations: { a: 'old' } })])], NOW_MS)
    const both = [alert('x', { annotations: { a: 'new' } }), alert('x', { annotations: { a: 'old' } })]
    await path.send([JSON.stringify(both)], NOW_MS + 1)
    expect(path.repeats).toBe(0)
    expect(path.alerts).toMatchObject([{ annotations: { a: 'old' } }])
  })

  it('takes nothing for known of an alert that was ended twice, each time in other words', async () => {
    const path = new Path(true)
    const lasts = iso(NOW_MS + 300_000)
    const over = iso(NOW_MS - 1_000)
    const fires = alert('x', { endsAt: lasts, annotations: { a: 'old' } })
    const ends = (a: string) => alert('x', { endsAt: over, annotations: { a } })
    await path.send([JSON.stringify([fires, ends('new')]), JSON.stringify([ends('old')])], NOW_MS)
    await path.send([JSON.stringify([fires])], NOW_MS + 1)
    expect(path.alerts).toMatchObject([{ firing: true, annotations: { a: 'old' } }])
  })

  it('forgets what was told long ago', async () => {
    const path = new Path(true)
    const body = JSON.stringify([alert('x')])
    for (let at_ms = 0; at_ms < 4 * LIMITS.repeat_reference_ms; at_ms += 60_000)
      await path.send([body], NOW_MS + at_ms)
    const full = path.log.records.filter(({ alerts }) => alerts.length > 0)
    expect(full.length).toBeGreaterThanOrEqual(4)
    expect(full.length).toBeLessThan(path.log.records.length / 3)
  })

  it('does not learn what the log did not take', async () => {
    const path = new Path(true)
    path.log.reachable = false
    await expect(path.send([JSON.stringify([alert('x')])], NOW_MS)).rejects.toMatchObject({
      code: 'log-unreachable',
    })
    path.log.reachable = true
    await path.send([JSON.stringify([alert('x')])], NOW_MS + 1)
    expect(path.repeats).toBe(0)
    await path.send([JSON.stringify([alert('x')])], NOW_MS + 2)
    expect(path.repeats).toBe(1)
  })
})

/** Few alerts told in few ways, so that all orders of all ways come up. */
const sent = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  start: fc.constantFrom(-60_000, -60_000, -60_000, -30_000),
  end: fc.constantFrom(null, null, -1_000, 500, 20_000, 240_000, 240_000, 300_000),
  text: fc.constantFrom('1', '1', '1', '2'),
  replica: fc.constantFrom('p', 'q'),
})
const storm = fc.array(
  fc.record({
    after_ms: fc.constantFrom(0, 1_000, 1_000, 20_000, 400_000),
    bodies: fc.array(fc.array(sent, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 20 },
)

describe('with and without recognition', () => {
  it('the same bodies come to the same alerts and the same changes', async () => {
    let repeats = 0
    await fc.assert(
      fc.asyncProperty(storm, async (steps) => {
        const [fast, plain] = [new Path(true), new Path(false)]
        let at_ms = NOW_MS
        for (const { after_ms, bodies } of steps) {
          at_ms += after_ms
          const texts = bodies.map((list) =>
            JSON.stringify(
              list.map(({ name, start, end, text, replica }) => ({
                annotations: { text },
                ...(end !== null && { endsAt: iso(at_ms + end) }),
                startsAt: iso(NOW_MS + start),
                generatorURL: `http://${replica}/`,
                labels: { alertname: 'A', name },
              })),
            ),
          )
          await fast.send(texts, at_ms)
          await plain.send(texts, at_ms)
        }
        expect(fast.alerts).toEqual(plain.alerts)
        expect(fast.changes).toEqual(plain.changes)
        expect(fast.unassigned).toEqual(plain.unassigned)
        repeats += fast.repeats
      }),
      { numRuns: 600 },
    )
    expect(repeats).toBeGreaterThan(300)
  })
})

describe('the keyed hash', () => {
  const KEYED = new KeyedHash(256)
  const hash = (bytes: Uint8Array, cut_from = bytes.length, cut_to = bytes.length, domain = 1) =>
    KEYED.of(
      new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      0,
      cut_from,
      cut_to,
      bytes.length,
      domain,
    ).join()

  it('is equal for equal input, and differs in whatever differs', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, at, by) => {
          const other = Uint8Array.from(bytes)
          other[at % bytes.length] = (other[at % bytes.length] ?? 0) ^ by
          expect(hash(Uint8Array.from(bytes))).toBe(hash(bytes))
          expect(hash(other)).not.toBe(hash(bytes))
          expect(hash(bytes, bytes.length, bytes.length, 2)).not.toBe(hash(bytes))
          expect(hash(Uint8Array.from([...bytes, 0]))).not.toBe(hash(bytes))
          const cut = Math.floor(bytes.length / 2)
          expect(hash(bytes, cut, cut + 1)).toBe(
            hash(
              bytes.map((byte, i) => (i === cut ? byte ^ by : byte)),
              cut,
              cut + 1,
            ),
          )
        },
      ),
    )
  })
})
