import type { Labels } from '../schemas/alert.ts'
import { labelValue } from '../schemas/matching.ts'

/** The scope of alerts that carry none of the configured labels. */
const DEFAULT_SCOPE = 'default'

/** Values of the labels `names` in that order, joined with `/`; labels that are absent are skipped. */
export function scopeOf(labels: Labels, names: readonly string[]): string {
  const values = names.map((name) => labelValue(labels, name)).filter((value) => value !== '')
  return values.length === 0 ? DEFAULT_SCOPE : values.join('/')
}
