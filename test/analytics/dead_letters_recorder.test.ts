import { expect, it } from 'vitest'
import { Batch } from '../../analytics/batch.ts'
import { DeadLettersRecorder } from '../../analytics/dead_letters_recorder.ts'
import { deadLetterOf } from '../../schemas/deadletter.ts'

const rowsOf = (...values: object[]): number => {
  const batch = new Batch(0)
  for (const [position, value] of values.entries())
    new DeadLettersRecorder().add(
      0,
      { position, time_ms: 0, headers: {}, value: Buffer.from(JSON.stringify(value)) },
      batch,
    )
  return batch.rows
}
const LETTER = deadLetterOf({
  at_ms: 0,
  source: 'plant',
  origin: 'kafka:plant/0@1#0',
  code: 'json-syntax',
  reason: 'no JSON',
  payload: Buffer.from('{'),
  ordinal: 0,
  message: { encoding: 'utf8', headers: {}, at_ms: 0, ordinals: null },
})

it('a dead letter is a row, and the mark that it was retried is none', () => {
  expect(rowsOf(LETTER, { retried: LETTER.id, ordinals: null, at_ms: 1, actor: 'ada' })).toBe(1)
})

it('what is neither is refused', () => {
  expect(() => rowsOf({ retried: LETTER.id })).toThrow('wrong shape')
})
