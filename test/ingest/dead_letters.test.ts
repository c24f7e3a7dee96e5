import { describe, expect, it } from 'vitest'
import { lettersOf, messageOf } from '../../ingest/dead_letters/letters.ts'
import type { RejectedAlert } from '../../ingest/sources/raw_alert.ts'
import { LIMITS } from '../../schemas/limits.ts'

const BATCH = {
  source: 'plant',
  received_at_ms: 2,
  locate: (_offset: number | null, ordinal: number) => `http:POST /x#${ordinal}`,
}
const reject = (ordinal: number, over: Partial<RejectedAlert> = {}): RejectedAlert => ({
  ordinal,
  code: 'c',
  reason: 'r',
  payload: `{"item":${ordinal}}`,
  ...over,
})
const alert = {
  ordinal: 9,
  labels: {},
  annotations: {},
  generator_url: '',
  starts_at_ms: 0,
  ends_at_ms: null,
}
const letters = (body: Buffer, rejects: readonly RejectedAlert[], received: object = {}) =>
  lettersOf(
    BATCH,
    {
      offset: null,
      decoded: { alerts: [alert], rejects },
      received: { body, headers: { 'x-a': '1', 'X-Key': 'no', 'x-key': 'no' }, at_ms: 1, ...received },
    },
    rejects,
  )

describe('a message of which something is rejected', () => {
  it('is kept once, byte for byte, with the headers that prove nothing', () => {
    const body = Buffer.from([0x0a, 0xff, 0x00, 0x7b])
    const [first, second] = letters(body, [reject(1), reject(4)])
    expect(first?.message).toMatchObject({ encoding: 'base64', headers: { 'x-a': '1' }, ordinals: [1, 4] })
    expect(first && messageOf(first)).toMatchObject({ body, at_ms: 1 })
    expect([second?.message, second?.message_in]).toEqual([undefined, first?.id])
  })

  it('is not kept when it is too large, also by its escapes: a letter fits into the log', () => {
    for (const body of [
      Buffer.alloc(LIMITS.dead_letter_message_bytes + 1, 'x'),
      Buffer.alloc(LIMITS.dead_letter_message_bytes, '\u0001'),
    ]) {
      const [letter] = letters(body, [reject(0)])
      expect(letter).not.toHaveProperty('message')
      expect(Buffer.byteLength(JSON.stringify(letter))).toBeLessThan(LIMITS.dead_letter_bytes)
    }
    expect(letters(Buffer.alloc(LIMITS.dead_letter_message_bytes, 'x'), [reject(0)])[0]).toHaveProperty(
      'message',
    )
  })

  it('is not kept where its items stand alone: they are, as they were received', () => {
    const found = letters(Buffer.alloc(100_000, 'x'), [reject(1), reject(2, { was_read: true })], {
      items_stand_alone: true,
    })
    expect(found.map((letter) => letter.message !== undefined)).toEqual([true, false])
    expect(found[0] && messageOf(found[0])?.body.toString()).toBe('{"item":1}')
  })
})
