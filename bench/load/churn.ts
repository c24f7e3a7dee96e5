import { alertOf, type LoadShape } from './alerts.ts'
import type { Bodies, Body } from './bodies.ts'

const SHARE = 0.01

/**
 * A stream without end over a window of active alerts: in each request one in a hundred is new and another one in a hundred
 * ends, the oldest first; the rest are repeats, in rounds. Texts are made as they are needed, so it is for loads with a rate.
 */
export function churn(shape: LoadShape, batch: number): Bodies {
  const window = Array.from({ length: shape.distinct }, (_, i) => textOf(shape, i))
  const moved = Math.max(1, Math.round(batch * SHARE))
  let oldest = 0
  let at = 0
  return {
    bytes_per_alert: Math.round(window.reduce((sum, { length }) => sum + length, 0) / window.length),
    warm: Array.from({ length: Math.ceil(window.length / batch) }, (_, n) =>
      asBody(window.slice(n * batch, (n + 1) * batch)),
    ),
    next(now_ms) {
      const texts: Buffer[] = []
      while (texts.length < batch - 2 * moved) texts.push(window[at++ % window.length] as Buffer)
      for (let n = 0; n < moved; n++) {
        const fresh = textOf(shape, oldest + window.length)
        window[oldest % window.length] = fresh
        texts.push(fresh, textOf(shape, oldest++, now_ms))
      }
      return asBody(texts)
    },
  }
}

function textOf(shape: LoadShape, i: number, ends_at_ms?: number): Buffer {
  const end = ends_at_ms === undefined ? {} : { endsAt: new Date(ends_at_ms).toISOString() }
  return Buffer.from(JSON.stringify({ ...alertOf(shape, i), ...end }))
}

function asBody(texts: readonly Buffer[]): Body {
  const comma = Buffer.from(',')
  const inside = texts.flatMap((text, n) => (n === 0 ? [text] : [comma, text]))
  const bytes = Buffer.concat([Buffer.from('['), ...inside, Buffer.from(']')])
  return { parts: [bytes], bytes: bytes.length, alerts: texts.length }
}
