import { type ReactNode, useRef } from 'react'
import type { SurvivalAnswer } from '../../../schemas/analytics_answer.ts'
import { DataTable } from '../../parts/data_table.tsx'
import { useWidth } from '../../parts/width.ts'
import { setQuery } from '../../router/location.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { duration } from '../../parts/time.tsx'
import { words } from '../../texts/words.ts'
import { useSurvival, useView } from './ask.ts'
import { apart, atRisk, bandPath, type Curve, drawnUntil, stepPath, survivalAt, tickPath } from './curve.ts'
import { useFormats } from './format.ts'
import { inOrder, severityOf, useGroupName } from './groups.ts'
import { Panel } from './panel.tsx'
import { timeScale } from './scale.ts'
import { texts } from './texts.ts'
import { GROUPS, STEPS } from './view.ts'

const CURVES_MAX = 5

/** Curves of Kaplan and Meier: which share still waits after how long. */
export function Curves() {
  const t = useTexts(texts)
  const { step, by } = useView()
  const asked = useSurvival(step, by)
  const nameOf = useGroupName()
  const { figure, count } = useFormats()
  const shown = ({ curves }: SurvivalAnswer) => inOrder(curves.slice(0, CURVES_MAX))
  return (
    <Panel
      name="curves"
      title={t.curves}
      wide
      asked={asked}
      choices={<CurveChoices />}
      sentence={(answer) =>
        answer.curves.length === 0
          ? t.nothing
          : t.curves_sentence(
              shown(answer)
                .map(({ by: group, median }) =>
                  median.value === null
                    ? t.curve_not_reached(nameOf(group, by))
                    : t.curve_median(nameOf(group, by), figure('ms', median.value)),
                )
                .join(' · '),
            )
      }
      chart={(answer) => answer.curves.length > 0 && <Picture curves={shown(answer)} />}
      table={({ curves, curves_left_out }) => (
        <>
          <DataTable
            label={t.curves}
            rows={inOrder(curves)}
            keyOf={(curve) => JSON.stringify(curve.by)}
            columns={[
              { title: t.group, of: (curve) => nameOf(curve.by, by) },
              { title: 'n', numeric: true, of: (curve) => count(curve.n) },
              { title: t.open, numeric: true, of: (curve) => count(curve.open) },
              { title: t.closed_without, numeric: true, of: (curve) => count(curve.closed_without) },
              {
                title: t.median,
                numeric: true,
                of: ({ median }) => (median.value === null ? t.not_reached : figure('ms', median.value)),
              },
              {
                title: '95 %',
                numeric: true,
                of: ({ median }) => `${figure('ms', median.low)} … ${figure('ms', median.high)}`,
              },
            ]}
          />
          {curves_left_out > 0 && <p className="hint">{t.left_out(curves_left_out)}</p>}
        </>
      )}
      hint={t.bands}
    />
  )
}

function CurveChoices() {
  const t = useTexts(texts)
  const w = useTexts(words)
  const { step, by } = useView()
  const names = {
    severity: w.severity,
    scope: w.scope,
    service: t.service,
    team: t.team,
    site: t.site,
    line: t.line,
  }
  return (
    <div className="panel-choices">
      <select
        aria-label={t.curves_of}
        value={step}
        onChange={(event) => setQuery({ step: event.target.value })}
      >
        {STEPS.map((one) => (
          <option key={one} value={one}>
            {t[one]}
          </option>
        ))}
      </select>
      <select aria-label={t.by} value={by} onChange={(event) => setQuery({ by: event.target.value })}>
        {GROUPS.map((one) => (
          <option key={one} value={one}>
            {`${t.by} ${names[one]}`}
          </option>
        ))}
      </select>
    </div>
  )
}

const HEIGHT = 250
const LEFT = 44
const RIGHT = 116
const TOP = 8
const SHARES = [0, 0.25, 0.5, 0.75, 1]
/** Groups that are no severities are told apart by their strokes. */
const DASHES = ['', '7 3', '2 3', '10 3 2 3', '1 5']
const RISK_ROW_PX = 18

