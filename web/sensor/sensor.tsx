import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { useSettings } from '../frame/settings.tsx'
import { useZone } from '../frame/zone.ts'
import { useLive } from '../live/store.ts'
import { Button } from '../parts/button.tsx'
import { DataTable } from '../parts/data_table.tsx'
import { clockTime, Moment } from '../parts/time.tsx'
import { request, ServerError } from '../server/request.ts'
import { useLanguage, useTexts } from '../texts/catalogue.ts'
import type { Evidence } from './evidence.ts'
import type { Stretch } from './plot.tsx'
import './sensor.css'
import { texts } from './texts.ts'

const Plot = lazy(async () => ({ default: (await import('./plot.tsx')).Plot }))

const REFRESH_MS = 2_000
const ZOOMS_MIN = [10, 2] as const
const MINUTE_MS = 60_000

/** The readings around an alert of a detector: plot, sentence and table. */
export function Sensor({ fingerprint }: { readonly fingerprint: string }) {
  const t = useTexts(texts)
  const { data, error } = useQuery({
    queryKey: ['evidence', fingerprint],
    queryFn: ({ signal }) =>
      request<Evidence>(`/api/v1/series/evidence?fingerprint=${encodeURIComponent(fingerprint)}`, { signal }),
    refetchInterval: ({ state }) => (state.data?.cleared_at_ms === null ? REFRESH_MS : false),
  })
  if (data) return <Shown evidence={data} />
  if (!(error instanceof ServerError)) return <p className="soft sensor-space">{t.loading}</p>
  return <p className="soft">{error.status === 404 ? t.unknown : t.unreadable(error.code)}</p>
}

function Shown({ evidence }: { readonly evidence: Evidence }) {
  const t = useTexts(texts)
  const { settings } = useSettings()
  const [minutes, setMinutes] = useState<number | null>(null)
  const [as_table, setAsTable] = useState(false)
  return (
    <div className="sensor">
      <div className="sensor-head">
        <Sentence evidence={evidence} />
        <div className="sensor-tools" role="group" aria-label={t.zoom}>
          {[null, ...ZOOMS_MIN].map((one) => (
            <Button key={one} kind="quiet" pressed={one === minutes} onPress={() => setMinutes(one)}>
              {one === null ? t.zoom_all : t.zoom_minutes(one)}
            </Button>
          ))}
          <Button kind="quiet" pressed={as_table} onPress={() => setAsTable(!as_table)}>
            {t.table}
          </Button>
        </div>
      </div>
      {as_table ? (
        <Points evidence={evidence} />
      ) : (
        <Suspense fallback={<div className="sensor-space" />}>
          <Plot key={settings.theme} evidence={evidence} stretch={stretchOf(evidence, minutes)} />
        </Suspense>
      )}
    </div>
  )
}

function stretchOf({ raised_at_ms }: Evidence, minutes: number | null): Stretch | null {
  if (minutes === null) return null
  return { from_ms: raised_at_ms - minutes * MINUTE_MS, to_ms: raised_at_ms + minutes * MINUTE_MS }
}

function useValue({ unit }: Evidence): (value: number) => string {
  const number = new Intl.NumberFormat(useLanguage(), { maximumSignificantDigits: 6 })
  return (value) => (unit === '' ? number.format(value) : `${number.format(value)} ${unit}`)
}

/** What the plot says, in words. */
function Sentence({ evidence }: { readonly evidence: Evidence }) {
  const t = useTexts(texts)
  const language = useLanguage()
  const zone = useZone()
  const live = useLive()
  const shown = useValue(evidence)
  const time = (at_ms: number) => clockTime(language, zone, at_ms, live.now())
  const { labels, alertname, value, limit, band, raised_at_ms, cleared_at_ms } = evidence
  const raised = time(raised_at_ms)
  const said = [
    value === null ? t.raised_without(raised) : t.raised(shown(value), raised),
    limit !== null && t.limit(shown(limit)),
    band !== null && t.usual(shown(band[0]), shown(band[1])),
    cleared_at_ms === null ? t.still : t.cleared(time(cleared_at_ms)),
  ]
  return (
    <p>
      <strong>{labels['metric'] ?? alertname}</strong>{' '}
      <span className="number">{said.filter((one) => one !== false).join(' · ')}</span>
    </p>
  )
}

function Points({ evidence }: { readonly evidence: Evidence }) {
  const t = useTexts(texts)
  const shown = useValue(evidence)
  const cell = (value: number | null) => (value === null ? t.no_quality : shown(value))
  return (
    <DataTable
      label={t.sensor}
      rows={evidence.points}
      keyOf={([from_ms, to_ms]) => `${from_ms} ${to_ms}`}
      columns={[
        { title: t.from, of: ([from_ms]) => <Moment at_ms={from_ms} /> },
        { title: t.to, of: ([, to_ms]) => <Moment at_ms={to_ms} /> },
        { title: t.least, numeric: true, of: ([, , least]) => cell(least) },
        { title: t.greatest, numeric: true, of: ([, , , greatest]) => cell(greatest) },
      ]}
    />
  )
}
