import { billing, type Condition, furnace, outage } from './conditions.ts'
import { Random } from './random.ts'

export interface StoryAlert {
  readonly condition: Condition
  readonly resolved: boolean
}

/** What Prometheus would send at one moment of the story. */
export interface Step {
  readonly at_ms: number
  readonly alerts: readonly StoryAlert[]
  /** What a bystander would say just then; null most of the time. */
  readonly told: string | null
}

export interface Story {
  readonly steps: readonly Step[]
  readonly duration_ms: number
  /** Distinct alerts in it. */
  readonly alerts: number
  /** When somebody takes the failed job of the billing department on. */
  readonly acknowledge_at_ms: number
}

const MINUTE_MS = 60_000
const DURATION_MS = 20 * MINUTE_MS
const EVALUATION_MS = 15_000
/** Prometheus repeats a firing alert this often (`--rules.alert.resend-delay`). */
const REPEAT_MS = MINUTE_MS

const TOLD: Readonly<Record<number, string>> = {
  0: 'the disk of db-1 is filling up',
  2: 'db-1 cannot write any more',
  3: 'payments and orders wait for connections to db-1',
  4: 'furnace-2 of plant-1 drifts',
  5: 'the nightly invoices fail, which has nothing to do with it',
  6: 'the whole checkout is failing',
  9: 'furnace-2 comes closer to its limit',
  14: 'space was freed on db-1: some services recover',
  18: 'the rest stays broken',
}

/** A shop's checkout outage, a drifting furnace and a failed job, as Prometheus would tell them. Pure: equal seeds, equal stories. */
export function story(seed: number): Story {
  const random = new Random(seed)
  const conditions = [...outage(random), ...furnace(random), ...billing()]
  const steps: Step[] = []
  for (let at_ms = 0; at_ms <= DURATION_MS; at_ms += EVALUATION_MS) {
    steps.push({
      at_ms,
      alerts: conditions.flatMap((condition) => sentAt(condition, at_ms)),
      told: told(at_ms),
    })
  }
  return { steps, duration_ms: DURATION_MS, alerts: conditions.length, acknowledge_at_ms: 7 * MINUTE_MS }
}

function told(at_ms: number): string | null {
  return at_ms % MINUTE_MS === 0 ? (TOLD[at_ms / MINUTE_MS] ?? null) : null
}

/** At the evaluation after it began, every minute from then on, and once when it has ended. */
function sentAt(condition: Condition, at_ms: number): StoryAlert[] {
  const first_ms = evaluationAfter(condition.from_ms)
  const last_ms = condition.until_ms === null ? null : evaluationAfter(condition.until_ms)
  if (last_ms === at_ms) return [{ condition, resolved: true }]
  const firing = at_ms >= first_ms && (last_ms === null || at_ms < last_ms)
  return firing && (at_ms - first_ms) % REPEAT_MS === 0 ? [{ condition, resolved: false }] : []
}

function evaluationAfter(at_ms: number): number {
  return Math.ceil(at_ms / EVALUATION_MS) * EVALUATION_MS
}
