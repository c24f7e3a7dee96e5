import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The version in package.json, which lies beside the sources or one folder above the built files. */
export function version(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    try {
      return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version
    } catch (error) {
      const parent = dirname(folder)
      if (parent === folder || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      folder = parent
    }
  }
}
