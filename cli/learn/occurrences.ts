import { apply } from '../../correlate/apply.ts'
import { alertKind, mentionsOf } from '../../correlate/match/mentions.ts'
import { nearnessOf } from '../../correlate/match/pairs.ts'
import { learnedRelations } from '../../correlate/match/relations.ts'
import { waysOf } from '../../correlate/match/vicinity.ts'
import { takeTopology } from '../../correlate/match/topology.ts'
import { emptyState, type State } from '../../correlate/state.ts'
import type { Nearness } from '../../schemas/learned.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { TopologyPart } from '../../schemas/topology.ts'
import type { Recorded } from '../replay/lines.ts'

/** Alerts that are followed at once; the one that was told longest ago makes room, and would count as beginning again. */
const FOLLOWED_MAX = 250_000

/** What one statement of a recording says. */
export interface Statement {
  readonly at_ms: number
  readonly scope: string
  readonly kind: string
  readonly entity: string
  /** It fired since then without a pause: the time of its last statement; null when this is its beginning. */
  readonly fired_since_ms: number | null
  /** It fires on. */
  readonly firing: boolean
}

/** Tells the beginnings of alerts from repeats and ends, and who is near whom, as the fold does. */
export class Occurrences {
  readonly relations: State = emptyState(0)
  /** Fingerprint → when it was last told and when it stops unless repeated; the one told longest ago first. */
  private readonly followed = new Map<string, { readonly told_ms: number; readonly until_ms: number }>()
  private readonly timeout_ms: number
  private now_ms = 0
  evicted = 0

  constructor(topology: readonly TopologyPart[], timeout_ms: number) {
    this.timeout_ms = timeout_ms
    for (const part of topology) apply(this.relations, takeTopology(this.relations, part).rows)
  }

  /** Time never goes back, as in a log. Null: it says nothing of use, such as the end of what is not known. */
  take({ at_ms, alert }: Recorded): Statement | null {
    this.now_ms = Math.max(this.now_ms, at_ms)
    const { fingerprint, scope, entity, ends_at_ms } = alert
    const before = this.followed.get(fingerprint)
    const fired_since_ms = before && before.until_ms >= this.now_ms ? before.told_ms : null
    const firing = ends_at_ms === null || ends_at_ms > this.now_ms
    this.followed.delete(fingerprint)
    if (firing)
      this.followed.set(fingerprint, {
        told_ms: this.now_ms,
        until_ms: ends_at_ms ?? this.now_ms + this.timeout_ms,
      })
    this.makeRoom()
    const kind = alertKind(alert)
    if ((!firing && fired_since_ms === null) || kind === '' || !fits(kind) || !fits(entity)) return null
    const mentions = mentionsOf(alert)
    if (fired_since_ms === null) apply(this.relations, learnedRelations(this.relations, alert, mentions))
    return { at_ms: this.now_ms, scope, kind, entity, fired_since_ms, firing }
  }

  /** How an alert stands to an earlier one of its scope about another entity, as the fold has it. */
  nearness({ alert }: Recorded): (other: string) => Nearness | null {
    const { scope, entity } = alert
    const ways = waysOf(this.relations, alert, mentionsOf(alert))
    return (other) => nearnessOf(this.relations, scope, entity, ways, other)
  }

  private makeRoom(): void {
    if (this.followed.size <= FOLLOWED_MAX) return
    const [oldest] = this.followed.keys()
    if (oldest !== undefined) this.followed.delete(oldest)
    this.evicted++
  }
}

function fits(name: string): boolean {
  return name.length <= LIMITS.learned_name_chars
}
