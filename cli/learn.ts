import { writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { makeNormaliser } from '../ingest/normalise.ts'
import { environment, loadConfig } from '../runtime/config.ts'
import { readTopologyFile } from '../runtime/topology_files.ts'
import type { LearnedFile } from '../schemas/learned.ts'
import { ChronicMiner } from './learn/chronic.ts'
import { Occurrences } from './learn/occurrences.ts'
import { PairMiner } from './learn/pairs.ts'
import { UsualGaps } from './learn/usual_gaps.ts'
import { BadLine, readLine } from './replay/lines.ts'
import { linesOf } from './replay/recording.ts'

export interface LearnOptions {
  readonly alerts: string
  readonly out: string
  readonly topology?: string
  readonly config?: string
}

const HEADER = ` Learned by \`tocsin learn\`. Nothing of it has any effect until you set \`accept: true\` and name this file in the
 configuration (\`rules.learned\`). docs/learning.md says what the figures mean.
`
const BAD_LINES_SHOWN = 5

/** Learns from recorded alerts which follow which and which fire all the time, and writes it as a file to review. */
export async function learn(options: LearnOptions): Promise<void> {
  const { config, rules } = loadConfig(options.config, environment())
  const topology = options.topology === undefined ? [] : readTopologyFile('learn', options.topology, '').parts
  const lines = linesOf(options.alerts)
  const normalise = makeNormaliser(config)
  const mining = new Mining(new Occurrences(topology, rules.resolve_timeout_ms))
  let count = 0
  let bad = 0
  for await (const text of lines) {
    count++
    try {
      mining.take(readLine(text, normalise))
    } catch (error) {
      if (!(error instanceof BadLine)) throw error
      if (++bad <= BAD_LINES_SHOWN) console.error(`line ${count}: ${error.message}`)
    }
  }
  const file = mining.found(bad)
  writeFileSync(options.out, `${HEADER.replaceAll(/^ /gm, '# ')}${stringify(file)}`)
  console.log(
    `${options.out}: ${file.pairs.length} pairs and ${file.chronic.length} chronic alerts from ${file.recording.occurrences} occurrences, none accepted yet.`,
  )
}

/** All that is learned, in one pass. */
class Mining {
  private readonly occurrences: Occurrences
  private readonly pairs: PairMiner
  private readonly chronic = new ChronicMiner()
  private readonly gaps = new UsualGaps()
  private readonly counts = { statements: 0, occurrences: 0, from_ms: 0, to_ms: 0 }

  constructor(occurrences: Occurrences) {
    this.occurrences = occurrences
    this.pairs = new PairMiner(occurrences.relations)
  }

  take(recorded: Parameters<Occurrences['take']>[0]): void {
    const statement = this.occurrences.take(recorded)
    const { counts } = this
    if (counts.statements++ === 0) counts.from_ms = recorded.at_ms
    counts.to_ms = Math.max(counts.to_ms, recorded.at_ms)
    if (statement === null) return
    if (statement.fired_since_ms !== null) return this.chronic.take(statement, null)
    counts.occurrences++
    this.gaps.take(statement)
    this.chronic.take(statement, this.pairs.take(statement, this.occurrences.nearness(recorded)))
  }

  found(unreadable: number): LearnedFile {
    const { statements, occurrences, from_ms, to_ms } = this.counts
    const pairs = this.pairs.found()
    const chronic = this.chronic.found()
    const left_out = {
      unreadable,
      followed: this.occurrences.evicted,
      ...this.pairs.left_out,
      chronic: this.chronic.left_out,
      gaps: this.gaps.left_out,
    }
    return {
      recording: {
        statements,
        occurrences,
        from: new Date(from_ms).toISOString(),
        to: new Date(to_ms).toISOString(),
        left_out: Object.fromEntries(Object.entries(left_out).filter(([, count]) => count > 0)),
      },
      pairs,
      chronic,
      gaps: this.gaps.found(),
    }
  }
}
