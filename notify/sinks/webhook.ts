import { createHmac } from 'node:crypto'
import { Misconfigured } from '../../runtime/errors.ts'
import type { ChangeKind } from '../../schemas/change.ts'
import type { SinkConfig } from '../../schemas/config.ts'
import type { Action, Result, SinkPolicy, Summary } from '../delivery.ts'
import { Outbound } from '../outbound.ts'
import {
  incidentLink,
  resultOfError,
  retryAfterAnswer,
  type Sink,
  type SinkWorld,
  type Telling,
} from './sink.ts'

export type WebhookConfig = Extract<SinkConfig, { kind: 'webhook' }>

const UPDATE_INTERVAL_MS = 1_000

/** CloudEvents 1.0 in structured mode, signed as Standard Webhooks says. */
export class WebhookSink implements Sink {
  readonly policy: SinkPolicy
  private readonly url: URL
  private readonly key: Buffer | null
  private readonly outbound: Outbound
  private readonly world: SinkWorld

  constructor(config: WebhookConfig, world: SinkWorld) {
    this.url = new URL(config.url)
    this.key = config.secret === undefined ? null : signingKey(config.name, world.secret(config.secret))
    this.outbound = new Outbound(config)
    this.world = world
    this.policy = {
      sink: config.name,
      min_severity: config.min_severity,
      update_interval_ms: UPDATE_INTERVAL_MS,
      create_timeout_ms: config.timeout_ms,
      attempt_timeout_ms: config.timeout_ms,
      settle_ms: 0,
      idempotent: true,
      silent: ['command-refused'],
    }
  }

  async deliver(action: Action, telling: Telling, signal: AbortSignal): Promise<Result> {
    // Receivers drop what they have had by `webhook-id`, so nothing is ever in doubt here.
    if (action === 'look-up') return { kind: 'absent' }
    const body = JSON.stringify(this.event(action, telling))
    try {
      const response = await this.outbound.request(
        { method: 'POST', url: this.url, headers: this.headers(telling, body), body },
        signal,
      )
      const { status } = response
      if (status >= 200 && status < 300) return { kind: 'ok', external_id: null, url: null }
      if (status === 410) return { kind: 'gone', code: 'http-410', status }
      if (status >= 400 && status < 500 && status !== 408 && status !== 429)
        return { kind: 'refused', code: `http-${status}`, status }
      return retryAfterAnswer(response, this.world.now())
    } catch (error) {
      return resultOfError(error)
    }
  }

  close(): void {
    this.outbound.close()
  }

  private event(action: Exclude<Action, 'look-up'>, { summary }: Telling): unknown {
    const { change_id, incident_id, at_ms, ...incident } = summary
    return {
      specversion: '1.0',
      id: change_id,
      source: this.world.public_url,
      type: `io.tocsin.incident.${kindOf(action, summary)}`,
      subject: incident_id,
      time: new Date(at_ms).toISOString(),
      datacontenttype: 'application/json',
      data: { incident_id, ...incident, link: incidentLink(this.world, incident_id) },
    }
  }

  private headers(telling: Telling, body: string): Record<string, string> {
    const id = `${telling.summary.change_id}.${this.policy.sink}`
    const timestamp = String(Math.floor(this.world.now() / 1_000))
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': 'tocsin',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
    }
    if (this.key === null) return headers
    const signature = createHmac('sha256', this.key).update(`${id}.${timestamp}.${body}`).digest('base64')
    return { ...headers, 'webhook-signature': `v1,${signature}` }
  }
}

/** Several changes are told by one event: whoever follows only the types still sees an incident open, close and reopen. */
function kindOf(action: Exclude<Action, 'look-up'>, summary: Summary): ChangeKind {
  if (summary.state === 'merged' && action !== 'update') return 'merged'
  const closed = summary.state === 'resolved' || summary.state === 'reviewed'
  if (action === 'close' || (action === 'create' && closed)) return 'resolved'
  if (action === 'update') return summary.kind
  return action === 'create' ? 'opened' : 'reopened'
}

function signingKey(sink: string, secret: string): Buffer {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret.trim())?.[1]
  const key = Buffer.from(encoded ?? '', 'base64')
  if (key.length < 24 || key.length > 64) {
    throw new Misconfigured(
      'sink-secret',
      `the secret of sink ${sink} is not \`whsec_\` and 24 to 64 bytes in base64; make one with: echo whsec_$(openssl rand -base64 32)`,
    )
  }
  return key
}
