import type { State } from '../../correlate/state.ts'
import { type MinedPair, NEARNESS, type Nearness } from '../../schemas/learned.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { Gaps } from './gaps.ts'
import { wilsonLower } from './interval.ts'
import type { Statement } from './occurrences.ts'

/** An alert follows another within this time or not at all. */
const WINDOW_MS = 120_000
/** Alerts of one scope, within the window, that a new one may follow; with more the oldest are left out, and that is told. */
const RECENT_MAX = 512
/** Pairs, and alertnames with their entities, that are counted; further ones are left out, and that is told. */
const PAIRS_MAX = 50_000
const PLACES_MAX = 200_000
/** Places of its first alert that the lift of a pair is computed from. */
const LIFT_PLACES_MAX = 500

const SUPPORT_MIN = 5
const CONFIDENCE_MIN = 0.3
const LIFT_MIN = 3
const EXAMPLES = 3

/** The beginning of one alert, that others may follow. */
interface Lead {
  readonly at_ms: number
  readonly kind: string
  readonly entity: string
  /** One of another kind began near it just before or after. */
  company: boolean
  /** For each nearness: none of its kind came just before, so it counts as one time; which kinds did; which followed. */
  readonly by: Readonly<Record<Nearness, Side>>
}

interface Side {
  readonly counts: boolean
  readonly before: ReadonlySet<string>
  readonly followed: Set<string>
}

interface Pair {
  readonly first: string
  readonly second: string
  readonly where: Nearness
  followed: number
  /** Times when `second` was there before `first` came. */
  preceded: number
  readonly gaps: Gaps
  readonly examples: string[]
}

interface Place {
  readonly scope: string
  readonly entity: string
  /** Occurrences, and of them those that count as one time, by nearness. */
  all: number
  readonly times: Record<Nearness, number>
}

/** Counts which alerts follow which, on the same entity and on related ones. */
export class PairMiner {
  private readonly relations: State
  private readonly recent = new Map<string, Lead[]>()
  private readonly pairs = new Map<string, Pair>()
  /** Kind → scope and entity → how often it occurred there. */
  private readonly places = new Map<string, Map<string, Place>>()
  private places_total = 0
  private from_ms: number | null = null
  private to_ms = 0
  readonly left_out = { recent: 0, pairs: 0, places: 0 }

  constructor(relations: State) {
    this.relations = relations
  }

  /**
   * One beginning of an alert; `nearness` says how it stands to an earlier one about another entity. The result
   * tells whether it had company, for good once the window has passed.
   */
  take(
    { at_ms, scope, kind, entity }: Statement,
    nearness: (other: string) => Nearness | null,
  ): { readonly company: boolean } {
    this.from_ms ??= at_ms
    this.to_ms = at_ms
    const recent = this.recentOf(scope, at_ms)
    const before: Record<Nearness, Set<string>> = { 'same-entity': new Set(), related: new Set() }
    for (const lead of recent) {
      const where = nearness(lead.entity)
      if (where === null) continue
      before[where].add(lead.kind)
      lead.company ||= lead.kind !== kind
      const side = lead.by[where]
      if (!side.counts || lead.kind === kind || side.before.has(kind) || side.followed.has(kind)) continue
      side.followed.add(kind)
      this.follow(lead, kind, where, entity, at_ms - lead.at_ms)
    }
    const lead = newLead(at_ms, kind, entity, before)
    recent.push(lead)
    this.count(scope, lead)
    return lead
  }

  private recentOf(scope: string, at_ms: number): Lead[] {
    const known = this.recent.get(scope) ?? []
    let from = known.findIndex((lead) => at_ms - lead.at_ms <= WINDOW_MS)
    if (from < 0) from = known.length
    const over = Math.max(0, known.length - from - RECENT_MAX + 1)
    this.left_out.recent += over
    const recent = from + over === 0 ? known : known.slice(from + over)
    this.recent.set(scope, recent)
    return recent
  }

  private follow(lead: Lead, second: string, where: Nearness, entity: string, gap_ms: number): void {
    const pair = this.pairOf(lead.kind, second, where)
    if (pair === null) return
    pair.followed++
    pair.gaps.add(gap_ms)
    const example = where === 'same-entity' ? entity : `${lead.entity} → ${entity}`
    if (pair.examples.length < EXAMPLES && !pair.examples.includes(example)) pair.examples.push(example)
  }

