/** Builds dist/ for publishing: compiled sources, their types, and the files that the sources read while running. */
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
const DIST = join(ROOT, 'dist')
const CODE = ['schemas', 'ingest', 'correlate', 'notify', 'analytics', 'runtime', 'api', 'cli']

/** The compiler rewrites import statements only; a worker named by its URL keeps `.ts`, which does not exist in dist/. */
const TS_URL = /new URL\((['"])(\.{1,2}\/[^'"]+)\.ts\1,\s*import\.meta\.url\)/g

function compile(): void {
  execFileSync(
    process.execPath,
    [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
    {
      cwd: ROOT,
      stdio: 'inherit',
    },
  )
}

function rewriteUrls(): void {
  for (const file of globSync('**/*.js', { cwd: DIST })) {
    const path = join(DIST, file)
    const before = readFileSync(path, 'utf8')
    const after = before.replaceAll(TS_URL, 'new URL($1$2.js$1, import.meta.url)')
    if (after !== before) writeFileSync(path, after)
  }
}

function copyAssets(): void {
  const assets = globSync([...CODE.map((folder) => `${folder}/**/*.*`), 'web/built/**/*.*'], {
    cwd: ROOT,
    withFileTypes: true,
  })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .filter((file) => file.startsWith('web/') || !file.endsWith('.ts'))
  for (const file of [...assets, 'package.json']) cpSync(join(ROOT, file), join(DIST, file))
}

rmSync(DIST, { recursive: true, force: true })
compile()
rewriteUrls()
copyAssets()
