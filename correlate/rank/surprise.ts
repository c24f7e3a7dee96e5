import { type Background, usual } from './background.ts'
import { type EntityEvidence, RANK_LIMITS } from './evidence.ts'

/** One alertname on one entity, and what it is worth as evidence that something is wrong with that very entity. */
export interface Sign {
  readonly alertname: string
  readonly surprise: number
  /** In how many recent episodes the entity had it, decayed. */
  readonly before: number
  /** Entities of this incident that have it. */
  readonly on: number
}

/** How likely a broken entity shows any given one of its signs. */
const GIVEN_BROKEN = 0.7
/** Episodes that what is seen within this incident counts for, against what earlier ones tell. */
const PRIOR_EPISODES = 3
/** What everything has in this incident may still be the trouble: in a small one everything has it. */
const COMMON = 0.5
/** Nothing is quite without information, and nothing decides alone. */
const LEAST = 0.02
const MOST = 6

/**
 * The signs of each entity, the most surprising first. Surprise is the logarithm of odds that an alertname comes from a broken
 * entity rather than as usual: by how often the entity had it in earlier incidents, and by how many entities have it in this one.
 */
export function signsOf(
  entities: readonly EntityEvidence[],
  background: Background,
): ReadonlyMap<string, readonly Sign[]> {
  const on = spread(entities)
  const { episodes } = background.head
  const signs = new Map<string, readonly Sign[]>()
  for (const { entity, alertnames } of entities) {
    const own: Sign[] = []
    for (const alertname of namesRead(alertnames)) {
      const before = usual(background, entity, alertname)
      const here = on.get(alertname) ?? 1
      const prior = Math.min(COMMON, here / (entities.length + 1))
      const rate = (before + PRIOR_EPISODES * prior) / (episodes + PRIOR_EPISODES)
      const surprise = Math.min(MOST, Math.max(LEAST, Math.log(GIVEN_BROKEN / rate)))
      own.push({ alertname, surprise, before, on: here })
    }
    own.sort((a, b) => b.surprise - a.surprise || (a.alertname < b.alertname ? -1 : 1))
    signs.set(entity, own.slice(0, RANK_LIMITS.alertnames_weighed))
  }
  return signs
}

function namesRead(alertnames: EntityEvidence['alertnames']): readonly string[] {
  const names = [...alertnames.keys()]
  return names.length <= RANK_LIMITS.alertnames_read ? names : names.slice(0, RANK_LIMITS.alertnames_read)
}

function spread(entities: readonly EntityEvidence[]): ReadonlyMap<string, number> {
  const on = new Map<string, number>()
  for (const { alertnames } of entities) {
    for (const alertname of namesRead(alertnames)) on.set(alertname, (on.get(alertname) ?? 0) + 1)
  }
  return on
}
