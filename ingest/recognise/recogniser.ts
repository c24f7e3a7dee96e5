import type { Labels } from '../../schemas/alert.ts'
import { LIMITS } from '../../schemas/limits.ts'
import type { Place } from '../../schemas/record.ts'
import { FINGERPRINT_WORDS, fingerprintWords, RepeatsWriter } from '../../schemas/repeats.ts'
import { isZeroTime, parseDateTime } from '../sources/date_time.ts'
import type { DecodedAlerts, Mark } from '../sources/raw_alert.ts'
import { KeyedHash } from './keyed_hash.ts'
import { Statements } from './statements.ts'

const BETWEEN = Buffer.from('},{"')
/** What ends `"endsAt":"`: few texts have its first letter, which is what a search in Node looks for. */
const FIELD_END = Buffer.from('At":"')
const FIELD_BEGIN = Buffer.from('"ends')
const QUOTE = 0x22
const OPENING = 0x5b
const CLOSING = 0x5d
/** Longer texts are no times. */
const TIME_CHARS_MAX = 40
/** A statement is learnt if its alert lasts at least this long. */
const LASTS_MS = 60_000

/** The text of one alert within a body that was not recognised. */
export interface UnknownText {
  readonly ordinal: number
  readonly from: number
  readonly to: number
  /** What it is known by once it is durable; null when it is too long for that. */
  readonly mark: Mark | null
}

/** Where a body comes from. */
export interface Origin {
  /** The clock. */
  readonly now_ms: number
  /** The time by which the body is judged: of the request, or of the message. */
  readonly at_ms: number
  /** A number that tells the source from others. */
  readonly domain: number
  /** Of the message; null for a request. */
  readonly offset: number | null
}

export interface Scan {
  readonly unknown: readonly UnknownText[]
  readonly repeats: NonNullable<DecodedAlerts['repeats']>
}

/** A statement that was told in full. */
export interface Told {
  readonly fingerprint: string
  readonly partition: number
  readonly annotations: Labels
  /** When it was received. */
  readonly at_ms: number
  readonly starts_at_ms: number
  readonly ends_at_ms: number | null
  /** Null: it cannot be recognised again. */
  readonly mark: Mark | null
}

/** One that may be recognised again once it is durable (`learn`). */
export interface Learnt extends Told {
  readonly content: Int32Array
}

/**
 * Recognises statements that were told before, byte for byte but for an end that moves on (as Prometheus sends them), without
 * reading them. It is a cache: with and without it the same alerts are told, with it in fewer bytes. What it relies on:
 *
 * - A body is cut at every `},{"`. Any cut is sound: pieces that are each valid JSON, joined by commas, are a valid array. A piece is
 *   recognised only if its like was read as one alert before; all others are read one by one, and if one of those is no JSON,
 *   then the whole body is read anew and nothing is learnt.
 * - A statement is learnt only once it is durable, so in its partition a repeat stands behind what it refers to.
 * - Once an alert is told with other annotations, no statement with the old ones is recognised, so a repeat never refers to
 *   content that was replaced. A batch is scanned before that is known of its own alerts: `complete`.
 * - Two generations: a statement is forgotten `repeat_reference_ms` after it was told at the latest, long before the fold forgets
 *   its alert (`ended_alert_kept_ms`).
 */
export class Recogniser {
  private readonly hash = new KeyedHash(LIMITS.recognised_statement_bytes)
  private current = new Statements(LIMITS.recognised_statements)
  private before = new Statements(0)
  private turned_ms = 0
  private batch = 1
  private domains = 0
  private is_torn = false
  private readonly words = new Int32Array(FINGERPRINT_WORDS)
  /** The newest end that was read: most alerts of a body share it. */
  private last_end = { bytes: Buffer.alloc(0), ends_at_ms: NaN }

  /** A number of its own for each source: what one of them said is no repeat when another says it. */
  newDomain(): number {
    return ++this.domains
  }

