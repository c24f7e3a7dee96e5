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
): Promise<Started> {
  const child = spawn(process.execPath, [MAIN, 'start', ...args], {
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const ready = /(http:\/\/\S+)/.exec(line)
    if (!ready) continue
    return {
      url: ready[1] as string,
      child,
      stop: async () => {
        child.kill('SIGTERM')
        if (child.exitCode === null) await once(child, 'exit')
      },
    }
  }
  throw new Error('tocsin ended before it was ready')
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

/** Runs a script of this folder in a process of its own and gives the JSON that it prints last. */
export async function runScript<T>(script: string, order: unknown): Promise<T> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(script, import.meta.url)), JSON.stringify(order)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let last = ''
  for await (const line of createInterface({ input: child.stdout })) last = line
  if (child.exitCode === null) await once(child, 'exit')
  if (child.exitCode !== 0) throw new Error(`${script} ended with status ${child.exitCode}`)
  return JSON.parse(last) as T
}
