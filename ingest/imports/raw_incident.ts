import type { ImportedIncident } from '../../schemas/imported.ts'
import { localInstant } from '../../schemas/calendar.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Severity } from '../../schemas/alert.ts'
import { parseDateTime } from '../sources/date_time.ts'
import { severityWords } from '../sources/severity_words.ts'

/** An incident as an export tells it: texts, none of them read yet. */
export interface RawIncident {
  readonly external_id?: string
  readonly title?: string
  readonly severity?: string
  readonly status?: string
  readonly service?: string
  readonly team?: string
  readonly site?: string
  readonly line?: string
  readonly assignee?: string
  readonly url?: string
  readonly recurrence_key?: string
  readonly impact_start?: string
  readonly detected?: string
  readonly opened?: string
  readonly acknowledged?: string
  readonly mitigated?: string
  readonly resolved?: string
  readonly reviewed?: string
  readonly impact_end?: string
  readonly updated?: string
  /** Seconds after the opening, where an export gives those instead of times. */
  readonly acknowledged_after_s?: string
  readonly resolved_after_s?: string
  readonly reopened?: string
  readonly satisfaction?: string
  readonly pauses?: readonly { readonly from: string; readonly to: string | null; readonly reason: string }[]
  readonly labels?: Readonly<Record<string, string>>
}
export type RawField = Exclude<keyof RawIncident, 'pauses' | 'labels'>

/** Why an incident of an export is left out. */
export class Unusable extends Error {}

export interface ImportSettings {
  readonly source: string
  readonly scope: string
  /** Zone of times that are told without one. */
  readonly tz: string
  /** Word in lower case → severity. */
  readonly severities: ReadonlyMap<string, Severity>
}

/** The usual words for severities, those of ticket systems, and a user's own. */
export function importSeverities(own: Readonly<Record<string, Severity>>): ReadonlyMap<string, Severity> {
  return severityWords({ highest: 'critical', lowest: 'info', planning: 'info', ...own })
}

const UNZONED = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?$/
const CLOSED = /^(?:resolved|closed|done|complete[d]?|cancelled|canceled|已解决|已关闭|完成)$/i

function timeOf(field: string, text: string | undefined, tz: string): number | null {
  if (text === undefined || text.trim() === '') return null
  const told = text.trim()
  if (/^\d{12,14}$/.test(told)) return Number(told)
  const local = UNZONED.exec(told)
  if (local) {
    const [year, month, day, hour = 0, minute = 0, second = 0] = local
      .slice(1)
      .map((part) => Number(part ?? 0))
    return localInstant(Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second), tz)
  }
  // Jira writes offsets without a colon.
  const at = parseDateTime(told.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))
  if (at === null || at.ms < 0 || at.ms > LIMITS.time_ms_max)
    throw new Unusable(`${field} is ${told.slice(0, 60)}: no time`)
  return at.ms
}

function secondsAfter(opened_ms: number, text: string | undefined): number | null {
  const seconds = Number(text ?? '')
  return text === undefined || text.trim() === '' || !(seconds >= 0)
    ? null
    : opened_ms + Math.round(seconds * 1_000)
}

function cut(text: string | undefined, chars: number = LIMITS.label_value_chars): string {
  return (text ?? '').trim().toWellFormed().slice(0, chars)
}

function severityOf(text: string | undefined, severities: ImportSettings['severities']): Severity {
  const word = cut(text).toLowerCase()
  if (word === '') return 'medium'
  const first = /^(?:\d+\s*-\s*)?(.*)$/.exec(word)?.[1] ?? word
  const found = severities.get(word) ?? severities.get(first) ?? severities.get(first.split(/\s+/)[0] ?? '')
  if (found === undefined)
    throw new Unusable(`severity is ${word.slice(0, 60)}: no word that is known; name it in the mapping`)
  return found
}

function wholeNumber(field: string, text: string | undefined): number | null {
  if (text === undefined || text.trim() === '') return null
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0)
    throw new Unusable(`${field} is ${text.slice(0, 60)}: no whole number`)
  return value
}

