import { useZone } from '../../frame/zone.ts'
import { DataTable } from '../../parts/data_table.tsx'
import { useNarrow } from '../../parts/narrow.ts'
import { type Language, useLanguage, useTexts } from '../../texts/catalogue.ts'
import { useRows } from './ask.ts'
import { useFormats } from './format.ts'
import { Panel } from './panel.tsx'
import type { Hour } from './rows.ts'
import { texts } from './texts.ts'

const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7]
const HOURS = Array.from({ length: 24 }, (_, hour) => hour)
/** The first of January 2024 was a Monday. */
const A_MONDAY_MS = Date.UTC(2024, 0, 1)
const DAY_MS = 86_400_000

function weekdayName(language: Language, weekday: number, form: 'short' | 'long'): string {
  const format = new Intl.DateTimeFormat(language, { weekday: form, timeZone: 'UTC' })
  return format.format(A_MONDAY_MS + (weekday - 1) * DAY_MS)
}

const two = (hour: number) => String(hour).padStart(2, '0')

/** When incidents are opened: the counts themselves, the darker the more. */
export function Hours() {
  const t = useTexts(texts)
  const language = useLanguage()
  const zone = useZone()
  const { count, figure } = useFormats()
  const asked = useRows('heatmap')
  const rows = asked.answer?.rows ?? []
  const most = rows.reduce<Hour | null>(
    (best, one) => (one.incidents > (best?.incidents ?? 0) ? one : best),
    null,
  )
  return (
    <Panel
      name="hours"
      title={t.hours_panel}
      wide
      asked={asked}
      sentence={() =>
        most === null
          ? t.nothing
          : t.hours_sentence(
              `${weekdayName(language, most.weekday, 'long')} ${two(most.hour)}:00–${two(most.hour)}:59`,
              count(most.incidents),
              zone,
            )
      }
      chart={() => most && <HeatMap rows={rows} most={most.incidents} />}
      table={() => (
        <DataTable
          label={t.hours_panel}
          rows={rows}
          keyOf={({ weekday, hour }) => `${weekday} ${hour}`}
          columns={[
            { title: t.weekday, of: ({ weekday }) => weekdayName(language, weekday, 'long') },
            { title: t.hour, numeric: true, of: ({ hour }) => two(hour) },
            { title: t.incidents, numeric: true, of: ({ incidents }) => count(incidents) },
            { title: t.hours_of_period, numeric: true, of: ({ hours }) => figure('count', hours) },
            {
              title: t.per_hour,
              numeric: true,
              of: ({ incidents, hours }) => (hours === 0 ? '–' : figure('count', incidents / hours)),
            },
          ]}
        />
      )}
    />
  )
}

/** A table in which shades say what the numbers say; days are its rows where there is room for a row of hours, else its columns. */
function HeatMap({ rows, most }: { readonly rows: readonly Hour[]; readonly most: number }) {
  const t = useTexts(texts)
  const language = useLanguage()
  const narrow = useNarrow()
  const { count } = useFormats()
  const counts = new Map(rows.map(({ weekday, hour, incidents }) => [`${weekday} ${hour}`, incidents]))
  const cell = (weekday: number, hour: number) => {
    const n = counts.get(`${weekday} ${hour}`) ?? 0
    const shade = n === 0 ? 0 : Math.ceil((n / most) * 5)
    return (
      <td key={`${weekday} ${hour}`} data-shade={shade} className="number">
        {n === 0 ? '' : count(n)}
      </td>
    )
  }
  const dayHead = (weekday: number, scope: 'row' | 'col') => (
    <th key={weekday} scope={scope}>
      {weekdayName(language, weekday, 'short')}
    </th>
  )
  const hourHead = (hour: number, scope: 'row' | 'col') => (
    <th key={hour} scope={scope} className="number">
      {two(hour)}
    </th>
  )
  return (
    <table className="heat" aria-label={t.hours_label}>
      <thead>
        <tr>
          <th scope="col">
            <span className="unseen">{narrow ? t.hour : t.weekday}</span>
          </th>
          {narrow ? WEEKDAYS.map((day) => dayHead(day, 'col')) : HOURS.map((hour) => hourHead(hour, 'col'))}
        </tr>
      </thead>
      <tbody>
        {narrow
          ? HOURS.map((hour) => (
              <tr key={hour}>
                {hourHead(hour, 'row')}
                {WEEKDAYS.map((day) => cell(day, hour))}
              </tr>
            ))
          : WEEKDAYS.map((day) => (
              <tr key={day}>
                {dayHead(day, 'row')}
                {HOURS.map((hour) => cell(day, hour))}
              </tr>
            ))}
      </tbody>
    </table>
  )
}
