import { setTimeout as pause } from 'node:timers/promises'
import { alertOf } from './load/alerts.ts'

const TOLD_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 20

/** The grouping rule that they need: evidence would bring them together. */
export const PROBES_APART = `{name: probes, match: ['alertname=~"Probe_.*"'], group_by: [alertname]}`

/** Alerts that each open an incident of its own, and the wait for the change that tells of it. */
export class Probes {
  private readonly url: string
  private readonly closing = new AbortController()
  private readonly waiting = new Map<string, number>()
  private readonly changes_ms: number[] = []
  private readonly answers_ms: number[] = []
  private following: Promise<void> = Promise.resolve()
  private sent = 0
  /** Keeps the probes of one run apart from those of another on the same tocsin. */
  private readonly run_id = Date.now().toString(36)

  private constructor(url: string) {
    this.url = url
  }

  static async open(url: string): Promise<Probes> {
    const probes = new Probes(url)
    const stream = await fetch(`${url}/api/v1/changes`, { signal: probes.closing.signal })
    probes.following = follow(stream, (name) => probes.told(name))
    return probes
  }

  /** One after the other at fixed times, whether the ones before were told or not; resolves when all were. */
  async run(
    per_s: number,
    seconds: number,
  ): Promise<{ readonly changes_ms: readonly number[]; readonly answers_ms: readonly number[] }> {
    const began = performance.now()
    const answers: Promise<void>[] = []
    for (let n = 0; n < seconds * per_s; n++) {
      await pause(Math.max(0, began + (n * 1_000) / per_s - performance.now()))
      answers.push(this.send())
    }
    await Promise.all(answers)
    await this.allTold()
    this.closing.abort()
    await this.following
    return { changes_ms: this.changes_ms, answers_ms: this.answers_ms }
  }

  private async allTold(): Promise<void> {
    const deadline = performance.now() + TOLD_WITHIN_MS
    while (this.waiting.size > 0) {
      if (performance.now() > deadline) throw new Error(`${this.waiting.size} probes were never told`)
      await pause(LOOK_EVERY_MS)
    }
  }

  private async send(): Promise<void> {
    const n = this.sent++
    const name = `Probe_${this.run_id}_${n}`
    const alert = alertOf({ seed: 7, distinct: 1, per_group: 1, started_at_ms: Date.now() }, n)
    alert.labels['alertname'] = name
    const body = JSON.stringify([alert])
    const began = performance.now()
    this.waiting.set(name, began)
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${this.url}/api/v2/alerts`, { method: 'POST', headers, body })
    if (!answer.ok) throw new Error(`a probe was answered with ${answer.status}`)
    this.answers_ms.push(performance.now() - began)
  }

  private told(name: string): void {
    const began = this.waiting.get(name)
    if (began === undefined) return
    this.changes_ms.push(performance.now() - began)
    this.waiting.delete(name)
  }
}

async function follow(stream: Response, told: (alertname: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of stream.body ?? []) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true })
      const events = rest.split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) {
        const name = /"group":\{"alertname":"(Probe_\w+)"/.exec(event)?.[1]
        if (name !== undefined) told(name)
      }
    }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error
  }
}
