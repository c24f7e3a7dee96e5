import { useMemo } from 'react'
import { ComboBox, type ComboBoxItem } from '../parts/combobox.tsx'
import { setQuery } from '../router/location.ts'
import { useTexts } from '../texts/catalogue.ts'
import { useSession } from './session.ts'
import { useSettings } from './settings.tsx'
import { texts } from './texts.ts'
import { BROWSER_ZONE, isZone, useZone } from './zone.ts'

/** In which zone all times are shown; it becomes part of the address, and the choice for later. */
export function ZonePicker() {
  const t = useTexts(texts)
  const zone = useZone()
  const site = useSession()?.site_time_zone ?? null
  const { change } = useSettings()
  const items = useMemo<readonly ComboBoxItem[]>(() => {
    const first = [
      { id: BROWSER_ZONE, name: BROWSER_ZONE, hint: t.zone_browser },
      ...(site === null ? [] : [{ id: site, name: site, hint: t.zone_site }]),
      { id: 'UTC', name: 'UTC', hint: '' },
    ]
    const named = new Set<string>()
    const all = [...first, ...Intl.supportedValuesOf('timeZone').map((id) => ({ id, name: id, hint: '' }))]
    return all.filter(({ id }) => !named.has(id) && named.add(id))
  }, [site, t])
  const pick = (id: string) => {
    if (!isZone(id)) return
    change({ zone: id === BROWSER_ZONE ? null : id })
    setQuery({ tz: id === BROWSER_ZONE ? null : id }, { replace: true })
  }
  return (
    <ComboBox label={t.zone} hide_label items={items} value={zone} onPick={pick} className="zone-picker" />
  )
}
