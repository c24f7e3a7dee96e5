import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { I18nProvider } from 'react-aria-components'
import { Commands, CommandsContext } from '../live/commands.ts'
import { LiveContext, LiveStore } from '../live/store.ts'
import { ServerError, setActor } from '../server/request.ts'
import { LanguageContext } from '../texts/catalogue.ts'
import { Announcer } from './announcer.tsx'
import { Frame } from './frame.tsx'
import { KeyboardProvider } from './keys.tsx'
import { Notices } from './notices.tsx'
import { SettingsProvider, useSettings } from './settings.tsx'

const STALE_AFTER_MS = 10_000
const RETRIES = 2

function makeQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: STALE_AFTER_MS,
        refetchOnWindowFocus: false,
        // What the server refuses stays refused; what did not answer may answer yet.
        retry: (failures, error) =>
          failures < RETRIES && !(error instanceof ServerError && error.status >= 400 && error.status < 500),
      },
    },
  })
}

/** Everything that lives as long as the page. */
export function App() {
  const [queries] = useState(makeQueries)
  const [live] = useState(() => new LiveStore())
  const [commands] = useState(() => new Commands(live))
  useEffect(() => {
    live.start()
    return () => live.stop()
  }, [live])
  return (
    <QueryClientProvider client={queries}>
      <LiveContext value={live}>
        <CommandsContext value={commands}>
          <SettingsProvider>
            <InSettings />
          </SettingsProvider>
        </CommandsContext>
      </LiveContext>
    </QueryClientProvider>
  )
}

function InSettings() {
  const { settings } = useSettings()
  const { language, theme, name } = settings
  setActor(name.trim() === '' ? null : name.trim())
  useEffect(() => {
    document.documentElement.lang = language
    if (theme === 'system') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = theme
  }, [language, theme])
  return (
    <LanguageContext value={language}>
      <I18nProvider locale={language}>
        <Announcer>
          <Notices>
            <KeyboardProvider>
              <Frame />
            </KeyboardProvider>
          </Notices>
        </Announcer>
      </I18nProvider>
    </LanguageContext>
  )
}
