import { enlarged, FingerprintIndex } from '../../schemas/fingerprint_index.ts'

const LANES = 3
/** Statements remembered of one alert: replicas of one sender tell the same alert each in their own way. */
const PER_ALERT = 2
const NONE = -1

/** What is remembered of one statement of an alert. */
export interface Statement {
  /** Its words are in `Statements.alerts`. */
  readonly alert: number
  readonly partition: number
  readonly starts_at_ms: number
  /** NaN when it gave no end. */
  readonly ends_at_ms: number
}

/**
 * Statements by their hash, and for each alert what it was last told with. A statement holds only while its alert was told with no
 * other content since (`content` are two numbers that stand for it). Nothing is ever removed, the whole is dropped in time
 * (recogniser.ts).
 */
export class Statements {
  readonly alerts = new FingerprintIndex()
  private capacity = this.alerts.capacity
  private readonly alerts_max: number
  private contents = new Int32Array(this.capacity * 2)
  private partitions = new Uint16Array(this.capacity)
  /** The batch in which a statement of the alert was told as a repeat last. */
  private repeated_in = new Float64Array(this.capacity)
  private lanes = new Int32Array(this.capacity * PER_ALERT * LANES).fill(NONE)
  private starts_at_ms = new Float64Array(this.capacity * PER_ALERT)
  private ends_at_ms = new Float64Array(this.capacity * PER_ALERT)
  /** Which statement of a row is the older one. */
  private older = new Uint8Array(this.capacity)
  private by_hash = new Int32Array(this.capacity * 4).fill(NONE)
  private hashes = 0

  constructor(alerts_max: number) {
    this.alerts_max = alerts_max
  }

  get is_full(): boolean {
    return this.alerts.count >= this.alerts_max || this.hashes >= this.alerts_max * PER_ALERT
  }

  /** The index of the statement with this hash (for `at`), or -1. */
  find(hash: Int32Array): number {
    const mask = this.by_hash.length - 1
    for (let slot = (hash[0] as number) & mask; ; slot = (slot + 1) & mask) {
      const statement = this.by_hash[slot] as number
      if (statement === NONE) return NONE
      const at = statement * LANES
      const { lanes } = this
      if (lanes[at] === hash[0] && lanes[at + 1] === hash[1] && lanes[at + 2] === hash[2]) return statement
    }
  }

  at(statement: number): Statement {
    const row = Math.floor(statement / PER_ALERT)
    return {
      alert: row,
      partition: this.partitions[row] as number,
      starts_at_ms: this.starts_at_ms[statement] as number,
      ends_at_ms: this.ends_at_ms[statement] as number,
    }
  }

  /** A statement is told as a repeat in this batch. */
  repeated(statement: number, batch: number): void {
    this.repeated_in[Math.floor(statement / PER_ALERT)] = batch
  }

  /** Was a statement of the alert told as a repeat in this batch? */
  wasRepeated(fingerprint: Int32Array, batch: number): boolean {
    const row = this.alerts.find(fingerprint)
    return row !== NONE && this.repeated_in[row] === batch
  }

  /** The alert is told with this content: statements with another hold no more. False: there is no room to note it. */
  tell(fingerprint: Int32Array, content: Int32Array, partition: number): boolean {
    const known = this.alerts.find(fingerprint)
    if (known === NONE && this.is_full) return false
    const row = known === NONE ? this.add(fingerprint) : known
    const { contents } = this
    if (contents[row * 2] !== content[0] || contents[row * 2 + 1] !== content[1] || known === NONE) {
      contents.set(content.subarray(0, 2), row * 2)
      this.drop(row)
    }
    this.partitions[row] = partition
    return true
  }

  /** Was the alert told with this content last? */
  holds(fingerprint: Int32Array, content: Int32Array): boolean {
    const row = this.alerts.find(fingerprint)
    return row !== NONE && this.contents[row * 2] === content[0] && this.contents[row * 2 + 1] === content[1]
  }

  knows(fingerprint: Int32Array): boolean {
    return this.alerts.find(fingerprint) !== NONE
  }

  /** No statement of the alert holds any more. */
  dismiss(fingerprint: Int32Array): void {
    const row = this.alerts.find(fingerprint)
    if (row !== NONE) this.drop(row)
  }

  /** A statement is durable: from now on it is found, unless its alert was told otherwise meanwhile. */
  learn(
    fingerprint: Int32Array,
    content: Int32Array,
    hash: Int32Array,
    times: { readonly starts_at_ms: number; readonly ends_at_ms: number },
  ): void {
    const row = this.alerts.find(fingerprint)
    if (row === NONE || this.contents[row * 2] !== content[0] || this.contents[row * 2 + 1] !== content[1])
      return
    if (this.find(hash) !== NONE || this.is_full) return
    const statement = row * PER_ALERT + (this.older[row] as number)
    this.older[row] = 1 - (this.older[row] as number)
    this.lanes.set(hash, statement * LANES)
    this.starts_at_ms[statement] = times.starts_at_ms
    this.ends_at_ms[statement] = times.ends_at_ms
    this.hashes++
    if (this.hashes * 2 > this.by_hash.length) this.growHashes()
    else this.enter(statement)
  }

  private drop(row: number): void {
    const from = row * PER_ALERT * LANES
    this.lanes.fill(NONE, from, from + PER_ALERT * LANES)
  }

  private enter(statement: number): void {
    const mask = this.by_hash.length - 1
    let slot = (this.lanes[statement * LANES] as number) & mask
    while (this.by_hash[slot] !== NONE) slot = (slot + 1) & mask
    this.by_hash[slot] = statement
  }

  private add(fingerprint: Int32Array): number {
    const row = this.alerts.add(fingerprint)
    if (this.alerts.capacity > this.capacity) this.grow()
    return row
  }

  private grow(): void {
    this.capacity = this.alerts.capacity
    this.contents = enlarged(this.contents, new Int32Array(this.capacity * 2))
    this.partitions = enlarged(this.partitions, new Uint16Array(this.capacity))
    this.repeated_in = enlarged(this.repeated_in, new Float64Array(this.capacity))
    this.older = enlarged(this.older, new Uint8Array(this.capacity))
    this.lanes = enlarged(this.lanes, new Int32Array(this.capacity * PER_ALERT * LANES).fill(NONE))
    this.starts_at_ms = enlarged(this.starts_at_ms, new Float64Array(this.capacity * PER_ALERT))
    this.ends_at_ms = enlarged(this.ends_at_ms, new Float64Array(this.capacity * PER_ALERT))
  }

  /** Statements that were replaced are left behind; the index grows when those that hold may need it. */
  private growHashes(): void {
    const large = this.alerts.count * PER_ALERT * 2 > this.by_hash.length
    this.by_hash = new Int32Array(this.by_hash.length * (large ? 2 : 1)).fill(NONE)
    this.hashes = 0
    for (let statement = 0; statement < this.alerts.count * PER_ALERT; statement++) {
      if (this.lanes[statement * LANES] === NONE) continue
      this.enter(statement)
      this.hashes++
    }
  }
}
