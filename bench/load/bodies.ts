import type { LoadShape } from './alerts.ts'
import { seeded } from './random.ts'
import { findEnds, overwriteEnds, Texts } from './texts.ts'

/**
 * `repeats`: byte for byte what was sent before, three in four in rounds over all, one in four with a heavy tail.
 * `prometheus`: every alert once in each round, the rounds in different orders, every `endsAt` four minutes from now.
 * `mixed`: in each request nine in ten repeats and one run of new ones.
 * `new`: only alerts that were never sent.
 */
export const MIXES = ['repeats', 'prometheus', 'mixed', 'new'] as const
export type Mix = (typeof MIXES)[number]

export function isMix(text: string): text is Mix {
  return (MIXES as readonly string[]).includes(text)
}

/** The body of one request: an array of alerts. */
export interface Body {
  readonly parts: readonly Buffer[]
  readonly bytes: number
  readonly alerts: number
}

export interface Bodies {
  /** Each different alert once, before anything is measured. */
  readonly warm: readonly Body[]
  readonly bytes_per_alert: number
  /** Null: there are no new alerts left. */
  next(now_ms: number): Body | null
}

export interface BodiesOrder {
  readonly shape: LoadShape
  readonly mix: Mix
  readonly batch: number
  /** New alerts at most: they are made beforehand, and each of them stays active at the server. */
  readonly fresh_max: number
}

const OPEN = Buffer.from('[')
const COMMA = Buffer.from(',')
const CLOSE = Buffer.from(']')
/** Alerts of one rule come together: so many neighbours stay side by side. */
const BURST = 20
const HEAVY_TAIL_SHARE = 0.25
const NEW_SHARE_OF_MIXED = 0.1
/** Prepared bodies make this many alerts at least, so that none comes again too soon. */
const PREPARED_ALERTS_MIN = 200_000
const ROUNDS_MIN = 3
const PROMETHEUS_TERM_MS = 240_000

/** Prepares everything that can be: what is measured is the server, not who asks it. */
export function makeBodies(order: BodiesOrder): Bodies {
  const { shape, mix, batch } = order
  const known = Texts.of(shape, 0, shape.distinct, mix === 'prometheus')
  const indices = Array.from({ length: shape.distinct }, (_, i) => i)
  const warm = cut(indices, batch).map((list) => bodyOf([OPEN, known.join(list), CLOSE], list.length))
  const { bytes_per_alert } = known
  switch (mix) {
    case 'repeats':
      return { warm, bytes_per_alert, next: inTurn(repeats(order, known, batch)) }
    case 'prometheus': {
      const next = inTurn(prometheusRounds(order, known))
      for (const { parts } of warm) setEnds(parts, Date.now())
      return { warm, bytes_per_alert, next }
    }
    case 'mixed': {
      const fresh_per_body = Math.max(1, Math.round(batch * NEW_SHARE_OF_MIXED))
      const old = batch > fresh_per_body ? repeats(order, known, batch - fresh_per_body) : null
      return { warm, bytes_per_alert, next: withFresh(order, old && inTurn(old), fresh_per_body) }
    }
    case 'new':
      return { warm, bytes_per_alert, next: withFresh(order, null, batch) }
  }
}

function bodyOf(parts: readonly Buffer[], alerts: number): Body {
  return { parts, alerts, bytes: parts.reduce((sum, part) => sum + part.length, 0) }
}

interface Prepared {
  readonly body: Body
  readonly before?: (now_ms: number) => void
}

function inTurn(prepared: readonly Prepared[]): (now_ms: number) => Body {
  let n = 0
  return (now_ms) => {
    const { body, before } = prepared[n++ % prepared.length] as Prepared
    before?.(now_ms)
    return body
  }
}

function repeats({ shape }: BodiesOrder, texts: Texts, batch: number): Prepared[] {
  const random = seeded(shape.seed + 1)
  const order: number[] = []
  while (order.length < Math.max(PREPARED_ALERTS_MIN, shape.distinct)) {
    for (const burst of shuffled(cut(upTo(shape.distinct), BURST), random)) {
      order.push(...burst)
      for (let k = 0; k < (burst.length * HEAVY_TAIL_SHARE) / (1 - HEAVY_TAIL_SHARE); k++)
        order.push(Math.floor(shape.distinct * random() ** 3))
    }
  }
  return full(order, batch).map((list) => ({ body: bodyOf([OPEN, texts.join(list), CLOSE], list.length) }))
}

function prometheusRounds({ shape, batch }: BodiesOrder, texts: Texts): Prepared[] {
  const random = seeded(shape.seed + 2)
  const order: number[] = []
  for (let round = 0; round < ROUNDS_MIN || order.length < PREPARED_ALERTS_MIN; round++) {
    const bursts = shuffled(cut(upTo(shape.distinct), BURST), random)
    for (const burst of bursts) order.push(...shuffled(burst, random))
  }
  return full(order, batch).map((list) => {
    const inside = texts.join(list)
    const ends = findEnds(inside)
    return {
      body: bodyOf([OPEN, inside, CLOSE], list.length),
      before: (now_ms) => overwriteEnds(inside, ends, now_ms + PROMETHEUS_TERM_MS),
    }
  })
}

function setEnds(parts: readonly Buffer[], now_ms: number): void {
  for (const part of parts) overwriteEnds(part, findEnds(part), now_ms + PROMETHEUS_TERM_MS)
}

/** A run of new alerts in each body, after what `old` gives. */
function withFresh(
  { shape, fresh_max }: BodiesOrder,
  old: ((now_ms: number) => Body) | null,
  fresh_per_body: number,
): (now_ms: number) => Body | null {
  const texts = Texts.of(shape, shape.distinct, shape.distinct + fresh_max, false)
  let used = 0
  return (now_ms) => {
    if (used + fresh_per_body > texts.count) return null
    const fresh = texts.slice(used, used + fresh_per_body)
    used += fresh_per_body
    if (old === null) return bodyOf([OPEN, fresh, CLOSE], fresh_per_body)
    const { parts, alerts } = old(now_ms)
    return bodyOf([...parts.slice(0, -1), COMMA, fresh, CLOSE], alerts + fresh_per_body)
  }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

function cut(list: readonly number[], size: number): number[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
}

/** Whole batches only. */
function full(list: readonly number[], size: number): number[][] {
  const batches = cut(list, size)
  return batches.length > 1 ? batches.filter((batch) => batch.length === size) : batches
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1))
    const kept = copy[i] as T
    copy[i] = copy[other] as T
    copy[other] = kept
  }
  return copy
}
