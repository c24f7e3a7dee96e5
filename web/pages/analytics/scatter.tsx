import { type RefObject, useEffect, useRef, useState } from 'react'
import { useZone } from '../../frame/zone.ts'
import { DataTable } from '../../parts/data_table.tsx'
import { SEVERITIES, SEVERITY_SHAPES, SeverityWord } from '../../parts/severity.tsx'
import { duration, Moment } from '../../parts/time.tsx'
import { useWidth } from '../../parts/width.ts'
import { Link } from '../../router/link.tsx'
import { navigate } from '../../router/location.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { useRows } from './ask.ts'
import { useFormats } from './format.ts'
import { Panel } from './panel.tsx'
import type { Subject } from './rows.ts'
import { logTimeScale, momentScale, type Scale } from './scale.ts'
import { texts } from './texts.ts'

const LISTED_MAX = 200

/** Each incident by itself: outliers are seen, not averaged away. */
export function Scatter() {
  const t = useTexts(texts)
  const w = useTexts(words)
  const { count, figure } = useFormats()
  const asked = useRows('scatter')
  const rows = asked.answer?.rows ?? []
  const longest = rows.toSorted((a, b) => b.elapsed_ms - a.elapsed_ms)
  return (
    <Panel
      name="scatter"
      title={t.scatter}
      wide
      asked={asked}
      sentence={() =>
        rows.length === 0
          ? t.nothing
          : t.scatter_sentence(
              count(rows.length),
              count(rows.filter(({ outcome }) => outcome === 'open').length),
              figure('ms', longest[0]?.elapsed_ms ?? 0),
            )
      }
      chart={({ period }) =>
        rows.length > 0 && <Picture rows={rows} from_ms={period.from_ms} to_ms={period.to_ms} />
      }
      table={() => (
        <>
          <DataTable
            label={t.scatter}
            rows={longest.slice(0, LISTED_MAX)}
            keyOf={({ id }) => id}
            columns={[
              { title: t.incident, of: ({ id, title }) => <Link to={addressOf(id)}>{title}</Link> },
              { title: w.severity, of: ({ severity }) => <SeverityWord severity={severity} /> },
              { title: t.service, of: ({ service }) => service },
              { title: t.opened, of: ({ opened_ms }) => <Moment at_ms={opened_ms} /> },
              { title: t.duration, numeric: true, of: ({ elapsed_ms }) => figure('ms', elapsed_ms) },
              { title: t.outcome, of: ({ outcome }) => t[`outcome_${outcome}`] },
            ]}
          />
          {rows.length > LISTED_MAX && (
            <p className="hint">{t.longest_of(count(LISTED_MAX), count(rows.length))}</p>
          )}
        </>
      )}
    />
  )
}

function addressOf(id: string): string {
  return `/incidents/${encodeURIComponent(id)}`
}

const HEIGHT = 250
const LEFT = 62
const TOP = 8
const MARK_PX = 8
const NEAR_PX = 14

interface PictureProps {
  readonly rows: readonly Subject[]
  readonly from_ms: number
  readonly to_ms: number
}

function Picture({ rows, from_ms, to_ms }: PictureProps) {
  const t = useTexts(texts)
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const plot = Math.max(120, width - LEFT - 12)
  const x = momentScale(from_ms, to_ms, plot, Math.max(2, Math.floor(plot / 150)))
  const y = logTimeScale(
    rows.map(({ elapsed_ms }) => elapsed_ms),
    HEIGHT,
  )
  const near = useNearest(box, (at_x, at_y) => {
    let best: Subject | null = null
    let least = NEAR_PX
    for (const one of rows) {
      const far = Math.hypot(x.at(one.opened_ms) - at_x, y.at(one.elapsed_ms) - at_y)
      if (far < least) [best, least] = [one, far]
    }
    return best
  })
  return (
    <div ref={box} className="chart">
      {width > 0 && (
        <svg
          role="img"
          aria-label={t.scatter_label(rows.length)}
          className={near ? 'scatter near' : 'scatter'}
          width={width}
          height={TOP + HEIGHT + 26}
        >
          <g transform={`translate(${LEFT} ${TOP})`}>
            <Axes x={x} y={y} plot={plot} />
            <Marks rows={rows} x={x} y={y} />
            {near && (
              <circle className="near-mark" cx={x.at(near.opened_ms)} cy={y.at(near.elapsed_ms)} r={8} />
            )}
          </g>
        </svg>
      )}
      <NearLine near={near} />
    </div>
  )
}

