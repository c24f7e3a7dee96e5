import { useEffect, useMemo, useState } from 'react'
import { useKeys } from '../../frame/keys.tsx'
import { useRefusal } from '../../frame/session.ts'
import { Button } from '../../parts/button.tsx'
import { useStillOrder } from '../../parts/still_order.ts'
import { Link } from '../../router/link.tsx'
import { setQuery, useLocation } from '../../router/location.ts'
import { useLiveIncidents } from '../../live/store.ts'
import { ServerError } from '../../server/request.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { acknowledgeable, type Alarm, type AlarmList, viewOf, VIEWS } from './alarm.ts'
import './alarms.css'
import { AlarmFigures } from './figures.tsx'
import { HeldByStops } from './held_by_stops.tsx'
import { AlarmTable, alarmRowId, openAlarm } from './table.tsx'
import { texts } from './texts.ts'
import { useAlarmActions, useAlarms } from './use_alarms.ts'

/** The plant's list of alarms. */
export function AlarmsPage() {
  const t = useTexts(texts)
  const { query } = useLocation()
  const view = viewOf(query)
  const { data, error, isPlaceholderData } = useAlarms()
  return (
    <div className="page alarms">
      <h1>
        {t.title} <small className="soft">{t[`hint_${view}`]}</small>
      </h1>
      {data && <AlarmFigures counts={data.counts} />}
      <Views counts={data?.counts} />
      {error instanceof ServerError && error.status !== 401 && (
        <p className="card notice-card" role="alert">
          {t.unreadable(error.code)}
        </p>
      )}
      {data && <List data={data} is_old={isPlaceholderData} />}
      {view === 'suppressed' && <HeldByStops />}
    </div>
  )
}

function Views({ counts }: { readonly counts: AlarmList['counts'] | undefined }) {
  const t = useTexts(texts)
  const { query } = useLocation()
  const number = new Intl.NumberFormat(useLanguage())
  const current = viewOf(query)
  const addressOf = (view: string) => {
    const next = new URLSearchParams(query)
    next.delete('alarm')
    next.set('view', view)
    return `/alarms?${next}`
  }
  return (
    <nav className="alarm-views" aria-label={t.views}>
      {VIEWS.map((view) => (
        <Link key={view} to={addressOf(view)} current={view === current}>
          {t[`view_${view}`]}{' '}
          <b className="number">{counts === undefined ? '' : number.format(counts[view])}</b>
        </Link>
      ))}
    </nav>
  )
}

/** Alarms stay where they are while somebody is at work among them. */
function List({ data, is_old }: { readonly data: AlarmList; readonly is_old: boolean }) {
  const t = useTexts(texts)
  const { query } = useLocation()
  const [hand, setHand] = useState(false)
  const open = query.get('alarm')
  const known = new Map(data.alarms.map((alarm) => [alarm.fingerprint, alarm]))
  const wanted = useMemo(() => data.alarms.map(({ fingerprint }) => fingerprint), [data])
  // What another view or filter asks for is shown at once when it has been answered.
  const question = `${viewOf(query)} ${query.get('q') ?? ''} ${is_old}`
  const order = useStillOrder(wanted, hand || open !== null, question)
  const shown = order.shown.flatMap((fingerprint) => known.get(fingerprint) ?? [])
  const active = useActive(shown, open)
  return (
    <>
      <Tools data={data} shown={shown} fresh={order.fresh.length} onRefresh={order.refresh} />
      {shown.length === 0 ? (
        <p className="card notice-card soft">{query.has('q') ? t.none_filtered : t.none}</p>
      ) : (
        <div
          className="card"
          onPointerEnter={() => setHand(true)}
          onPointerLeave={() => setHand(false)}
          onFocus={() => setHand(true)}
          onBlur={() => setHand(false)}
        >
          <AlarmTable alarms={shown} active={active} open={open} />
        </div>
      )}
    </>
  )
}

/** The row that keys act on, moved by j and k. */
function useActive(shown: readonly Alarm[], open: string | null): string | null {
  const [chosen, setActive] = useState<string | null>(open)
  const { acknowledge } = useAlarmActions()
  const refusal = useRefusal('responder')
  const at = shown.findIndex(({ fingerprint }) => fingerprint === chosen)
  const move = (by: number) => {
    const next = shown[Math.min(shown.length - 1, Math.max(0, at + by))]
    if (next) setActive(next.fingerprint)
  }
  const active = shown[at]
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    a: () => {
      if (active && refusal === null) void acknowledge(acknowledgeable([active]))
    },
    Enter: () => {
      if (active) openAlarm(active.fingerprint === open ? null : active.fingerprint)
    },
    Escape: () => openAlarm(null),
    '/': () => document.querySelector<HTMLElement>('#alarm-filter')?.focus(),
  })
  useEffect(() => {
    if (chosen !== null)
      document.querySelector(`#${CSS.escape(alarmRowId(chosen))}`)?.scrollIntoView({ block: 'nearest' })
  }, [chosen])
  return active?.fingerprint ?? null
}

/** The position of an operator is a scope; figures are told for it as well. */
function ScopeChoice() {
  const t = useTexts(texts)
  const w = useTexts(words)
  const incidents = useLiveIncidents()
  const chosen = useLocation().query.get('scope') ?? ''
  const scopes = new Set([...incidents.values()].map(({ scope }) => scope))
  if (chosen !== '') scopes.add(chosen)
  if (scopes.size < 2) return null
  return (
    <select aria-label={w.scope} value={chosen} onChange={(event) => setQuery({ scope: event.target.value })}>
      <option value="">{t.all_scopes}</option>
      {[...scopes].sort().map((scope) => (
        <option key={scope} value={scope}>
          {scope}
        </option>
      ))}
    </select>
  )
}

interface ToolsProps {
  readonly data: AlarmList
  readonly shown: readonly Alarm[]
  readonly fresh: number
  readonly onRefresh: () => void
}

function Tools({ data, shown, fresh, onRefresh }: ToolsProps) {
  const t = useTexts(texts)
  const { query } = useLocation()
  const number = new Intl.NumberFormat(useLanguage())
  const refusal = useRefusal('responder')
  const { acknowledge } = useAlarmActions()
  const incidents = acknowledgeable(shown)
  const waiting = shown.filter(({ state }) => state === 'UNACK' || state === 'RTNUN').length
  return (
    <div className="alarm-tools">
      <input
        id="alarm-filter"
        type="search"
        aria-label={t.filter}
        aria-keyshortcuts="/"
        placeholder={t.filter_placeholder}
        value={query.get('q') ?? ''}
        onChange={(event) => setQuery({ q: event.target.value }, { replace: true })}
      />
      <ScopeChoice />
      <p className="soft number">
        {t.matching(number.format(shown.length), number.format(data.total))}
        {data.total > data.alarms.length && ` · ${t.too_many}`}
      </p>
      {fresh > 0 && <Button onPress={onRefresh}>{t.fresh(fresh)}</Button>}
      {incidents.length > 0 && (
        <Button refusal={refusal} onPress={() => void acknowledge(incidents)}>
          {t.acknowledge_shown(waiting)}
        </Button>
      )}
    </div>
  )
}
