import type { Labels } from '../schemas/alert.ts'

/** FNV-1a with 64 bits (Fowler, Noll, Vo), held as two halves because a number is exact to 53 bits only. */
class Fnv64 {
  private high = 0xcbf29ce4
  private low = 0x84222325

  byte(value: number): void {
    const low = (this.low ^ value) >>> 0
    // The prime is 2^40 + 0x1b3: the first term moves the low half by 8 bits into the high one.
    const product = low * 0x1b3
    this.high = (Math.imul(this.high, 0x1b3) + Math.floor(product / 0x1_0000_0000) + (low << 8)) >>> 0
    this.low = product >>> 0
  }

  /** The UTF-8 bytes of `text`. */
  text(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit >= 0x80) {
        for (const byte of Buffer.from(text.slice(i))) this.byte(byte)
        return
      }
      this.byte(unit)
    }
  }

  hex(): string {
    return this.high.toString(16).padStart(8, '0') + this.low.toString(16).padStart(8, '0')
  }
}

/** Bytes order as UTF-8 does, which differs from JavaScript's order beyond the basic plane. */
function sortedByBytes(names: string[]): readonly string[] {
  if (names.every((name) => !/[\ud800-\udfff]/.test(name))) return names.sort()
  return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

/** The fingerprint that Alertmanager shows for a label set: 16 hex digits, names and values each followed by 0xff. */
export function alertmanagerFingerprint(labels: Labels): string {
  const hash = new Fnv64()
  for (const name of sortedByBytes(Object.keys(labels))) {
    hash.text(name)
    hash.byte(0xff)
    hash.text(labels[name] ?? '')
    hash.byte(0xff)
  }
  return hash.hex()
}
