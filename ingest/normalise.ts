import type { Alert, Labels, Severity } from '../schemas/alert.ts'
import type { Config } from '../schemas/config.ts'
import { alertFingerprint } from '../schemas/ids.ts'
import { LIMITS } from '../schemas/limits.ts'
import { labelValue } from '../schemas/matching.ts'
import { scopeOf } from './scope.ts'
import type { RawAlert } from './sources/raw_alert.ts'
import { severityWords } from './sources/severity_words.ts'

export type NormaliserConfig = Pick<Config, 'scope' | 'severity' | 'entity'> &
  Partial<Pick<Config, 'sources' | 'built_in_sources'>>

/** Why an alert is beyond the bounds: names the field, its size and the bound. */
export interface OutOfBounds {
  readonly code: string
  readonly reason: string
}

const SHOWN_NAME_CHARS = 64
const shown = (name: string): string =>
  JSON.stringify(name.length > SHOWN_NAME_CHARS ? `${name.slice(0, SHOWN_NAME_CHARS)}…` : name)

interface MapBounds {
  readonly what: 'label' | 'annotation'
  readonly value_chars: number
}
const LABEL_BOUNDS: MapBounds = { what: 'label', value_chars: LIMITS.label_value_chars }
const ANNOTATION_BOUNDS: MapBounds = { what: 'annotation', value_chars: LIMITS.annotation_value_chars }

/** Characters of all names and values, or which of them is beyond its bound. */
function measureMap(map: Labels, { what, value_chars }: MapBounds): number | OutOfBounds {
  const names = Object.keys(map)
  if (names.length > LIMITS.labels_per_alert) {
    return {
      code: `${what}s-too-many`,
      reason: `${names.length} ${what}s are more than ${LIMITS.labels_per_alert}`,
    }
  }
  let chars = 0
  for (const name of names) {
    const value = map[name] ?? ''
    if (name.length > LIMITS.label_name_chars) {
      return {
        code: `${what}-name-length`,
        reason: `the name of ${what} ${shown(name)} has ${name.length} characters, more than ${LIMITS.label_name_chars}`,
      }
    }
    if (value.length > value_chars) {
      return {
        code: `${what}-value-length`,
        reason: `the value of ${what} ${shown(name)} has ${value.length} characters, more than ${value_chars}`,
      }
    }
    chars += name.length + value.length
  }
  return chars
}

/** Characters of all names and values of labels, or which of them is beyond its bound. */
export const measureLabels = (map: Labels): number | OutOfBounds => measureMap(map, LABEL_BOUNDS)

function timeFault(field: string, time_ms: number | null): OutOfBounds | null {
  if (time_ms === null || (time_ms >= 0 && time_ms <= LIMITS.time_ms_max)) return null
  return {
    code: 'time-range',
    reason: `${field} is ${time_ms} ms from the epoch, outside of 0 (year 1970) to ${LIMITS.time_ms_max} (year 2200)`,
  }
}

/** An escaped character takes at most this many bytes in JSON; the rest of an alert stays below the second. */
const JSON_BYTES_PER_CHAR = 6
const JSON_FRAME_BYTES = 2_048

function boundsFault(alert: Alert): OutOfBounds | null {
  const labels = measureMap(alert.labels, LABEL_BOUNDS)
  if (typeof labels !== 'number') return labels
  const annotations = measureMap(alert.annotations, ANNOTATION_BOUNDS)
  if (typeof annotations !== 'number') return annotations
  const url_chars = alert.generator_url.length
  if (url_chars > LIMITS.generator_url_chars) {
    return {
      code: 'generator-url-length',
      reason: `generatorURL has ${url_chars} characters, more than ${LIMITS.generator_url_chars}`,
    }
  }
  const scope_chars = alert.scope.length
  if (scope_chars > LIMITS.scope_chars) {
    return {
      code: 'scope-length',
      reason: `the scope that the labels name has ${scope_chars} characters, more than ${LIMITS.scope_chars}`,
    }
  }
  const time = timeFault('startsAt', alert.starts_at_ms) ?? timeFault('endsAt', alert.ends_at_ms)
  return time ?? sizeFault(alert, labels + annotations + url_chars + scope_chars + alert.entity.length)
}

/** The exact size is measured only when it may be too large. */
function sizeFault(alert: Alert, chars: number): OutOfBounds | null {
  if (chars * JSON_BYTES_PER_CHAR + JSON_FRAME_BYTES <= LIMITS.alert_bytes) return null
  const bytes = Buffer.byteLength(JSON.stringify(alert))
  if (bytes <= LIMITS.alert_bytes) return null
  return { code: 'alert-bytes', reason: `the alert takes ${bytes} bytes, more than ${LIMITS.alert_bytes}` }
}

/** Value of the first of the labels that is present, or the empty string. */
function firstOf(labels: Labels, names: readonly string[]): string {
  for (const name of names) {
    const value = labelValue(labels, name)
    if (value !== '') return value
  }
  return ''
}

/** Makes the function that gives an alert its scope, severity, entity and identity, or says which bound it exceeds. */
export function makeNormaliser(
  config: NormaliserConfig,
): (raw: RawAlert, source: string) => Alert | OutOfBounds {
  const words = severityWords(config.severity.map)
  const words_of = new Map(
    [...(config.built_in_sources ?? []), ...(config.sources ?? [])]
      .filter(({ severity_map }) => Object.keys(severity_map).length > 0)
      .map(({ name, severity_map }) => [name, severityWords({ ...config.severity.map, ...severity_map })]),
  )
  const severityOf = (labels: Labels, source: string): Severity =>
    (words_of.get(source) ?? words).get(firstOf(labels, config.severity.labels).trim().toLowerCase()) ??
    config.severity.default
  return (raw, source) => {
    const { labels, annotations, generator_url, starts_at_ms, ends_at_ms } = raw
    const identity = raw.identity ?? labels
    const scope = scopeOf(identity, config.scope.labels)
    const entity = firstOf(labels, config.entity.labels)
    const alert: Alert = {
      fingerprint: alertFingerprint(scope, identity),
      labels,
      annotations,
      generator_url,
      severity: severityOf(labels, source),
      entity,
      scope,
      source,
      starts_at_ms,
      ...(raw.start_assumed ? { start_assumed: true as const } : {}),
      ends_at_ms,
      repeats: 1,
    }
    return boundsFault(alert) ?? alert
  }
}
