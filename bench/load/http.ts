/**
 * Sends alerts to an Alertmanager-compatible address as fast as it answers, from a process of its own.
 * Reads an order (JSON) as its only argument and prints one JSON object when done.
 */
import { Agent, request } from 'node:http'
import { alertOf, type LoadShape } from './alerts.ts'
import { seeded } from './random.ts'

export interface HttpOrder {
  readonly url: string
  readonly shape: LoadShape
  readonly batch: number
  readonly connections: number
  /** Send each different alert once first, and do not count that. */
  readonly warm: boolean
  /** `repeats`: only alerts that were sent before; `new`: only fresh ones; `mixed`: nine repeats in ten. */
  readonly mix: 'repeats' | 'new' | 'mixed'
  readonly seconds: number
  /** Alerts a second at most; 0 for no bound. */
  readonly rate: number
}

export interface HttpResult {
  readonly sent: number
  readonly seconds: number
  readonly refused: number
  readonly answer_ms: { readonly p50: number; readonly p99: number; readonly max: number }
}

const task = JSON.parse(process.argv[2] ?? '{}') as HttpOrder
const agent = new Agent({ keepAlive: true, maxSockets: task.connections })
const target = new URL('/api/v2/alerts', task.url)
let fresh = task.warm ? task.shape.distinct : 0

function post(body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      target,
      {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (answer) => {
        answer.resume()
        answer.on('end', () => resolve(answer.statusCode ?? 0))
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Texts of alerts are made once: what is measured is the server, not this process. */
const texts = new Map<number, string>()
function textOf(i: number): string {
  if (i >= task.shape.distinct) return JSON.stringify(alertOf(task.shape, i))
  const known = texts.get(i)
  if (known !== undefined) return known
  const text = JSON.stringify(alertOf(task.shape, i))
  texts.set(i, text)
  return text
}

const random = seeded(task.shape.seed + 1)
/** Bodies of repeats are made beforehand; their number keeps any one from being too regular. */
const BODIES = 200
const bodies: string[] = []

function bodyOfRepeats(): string {
  const parts: string[] = []
  for (let n = 0; n < task.batch; n++) parts.push(textOf(Math.floor(random() * task.shape.distinct)))
  return `[${parts.join(',')}]`
}

function nextBody(n: number): string {
  if (task.mix === 'new' || (task.mix === 'mixed' && n % 10 === 0)) {
    const parts: string[] = []
    for (let k = 0; k < task.batch; k++) parts.push(textOf(fresh++))
    return `[${parts.join(',')}]`
  }
  return bodies[n % BODIES] as string
}

async function warm(): Promise<void> {
  for (let i = 0; i < task.shape.distinct; i += task.batch) {
    const parts: string[] = []
    for (let k = i; k < Math.min(i + task.batch, task.shape.distinct); k++) parts.push(textOf(k))
    await post(`[${parts.join(',')}]`)
  }
}

async function main(): Promise<void> {
  if (task.warm) await warm()
  if (task.mix !== 'new') for (let i = 0; i < BODIES; i++) bodies.push(bodyOfRepeats())
  let sent = 0
  let refused = 0
  let n = 0
  const answers: number[] = []
  const began = performance.now()
  const end = began + task.seconds * 1_000
  const sender = async () => {
    while (performance.now() < end) {
      const body = nextBody(n++)
      const at = performance.now()
      const status = await post(body)
      answers.push(performance.now() - at)
      if (status === 200) sent += task.batch
      else refused += task.batch
      const ahead_ms = task.rate > 0 ? (sent / task.rate) * 1_000 - (performance.now() - began) : 0
      if (ahead_ms > 1) await new Promise((resolve) => setTimeout(resolve, ahead_ms))
    }
  }
  await Promise.all(Array.from({ length: task.connections }, sender))
  const seconds = (performance.now() - began) / 1_000
  answers.sort((a, b) => a - b)
  const quantile = (q: number) =>
    Math.round((answers[Math.min(answers.length - 1, Math.floor(answers.length * q))] ?? 0) * 100) / 100
  const result: HttpResult = {
    sent,
    seconds,
    refused,
    answer_ms: { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) },
  }
  console.log(JSON.stringify(result))
  agent.destroy()
}

await main()
