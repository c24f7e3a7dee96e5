import { fail, type Finding, ok, warn } from './finding.ts'

/** What a running tocsin tells of its sources, and what of that is worth a look. */

interface Source {
  readonly name: string
  readonly kind: string
  readonly last_event_at_ms: number | null
  readonly alerts: number
  readonly alerts_per_minute: number
  readonly rejects: number
  readonly halted: number
  readonly lag_messages: number | null
}
interface Table {
  readonly name: string
  readonly rows: number
  readonly error: string | null
}
interface Heartbeat {
  readonly name: string
  readonly heard: readonly { readonly heard_at_ms: number; readonly lost: boolean }[]
}

/** Fewer messages than this are in the normal run of things. */
const LAG_WORTH_TELLING = 1_000
const REJECTED_SHARE_WORTH_TELLING = 0.1

/** `get` reads a path of the API as JSON; null when it is refused. */
export async function sourceFindings(
  get: (path: string) => Promise<unknown>,
  now_ms: number,
): Promise<Finding[]> {
  const told = (await get('/api/v1/sources')) as { sources: Source[]; tables: Table[] } | null
  const beats = (await get('/api/v1/heartbeats')) as { heartbeats: Heartbeat[] } | null
  return [
    ...(told?.sources ?? []).map((source) => ofSource(source, now_ms)),
    ...(told?.tables ?? []).map(ofTable),
    ...(beats?.heartbeats ?? []).map((beat) => ofHeartbeat(beat, now_ms)),
  ]
}

function ofSource(source: Source, now_ms: number): Finding {
  const { name, last_event_at_ms, alerts, alerts_per_minute, rejects, halted, lag_messages } = source
  const part = `source ${name}`
  const heard =
    last_event_at_ms === null
      ? 'nothing was heard since this process began'
      : `last heard ${ago(now_ms - last_event_at_ms)}, ${alerts_per_minute.toFixed(1)} alerts a minute`
  const lag = lag_messages === null ? '' : `, ${lag_messages} messages behind`
  const detail = `${heard}, ${rejects} rejects beside ${alerts} alerts${lag}`
  const look = `see \`tocsin deadletters list --source ${name}\`, mend the mapping or the sender, and retry`
  if (halted > 0) return fail(part, `${halted} partitions are halted; ${detail}`, look)
  if (rejects > (rejects + alerts) * REJECTED_SHARE_WORTH_TELLING) return warn(part, detail, look)
  if ((lag_messages ?? 0) >= LAG_WORTH_TELLING)
    return warn(
      part,
      detail,
      'it catches up by itself unless this grows; then start more processes with ingest',
    )
  if (last_event_at_ms === null)
    return warn(
      part,
      detail,
      'check that the sender is pointed here; `tocsin try` shows what a message gives',
    )
  return ok(part, detail)
}

function ofTable({ name, rows, error }: Table): Finding {
  const part = `table ${name}`
  return error === null
    ? ok(part, `${rows} rows`)
    : fail(part, `${error}; ${rows} rows that were read before hold on`, 'mend the file')
}

function ofHeartbeat({ name, heard }: Heartbeat, now_ms: number): Finding {
  const part = `heartbeat ${name}`
  if (heard.length === 0)
    return warn(part, 'never heard, and so not expected yet', 'check its `source` and `match`')
  const lost = heard.filter((one) => one.lost)
  const [longest] = lost
  if (longest === undefined) return ok(part, `${heard.length} are heard`)
  const detail = `${lost.length} of ${heard.length} are lost, one since ${ago(now_ms - longest.heard_at_ms)}`
  return fail(
    part,
    detail,
    'see the incident; what should be heard, or the way from there to here, has failed',
  )
}

function ago(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000))
  if (s < 120) return `${s} s ago`
  return s < 7_200 ? `${Math.round(s / 60)} min ago` : `${Math.round(s / 3_600)} h ago`
}
