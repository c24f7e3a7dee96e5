import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react'

/** Somebody who listens is told at most one line in this time; of what came meanwhile, the newest. */
const INTERVAL_MS = 10_000

const AnnounceContext = createContext<(line: string) => void>(() => {})

/** Says a line to whoever listens instead of looking. */
export function useAnnounce(): (line: string) => void {
  return use(AnnounceContext)
}

export function Announcer({ children }: { readonly children: ReactNode }) {
  const [line, setLine] = useState('')
  const said_at_ms = useRef(-INTERVAL_MS)
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const announce = useCallback((next: string) => {
    clearTimeout(waiting.current)
    const wait_ms = Math.max(0, said_at_ms.current + INTERVAL_MS - performance.now())
    waiting.current = setTimeout(() => {
      said_at_ms.current = performance.now()
      setLine(next)
    }, wait_ms)
  }, [])
  useEffect(() => () => clearTimeout(waiting.current), [])
  return (
    <AnnounceContext value={announce}>
      {children}
      <div role="status" aria-live="polite" className="unseen">
        {line}
      </div>
    </AnnounceContext>
  )
}
