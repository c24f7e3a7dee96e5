import { useQuery } from '@tanstack/react-query'
import { DataTable } from '../../parts/data_table.tsx'
import { Age } from '../../parts/time.tsx'
import { request } from '../../server/request.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { texts } from './texts.ts'

/** As api/routes/series.ts gives it. */
interface Series {
  readonly device: string
  readonly labels: Readonly<Record<string, string>>
  readonly detectors: readonly {
    readonly rule: string
    readonly holds: readonly {
      readonly condition: string
      readonly told: boolean
      readonly since_ms: number
    }[]
  }[]
}

const REFRESH_MS = 5_000

/** What detectors hold back while a machine stands is no alert yet: it is told at the end of the stop if it still holds. */
export function HeldByStops() {
  const t = useTexts(texts)
  const { data } = useQuery({
    queryKey: ['series', 'alerting'],
    queryFn: ({ signal }) =>
      request<{ series: readonly Series[] }>('/api/v1/series?alerting=true&limit=1000', { signal }),
    refetchInterval: ({ state }) => (state.data ? REFRESH_MS : false),
  })
  const held = (data?.series ?? []).flatMap(({ device, labels, detectors }) =>
    detectors.flatMap(({ rule, holds }) =>
      holds
        .filter(({ told }) => !told)
        .map((hold) => ({ ...hold, device, rule, metric: labels['metric'] ?? '' })),
    ),
  )
  if (held.length === 0) return null
  return (
    <section className="card held-by-stops">
      <h2>{t.held_by_stops}</h2>
      <DataTable
        label={t.held_by_stops}
        rows={held}
        keyOf={({ device, metric, rule, condition }) => `${device} ${metric} ${rule} ${condition}`}
        columns={[
          { title: t.device, of: ({ device }) => device },
          { title: t.tag, of: ({ metric }) => metric },
          { title: t.condition, of: ({ rule, condition }) => `${rule}: ${condition}` },
          { title: t.on_since, of: ({ since_ms }) => <Age since_ms={since_ms} /> },
        ]}
      />
    </section>
  )
}
