import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BORDERS, undeclared, violations } from './structure/borders.ts'
import { foreignMentions, namedPaths } from './structure/documents.ts'
import { COMPUTED, scan } from './structure/scan.ts'

const ROOT = join(import.meta.dirname, '..')
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => statSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile())
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const CODE = FILES.filter((file) => /\.(?:tsx?|js)$/.test(file))
const FOLDERS = new Set(
  FILES.filter((file) => file.includes('/')).map((file) => file.slice(0, file.indexOf('/'))),
)

describe('the reader of imports', () => {
  it('finds every way to name a module, with its line', () => {
    const source = [
      "import { a } from './a.ts'",
      "import type { B } from '../b.ts'",
      "import './effect.ts'",
      "export * from './c.ts'",
      'const d = await import(`./d.ts`)',
      "const e = require('e')",
      "const f = new URL('./f.ts', import.meta.url)",
      'const g = await import(name)',
      'import {',
      '  h,',
      "} from 'h/sub'",
    ].join('\n')
    expect(scan(source).references.toSorted((x, y) => x.line - y.line)).toEqual([
      { specifier: './a.ts', line: 1 },
      { specifier: '../b.ts', line: 2 },
      { specifier: './effect.ts', line: 3 },
      { specifier: './c.ts', line: 4 },
      { specifier: './d.ts', line: 5 },
      { specifier: 'e', line: 6 },
      { specifier: './f.ts', line: 7 },
      { specifier: COMPUTED, line: 8 },
      { specifier: 'h/sub', line: 11 },
    ])
  })

  it('is not misled by comments, strings, templates and regular expressions', () => {
    const source = [
      "// import './comment.ts'",
      "/* import './block.ts'",
      '*/',
      'const text = "import \'./text.ts\'"',
      "const quote = /['\"`/]/.test(text) ? a / b : c[0] / 2 // '",
      "const page = `import './page.ts' ${a ? `${b}` : { c: '}' }.c} from './also.ts'`",
      "const list = Array.from('abc')",
      'const view = <a><b title="x" />{from} — </a>',
      "import './real.ts'",
    ].join('\n')
    expect(scan(source).references).toEqual([{ specifier: './real.ts', line: 9 }])
  })
})

describe('borders', () => {
  it.each(CODE)('%s keeps them', (file) => {
    expect(violations(file, read(file))).toEqual([])
  })

  const broken: [file: string, source: string][] = [
    ['correlate/match/x.ts', "import { hash } from 'node:crypto'"],
    ['correlate/x.ts', "import type { Log } from '../runtime/ports.ts'"],
    ['schemas/alert.ts', "import { hash } from 'node:crypto'"],
    ['schemas/matching.ts', "import { hash } from 'node:crypto'"],
    ['schemas/expression.ts', "import { readFileSync } from 'node:fs'"],
    ['schemas/ids.ts', "import { readFileSync } from 'node:fs'"],
    ['ingest/sources/zabbix.ts', "const fs = await import('node:fs')"],
    ['ingest/samples/influx.ts', "import { consume } from '../consumer.ts'"],
    ['ingest/scope.ts', "import { consume } from './consumer.ts'"],
    ['ingest/detect/limits.ts', "import { consume } from '../consumer.ts'"],
    ['notify/delivery.ts', "import { worker } from './worker.ts'"],
    ['api/app.ts', "import { KafkaLog } from '../runtime/log/kafka.ts'"],
    ['runtime/worker.ts', "export { store } from './store/redis.ts'"],
    ['analytics/report.ts', "import { app } from '../api/app.ts'"],
    ['runtime/services.ts', "import { main } from '../cli/main.ts'"],
    ['web/main.tsx', "import { summaryOf } from '../api/incident_summary.ts'"],
    ['api/server.ts', "import { live } from '../web/live/store.ts'"],
    ['notify/worker.ts', "import { fixture } from '../test/fixture.ts'"],
    ['runtime/services.ts', "if (config.mode === 'embedded') start()"],
    ['api/app.ts', 'const { listen, mode } = this.config'],
  ]
  it.each(broken)('are broken by %s when it holds %s', (file, source) => {
    expect(violations(file, source)).toHaveLength(1)
  })

  it('are each broken by some example', () => {
    const told = broken.flatMap(([file, source]) => violations(file, source)).join('\n')
    expect(BORDERS.map((border) => border.why).filter((why) => !told.includes(why))).toEqual([])
  })

  it('let the wiring and adapters through', () => {
    expect(
      violations(
        'runtime/wire.ts',
        "import { KafkaLog } from './log/kafka.ts'\nif (config.mode === 'x') y()",
      ),
    ).toEqual([])
    expect(violations('runtime/log/kafka.ts', "import { encode } from './codec.ts'")).toEqual([])
  })
})

