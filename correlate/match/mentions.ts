import type { Alert } from '../../schemas/alert.ts'

/** Something that an alert names: its entity, or the value of a label that says where it belongs. */
export interface Mention {
  readonly value: string
  /** The label that names it. */
  readonly label: string
}

/** Labels that say what happened or how bad it is, not to what. */
const NOT_ABOUT = new Set([
  'alertname',
  'severity',
  'priority',
  'level',
  'message',
  'summary',
  'description',
  'source',
  'status',
  'state',
  'incident',
  // What a detector says of a reading (ingest/detect/fold/told.ts).
  'unit',
  'metric',
  'detector',
  'condition',
])
const VALUE_CHARS = { min: 2, max: 128 }
const NUMBER_OR_FLAG = /^(?:[+-]?\d+(?:\.\d+)?|true|false|yes|no|none|null)$/i
/** Digests and UUIDs name messages and keys, nothing that could be related. */
const OPAQUE = /^(?:[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i
const MENTIONS_MAX = 12

function isName(value: string): boolean {
  return (
    value.length >= VALUE_CHARS.min &&
    value.length <= VALUE_CHARS.max &&
    !/\s/.test(value) &&
    !NUMBER_OR_FLAG.test(value) &&
    !OPAQUE.test(value)
  )
}

/**
 * What an alert names, its entity first, the rest by label name, each value once and at most 12. It depends on the alert alone,
 * because what is indexed by it must be found again when the alert goes.
 */
export function mentionsOf(alert: Alert): readonly Mention[] {
  const { labels, entity } = alert
  const found: Mention[] = []
  const names = Object.keys(labels)
  if (entity !== '') {
    const label = names.find((name) => labels[name] === entity)
    found.push({ value: entity, label: label ?? 'entity' })
  }
  for (const label of names.sort()) {
    if (found.length === MENTIONS_MAX) break
    const value = labels[label] as string
    if (NOT_ABOUT.has(label) || !isName(value) || found.some((other) => other.value === value)) continue
    found.push({ value, label })
  }
  return found
}

export function alertKind(alert: Alert): string {
  return alert.labels['alertname'] ?? ''
}
