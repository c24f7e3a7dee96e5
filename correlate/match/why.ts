import type { Reason } from '../../schemas/incident.ts'
import type { LearnedPair } from '../../schemas/learned.ts'

export type EvidenceKind = NonNullable<Reason['evidence']>[number]['kind']

/** One reason to join: its kind, what it is worth alone (0 to 1), what it is about, and what the words need beside that. */
export type Term =
  | readonly ['entity' | 'kind', weight: number, about: string, alerts: number]
  | readonly [
      'related',
      weight: number,
      about: string,
      alerts: number,
      label: string | null,
      via: string | null,
      relation: string,
    ]
  | readonly ['pair', weight: number, about: string, pair: LearnedPair]
  | readonly ['operator', weight: number, about: string, actor: string, own_kind: string]
  | readonly ['time', weight: number, about: string, rate_per_s: number, usual_per_s: number]

/**
 * Why evidence put an alert into its incident, flat and without words: there is one for every alert, and words take ten times as
 * much. Begins with `JOINED`, the version of the rules, the gap in ms, the strength, and the incident that came second with its
 * strength (or nulls); then the terms, strongest first, each with its length in front. A stored form: new terms may be added at the end.
 */
export type Why = readonly [string, ...(string | number | null)[]]

export const JOINED = { related: 'related', idle: 'same-entity' } as const

const HEAD = 6
/** Strengths and weights are kept in percent. */
type Head = readonly unknown[] &
  readonly [
    code: Joined['code'],
    rules_version: string,
    gap_ms: number,
    strength: number,
    second_id: string | null,
    second: number,
  ]

export interface Joined {
  readonly code: (typeof JOINED)[keyof typeof JOINED]
  readonly rules_version: string
  readonly gap_ms: number
  readonly strength: number
  readonly runner_up: NonNullable<Reason['runner_up']> | null
  readonly terms: readonly Term[]
}

export function packed({ code, rules_version, gap_ms, strength, runner_up, terms }: Joined): Why {
  const why: [string, ...(string | number | null)[]] = [
    code,
    rules_version,
    gap_ms,
    percent(strength),
    runner_up && runner_up.incident_id,
    runner_up && percent(runner_up.strength),
  ]
  for (const term of terms) {
    const fields = flat(term)
    why.push(fields.length, ...fields)
  }
  // What grows has room to grow on, which is never needed.
  return why.slice() as [string, ...(string | number | null)[]]
}

function percent(strength: number): number {
  return Math.round(strength * 100)
}

/** Evidence is told to two digits. */
export function rounded(strength: number): number {
  return percent(strength) / 100
}

function flat(term: Term): (string | number | null)[] {
  if (term[0] !== 'pair') {
    const [kind, weight, ...rest] = term
    return [kind, percent(weight), ...rest]
  }
  const [kind, weight, about, { first, second, followed, of, gap_p90_ms, where }] = term
  return [kind, percent(weight), about, first, second, followed, of, gap_p90_ms, where]
}

/** The reason in words; one that was not packed is that already. */
export function reasonOf(why: Reason | Why): Reason {
  if (!isPacked(why)) return why
  const [code, rules_version, gap_ms, strength, incident_id, second] = why as Head
  const evidence: NonNullable<Reason['evidence']> = []
  const said: string[] = []
  for (let at = HEAD; at < why.length; ) {
    const length = why[at] as number
    const [kind, weight, about, ...rest] = why.slice(at + 1, at + 1 + length)
    evidence.push({ kind: kind as EvidenceKind, weight: (weight as number) / 100, about: about as string })
    said.push(wordsOf(kind as EvidenceKind, about as string, rest))
    at += 1 + length
  }
  const runner_up = incident_id === null ? null : { incident_id, strength: second / 100 }
  const text = `Joined ${gap_ms / 1000} s after the last new alert: ${said.join('; ')} (evidence ${strength / 100}).`
  return {
    code,
    rule: '',
    rules_version,
    text: runner_up ? `${text} The next best was ${runner_up.incident_id} with ${runner_up.strength}.` : text,
    evidence,
    ...(runner_up && { runner_up }),
  }
}

function isPacked(why: Reason | Why): why is Why {
  return Array.isArray(why)
}

function counted(alerts: unknown): string {
  return alerts === 1 ? 'it has an alert' : `it has ${alerts as number} alerts`
}

const perMinute = (per_s: unknown): number => Number(((per_s as number) * 60).toPrecision(2))

function wordsOf(kind: EvidenceKind, about: string, rest: readonly (string | number | null)[]): string {
  const [first, second, third, fourth, fifth, sixth] = rest
  switch (kind) {
    case 'entity':
      return `${counted(first)} about ${about}`
    case 'kind':
      return `${counted(first)} ${about} already`
    case 'related':
      return second === null
        ? `${counted(first)} about ${about}, which ${third} is related to (${fourth})`
        : `${counted(first)} with ${second}=${about} too`
    case 'operator':
      return `${first} put ${second} and ${about} together before`
    case 'time':
      return `it brought ${perMinute(first)} alerts a minute just before, where ${perMinute(second)} are usual`
    case 'pair': {
      const within_s = Math.max(1, Math.round((fifth as number) / 1_000))
      const place = sixth === 'same-entity' ? 'the same entity' : 'related entities'
      return `${second} followed ${first} ${third} of ${fourth} times within ${within_s} s on ${place}`
    }
  }
}
