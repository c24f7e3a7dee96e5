import { assertActive, makeActive, Place } from './http_round.ts'
import type { BenchOptions } from './options.ts'
import { Probes, PROBES_APART } from './probes.ts'
import { end, type Started } from './processes.ts'
import { type Figure, type Report, rounded, summarise } from './report.ts'

const ROUNDS = 3
const DISTINCT = 200_000
/** Nothing ends by itself while this runs. */
export const LASTING = `log_level: error\nrules: {resolve_timeout_ms: 3600000, grouping: [${PROBES_APART}]}\n`

/** From exec to a program that works again, with many active alerts, after a stop and after kill -9. */
export async function run(options: BenchOptions): Promise<Report> {
  const place = new Place(LASTING)
  try {
    return await measureRestarts('restart', options, () => place.start())
  } finally {
    place.remove()
  }
}

export async function measureRestarts(
  name: string,
  options: BenchOptions,
  start: () => Promise<Started>,
): Promise<Report> {
  const distinct = options.distinct?.[0] ?? DISTINCT
  let tocsin = await start()
  try {
    await makeActive(tocsin.url, distinct)
    const rounds: Record<string, Figure>[] = []
    for (let round = 0; round < (options.rounds ?? ROUNDS); round++) {
      const figures: Record<string, Figure> = {}
      for (const [key, signal] of [
        ['after_stop', 'SIGTERM'],
        ['after_kill', 'SIGKILL'],
      ] as const) {
        await end(tocsin.child, signal)
        const again = await restarted(start, distinct)
        tocsin = again.tocsin
        for (const [what, ms] of Object.entries(again.times_ms)) figures[`${key}_${what}_ms`] = rounded(ms, 0)
      }
      rounds.push(figures)
    }
    return { name, parameters: { active_alerts: distinct, rounds: rounds.length }, ...summarise(rounds) }
  } finally {
    await tocsin.stop()
  }
}

async function restarted(
  start: () => Promise<Started>,
  distinct: number,
): Promise<{ tocsin: Started; times_ms: Record<string, number> }> {
  const began = performance.now()
  const since = () => performance.now() - began
  const tocsin = await start()
  const ready = since()
  const answer = await fetch(`${tocsin.url}/-/ready`)
  if (!answer.ok) throw new Error(`a tocsin that says it is ready answers with ${answer.status}`)
  const first_answer = since()
  const probes = await Probes.open(tocsin.url)
  await probes.run(1, 1)
  const first_change = since()
  await assertActive(tocsin.url, distinct)
  return { tocsin, times_ms: { ready, first_answer, first_change, all_partitions: since() } }
}
