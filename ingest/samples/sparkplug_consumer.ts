import { Fenced, Retryable } from '../../runtime/errors.ts'
import type { Position, Shard, SourceMessage, Store } from '../../runtime/ports.ts'
import { MessageLoop, type MessageLoopParts, type Taker } from '../message_loop.ts'
import type { DecodedSampleMessage, PreparedSamples } from './batch.ts'
import { decodedFrom, sampleMessage } from './consumer.ts'
import type { DecodedSamples } from './format.ts'
import type { SampleIntake } from './intake.ts'
import { stepSparkplug } from './sparkplug.ts'
import { rebirthCommand } from './sparkplug_command.ts'
import type { SparkplugAddress } from './sparkplug_message.ts'
import { SparkplugDraft, SparkplugRows } from './sparkplug_rows.ts'

/** What reading Sparkplug tells about itself. */
export interface SparkplugObserver {
  /** Messages that were missing, and edge nodes that were asked for their births. */
  reborn(source: string, counts: { readonly gaps: number; readonly rebirths: number }): void
}

export interface SparkplugConsumerParts extends MessageLoopParts {
  readonly intake: SampleIntake
  readonly store: Pick<Store, 'claim' | 'rows' | 'commit'>
  /** Gives series the labels and places of the configuration. */
  readonly place: (decoded: DecodedSamples) => DecodedSamples
  readonly sparkplug: SparkplugObserver
}

/** What is known of one source partition, and owned here until somebody else claims it. */
interface Owned {
  readonly shard: Shard
  readonly token: string
  version: number
  /** Messages before it are in the state; 0: all are new. */
  from: Position
  readonly rows: SparkplugRows
}

interface PreparedSparkplug {
  readonly owned: Owned
  readonly draft: SparkplugDraft
  readonly samples: PreparedSamples
  readonly messages_rejected: number
  readonly next: Position
  readonly rebirths: readonly SparkplugAddress[]
  readonly gaps: number
}

/** A source repeats no more than what it gave at once. What lies further back is a topic that was made anew, or read from its beginning. */
const REPEATED_MAX = 1_000

/** Row that names the process whose places the position of the shard is in, where the source itself keeps none. */
const SESSION = 'session'

/**
 * Reads Sparkplug B. Births are kept as rows of the state store, one shard for each source partition: readings are appended first, then
 * the rows are committed, and only then is the source told that the messages were taken. A crash in between repeats messages over the
 * state that does not contain them, and readings that are appended twice are taken once.
 */
export class SparkplugConsumer implements Taker<PreparedSparkplug> {
  private readonly parts: SparkplugConsumerParts
  private readonly loop: MessageLoop<PreparedSparkplug>
  private readonly owned = new Map<Shard, Owned>()
  private readonly session: string

  constructor(parts: SparkplugConsumerParts) {
    this.parts = parts
    this.loop = new MessageLoop(parts, this)
    this.session = parts.clock.token()
  }

  start(): Promise<void> {
    return this.loop.start()
  }

  get name(): string {
    return this.parts.name
  }

  lag(): Promise<number | null> {
    return this.loop.lag()
  }

  close(): Promise<void> {
    return this.loop.close()
  }

  /** Throws Retryable. */
  async prepare(
    topic: string,
    partition: number,
    messages: readonly SourceMessage[],
  ): Promise<PreparedSparkplug> {
    const { name, intake, clock } = this.parts
    const keeps_places = messages.every(({ unkept }) => unkept === undefined)
    const owned = await this.own(`sparkplug/${name}/${topic}/${partition}`, keeps_places)
    if ((messages[0]?.offset ?? 0) < owned.from - REPEATED_MAX) owned.from = 0
    const draft = new SparkplugDraft(owned.rows)
    const rebirths: SparkplugAddress[] = []
    let gaps = 0
    const decoded = messages
      .filter(({ offset }) => offset >= owned.from)
      .map((message): DecodedSampleMessage => {
        const step = stepSparkplug(draft, sampleMessage(topic, message, clock.now()))
        draft.change(step.change)
        if (step.rebirth !== null) rebirths.push(step.rebirth)
        if (step.is_gap) gaps++
        return decodedFrom(message, this.parts.place(step.decoded))
      })
    const samples = intake.prepare({
      source: name,
      received_at_ms: clock.now(),
      messages: decoded,
      locate: (offset, ordinal) => `kafka:${topic}/${partition}@${offset}#${ordinal}`,
    })
    // Without births nothing can be read, and the births that were asked for are behind it: that must not halt the source.
    const unborn = decoded.filter(isUnborn).length
    const messages_rejected = Math.max(0, samples.messages_rejected - unborn)
    const next = Math.max(owned.from, (messages.at(-1)?.offset ?? -1) + 1)
    return { owned, draft, samples, messages_rejected, next, rebirths, gaps }
  }

  /** Throws Retryable. */
  async take({ owned, draft, samples, next, rebirths, gaps }: PreparedSparkplug): Promise<void> {
    await this.parts.intake.take(samples)
    await this.commit(owned, draft, next)
    this.parts.sparkplug.reborn(this.parts.name, { gaps, rebirths: rebirths.length })
    // Not waited for: a node that was not reached is asked again, because what it says stays unreadable or doubtful.
    for (const address of rebirths) void this.ask(address)
  }

  private async commit(owned: Owned, draft: SparkplugDraft, position: Position): Promise<void> {
    const { shard, token, version } = owned
    const put = draft.rows().set(SESSION, Buffer.from(this.session))
    try {
      owned.version = await this.parts.store.commit(shard, {
        token,
        version,
        position,
        put,
        delete: new Set(),
      })
    } catch (error) {
      // Whether it was committed is not known, or somebody else owns it: what is stored decides.
      this.owned.delete(shard)
      if (!(error instanceof Fenced)) throw error
      throw new Retryable('fenced', `${shard} was claimed by another process`)
    }
    owned.from = position
    owned.rows.apply(draft)
  }

  private async ask(address: SparkplugAddress): Promise<void> {
    const { source, clock, observer, name } = this.parts
    const { topic, payload } = rebirthCommand(address, clock.now())
    try {
      await source.publish?.(topic, payload)
    } catch (error) {
      if (!(error instanceof Retryable)) throw error
      observer.retrying(name, error, 1)
    }
  }

  private async own(shard: Shard, keeps_places: boolean): Promise<Owned> {
    const known = this.owned.get(shard)
    if (known !== undefined) return known
    const { store, clock } = this.parts
    const token = clock.token()
    const { version, position } = await store.claim(shard, token)
    const rows = new SparkplugRows()
    let session = ''
    for await (const page of store.rows(shard)) {
      for (const [key, value] of page) {
        if (key === SESSION) session = value.toString()
        else rows.load(key, value)
      }
    }
    const is_ours = keeps_places || session === this.session
    const owned = { shard, token, version, from: is_ours ? (position ?? 0) : 0, rows }
    this.owned.set(shard, owned)
    return owned
  }
}

function isUnborn({ decoded: { series, rejects } }: DecodedSampleMessage): boolean {
  return series.length === 0 && rejects.length > 0 && rejects.every(({ code }) => code === 'unknown-alias')
}
