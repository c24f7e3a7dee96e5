import { useEffect, useRef } from 'react'
import { useSettings } from './settings.tsx'

/** What a key does. Names are those of KeyboardEvent.key; `g i` is two keys, one after the other. */
export type KeyMap = Readonly<Record<string, () => void>>

const SEQUENCE_MS = 1_200
let prefix: { readonly key: string; readonly at_ms: number } | null = null

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return (
    target.closest(
      'input:not([type=checkbox]), textarea, select, [contenteditable], [role=dialog], [role=menu]',
    ) !== null
  )
}

/** Space and Enter already mean something to the control that has the focus. */
function isForControl(event: KeyboardEvent): boolean {
  if (event.key !== ' ' && event.key !== 'Enter') return false
  return event.target instanceof HTMLElement && event.target.closest('button, a, summary, input') !== null
}

/** Shortcuts while the component is there. They rest while somebody types or a dialog is open, and when Settings say so. */
export function useKeys(map: KeyMap): void {
  const { settings } = useSettings()
  const current = useRef(map)
  useEffect(() => {
    current.current = map
  })
  useEffect(() => {
    if (!settings.keys) return
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      if (isTyping(event.target) || isForControl(event)) return
      const sequence =
        prefix && event.timeStamp - prefix.at_ms < SEQUENCE_MS ? `${prefix.key} ${event.key}` : null
      // The second key of a sequence means nothing by itself.
      const action = current.current[sequence ?? event.key]
      if (!action) return
      event.preventDefault()
      prefix = null
      action()
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  }, [settings.keys])
}

/** `g` begins a sequence; noted after all others had the key. */
export function watchPrefix(): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return
    prefix = event.key === 'g' ? { key: 'g', at_ms: event.timeStamp } : null
  }
  window.addEventListener('keydown', pressed)
  return () => window.removeEventListener('keydown', pressed)
}
