import { z } from 'zod'
import { fingerprint, labels, SEVERITIES, severity, timeMs } from '../../schemas/alert.ts'
import { LIMITS } from '../../schemas/limits.ts'
import {
  type Alarm,
  ALARM_STATES,
  ALARM_VIEWS,
  alarmOf,
  alarmStateOf,
  type AlarmView,
  isInView,
  markFirstOut,
} from '../alarms.ts'
import { answers } from '../answers.ts'
import type { Appended } from '../appended.ts'
import type { ApiParts } from '../parts.ts'
import { keptAlerts, storedShelves, storedSilences } from '../rows.ts'
import type { App } from '../validation.ts'

const query = z.strictObject({
  view: z.enum(ALARM_VIEWS).default('active'),
  scope: z.string().max(LIMITS.scope_chars).optional().describe('only this scope'),
  q: z
    .string()
    .max(200)
    .optional()
    .describe('text in a label value or an annotation; upper and lower case are the same'),
  limit: z.coerce.number().int().min(1).max(1_000).default(500),
})
type Query = z.infer<typeof query>

const alarm = z.object({
  fingerprint,
  state: z.enum(ALARM_STATES).describe('as ISA-18.2 calls it; an alarm is acknowledged with its incident'),
  severity,
  scope: z.string(),
  entity: z.string(),
  labels,
  annotations: labels,
  incident_id: z.string().nullable(),
  on_since_ms: timeMs,
  acknowledged_by: z.string().nullable(),
  shelved: z.object({ by: z.string(), until_ms: timeMs }).nullable(),
  muted_by: z.array(z.string()).describe('as `silenced_by` of a member of an incident'),
  chattering: z.boolean(),
  first_out: z.boolean().describe('the first of the alarms of its incident'),
})
const counts = z.object(
  Object.fromEntries(ALARM_VIEWS.map((view) => [view, z.number().int()])) as Record<AlarmView, z.ZodNumber>,
)
const list = z.object({
  alarms: z.array(alarm).describe('unacknowledged before the rest, then most severe, then newest'),
  counts: counts.describe('of each view, whatever `view` is'),
  total: z.number().int().describe('in the view, those beyond `limit` included'),
})

function isWanted({ scope, q }: Query, one: Alarm): boolean {
  if (scope !== undefined && one.scope !== scope) return false
  if (q === undefined || q === '') return true
  const text = q.toLowerCase()
  const includes = (value: string) => value.toLowerCase().includes(text)
  return [one.labels, one.annotations].some((texts) => Object.values(texts).some(includes))
}

const rank = ({ state, severity: how_bad }: Alarm) =>
  ALARM_STATES.indexOf(state) * SEVERITIES.length + SEVERITIES.indexOf(how_bad)

async function allAlarms({ log, store, live }: ApiParts): Promise<Alarm[]> {
  const mutes = {
    shelves: await storedShelves(log, store),
    silences: new Map((await storedSilences(store)).map((silence) => [silence.id, silence])),
  }
  const alarms: Alarm[] = []
  for await (const row of keptAlerts(log, store)) {
    const incident = live.get(row.incident_id)
    const state = alarmStateOf(row, incident)
    if (state !== null) alarms.push(alarmOf(row, state, incident, mutes))
  }
  markFirstOut(alarms)
  return alarms
}

/** A reading that took this long is used again, for so many times as long: what one console asks takes a fifth of a process at most. */
const SLOW_MS = 100
const USED_AGAIN = 4
const USED_AGAIN_MAX_MS = 10_000

/** Reads all alarms; where they are so many that it takes long, what was read last stands for a while. */
function readingSometimes(parts: ApiParts): () => Promise<readonly Alarm[]> {
  const { clock } = parts
  let last: readonly Alarm[] = []
  let fresh_until_ms = 0
  return async () => {
    const began_ms = clock.now()
    if (began_ms < fresh_until_ms) return last
    last = await allAlarms(parts)
    const took_ms = clock.now() - began_ms
    // Who has just acknowledged something is to see it: only what cannot be afforded again at once may be old.
    if (took_ms >= SLOW_MS) fresh_until_ms = clock.now() + Math.min(USED_AGAIN_MAX_MS, USED_AGAIN * took_ms)
    return last
  }
}

/** Alerts as alarms of a plant. */
export function alarmsRoute(app: App, parts: ApiParts, appended: Appended): void {
  const schema = {
    tags: ['alarms'],
    summary: 'List alarms by the states of ISA-18.2',
    querystring: query,
    response: answers({ 200: list }),
  }
  const alarms = readingSometimes(parts)
  app.get('/api/v1/alarms', { schema, config: { role: 'viewer' } }, async ({ query: asked }) => {
    await appended.folded()
    const now_ms = parts.clock.now()
    const wanted = (await alarms()).filter((one) => isWanted(asked, one))
    const counted = ALARM_VIEWS.map((view) => [
      view,
      wanted.filter((one) => isInView(view, one, now_ms)).length,
    ])
    const shown = wanted.filter((one) => isInView(asked.view, one, now_ms))
    shown.sort(
      (a, b) =>
        rank(a) - rank(b) || b.on_since_ms - a.on_since_ms || (a.fingerprint < b.fingerprint ? -1 : 1),
    )
    return {
      alarms: shown.slice(0, asked.limit),
      counts: Object.fromEntries(counted) as Record<AlarmView, number>,
      total: shown.length,
    }
  })
}
