import { DataTable } from '../../parts/data_table.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import { useRows } from './ask.ts'
import { useFormats } from './format.ts'
import { Panel } from './panel.tsx'
import type { Stage } from './rows.ts'
import { texts } from './texts.ts'

interface Shown extends Stage {
  /** Of the stage before; null: there is none, or it is smaller. */
  readonly share: number | null
}

function shownOf(rows: readonly Stage[]): readonly Shown[] {
  return rows.map(({ stage, count }, i) => {
    const before = rows[i - 1]?.count ?? 0
    return { stage, count, share: before >= count && before > 0 ? count / before : null }
  })
}

/** How much of what was sent came to a person. */
export function Funnel() {
  const t = useTexts(texts)
  const { count, share } = useFormats()
  const asked = useRows('funnel')
  const rows = shownOf(asked.answer?.rows ?? [])
  const of = (name: Stage['stage']) => count(rows.find(({ stage }) => stage === name)?.count ?? 0)
  return (
    <Panel
      name="funnel"
      title={t.funnel}
      asked={asked}
      sentence={() => t.funnel_sentence(of('statements'), of('incidents'), of('acknowledged'))}
      chart={() => <Bars rows={rows} />}
      table={() => (
        <DataTable
          label={t.funnel}
          rows={rows}
          keyOf={({ stage }) => stage}
          columns={[
            { title: t.stage, of: ({ stage }) => t[`stage_${stage}`] },
            { title: t.count, numeric: true, of: (row) => count(row.count) },
            { title: t.of_before, numeric: true, of: (row) => (row.share === null ? '–' : share(row.share)) },
          ]}
        />
      )}
      hint={t.funnel_hint}
    />
  )
}

/** Lengths go by the logarithm: stages differ by powers of ten. */
function Bars({ rows }: { readonly rows: readonly Shown[] }) {
  const t = useTexts(texts)
  const { count, share } = useFormats()
  const most = Math.log(2 + Math.max(...rows.map((row) => row.count)))
  return (
    <ul className="bars">
      {rows.map((row) => (
        <li key={row.stage}>
          <span>{t[`stage_${row.stage}`]}</span>
          <span className="bar" aria-hidden="true">
            <span style={{ width: `${(100 * Math.log(1 + row.count)) / most}%` }} />
          </span>
          <b className="number">{count(row.count)}</b>
          <span className="soft number">{row.share !== null && share(row.share)}</span>
        </li>
      ))}
    </ul>
  )
}
