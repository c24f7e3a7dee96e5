import type { Labels } from './alert.ts'
import type { Series } from './sample.ts'

/** 32-bit FNV-1a over the UTF-16 units of a text. */
export function textHash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h
}

/** Of one label, from the hashes of its name and value; those of a series are added up, in whatever order they come. */
export function labelHash(name: number, value: number): number {
  let h = Math.imul(name ^ ((value << 13) | (value >>> 19)), 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b)
  return h ^ (h >>> 13)
}

const SCOPE = textHash('')

/** 30 bits, which fit into a small integer of the engine; equal for equal series, and seldom for others. */
export const closed = (scope: number, labels: number): number =>
  (labels + labelHash(SCOPE, scope)) & 0x3fff_ffff

export function seriesHash({ scope, labels }: Series): number {
  let sum = 0
  for (const name of Object.keys(labels))
    sum = (sum + labelHash(textHash(name), textHash(labels[name] as string))) | 0
  return closed(textHash(scope), sum)
}

export function isSameSeries(a: Series, b: Series): boolean {
  return a.scope === b.scope && haveSameLabels(a.labels, b.labels)
}

function haveSameLabels(a: Labels, b: Labels): boolean {
  let more = 0
  for (const name in a) {
    if (a[name] !== b[name]) return false
    more++
  }
  for (const _ in b) more--
  return more === 0
}