  /** Null: the body is no array that can be cut. */
  scan(body: Buffer, { now_ms, at_ms, domain, offset }: Origin): Scan | null {
    if (body[0] !== OPENING || body[body.length - 1] !== CLOSING || body.length < 3) return null
    this.turn(now_ms)
    const view = new DataView(body.buffer, body.byteOffset, body.length)
    const writers: Writers = new Map()
    const unknown: UnknownText[] = []
    const ends = new FieldWalk(body)
    let ordinal = 0
    for (let from = 1, to = 0; to < body.length - 1; from = to + 1) {
      if (ordinal === LIMITS.alerts_per_request) return null
      const cut = body.indexOf(BETWEEN, from)
      to = cut === -1 ? body.length - 1 : cut + 1
      const end = ends.within(from, to)
      const piece = { from, to, end, domain, ordinal, offset }
      const mark = this.recognise(view, body, piece, at_ms, writers)
      if (mark !== RECOGNISED) unknown.push({ ordinal, from, to, mark })
      ordinal++
    }
    const repeats = [...writers].map(
      ([partition, { writer, ordinals }]) => [partition, { repeats: writer.done(), ordinals }] as const,
    )
    return { unknown, repeats: new Map(repeats) }
  }

  /**
   * An alert of the batch is told in full; called in order, once all of the batch was scanned. Returns what to give to `learn`,
   * null for an alert of which nothing need be known.
   */
  told(one: Told): Learnt | null {
    fingerprintWords(one.fingerprint, this.words)
    const { current, before, batch, words } = this
    this.is_torn ||= current.wasRepeated(words, batch) || before.wasRepeated(words, batch)
    before.dismiss(words)
    if (one.mark === null && !current.knows(words)) return null
    const told = this.contentOf(one.annotations)
    // Of ends the fold takes the content of the first alone, so what it holds after one with another content is not known here.
    const content = lasts(one) || current.holds(words, told) ? told : UNLIKE_ANY
    return current.tell(words, content, one.partition) ? { ...one, content } : null
  }

  /**
   * The batch is complete. True: an alert was told both in full and as a repeat, which may refer to what the other replaced:
   * the batch must be read again without recognising anything.
   */
  complete(): boolean {
    const torn = this.is_torn
    this.is_torn = false
    this.batch++
    return torn
  }

  /** These are durable now. */
  learn(statements: readonly Learnt[]): void {
    for (const statement of statements) {
      const { fingerprint, content, mark, starts_at_ms, ends_at_ms } = statement
      fingerprintWords(fingerprint, this.words)
      // The fold remembers nothing of an alert that has ended when it first hears of it.
      if (mark === null || !lasts(statement)) continue
      this.current.learn(this.words, content, mark.hash, {
        starts_at_ms,
        ends_at_ms: mark.end === null ? (ends_at_ms ?? NaN) : NaN,
      })
    }
  }

  private turn(now_ms: number): void {
    const age_ms = Math.abs(now_ms - this.turned_ms)
    if (age_ms < LIMITS.repeat_reference_ms / 3 && !this.current.is_full) return
    const recent = age_ms < (LIMITS.repeat_reference_ms * 2) / 3
    this.before = recent ? this.current : new Statements(0)
    this.current = new Statements(LIMITS.recognised_statements)
    this.turned_ms = now_ms
  }

  private recognise(
    view: DataView,
    body: Buffer,
    piece: Piece,
    at_ms: number,
    writers: Writers,
  ): Mark | null | typeof RECOGNISED {
    const { from, to, end, domain } = piece
    if (to - from > LIMITS.recognised_statement_bytes) return null
    const hash = this.hash.of(view, from, end?.from ?? to, end?.to ?? to, to, domain)
    const known = this.current.find(hash)
    const statements = known >= 0 ? this.current : this.before
    const statement = known >= 0 ? known : this.before.find(hash)
    if (statement >= 0) {
      const { alert, partition, starts_at_ms, ends_at_ms } = statements.at(statement)
      const now_ends_at_ms = end === null ? ends_at_ms : this.endOf(body, end)
      if (stillFires(at_ms, starts_at_ms, now_ends_at_ms)) {
        statements.repeated(statement, this.batch)
        const { writer, ordinals } = writerOf(writers, partition)
        const place: Place | null = piece.offset === null ? null : [piece.offset, piece.ordinal]
        writer.add(statements.alerts.words, alert * FINGERPRINT_WORDS, starts_at_ms, now_ends_at_ms, place)
        ordinals.push(piece.ordinal)
        return RECOGNISED
      }
    }
    return { hash: hash.slice(), end: end === null ? null : body.toString('latin1', end.from, end.to) }
  }

