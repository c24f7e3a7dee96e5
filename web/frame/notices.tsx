import { createContext, type ReactNode, use, useCallback, useMemo, useState } from 'react'
import { Button } from '../parts/button.tsx'
import { useTexts } from '../texts/catalogue.ts'
import { words } from '../texts/words.ts'
import { useAnnounce } from './announcer.tsx'

export interface Notice {
  readonly text: string
  /** What takes it back, where that is possible. */
  readonly undo?: () => void
  /** One line for each item that went wrong. */
  readonly details?: readonly string[]
}

const NoticesContext = createContext<(notice: Notice) => void>(() => {})

/** Shows what was done at the edge of the page, until it is closed or the next one comes. */
export function useNotify(): (notice: Notice) => void {
  return use(NoticesContext)
}

export function Notices({ children }: { readonly children: ReactNode }) {
  const [notice, setNotice] = useState<Notice | null>(null)
  const announce = useAnnounce()
  const notify = useCallback(
    (next: Notice) => {
      setNotice(next)
      announce(next.text)
    },
    [announce],
  )
  const shown = useMemo(() => notice && <Shown notice={notice} onClose={() => setNotice(null)} />, [notice])
  return (
    <NoticesContext value={notify}>
      {children}
      {shown}
    </NoticesContext>
  )
}

function Shown({ notice, onClose }: { readonly notice: Notice; readonly onClose: () => void }) {
  const t = useTexts(words)
  const { text, undo, details = [] } = notice
  return (
    <div className="notice">
      <div>
        <p>{text}</p>
        {details.length > 0 && (
          <ul>
            {details.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        )}
      </div>
      {undo && (
        <Button
          onPress={() => {
            onClose()
            undo()
          }}
        >
          {t.undo}
        </Button>
      )}
      <Button kind="quiet" label={t.close} onPress={onClose}>
        ✕
      </Button>
    </div>
  )
}
