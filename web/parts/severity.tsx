import type { Severity } from '../../schemas/alert.ts'
import { useTexts } from '../texts/catalogue.ts'
import { words } from '../texts/words.ts'

/** Most severe first, as in schemas/alert.ts. */
export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const satisfies readonly Severity[]

export const SEVERITY_SHAPES: Readonly<Record<Severity, string>> = {
  critical: 'M5 1h6l4 4v6l-4 4H5l-4-4V5z',
  high: 'M8 1.5 15 14.5H1z',
  medium: 'M8 1l7 7-7 7-7-7z',
  low: 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z',
  info: 'M2 2h12v12H2z',
}

/** A shape and a fill that tell severities apart for everybody; the word stands beside it. `muted`: it is over, so it is grey. */
export function SeverityMark({
  severity,
  muted = false,
}: {
  readonly severity: Severity
  readonly muted?: boolean
}) {
  return (
    <svg
      className="severity"
      data-severity={muted ? 'over' : severity}
      viewBox="0 0 16 16"
      aria-hidden="true"
    >
      <path d={SEVERITY_SHAPES[severity]} />
    </svg>
  )
}

export function SeverityWord({
  severity,
  muted = false,
}: {
  readonly severity: Severity
  readonly muted?: boolean
}) {
  const t = useTexts(words)
  return (
    <span className="severity-word">
      <SeverityMark severity={severity} muted={muted} />
      {t[severity]}
    </span>
  )
}
