/** Programs that a test starts, asks, kills and starts again. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Incident } from '../../schemas/incident.ts'
import { freePort, programExists, temporaryFolder } from '../services/runner.ts'

export const exec = promisify(execFile)

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
/** The bounds only end a test that would never pass; the machine may be slow. */
const PATIENCE_MS = 120_000
const LOOK_EVERY_MS = 100
const OUTPUT_KEPT_CHARS = 8_192

/** Resolves once `holds` gives something other than false, null or undefined; throws what was missing, or its last error. */
export async function until<T>(
  what: string,
  holds: () => T | Promise<T>,
  patience_ms = PATIENCE_MS,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline_ms = Date.now() + patience_ms
  for (;;) {
    let fault: unknown
    try {
      const found = await holds()
      if (found !== false && found !== null && found !== undefined)
        return found as Exclude<T, false | null | undefined>
    } catch (error) {
      fault = error
    }
    if (Date.now() > deadline_ms)
      throw new Error(`still not so after ${patience_ms} ms: ${what}`, { cause: fault })
    await pause(LOOK_EVERY_MS)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

/** Whatever the program says on both outputs, a line at a time. */
type Heard = (line: string) => void

/** Starts a program that the kernel kills when this process dies (where setpriv exists), with no environment but the given. */
export function startProgram(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  heard: Heard,
): ChildProcess {
  const tied = programExists('setpriv') ? ['setpriv', '--pdeathsig', 'KILL', '--', ...argv] : argv
  const [command = '', ...args] = tied
  const child = spawn(command, args, {
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const output of [child.stdout, child.stderr]) createInterface({ input: output }).on('line', heard)
  return child
}

export async function endProgram(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const running = child.exitCode === null && child.signalCode === null
  const exited = running ? once(child, 'exit') : undefined
  child.kill(signal)
  await exited
  return child.exitCode
}

export interface TocsinOptions {
  /** Text of the configuration file. */
  readonly config?: string
  /** Made by whoever gives it; otherwise one is made. */
  readonly data_dir?: string
  /** Secrets that the configuration names. */
  readonly environment?: Readonly<Record<string, string>>
}

/** A tocsin with a port and a data directory of its own, which it keeps from one start to the next. */
export class Tocsin {
  readonly url: string
  readonly data_dir: string
  private readonly argv: readonly string[]
  private readonly environment: Readonly<Record<string, string>>
  private child: ChildProcess | null = null
  private output = ''
  private is_ready = false

  private constructor(folder: string, port: number, options: TocsinOptions) {
    this.url = `http://127.0.0.1:${port}`
    this.data_dir = folder
    this.environment = { ...options.environment, TOCSIN_LISTEN: `127.0.0.1:${port}`, TOCSIN_DATA_DIR: folder }
    const configured = options.config === undefined ? [] : ['--config', join(folder, 'tocsin.yaml')]
    this.argv = [process.execPath, MAIN, 'start', ...configured]
  }

  static async start(options: TocsinOptions = {}): Promise<Tocsin> {
    const folder = options.data_dir ?? (await temporaryFolder('tocsin'))
    const tocsin = new Tocsin(folder, await freePort(), options)
    if (options.config !== undefined) await writeFile(join(folder, 'tocsin.yaml'), options.config)
    try {
      await tocsin.start()
      return tocsin
    } catch (error) {
      await tocsin.remove()
      throw error
    }
  }

  /** Resolves when it says that it is ready. */
  async start(): Promise<void> {
    this.launch()
    const ended = () => this.child === null || this.child.exitCode !== null || this.child.signalCode !== null
    await until('tocsin is ready', () => this.is_ready || ended())
    if (!this.is_ready) throw new Error(`tocsin ended with status ${this.child?.exitCode}: ${this.output}`)
  }

  /** Starts it and does not wait. */
  launch(): void {
    this.is_ready = false
    this.output = ''
    this.child = startProgram(this.argv, this.environment, (line) => {
      this.is_ready ||= line.startsWith('tocsin is ready')
      this.output = `${this.output}${line}\n`.slice(-OUTPUT_KEPT_CHARS)
    })
  }

  /** Of the running process. */
  get pid(): number | undefined {
    return this.child?.pid
  }

  /** As a power cut would end it. */
  async kill9(): Promise<void> {
    await this.end('SIGKILL')
  }

  /** Stops it in the middle of whatever it does, for as long as it is not thawed; its connections stay open. */
  freeze(): void {
    this.child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.child?.kill('SIGCONT')
  }

  /** As a supervisor ends it; resolves with the exit status. */
  stop(): Promise<number | null> {
    return this.end('SIGTERM')
  }

  /** Ends it and removes its data. */
  async remove(): Promise<void> {
    await this.end('SIGKILL')
    await rm(this.data_dir, { recursive: true, force: true })
  }

  /** Process id of the embedded ClickHouse, its only child; null while there is none. */
  async clickhousePid(): Promise<number | null> {
    const { stdout } = await exec('pgrep', ['-P', String(this.child?.pid), '-f', 'clickhouse_server'])
    const pid = Number(stdout.trim())
    return pid > 0 ? pid : null
  }

  /** JSON of a GET; throws for anything but 200. */
  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path)
    if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  post(path: string, body: unknown): Promise<Response> {
    return fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  /** Every page of the incidents. */
  async incidents(): Promise<Incident[]> {
    const all: Incident[] = []
    let cursor = ''
    do {
      const page = await this.get<{ incidents: Incident[]; next_cursor: string | null }>(
        `/api/v1/incidents?sort=opened&limit=200${cursor}`,
      )
      all.push(...page.incidents)
      cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`
    } while (cursor !== '')
    return all
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.child
    this.child = null
    return child === null ? null : endProgram(child, signal)
  }
}
