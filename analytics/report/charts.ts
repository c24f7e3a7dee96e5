import type { SurvivalAnswer } from '../../schemas/analytics_answer.ts'
import { SEVERITIES } from '../../schemas/alert.ts'
import { figureText } from '../estimates/words.ts'
import { escaped, type Html, type Language } from './page.ts'

/** Charts as SVG, in the colours of the page around them. */

const WIDTH = 860
const LEFT = 56
const RIGHT = 16
const TOP = 14
const BOTTOM = 34

const MINUTE_MS = 60_000
/** Durations that people think in. */
const TICKS_MS = [1, 5, 15, 60, 240, 1_440, 4_320, 10_080, 43_200].map((minutes) => minutes * MINUTE_MS)

const SEVERITY_COLOURS: Readonly<Record<string, string>> = {
  critical: 'var(--critical)',
  high: 'var(--high)',
  medium: 'var(--medium)',
  low: 'var(--low)',
  info: 'var(--info)',
}
const colourOf = (severity: string) => SEVERITY_COLOURS[severity] ?? 'var(--accent)'

const round = (value: number) => Number(value.toFixed(1))

function svg(height: number, label: string, body: readonly string[]): Html {
  return {
    html: `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(label)}">${body.join('')}</svg>`,
  }
}

function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${more}>${escaped(content)}</text>`
}

const line = (x1: number, y1: number, x2: number, y2: number) =>
  `<line class="axis" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`

/** Logarithm of a duration, from one minute to the longest. */
function logScale(longest_ms: number, from: number, to: number): (ms: number) => number {
  const width = Math.log(Math.max(longest_ms, 2 * MINUTE_MS) / MINUTE_MS)
  return (ms) => from + ((to - from) * Math.log(Math.max(ms, MINUTE_MS) / MINUTE_MS)) / width
}

/** Curves of Kaplan and Meier with their bounds, on a logarithmic axis. */
export function survivalChart({ curves }: SurvivalAnswer, language: Language, label: string): Html {
  const height = 300
  const longest = Math.max(MINUTE_MS, ...curves.map(({ followed_for_ms }) => followed_for_ms))
  const x = logScale(longest, LEFT, WIDTH - RIGHT - 150)
  const y = (share: number) => TOP + (1 - share) * (height - TOP - BOTTOM)
  const body: string[] = []
  for (const share of [0, 0.25, 0.5, 0.75, 1])
    body.push(
      line(LEFT, y(share), x(longest), y(share)),
      text(LEFT - 8, y(share) + 4, `${share * 100} %`, 'text-anchor="end"'),
    )
  for (const tick of TICKS_MS.filter((ms) => ms <= longest))
    body.push(
      line(x(tick), y(0), x(tick), y(0) + 5),
      text(x(tick), y(0) + 18, figureText('ms', tick)[language], 'text-anchor="middle"'),
    )
  for (const [index, curve] of bySeverity(curves).entries()) {
    const colour = colourOf(curve.by['severity'] ?? '')
    body.push(
      band(curve, x, y, colour),
      `<path d="${steps(curve, x, y, longest)}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    )
    const ticks = curve.censored.map(({ ms }) => `M${round(x(ms))} ${round(y(survivalAt(curve, ms)) - 4)}v8`)
    body.push(`<path d="${ticks.join('')}" stroke="${colour}" stroke-width="1"/>`)
    const name = curve.by['severity'] ?? ''
    const top = TOP + 12 + index * 34
    body.push(`<rect x="${WIDTH - 146}" y="${top - 9}" width="12" height="12" fill="${colour}"/>`)
    body.push(text(WIDTH - 128, top + 1, `${name} · n ${curve.n}`, 'class="strong"'))
    const median = curve.median.value === null ? '–' : figureText('ms', curve.median.value)[language]
    body.push(text(WIDTH - 128, top + 15, `${language === 'zh' ? '中位数' : 'median'} ${median}`))
  }
  return svg(height, label, body)
}

type Curve = SurvivalAnswer['curves'][number]

function bySeverity(curves: readonly Curve[]): readonly Curve[] {
  const place = ({ by }: Curve) => SEVERITIES.findIndex((severity) => severity === by['severity'])
  return [...curves].sort((a, b) => place(a) - place(b))
}

function survivalAt(curve: Curve, ms: number): number {
  return curve.steps.findLast((step) => step.ms <= ms)?.survival ?? 1
}

function steps(
  curve: Curve,
  x: (ms: number) => number,
  y: (share: number) => number,
  longest: number,
): string {
  const path = [`M${LEFT} ${round(y(1))}`]
  for (const { ms, survival } of curve.steps) path.push(`H${round(x(ms))}V${round(y(survival))}`)
  path.push(`H${round(x(Math.min(longest, curve.followed_for_ms)))}`)
  return path.join('')
}