/** Reads the texts of an incident. Throws Unusable with the reason when it cannot be one. */
export function importedOf(raw: RawIncident, settings: ImportSettings): ImportedIncident {
  const { source, scope, tz, severities } = settings
  const external_id = cut(raw.external_id)
  if (external_id === '') throw new Unusable('external_id is missing')
  const time = (field: RawField & keyof RawIncident) => timeOf(field, raw[field], tz)
  const opened_ms = time('opened')
  if (opened_ms === null) throw new Unusable('opened is missing')
  const acknowledged_ms = time('acknowledged') ?? secondsAfter(opened_ms, raw.acknowledged_after_s)
  const resolved_ms = time('resolved') ?? secondsAfter(opened_ms, raw.resolved_after_s)
  const later = {
    acknowledged_ms,
    resolved_ms,
    mitigated_ms: time('mitigated'),
    reviewed_ms: time('reviewed'),
  }
  for (const [field, at_ms] of Object.entries(later))
    if (at_ms !== null && at_ms < opened_ms)
      throw new Unusable(`${field.replace(/_ms$/, '')} is before opened`)
  if (resolved_ms === null && CLOSED.test(cut(raw.status)))
    throw new Unusable(`status is ${cut(raw.status)}, but resolved is missing`)
  const service = cut(raw.service)
  const satisfaction = wholeNumber('satisfaction', raw.satisfaction)
  if (satisfaction !== null && (satisfaction < 1 || satisfaction > 5))
    throw new Unusable(`satisfaction is ${satisfaction}: expected 1 to 5`)
  const known = [opened_ms, ...Object.values(later), time('updated'), time('impact_end')].filter(
    (at_ms) => at_ms !== null,
  )
  return {
    source,
    external_id,
    scope,
    severity: severityOf(raw.severity, severities),
    title: cut(raw.title) || external_id,
    recurrence_key: cut(raw.recurrence_key),
    labels: labelsOf(raw, service),
    assignee: cut(raw.assignee),
    url: /^https?:\/\//.test(raw.url ?? '') ? cut(raw.url, LIMITS.generator_url_chars) : '',
    impact_start_ms: time('impact_start'),
    detected_ms: time('detected'),
    opened_ms,
    ...later,
    impact_end_ms: time('impact_end'),
    updated_ms: Math.max(...known),
    reopened: wholeNumber('reopened', raw.reopened) ?? 0,
    satisfaction,
    pauses: pausesOf(raw, opened_ms, resolved_ms, tz),
  }
}

function labelsOf(raw: RawIncident, service: string): Record<string, string> {
  const { team, site, line, title, labels = {} } = raw
  const all = { ...labels, alertname: cut(title), service, team: cut(team), site: cut(site), line: cut(line) }
  const told = Object.entries(all).filter(
    ([name, value]) => value !== '' && name.length <= LIMITS.label_name_chars,
  )
  return Object.fromEntries(told.slice(0, LIMITS.labels_per_alert).map(([name, value]) => [name, cut(value)]))
}

/** Pauses in order, apart from each other, within the incident. */
function pausesOf({ pauses = [] }: RawIncident, opened_ms: number, resolved_ms: number | null, tz: string) {
  const found: { from_ms: number; to_ms: number | null; reason: string }[] = []
  const read = pauses.map(({ from, to, reason }) => {
    return {
      from_ms: timeOf('pauses', from, tz) ?? 0,
      to_ms: timeOf('pauses', to ?? undefined, tz) ?? resolved_ms,
      reason: cut(reason),
    }
  })
  for (const pause of read.sort((a, b) => a.from_ms - b.from_ms)) {
    const last = found.at(-1)
    const from_ms = Math.max(pause.from_ms, opened_ms, last?.to_ms ?? 0)
    if (last?.to_ms === null || (pause.to_ms !== null && pause.to_ms <= from_ms)) continue
    found.push({ ...pause, from_ms })
  }
  return found.slice(0, 100)
}
