import { alertOf, type LoadShape, type SentAlert } from './alerts.ts'

/** An end as JSON text; every one has this length, so that it can be overwritten in place. */
const END_CHARS = '2026-01-01T00:00:00.000Z'.length
const END_KEY = '"endsAt":"'

/** Texts of alerts one after the other with commas between, as inside of an array: any run of them is one slice. */
export class Texts {
  readonly count: number
  private readonly bytes: Buffer
  /** Where each begins; one more for the end. */
  private readonly starts: Uint32Array

  private constructor(bytes: Buffer, starts: Uint32Array) {
    this.bytes = bytes
    this.starts = starts
    this.count = starts.length - 1
  }

  /** Alerts `from` to before `to` of the shape. `with_end`: each carries an end, which overwriteEnds sets. */
  static of(shape: LoadShape, from: number, to: number, with_end: boolean): Texts {
    const starts = new Uint32Array(to - from + 1)
    const chunks: Buffer[] = []
    let at = 0
    for (let i = from; i < to; i++) {
      const text = Buffer.from(`${asPrometheusWrites(alertOf(shape, i), with_end)},`)
      chunks.push(text)
      at += text.length
      starts[i - from + 1] = at
    }
    return new Texts(Buffer.concat(chunks), starts)
  }

  get bytes_per_alert(): number {
    return Math.round(this.bytes.length / this.count)
  }

  /** Those from `from` to before `to` (counted from 0), without copying. */
  slice(from: number, to: number): Buffer {
    return this.bytes.subarray(this.starts[from], (this.starts[to] ?? 0) - 1)
  }

  /** The inside of an array with these, in this order. */
  join(indices: readonly number[]): Buffer {
    return Buffer.concat(
      indices.map((i, n) =>
        this.bytes.subarray(this.starts[i], (this.starts[i + 1] ?? 0) - (n === indices.length - 1 ? 1 : 0)),
      ),
    )
  }
}

/** Where the values of `endsAt` begin. */
export function findEnds(bytes: Buffer): Uint32Array {
  const found: number[] = []
  for (let at = bytes.indexOf(END_KEY); at >= 0; at = bytes.indexOf(END_KEY, at + 1))
    found.push(at + END_KEY.length)
  return Uint32Array.from(found)
}

/** Sets every end to one time, as Prometheus does with all alerts of one evaluation. */
export function overwriteEnds(bytes: Buffer, ends: Uint32Array, end_ms: number): void {
  const text = Buffer.from(new Date(end_ms).toISOString())
  for (const at of ends) for (let i = 0; i < END_CHARS; i++) bytes[at + i] = text[i] as number
}

/** The order of keys is that of Prometheus's own client. */
function asPrometheusWrites(alert: SentAlert, with_end: boolean): string {
  const { annotations, startsAt, generatorURL, labels } = alert
  return JSON.stringify({
    annotations,
    ...(with_end && { endsAt: startsAt }),
    startsAt,
    generatorURL,
    labels,
  })
}
