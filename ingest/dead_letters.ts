import type { Append } from '../runtime/ports.ts'
import { type DeadLetter, deadLetterOf } from '../schemas/deadletter.ts'
import { partitionOf } from '../schemas/ids.ts'

/** Something that is not taken: why, by code and in words, and the thing itself as text. */
interface Rejected {
  readonly ordinal: number
  readonly code: string
  readonly reason: string
  readonly payload: string
}

/** Where rejects of one message come from. */
interface From {
  readonly source: string
  readonly at_ms: number
  /** e.g. `kafka:plant-alerts/3@1207#4` */
  readonly locate: (ordinal: number) => string
}

export function lettersOf(rejects: readonly Rejected[], { source, at_ms, locate }: From): DeadLetter[] {
  return rejects.map(({ ordinal, code, reason, payload }) =>
    deadLetterOf({ at_ms, source, origin: locate(ordinal), code, reason, payload: Buffer.from(payload) }),
  )
}

/** `partitions` of the log of dead letters. */
export function letterAppends(letters: readonly DeadLetter[], partitions: number): Append[] {
  return letters.map((letter) => ({
    topic: 'deadletters',
    partition: partitionOf(letter.id, partitions),
    value: Buffer.from(JSON.stringify(letter)),
  }))
}
