/**
 * Sends Prometheus remote write from a process of its own. Reads an order (JSON) as its only argument; prints a line
 * `{"event": "measuring"}` when the measured time begins, and the result last.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Connection } from './connection.ts'
import { bodies, remoteWrite1 } from './sample_bodies.ts'

export interface SamplesOrder {
  readonly url: string
  readonly distinct: number
  readonly batch: number
  readonly connections: number
  readonly warmup_seconds: number
  readonly seconds: number
}

export interface SamplesResult {
  /** Samples answered with 204 within the measured time. */
  readonly sent: number
  readonly seconds: number
  /** Requests answered with anything else. */
  readonly refused: number
  readonly sent_in_all: number
  readonly answer_p50_ms: number
  readonly answer_p99_ms: number
  readonly bytes_per_sample: number
  readonly cpu_us_per_sample: number
}

const TIMES = 10
const HEADERS = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' }

const order = JSON.parse(process.argv[2] ?? '{}') as SamplesOrder
const { distinct, batch } = order
const all = bodies(remoteWrite1, { distinct, batch, times: TIMES, end_ms: Date.now() })
const target = new URL('/api/v1/write', order.url)
const connections = await Promise.all(
  Array.from({ length: order.connections }, () => Connection.open(target, HEADERS)),
)

let [next, refused, sent, sent_in_all] = [0, 0, 0, 0]
let [is_over, is_measuring] = [false, false]
const answers_ms: number[] = []

async function send(connection: Connection): Promise<void> {
  while (!is_over) {
    const body = all[next++ % all.length] as Buffer
    const began = performance.now()
    if ((await connection.post([body], body.length)) !== 204) {
      refused++
      continue
    }
    sent_in_all += batch
    if (!is_measuring) continue
    sent += batch
    answers_ms.push(performance.now() - began)
  }
}

const senders = Promise.all(connections.map(send))
await pause(order.warmup_seconds * 1_000)
console.log(JSON.stringify({ event: 'measuring' }))
is_measuring = true
const began = performance.now()
const cpu = process.cpuUsage()
await pause(order.seconds * 1_000)
is_measuring = false
const seconds = (performance.now() - began) / 1_000
const { user, system } = process.cpuUsage(cpu)
is_over = true
await senders
for (const connection of connections) connection.close()
answers_ms.sort((a, b) => a - b)
const quantile = (q: number) => answers_ms[Math.floor(answers_ms.length * q)] ?? 0
const result: SamplesResult = {
  sent,
  seconds,
  refused,
  sent_in_all,
  answer_p50_ms: quantile(0.5),
  answer_p99_ms: quantile(0.99),
  bytes_per_sample: all.reduce((sum, { length }) => sum + length, 0) / (all.length * batch),
  cpu_us_per_sample: (user + system) / sent,
}
console.log(JSON.stringify(result))
