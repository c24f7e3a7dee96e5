import { useQuery } from '@tanstack/react-query'
import { useLive } from '../../live/store.ts'
import { Age } from '../../parts/time.tsx'
import { request, ServerError } from '../../server/request.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { type Looked, rateOf, rejectedShare, type Source } from './rates.ts'
import { texts } from './texts.ts'

const REFRESH_MS = 2_000

interface TwoLooks {
  readonly now: Looked
  readonly before: Looked | null
}

function useSources() {
  const live = useLive()
  return useQuery<TwoLooks>({
    queryKey: ['sources', 'rates'],
    queryFn: async ({ client, queryKey, signal }) => {
      const before = client.getQueryData<TwoLooks>(queryKey)?.now ?? null
      const { sources } = await request<{ sources: readonly Source[] }>('/api/v1/sources', { signal })
      return { now: { at_ms: live.now(), sources }, before }
    },
    refetchInterval: REFRESH_MS,
  })
}

/** Every source with what came from it. */
export function SourceTable() {
  const t = useTexts(texts)
  const { data, error } = useSources()
  if (!data)
    return error instanceof ServerError ? (
      <p className="card notice-card" role="alert">
        {t.unreadable(error.code)} {error.remedy}
      </p>
    ) : null
  if (data.now.sources.length === 0) return <NoSource />
  return (
    <div className="card">
      <table className="list-table">
        <thead>
          <tr>
            {[t.source, t.kind, t.condition].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
            {[t.last_event, t.rate, t.alerts, t.rejected].map((title) => (
              <th key={title} scope="col" className="end">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.now.sources.map((source) => (
            <SourceRow key={source.name} source={source} rate={rateOf(source, data.now.at_ms, data.before)} />
          ))}
        </tbody>
      </table>
      <p className="hint table-hint">{t.since_start}</p>
    </div>
  )
}

function SourceRow({ source, rate }: { readonly source: Source; readonly rate: number | null }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const language = useLanguage()
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 })
  const { name, kind, last_event_at_ms, alerts, rejects } = source
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-title={t.kind}>{kind}</td>
      <td data-title={t.condition}>
        <Condition source={source} />
      </td>
      <td data-title={t.last_event} className="end">
        {last_event_at_ms === null ? w.never : <Age since_ms={last_event_at_ms} />}
      </td>
      <td data-title={t.rate} className="end number">
        {rate === null ? '–' : number.format(rate)}
      </td>
      <td data-title={t.alerts} className="end number">
        {number.format(alerts)}
      </td>
      <td data-title={t.rejected} className="end number">
        {number.format(rejects)} <span className="soft">{percent.format(rejectedShare(source))}</span>
      </td>
    </tr>
  )
}

/** In words: what is wrong stands out by its weight, not by a colour. */
function Condition({ source: { last_event_at_ms, rejects, halted } }: { readonly source: Source }) {
  const t = useTexts(texts)
  if (halted > 0) return <strong title={t.halted_hint}>⚠ {t.halted(halted)}</strong>
  if (last_event_at_ms === null) return <span className="soft">{t.silent}</span>
  return rejects > 0 ? <strong>{t.rejecting}</strong> : t.well
}

function NoSource() {
  const t = useTexts(texts)
  const snippet = `alerting:
  alertmanagers:
    - static_configs:
        - targets: ['${window.location.host}']`
  return (
    <div className="card notice-card">
      <h2>{t.none}</h2>
      <p className="soft">{t.none_hint}</p>
      <pre>{snippet}</pre>
    </div>
  )
}
