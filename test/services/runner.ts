/** Ways to run a service that a test may kill, freeze and start again, and what every such service can do. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { openSync, closeSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The service cannot be had on this machine; the message is one line with the remedy. */
export class Unavailable extends Error {
  override name = 'Unavailable'
}

export interface Controls {
  /** Kills it if it runs, and starts it again with its data at the same address. */
  restart(): Promise<void>
  /** Ends it at once, as a power cut would. */
  kill9(): Promise<void>
  /** Freezes it: connections stay open and nothing answers. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** One way of running a service: a local program, a container, or the embedded engine. */
export interface Runner {
  launch(): Promise<void>
  kill(): Promise<void>
  pause(): Promise<void>
  resume(): Promise<void>
  remove(): Promise<void>
  /** Why it ended, when it did. */
  ended(): string | undefined
}

const READY_TIMEOUT_MS = 60_000
const PROBE_INTERVAL_MS = 50

/** Launches and waits until `probe` says yes; a probe that throws says no. */
export async function run(name: string, runner: Runner, probe: () => Promise<boolean>): Promise<Controls> {
  const launch = async () => {
    await runner.launch()
    await untilReady(name, runner, probe)
  }
  try {
    await launch()
  } catch (error) {
    await runner.remove()
    throw error
  }
  return {
    async restart() {
      await runner.kill()
      await launch()
    },
    kill9: () => runner.kill(),
    pause: () => runner.pause(),
    resume: () => runner.resume(),
    stop: () => runner.remove(),
  }
}

async function untilReady(name: string, runner: Runner, probe: () => Promise<boolean>): Promise<void> {
  const give_up = AbortSignal.timeout(READY_TIMEOUT_MS)
  while (!(await probe().catch(() => false))) {
    const ended = runner.ended()
    if (ended !== undefined) throw new Error(`${name} ended while it started: ${ended}`)
    if (give_up.aborted) throw new Error(`${name} did not answer within ${READY_TIMEOUT_MS} ms`)
    await new Promise((done) => setTimeout(done, PROBE_INTERVAL_MS))
  }
}

export interface Program {
  readonly command: string
  readonly arguments: readonly string[]
  /** Its data; removed at the end. */
  readonly folder: string
  readonly environment?: Readonly<Record<string, string>>
}

/** A program of this machine, which the kernel kills when this process dies (where setpriv exists). */
export function localRunner(program: Program): Runner {
  const log = join(program.folder, 'output.log')
  let child: ChildProcess | undefined
  let ended: string | undefined
  let exit = Promise.resolve()
  const kill = async () => {
    child?.kill('SIGKILL')
    await exit
  }
  return {
    async launch() {
      const [command, ...args] = [...tiedToParent(), program.command, ...program.arguments] as [
        string,
        ...string[],
      ]
      const output = openSync(log, 'a')
      const started = spawn(command, args, {
        cwd: program.folder,
        env: { ...process.env, ...program.environment },
        stdio: ['ignore', output, output],
      })
      closeSync(output)
      ended = undefined
      exit = new Promise((done) => {
        const end = (reason: string) => {
          ended = `${reason}; ${readFileSync(log, 'utf8').trim().split('\n').slice(-5).join(' | ')}`
          done()
        }
        started.once('error', (error) => end(error.message))
        started.once('exit', (code, signal) => end(signal ?? `exit code ${code}`))
      })
      child = started
    },
    kill,
    pause: async () => void child?.kill('SIGSTOP'),
    resume: async () => void child?.kill('SIGCONT'),
    async remove() {
      await kill()
      await rm(program.folder, { recursive: true, force: true })
    },
    ended: () => ended,
  }
}

function tiedToParent(): readonly string[] {
  return programExists('setpriv') ? ['setpriv', '--pdeathsig', 'KILL', '--'] : []
}

export function programExists(name: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore' }).status === 0
}

export function temporaryFolder(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `tocsin-test-${name}-`))
}

export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString('hex')}`
}

const PORT_FIRST = 20_000
const PORT_COUNT = 12_000

/**
 * A free port below the range from which systems take the ports of outgoing connections: a client that keeps
 * reconnecting to a killed server would now and then be given the server's own port, and the server could not return.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORT_FIRST + (randomBytes(4).readUInt32BE() % PORT_COUNT)
    const free = await new Promise<boolean>((done) => {
      const server = createServer().once('error', () => done(false))
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
    })
    if (free) return port
  }
}
