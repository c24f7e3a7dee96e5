import type { Alert, Labels, Severity } from '../../../schemas/alert.ts'
import { SEVERITIES } from '../../../schemas/alert.ts'
import { alertFingerprint } from '../../../schemas/ids.ts'
import { LIMITS } from '../../../schemas/limits.ts'
import { labelValue } from '../../../schemas/matching.ts'

/** An alert of a detector, to be appended to the alerts log. */
export interface Told {
  /** Behind the position of the entry that led to it: the same, whatever else that entry led to. */
  readonly ordinal: number
  readonly alert: Alert
}

/** Name of the source of these alerts, and of their origin. */
export const DETECT_SOURCE = 'detect'

/** An alert lasts until its detector says otherwise: the loss of readings must not end it. */
const NEVER_MS = LIMITS.time_ms_max
/** Added to the labels of the series. */
const OWN_LABELS = 3
const TURNS_MAX = 4_096

/** What an alert is told about. */
export interface Subject {
  readonly scope: string
  readonly labels: Labels
  readonly entity: string
}

export interface Statement {
  readonly subject: Subject
  readonly alertname: string
  readonly detector: string
  readonly condition: string
  readonly severity: Severity
  readonly annotations: Labels
  readonly starts_at_ms: number
  /** Null: until it is told to be over. */
  readonly ends_at_ms: number | null
}

/** `machine` and the like before the bare place in the plant. */
export function entityOf(labels: Labels, names: readonly string[]): string {
  for (const name of [...names, 'equipment']) {
    const value = labelValue(labels, name)
    if (value !== '') return value
  }
  return ''
}

/** All labels of the series identify an alert of it, with the detector and its condition. */
function identityOf({ labels }: Subject, alertname: string, detector: string, condition: string): Labels {
  const names = Object.keys(labels)
  const kept =
    names.length + OWN_LABELS > LIMITS.labels_per_alert
      ? names.sort().slice(0, LIMITS.labels_per_alert - OWN_LABELS)
      : names
  return {
    ...Object.fromEntries(kept.map((name) => [name, labels[name] as string])),
    alertname,
    detector,
    condition,
  }
}

export function fingerprintOf(
  subject: Subject,
  alertname: string,
  detector: string,
  condition: string,
): string {
  return alertFingerprint(subject.scope, identityOf(subject, alertname, detector, condition))
}

/** What one entry of the log led to, in an order that does not depend on which devices were folded with it. */
export class Teller {
  private readonly now_ms: number
  private readonly told: Told[] = []
  private readonly turns = new Map<string, number>()

  /** By the time of the log. */
  constructor(now_ms: number) {
    this.now_ms = now_ms
  }

  tell(statement: Statement): string {
    const { subject, alertname, detector, condition, severity, annotations } = statement
    const labels = identityOf(subject, alertname, detector, condition)
    const fingerprint = alertFingerprint(subject.scope, labels)
    // A clock of a device may be wrong; nothing began in the future.
    const starts_at_ms = clamped(statement.starts_at_ms, this.now_ms)
    const ends_at_ms = statement.ends_at_ms ?? NEVER_MS
    this.told.push({
      ordinal: this.ordinalOf(fingerprint),
      alert: {
        fingerprint,
        labels,
        annotations,
        generator_url: '',
        severity,
        entity: subject.entity,
        scope: subject.scope,
        source: DETECT_SOURCE,
        starts_at_ms,
        ends_at_ms: Math.max(starts_at_ms, Math.round(ends_at_ms)),
        repeats: 1,
      },
    })
    return fingerprint
  }

  /** The end of an alert that began then; it is over now, whatever the device's clock says. */
  end(statement: Omit<Statement, 'ends_at_ms'>): string {
    return this.tell({ ...statement, ends_at_ms: this.now_ms })
  }

  /** By ordinal. */
  done(): readonly Told[] {
    return this.told.sort((a, b) => a.ordinal - b.ordinal)
  }

  /** Forty bits of the fingerprint, then how often that alert turned before in this entry. */
  private ordinalOf(fingerprint: string): number {
    const turn = this.turns.get(fingerprint) ?? 0
    this.turns.set(fingerprint, turn + 1)
    return Number.parseInt(fingerprint.slice(0, 10), 16) * TURNS_MAX + Math.min(turn, TURNS_MAX - 1)
  }
}

const clamped = (at_ms: number, now_ms: number): number => Math.max(0, Math.min(Math.round(at_ms), now_ms))

/** One step up, for a limit behind another limit. */
export const worse = (severity: Severity): Severity =>
  SEVERITIES[Math.max(0, SEVERITIES.indexOf(severity) - 1)] as Severity
