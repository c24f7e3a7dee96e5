import { useState } from 'react'
import { setQuery, useLocation } from '../../router/location.ts'

/** From here on there is room for a panel beside the list. */
const PANEL_MIN_PX = 1_100

export interface Active {
  /** The row that keys act on. */
  readonly id: string | null
  readonly set: (id: string | null) => void
}

export interface Selection {
  readonly ids: ReadonlySet<string>
  readonly set: (ids: ReadonlySet<string>) => void
  readonly toggle: (id: string) => void
}

export interface Opened {
  readonly id: string | null
  /** False: nobody asked for it, it is there because there is room. */
  readonly by_hand: boolean
}

/** The active row; where it left the list, the one that is at its place now. */
export function useActive(shown: readonly string[], opened: string | null): Active {
  const [active, setActive] = useState<string | null>(null)
  const [place, setPlace] = useState(0)
  const found = active === null ? -1 : shown.indexOf(active)
  const id = found >= 0 ? active : (shown[Math.min(place, shown.length - 1)] ?? null)
  return {
    id: active === null ? (opened ?? id) : id,
    set(next) {
      setActive(next)
      if (next !== null) setPlace(Math.max(0, shown.indexOf(next)))
    },
  }
}

export function useSelection(): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set())
  const toggle = (id: string) => {
    const next = new Set(ids)
    if (!next.delete(id)) next.add(id)
    setIds(next)
  }
  return { ids, set: setIds, toggle }
}

/** Which incident is open beside the list: the one of the address, else the first when there is room. `panel=none`: nothing. */
export function useOpened(wanted: readonly string[], loaded: boolean): Opened {
  const { query } = useLocation()
  const panel = query.get('panel')
  const [first, setFirst] = useState<string | null>(null)
  const candidate = wanted[0] ?? null
  if (panel === null && first === null && loaded && candidate !== null && window.innerWidth >= PANEL_MIN_PX)
    setFirst(candidate)
  if (panel === 'none') return { id: null, by_hand: false }
  return panel === null ? { id: first, by_hand: false } : { id: panel, by_hand: true }
}

export function openPanel(id: string | null): void {
  setQuery({ panel: id ?? 'none' }, { replace: true })
}
