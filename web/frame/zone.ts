import { useLocation } from '../router/location.ts'
import { useSettings } from './settings.tsx'

/** The zone of this browser. */
export const BROWSER_ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone

export function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** In which zone times are shown and typed: the address says so, else the settings, else the browser. */
export function useZone(): string {
  const { query } = useLocation()
  const { settings } = useSettings()
  const asked = query.get('tz')
  if (asked !== null && isZone(asked)) return asked
  return settings.zone !== null && isZone(settings.zone) ? settings.zone : BROWSER_ZONE
}
