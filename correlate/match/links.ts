import { LIMITS } from '../../schemas/limits.ts'
import type { Row, State } from '../state.ts'

/** What an operator said about two kinds of alerts by merging, moving or splitting: they belong together, or they do not. */
export interface Link {
  /** Two alertnames, sorted. */
  readonly kinds: readonly [string, string]
  readonly together: boolean
  readonly actor: string
  readonly at_ms: number
}

const KINDS_MAX = 10

/** Each kind on one side was put together with, or apart from, each on the other; what is on both sides says nothing. */
export interface Said {
  readonly kinds: readonly [ReadonlySet<string>, ReadonlySet<string>]
  readonly together: boolean
}

/** The links of the scope after an operator's action; none when it says nothing. */
export function linked(state: State, scope: string, actor: string, said: readonly Said[]): readonly Row[] {
  const before: readonly Link[] = state.links.get(scope) ?? []
  let links = before
  for (const { kinds, together } of said)
    for (const pair of pairsOf(kinds)) {
      const others = links.filter((link) => link.kinds[0] !== pair[0] || link.kinds[1] !== pair[1])
      links = [...others, { kinds: pair, together, actor, at_ms: state.time_ms }]
    }
  return links === before ? [] : [{ kind: 'links', key: scope, value: links.slice(-LIMITS.links_per_scope) }]
}

function pairsOf([one, other]: Said['kinds']): (readonly [string, string])[] {
  const only = (kinds: ReadonlySet<string>, without: ReadonlySet<string>) =>
    [...kinds]
      .filter((kind) => !without.has(kind))
      .sort()
      .slice(0, KINDS_MAX)
  const right = only(other, one)
  return only(one, other).flatMap((a) => right.map((b) => (a < b ? ([a, b] as const) : ([b, a] as const))))
}

/** What operators said about a kind, by the other kind. */
export function linksOf(state: State, scope: string, kind: string): readonly (readonly [string, Link])[] {
  const found: (readonly [string, Link])[] = []
  for (const link of state.links.get(scope) ?? []) {
    if (link.kinds[0] === kind) found.push([link.kinds[1], link])
    else if (link.kinds[1] === kind) found.push([link.kinds[0], link])
  }
  return found
}
