import type { Labels } from '../../../schemas/alert.ts'
import { labelValue } from '../../../schemas/matching.ts'
import type { Verdict } from '../detector.ts'
import { usualBand, type NoveltyState } from '../novelty.ts'
import type { Spec } from './plan.ts'

/** The figures that led to an alert. */
export interface Figures {
  readonly value: number | null
  readonly unit: string
  readonly limit: number | null
  readonly score: number
  readonly band: [low: number, high: number] | null
}

const LIMIT_OPTIONS: Readonly<Record<string, string>> = {
  'high-high': 'high_high',
  high: 'high',
  low: 'low',
  'low-low': 'low_low',
  'high-expected': 'high',
  'low-expected': 'low',
  rising: 'rise_per_s',
  falling: 'fall_per_s',
  'event-count': 'limit',
}

export function figuresOf(
  { rule, detector }: Spec,
  condition: string,
  labels: Labels,
  value: number | null,
  verdict: Verdict,
  state: object,
): Figures {
  const limit = rule.options[LIMIT_OPTIONS[condition] ?? '']
  const { low = null, high = null } = verdict.detail ?? {}
  let band: Figures['band'] = low === null || high === null ? null : [low, high]
  if (detector.name === 'novelty') band = usualBand(state as NoveltyState)
  return {
    value,
    unit: labelValue(labels, 'unit'),
    limit: typeof limit === 'number' ? limit : null,
    score: verdict.score,
    band,
  }
}

/** Seven significant digits, without zeros that say nothing. */
const shown = (x: number): string => String(Number(x.toPrecision(7)))
const withUnit = (x: number, unit: string): string => (unit === '' ? shown(x) : `${shown(x)} ${unit}`)

/** The device's own name of the measure, and where it is. */
function subjectOf(labels: Labels): string {
  const metric = labelValue(labels, 'metric') || 'value'
  const place = labelValue(labels, 'equipment')
  return place === '' ? metric : `${metric} of ${place}`
}

/** One sentence. */
function sentence(condition: string, labels: Labels, figures: Figures, verdict: Verdict): string {
  const { value, unit, limit, band } = figures
  const subject = subjectOf(labels)
  const is = value === null ? subject : `${subject} is ${withUnit(value, unit)}`
  switch (condition) {
    case 'high':
    case 'high-high':
      return `${is}, above ${withUnit(limit ?? Number.NaN, unit)}`
    case 'low':
    case 'low-low':
      return `${is}, below ${withUnit(limit ?? Number.NaN, unit)}`
    case 'high-expected':
    case 'low-expected':
      return `${is}, and reaches ${withUnit(limit ?? Number.NaN, unit)} ${whenReached(verdict)}`
    case 'novelty':
      return `${is}, as it has not been before${band === null ? '' : ` (usual: ${withUnit(band[0], unit)} to ${withUnit(band[1], unit)})`}`
    case 'seasonal':
      return `${is}${band === null ? '' : `, usual at this hour: ${withUnit(band[0], unit)} to ${withUnit(band[1], unit)}`}`
    case 'missing':
      return `${subject} is missing, while its device goes on`
    case 'bad-quality':
      return `${subject} comes, but its source does not vouch for it`
    default:
      return `${is}: ${condition}`
  }
}

function whenReached({ detail }: Verdict): string {
  const minutes = detail?.['minutes_to_limit']
  if (minutes === null || minutes === undefined) return 'soon'
  if (minutes === 0) return 'now'
  const latest = detail?.['latest_minutes']
  const earliest = detail?.['earliest_minutes'] ?? 0
  return `in ${inWords(minutes)} (${inWords(earliest ?? 0)} to ${latest === null || latest === undefined ? 'never' : inWords(latest)})`
}

const inWords = (minutes: number): string =>
  minutes < 1
    ? `${Math.round(minutes * 60)} s`
    : minutes < 120
      ? `${Math.round(minutes)} min`
      : `${Math.round(minutes / 60)} h`

/** What an operator reads: the sentence, the figures, and what the rule says of cause, consequence and action. */
export function annotationsOf(
  { rule }: Spec,
  condition: string,
  labels: Labels,
  figures: Figures,
  verdict: Verdict,
): Labels {
  const { value, unit, limit, score, band } = figures
  const summary = sentence(condition, labels, figures, verdict)
  return {
    summary,
    ...(value !== null && { value: shown(value) }),
    ...(unit !== '' && { unit }),
    ...(limit !== null && { limit: shown(limit) }),
    score: String(Number(score.toPrecision(3))),
    ...(band !== null && { expected: `${shown(band[0])} to ${shown(band[1])}` }),
    ...(rule.time_to_respond_ms !== null && { time_to_respond: `${rule.time_to_respond_ms / 1_000} s` }),
    ...rule.annotations,
  }
}

export function deviceSentence(condition: string, device: string): string {
  switch (condition) {
    case 'device-gone':
      return `${device} is gone: its source says so`
    case 'device-silent':
      return `${device} says nothing any more`
    default:
      return `${device} talks, but vouches for nothing that it says`
  }
}
