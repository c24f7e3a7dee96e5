import type { LearnedFile } from '../../schemas/learned.ts'
import { Gaps } from './gaps.ts'
import type { Statement } from './occurrences.ts'

/** Alertnames whose gaps are counted, over all scopes; further ones are left out, and that is told. */
const NAMES_MAX = 10_000
const WRITTEN_MAX = 500

/** Counts the time between alerts of one name in one scope. */
export class UsualGaps {
  private readonly last_ms = new Map<string, number>()
  private readonly gaps = new Map<string, { occurrences: number; readonly gaps: Gaps }>()
  left_out = 0

  take({ at_ms, scope, kind }: Statement): void {
    const key = JSON.stringify([scope, kind])
    const last_ms = this.last_ms.get(key)
    if (last_ms === undefined && this.last_ms.size >= NAMES_MAX) {
      this.left_out++
      return
    }
    this.last_ms.set(key, at_ms)
    let own = this.gaps.get(kind)
    if (own === undefined) this.gaps.set(kind, (own = { occurrences: 0, gaps: new Gaps() }))
    own.occurrences++
    if (last_ms !== undefined) own.gaps.add(at_ms - last_ms)
  }

  /** The most frequent first. */
  found(): LearnedFile['gaps'] {
    return [...this.gaps]
      .sort(([a, x], [b, y]) => y.occurrences - x.occurrences || (a < b ? -1 : 1))
      .slice(0, WRITTEN_MAX)
      .map(([alertname, { occurrences, gaps }]) => ({
        alertname,
        occurrences,
        gap_median_ms: gaps.quantile(0.5),
        gap_p90_ms: gaps.quantile(0.9),
      }))
  }
}
