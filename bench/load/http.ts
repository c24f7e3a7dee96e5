/**
 * Sends alerts to an Alertmanager-compatible address from a process of its own. Reads an order (JSON) as its only argument;
 * prints a line `{"event": …}` when each phase begins, and the result last.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { LoadShape } from './alerts.ts'
import { type Bodies, type Body, makeBodies, type Mix } from './bodies.ts'
import { Connection } from './connection.ts'

export interface HttpOrder {
  readonly url: string
  readonly shape: LoadShape
  readonly mix: Mix
  readonly batch: number
  readonly connections: number
  /** Load that is not counted. */
  readonly warmup_seconds: number
  readonly seconds: number
  /** Alerts a second at most; 0 for no bound. */
  readonly rate: number
  /** New alerts at most; the measured time ends when they are used up. */
  readonly fresh_max: number
}

export interface HttpResult {
  /** Alerts answered with 200 within the measured time. */
  readonly sent: number
  readonly seconds: number
  /** Alerts answered with anything else, in all phases. */
  readonly refused: number
  /** Alerts answered with 200 in all phases. */
  readonly sent_in_all: number
  readonly answer_ms: { readonly p50: number; readonly p99: number; readonly max: number }
  /** CPU time of this process. */
  readonly cpu_us_per_alert: number
  readonly bytes_per_alert: number
}

export type HttpEvent = 'warming' | 'measuring' | 'measured'

/** What is counted since the measured time began. */
class Count {
  sent = 0
  readonly answers_ms: number[] = []
  readonly began = performance.now()
  ended = 0
  private readonly cpu = process.cpuUsage()

  add(alerts: number, answer_ms: number): void {
    this.sent += alerts
    this.answers_ms.push(answer_ms)
    this.ended = performance.now()
  }

  get cpu_us(): number {
    const { user, system } = process.cpuUsage(this.cpu)
    return user + system
  }
}

class Generator {
  private readonly task: HttpOrder
  private readonly bodies: Bodies
  private readonly connections: readonly Connection[]
  private count: Count | null = null
  private over = false
  private refused = 0
  private sent_in_all = 0

  constructor(task: HttpOrder, bodies: Bodies, connections: readonly Connection[]) {
    this.task = task
    this.bodies = bodies
    this.connections = connections
  }

  async run(): Promise<HttpResult> {
    tell('warming')
    const warm = this.bodies.warm.values()
    await Promise.all(this.connections.map((connection) => this.sendAll(connection, warm)))
    const began = performance.now()
    const senders = Promise.all(this.connections.map((connection) => this.sendOn(connection, began)))
    await Promise.race([senders, pause(this.task.warmup_seconds * 1_000)])
    const count = new Count()
    this.count = count
    tell('measuring')
    await Promise.race([senders, pause(this.task.seconds * 1_000)])
    this.count = null
    const { cpu_us } = count
    this.over = true
    await senders
    tell('measured')
    if (count.sent === 0) throw new Error('nothing was answered with 200 within the measured time')
    return this.resultOf(count, cpu_us)
  }

  private async sendAll(connection: Connection, bodies: Iterable<Body>): Promise<void> {
    for (const body of bodies) await this.send(connection, body)
  }

  /** Until it is over or there is nothing new; not ahead of the rate. */
  private async sendOn(connection: Connection, began: number): Promise<void> {
    const { rate } = this.task
    let offered = 0
    while (!this.over) {
      const body = this.bodies.next(Date.now())
      if (body === null) return
      await this.send(connection, body)
      offered += body.alerts * this.connections.length
      const ahead_ms = rate > 0 ? (offered / rate) * 1_000 - (performance.now() - began) : 0
      if (ahead_ms > 1) await pause(ahead_ms)
    }
  }

  private async send(connection: Connection, { parts, bytes, alerts }: Body): Promise<void> {
    const at = performance.now()
    const status = await connection.post(parts, bytes)
    if (status !== 200) {
      this.refused += alerts
      return
    }
    this.sent_in_all += alerts
    this.count?.add(alerts, performance.now() - at)
  }

  private resultOf({ sent, answers_ms, began, ended }: Count, cpu_us: number): HttpResult {
    answers_ms.sort((a, b) => a - b)
    const quantile = (q: number) =>
      Math.round(
        (answers_ms[Math.min(answers_ms.length - 1, Math.floor(answers_ms.length * q))] ?? 0) * 100,
      ) / 100
    return {
      sent,
      seconds: (ended - began) / 1_000,
      refused: this.refused,
      sent_in_all: this.sent_in_all,
      answer_ms: { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) },
      cpu_us_per_alert: Math.round((cpu_us / sent) * 1_000) / 1_000,
      bytes_per_alert: this.bodies.bytes_per_alert,
    }
  }
}

function tell(event: HttpEvent): void {
  console.log(JSON.stringify({ event }))
}

const task = JSON.parse(process.argv[2] ?? '{}') as HttpOrder
const bodies = makeBodies(task)
const target = new URL('/api/v2/alerts', task.url)
const connections = await Promise.all(Array.from({ length: task.connections }, () => Connection.open(target)))
const result = await new Generator(task, bodies, connections).run()
for (const connection of connections) connection.close()
console.log(JSON.stringify(result))
