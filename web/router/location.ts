import { useSyncExternalStore } from 'react'

/**
 * The address is the view: page, filters, sort, open panel, zone. This module is the only one that writes it. Leaving a page
 * remembers where it was scrolled to, and coming back by the browser's buttons goes there again.
 */

export interface Location {
  readonly path: string
  readonly query: URLSearchParams
}

interface Entry {
  readonly key: number
}

const listeners = new Set<() => void>()
const scrolls = new Map<number, ReadonlyMap<string, number>>()
let here = read()
let entry_key = keyOf(history.state)
let restored: ReadonlyMap<string, number> | null = null

function read(): Location {
  return { path: window.location.pathname, query: new URLSearchParams(window.location.search) }
}

function keyOf(state: unknown): number {
  const key = (state as Entry | null)?.key
  return typeof key === 'number' ? key : 0
}

/** Scrolled elements say who they are by `data-scroll`. */
function rememberScroll(): void {
  const places = new Map<string, number>()
  for (const element of document.querySelectorAll<HTMLElement>('[data-scroll]'))
    places.set(element.dataset['scroll'] ?? '', element.scrollTop)
  scrolls.set(entry_key, places)
}

function changed(): void {
  here = read()
  for (const listener of listeners) listener()
}

window.addEventListener('popstate', (event) => {
  entry_key = keyOf(event.state)
  restored = scrolls.get(entry_key) ?? null
  changed()
})

/** Where an element was scrolled to when this entry of the history was left; asked for once. */
export function takeScroll(name: string): number | null {
  const top = restored?.get(name) ?? null
  if (top !== null) restored = null
  return top
}

function addressOf(path: string, query: URLSearchParams): string {
  const text = query.toString()
  return text === '' ? path : `${path}?${text}`
}

/** Goes to an address of the console. `replace`: without a new entry in the history. */
export function navigate(address: string, { replace = false } = {}): void {
  if (address === addressOf(here.path, here.query)) return
  rememberScroll()
  restored = null
  if (replace) history.replaceState({ key: entry_key }, '', address)
  else {
    entry_key += 1
    history.pushState({ key: entry_key }, '', address)
  }
  changed()
}

/** Sets or (with null) removes parameters of the present address. */
export function setQuery(
  changes: Readonly<Record<string, string | null>>,
  options: { readonly replace?: boolean } = {},
): void {
  navigate(addressWith(here, changes), options)
}

function addressWith({ path, query }: Location, changes: Readonly<Record<string, string | null>>): string {
  const next = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(name)
    else next.set(name, value)
  }
  return addressOf(path, next)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useLocation(): Location {
  return useSyncExternalStore(subscribe, () => here)
}
