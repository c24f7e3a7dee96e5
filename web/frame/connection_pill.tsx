import { useEffect } from 'react'
import { useLive, useLiveStatus } from '../live/store.ts'
import { clockTime, useNow } from '../parts/time.tsx'
import { useLanguage, useTexts } from '../texts/catalogue.ts'
import { useAnnounce } from './announcer.tsx'
import { texts } from './texts.ts'
import { useZone } from './zone.ts'

/** Whether what the page shows is what is. */
export function ConnectionPill() {
  const t = useTexts(texts)
  const live = useLive()
  const { connection } = useLiveStatus()
  const word = useConnectionWord()
  const announce = useAnnounce()
  const is_stale = connection.state === 'stale'
  useEffect(() => {
    if (is_stale) announce(word)
  }, [is_stale, word, announce])
  if (!is_stale)
    return (
      <span className="pill" data-state={connection.state}>
        {word}
      </span>
    )
  return (
    <button
      type="button"
      className="pill"
      data-state="stale"
      title={t.retry_now}
      onClick={() => live.retryNow()}
    >
      {word}
    </button>
  )
}

function useConnectionWord(): string {
  const t = useTexts(texts)
  const language = useLanguage()
  const zone = useZone()
  const now_ms = useNow()
  const { connection } = useLiveStatus()
  switch (connection.state) {
    case 'connecting':
      return t.connecting
    case 'catching-up':
      return t.catching_up
    case 'live':
      return t.live
    case 'stale':
      return t.stale(clockTime(language, zone, connection.since_ms, now_ms))
  }
}
