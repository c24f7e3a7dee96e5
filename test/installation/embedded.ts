import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Follower } from './follower.ts'
import { type Ask, askAt } from './history.ts'
import { GROUP_BY, Input } from './input.ts'
import { expectFollowed, expectOutcome, type Figures } from './outcome.ts'
import { Tocsin, until } from './processes.ts'
import { Receiver } from './receiver.ts'
import { atRest } from './rest.ts'
import { Sender, type SenderOptions } from './sender.ts'
import { TicketServer } from './ticket_server.ts'

/** Alerts fire until they are told to be over, and no group ever closes by itself. */
export const RULES = `
scope: {labels: [cluster, namespace]}
rules:
  resolve_timeout_ms: 3600000
  growth_interval_ms: 200
  grouping:
    - {name: by-group, group_by: [${GROUP_BY.join(', ')}], idle_timeout_ms: 86400000, members_max: 100000}
`

/** The sinks of an installation; requests take `timeout_ms` at most. */
export function sinksText(webhook_url: string, tickets_url: string, timeout_ms: number): string {
  return `
sinks:
  - {name: pager, kind: webhook, url: '${webhook_url}', timeout_ms: ${timeout_ms}}
  - {name: tickets, kind: request-tracker, url: '${tickets_url}', username: root, password: {env: TRACKER}, min_severity: critical, timeout_ms: ${timeout_ms}}
`
}

export interface EmbeddedOptions {
  readonly seed: number
  readonly load?: SenderOptions
  readonly data_dir?: string
  /** What stands between Tocsin and the receiver or the ticket server of this address. */
  readonly between?: (url: string) => Promise<string>
  readonly timeout_ms?: number
}

/** A process that is killed leaves nobody waiting, and the machine may be slow: who is not answered in this time never is. */
const LOAD: SenderOptions = { connections: 3, between_ms: 60, patience_ms: 30_000 }
/** Of an answer of the receiver and of the ticket server, so that a kill finds some under way. */
const ANSWER_AFTER_MS = 30
/** A ticket whose last attempt has no end known is left alone for eight times this and half a minute. */
const SINK_TIMEOUT_MS = 1_000

/** An embedded tocsin under load, with a webhook, a ticket system, and somebody who follows its changes from the first. */
export class Embedded {
  readonly tocsin: Tocsin
  readonly input: Input
  readonly sender: Sender
  readonly receiver: Receiver
  readonly tickets: TicketServer
  readonly follower: Follower

  private constructor(
    tocsin: Tocsin,
    { seed, load = LOAD }: EmbeddedOptions,
    receiver: Receiver,
    tickets: TicketServer,
  ) {
    this.tocsin = tocsin
    this.receiver = receiver
    this.tickets = tickets
    this.input = new Input(seed)
    this.sender = new Sender(this.input, [tocsin], load)
    this.follower = new Follower(tocsin.url)
  }

  static async start(options: EmbeddedOptions): Promise<Embedded> {
    const receiver = await Receiver.start({ answer_after_ms: ANSWER_AFTER_MS })
    const tickets = await TicketServer.start(ANSWER_AFTER_MS)
    const {
      between = (url: string) => Promise.resolve(url),
      timeout_ms = SINK_TIMEOUT_MS,
      data_dir,
    } = options
    const sinks = sinksText(await between(receiver.url), await between(tickets.url), timeout_ms)
    const tocsin = await Tocsin.start({
      config: `${RULES}${sinks}history: {flush_interval_ms: 200}\n`,
      environment: { TRACKER: 'secret' },
      ...(data_dir !== undefined && { data_dir }),
    })
    const embedded = new Embedded(tocsin, options, receiver, tickets)
    await until('the follower follows', () => embedded.follower.placed)
    return embedded
  }

  /** Ends the load and everything that most alerts tell of, waits for rest, and checks what is left. */
  async expectFaultless(): Promise<Figures> {
    await this.sender.end()
    const given = { statements: this.input.statements, sent: this.sender.sent }
    const incidents = await atRest(this.tocsin, () => this.history(), given)
    await expectFollowed(this.follower, incidents)
    const traces = {
      ask: await this.history(),
      incidents,
      receiver: this.receiver,
      tickets: this.tickets,
      loss: null,
    }
    return expectOutcome(traces, given)
  }

  async remove(): Promise<void> {
    this.sender.abandon()
    await this.follower.close()
    await this.tocsin.remove()
    this.receiver.close()
    this.tickets.close()
  }

  /** At the address that the running process tells to people and tools. */
  private async history(): Promise<Ask> {
    const text = await readFile(join(this.tocsin.data_dir, 'history.json'), 'utf8')
    const { database, ...address } = JSON.parse(text) as Parameters<typeof askAt>[0] & { database: string }
    return askAt(address, database)
  }
}
