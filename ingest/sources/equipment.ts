import { cut } from './fields.ts'

const LEVEL_CHARS = 128

/**
 * A place in the plant: its levels from the top down, joined by `/`. Levels that are missing are left out, and a `/` within the name
 * of a level becomes `_`.
 */
export function equipmentPath(levels: readonly string[]): string {
  return levels
    .map((level) => cut(level.trim().replaceAll('/', '_'), LEVEL_CHARS).toWellFormed())
    .filter((level) => level !== '')
    .join('/')
}

/** Labels of a series; a place that is not told is left out. */
export function plantLabels(metric: string, equipment: string): { metric: string; equipment?: string } {
  return equipment === '' ? { metric } : { metric, equipment }
}

/**
 * Puts others in the stead of beginnings of places: the longest one that ends at the end of a level. The empty beginning fits all.
 */
export function placing(map: Readonly<Record<string, string>>): (path: string) => string {
  const beginnings = Object.keys(map).sort((a, b) => b.length - a.length)
  return (path) => {
    const found = beginnings.find((one) => one === '' || path === one || path.startsWith(`${one}/`))
    if (found === undefined) return path
    const rest = found === '' ? path : path.slice(found.length + 1)
    return [map[found] ?? '', rest].filter((part) => part !== '').join('/') || path
  }
}
