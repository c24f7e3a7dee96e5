import { describe, expect, it } from 'vitest'
import { decompressLz4 } from '../../ingest/compression/lz4.ts'
import { decompressSnappy } from '../../ingest/compression/snappy.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const BYTES_MAX = 1_000

// By hand from the format descriptions: an `a`, then copies of what was just written.
const CODECS = [
  {
    name: 'snappy',
    decompress: decompressSnappy,
    data: hex('0c 00 61 15 01 04 62 63'),
    text: `${'a'.repeat(10)}bc`,
  },
  {
    name: 'snappy in the framing of Java',
    decompress: decompressSnappy,
    data: hex('82534e4150505900 00000001 00000001 00000005 0a 00 61 15 01 00000003 01 00 7a'),
    text: `${'a'.repeat(10)}z`,
  },
  {
    name: 'lz4',
    decompress: decompressLz4,
    data: hex('04224d18 60 40 82 09000000 1f 61 0100 02 30 787979 03000080 656e64 00000000'),
    text: `${'a'.repeat(22)}xyyend`,
  },
]

describe.each(CODECS)('$name', ({ decompress, data, text }) => {
  it('is read', () => {
    expect(decompress(data, BYTES_MAX).toString()).toBe(text)
  })

  it('that breaks off is refused', () => {
    const whole = decompress(data, BYTES_MAX)
    for (let length = 1; length < data.length; length += 1) {
      const part = data.subarray(0, length)
      const outcome = (() => {
        try {
          return decompress(part, BYTES_MAX)
        } catch (error) {
          return error
        }
      })()
      // Between two framed blocks nothing says that another should follow.
      const is_refused = outcome instanceof RangeError
      const is_a_part = Buffer.isBuffer(outcome) && outcome.length < whole.length
      expect(is_refused || is_a_part, `${length} bytes`).toBe(true)
    }
  })

  it('that would be too large is refused', () => {
    expect(() => decompress(data, text.length - 1)).toThrow(RangeError)
    expect(decompress(data, text.length).length).toBe(text.length)
  })
})

it('a copy from before the beginning is refused', () => {
  expect(() => decompressSnappy(hex('0a 00 61 15 02'), BYTES_MAX)).toThrow(RangeError)
  expect(() => decompressLz4(hex('04224d18 60 40 82 04000000 10 61 0000 00000000'), BYTES_MAX)).toThrow(
    RangeError,
  )
})
