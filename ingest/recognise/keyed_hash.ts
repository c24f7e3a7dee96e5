import { randomFillSync } from 'node:crypto'

/** 2^31 - 1, a prime: sums of products are reduced without a division. */
const P = 0x7fff_ffff
const LANES = 3
/** Products of 16 and 31 bits: so many of them in one sum stay below 2^53 with what a reduction leaves. */
const WORDS_PER_REDUCTION = 15

/**
 * A hash of up to `bytes_max` bytes to three numbers of 31 bits under a random key: sums of half words times keys modulo a prime
 * (multilinear hashing; Lemire and Kaser, "Strongly universal string hashing is fast", 2014). Two different inputs, however
 * chosen, meet in all three numbers with a probability of 2^-93, so nobody who does not know the key can aim at that.
 */
export class KeyedHash {
  /** The result of the last call. */
  readonly lanes = new Int32Array(LANES)
  private readonly keys: Float64Array
  private readonly sums = new Float64Array(LANES)
  private used = 0

  constructor(bytes_max: number) {
    const words = Math.ceil(bytes_max / 4) + 6
    const random = randomFillSync(new Uint32Array(words * 2 * LANES))
    this.keys = Float64Array.from(random, (value) => (value >>> 1) % P)
  }

  /**
   * Hashes the bytes from `from` to `to` but for those from `cut_from` to `cut_to` (equal: nothing is left out). The lengths of both
   * parts and `domain` (below 2^31) are part of the input.
   */
  of(view: DataView, from: number, cut_from: number, cut_to: number, to: number, domain: number): Int32Array {
    const { sums, lanes, keys } = this
    for (let lane = 0; lane < LANES; lane++) sums[lane] = keys[lane] as number
    this.used = LANES
    this.word(domain)
    this.word(cut_from - from)
    this.word(to - cut_to)
    this.part(view, from, cut_from)
    this.part(view, cut_to, to)
    for (let lane = 0; lane < LANES; lane++) lanes[lane] = reduced(reduced(sums[lane] as number)) % P
    return lanes
  }

  private word(value: number): void {
    const { sums, keys } = this
    const low = value & 0xffff
    const high = value >>> 16
    for (let lane = 0; lane < LANES; lane++) {
      sums[lane] = reduced(
        (sums[lane] as number) +
          low * (keys[this.used + lane] as number) +
          high * (keys[this.used + LANES + lane] as number),
      )
    }
    this.used += 2 * LANES
  }

  private part(view: DataView, from: number, to: number): void {
    const { sums, keys } = this
    let [a, b, c] = sums as unknown as [number, number, number]
    let key = this.used
    let at = from
    const last = to - 3
    while (at < last) {
      const stop = Math.min(last, at + WORDS_PER_REDUCTION * 4)
      for (; at < stop; at += 4) {
        const word = view.getInt32(at, true)
        const low = word & 0xffff
        const high = word >>> 16
        a += low * (keys[key] as number) + high * (keys[key + 3] as number)
        b += low * (keys[key + 1] as number) + high * (keys[key + 4] as number)
        c += low * (keys[key + 2] as number) + high * (keys[key + 5] as number)
        key += 2 * LANES
      }
      a = reduced(a)
      b = reduced(b)
      c = reduced(c)
    }
    sums[0] = a
    sums[1] = b
    sums[2] = c
    this.used = key
    if (at < to) this.word(tail(view, at, to))
  }
}

function tail(view: DataView, from: number, to: number): number {
  let word = 0
  for (let at = to - 1; at >= from; at--) word = (word << 8) | view.getUint8(at)
  return word
}

/** The same modulo P, for a sum below 2^53: at most 2^22 above P. */
function reduced(sum: number): number {
  const quotient = Math.floor(sum / 0x8000_0000)
  return sum - quotient * P
}
