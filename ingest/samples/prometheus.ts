import type { RawReading } from './format.ts'

/** A value that is no number is `bad`. */
export function prometheusReading(at_ms: number, value: number): RawReading {
  return { at_ms, value, quality: Number.isFinite(value) ? 'good' : 'bad' }
}
