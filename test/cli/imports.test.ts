import { execFileSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** These run when they are imported. */
const PROGRAMS = new Set(['cli/main.ts', 'runtime/clickhouse_server.ts'])

describe('the sources', () => {
  it('are found by plain Node, which is stricter about imports than the tests’ own loader', () => {
    const files = globSync('{schemas,correlate,ingest,notify,analytics,runtime,api,cli}/**/*.ts', {
      cwd: ROOT,
    }).filter((file) => !file.endsWith('.d.ts') && !PROGRAMS.has(file))
    expect(files.length).toBeGreaterThan(80)
    const script = `for (const file of ${JSON.stringify(files)}) await import('./' + file); process.exit(0)`
    expect(() =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        cwd: ROOT,
        encoding: 'utf8',
        stdio: 'pipe',
      }),
    ).not.toThrow()
  })
})
