import type { Position } from '../runtime/ports.ts'

/** A place in the incidents log as text: the next position of every partition, in base 36, joined by dots. */
export function encodeCursor(positions: readonly Position[]): string {
  return positions.map((position) => position.toString(36)).join('.')
}

/** The positions of a cursor; null when the text is none, or of another number of partitions. */
export function decodeCursor(text: string, partitions: number): readonly Position[] | null {
  const parts = text.split('.')
  if (parts.length !== partitions || !parts.every((part) => /^[0-9a-z]{1,10}$/.test(part))) return null
  const positions = parts.map((part) => Number.parseInt(part, 36))
  return positions.every(Number.isSafeInteger) ? positions : null
}
