import { useAct } from '../../actions/actions.ts'
import type { AskedAction } from '../../actions/action_dialog.tsx'
import { useKeys } from '../../frame/keys.tsx'
import { useRefusal } from '../../frame/session.ts'
import type { StillOrder } from '../../parts/still_order.ts'
import { navigate } from '../../router/location.ts'
import { type Active, type Opened, openPanel, type Selection } from './use_list.ts'

interface KeyParts {
  readonly order: StillOrder
  readonly active: Active
  readonly selection: Selection
  /** What an action is about: the selection, else the active row. */
  readonly targets: readonly string[]
  readonly opened: Opened
  readonly onAsk: (action: AskedAction) => void
}

/** The keyboard of the list. */
export function useIncidentKeys({ order, active, selection, targets, opened, onAsk }: KeyParts): void {
  const act = useAct()
  const refusal = useRefusal('responder')
  const { shown } = order
  const step = (by: number) => {
    if (shown.length === 0) return
    const at = active.id === null ? -1 : shown.indexOf(active.id)
    const next = shown[Math.max(0, Math.min(shown.length - 1, at + by))] ?? null
    active.set(next)
    document.querySelector<HTMLElement>('[role=grid]')?.focus({ preventScroll: true })
    if (opened.by_hand) openPanel(next)
  }
  const ask = (action: AskedAction) => () => {
    if (refusal === null && targets.length > 0) onAsk(action)
  }
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Enter: () => {
      if (active.id !== null) navigate(`/incidents/${encodeURIComponent(active.id)}`)
    },
    ' ': () => openPanel(opened.by_hand && opened.id === active.id ? null : active.id),
    x: () => {
      if (active.id !== null) selection.toggle(active.id)
    },
    '*': () => selection.set(selection.ids.size === shown.length ? new Set() : new Set(shown)),
    '.': order.refresh,
    '/': () => document.querySelector<HTMLElement>('#filter')?.focus(),
    Escape: () => {
      if (selection.ids.size > 0) selection.set(new Set())
      else openPanel(null)
    },
    a: () => {
      if (refusal === null && targets.length > 0) void act(targets, { kind: 'acknowledge' })
    },
    i: ask('assign'),
    r: ask('resolve'),
    s: ask('silence'),
    m: ask('merge'),
    c: ask('comment'),
  })
}
