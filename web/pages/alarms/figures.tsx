import { useQuery } from '@tanstack/react-query'
import { useLocation } from '../../router/location.ts'
import { request } from '../../server/request.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import type { AlarmList } from './alarm.ts'
import { texts } from './texts.ts'

/** As /api/v1/analytics gives it, as far as it is used here. */
interface Metric {
  readonly groups: readonly { readonly n: number; readonly value: number | null }[]
}
interface Priorities {
  readonly rows: readonly { readonly severity: string; readonly share: number }[]
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const SLOTS_PER_HOUR = 6
const METRICS = ['alarm_rate', 'flood_time', 'chattering', 'stale_alarms', 'top_ten_share'] as const
type Name = (typeof METRICS)[number]

interface Figures {
  readonly values: Readonly<Record<Name, number | null>>
  readonly priorities: Priorities['rows']
}

/** Figures of the position that is looked at: its scope. */
function useFigures() {
  const scope = useLocation().query.get('scope')
  return useQuery({
    queryKey: ['alarm-figures', scope],
    queryFn: async ({ signal }): Promise<Figures> => {
      const about = new URLSearchParams({ from: String(Date.now() - DAY_MS) })
      if (scope !== null) about.set('scope', scope)
      const ask = <Answer,>(path: string) => request<Answer>(`/api/v1/analytics/${path}?${about}`, { signal })
      const [rows, ...answers] = await Promise.all([
        ask<Priorities>('alarm-priorities'),
        ...METRICS.map((name) => ask<Metric>(`metrics/${name}`)),
      ])
      const values = METRICS.map((name, i) => [name, answers[i]?.groups[0]?.value ?? null])
      return { values: Object.fromEntries(values) as Figures['values'], priorities: rows.rows }
    },
    refetchInterval: MINUTE_MS,
    retry: false,
  })
}

type Row = readonly [title: string, value: string, target: string]

/** How the plant's alarms fare against what ISA-18.2 holds for good. */
export function AlarmFigures({ counts }: { readonly counts: AlarmList['counts'] }) {
  const t = useTexts(texts)
  const language = useLanguage()
  const { data, error } = useFigures()
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 })
  const share = (value: number | null | undefined) => (value == null ? '–' : percent.format(value))
  const rate = data?.values.alarm_rate ?? null
  const rows: readonly Row[] = [
    [t.standing, number.format(counts.active), t.target_standing],
    [t.alarms_per_hour, rate === null ? '–' : number.format(rate * SLOTS_PER_HOUR), t.target_rate],
    [t.flood_time, share(data?.values.flood_time), t.target_flood],
    [t.chattering_share, share(data?.values.chattering), t.target_none],
    [t.stale_share, share(data?.values.stale_alarms), t.target_none],
    [t.top_ten_share, share(data?.values.top_ten_share), t.target_top],
    [t.priorities, prioritiesOf(data?.priorities, percent), t.target_priorities],
  ]
  return (
    <section aria-label={t.figures}>
      <dl className="alarm-figures">
        {rows.map(([title, value, target]) => (
          <div key={title}>
            <dt className="soft">{title}</dt>
            <dd className="number">
              <b>{value}</b>
              <span className="hint">{target}</span>
            </dd>
          </div>
        ))}
      </dl>
      {error !== null && !data && <p className="hint">{t.figures_off}</p>}
    </section>
  )
}

const THIRDS = [['critical', 'high'], ['medium'], ['low', 'info']] as const

function prioritiesOf(rows: Priorities['rows'] | undefined, percent: Intl.NumberFormat): string {
  if (!rows || rows.length === 0) return '–'
  const shares = THIRDS.map((names) =>
    rows
      .filter(({ severity }) => names.some((name) => name === severity))
      .reduce((sum, { share }) => sum + share, 0),
  )
  return shares.map((share) => percent.format(Math.round(share * 100) / 100)).join(' · ')
}
