/** Text in double quotes as Go writes and reads it (the language specification: interpreted string literals). */

const NAMED_ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  '"': 34,
}
const ESCAPE_LETTER = new Map(
  Object.entries(NAMED_ESCAPES).map(([letter, code]) => [String.fromCharCode(code), `\\${letter}`]),
)
const PRINTABLE = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u

function quotedRune(rune: string): string {
  const named = ESCAPE_LETTER.get(rune)
  if (named !== undefined) return named
  if (PRINTABLE.test(rune)) return rune
  const code = rune.codePointAt(0) ?? 0
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd'
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\U${code.toString(16).padStart(8, '0')}`
}

/** `text` in double quotes, what cannot be printed escaped. */
export function goQuote(text: string): string {
  let quoted = '"'
  for (const rune of text) quoted += quotedRune(rune)
  return `${quoted}"`
}

const ESCAPE =
  /\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|[^\\"\n]/uy

/** Bytes of one escape or character; null when it is none. */
function pieceBytes(match: RegExpExecArray): Uint8Array | null {
  const [whole, named, hex, octal, short, long] = match
  if (named !== undefined) return Uint8Array.of(NAMED_ESCAPES[named] as number)
  if (hex !== undefined) return Uint8Array.of(Number.parseInt(hex, 16))
  if (octal !== undefined) {
    const code = Number.parseInt(octal, 8)
    return code > 255 ? null : Uint8Array.of(code)
  }
  const point = short ?? long
  if (point === undefined) return Buffer.from(whole)
  const code = Number.parseInt(point, 16)
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null
  return Buffer.from(String.fromCodePoint(code))
}

/** What the literal `quoted` (with its double quotes) means; null when it is no literal or no UTF-8. */
export function goUnquote(quoted: string): string | null {
  if (quoted.length < 2 || !quoted.startsWith('"') || !quoted.endsWith('"')) return null
  const body = quoted.slice(1, -1)
  if (!/[\\"\n]/.test(body)) return body
  const bytes: number[] = []
  ESCAPE.lastIndex = 0
  for (let at = 0; at < body.length; at = ESCAPE.lastIndex) {
    ESCAPE.lastIndex = at
    const match = ESCAPE.exec(body)
    const piece = match === null ? null : pieceBytes(match)
    if (piece === null) return null
    bytes.push(...piece)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}
