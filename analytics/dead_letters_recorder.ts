import type { LogEntry, Position } from '../runtime/ports.ts'
import { CodecError } from '../schemas/codec.ts'
import { deadLetter, retried } from '../schemas/deadletter.ts'
import type { Batch } from './batch.ts'
import { type Inquiry, recordedTo, type Recorder } from './recorders.ts'
import { deadLetterRow } from './rows.ts'

/** Dead-letter log → `dead_letters`. Remembers nothing: the table keeps one row for each id. */
export class DeadLettersRecorder implements Recorder {
  restore(): void {}

  restored(): void {}

  async rebuild(inquiry: Inquiry): Promise<Position> {
    return Math.max(inquiry.from, await recordedTo(inquiry, 'dead_letters'))
  }

  add(partition: number, entry: LogEntry, batch: Batch): void {
    const parsed = parse(entry.value)
    if (retried.safeParse(parsed).success) return
    const letter = deadLetter.safeParse(parsed)
    if (!letter.success) {
      throw new CodecError(
        'entry-shape',
        `a dead letter has the wrong shape at ${letter.error.issues[0]?.path.join('.') ?? ''}`,
      )
    }
    const place = { partition, position: entry.position, time_ms: entry.time_ms }
    batch.add('dead_letters', letter.data.at_ms, entry.position, [deadLetterRow(place, letter.data)])
  }

  forget(): void {}
}

function parse(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString())
  } catch {
    throw new CodecError('entry-json', `an entry of ${value.length} bytes is not JSON`)
  }
}
