import { describe, expect, it } from 'vitest'
import { DEFECTS } from './defects.ts'
import { failureText } from './report.ts'
import { type Run, run } from './run.ts'

const SEEDS = 2_000
/** For slow machines; nothing here depends on time. */
const PATIENCE = { timeout: 600_000 }

/** The first of the seeds that does not hold. */
async function firstFailure(
  seeds: number,
  defect?: string,
): Promise<{ readonly seed: number; readonly done: Run } | null> {
  for (let seed = 1; seed <= seeds; seed++) {
    const done = await run(seed, defect === undefined ? undefined : DEFECTS[defect])
    if (done.violation !== null) return { seed, done }
  }
  return null
}

describe('the simulated installation', () => {
  it(`keeps its invariants in ${SEEDS} seeds of storm and calm`, PATIENCE, async () => {
    const failure = await firstFailure(SEEDS)
    expect(failure && failureText(failure.seed, undefined, failure.done)).toBeNull()
  })

  it('plays the same seed the same way every time', PATIENCE, async () => {
    const first: string[] = []
    for (let seed = 1; seed <= 20; seed++) first.push((await run(seed)).world.lines().join('\n'))
    for (let seed = 20; seed >= 1; seed--)
      expect((await run(seed)).world.lines().join('\n')).toBe(first[seed - 1])
    expect(new Set(first).size).toBe(20)
  })
})

/** Deliberate mistakes: within how many seeds each is found, and which invariants it breaks there. */
const FOUND: Readonly<Record<string, { readonly seeds: number; readonly breaks: RegExp }>> = {
  'commit-without-fence': { seeds: 10, breaks: /^[24]:/ },
  'version-not-checked': { seeds: 20, breaks: /^[245]:/ },
  'ids-from-randomness': { seeds: 5, breaks: /^5:/ },
  'wall-clock-in-decisions': { seeds: 5, breaks: /^5:/ },
  'publish-after-commit': { seeds: 30, breaks: /^[34]:/ },
  'resume-from-the-brokers-offset': { seeds: 60, breaks: /^(4|5|10):/ },
  'places-ignored': { seeds: 5, breaks: /^5:/ },
  'sink-without-look-up': { seeds: 10, breaks: /^10:/ },
  'intent-not-stored-first': { seeds: 20, breaks: /^10:/ },
  'tick-while-lagging': { seeds: 10, breaks: /^9:/ },
  'beginning-not-stored': { seeds: 100, breaks: /^10:/ },
  'seen-revisions-not-ignored': { seeds: 20, breaks: /^10:/ },
  'timers-not-restored': { seeds: 20, breaks: /^(5|liveness):/ },
  'answered-before-durable': { seeds: 30, breaks: /^8:/ },
  'log-time-goes-back': { seeds: 5, breaks: /^9:/ },
  'closed-while-a-member-fires': { seeds: 10, breaks: /^[56]:/ },
  'insert-without-token': { seeds: 400, breaks: /^11:/ },
  'history-goes-on-behind-the-further-table': { seeds: 200, breaks: /^11:/ },
  'history-beginning-not-told': { seeds: 100, breaks: /^11:/ },
  'history-ignores-a-failover': { seeds: 100, breaks: /^11:/ },
  'idle-owners-ask-nothing': { seeds: 200, breaks: /^liveness:/ },
  'seek-after-the-partition-was-lost': { seeds: 5, breaks: /^2:/ },
  'claims-outlive-a-failover': { seeds: 500, breaks: /^(4|5|10):/ },
  'failover-not-noticed': { seeds: 20, breaks: /^10:/ },
  'recognised-before-durable': { seeds: 200, breaks: /^8:/ },
  'claim-not-confirmed-after-loading': { seeds: 200, breaks: /^[45]:/ },
}

describe('a deliberate mistake', () => {
  it.each(Object.entries(FOUND))('%s is found', PATIENCE, async (defect, { seeds, breaks }) => {
    const failure = await firstFailure(seeds, defect)
    expect(failure?.done.violation?.check).toMatch(breaks)
    expect(failure && failureText(failure.seed, defect, failure.done)).toContain(
      `again: npm run simulate -- --seed ${failure?.seed} --defect ${defect}`,
    )
  })

  it('has a row here', () => {
    expect(Object.keys(FOUND).toSorted()).toEqual(Object.keys(DEFECTS).toSorted())
  })
})
