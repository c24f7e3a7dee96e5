import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Action, Result, Told } from '../../notify/delivery.ts'
import type { Sink, Telling } from '../../notify/sinks/sink.ts'
import { summarise } from '../../notify/summary.ts'
import type { Change } from '../../schemas/change.ts'
import { change } from '../notify/changes.ts'
import type { FaultProxy } from '../installation/fault_proxy.ts'
import { fresh } from './wait.ts'

/** One sink behind a proxy that brings faults, and a way to look at what it left in the real target. */
export interface SinkHarness {
  readonly proxy: FaultProxy
  /** A sink that sends to this address, with this bound of one request. */
  readonly sink: (base_url: string, timeout_ms: number) => Sink
  /** The incident's copies in the target: one entry each. */
  readonly copies: (incident_id: string) => Promise<readonly { readonly closed: boolean }[]>
  /** What must not be told in results. */
  readonly secrets: readonly string[]
  readonly close: () => Promise<void>
}

const NEVER = new AbortController().signal

export function telling(of: Change, over: Partial<Telling> = {}): Telling {
  return { summary: summarise(of), told: null, external_id: null, repeated: false, ...over }
}

export function toldOf(of: Change, closed = false): Told {
  const { state, severity, assignee, members_total, revision } = of.incident
  return { state, severity, assignee, members_total, revision, closed, at_ms: of.at_ms }
}

/** Delivers, follows a creation in doubt as the fold does, and gives the id. */
export async function settle(sink: Sink, of: Change): Promise<string | null> {
  const found = sink.policy.idempotent
    ? { kind: 'absent' as const }
    : await sink.deliver('look-up', telling(of), NEVER)
  const result = found.kind === 'absent' ? await sink.deliver('create', telling(of), NEVER) : found
  if (result.kind !== 'ok') throw new Error(`neither found nor created: ${JSON.stringify(result)}`)
  return result.external_id
}

export function describeSink(name: string, start: () => Promise<SinkHarness>): void {
  describe(`the ${name} sink`, () => {
    let harness: SinkHarness
    let sink: Sink
    let incident_id: string
    const results: Result[] = []
    beforeAll(async () => {
      harness = await start()
      sink = harness.sink(harness.proxy.url, 30_000)
    })
    beforeEach(() => {
      harness.proxy.reset()
      incident_id = fresh('inc')
    })
    afterAll(async () => {
      sink.close()
      await harness.close()
    })

    const opened = () => change('opened', 1, {}, incident_id)
    const deliver = async (
      action: Action,
      of: Change,
      over: Partial<Telling> = {},
      through = sink,
    ): Promise<Result> => {
      const result = await through.deliver(action, telling(of, over), NEVER)
      results.push(result)
      return result
    }

    it('creates, updates, closes and reopens one copy', async () => {
      const first = await deliver('create', opened())
      expect(first).toMatchObject({ kind: 'ok' })
      const external_id = first.kind === 'ok' ? first.external_id : null
      const later = (before: Change, closed = false) => ({ external_id, told: toldOf(before, closed) })
      const grown = change('grown', 2, { members_total: 5 }, incident_id)
      const resolved = change('resolved', 3, { state: 'resolved' }, incident_id)
      expect(await deliver('update', grown, later(opened()))).toMatchObject({ kind: 'ok' })
      expect(await harness.copies(incident_id)).toEqual([{ closed: false }])
      expect(await deliver('close', resolved, later(grown))).toMatchObject({ kind: 'ok' })
      expect(await harness.copies(incident_id)).toEqual([{ closed: true }])
      expect(
        await deliver('reopen', change('reopened', 4, {}, incident_id), later(resolved, true)),
      ).toMatchObject({ kind: 'ok' })
      expect(await harness.copies(incident_id)).toEqual([{ closed: false }])
    })

    it('looks up nothing for an incident that it was never told', async () => {
      expect(await deliver('look-up', opened())).toEqual({ kind: 'absent' })
    })

    it.each([500, 502, 503])('tries again after %d, not knowing what was done', async (status) => {
      harness.proxy.inject('POST', { kind: 'answer', status })
      expect(await deliver('create', opened())).toMatchObject({
        kind: 'retry',
        code: `http-${status}`,
        status,
        not_done: false,
      })
    })

    it('waits as long as 429 asks, in seconds or until a date', async () => {
      const until = new Date(Date.now() + 120_000)
      harness.proxy.inject(
        'POST',
        { kind: 'answer', status: 429, headers: { 'retry-after': '17' } },
        { kind: 'answer', status: 429, headers: { 'retry-after': until.toUTCString() } },
      )
      expect(await deliver('create', opened())).toMatchObject({
        kind: 'retry',
        status: 429,
        retry_after_ms: 17_000,
        not_done: true,
      })
      const dated = await deliver('create', opened())
      expect(dated.kind === 'retry' ? dated.retry_after_ms : null).toBeGreaterThan(60_000)
      expect(dated.kind === 'retry' ? dated.retry_after_ms : null).toBeLessThanOrEqual(120_000)
    })

    it('gives up on a target that hangs', async () => {
      const hasty = harness.sink(harness.proxy.url, 200)
      harness.proxy.inject('POST', { kind: 'hang' })
      expect(await deliver('create', opened(), {}, hasty)).toMatchObject({
        kind: 'retry',
        code: 'timeout',
        not_done: false,
      })
      hasty.close()
    })

    it('ends when it is told to', async () => {
      const stop = new AbortController()
      harness.proxy.inject('POST', { kind: 'after', act: async () => stop.abort() })
      const ended = await sink.deliver('create', telling(opened()), stop.signal)
      expect(ended).toMatchObject({ kind: 'retry', code: 'aborted' })
    })

    it('knows that nothing was done where nobody listens', async () => {
      const nobody = harness.sink('http://127.0.0.1:1', 5_000)
      expect(await deliver('create', opened(), {}, nobody)).toMatchObject({
        kind: 'retry',
        code: 'connect',
        not_done: true,
      })
      nobody.close()
    })

    it.each([
      ['the connection breaks after the target took it', { kind: 'drop-after' }],
      ['the answer is no JSON', { kind: 'body', body: '<html>Thank you</html>' }],
      ['the answer never seems to end', { kind: 'body', body: 'x'.repeat(4_000_000) }],
    ] as const)('leaves one copy when %s', async (_what, fault) => {
      harness.proxy.inject('POST', fault)
      const result = await deliver('create', opened())
      const in_doubt = result.kind === 'retry' && !result.not_done
      expect(result.kind === 'ok' || in_doubt).toBe(true)
      if (in_doubt) await settle(sink, opened())
      expect(await harness.copies(incident_id)).toEqual([{ closed: false }])
    })

    it.each([301, 302, 307, 308])('follows no redirect (%d)', async (status) => {
      harness.proxy.inject('POST', {
        kind: 'answer',
        status,
        headers: { location: `${harness.proxy.url}/elsewhere` },
      })
      expect(await deliver('create', opened())).toMatchObject({ kind: 'retry', code: 'redirect', status })
      expect(harness.proxy.seen).toHaveLength(1)
    })

    it('shows what the target refuses', async () => {
      harness.proxy.inject('POST', { kind: 'answer', status: 400, body: 'no' })
      expect(await deliver('create', opened())).toEqual({ kind: 'refused', code: 'http-400', status: 400 })
    })

    it('tells no secret in what it reports', () => {
      expect(results.length).toBeGreaterThan(10)
      for (const secret of harness.secrets) expect(JSON.stringify(results)).not.toContain(secret)
    })
  })
}
