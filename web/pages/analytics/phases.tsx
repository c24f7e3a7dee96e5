import type { MetricAnswer } from '../../../schemas/analytics_answer.ts'
import { DataTable } from '../../parts/data_table.tsx'
import { SeverityMark } from '../../parts/severity.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import { type Asked, useMetric, useView } from './ask.ts'
import { useFormats } from './format.ts'
import { inOrder, severityOf, useGroupName } from './groups.ts'
import { Panel } from './panel.tsx'
import { texts } from './texts.ts'

interface Row {
  readonly by: Readonly<Record<string, string>>
  readonly n: number
  /** Medians since the opening; null: not reached. */
  readonly acknowledged_ms: number | null
  readonly mitigated_ms: number | null
  readonly resolved_ms: number | null
}

const ROWS_MAX = 8

function rowsOf(acknowledge: MetricAnswer, mitigate?: MetricAnswer, resolve?: MetricAnswer): readonly Row[] {
  const keyOf = (by: Readonly<Record<string, string>>) => JSON.stringify(by)
  const medians = (answer?: MetricAnswer) =>
    new Map((answer?.groups ?? []).map(({ by, value }) => [keyOf(by), value]))
  const [mitigated, resolved] = [medians(mitigate), medians(resolve)]
  const rows = acknowledge.groups.slice(0, ROWS_MAX).map(({ by, n, value }) => ({
    by,
    n,
    acknowledged_ms: value,
    mitigated_ms: mitigated.get(keyOf(by)) ?? null,
    resolved_ms: resolved.get(keyOf(by)) ?? null,
  }))
  return inOrder(rows)
}

/** How long half of the incidents of each group wait for each step. */
export function Phases() {
  const t = useTexts(texts)
  const { by } = useView()
  const acknowledge = useMetric('time_to_acknowledge', by)
  const mitigate = useMetric('time_to_mitigate', by)
  const resolve = useMetric('time_to_resolve', by)
  const nameOf = useGroupName()
  const { figure, count } = useFormats()
  const shown = (answer: MetricAnswer) => rowsOf(answer, mitigate.answer, resolve.answer)
  const told = (ms: number | null) => (ms === null ? t.not_reached : figure('ms', ms))
  return (
    <Panel
      name="phases"
      title={t.phases}
      asked={acknowledge satisfies Asked<MetricAnswer>}
      sentence={(answer) => {
        const [first] = shown(answer)
        if (!first) return t.nothing
        const { acknowledged_ms, mitigated_ms, resolved_ms } = first
        return t.phases_sentence(
          nameOf(first.by, by),
          told(acknowledged_ms),
          told(mitigated_ms),
          told(resolved_ms),
        )
      }}
      chart={(answer) => <Bars rows={shown(answer)} />}
      table={(answer) => (
        <DataTable
          label={t.phases}
          rows={shown(answer)}
          keyOf={(row) => JSON.stringify(row.by)}
          columns={[
            { title: t.group, of: (row) => nameOf(row.by, by) },
            { title: 'n', numeric: true, of: (row) => count(row.n) },
            { title: t.until_acknowledged, numeric: true, of: (row) => told(row.acknowledged_ms) },
            { title: t.until_mitigated, numeric: true, of: (row) => told(row.mitigated_ms) },
            { title: t.until_resolved, numeric: true, of: (row) => told(row.resolved_ms) },
          ]}
        />
      )}
      hint={t.phases_hint}
    />
  )
}

const PHASES = ['acknowledged', 'mitigated', 'resolved'] as const

function Bars({ rows }: { readonly rows: readonly Row[] }) {
  const t = useTexts(texts)
  const { by } = useView()
  const nameOf = useGroupName()
  const { figure } = useFormats()
  const most = Math.max(1, ...rows.map((row) => Math.max(...PHASES.map((phase) => row[`${phase}_ms`] ?? 0))))
  return (
    <figure className="phases" role="img" aria-label={t.phases_label}>
      {rows.map((row) => {
        const severity = severityOf(row.by)
        return (
          <div key={JSON.stringify(row.by)} className="phase-row">
            <span className="phase-name">
              {severity !== null && <SeverityMark severity={severity} />}
              <span className="one-line">{nameOf(row.by, by)}</span>
            </span>
            <span className="phase-bar">
              {stretches(row).map(({ phase, from_ms, to_ms }) => (
                <span
                  key={phase}
                  data-phase={phase}
                  style={{
                    left: `${(100 * from_ms) / most}%`,
                    width: `${(100 * (to_ms - from_ms)) / most}%`,
                  }}
                />
              ))}
            </span>
            <span className="phase-end number">
              {row.resolved_ms === null ? t.not_reached : figure('ms', row.resolved_ms)}
            </span>
          </div>
        )
      })}
      <figcaption className="legend">
        {PHASES.map((phase) => (
          <span key={phase} data-phase={phase}>
            {t[`until_${phase}`]}
          </span>
        ))}
      </figcaption>
    </figure>
  )
}

/** From each step to the next that half of the incidents come to later. */
function stretches(
  row: Row,
): readonly { readonly phase: string; readonly from_ms: number; readonly to_ms: number }[] {
  let from_ms = 0
  return PHASES.flatMap((phase) => {
    const to_ms = row[`${phase}_ms`]
    if (to_ms === null || to_ms <= from_ms) return []
    const stretch = { phase, from_ms, to_ms }
    from_ms = to_ms
    return [stretch]
  })
}
