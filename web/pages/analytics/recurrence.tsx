import { DataTable } from '../../parts/data_table.tsx'
import { Age } from '../../parts/time.tsx'
import { Link } from '../../router/link.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import { useRows } from './ask.ts'
import { useFormats } from './format.ts'
import { Panel } from './panel.tsx'
import type { Root } from './rows.ts'
import { texts } from './texts.ts'

const SHOWN = 10

/** Which alerts are at the root of incident after incident: few are most of the work. */
export function Recurrence() {
  const t = useTexts(texts)
  const { count, share, figure } = useFormats()
  const asked = useRows('recurrence')
  const rows = asked.answer?.rows ?? []
  const [first] = rows
  const shown = rows.slice(0, SHOWN)
  const last = (row: Root) => (
    <Link to={`/incidents/${encodeURIComponent(row.last_id)}`}>
      <Age since_ms={row.last_opened_ms} />
    </Link>
  )
  return (
    <Panel
      name="recurrence"
      title={t.recurrence}
      asked={asked}
      sentence={() =>
        first === undefined
          ? t.nothing_here
          : t.recurrence_sentence(
              `${first.alertname} · ${first.entity}`,
              count(first.incidents),
              share(shown.at(-1)?.cumulative ?? 0),
              count(shown.length),
            )
      }
      chart={() => rows.length > 0 && <Pareto rows={shown} />}
      table={() => (
        <DataTable
          label={t.recurrence}
          rows={rows}
          keyOf={({ root_fingerprint }) => root_fingerprint}
          columns={[
            { title: t.alert, of: ({ alertname }) => alertname },
            { title: t.entity, of: ({ entity }) => entity },
            { title: t.service, of: ({ service }) => service },
            { title: t.incidents, numeric: true, of: (row) => count(row.incidents) },
            { title: t.added_up, numeric: true, of: (row) => share(row.cumulative) },
            { title: t.open_time, numeric: true, of: (row) => figure('ms', row.open_ms) },
            { title: t.last, of: last },
          ]}
        />
      )}
    />
  )
}

function Pareto({ rows }: { readonly rows: readonly Root[] }) {
  const t = useTexts(texts)
  const { count, share } = useFormats()
  const most = Math.max(1, ...rows.map(({ incidents }) => incidents))
  return (
    <ul className="bars pareto" aria-label={t.recurrence_label}>
      {rows.map((row) => (
        <li key={row.root_fingerprint}>
          <Link to={`/incidents/${encodeURIComponent(row.last_id)}`} className="one-line">
            {row.alertname} · {row.entity}
          </Link>
          <span className="bar" aria-hidden="true">
            <span style={{ width: `${(100 * row.incidents) / most}%` }} />
          </span>
          <b className="number">{count(row.incidents)}</b>
          <span className="soft number" title={t.added_up}>
            {share(row.cumulative)}
          </span>
        </li>
      ))}
    </ul>
  )
}
