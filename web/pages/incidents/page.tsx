import { lazy, Suspense, useMemo, useState } from 'react'
import { ActionDialog, type AskedAction } from '../../actions/action_dialog.tsx'
import { useLiveIncidents, useLiveStatus } from '../../live/store.ts'
import { useStillOrder } from '../../parts/still_order.ts'
import { setQuery, useLocation } from '../../router/location.ts'
import { Actions } from './actions_bar.tsx'
import { Empty } from './empty.tsx'
import { Filters } from './filters.tsx'
import './incidents.css'
import { useIncidentKeys } from './keys.ts'
import { Skeleton } from './skeleton.tsx'
import { Strip } from './strip.tsx'
import { Table } from './table.tsx'
import { useActive, useOpened, useSelection } from './use_list.ts'
import { countsOf, FILTERS, ordered, viewOf } from './view.ts'
import { Waiting } from './waiting.tsx'

const IncidentPage = lazy(async () => ({ default: (await import('../incident/page.tsx')).IncidentPage }))
const Peek = lazy(async () => ({ default: (await import('../incident/peek.tsx')).Peek }))

/** `/incidents` shows what needs somebody; `/incidents/<id>` shows one. */
export function IncidentsPage() {
  const { path } = useLocation()
  const id = path.split('/')[2] ?? ''
  if (id === '') return <IncidentList />
  return (
    <Suspense fallback={null}>
      <IncidentPage key={id} id={decodeURIComponent(id)} />
    </Suspense>
  )
}

/** The parameters that decide which incidents are listed, and in which order. */
const ASKED = [...FILTERS, 'sort'] as const

function useWanted(): { readonly wanted: readonly string[]; readonly question: string } {
  const incidents = useLiveIncidents()
  const { query } = useLocation()
  const question = new URLSearchParams(
    ASKED.flatMap((name) => (query.has(name) ? [[name, query.get(name) ?? '']] : [])),
  ).toString()
  const view = useMemo(() => viewOf(new URLSearchParams(question)), [question])
  const wanted = useMemo(() => ordered(view, incidents.values()), [view, incidents])
  return { wanted, question }
}

function IncidentList() {
  const incidents = useLiveIncidents()
  const { loaded, error } = useLiveStatus()
  const { wanted, question } = useWanted()
  const [hand, setHand] = useState(false)
  const opened = useOpened(wanted, loaded)
  const selection = useSelection()
  const held = loaded && (hand || opened.by_hand || selection.ids.size > 0)
  const order = useStillOrder(wanted, held, question)
  const active = useActive(order.shown, opened.id)
  const [asked, setAsked] = useState<AskedAction | null>(null)
  const counts = useMemo(() => countsOf(incidents.values()), [incidents])
  const targets = selection.ids.size > 0 ? [...selection.ids] : active.id === null ? [] : [active.id]
  useIncidentKeys({ order, active, selection, targets, opened, onAsk: setAsked })
  return (
    <div className={opened.id === null ? 'incidents' : 'incidents with-panel'}>
      <h1 className="unseen">Incidents</h1>
      <div className="incidents-list">
        <Strip counts={counts} />
        <Filters />
        <Waiting order={order} kept={counts.kept} />
        {loaded || order.shown.length > 0 ? (
          <Table order={order.shown} active={active} selection={selection} onHand={setHand} />
        ) : (
          <Skeleton />
        )}
        <Empty shown={order.shown.length} loaded={loaded} error={error} />
        {selection.ids.size > 0 && (
          <Actions ids={targets} onAsk={setAsked} onDrop={() => selection.set(new Set())} />
        )}
      </div>
      {opened.id !== null && (
        <Suspense fallback={<aside className="panel" />}>
          <Peek
            key={opened.id}
            id={opened.id}
            onClose={() => setQuery({ panel: 'none' }, { replace: true })}
          />
        </Suspense>
      )}
      {asked && targets.length > 0 && (
        <ActionDialog action={asked} ids={targets} onClose={() => setAsked(null)} />
      )}
    </div>
  )
}
