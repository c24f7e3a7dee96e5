import type { Verdict } from '../detector.ts'
import type { Evidence } from './evidence.ts'
import { isMoment, type Spec } from './plan.ts'
import { recentPoints } from './recent.ts'
import type { Open, Watch, Watched } from './state.ts'
import { entityOf, fingerprintOf, type Statement, type Subject, type Teller, worse } from './told.ts'
import { annotationsOf, figuresOf } from './words.ts'
import { QUALITIES } from '../../../schemas/sample.ts'
import { labelValue } from '../../../schemas/matching.ts'

/** When something is told, and to whom. */
export interface Occasion {
  /** By the time of the log. */
  readonly now_ms: number
  readonly teller: Teller
  readonly entity_labels: readonly string[]
}

/** A detector of moments says nothing of the end of what it found: it is over after so long, unless it is found again. */
const MOMENT_LASTS_MS = 3_600_000

/** Limits behind limits. */
const OUTER = new Set(['high-high', 'low-low'])

export function raiseOpen(
  watched: Watched,
  watch: Watch,
  open: Open,
  verdict: Verdict,
  occasion: Occasion,
): void {
  const { spec } = watch
  const { labels } = watched.series
  const unusable = QUALITIES[watched.quality] === 'bad' || QUALITIES[watched.quality] === 'stale'
  const figures = figuresOf(
    spec,
    open.condition,
    labels,
    unusable ? null : watched.value,
    verdict,
    watch.state,
  )
  if (isMoment(spec)) open.until_ms = occasion.now_ms + MOMENT_LASTS_MS
  if (!open.told) open.since_ms = Math.min(open.since_ms, occasion.now_ms)
  open.told = true
  const fingerprint = occasion.teller.tell({
    ...statementOf(watched, spec, open, occasion),
    annotations: annotationsOf(spec, open.condition, labels, figures, verdict),
    ends_at_ms: open.until_ms,
  })
  watched.evidence ??= new Map()
  const points = watched.evidence.get(fingerprint)?.points ?? recentPoints(watched.recent)
  watched.evidence.set(fingerprint, {
    fingerprint,
    scope: watched.series.scope,
    labels,
    alertname: alertnameOf(spec, labels, open.condition),
    detector: spec.detector.name,
    condition: open.condition,
    ...figures,
    raised_at_ms: open.since_ms,
    cleared_at_ms: null,
    points,
  } satisfies Evidence)
}

/** A condition is over. A moment ended by itself: its alert was told until when. */
export function closeOpen(watched: Watched, watch: Watch, condition: string, occasion: Occasion): void {
  const open = watch.opens?.find((one) => one.condition === condition)
  if (open === undefined) return
  const rest = watch.opens?.filter((one) => one !== open) ?? []
  watch.opens = rest.length === 0 ? null : rest
  if (!open.told) return
  const over_already = open.until_ms !== null && open.until_ms <= occasion.now_ms
  const fingerprint = over_already
    ? fingerprintOf(...namesOf(watched, watch.spec, condition, occasion))
    : occasion.teller.end({ ...statementOf(watched, watch.spec, open, occasion), annotations: {} })
  closeEvidence(watched, fingerprint, open.until_ms ?? occasion.now_ms)
}

function closeEvidence(watched: Watched, fingerprint: string, at_ms: number): void {
  const evidence = watched.evidence?.get(fingerprint)
  if (evidence === undefined) return
  evidence.cleared_at_ms = at_ms
  watched.device.closed.push(evidence)
  watched.evidence?.delete(fingerprint)
  if (watched.evidence?.size === 0) watched.evidence = null
}

const subjectOf = ({ series }: Watched, entity_labels: readonly string[]): Subject => ({
  ...series,
  entity: entityOf(series.labels, entity_labels),
})

function statementOf(
  watched: Watched,
  spec: Spec,
  open: Open,
  occasion: Occasion,
): Omit<Statement, 'ends_at_ms' | 'annotations'> {
  const { condition } = open
  const [subject, alertname, detector] = namesOf(watched, spec, condition, occasion)
  const { severity } = spec.rule
  return {
    subject,
    alertname,
    detector,
    condition,
    severity: OUTER.has(condition) ? worse(severity) : severity,
    starts_at_ms: open.since_ms,
  }
}

const namesOf = (watched: Watched, spec: Spec, condition: string, { entity_labels }: Occasion) =>
  [
    subjectOf(watched, entity_labels),
    alertnameOf(spec, watched.series.labels, condition),
    spec.detector.name,
    condition,
  ] as const

function alertnameOf({ rule }: Spec, labels: Watched['series']['labels'], condition: string): string {
  return rule.alertname ?? `${labelValue(labels, 'metric')} ${condition}`.trim()
}
