import { useSyncExternalStore } from 'react'
import { useZone } from '../frame/zone.ts'
import { useLive } from '../live/store.ts'
import { type Language, useLanguage } from '../texts/catalogue.ts'

const TICK_MS = 5_000

/** One timer for all ages on the page. */
class Ticker {
  private readonly listeners = new Set<() => void>()
  private timer: ReturnType<typeof setInterval> | undefined
  private ticks = 0

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    this.timer ??= setInterval(() => {
      this.ticks++
      for (const each of this.listeners) each()
    }, TICK_MS)
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size > 0) return
      clearInterval(this.timer)
      this.timer = undefined
    }
  }

  readonly read = (): number => this.ticks
}

const ticker = new Ticker()

/** The server's time, anew every five seconds. */
export function useNow(): number {
  const live = useLive()
  useSyncExternalStore(ticker.subscribe, ticker.read)
  return live.now()
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

const formats = new Map<string, Intl.NumberFormat>()

function unit(language: Language, name: 'second' | 'minute' | 'hour' | 'day', value: number): string {
  const key = `${language} ${name}`
  let format = formats.get(key)
  if (!format) {
    format = new Intl.NumberFormat(language, {
      style: 'unit',
      unit: name,
      unitDisplay: name === 'minute' ? 'short' : 'narrow',
    })
    formats.set(key, format)
  }
  return format.format(value)
}

/** A duration in at most two units: `45s`, `12 min`, `3h 20 min`, `2d 4h`. */
export function duration(language: Language, ms: number): string {
  const span_ms = Math.max(0, ms)
  if (span_ms < MINUTE_MS) return unit(language, 'second', Math.floor(span_ms / 1_000))
  if (span_ms < HOUR_MS) return unit(language, 'minute', Math.floor(span_ms / MINUTE_MS))
  const [big, small, name, rest] =
    span_ms < DAY_MS
      ? ([HOUR_MS, MINUTE_MS, 'hour', 'minute'] as const)
      : ([DAY_MS, HOUR_MS, 'day', 'hour'] as const)
  const whole = unit(language, name, Math.floor(span_ms / big))
  const part = Math.floor((span_ms % big) / small)
  return part === 0 ? whole : `${whole} ${unit(language, rest, part)}`
}

function absoluteFormat(language: Language, zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(language, {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  })
}

/** `2026-11-25 14:02:11 GMT+01:00`, the same order in every language. */
function absolute(language: Language, zone: string, at_ms: number): string {
  const parts = new Map(
    absoluteFormat(language, zone)
      .formatToParts(at_ms)
      .map(({ type, value }) => [type, value]),
  )
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? ''
  return `${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}:${of('second')} ${of('timeZoneName')}`
}

/** Time of day, with the date when it is another day than today. */
export function clockTime(language: Language, zone: string, at_ms: number, now_ms: number): string {
  const [date = '', time = ''] = absolute(language, zone, at_ms).split(' ')
  const today = absolute(language, zone, now_ms).split(' ', 1)[0]
  return date === today ? time : `${date} ${time}`
}

/** How long ago, with the absolute time and its offset on hover, and for whoever listens. */
export function Age({ since_ms }: { readonly since_ms: number }) {
  const language = useLanguage()
  const zone = useZone()
  const now_ms = useNow()
  const at = absolute(language, zone, since_ms)
  return (
    <time dateTime={new Date(since_ms).toISOString()} title={at} className="number">
      {duration(language, now_ms - since_ms)}
    </time>
  )
}

/** A moment as time of day, with the whole of it on hover. */
export function Moment({ at_ms }: { readonly at_ms: number }) {
  const language = useLanguage()
  const zone = useZone()
  const now_ms = useNow()
  return (
    <time dateTime={new Date(at_ms).toISOString()} title={absolute(language, zone, at_ms)} className="number">
      {clockTime(language, zone, at_ms, now_ms)}
    </time>
  )
}
