import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { saysAll } from '../../api/alertmanager/filters.ts'
import { canUpdateInPlace, silenceFault } from '../../api/silences.ts'
import type { Silence } from '../../schemas/command.ts'
import type { Matcher } from '../../schemas/matcher.ts'
import type { MatcherMode } from '../../schemas/matcher_syntax.ts'
import { cases } from '../fixtures/cases.ts'
import { call, PARTITIONS, startWorld, type World } from './world.ts'

type Times = { readonly startsIn: number | null; readonly endsIn: number | null }
type SilenceCase =
  | {
      readonly name: string
      readonly input: { readonly kind: 'canUpdateInPlace'; readonly old: Times; readonly new: Times }
      readonly expected: { readonly ok: boolean }
    }
  | {
      readonly name: string
      readonly input: Times & {
        readonly kind: 'validateSilence'
        readonly matcherSets: readonly (readonly Matcher[])[]
        readonly mode?: MatcherMode
      }
      readonly expected: { readonly errorContains: string | null; readonly fullError: string }
    }
  | {
      readonly name: string
      readonly input: {
        readonly kind: 'apiFilter'
        readonly filter: readonly Matcher[]
        readonly silenceMatchers: readonly Matcher[]
      }
      readonly expected: { readonly keep: boolean }
    }

const ALL = cases('silence') as readonly SilenceCase[]
const NOW_MS = 1_800_000_000_000
/** Where Go has no time at all it has the year 1, which is long over. */
const at = (seconds: number | null) => (seconds === null ? 0 : NOW_MS + seconds * 1_000)

describe('silences as Alertmanager has them', () => {
  const updates = ALL.flatMap((one) =>
    one.input.kind === 'canUpdateInPlace'
      ? [{ name: one.name, input: one.input, expected: one.expected as { ok: boolean } }]
      : [],
  )
  it.each(updates)('$name', ({ input, expected }) => {
    const matchers: Matcher[] = [{ name: 'a', op: '=', value: 'b' }]
    const stored: Silence = {
      id: 's',
      matchers,
      starts_at_ms: at(input.old.startsIn),
      ends_at_ms: at(input.old.endsIn),
      created_by: '',
      comment: '',
      updated_at_ms: 0,
    }
    expect(
      canUpdateInPlace(
        stored,
        { matchers, starts_at_ms: at(input.new.startsIn), ends_at_ms: at(input.new.endsIn) },
        NOW_MS,
      ),
    ).toBe(expected.ok)
    expect(
      canUpdateInPlace(
        stored,
        {
          matchers: [{ name: 'a', op: '=', value: 'c' }],
          starts_at_ms: stored.starts_at_ms,
          ends_at_ms: stored.ends_at_ms,
        },
        NOW_MS,
      ),
    ).toBe(false)
  })

  // A silence without times cannot be said over HTTP, so those two cases have nothing to ask here.
  const faults = ALL.flatMap((one) =>
    one.input.kind === 'validateSilence' && one.input.startsIn !== null && one.input.endsIn !== null
      ? [{ name: one.name, input: one.input, expected: one.expected as { fullError: string } }]
      : [],
  )
  it.each(faults)('$name', ({ input, expected }) => {
    const fault = silenceFault(
      {
        matchers: [...(input.matcherSets[0] ?? [])],
        starts_at_ms: at(input.startsIn),
        ends_at_ms: at(input.endsIn),
      },
      input.mode,
    )
    expect(fault ?? '<nil>').toBe(expected.fullError)
  })

  const filters = ALL.flatMap((one) =>
    one.input.kind === 'apiFilter'
      ? [{ name: one.name, input: one.input, expected: one.expected as { keep: boolean } }]
      : [],
  )
  it.each(filters)('$name', ({ input, expected }) => {
    expect(saysAll(input.silenceMatchers, input.filter)).toBe(expected.keep)
  })
})

describe('/api/v1/silences', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const post = (json: unknown, headers: Record<string, string> = {}) =>
    call(world.url, '/api/v1/silences', { method: 'POST', json, headers })
  async function list(query = ''): Promise<readonly (Silence & { state: string })[]> {
    const { body } = await call(world.url, `/api/v1/silences${query}`)
    return (body as { silences: (Silence & { state: string })[] }).silences
  }

  it('mutes an incident, shows the silence at once, and ends it', async () => {
    const { id } = await world.fire({ labels: { alertname: 'Noisy', service: 'db' } })
    const made = await post(
      {
        matchers: ['service=~"db|cache"', { name: 'alertname', op: '!=', value: 'Other' }],
        duration_ms: 3_600_000,
        comment: '维护',
      },
      { 'x-tocsin-actor': 'mei' },
    )
    expect(made.status).toBe(200)
    const { silence_id } = made.body as { silence_id: string }
    expect(silence_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    expect(await list('?state=active')).toMatchObject([
      {
        id: silence_id,
        state: 'active',
        created_by: 'mei',
        comment: '维护',
        matchers: [
          { name: 'service', op: '=~', value: 'db|cache' },
          { name: 'alertname', op: '!=' },
        ],
      },
    ])
    expect(world.live.get(id)?.suppressed).toBe(true)
    for (let partition = 0; partition < PARTITIONS; partition++) {
      expect((await world.parts.store.read(`correlate/alerts/${partition}`, `s/${silence_id}`)).length).toBe(
        1,
      )
    }
    expect((await call(world.url, `/api/v1/silences/${silence_id}`, { method: 'DELETE' })).status).toBe(200)
    expect(await list('?state=active')).toEqual([])
    expect(await list('?state=expired')).toMatchObject([{ id: silence_id, state: 'expired' }])
    expect(world.live.get(id)?.suppressed).toBe(false)
    expect((await call(world.url, `/api/v1/silences/${silence_id}`, { method: 'DELETE' })).status).toBe(200)
  })

  it('makes one silence of a repeated request', async () => {
    const body = { matchers: ['a=once'], duration_ms: 60_000, comment: 'c' }
    const [first, second] = [
      await post(body, { 'idempotency-key': 'once' }),
      await post(body, { 'idempotency-key': 'once' }),
    ]
    expect(second.body).toEqual(first.body)
    expect((await list()).filter(({ matchers }) => matchers[0]?.value === 'once')).toHaveLength(1)
  })

  it('changes the end of a silence in place, and replaces one whose matchers change', async () => {
    const starts_at_ms = Date.now() + 60_000
    const wanted = { matchers: ['a=change'], starts_at_ms, ends_at_ms: starts_at_ms + 60_000, comment: 'c' }
    const { silence_id } = (await post(wanted)).body as { silence_id: string }
    expect((await list('?state=pending')).map(({ id }) => id)).toEqual([silence_id])
    expect(
      (await post({ ...wanted, id: silence_id, ends_at_ms: starts_at_ms + 120_000 })).body,
    ).toMatchObject({ silence_id })
    expect(await list('?state=pending')).toMatchObject([
      { id: silence_id, ends_at_ms: starts_at_ms + 120_000 },
    ])
    const replaced = (await post({ ...wanted, id: silence_id, matchers: ['a=changed'] })).body as {
      silence_id: string
    }
    expect(replaced.silence_id).not.toBe(silence_id)
    expect((await list('?state=pending')).map(({ id }) => id)).toEqual([replaced.silence_id])
    expect((await list('?state=expired')).map(({ id }) => id)).toContain(silence_id)
  })
})