describe('packages', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  const installed = new Set(Object.keys({ ...manifest['dependencies'], ...manifest['optionalDependencies'] }))

  it('that the product imports are installed with it', () => {
    expect(CODE.flatMap((file) => undeclared(file, read(file), installed))).toEqual([])
  })

  it('of development only are told apart', () => {
    expect(
      undeclared('api/app.ts', "import { it } from 'vitest/node'\nimport { z } from 'zod'", installed),
    ).toHaveLength(1)
  })

  it('each have a row in docs/dependencies.md, and no other has', () => {
    const declared = [...installed, ...Object.keys(manifest['devDependencies'] ?? {})]
    const rows = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|/gm)].map(
      (match) => match[1] ?? '',
    )
    expect(rows.toSorted()).toEqual(declared.toSorted())
  })

  it('are locked without the address they came from', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"')
  })
})

describe('the linter', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'tocsin-structure-'))
  const lint = (file: string): string => {
    const oxlint = join(ROOT, 'node_modules', 'oxlint', 'bin', 'oxlint')
    const { stdout, status } = spawnSync(process.execPath, [oxlint, '-f', 'unix', file], {
      cwd: scratch,
      encoding: 'utf8',
    })
    return `status ${status}\n${stdout}`
  }
  const write = (file: string, source: string): void => {
    mkdirSync(dirname(join(scratch, file)), { recursive: true })
    writeFileSync(join(scratch, file), source)
  }

  beforeAll(() => {
    for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json'])
      cpSync(join(ROOT, file), join(scratch, file))
    symlinkSync(join(ROOT, 'node_modules'), join(scratch, 'node_modules'))
  })
  afterAll(() => {
    rmSync(scratch, { recursive: true, force: true })
  })

  it.each([
    [
      'correlate/clock.ts',
      'export const at = (ms: number): string => new Date(ms).toISOString()\n',
      "'Date'",
    ],
    ['correlate/luck.ts', 'export const luck = (): number => Math.random()\n', "'Math.random'"],
    ['correlate/elapsed.ts', 'export const elapsed = (): number => performance.now()\n', "'performance'"],
    ['correlate/id.ts', 'export const id = (): string => crypto.randomUUID()\n', "'crypto'"],
    [
      'correlate/later.ts',
      'export const later = (f: () => void): unknown => setTimeout(f, 1)\n',
      "'setTimeout'",
    ],
    [
      'correlate/net.ts',
      "export const get = (): Promise<Response> => fetch('http://example.org')\n",
      "'fetch'",
    ],
    ['correlate/host.ts', 'export const pid = (): number => process.pid\n', "'process'"],
    ['schemas/now.ts', 'export const now = (): number => Date.now()\n', "'Date.now'"],
    ['notify/delivery.ts', 'export const now = (): number => Date.now()\n', "'Date.now'"],
    ['api/env.ts', "export const port = (): string | undefined => process.env['PORT']\n", 'no-process-env'],
    [
      'api/env2.ts',
      "import { env } from 'node:process'\nexport const port = (): string | undefined => env['PORT']\n",
      'no-restricted-imports',
    ],
    ['api/print.ts', "export const print = (): void => console.log('x')\n", 'no-console'],
    [
      'api/lost.ts',
      'export const lost = (f: () => Promise<void>): void => {\n  f()\n}\n',
      'no-floating-promises',
    ],
  ])('refuses %s', (file, source, named) => {
    write(file, source)
    const told = lint(file)
    expect(told).toMatch(/^status 1\n/)
    expect(told).toContain(named)
  })

  it.each([
    ['runtime/config.ts', "export const port = (): string | undefined => process.env['PORT']\n"],
    ['runtime/clock.ts', 'export const now = (): number => Date.now()\n'],
    ['cli/print.ts', "export const print = (): void => console.log('x')\n"],
  ])('accepts %s', (file, source) => {
    write(file, source)
    expect(lint(file)).toMatch(/^status 0\n/)
  })
})

describe('documents', () => {
  const documents = FILES.filter((file) => file.endsWith('.md'))

  it.each(documents)('%s names only paths that exist', (document) => {
    const missing = namedPaths(document, read(document), FOLDERS).filter(
      (path) => !existsSync(join(ROOT, path)),
    )
    expect(missing).toEqual([])
  })

  it('are read for links and for paths in code spans', () => {
    const text =
      'See [the flow](../ARCHITECTURE.md#flow), [home](https://example.org), `correlate/decide.ts`, `text/plain`.'
    expect(namedPaths('docs/x.md', text, new Set(['correlate']))).toEqual([
      'ARCHITECTURE.md',
      'correlate/decide.ts',
    ])
  })
})

describe('the repository', () => {
  it('names no path of one machine and no package registry', () => {
    const binary = /\.(?:png|jpe?g|ico|gz|zst|woff2?)$/
    expect(
      FILES.filter((file) => !binary.test(file)).flatMap((file) => foreignMentions(file, read(file))),
    ).toEqual([])
  })

  it('would be told if it did', () => {
    const path = ['', 'home', 'somebody', 'tocsin'].join('/')
    const host = ['registry', 'npmjs', 'org'].join('.')
    expect(foreignMentions('x.md', `cd ${path}\nfrom https://${host}/zod`)).toHaveLength(2)
  })
})
