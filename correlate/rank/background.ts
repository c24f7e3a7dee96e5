import type { EntityEvidence } from './evidence.ts'

/**
 * What is usual: which alertnames each entity of a scope had in its earlier incidents. Recent incidents count most, because what
 * drifts (a disk that fills, a memory limit that is too low) alerts in each of them and says nothing of any.
 */
export interface Background {
  readonly head: BackgroundHead
  readonly habits: ReadonlyMap<string, EntityHabits>
}

/** Incidents that end within `EPISODE_MS` are one episode: fragments of one trouble are not learned as several. */
export interface BackgroundHead {
  readonly episode: number
  readonly began_at_ms: number
  /** Episodes learned, each worth `DECAY` for every episode since. */
  readonly episodes: number
}

/** One row of the state. */
export interface EntityHabits {
  readonly entity: string
  readonly last_episode: number
  readonly names: readonly Habit[]
}

/** In how many episodes an entity had an alertname, decayed up to `episode`, the last in which it had it. */
export interface Habit {
  readonly alertname: string
  readonly weight: number
  readonly episode: number
}

/** What one incident changes in the background: the rows to write and those to remove. */
export interface Learned {
  readonly head: BackgroundHead
  readonly changed: readonly EntityHabits[]
  readonly forgotten: readonly string[]
}

export const BACKGROUND_LIMITS = {
  entities: 5_000,
  alertnames_per_entity: 32,
} as const

const EPISODE_MS = 600_000
const DECAY = 0.7
/** A habit fainter than this is forgotten. */
const FAINT = 0.01
/** When full, this part is kept: the table is sorted once for many incidents. */
const KEPT = 0.9

/** `DECAY` to the power of 0, 1, 2, …, by multiplication: the same on every machine. */
const POWERS: readonly number[] = powers(64)

function powers(count: number): number[] {
  const all = [1]
  for (let i = 1; i < count; i++) all.push((all[i - 1] ?? 0) * DECAY)
  return all
}

export const EMPTY_BACKGROUND: Background = {
  head: { episode: 0, began_at_ms: 0, episodes: 0 },
  habits: new Map(),
}

function decayed(habit: Habit, episode: number): number {
  return habit.weight * (POWERS[episode - habit.episode] ?? 0)
}

/** In how many recent episodes the entity had this alertname, decayed; 0 when never or forgotten. */
export function usual(background: Background, entity: string, alertname: string): number {
  const habit = background.habits.get(entity)?.names.find((known) => known.alertname === alertname)
  return habit ? decayed(habit, background.head.episode) : 0
}

/**
 * Learns an incident that has ended, once it takes no more members: learned earlier, it would be usual to itself. `at_ms` is the
 * fold's time, which never goes back. Writes at most as many rows as the incident has entities.
 */
export function learn(background: Background, entities: readonly EntityEvidence[], at_ms: number): Learned {
  const head = headAt(background.head, at_ms)
  const changed = new Map<string, EntityHabits>()
  for (const evidence of entities) {
    const before = changed.get(evidence.entity) ?? background.habits.get(evidence.entity)
    changed.set(evidence.entity, habitsWith(before, evidence, head.episode))
  }
  return { head, changed: [...changed.values()], forgotten: overflowing(background, changed) }
}

function headAt(head: BackgroundHead, at_ms: number): BackgroundHead {
  if (head.episodes > 0 && at_ms - head.began_at_ms <= EPISODE_MS) return head
  return { episode: head.episode + 1, began_at_ms: at_ms, episodes: head.episodes * DECAY + 1 }
}

function habitsWith(
  before: EntityHabits | undefined,
  evidence: EntityEvidence,
  episode: number,
): EntityHabits {
  const names: Habit[] = []
  for (const alertname of evidence.alertnames.keys()) {
    const known = before?.names.find((habit) => habit.alertname === alertname)
    if (known?.episode === episode) names.push(known)
    else names.push({ alertname, weight: (known ? decayed(known, episode) : 0) + 1, episode })
  }
  for (const known of before?.names ?? []) {
    if (!evidence.alertnames.has(known.alertname) && decayed(known, episode) >= FAINT) names.push(known)
  }
  names.sort((a, b) => decayed(b, episode) - decayed(a, episode) || (a.alertname < b.alertname ? -1 : 1))
  return {
    entity: evidence.entity,
    last_episode: episode,
    names: names.slice(0, BACKGROUND_LIMITS.alertnames_per_entity),
  }
}

/** Who is forgotten for lack of room: those whose last incident is the longest ago. Follows from the rows alone. */
function overflowing(background: Background, changed: ReadonlyMap<string, EntityHabits>): string[] {
  const others = [...background.habits.values()].filter(({ entity }) => !changed.has(entity))
  if (others.length + changed.size <= BACKGROUND_LIMITS.entities) return []
  others.sort((a, b) => b.last_episode - a.last_episode || (a.entity < b.entity ? -1 : 1))
  const room = Math.max(0, Math.floor(BACKGROUND_LIMITS.entities * KEPT) - changed.size)
  return others.slice(room).map(({ entity }) => entity)
}