function Picture({ curves }: { readonly curves: readonly Curve[] }) {
  const t = useTexts(texts)
  const { step } = useView()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const plot = Math.max(120, width - LEFT - RIGHT)
  const until_ms = drawnUntil(curves)
  const x = timeScale(until_ms, plot, Math.max(2, Math.floor(plot / 90)))
  const y = (share: number) => TOP + (1 - share) * HEIGHT
  const height = TOP + HEIGHT + 40 + curves.length * RISK_ROW_PX
  return (
    <div ref={box} className="chart">
      {width > 0 && (
        <svg role="img" aria-label={t.curves_label(t[step], curves.length)} width={width} height={height}>
          <g transform={`translate(${LEFT} 0)`}>
            <Axes x={x} y={y} plot={plot} />
            {curves.map((curve, i) => (
              <Line
                key={JSON.stringify(curve.by)}
                curve={curve}
                dash={DASHES[i] ?? ''}
                x={x.at}
                y={y}
                until_ms={until_ms}
              />
            ))}
            <Labels curves={curves} until_ms={until_ms} x={plot + 8} y={y} />
            <AtRisk curves={curves} x={x} top={TOP + HEIGHT + 40} />
          </g>
        </svg>
      )}
    </div>
  )
}

interface AxesProps {
  readonly x: ReturnType<typeof timeScale>
  readonly y: (share: number) => number
  readonly plot: number
}

function Axes({ x, y, plot }: AxesProps) {
  const language = useLanguage()
  const { share } = useFormats()
  return (
    <g className="axes">
      {SHARES.map((at) => (
        <g key={at}>
          <line x1={0} x2={plot} y1={y(at)} y2={y(at)} className={at === 0.5 ? 'half' : undefined} />
          <text x={-8} y={y(at) + 4} textAnchor="end">
            {share(at)}
          </text>
        </g>
      ))}
      {x.ticks.map((ms) => (
        <text key={ms} x={x.at(ms)} y={y(0) + 17} textAnchor={ms === 0 ? 'start' : 'middle'}>
          {ms === 0 ? '0' : duration(language, ms)}
        </text>
      ))}
    </g>
  )
}

interface LineProps {
  readonly curve: Curve
  readonly dash: string
  readonly x: (ms: number) => number
  readonly y: (share: number) => number
  readonly until_ms: number
}

function Line({ curve, dash, x, y, until_ms }: LineProps) {
  const severity = severityOf(curve.by)
  const path = stepPath(curve, until_ms, x, y)
  return (
    <g className="curve" data-severity={severity ?? undefined}>
      <path className="curve-band" d={bandPath(curve, until_ms, x, y)} />
      {severity !== null && <path className="curve-edge" d={path} />}
      <path className="curve-line" d={path} strokeDasharray={severity === null ? dash : undefined} />
      <path className="curve-ticks" d={tickPath(curve, until_ms, x, y)} />
    </g>
  )
}

interface LabelsProps {
  readonly curves: readonly Curve[]
  readonly until_ms: number
  readonly x: number
  readonly y: (share: number) => number
}

const LABEL_PX = 15
const LABEL_CHARS = 15

function Labels({ curves, until_ms, x, y }: LabelsProps): ReactNode {
  const { by } = useView()
  const nameOf = useGroupName()
  const heights = apart(
    curves.map((curve) => y(survivalAt(curve, until_ms))),
    LABEL_PX,
    y(0),
  )
  return curves.map((curve, i) => (
    <text key={JSON.stringify(curve.by)} className="curve-label" x={x} y={(heights[i] ?? 0) + 4}>
      {nameOf(curve.by, by).slice(0, LABEL_CHARS)}
    </text>
  ))
}

interface AtRiskProps {
  readonly curves: readonly Curve[]
  readonly x: ReturnType<typeof timeScale>
  readonly top: number
}

/** How many each part of a curve rests on. */
function AtRisk({ curves, x, top }: AtRiskProps) {
  const t = useTexts(texts)
  const { by } = useView()
  const nameOf = useGroupName()
  const { count } = useFormats()
  const end = x.at(Number.MAX_SAFE_INTEGER) + 8
  return (
    <g className="at-risk">
      <text x={0} y={top - 4}>
        {t.at_risk}
      </text>
      {curves.map((curve, row) => (
        <g key={JSON.stringify(curve.by)} transform={`translate(0 ${top + 12 + row * RISK_ROW_PX})`}>
          {x.ticks.map((ms) => (
            <text key={ms} x={x.at(ms)} textAnchor={ms === 0 ? 'start' : 'middle'}>
              {count(atRisk(curve, ms))}
            </text>
          ))}
          <text x={end}>{nameOf(curve.by, by).slice(0, LABEL_CHARS)}</text>
        </g>
      ))}
    </g>
  )
}
