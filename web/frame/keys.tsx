import { createContext, type ReactNode, use, useEffect, useRef, useState } from 'react'
import { useSettings } from './settings.tsx'

/** What a key does. Names are those of KeyboardEvent.key; `g i` is two keys, one after the other. */
export type KeyMap = Readonly<Record<string, () => void>>

const SEQUENCE_MS = 1_200
const PREFIX = 'g'
const TYPED_INTO =
  'input:not([type=checkbox]), textarea, select, [contenteditable], [role=dialog], [role=menu], [role=listbox]'

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest(TYPED_INTO) !== null
}

/** Space and Enter already mean something to the control that has the focus. */
function isForControl({ key, target }: KeyboardEvent): boolean {
  if (key !== ' ' && key !== 'Enter') return false
  return target instanceof HTMLElement && target.closest('button, a, summary, input') !== null
}

/** All shortcuts of the page, asked in the order in which they came: a page that is shown later goes first. */
class Keyboard {
  private readonly maps: { readonly current: KeyMap }[] = []
  private prefixed_at_ms: number | null = null

  add(map: { readonly current: KeyMap }): () => void {
    this.maps.unshift(map)
    return () => this.maps.splice(this.maps.indexOf(map), 1)
  }

  readonly pressed = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (isTyping(event.target) || isForControl(event)) return
    const sequence = this.prefixed_at_ms !== null && event.timeStamp - this.prefixed_at_ms < SEQUENCE_MS
    this.prefixed_at_ms = event.key === PREFIX ? event.timeStamp : null
    // The second key of a sequence means nothing by itself.
    const name = sequence ? `${PREFIX} ${event.key}` : event.key
    const action = this.maps.find(({ current }) => name in current)?.current[name]
    if (!action) return
    event.preventDefault()
    action()
  }
}

const KeyboardContext = createContext<Keyboard | null>(null)

/** Shortcuts rest while somebody types or a dialog is open, and when Settings say so. */
export function KeyboardProvider({ children }: { readonly children: ReactNode }) {
  const { settings } = useSettings()
  const [keyboard] = useState(() => new Keyboard())
  useEffect(() => {
    if (!settings.keys) return
    window.addEventListener('keydown', keyboard.pressed)
    return () => window.removeEventListener('keydown', keyboard.pressed)
  }, [settings.keys, keyboard])
  return <KeyboardContext value={keyboard}>{children}</KeyboardContext>
}

/** Shortcuts while the component is there. */
export function useKeys(map: KeyMap): void {
  const keyboard = use(KeyboardContext)
  const current = useRef(map)
  useEffect(() => {
    current.current = map
  })
  useEffect(() => keyboard?.add(current), [keyboard])
}
