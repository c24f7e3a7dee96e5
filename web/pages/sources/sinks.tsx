import { useQuery } from '@tanstack/react-query'
import { Moment } from '../../parts/time.tsx'
import { request } from '../../server/request.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { type Delivery, type SinkSum, sinksOf } from './rates.ts'
import { texts } from './texts.ts'

const REFRESH_MS = 5_000
const LIMIT = 1_000

interface Answer {
  readonly deliveries: readonly Delivery[]
  readonly total: number
}

/** Where incidents are told, and whether that works. */
export function Sinks() {
  const t = useTexts(texts)
  const { data } = useQuery({
    queryKey: ['deliveries'],
    queryFn: ({ signal }) => request<Answer>(`/api/v1/deliveries?limit=${LIMIT}`, { signal }),
    refetchInterval: REFRESH_MS,
  })
  if (!data) return null
  const sinks = sinksOf(data.deliveries)
  return (
    <section>
      <h2 className="page-h2">
        {t.sinks} <small className="soft">{t.sinks_hint}</small>
      </h2>
      <div className="card">
        {sinks.length === 0 ? <p className="soft notice-card">{t.no_sinks}</p> : <SinkTable sinks={sinks} />}
        {data.total > data.deliveries.length && (
          <p className="hint table-hint">{t.shown_of(data.deliveries.length, data.total)}</p>
        )}
      </div>
    </section>
  )
}

function SinkTable({ sinks }: { readonly sinks: readonly SinkSum[] }) {
  const t = useTexts(texts)
  const number = new Intl.NumberFormat(useLanguage())
  return (
    <table className="list-table">
      <thead>
        <tr>
          <th scope="col">{t.sink}</th>
          {[t.delivered, t.under_way, t.retrying, t.failed].map((title) => (
            <th key={title} scope="col" className="end">
              {title}
            </th>
          ))}
          <th scope="col">{t.last_error}</th>
        </tr>
      </thead>
      <tbody>
        {sinks.map(({ sink, counts, error }) => (
          <tr key={sink}>
            <th scope="row">{sink}</th>
            <td data-title={t.delivered} className="end number">
              {number.format(counts.delivered)}
            </td>
            <td data-title={t.under_way} className="end number">
              {number.format(counts.pending + counts['in-flight'])}
            </td>
            <td data-title={t.retrying} className="end number">
              {number.format(counts.retrying)}
            </td>
            <td data-title={t.failed} className="end number">
              {number.format(counts['failed-for-good'])}
            </td>
            <td data-title={t.last_error}>
              {error && (
                <>
                  {error.code}
                  {error.status !== null && ` (${error.status})`} <Moment at_ms={error.at_ms} />
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
