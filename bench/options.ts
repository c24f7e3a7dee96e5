import { parseArgs } from 'node:util'
import { isMix, type Mix, MIXES } from './load/bodies.ts'

/** What a benchmark is asked for. A benchmark that has no use for an option ignores it. */
export interface BenchOptions {
  /** Measured time of one round, without warm-up. */
  readonly seconds: number
  /** Load before the measured time of a round. */
  readonly warmup_seconds: number
  /** How often each measurement is repeated; undefined: as the benchmark thinks fit. */
  readonly rounds: number | undefined
  /** Different alerts that repeat; several numbers are measured one after the other. */
  readonly distinct: readonly number[] | undefined
  readonly mixes: readonly Mix[] | undefined
  /** Alerts of one request or message; undefined: as is usual there. */
  readonly batch: number | undefined
  readonly connections: number
  /** Alerts a second that are offered; undefined: as many as are answered, or what the benchmark thinks fit. */
  readonly rate: number | undefined
  /** Address of another Alertmanager-compatible server to send the same load to. */
  readonly peer: string | undefined
  /** Starts that server anew for each round, in an empty folder, so that its CPU time is known too. */
  readonly peer_command: string | undefined
  /** Folder of recorded data. */
  readonly data: string | undefined
  /** Where each tocsin leaves a CPU profile. */
  readonly cpu_profile_dir: string | undefined
  /** Incidents of a history, and rows of alerts beside them. */
  readonly incidents: number | undefined
  readonly statements: number | undefined
  /** Also with each kind of evidence left out. */
  readonly ablate: boolean
}

export const USAGE = `npm run bench -- NAME [options]
  --seconds N        measured time of a round (10)
  --warmup N         load before it, seconds (3)
  --rounds N         repetitions of each measurement; median and spread are given
  --distinct N[,N]   different alerts that repeat
  --mix M[,M]        ${MIXES.join(', ')}
  --batch N          alerts of one request (500) or message (100)
  --connections N    (4)
  --rate N           alerts a second that are offered
  --peer URL         send the same load to another Alertmanager-compatible server, in turns
  --peer-command C   start it anew for each round, with an empty folder as working directory
  --cpu-profile DIR  where each tocsin leaves a CPU profile
  --data DIR         folder of recorded data (grouping: NAME.jsonl[.gz], NAME.topology.json, NAME.faults.json)
  --incidents N      incidents of a history (analytics: 1000000)
  --statements N     rows of alerts beside them (a hundred each)
  --ablate           also with each kind of evidence left out
  --json FILE        write the result there instead of printing it`

/** Throws TypeError with what is wrong. */
export function parseOptions(args: readonly string[]): {
  name: string
  json: string | undefined
  options: BenchOptions
} {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '10' },
      warmup: { type: 'string', default: '3' },
      rounds: { type: 'string' },
      distinct: { type: 'string' },
      mix: { type: 'string' },
      batch: { type: 'string' },
      connections: { type: 'string', default: '4' },
      rate: { type: 'string' },
      peer: { type: 'string' },
      'peer-command': { type: 'string' },
      'cpu-profile': { type: 'string' },
      data: { type: 'string' },
      incidents: { type: 'string' },
      statements: { type: 'string' },
      ablate: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  })
  if (values['peer-command'] !== undefined && values.peer === undefined)
    throw new TypeError('--peer-command needs --peer, the address at which it will answer')
  return {
    name: positionals[0] ?? '',
    json: values.json,
    options: {
      seconds: positive('seconds', values.seconds),
      warmup_seconds: positive('warmup', values.warmup),
      rounds: values.rounds === undefined ? undefined : positive('rounds', values.rounds),
      distinct: values.distinct?.split(',').map((text) => positive('distinct', text)),
      mixes: values.mix?.split(',').map(mixOf),
      batch: values.batch === undefined ? undefined : positive('batch', values.batch),
      connections: positive('connections', values.connections),
      rate: values.rate === undefined ? undefined : positive('rate', values.rate),
      peer: values.peer,
      peer_command: values['peer-command'],
      cpu_profile_dir: values['cpu-profile'],
      data: values.data,
      incidents: values.incidents === undefined ? undefined : positive('incidents', values.incidents),
      statements: values.statements === undefined ? undefined : positive('statements', values.statements),
      ablate: values.ablate,
    },
  }
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new TypeError(`--${option} needs a number above 0, not ${text}`)
  return value
}

function mixOf(text: string): Mix {
  if (!isMix(text)) throw new TypeError(`--mix knows ${MIXES.join(', ')}, not ${text}`)
  return text
}
