import { useQuery } from '@tanstack/react-query'
import { request, ServerError } from '../../server/request.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { texts } from './in_force_texts.ts'
import { type Series, watchedOf } from './watched.ts'

interface SeriesList {
  readonly series: readonly Series[]
  readonly total: number
}

const REFRESH_MS = 5_000

/** Which detectors watch how many series, and what holds. */
export function Detectors() {
  const t = useTexts(texts)
  const number = new Intl.NumberFormat(useLanguage())
  const { data, error } = useQuery({
    queryKey: ['series', 'detectors'],
    queryFn: ({ signal }) => request<SeriesList>('/api/v1/series?limit=1000', { signal }),
    refetchInterval: ({ state }) => (state.data ? REFRESH_MS : false),
  })
  if (!data)
    return error instanceof ServerError ? (
      <p className="card notice-card soft">{error.status === 404 ? t.no_readings : error.message}</p>
    ) : null
  if (data.total === 0) return <p className="card notice-card soft">{t.no_detectors}</p>
  return (
    <div className="card">
      <table className="list-table">
        <thead>
          <tr>
            {[t.rule, t.detector, t.series, t.holds, t.examples].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {watchedOf(data.series).map(({ rule, detector, series, holds, held_back, example }) => (
            <tr key={`${rule} ${detector}`}>
              <th scope="row">{rule}</th>
              <td data-title={t.detector}>{detector}</td>
              <td data-title={t.series} className="number">
                {number.format(series)}
              </td>
              <td data-title={t.holds} className="number">
                {number.format(holds)}
                {held_back > 0 && ` · ${t.held_back(number.format(held_back))}`}
              </td>
              <td data-title={t.examples}>{example}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="hint table-hint">
        {t.detectors_hint}{' '}
        {data.total > data.series.length &&
          t.more_series(number.format(data.series.length), number.format(data.total))}
      </p>
    </div>
  )
}
