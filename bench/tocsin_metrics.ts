import { setTimeout as pause } from 'node:timers/promises'

const LOOK_EVERY_MS = 50
const STUCK_AFTER_MS = 600_000

/** What a tocsin tells of itself at one moment. */
export class TocsinMetrics {
  private readonly text: string

  private constructor(text: string) {
    this.text = text
  }

  static async of(url: string): Promise<TocsinMetrics> {
    return new TocsinMetrics(await (await fetch(`${url}/metrics`)).text())
  }

  /** Sum over all label sets that contain every one of these; 0 when there is none. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    let sum = 0
    for (const [, own = '', value] of this.text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm')))
      if (Object.entries(labels).every(([key, wanted]) => own.includes(`${key}="${wanted}"`)))
        sum += Number(value)
    return sum
  }
}

/** Resolves with the time when these folds (or all) have nothing left to read. */
export async function drained(url: string, folds: readonly string[]): Promise<number> {
  const began = performance.now()
  for (;;) {
    const metrics = await TocsinMetrics.of(url)
    if (folds.every((fold) => metrics.sum('tocsin_lag_records', { fold }) === 0)) return performance.now()
    if (performance.now() - began > STUCK_AFTER_MS) throw new Error(`${folds.join()} did not catch up`)
    await pause(LOOK_EVERY_MS)
  }
}

/** Throws when alerts that were answered are missing from what the tocsin took and folded: its figures would be of less work. */
export async function assertTaken(url: string, answered: number): Promise<void> {
  const metrics = await TocsinMetrics.of(url)
  const taken = metrics.sum('tocsin_alerts_total')
  if (taken < answered) throw new Error(`${answered} alerts were answered, but only ${taken} were taken`)
  const left_out = metrics.sum('tocsin_alerts_unassigned_total', { code: 'active-alerts-bound' })
  if (left_out > 0) throw new Error(`${left_out} alerts were left out at the bound of active alerts`)
}
