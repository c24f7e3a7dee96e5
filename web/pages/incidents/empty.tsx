import { useQuery } from '@tanstack/react-query'
import { useLiveIncidents } from '../../live/store.ts'
import { Button } from '../../parts/button.tsx'
import { request, type ServerError } from '../../server/request.ts'
import { setQuery, useLocation } from '../../router/location.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { texts } from './texts.ts'
import { activeFilters, FILTERS, hiddenBy, viewOf } from './view.ts'

interface EmptyProps {
  readonly shown: number
  readonly loaded: boolean
  readonly error: ServerError | null
}

/** Why there are no rows: nothing could be read, a filter hides them, nothing is open, or nothing was ever sent. */
export function Empty({ shown, loaded, error }: EmptyProps) {
  const t = useTexts(texts)
  const { query } = useLocation()
  if (error && error.status !== 401)
    return (
      <div className="card error-card" role="alert">
        <p>
          <strong>{t.cannot_read(error.code)}</strong> {error.remedy}
        </p>
        <p className="soft">{t.old_data}</p>
      </div>
    )
  if (!loaded || shown > 0) return null
  return activeFilters(query).length > 0 ? <Filtered /> : <Quiet />
}

function Filtered() {
  const t = useTexts(texts)
  const w = useTexts(words)
  const incidents = useLiveIncidents()
  const language = useLanguage()
  const { query } = useLocation()
  const names = {
    severity: w.severity,
    state: w.state,
    scope: w.scope,
    assignee: w.assignee,
    q: t.filter,
  } as const
  const view = viewOf(query)
  const number = new Intl.NumberFormat(language)
  return (
    <div className="empty">
      <h2>{t.hidden_by}</h2>
      <ul>
        {activeFilters(query).map((name) => (
          <li key={name}>
            {t.filter_hides(
              `${names[name]} ${query.get(name) ?? ''}`,
              number.format(hiddenBy(view, name, incidents.values())),
            )}
          </li>
        ))}
      </ul>
      <Button onPress={() => setQuery(Object.fromEntries(FILTERS.map((name) => [name, null])))}>
        {t.clear_filters}
      </Button>
    </div>
  )
}

interface Sources {
  readonly sources: readonly { readonly name: string; readonly last_event_at_ms: number | null }[]
}

function Quiet() {
  const t = useTexts(texts)
  const incidents = useLiveIncidents()
  const { data } = useQuery({ queryKey: ['sources'], queryFn: () => request<Sources>('/api/v1/sources') })
  const alive = data?.sources.filter(({ last_event_at_ms }) => last_event_at_ms !== null).length ?? 0
  if (!data) return null
  if (alive > 0 || incidents.size > 0)
    return (
      <div className="empty">
        <h2>{t.nothing_open}</h2>
        <p className="soft">{t.alive(alive)}</p>
      </div>
    )
  return <FirstRun />
}

function FirstRun() {
  const t = useTexts(texts)
  const snippet = `curl ${window.location.origin}/api/v2/alerts \\
  -H 'content-type: application/json' \\
  -d '[{"labels":{"alertname":"DiskFull","service":"checkout",
        "instance":"db-1","severity":"critical"}}]'`
  return (
    <div className="empty">
      <h2>{t.waiting_first}</h2>
      <p className="soft">{t.send_first}</p>
      <pre>{snippet}</pre>
    </div>
  )
}
