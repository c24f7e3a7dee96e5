import { seeded } from '../../bench/load/random.ts'
import { Distributed, LOG_PARTITIONS, type Services, SOURCE_PARTITIONS } from '../installation/distributed.ts'
import { RULES, sinksText } from '../installation/embedded.ts'
import { Feeder } from '../installation/feeder.ts'
import { Input } from '../installation/input.ts'
import { Ledger } from '../installation/ledger.ts'
import { expectOutcome, expectReplay, type Figures, type Loss } from '../installation/outcome.ts'
import { pause, until } from '../installation/processes.ts'
import { Receiver } from '../installation/receiver.ts'
import { atRest } from '../installation/rest.ts'
import { Sender } from '../installation/sender.ts'
import { TicketServer } from '../installation/ticket_server.ts'
import { uniqueName } from '../services/index.ts'

/** Of an answer of the receiver and of the ticket server, so that a kill finds some under way. */
const ANSWER_AFTER_MS = 30
const SINK_TIMEOUT_MS = 1_000
/** Alerts over HTTP beside those of the source topic. A worker that stands still does not answer: then the other one is asked. */
const LOAD = { connections: 2, between_ms: 200, patience_ms: 4_000 }
const DOWN_MAX_MS = 3_000

/** Two workers of the distributed mode with load from a topic and over HTTP, a webhook and a ticket system. */
export class Cluster {
  readonly services: Services
  readonly sender: Sender
  private readonly installation: Distributed
  private readonly feeder: Feeder
  private readonly over_http: Input
  private readonly receiver: Receiver
  private readonly tickets: TicketServer
  private readonly random: () => number
  private loss: Loss | null = null

  private constructor(installation: Distributed, receiver: Receiver, tickets: TicketServer, seed: number) {
    this.services = installation.services
    this.installation = installation
    this.receiver = receiver
    this.tickets = tickets
    this.random = seeded(seed)
    this.over_http = new Input(seed, 1)
    this.sender = new Sender(this.over_http, installation.workers, LOAD)
    const { brokers } = installation.services.kafka
    this.feeder = new Feeder(new Input(seed), brokers, installation.source_topic, SOURCE_PARTITIONS, seed)
  }

  static async start(services: Services, seed: number): Promise<Cluster> {
    const receiver = await Receiver.start({ answer_after_ms: ANSWER_AFTER_MS })
    const tickets = await TicketServer.start(ANSWER_AFTER_MS)
    const installation = await Distributed.start({
      services,
      name: uniqueName('faults'),
      config: `${RULES}${sinksText(receiver.url, tickets.url, SINK_TIMEOUT_MS)}`,
      environment: { TRACKER: 'secret' },
    })
    await Promise.all([installation.startWorker(), installation.startWorker()])
    const cluster = new Cluster(installation, receiver, tickets, seed)
    await cluster.feeder.start()
    cluster.sender.start()
    return cluster
  }

  /** Resolves when what comes now has been taken in, folded and published. */
  async worked(): Promise<void> {
    const { lag, topic_prefix } = this.installation
    const topics = [`${topic_prefix}alerts`, `${topic_prefix}incidents`]
    const ends = async () => Promise.all(topics.map(async (topic) => sum(await lag.ends(topic))))
    const before = await until('the broker answers', ends)
    const { ok } = this.sender.answers
    await until('alerts come in, changes go out, and senders are answered', async () => {
      const now = await ends()
      return now.every((end, i) => end > (before[i] ?? 0) + 5) && this.sender.answers.ok > ok + 5
    })
  }

  /**
   * Kills workers, each again and again within this time, so that now and then both are dead, and some while they start.
   */
  async killAtRandom(kills: number, within_ms: number): Promise<void> {
    let left = kills
    const { workers } = this.installation
    const killer = async (worker: (typeof workers)[number]) => {
      while (left-- > 0) {
        await pause(within_ms * this.random())
        await worker.kill9()
        await pause(DOWN_MAX_MS * this.random())
        worker.launch()
      }
    }
    await Promise.all(workers.map(killer))
    await until('both are back', async () => {
      const answers = await Promise.all(workers.map((worker) => fetch(`${worker.url}/-/ready`)))
      return answers.every(({ ok }) => ok)
    })
  }

  /** Stops a worker in the middle of its work, lets it go on when the other one owns everything. */
  async makeZombie(): Promise<void> {
    const [zombie, heir] = this.installation.workers
    if (zombie === undefined || heir === undefined) throw new Error('there are no two workers')
    zombie.freeze()
    await until('the other worker owns every partition', async () => {
      const text = await (await fetch(`${heir.url}/metrics`)).text()
      const owned = /^tocsin_owned_partitions\{fold="correlate",topic="alerts"\} (\d+)$/m.exec(text)?.[1]
      return Number(owned) === LOG_PARTITIONS
    })
    await this.worked()
    zombie.thaw()
  }

  /** While this is done the store loses what it acknowledged, for the only time. */
  async loseStore(act: () => Promise<void>): Promise<void> {
    const { taken } = this.receiver
    const told_before = taken.length
    await act()
    this.loss = { told_before, told_by_then: taken.length }
  }

  /** Ends the load and what most alerts tell of, waits for rest, and checks what is left. */
  async expectFaultless(): Promise<Figures> {
    const { installation, feeder, sender, over_http, receiver, tickets, loss } = this
    await Promise.all([feeder.stop(), sender.stop()])
    // A resolution that overtakes a statement in another partition would not be the last word.
    await installation.taken(1)
    await Promise.all([feeder.end(), sender.end()])
    // An owner to whom nothing comes any more does not write its state again.
    if (loss === null) await installation.drained()
    const given = {
      statements: [...feeder.input.statements, ...over_http.statements],
      sent: new Map([...feeder.sent, ...sender.sent]),
    }
    const [worker] = installation.workers
    if (worker === undefined) throw new Error('there is no worker')
    const rest = () => atRest(worker, () => Promise.resolve(installation.ask), given)
    let incidents = await rest()
    if (loss !== null) {
      // What others find who know nothing but what is stored and logged.
      await Promise.all(installation.workers.map((each) => each.stop()))
      await Promise.all(installation.workers.map((each) => each.start()))
      incidents = await rest()
    }
    const { lag, topic_prefix } = installation
    expectReplay(await Ledger.read(this.services.kafka.brokers, topic_prefix, (topic) => lag.ends(topic)))
    return expectOutcome({ ask: installation.ask, incidents, receiver, tickets, loss }, given)
  }

  async remove(): Promise<void> {
    this.sender.abandon()
    await this.feeder.abandon()
    await this.installation.remove()
    this.receiver.close()
    this.tickets.close()
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((so_far, one) => so_far + one, 0)
}
