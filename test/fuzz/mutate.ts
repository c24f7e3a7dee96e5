import type { Random } from '../simulator/random.ts'

/** Changes a message a little: bytes, or values of its JSON. */

const ODD_NUMBERS = [0, -1, 1.5, 1e21, -1e308, 2 ** 53, 1_795_607_880, 1_795_607_880_157, 1.79e18, 1e-7]
const ODD_TEXTS = [
  '',
  ' ',
  '__proto__',
  'constructor',
  'null',
  'NaN',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:60+99:99',
  '2026-02-30T25:61:61Z',
  '1e400',
  '\ud800',
  '\u0000',
  '${x}',
  'http://[',
  'firing',
  'resolved',
  'ok',
]
const ODD_KEYS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'a\ud800', 'length', '0']
const NESTED_MAX = 200
const REPEATED_MAX = 300
const LONG_CHARS = 70_000
const VALUES_MAX = 200_000
/** So many characters of a text count as one value more. */
const TEXT_CHARS = 100

function oddValue(random: Random): unknown {
  switch (random.between(0, 9)) {
    case 0:
      return null
    case 1:
      return random.chance(0.5)
    case 2:
      return random.pick(ODD_NUMBERS)
    case 3:
      return []
    case 4:
      return {}
    case 5:
      return [random.pick(ODD_TEXTS), random.pick(ODD_NUMBERS), {}]
    case 6:
      return nested(random.between(1, NESTED_MAX))
    case 7:
      return 'x'.repeat(random.between(1, LONG_CHARS))
    default:
      return random.pick(ODD_TEXTS)
  }
}

function nested(depth: number): unknown {
  let value: unknown = 'deep'
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

type Holder = Record<string, unknown>

function holdersOf(root: unknown): Holder[] {
  const found = new Set<Holder>()
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null || found.has(node as Holder)) return
    found.add(node as Holder)
    for (const value of Object.values(node)) visit(value)
  }
  visit(root)
  return [...found]
}

/** Sets as JSON.parse would: also a key that names the prototype. */
function set(holder: Holder, key: string, value: unknown): void {
  if (Array.isArray(holder) && !/^\d{1,3}$/.test(key)) return
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
}

function changeValue(root: unknown, random: Random): void {
  const holders = holdersOf(root)
  if (holders.length === 0) return
  const holder = random.pick(holders)
  const keys = Object.keys(holder)
  const key = keys.length === 0 ? 'added' : random.pick(keys)
  switch (random.between(0, 5)) {
    case 0:
      delete holder[key]
      return
    case 1:
      return set(holder, random.pick(ODD_KEYS), oddValue(random))
    case 2:
      return set(holder, key, holder)
    case 3:
      if (Array.isArray(holder)) {
        const item: unknown = holder[0] ?? {}
        for (let n = random.between(1, REPEATED_MAX); n > 0; n--) holder.push(item)
        return
      }
      return set(holder, key, oddValue(random))
    case 4:
      return set(holder, key, JSON.stringify(typeof holder[key] === 'object' ? null : holder[key]))
    default:
      return set(holder, key, oddValue(random))
  }
}

/** The JSON with some of its values changed; a circle is cut. */
function changedJson(text: string, random: Random): string | null {
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
  for (let n = random.between(1, 6); n > 0; n--) changeValue(root, random)
  const open = new Set<unknown>()
  let left = VALUES_MAX
  const written = (value: unknown): unknown => {
    // What was repeated within what was repeated would fill the memory.
    left -= typeof value === 'string' ? 1 + value.length / TEXT_CHARS : 1
    if (left <= 0) return null
    if (typeof value !== 'object' || value === null) return value
    if (open.has(value)) return 'itself'
    open.add(value)
    const copy = Array.isArray(value) ? value.map(written) : {}
    if (!Array.isArray(value))
      for (const [key, inner] of Object.entries(value)) set(copy, key, written(inner))
    open.delete(value)
    return copy
  }
  return JSON.stringify(written(root)) ?? ''
}

function changedBytes(body: Buffer, random: Random): Buffer {
  let changed = Buffer.from(body)
  for (let n = random.between(1, 8); n > 0 && changed.length > 0; n--) {
    const at = random.between(0, changed.length - 1)
    const to = Math.min(changed.length, at + random.between(0, 40))
    switch (random.between(0, 4)) {
      case 0:
        changed[at] = random.between(0, 255)
        break
      case 1:
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(to)])
        break
      case 2:
        changed = Buffer.concat([changed.subarray(0, to), changed.subarray(at)])
        break
      case 3:
        changed = changed.subarray(0, at)
        break
      default:
        changed = Buffer.concat([
          changed.subarray(0, at),
          Buffer.from(random.pick(['[', '{', '"', '\\', '\n', '}', ']', ',', '\xff', '\ud800'])),
          changed.subarray(at),
        ])
    }
  }
  return changed
}

export function mutated(body: Buffer, random: Random): Buffer {
  const json = random.chance(0.7) ? changedJson(body.toString(), random) : null
  const changed = json === null ? body : Buffer.from(json)
  return json === null || random.chance(0.15) ? changedBytes(changed, random) : changed
}