  /** The time at this place; NaN when no time is given, null when it is none. */
  private endOf(body: Buffer, { from, to }: Span): number | null {
    const { bytes, ends_at_ms } = this.last_end
    let i = 0
    while (i < bytes.length && bytes[i] === body[from + i]) i++
    if (i === bytes.length && i === to - from) return ends_at_ms
    const at = parseDateTime(body.toString('latin1', from, to))
    if (at === null) return null
    this.last_end = { bytes: Buffer.from(body.subarray(from, to)), ends_at_ms: isZeroTime(at) ? NaN : at.ms }
    return this.last_end.ends_at_ms
  }

  private contentOf(annotations: Labels): Int32Array {
    const text = Buffer.from(JSON.stringify(annotations))
    if (text.length > LIMITS.recognised_statement_bytes) return UNLIKE_ANY
    const view = new DataView(text.buffer, text.byteOffset, text.length)
    return this.hash.of(view, 0, text.length, text.length, text.length, 0).slice()
  }
}

/** Does the alert fire for longer than clocks and the way to the log may take? */
function lasts({ at_ms, ends_at_ms }: Told): boolean {
  return ends_at_ms === null || ends_at_ms >= at_ms + LASTS_MS
}

const RECOGNISED = Symbol('recognised')
/** Content that is too long to be remembered: no statement has it. */
const UNLIKE_ANY = Int32Array.of(-1, -1, -1)

interface Span {
  readonly from: number
  readonly to: number
}

interface Piece extends Span {
  /** Where its end is told, if it is told in the one usual way. */
  readonly end: Span | null
  readonly domain: number
  readonly ordinal: number
  readonly offset: number | null
}

/** By partition of the log. */
type Writers = Map<number, { readonly writer: RepeatsWriter; readonly ordinals: number[] }>

function writerOf(writers: Writers, partition: number) {
  const known = writers.get(partition)
  if (known !== undefined) return known
  const fresh = { writer: new RepeatsWriter(), ordinals: [] }
  writers.set(partition, fresh)
  return fresh
}

/** Neither resolved nor refused: those are read in full. */
function stillFires(at_ms: number, starts_at_ms: number, ends_at_ms: number | null): ends_at_ms is number {
  if (ends_at_ms === null || ends_at_ms > LIMITS.time_ms_max) return false
  if (Number.isNaN(ends_at_ms)) return starts_at_ms <= at_ms
  return ends_at_ms > at_ms && ends_at_ms > starts_at_ms
}

/** Finds the ends that are told in a body, piece after piece in one pass over it. */
class FieldWalk {
  private readonly body: Buffer
  /** Where the next end begins. */
  private next: number

  constructor(body: Buffer) {
    this.body = body
    this.next = this.after(0)
  }

  /** The text of the one end told between two places; null when there is none, or more than one. */
  within(from: number, to: number): Span | null {
    const begins = this.next
    if (begins < from || begins >= to) return null
    this.next = this.after(begins)
    if (this.next < to) {
      while (this.next < to) this.next = this.after(this.next)
      return null
    }
    let ends = begins
    while (ends < to && this.body[ends] !== QUOTE && ends <= begins + TIME_CHARS_MAX) ends++
    return this.body[ends] === QUOTE ? { from: begins, to: ends } : null
  }

  private after(from: number): number {
    const { body } = this
    for (let at = body.indexOf(FIELD_END, from); at !== -1; at = body.indexOf(FIELD_END, at + 1)) {
      let i = 0
      while (i < FIELD_BEGIN.length && body[at - FIELD_BEGIN.length + i] === FIELD_BEGIN[i]) i++
      if (i === FIELD_BEGIN.length) return at + FIELD_END.length
    }
    return Infinity
  }
}
