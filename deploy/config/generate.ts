/** Writes what is derived from the schemas: `npm run generate`. A test fails when one of these files is stale. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { outputs } from './outputs.ts'

const ROOT = join(import.meta.dirname, '..', '..')

for (const [path, text] of outputs()) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true })
  writeFileSync(join(ROOT, path), text)
  console.log(path)
}
