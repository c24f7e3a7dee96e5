import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { figuresOf } from './http_round.ts'
import type { HttpOrder, HttpResult } from './load/http.ts'
import { cpuSeconds, end, rssMegabytes, runScript } from './processes.ts'
import { type Figure, rounded } from './report.ts'

const READY_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 100

/** Another Alertmanager-compatible server: one that runs, or one that is started anew for each round. */
export class Peer {
  readonly url: string
  private readonly command: string | undefined

  constructor(url: string, command: string | undefined) {
    this.url = url
    this.command = command
  }

  /** What it says it is. */
  version(): Promise<string> {
    return this.running(async () => {
      const answer = await fetch(`${this.url}/api/v2/status`)
      const { versionInfo } = (await answer.json()) as { versionInfo?: { version?: string } }
      return versionInfo?.version || 'unknown'
    })
  }

  /** One load; its CPU time and memory only when it was started here. */
  measure(order: Omit<HttpOrder, 'url'>): Promise<Record<string, Figure>> {
    return this.running(async (child) => {
      const pid = child?.pid
      let before = 0
      const result = await runScript<HttpResult>('./load/http.ts', { ...order, url: this.url }, (event) => {
        if (event === 'measuring' && pid !== undefined) before = busySeconds(pid)
      })
      const figures = figuresOf(result)
      if (pid === undefined) return figures
      const cpu_us = (busySeconds(pid) - before) * 1e6
      return { ...figures, cpu_us_per_alert: rounded(cpu_us / result.sent, 3), rss_mb: rssMegabytes(pid) }
    })
  }

  private async running<T>(act: (child: ChildProcess | null) => Promise<T>): Promise<T> {
    if (this.command === undefined) return act(null)
    if (await this.answers()) throw new Error(`something answers at ${this.url} before the peer was started`)
    const folder = mkdtempSync(join(tmpdir(), 'bench-peer-'))
    // `exec`: the process that is watched and ended is the server, not a shell.
    const child = spawn('/bin/sh', ['-c', `exec ${this.command}`], { cwd: folder, stdio: 'ignore' })
    try {
      const deadline = performance.now() + READY_WITHIN_MS
      while (!(await this.answers())) {
        if (child.exitCode !== null) throw new Error(`the peer ended with status ${child.exitCode}`)
        if (performance.now() > deadline) throw new Error(`the peer does not answer at ${this.url}`)
        await pause(LOOK_EVERY_MS)
      }
      return await act(child)
    } finally {
      await end(child)
      rmSync(folder, { recursive: true, force: true })
    }
  }

  private answers(): Promise<boolean> {
    return fetch(`${this.url}/-/ready`).then(
      (answer) => answer.ok,
      () => false,
    )
  }
}

function busySeconds(pid: number): number {
  const { own, children } = cpuSeconds(pid)
  return own + children
}
