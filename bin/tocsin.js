#!/usr/bin/env node
// Starts Tocsin. Plain JavaScript that old versions of Node can still parse, so that they get an answer
// that helps instead of a syntax error.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_MAJOR_MIN = 24

/** Sources before the build: a checkout has both and its build may be stale; the published package has only the build. */
function entry() {
  const source = new URL('../cli/main.ts', import.meta.url)
  return existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url)
}

/** The binary of the npm package `node`, or undefined if it is absent or too old itself. */
function packagedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json')
    if (Number.parseInt(JSON.parse(readFileSync(manifest, 'utf8')).version, 10) < NODE_MAJOR_MIN)
      return undefined
    const binary = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(binary) ? binary : undefined
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return undefined
    throw error
  }
}

/** Runs this same file under another Node; signals go through, and its end becomes ours. */
function runUnder(binary) {
  const child = spawn(binary, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

function refuse() {
  process.stderr.write(
    `tocsin: needs Node.js ${NODE_MAJOR_MIN} or newer, this is ${process.version}; install it, or run "npm install node@${NODE_MAJOR_MIN}" beside tocsin and try again\n` +
      `tocsin：需要 Node.js ${NODE_MAJOR_MIN} 或更高版本，当前为 ${process.version}；请升级，或在 tocsin 所在目录运行 "npm install node@${NODE_MAJOR_MIN}" 后重试\n`,
  )
  process.exit(2)
}

if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) {
  await import(entry().href)
} else {
  const binary = packagedNode()
  if (binary === undefined) refuse()
  else runUnder(binary)
}
