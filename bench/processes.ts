import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url))
/** Linux counts CPU time in hundredths of a second (sysconf(_SC_CLK_TCK) on every platform that Node runs on). */
const TICKS_PER_SECOND = 100

export interface Started {
  readonly url: string
  readonly child: ChildProcess
  stop(): Promise<void>
}

/** Starts a tocsin of its own and waits for its ready line. */
export async function startTocsin(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cpu_profile_dir?: string,
): Promise<Started> {
  const profiling = cpu_profile_dir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${cpu_profile_dir}`]
  const child = spawn(process.execPath, [...profiling, MAIN, 'start', ...args], {
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const ready = /(http:\/\/\S+)/.exec(line)
    if (ready) return { url: ready[1] as string, child, stop: () => end(child) }
  }
  throw new Error('tocsin ended before it was ready')
}

/** Starts a script of this folder that prints its address. */
export async function startScript(script: string): Promise<Started> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout }))
    return { url: line, child, stop: () => end(child) }
  throw new Error(`${script} ended before it was ready`)
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** CPU seconds (user and system) of one process and its children that live. */
export function cpuSeconds(pid: number): { own: number; children: number } {
  let children = 0
  for (const child of childrenOf(pid)) {
    const of = cpuSeconds(child)
    children += of.own + of.children
  }
  return { own: ticks(pid) / TICKS_PER_SECOND, children }
}

function stat(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function ticks(pid: number): number {
  const fields = stat(pid)
  return Number(fields[11]) + Number(fields[12])
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => {
      try {
        return Number(stat(other)[1]) === pid
      } catch {
        return false
      }
    })
}

export function rssMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kilobytes) / 1_024)
}

/** Runs a script of this folder in a process of its own and gives the JSON that it prints last; `told` hears of the events before. */
export async function runScript<T>(
  script: string,
  order: unknown,
  told: (event: string) => void = () => {},
): Promise<T> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(script, import.meta.url)), JSON.stringify(order)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exited = once(child, 'exit')
  let last: unknown
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line)
    if (typeof last === 'object' && last !== null && 'event' in last) told(String(last.event))
  }
  await exited
  if (child.exitCode !== 0) throw new Error(`${script} ended with status ${child.exitCode}`)
  return last as T
}
