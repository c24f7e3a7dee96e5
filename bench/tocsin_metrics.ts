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

/**
 * Resolves when a fold has nothing left to read. Partitions in which it never committed are not seen: where that may be,
 * look at what it wrote (history_rows.ts).
 */
export async function drained(url: string, fold: string): Promise<void> {
  const began = performance.now()
  while ((await TocsinMetrics.of(url)).sum('tocsin_lag_records', { fold }) > 0) {
    if (performance.now() - began > STUCK_AFTER_MS) throw new Error(`${fold} did not catch up`)
    await pause(LOOK_EVERY_MS)
  }
}

/** Throws when alerts that were answered are missing from what these took and folded: the figures would be of less work. */
export async function assertTaken(urls: readonly string[], answered: number): Promise<void> {
  const taken = await alertsTaken(urls)
  if (taken < answered) throw new Error(`${answered} alerts were answered, but only ${taken} were taken`)
  const left_out = await total(urls, 'tocsin_alerts_unassigned_total', { code: 'active-alerts-bound' })
  if (left_out > 0) throw new Error(`${left_out} alerts were left out at the bound of active alerts`)
}

/** Alerts that these acknowledged since they began, whatever the source. */
export function alertsTaken(urls: readonly string[]): Promise<number> {
  return total(urls, 'tocsin_alerts_total')
}

async function total(urls: readonly string[], ...query: Parameters<TocsinMetrics['sum']>): Promise<number> {
  const all = await Promise.all(urls.map((url) => TocsinMetrics.of(url)))
  return all.reduce((sum, metrics) => sum + metrics.sum(...query), 0)
}
