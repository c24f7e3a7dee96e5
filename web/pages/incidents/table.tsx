import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useWindow } from '../../parts/windowed.ts'
import { takeScroll } from '../../router/location.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { Row, rowId } from './row.tsx'
import { texts } from './texts.ts'
import type { Active, Selection } from './use_list.ts'

const ROW_PX = 56
const CARD_PX = 96
const CARDS_BELOW_PX = 700

interface TableProps {
  readonly order: readonly string[]
  readonly active: Active
  readonly selection: Selection
  /** Somebody is at work in the list, or no longer. */
  readonly onHand: (hand: boolean) => void
}

export function Table(props: TableProps) {
  return props.order.length === 0 ? null : <Grid {...props} />
}

/** The list of incidents: one stop for the tab key, and only the rows in sight are drawn. */
function Grid({ order, active, selection, onHand }: TableProps) {
  const t = useTexts(texts)
  const body = useRef<HTMLDivElement>(null)
  const scroller = useRef<HTMLDivElement>(null)
  const row_px = useRowHeight()
  const { first, end } = useWindow(body, order.length, row_px)
  useHand(scroller, onHand)
  useScrollTo(scroller, active.id === null ? -1 : order.indexOf(active.id), row_px)
  useLayoutEffect(() => {
    const top = takeScroll('incidents')
    if (top !== null) scroller.current?.scrollTo({ top })
  }, [])
  return (
    <div
      ref={scroller}
      className="table"
      role="grid"
      tabIndex={0}
      aria-label={t.list}
      aria-rowcount={order.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={active.id === null ? undefined : rowId(active.id)}
      data-scroll="incidents"
    >
      <Head order={order} selection={selection} />
      <div ref={body} role="rowgroup" className="table-body" style={{ height: order.length * row_px }}>
        {order.slice(first, end).map((id, i) => (
          <Row
            key={id}
            id={id}
            index={first + i}
            top_px={(first + i) * row_px}
            is_active={id === active.id}
            is_selected={selection.ids.has(id)}
            onToggle={() => selection.toggle(id)}
            onActive={() => active.set(id)}
          />
        ))}
      </div>
    </div>
  )
}

function Head({ order, selection }: Pick<TableProps, 'order' | 'selection'>) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const all = selection.ids.size > 0 && order.every((id) => selection.ids.has(id))
  const titles = [
    w.severity,
    w.state,
    t.column_title,
    t.column_about,
    w.alerts,
    t.column_age,
    w.assignee,
    t.column_ticket,
    t.column_changed,
  ]
  return (
    <div role="rowgroup" className="table-head">
      <div role="row" aria-rowindex={1} className="row head">
        <div role="columnheader" className="cell select">
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={t.select_all}
            checked={all}
            onChange={() => selection.set(all ? new Set() : new Set(order))}
          />
        </div>
        {titles.map((title, i) => (
          <div key={title} role="columnheader" className={`cell ${COLUMNS[i] ?? ''}`}>
            {title}
          </div>
        ))}
      </div>
    </div>
  )
}

const COLUMNS = [
  'severity-cell',
  'state',
  'title',
  'about',
  'alerts',
  'age',
  'assignee',
  'ticket',
  'changed',
] as const

function useRowHeight(): number {
  const [narrow, setNarrow] = useState(window.innerWidth < CARDS_BELOW_PX)
  useEffect(() => {
    const media = window.matchMedia(`(max-width: ${CARDS_BELOW_PX - 1}px)`)
    const changed = () => setNarrow(media.matches)
    media.addEventListener('change', changed)
    return () => media.removeEventListener('change', changed)
  }, [])
  return narrow ? CARD_PX : ROW_PX
}

/** A hand is in the list while the pointer is over it, the focus is in it, or it is scrolled away from its top. */
function useHand(scroller: React.RefObject<HTMLElement | null>, onHand: (hand: boolean) => void): void {
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    let over = false
    const tell = () => onHand(over || element.contains(document.activeElement) || element.scrollTop > 0)
    const entered = () => {
      over = true
      tell()
    }
    const left = () => {
      over = false
      tell()
    }
    const soon = () => setTimeout(tell, 0)
    element.addEventListener('pointerenter', entered)
    element.addEventListener('pointerleave', left)
    element.addEventListener('focusin', tell)
    element.addEventListener('focusout', soon)
    element.addEventListener('scroll', tell, { passive: true })
    return () => {
      element.removeEventListener('pointerenter', entered)
      element.removeEventListener('pointerleave', left)
      element.removeEventListener('focusin', tell)
      element.removeEventListener('focusout', soon)
      element.removeEventListener('scroll', tell)
      onHand(false)
    }
  }, [scroller, onHand])
}

/** Keeps the active row in sight, below the head that stays at the top. */
function useScrollTo(scroller: React.RefObject<HTMLElement | null>, index: number, row_px: number): void {
  const before = useRef(index)
  useEffect(() => {
    const element = scroller.current
    if (!element || index < 0 || index === before.current) return
    before.current = index
    const head_px = element.querySelector<HTMLElement>('.table-head')?.offsetHeight ?? 0
    const top = index * row_px
    if (top < element.scrollTop) element.scrollTo({ top })
    else if (top + row_px + head_px > element.scrollTop + element.clientHeight)
      element.scrollTo({ top: top + row_px + head_px - element.clientHeight })
  }, [scroller, index, row_px])
}
