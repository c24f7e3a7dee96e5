import { createContext, type ReactNode, use, useCallback, useMemo, useState } from 'react'
import { LANGUAGES, type Language } from '../texts/catalogue.ts'

/** What a person has chosen for this browser. */
export interface Settings {
  readonly language: Language
  readonly theme: 'system' | 'light' | 'dark'
  /** An IANA zone; null: the browser's own. */
  readonly zone: string | null
  /** Shortcuts of single letters may be in the way of assistive software (WCAG 2.1.4). */
  readonly keys: boolean
  /** Unacknowledged plant alarms blink. */
  readonly blink: boolean
  /** In whose name commands are sent where there is no login; empty: nobody's. */
  readonly name: string
}

const STORED_AS = 'tocsin-settings'

function preferredLanguage(): Language {
  for (const tag of navigator.languages) {
    const found = LANGUAGES.find((language) => language.split('-')[0] === tag.split('-')[0]?.toLowerCase())
    if (found) return found
  }
  return 'en'
}

function defaults(): Settings {
  return { language: preferredLanguage(), theme: 'system', zone: null, keys: true, blink: true, name: '' }
}

/** A browser may refuse to store anything; the settings then last as long as the page. */
function read(): Settings {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED_AS) ?? '{}')
    return { ...defaults(), ...(stored as Partial<Settings>) }
  } catch {
    return defaults()
  }
}

function write(settings: Settings): void {
  try {
    localStorage.setItem(STORED_AS, JSON.stringify(settings))
  } catch {
    // See read().
  }
}

interface SettingsAccess {
  readonly settings: Settings
  readonly change: (changes: Partial<Settings>) => void
}

const SettingsContext = createContext<SettingsAccess | null>(null)

export function SettingsProvider({ children }: { readonly children: ReactNode }) {
  const [settings, setSettings] = useState(read)
  const change = useCallback((changes: Partial<Settings>) => {
    setSettings((before) => {
      const next = { ...before, ...changes }
      write(next)
      return next
    })
  }, [])
  const access = useMemo(() => ({ settings, change }), [settings, change])
  return <SettingsContext value={access}>{children}</SettingsContext>
}

export function useSettings(): SettingsAccess {
  const access = use(SettingsContext)
  if (!access) throw new Error('outside of SettingsProvider')
  return access
}
