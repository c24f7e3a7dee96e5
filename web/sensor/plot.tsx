import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useZone } from '../frame/zone.ts'
import { useWidth } from '../parts/width.ts'
import { useLanguage, useTexts } from '../texts/catalogue.ts'
import { drawn, type Evidence, extent } from './evidence.ts'
import { texts } from './texts.ts'

const HEIGHT = 240

export interface Stretch {
  readonly from_ms: number
  readonly to_ms: number
}

interface PlotProps {
  readonly evidence: Evidence
  /** Null: all of it. */
  readonly stretch: Stretch | null
}

/** Readings with the limit, what was usual, and when the alert was raised and cleared. */
export function Plot({ evidence, stretch }: PlotProps) {
  const t = useTexts(texts)
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const zone = useZone()
  const language = useLanguage()
  useEffect(() => {
    const element = box.current
    if (!element || width === 0) return
    const marks = { raised: t.mark_raised, cleared: t.mark_cleared, limit: t.mark_limit }
    const options = optionsOf(evidence, stretch, {
      width,
      zone,
      language,
      colours: coloursOf(element),
      marks,
    })
    const plot = new uPlot(options, drawn(evidence.points), element)
    return () => plot.destroy()
  }, [evidence, stretch, width, zone, language, t])
  return <div ref={box} role="img" aria-label={t.plot(evidence.alertname)} className="sensor-plot" />
}

interface Colours {
  readonly ink: string
  readonly soft: string
  readonly line: string
  readonly edge: string
  readonly fill: string
  readonly font: string
}

/** A canvas knows no style sheet. */
function coloursOf(element: HTMLElement): Colours {
  const style = getComputedStyle(element)
  const of = (name: string) => style.getPropertyValue(name).trim()
  return {
    ink: of('--ink'),
    soft: of('--soft'),
    line: of('--line'),
    edge: of('--edge'),
    fill: of('--hover'),
    font: `12px ${of('--font')}`,
  }
}

interface Surroundings {
  readonly width: number
  readonly zone: string
  readonly language: string
  readonly colours: Colours
  readonly marks: { readonly raised: string; readonly cleared: string; readonly limit: string }
}

function optionsOf(evidence: Evidence, stretch: Stretch | null, around: Surroundings): uPlot.Options {
  const { width, zone, language, colours } = around
  const clock = new Intl.DateTimeFormat(language, {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  })
  const number = new Intl.NumberFormat(language, { maximumSignificantDigits: 6 })
  const axis = {
    stroke: colours.soft,
    font: colours.font,
    grid: { stroke: colours.line, width: 1 },
    ticks: { stroke: colours.line, width: 1 },
  }
  const series = { stroke: colours.ink, width: 1.5, points: { show: false }, spanGaps: false }
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: stretch === null ? {} : { range: () => [stretch.from_ms / 1_000, stretch.to_ms / 1_000] },
      y: { range: () => [...extent(evidence)] },
    },
    series: [{}, series, series],
    bands: [{ series: [2, 1], fill: colours.fill }],
    axes: [
      {
        ...axis,
        space: 90,
        size: 32,
        values: (_plot, splits) => splits.map((at_s) => clock.format(at_s * 1_000)),
      },
      { ...axis, size: 64, values: (_plot, splits) => splits.map((value) => number.format(value)) },
    ],
    hooks: {
      drawAxes: [(plot) => drawBand(plot, evidence, colours)],
      draw: [(plot) => drawMarks(plot, evidence, around)],
    },
  }
}

/** What was usual lies behind the readings. */
function drawBand(plot: uPlot, { band }: Evidence, { fill, edge }: Colours): void {
  if (band === null) return
  const { ctx, bbox } = plot
  const [low, high] = band.map((value) => plot.valToPos(value, 'y', true)) as [number, number]
  ctx.save()
  ctx.fillStyle = fill
  ctx.fillRect(bbox.left, high, bbox.width, low - high)
  ctx.strokeStyle = edge
  ctx.setLineDash([2, 4])
  for (const y of [low, high]) line(ctx, bbox.left, y, bbox.left + bbox.width, y)
  ctx.restore()
}

function line(ctx: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  ctx.beginPath()
  ctx.moveTo(x1, y1)
  ctx.lineTo(x2, y2)
  ctx.stroke()
}

function drawMarks(plot: uPlot, evidence: Evidence, { colours, marks }: Surroundings): void {
  const { ctx, bbox } = plot
  const right = bbox.left + bbox.width
  ctx.save()
  ctx.strokeStyle = colours.ink
  ctx.fillStyle = colours.ink
  ctx.font = `${12 * devicePixelRatio}px sans-serif`
  ctx.lineWidth = devicePixelRatio
  if (evidence.limit !== null) {
    const y = plot.valToPos(evidence.limit, 'y', true)
    ctx.setLineDash([8, 4])
    line(ctx, bbox.left, y, right, y)
    ctx.textAlign = 'left'
    ctx.fillText(marks.limit, bbox.left + 6, y - 5)
  }
  ctx.setLineDash([])
  const moments: readonly (readonly [at_ms: number | null, said: string])[] = [
    [evidence.raised_at_ms, marks.raised],
    [evidence.cleared_at_ms, marks.cleared],
  ]
  for (const [at_ms, said] of moments) {
    if (at_ms === null) continue
    const x = plot.valToPos(at_ms / 1_000, 'x', true)
    if (x < bbox.left || x > right) continue
    line(ctx, x, bbox.top, x, bbox.top + bbox.height)
    ctx.textAlign = x > right - 80 * devicePixelRatio ? 'right' : 'left'
    ctx.fillText(said, x + (ctx.textAlign === 'left' ? 5 : -5), bbox.top + 14 * devicePixelRatio)
  }
  ctx.restore()
}
