import { hash } from 'node:crypto'
import { type CommandBody, type Silence, silence as silenceSchema } from '../schemas/command.ts'
import { goQuote } from '../schemas/go_quote.ts'
import type { Matcher } from '../schemas/matcher.ts'
import { isLabelName, type MatcherMode } from '../schemas/matcher_syntax.ts'
import { compileMatcher, MatcherError } from '../schemas/matching.ts'

export const SILENCE_STATES = ['active', 'pending', 'expired'] as const
export type SilenceState = (typeof SILENCE_STATES)[number]

export function silenceState(
  silence: Pick<Silence, 'starts_at_ms' | 'ends_at_ms'>,
  now_ms: number,
): SilenceState {
  if (now_ms < silence.starts_at_ms) return 'pending'
  return now_ms < silence.ends_at_ms ? 'active' : 'expired'
}

/** Active ones first, then pending, then expired; within a state what turns next (or turned last) comes first. */
export function sortedSilences(silences: readonly Silence[], now_ms: number): Silence[] {
  const order = (silence: Silence) => SILENCE_STATES.indexOf(silenceState(silence, now_ms))
  return silences.toSorted((a, b) => {
    const state = order(a) - order(b)
    if (state !== 0) return state
    switch (silenceState(a, now_ms)) {
      case 'active':
        return a.ends_at_ms - b.ends_at_ms
      case 'pending':
        return a.starts_at_ms - b.starts_at_ms
      case 'expired':
        return b.ends_at_ms - a.ends_at_ms
    }
  })
}

/** What somebody wants silenced; `id` names the silence that it replaces. */
export type WantedSilence = Pick<
  Silence,
  'matchers' | 'starts_at_ms' | 'ends_at_ms' | 'created_by' | 'comment'
> & { readonly id?: string | undefined }

function matcherFault(matcher: Matcher, mode: MatcherMode): string | null {
  if (!isLabelName(matcher.name, mode)) return `invalid label name ${goQuote(matcher.name)}`
  if (!matcher.value.isWellFormed()) return `invalid label value ${goQuote(matcher.value)}`
  try {
    compileMatcher(matcher)
    return null
  } catch (error) {
    if (error instanceof MatcherError)
      return `invalid regular expression ${goQuote(matcher.value)}: ${error.message}`
    throw error
  }
}

/** A negative condition may hold for every alert; only positive ones that the empty string satisfies say nothing. */
function matchesEmpty(matcher: Matcher): boolean {
  return (matcher.op === '=' || matcher.op === '=~') && compileMatcher(matcher)({})
}

/** Why a silence cannot be, in the words of Alertmanager's silence package; null when it can. */
export function silenceFault(
  wanted: Pick<WantedSilence, 'matchers' | 'starts_at_ms' | 'ends_at_ms'>,
  mode: MatcherMode = 'default',
): string | null {
  if (wanted.matchers.length === 0) return 'matcher set 0 is empty'
  for (const [i, matcher] of wanted.matchers.entries()) {
    const fault = matcherFault(matcher, mode)
    if (fault !== null) return `invalid label matcher ${i} in set 0: ${fault}`
  }
  if (wanted.matchers.every(matchesEmpty))
    return 'matcher set 0: at least one matcher must not match the empty string'
  if (wanted.ends_at_ms < wanted.starts_at_ms) return 'end time must not be before start time'
  return null
}

const bounded = silenceSchema.omit({ id: true, updated_at_ms: true })

/** Which bound a silence exceeds; null when none. */
export function boundFault(wanted: WantedSilence): string | null {
  const result = bounded.safeParse({ ...wanted, starts_at_ms: Math.max(0, wanted.starts_at_ms) })
  const issue = result.error?.issues[0]
  return issue ? `${issue.path.join('.')}: ${issue.message}` : null
}

function sameMatchers(a: readonly Matcher[], b: readonly Matcher[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      (matcher, i) => matcher.name === b[i]?.name && matcher.op === b[i]?.op && matcher.value === b[i]?.value,
    )
  )
}

const second = (time_ms: number) => Math.floor(time_ms / 1_000)

/** May `stored` become `wanted` under its own id, without its past being rewritten? As Alertmanager's canUpdate. */
export function canUpdateInPlace(
  stored: Silence,
  wanted: Pick<WantedSilence, 'matchers' | 'starts_at_ms' | 'ends_at_ms'>,
  now_ms: number,
): boolean {
  if (!sameMatchers(stored.matchers, wanted.matchers)) return false
  switch (silenceState(stored, now_ms)) {
    case 'active':
      return second(stored.starts_at_ms) === second(wanted.starts_at_ms) && wanted.ends_at_ms >= now_ms
    case 'pending':
      return wanted.starts_at_ms >= now_ms
    case 'expired':
      return false
  }
}

type SilenceBody = Extract<CommandBody, { kind: 'silence' | 'expire-silence' }>

/** The commands that bring a wanted silence about: an update in place, or a new silence and the end of the one before. */
export function placeSilence(
  stored: Silence | undefined,
  wanted: WantedSilence,
  new_id: string,
  now_ms: number,
): { readonly id: string; readonly bodies: readonly SilenceBody[] } {
  const { matchers, ends_at_ms, created_by, comment } = wanted
  const fields = { matchers: [...matchers], ends_at_ms, created_by, comment, updated_at_ms: now_ms }
  if (stored && canUpdateInPlace(stored, wanted, now_ms)) {
    const silence = { ...fields, id: stored.id, starts_at_ms: Math.max(0, wanted.starts_at_ms) }
    return { id: stored.id, bodies: [{ kind: 'silence', silence }] }
  }
  const created: SilenceBody = {
    kind: 'silence',
    silence: { ...fields, id: new_id, starts_at_ms: Math.max(now_ms, wanted.starts_at_ms) },
  }
  if (!stored || silenceState(stored, now_ms) === 'expired') return { id: new_id, bodies: [created] }
  return { id: new_id, bodies: [{ kind: 'expire-silence', silence_id: stored.id }, created] }
}

/** A UUID (Alertmanager's form of silence ids) that follows from the command's id, so that a repeated request makes no second silence. */
export function silenceIdOf(command_id: string): string {
  const digits = hash('sha256', `silence ${command_id}`, 'hex')
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20, 32)}`
}
