import { pause, type Tocsin } from './processes.ts'

const CONNECTIONS = 4
const ALERTS_PER_BATCH = 10
const BATCHES_PER_NAME = 10
const SCOPES = 7
const BETWEEN_BATCHES_MS = 20
const AFTER_REFUSAL_MS = 50

/** Alerts that fire until somebody says otherwise, each sent once; remembers which were answered with 2xx. */
export class Load {
  /** Values of the label `instance`. */
  readonly acknowledged = new Set<string>()
  private batches = 0
  private stopping = false
  private readonly running: Promise<unknown>

  constructor(tocsin: Tocsin) {
    this.running = Promise.all(Array.from({ length: CONNECTIONS }, () => this.send(tocsin)))
  }

  /** Resolves when what is under way has been answered. */
  async stop(): Promise<void> {
    this.stopping = true
    await this.running
  }

  private async send(tocsin: Tocsin): Promise<void> {
    while (!this.stopping) {
      const alerts = this.nextBatch()
      const answered = await tocsin.post('/api/v2/alerts', alerts).then(
        async (response) => {
          await response.arrayBuffer()
          return response.ok
        },
        // Nobody answered: the server is dead, or died before it could.
        () => false,
      )
      if (answered) for (const { labels } of alerts) this.acknowledged.add(labels.instance)
      await pause(answered ? BETWEEN_BATCHES_MS : AFTER_REFUSAL_MS)
    }
  }

  private nextBatch() {
    const batch = this.batches++
    return Array.from({ length: ALERTS_PER_BATCH }, (_, i) => ({
      labels: {
        alertname: `Crash-${Math.floor(batch / BATCHES_PER_NAME)}`,
        instance: `host-${batch}-${i}`,
        tenant: `tenant-${(batch + i) % SCOPES}`,
        severity: 'critical',
      },
    }))
  }
}
