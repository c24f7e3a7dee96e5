import { measureTocsin, startEmbedded } from './http_round.ts'
import { type Mix, MIXES } from './load/bodies.ts'
import { httpOrder } from './load_order.ts'
import type { BenchOptions } from './options.ts'
import { Peer } from './peer.ts'
import { type Figure, type Report, rounded, summarise } from './report.ts'

const ROUNDS = 3
const DISTINCT = [20_000]

/** How a tocsin is started, and which of its folds have to catch up. */
export interface Subject {
  readonly name: string
  readonly yaml: string
  readonly folds: readonly string[]
}

/** The whole way over HTTP on this machine: answered when durable, folded, told, recorded. Load comes from a process of its own. */
export function run(options: BenchOptions): Promise<Report> {
  return measureOverHttp(
    { name: 'embedded', yaml: 'log_level: error\n', folds: ['correlate', 'deliver', 'record'] },
    options,
  )
}

/** Every mix and number of different alerts, in rounds; ours and the peer's in turns, each on a server that was just started. */
export async function measureOverHttp(subject: Subject, options: BenchOptions): Promise<Report> {
  const { seconds, warmup_seconds, batch, connections, rate, peer: peer_url } = options
  const peer = peer_url === undefined ? null : new Peer(peer_url, options.peer_command)
  const rounds: Record<string, Figure>[] = []
  for (let round = 0; round < (options.rounds ?? ROUNDS); round++) {
    const figures: Record<string, Figure> = {}
    for (const distinct of options.distinct ?? DISTINCT)
      for (const mix of options.mixes ?? MIXES) {
        const found = await measureOne(subject, peer, options, { mix, distinct, round })
        for (const [name, figure] of Object.entries(found))
          figures[`${mix}_${distinct / 1_000}k_${name}`] = figure
      }
    rounds.push(figures)
  }
  return {
    name: subject.name,
    parameters: {
      seconds,
      warmup_seconds,
      batch,
      connections,
      rate: rate ?? null,
      rounds: rounds.length,
      peer: peer_url ?? null,
      peer_command: options.peer_command ?? null,
    },
    ...summarise(rounds),
    ...(peer && { versions: { peer: await peer.version() } }),
  }
}

async function measureOne(
  subject: Subject,
  peer: Peer | null,
  options: BenchOptions,
  load: { readonly mix: Mix; readonly distinct: number; readonly round: number },
): Promise<Record<string, Figure>> {
  const tocsin = await startEmbedded(subject.yaml, options.cpu_profile_dir)
  let ours: Record<string, Figure>
  try {
    ours = await measureTocsin(tocsin, httpOrder({ ...options, ...load, url: tocsin.url }), subject.folds)
  } finally {
    await tocsin.stop()
  }
  if (peer === null) return ours
  const theirs = await peer.measure(httpOrder({ ...options, ...load, url: peer.url }))
  const renamed = Object.entries(theirs).map(([name, figure]) => [`peer_${name}`, figure] as const)
  const rateOf = (figures: Record<string, Figure>) => Number(figures['alerts_per_s'])
  return { ...ours, ...Object.fromEntries(renamed), ratio_to_peer: rounded(rateOf(ours) / rateOf(theirs)) }
}
