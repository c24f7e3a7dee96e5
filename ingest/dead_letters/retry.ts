import type { Clock, Log } from '../../runtime/ports.ts'
import type { DeadLetter, KeptMessage, Retried } from '../../schemas/deadletter.ts'
import type { Batch } from '../batch.ts'
import type { Intake } from '../intake.ts'
import type { SourceDecoder } from '../source_decoder.ts'
import type { DecodedAlerts, RejectedAlert } from '../sources/raw_alert.ts'
import { messageOf } from './letters.ts'
import { readDeadLetters } from './read.ts'

export interface DeadLettersParts {
  readonly log: Pick<Log, 'bounds' | 'tail'>
  readonly clock: Clock
  readonly intake: Pick<Intake, 'prepare' | 'take' | 'normalise'>
  /** As the sources are configured now. */
  readonly sources: ReadonlyMap<string, SourceDecoder>
}

/** Left out: any. */
export interface Selection {
  readonly ids?: ReadonlySet<string>
  readonly source?: string
  readonly code?: string
}

/** A letter without what was received. */
export interface Listed
  extends Pick<DeadLetter, 'id' | 'at_ms' | 'source' | 'origin' | 'code' | 'reason' | 'truncated'> {
  /** Its message is kept, so that it can be read again. */
  readonly retriable: boolean
  readonly retried_at_ms: number | null
}

export interface Listing {
  /** Newest first. */
  readonly letters: readonly Listed[]
  /** False: the log did not give all that it keeps in time. */
  readonly complete: boolean
}

/** `not-kept`: its message is not there to be read. `source-unknown`: the configuration has no such source any more. */
type Outcome = 'passed' | 'rejected' | 'not-kept' | 'source-unknown'

export interface Retrial {
  readonly id: string
  readonly origin: string
  readonly outcome: Outcome
  /** Why it is rejected still. */
  readonly reason: string
}

export interface Retry {
  readonly dry_run: boolean
  /** Alerts that were taken, or would be. */
  readonly alerts: number
  readonly letters: readonly Retrial[]
  readonly complete: boolean
}

interface Known {
  readonly letter: Omit<DeadLetter, 'message' | 'payload'>
  /** The letter that has the message. */
  readonly unit: string | null
}

/** What the log keeps of rejected messages: listed, shown, and read again once their source is mended. */
export class DeadLetters {
  private readonly parts: DeadLettersParts
  /** One retry at a time, so that nothing is retried twice. */
  private busy: Promise<unknown> = Promise.resolve()

  constructor(parts: DeadLettersParts) {
    this.parts = parts
  }

  async list(selection: Selection): Promise<Listing> {
    const { known, marks, complete } = await this.known()
    const letters = known.filter((one) => isSelected(one, selection)).map((one) => listed(one, marks))
    return { letters: letters.sort((a, b) => b.at_ms - a.at_ms), complete }
  }

  /** Null: the log does not keep it (any more). */
  async show(id: string): Promise<DeadLetter | null> {
    let found: DeadLetter | null = null
    await readDeadLetters(this.parts, (entry) => {
      if (entry.kind === 'letter' && entry.letter.id === id) found = entry.letter
    })
    return found
  }

  /**
   * Reads the messages of these letters as their sources are configured now; takes what passes, unless it is dry. What was taken is
   * marked in the same append, and not taken again. Throws Retryable.
   */
  retry(selection: Selection, dry_run: boolean, actor: string): Promise<Retry> {
    const done = this.busy.then(() => this.retryNow(selection, dry_run, actor))
    this.busy = done.catch(() => undefined)
    return done
  }

  private async retryNow(selection: Selection, dry_run: boolean, actor: string): Promise<Retry> {
    const { known, marks } = await this.known()
    const open = known.filter((one) => isSelected(one, selection) && retriedAt(one, marks) === null)
    const letters: Retrial[] = []
    const units = new Map<string, Known[]>()
    for (const one of open) {
      const others = one.unit === null ? undefined : units.get(one.unit)
      if (one.unit === null) letters.push(told(one, 'not-kept', 'its message was not kept'))
      else if (others === undefined) units.set(one.unit, [one])
      else others.push(one)
    }
    let alerts = 0
    const complete = await readDeadLetters(this.parts, async (entry) => {
      if (entry.kind !== 'letter' || entry.letter.message === undefined) return
      const of_unit = units.get(entry.letter.id)
      if (of_unit === undefined) return
      // The log may hold a letter twice, after a source was read again.
      units.delete(entry.letter.id)
      const unit = { letter: entry.letter, message: entry.letter.message, partition: entry.partition }
      alerts += await this.retryUnit(unit, of_unit, letters, dry_run ? null : actor)
    })
    return { dry_run, alerts, letters, complete }
  }

