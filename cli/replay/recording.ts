import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { Misconfigured } from '../../runtime/errors.ts'

/** The lines of a recording; `.gz` is read too. Throws Misconfigured when there is none. */
export function linesOf(path: string): AsyncIterable<string> {
  if (!existsSync(path)) throw new Misconfigured('alerts-missing', `there is no file ${path} with alerts`)
  const file = createReadStream(path)
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file
  return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
}
