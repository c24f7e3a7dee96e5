import type { SourceMessage, TopicSource } from '../../runtime/ports.ts'

export interface Sent {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

/** Messages whose values are the name and a running number. */
export function sequence(name: string, count: number): Sent[] {
  return Array.from({ length: count }, (_, n) => ({
    key: null,
    value: Buffer.from(`${name}${n}`),
    headers: {},
  }))
}

/** What one call of a handler was given. */
export interface Batch {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly SourceMessage[]
  /** Offset of the first. */
  readonly from: number
}

/** Something that a source must not do. */
interface Fault {
  /** A batch left out what nobody had handled; came while the one before was in hand; or was not in ascending order. */
  readonly kind: 'skipped' | 'overlapping' | 'disordered'
  readonly text: string
}

/** A handler that remembers what it was given and what it handled, and what was wrong with it. */
export class Reading {
  readonly batches: Batch[] = []
  readonly faults: Fault[] = []
  /** By topic and partition, by offset. */
  private readonly done = new Map<string, Map<number, SourceMessage>>()
  private readonly in_hand = new Set<string>()
  private readonly act: (batch: Batch) => Promise<void> | undefined
  private readonly group: Reading | null

  /** `act` is what handling is. `group` sees what several members of a group do between them. */
  constructor(
    act: (batch: Batch) => Promise<void> | undefined = () => undefined,
    group: Reading | null = null,
  ) {
    this.act = act
    this.group = group
  }

  readonly handle: Parameters<TopicSource['consume']>[2] = async (topic, partition, messages) => {
    const batch = { topic, partition, messages, from: messages[0]?.offset ?? -1 }
    const key = `${topic}/${partition}`
    this.begin(batch)
    this.group?.begin(batch)
    if (this.in_hand.has(key)) this.fault('overlapping', batch)
    this.in_hand.add(key)
    try {
      await this.act(batch)
    } finally {
      this.in_hand.delete(key)
    }
    this.finish(batch)
    this.group?.finish(batch)
  }

  batchesOf(topic: string, partition: number): Batch[] {
    return this.batches.filter((batch) => batch.topic === topic && batch.partition === partition)
  }

  /** What was handled, each once, in the order in which it first was. */
  messages(topic: string, partition: number): readonly SourceMessage[] {
    return [...(this.done.get(`${topic}/${partition}`)?.values() ?? [])]
  }

  texts(topic: string, partition: number): string[] {
    return this.messages(topic, partition).map(({ value }) => String(value))
  }

  /** How many different messages were handled. */
  handled(topic: string): number {
    return [...this.done].reduce((sum, [key, { size }]) => sum + (key.startsWith(`${topic}/`) ? size : 0), 0)
  }

  private begin(batch: Batch): void {
    this.batches.push(batch)
    const { topic, partition, messages, from } = batch
    const behind = (this.messages(topic, partition).at(-1)?.offset ?? -1) + 1
    if (from > behind) this.fault('skipped', batch)
    if (messages.some(({ offset }, n) => offset !== from + n)) this.fault('disordered', batch)
  }

  private finish({ topic, partition, messages }: Batch): void {
    const key = `${topic}/${partition}`
    const done = this.done.get(key) ?? new Map<number, SourceMessage>()
    for (const message of messages) if (!done.has(message.offset)) done.set(message.offset, message)
    this.done.set(key, done)
  }

  private fault(kind: Fault['kind'], { topic, partition, messages, from }: Batch): void {
    this.faults.push({ kind, text: `${topic}/${partition}@${from} and ${messages.length - 1} more` })
  }
}