  private count(scope: string, { kind, entity, by }: Lead): void {
    const place = this.placeOf(kind, scope, entity)
    if (place) place.all++
    for (const where of NEARNESS) {
      if (!by[where].counts) continue
      if (place) place.times[where]++
      for (const other of by[where].before) {
        const pair = other === kind ? null : this.pairOf(kind, other, where)
        if (pair) pair.preceded++
      }
    }
  }

  private pairOf(first: string, second: string, where: Nearness): Pair | null {
    const key = JSON.stringify([first, second, where])
    const known = this.pairs.get(key)
    if (known) return known
    if (this.pairs.size >= PAIRS_MAX) {
      this.left_out.pairs++
      return null
    }
    const pair: Pair = { first, second, where, followed: 0, preceded: 0, gaps: new Gaps(), examples: [] }
    this.pairs.set(key, pair)
    return pair
  }

  private placeOf(kind: string, scope: string, entity: string): Place | null {
    const places = this.places.get(kind) ?? new Map<string, Place>()
    const key = JSON.stringify([scope, entity])
    const known = places.get(key)
    if (known) return known
    if (this.places_total >= PLACES_MAX) {
      this.left_out.places++
      return null
    }
    const place: Place = { scope, entity, all: 0, times: { 'same-entity': 0, related: 0 } }
    places.set(key, place)
    this.places.set(kind, places)
    this.places_total++
    return place
  }

  /** The surest first. */
  found(): MinedPair[] {
    const found = [...this.pairs.values()].flatMap((pair) => this.mined(pair) ?? [])
    found.sort(
      (a, b) => b.confidence - a.confidence || b.followed - a.followed || compare(keyOf(a), keyOf(b)),
    )
    this.left_out.pairs += Math.max(0, found.length - LIMITS.learned_pairs)
    return found.slice(0, LIMITS.learned_pairs)
  }

  private mined(pair: Pair): MinedPair | null {
    const { first, second, where, followed, gaps, examples } = pair
    if (followed < SUPPORT_MIN) return null
    const times = [...(this.places.get(first)?.values() ?? [])].reduce(
      (sum, place) => sum + place.times[where],
      0,
    )
    const of = Math.max(followed, times - pair.preceded)
    const confidence = wilsonLower(followed, of)
    if (confidence < CONFIDENCE_MIN) return null
    const lift = followed / of / this.byChance(first, second, where)
    if (!(lift > LIFT_MIN)) return null
    return {
      accept: false,
      first,
      second,
      where,
      followed,
      of,
      confidence: rounded(confidence),
      lift: rounded(Math.min(lift, 1e6)),
      gap_median_ms: gaps.quantile(0.5),
      gap_p90_ms: gaps.quantile(0.9),
      examples: [...examples],
    }
  }

  /** How likely `second` comes near a place of `first` within the window at any time: as often as it did there, at random. */
  private byChance(first: string, second: string, where: Nearness): number {
    const firsts = [...(this.places.get(first)?.values() ?? [])].filter(({ times }) => times[where] > 0)
    const places = this.places.get(second)
    const span_ms = Math.max(WINDOW_MS, this.to_ms - (this.from_ms ?? 0))
    let expected = 0
    let times = 0
    for (const place of firsts.slice(0, LIFT_PLACES_MAX)) {
      const { scope, entity } = place
      const region =
        where === 'same-entity'
          ? [entity]
          : this.relations.derived.vicinity.nearTo(this.relations, scope, entity).keys()
      let occurrences = 0
      for (const other of region) occurrences += places?.get(JSON.stringify([scope, other]))?.all ?? 0
      expected += place.times[where] * (1 - Math.exp((-occurrences * WINDOW_MS) / span_ms))
      times += place.times[where]
    }
    return expected / Math.max(1, times)
  }
}

function newLead(
  at_ms: number,
  kind: string,
  entity: string,
  before: Readonly<Record<Nearness, ReadonlySet<string>>>,
): Lead {
  const [on_same, on_related] = [before['same-entity'], before.related]
  const first_there = !on_same.has(kind)
  const by = {
    'same-entity': { counts: first_there, before: on_same, followed: new Set<string>() },
    related: {
      counts: first_there && !on_related.has(kind),
      before: on_related,
      followed: new Set<string>(),
    },
  }
  const company = [...on_same, ...on_related].some((other) => other !== kind)
  return { at_ms, kind, entity, company, by }
}

function keyOf({ first, second, where }: MinedPair): string {
  return JSON.stringify([first, second, where])
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function rounded(value: number): number {
  return Number(value.toFixed(3))
}