  /** Returns how many alerts passed. `actor` null: nothing is taken. */
  private async retryUnit(
    { letter, message, partition }: Unit,
    of_unit: readonly Known[],
    letters: Retrial[],
    actor: string | null,
  ): Promise<number> {
    const { intake, sources, clock } = this.parts
    const decode = sources.get(letter.source)
    const received = messageOf(letter)
    if (decode === undefined || received === null) {
      const why = `the configuration has no source ${letter.source}`
      for (const one of of_unit) letters.push(told(one, 'source-unknown', why))
      return 0
    }
    const wanted = message.ordinals && new Set(of_unit.map(ordinalOf))
    const again = this.sorted(decode(received), letter.source, wanted)
    for (const one of of_unit) {
      const fault = again.faults.get(wanted === null ? WHOLE : ordinalOf(one))
      letters.push(fault ? told(one, 'rejected', `${fault.code}: ${fault.reason}`) : told(one, 'passed', ''))
    }
    const passed = wanted === null ? null : [...wanted].filter((ordinal) => !again.faults.has(ordinal))
    if (again.faults.has(WHOLE) || passed?.length === 0) return 0
    if (actor === null) return again.decoded.alerts.length
    const base = letter.origin.replace(/#\d+$/, '')
    const batch: Batch = {
      source: letter.source,
      origin: null,
      received_at_ms: clock.now(),
      messages: [{ offset: null, decoded: again.decoded, received }],
      locate: (_offset, ordinal) => `${base}#${ordinal}`,
    }
    const mark: Retried = { retried: letter.id, ordinals: passed, at_ms: clock.now(), actor }
    const value = Buffer.from(JSON.stringify(mark))
    await intake.take(intake.prepare(batch), [{ topic: 'deadletters', partition, value }])
    return again.decoded.alerts.length
  }

  /** What of a message is wanted and passes now, and what is wrong with the rest of what is wanted. */
  private sorted(decoded: DecodedAlerts, source: string, wanted: ReadonlySet<number> | null) {
    const faults = new Map<number, Pick<RejectedAlert, 'code' | 'reason'>>()
    const is_wanted = ({ ordinal }: { readonly ordinal: number }) => wanted?.has(ordinal) ?? true
    const alerts = decoded.alerts.filter(is_wanted).filter((raw) => {
      const alert = this.parts.intake.normalise(raw, source)
      if ('reason' in alert) faults.set(raw.ordinal, alert)
      return !('reason' in alert)
    })
    for (const reject of decoded.rejects.filter(is_wanted)) faults.set(reject.ordinal, reject)
    if (wanted !== null) return { decoded: { alerts, rejects: [] }, faults }
    // A message that was rejected as a whole passes with what can be read of it; the rest gets letters of its own.
    const [first] = faults.values()
    const is_refused = alerts.length === 0 && first !== undefined
    const rest = { alerts: decoded.alerts, rejects: decoded.rejects }
    return { decoded: rest, faults: new Map(is_refused ? [[WHOLE, first]] : []) }
  }

  private async known() {
    const known = new Map<string, Known>()
    const marks = new Map<string, Retried[]>()
    const complete = await readDeadLetters(this.parts, (entry) => {
      if (entry.kind === 'retried') {
        const { retried: unit } = entry.retried
        marks.set(unit, [...(marks.get(unit) ?? []), entry.retried])
        return
      }
      const { message, payload: _payload, ...letter } = entry.letter
      known.set(letter.id, { letter, unit: message ? letter.id : (letter.message_in ?? null) })
    })
    return { known: [...known.values()], marks, complete }
  }
}

interface Unit {
  readonly letter: DeadLetter
  readonly message: KeptMessage
  readonly partition: number
}

/** Stands for the message where an ordinal would name an item. */
const WHOLE = -1

const ordinalOf = ({ letter }: Known): number => letter.ordinal ?? 0

function isSelected({ letter }: Known, { ids, source, code }: Selection): boolean {
  return (
    (ids?.has(letter.id) ?? true) &&
    (source === undefined || letter.source === source) &&
    (code === undefined || letter.code === code)
  )
}

function retriedAt(one: Known, marks: ReadonlyMap<string, readonly Retried[]>): number | null {
  const of_unit = one.unit === null ? [] : (marks.get(one.unit) ?? [])
  const mark = of_unit.find(({ ordinals }) => ordinals === null || ordinals.includes(ordinalOf(one)))
  return mark?.at_ms ?? null
}

function listed(one: Known, marks: ReadonlyMap<string, readonly Retried[]>): Listed {
  const { id, at_ms, source, origin, code, reason, truncated } = one.letter
  const facts = { id, at_ms, source, origin, code, reason, truncated }
  return { ...facts, retriable: one.unit !== null, retried_at_ms: retriedAt(one, marks) }
}

function told({ letter: { id, origin } }: Known, outcome: Outcome, reason: string): Retrial {
  return { id, origin, outcome, reason }
}