function band(curve: Curve, x: (ms: number) => number, y: (share: number) => number, colour: string): string {
  const upper = [`M${LEFT} ${round(y(1))}`]
  const lower: string[] = []
  let before = { low: 1, high: 1 }
  for (const { ms, low, high } of curve.steps) {
    upper.push(`L${round(x(ms))} ${round(y(before.high))}L${round(x(ms))} ${round(y(high))}`)
    lower.push(`L${round(x(ms))} ${round(y(low))}L${round(x(ms))} ${round(y(before.low))}`)
    before = { low, high }
  }
  return `<path d="${upper.join('')}${lower.reverse().join('')}Z" fill="${colour}" opacity="0.13"/>`
}

export interface Point {
  readonly opened_ms: number
  readonly elapsed_ms: number
  readonly open: boolean
  readonly severity: string
}

/** Every incident: when it was opened, and how long it took on a logarithmic axis; hollow: open. */
export function scatterChart(
  points: readonly Point[],
  period: { readonly from_ms: number; readonly to_ms: number },
  days: readonly { readonly at_ms: number; readonly label: string }[],
  language: Language,
  label: string,
): Html {
  const height = 300
  const longest = Math.max(MINUTE_MS, ...points.map(({ elapsed_ms }) => elapsed_ms))
  const up = logScale(longest, height - BOTTOM, TOP)
  const x = (ms: number) =>
    LEFT + ((WIDTH - LEFT - RIGHT) * (ms - period.from_ms)) / (period.to_ms - period.from_ms)
  const body: string[] = []
  for (const tick of TICKS_MS.filter((ms) => ms <= longest))
    body.push(
      line(LEFT, up(tick), WIDTH - RIGHT, up(tick)),
      text(LEFT - 8, up(tick) + 4, figureText('ms', tick)[language], 'text-anchor="end"'),
    )
  for (const { at_ms, label: date } of days)
    body.push(
      line(x(at_ms), height - BOTTOM, x(at_ms), height - BOTTOM + 5),
      text(x(at_ms), height - BOTTOM + 18, date, 'text-anchor="middle"'),
    )
  for (const { opened_ms, elapsed_ms, open, severity } of points) {
    const look = open
      ? `fill="none" stroke="${colourOf(severity)}"`
      : `fill="${colourOf(severity)}" opacity="0.55"`
    body.push(`<circle cx="${round(x(opened_ms))}" cy="${round(up(elapsed_ms))}" r="2.5" ${look}/>`)
  }
  return svg(height, label, body)
}

/** How many of something came on each day. */
export function barChart(
  bars: readonly { readonly label: string; readonly value: number }[],
  label: string,
): Html {
  const height = 180
  const most = Math.max(1, ...bars.map(({ value }) => value))
  const y = (value: number) => height - BOTTOM - ((height - TOP - BOTTOM) * value) / most
  const width = (WIDTH - LEFT - RIGHT) / Math.max(1, bars.length)
  const body = [0, 0.5, 1].flatMap((share) => [
    line(LEFT, y(share * most), WIDTH - RIGHT, y(share * most)),
    text(LEFT - 8, y(share * most) + 4, String(Math.round(share * most)), 'text-anchor="end"'),
  ])
  const every = Math.ceil(bars.length / 16)
  for (const [i, { label: name, value }] of bars.entries()) {
    const x = LEFT + i * width
    body.push(
      `<rect x="${round(x + 1)}" y="${round(y(value))}" width="${round(Math.max(1, width - 2))}" height="${round(height - BOTTOM - y(value))}" fill="var(--accent)"/>`,
    )
    if (i % every === 0) body.push(text(x + width / 2, height - BOTTOM + 16, name, 'text-anchor="middle"'))
  }
  return svg(height, label, body)
}

/** Counts by hour of the week, printed, in one hue. `counts[weekday][hour]`, Monday first. */
export function weekChart(
  counts: readonly (readonly number[])[],
  weekdays: readonly string[],
  label: string,
): Html {
  const row = 26
  const height = TOP + 7 * row + 24
  const most = Math.max(1, ...counts.flat())
  const width = (WIDTH - LEFT - RIGHT) / 24
  const body: string[] = []
  for (const [day, hours] of counts.entries()) {
    const y = TOP + day * row
    body.push(text(LEFT - 8, y + row / 2 + 4, weekdays[day] ?? '', 'text-anchor="end"'))
    for (const [hour, count] of hours.entries()) {
      const x = LEFT + hour * width
      body.push(
        `<rect x="${round(x + 0.5)}" y="${round(y + 0.5)}" width="${round(width - 1)}" height="${row - 1}" fill="var(--accent)" opacity="${round2((0.85 * count) / most + 0.04)}"/>`,
      )
      if (count > 0)
        body.push(text(x + width / 2, y + row / 2 + 4, String(count), 'text-anchor="middle" class="strong"'))
    }
  }
  for (let hour = 0; hour < 24; hour += 3)
    body.push(
      text(
        LEFT + hour * width + width / 2,
        height - 8,
        String(hour).padStart(2, '0'),
        'text-anchor="middle"',
      ),
    )
  return svg(height, label, body)
}

const round2 = (value: number) => Number(value.toFixed(2))

/** Where days begin that are worth a label. */
export function dayTicks(days: readonly { readonly at_ms: number; readonly label: string }[]): typeof days {
  const every = Math.max(1, Math.ceil(days.length / 10))
  return days.filter((_, i) => i % every === 0)
}
