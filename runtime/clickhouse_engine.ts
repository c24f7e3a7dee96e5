/** The process of the embedded ClickHouse engine: where its library is, how it starts and what its end says. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ServerOrder } from './clickhouse_server.ts'
import { Misconfigured } from './errors.ts'

const STDERR_KEPT_CHARS = 8_192
/** The engine listens as long as its last statement runs. */
const SERVE_FOREVER =
  'SYSTEM START LISTEN HTTP; ' +
  'SELECT sleepEachRow(1) FROM numbers(1000000000) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null'

export interface EngineProcess {
  readonly child: ChildProcess
  readonly ended: Promise<string>
  /** The last part of what the engine said on stderr. */
  readonly complaint: () => string
}

/** Where the engine's library is. chdb and ffi-rs are optional dependencies: npm leaves them out where they cannot run (Windows, musl). */
export async function findEngine(): Promise<string> {
  const remedy =
    'run `npm install --include=optional` on Linux (glibc) or macOS, or set clickhouse.url to a ClickHouse server'
  const found = await Promise.all([import('chdb/libchdb'), import('ffi-rs')]).then(
    ([chdb]) => chdb.tryResolveLibchdb()?.path,
    () => undefined,
  )
  if (found !== undefined) return found
  throw new Misconfigured(
    'clickhouse-not-installed',
    `the embedded ClickHouse is not available here (${process.platform} ${process.arch}): ${remedy}`,
  )
}

export function launch(
  data_dir: string,
  library_path: string,
  config_path: string,
  port: number,
): EngineProcess {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
  const entry = fileURLToPath(new URL(`./clickhouse_server${extension}`, import.meta.url))
  // cwd: the engine reads a config.xml of its working folder and puts its log there.
  const child = fork(entry, [], { cwd: data_dir, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-STDERR_KEPT_CHARS)
  })
  const ended = new Promise<string>((done) => {
    child.once('error', (error) => done(error.message))
    child.once('close', (code, signal) => done(signal === null ? `exit code ${code}` : `signal ${signal}`))
  })
  const order: ServerOrder = {
    library_path,
    parent_pid: process.pid,
    arguments: [
      ...['--config-file', config_path, '--path', data_dir, '--listen_host', '127.0.0.1'],
      ...['--http_port', String(port), '--log-level', 'error', '--query', SERVE_FOREVER],
    ],
  }
  // A failed send means that the child is gone, which `ended` tells.
  child.send(order, () => {})
  return { child, ended, complaint: () => complaint }
}

export async function kill(attempt: EngineProcess): Promise<void> {
  attempt.child.kill('SIGKILL')
  await attempt.ended
}

/** ClickHouse writes `Code: <number>. DB::Exception: …` for every failure. */
export function errorCode(complaint: string): number | undefined {
  const found = /^Code: (\d+)\./m.exec(complaint)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** The line that says why, of what the engine said. */
export function lastLine(complaint: string): string {
  const lines = complaint.split('\n').filter((line) => line.trim() !== '')
  return lines.find((line) => line.startsWith('Code: ')) ?? lines.at(-1) ?? 'it said nothing'
}
