import type { RawReading } from './format.ts'

/** A number, truth values among them; null for anything else. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value
  return typeof value === 'boolean' ? Number(value) : null
}

/** The source vouches for the value, if it is a number. */
export function readingOf(at_ms: number, value: number): RawReading {
  return { at_ms, value, quality: Number.isFinite(value) ? 'good' : 'bad' }
}

/** What a field of a measurement is called as a metric; the only field of many measurements is `value`. */
export function metricOfField(measurement: string, name: string): string {
  return name === 'value' || name === '' ? measurement : `${measurement}_${name}`
}
