/**
 * Builds the console from web/ into web/built/, which the server reads. Does nothing when it was built from the same sources
 * already, and only says so when the tools of development are not installed.
 */
import { hash } from 'node:crypto'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
const BUILT = join(ROOT, 'web', 'built')
const STAMP = join(BUILT, 'sources.sha256')
/** Everything that the built files follow from. */
const SOURCES = ['web/**/*.*', 'schemas/*.ts', 'deploy/console/*.ts', 'package-lock.json', 'tsconfig.json']

function digestOfSources(): string {
  const files = globSync(SOURCES, { cwd: ROOT, exclude: (name) => name === 'built' }).sort()
  const digests = files.map((file) => `${file} ${hash('sha256', readFileSync(join(ROOT, file)))}`)
  return hash('sha256', digests.join('\n'))
}

async function build(digest: string): Promise<void> {
  const { build: bundle } = await import('vite')
  await bundle({
    root: join(ROOT, 'web'),
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: {
      outDir: BUILT,
      emptyOutDir: true,
      target: 'es2022',
      // A data: address is not allowed by the content security policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      // The budget of sizes is kept by bench console; "use client" means nothing here.
      chunkSizeWarningLimit: Number.POSITIVE_INFINITY,
      rolldownOptions: { checks: { moduleLevelDirective: false } },
    },
    worker: { format: 'es' },
  })
  writeFileSync(STAMP, `${digest}\n`)
}

function isInstalled(name: string): boolean {
  return existsSync(join(ROOT, 'node_modules', name, 'package.json'))
}

const digest = digestOfSources()
const is_current = existsSync(STAMP) && readFileSync(STAMP, 'utf8').trim() === digest
if (!is_current && isInstalled('vite')) await build(digest)
else if (!is_current) console.error('the console is not built: packages of development are not installed')