type Nearest = (x: number, y: number) => Subject | null

/** The mark nearest to the pointer; a click opens its incident. Whoever uses no pointer has the table. */
function useNearest(box: RefObject<HTMLElement | null>, nearest: Nearest): Subject | null {
  const [near, setNear] = useState<Subject | null>(null)
  const find = useRef(nearest)
  useEffect(() => {
    find.current = nearest
  })
  useEffect(() => {
    const element = box.current
    if (!element) return
    const under = ({ clientX, clientY }: MouseEvent) => {
      const { left, top } = element.getBoundingClientRect()
      return find.current(clientX - left - LEFT, clientY - top - TOP)
    }
    const moved = (event: MouseEvent) => setNear(under(event))
    const left = () => setNear(null)
    const clicked = (event: MouseEvent) => {
      const found = under(event)
      if (found) navigate(addressOf(found.id))
    }
    element.addEventListener('mousemove', moved)
    element.addEventListener('mouseleave', left)
    element.addEventListener('click', clicked)
    return () => {
      element.removeEventListener('mousemove', moved)
      element.removeEventListener('mouseleave', left)
      element.removeEventListener('click', clicked)
    }
  }, [box])
  return near
}

/** What lies under the pointer. */
function NearLine({ near }: { readonly near: Subject | null }) {
  const t = useTexts(texts)
  const { figure } = useFormats()
  return (
    <p className="near-line hint" aria-hidden="true">
      {near === null ? (
        t.scatter_hint
      ) : (
        <>
          <SeverityWord severity={near.severity} /> {near.title} · {figure('ms', near.elapsed_ms)}
        </>
      )}
    </p>
  )
}

function Axes({ x, y, plot }: { readonly x: Scale; readonly y: Scale; readonly plot: number }) {
  const language = useLanguage()
  const zone = useZone()
  const day = new Intl.DateTimeFormat(language, { timeZone: zone, month: 'short', day: 'numeric' })
  return (
    <g className="axes">
      {y.ticks.map((ms) => (
        <g key={ms}>
          <line x1={0} x2={plot} y1={y.at(ms)} y2={y.at(ms)} />
          <text x={-8} y={y.at(ms) + 4} textAnchor="end">
            {duration(language, ms)}
          </text>
        </g>
      ))}
      {x.ticks.map((at_ms) => (
        <text key={at_ms} x={x.at(at_ms)} y={HEIGHT + 18} textAnchor="middle">
          {day.format(at_ms)}
        </text>
      ))}
    </g>
  )
}

/** The most severe lie on top. */
function Marks({ rows, x, y }: { readonly rows: readonly Subject[]; readonly x: Scale; readonly y: Scale }) {
  const scale = MARK_PX / 16
  return SEVERITIES.toReversed().flatMap((severity) =>
    (['resolved', 'open'] as const).map((outcome) => {
      const own = rows.filter((one) => one.severity === severity && one.outcome === outcome)
      return (
        <g
          key={`${severity} ${outcome}`}
          className="severity scatter-marks"
          data-severity={severity}
          data-outcome={outcome}
        >
          {own.map((one) => (
            <path
              key={one.id}
              d={SEVERITY_SHAPES[severity]}
              transform={`translate(${(x.at(one.opened_ms) - MARK_PX / 2).toFixed(1)} ${(y.at(one.elapsed_ms) - MARK_PX / 2).toFixed(1)}) scale(${scale})`}
            />
          ))}
        </g>
      )
    }),
  )
}
