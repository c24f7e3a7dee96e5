/**
 * What the folds need of the world. Every adapter passes the contract suite of its port (test/contracts/).
 * Faults of the world are thrown as Retryable, a lost ownership as Fenced (runtime/errors.ts).
 */

export const TOPICS = ['samples', 'alerts', 'incidents', 'deadletters'] as const
export type Topic = (typeof TOPICS)[number]

/** Place of an entry in its partition: ascending from 0, not necessarily without gaps. */
export type Position = number

export interface LogEntry {
  readonly position: Position
  /** Assigned by the log when it took the entry. */
  readonly time_ms: number
  readonly value: Buffer
  /** Trace context (W3C traceparent) and the like. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Append {
  readonly topic: Topic
  readonly partition: number
  readonly value: Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** Reads one partition that this process owns. Not safe for concurrent calls. */
export interface PartitionReader {
  readonly partition: number
  /** The next poll begins at this position; a position that was trimmed away throws Retryable `position-trimmed`. */
  seek(position: Position): Promise<void>
  /**
   * Up to `entries_max` entries in order; waits up to `wait_ms` for the first one, and returns early with an empty list
   * when `wake()` is called or ownership ended. Calling poll again says that the entries before were dealt with.
   */
  poll(entries_max: number, wait_ms: number): Promise<readonly LogEntry[]>
  wake(): void
  /** Tells lag tools how far this reader is: the position of the next entry. Never used to resume in internal topics. */
  progressed(position: Position): void
}

/** Called when partitions come and go. `lost` resolves once the owner has stopped; the next owner does not wait for it. */
export interface Ownership {
  gained(reader: PartitionReader): void
  lost(partition: number): Promise<void>
}

export interface Subscription {
  close(): Promise<void>
  /** Messages that wait in the partitions that are read here, where the source knows. Throws Retryable. */
  lag?(): Promise<number>
}

export interface Log {
  partitions(topic: Topic): number
  /** Resolves when every entry is durable; entries of one partition keep their order. Positions come in the order of the argument. */
  append(entries: readonly Append[]): Promise<readonly Position[]>
  /** First kept and next position of each partition. */
  bounds(topic: Topic): Promise<readonly { readonly first: Position; readonly next: Position }[]>
  /** Shares the partitions of a topic among all subscribers of the same group, in whatever process they live. */
  subscribe(topic: Topic, group: string, ownership: Ownership): Promise<Subscription>
  /**
   * Follows every partition for a live view, in no group: from `from[partition]` (bounded below by what is kept).
   * `onEntries` is awaited before more of that partition is given.
   */
  tail(
    topic: Topic,
    from: readonly Position[],
    onEntries: (partition: number, entries: readonly LogEntry[]) => Promise<void> | void,
  ): Promise<Subscription>
  /** Throws Retryable when the log cannot be reached. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** One fold's state for one partition, e.g. `correlate/alerts/3`. */
export type Shard = string

export interface Claim {
  /** Raised by every commit; 0 for a shard that never was. */
  readonly version: number
  /** Where to read on: the position after the last entry that the state contains; null for a shard that never was. */
  readonly position: Position | null
  /**
   * Names the copy of the data that took the claim. Another name than before says that the store was restarted or failed over, and
   * may have lost commits that it acknowledged; claims end with it. Null: this store never loses what it acknowledged.
   */
  readonly incarnation: string | null
}

export interface Commit {
  readonly token: string
  /** The version that this commit follows. */
  readonly version: number
  readonly position: Position | null
  readonly put: ReadonlyMap<string, Buffer>
  readonly delete: ReadonlySet<string>
}

/**
 * Keeps the state of shards as rows (key → bytes). The claim by the newest token wins at once;
 * a commit is a compare-and-set on token and version together with the rows and the position, in one atomic step.
 */
export interface Store {
  claim(shard: Shard, token: string): Promise<Claim>
  /** All rows, in pages, in no particular order. Consistent when called by the owner between claim and its first commit. */
  rows(shard: Shard): AsyncIterable<readonly (readonly [key: string, value: Buffer])[]>
  /** Returns the new version; throws Fenced when token or version differ from the stored ones, or the incarnation from that of the claim. */
  commit(shard: Shard, commit: Commit): Promise<number>
  /** For views: rows whose keys begin with `prefix`, without owning the shard. */
  read(shard: Shard, prefix: string): Promise<readonly (readonly [key: string, value: Buffer])[]>
  /** For views: the position of the last commit, or null. */
  position(shard: Shard): Promise<Position | null>
  ping(): Promise<void>
  close(): Promise<void>
}

/** Time, timers and randomness for the parts that touch the world; the simulator brings its own. */
export interface Clock {
  now(): number
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** 128 random bits as text, for lease tokens. */
  token(): string
}

export interface SourceMessage {
  /** Its place in the source partition; means nothing where `unkept` is given. */
  readonly offset: number
  readonly time_ms: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
  /** Given by a source that keeps no places (MQTT): the message's own topic, and a name that no other message has. */
  readonly unkept?: { readonly topic: string; readonly name: string }
}

/**
 * Reads topics that belong to others. Progress is kept only after `handle` resolved, so a crash repeats and never loses. `handle`
 * gets 1 to 1,000 messages of one partition in order, and the next only when it resolved; when it rejects with Retryable it gets the
 * same from the first on again.
 */
export interface TopicSource {
  consume(
    topics: readonly string[],
    group: string,
    handle: (topic: string, partition: number, messages: readonly SourceMessage[]) => Promise<void>,
  ): Promise<Subscription>
  /** Tells those who listen to a topic, where the source can (MQTT). Throws Retryable while it cannot be reached. */
  publish?(topic: string, payload: Buffer): Promise<void>
  ping(): Promise<void>
}

/** A message for a topic that belongs to others. */
export interface Published {
  readonly topic: string
  /** What has the same key keeps its order. */
  readonly key: string
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** Writes to topics that belong to others. */
export interface TopicPublisher {
  /** Resolves when all in-sync replicas have it; throws Retryable (it may have been taken), or Reject `too-large`. */
  publish(message: Published): Promise<void>
  close(): void
}
