import { useEffect } from 'react'
import { useAnnounce } from '../../frame/announcer.tsx'
import { useLive } from '../../live/store.ts'
import { SeverityMark } from '../../parts/severity.tsx'
import type { StillOrder } from '../../parts/still_order.ts'
import { Link } from '../../router/link.tsx'
import { setQuery, useLocation } from '../../router/location.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { texts } from './texts.ts'
import { activeFilters, FILTERS } from './view.ts'

interface WaitingProps {
  readonly order: StillOrder
  readonly kept: number
}

const ROWS_MAX = 10_000

/** One line that is always there: how much is shown, and what waits until the order may change. New criticals are named at once. */
export function Waiting({ order, kept }: WaitingProps) {
  const t = useTexts(texts)
  const language = useLanguage()
  const number = new Intl.NumberFormat(language)
  const waiting = order.fresh.length > 0 || order.moved > 0
  return (
    <div className="waiting">
      <p className="number">{t.matching(number.format(order.shown.length), number.format(kept))}</p>
      <ClearFilters />
      {order.shown.length > ROWS_MAX && <p>{t.too_many}</p>}
      <NewCritical fresh={order.fresh} />
      {waiting && (
        <button
          type="button"
          className="button"
          aria-keyshortcuts="."
          title={t.show_waiting}
          onClick={order.refresh}
        >
          {t.waiting(order.fresh.length, order.moved)} <kbd>.</kbd>
        </button>
      )}
    </div>
  )
}

function ClearFilters() {
  const t = useTexts(texts)
  const w = useTexts(words)
  const { query } = useLocation()
  const active = activeFilters(query)
  if (active.length === 0) return null
  return (
    <p>
      · {t.filters(active.length)} ·{' '}
      <button
        type="button"
        className="as-link"
        onClick={() => setQuery(Object.fromEntries(FILTERS.map((name) => [name, null])))}
      >
        {w.clear}
      </button>
    </p>
  )
}

function NewCritical({ fresh }: { readonly fresh: readonly string[] }) {
  const t = useTexts(texts)
  const live = useLive()
  const announce = useAnnounce()
  const critical = fresh
    .map((id) => live.get(id))
    .filter((incident) => incident?.severity === 'critical' && incident.state === 'open')
  const [first] = critical
  const said = first === undefined ? null : t.new_critical(first.title)
  useEffect(() => {
    if (said !== null) announce(said)
  }, [said, announce])
  if (!first) return null
  return (
    <p className="new-critical">
      <SeverityMark severity="critical" />
      <Link to={`/incidents/${encodeURIComponent(first.id)}`} className="one-line">
        {first.title}
      </Link>
      {critical.length > 1 && t.more(critical.length - 1)}
    </p>
  )
}
