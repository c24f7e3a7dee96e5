/** A real browser of this machine: Chromium, driven by playwright-core. TOCSIN_TEST_BROWSER=/path/of/a/chromium */
import { type Browser, chromium } from 'playwright-core'
import { spawnSync } from 'node:child_process'
import { Unavailable } from './runner.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

function installed(): string | undefined {
  const given = process.env['TOCSIN_TEST_BROWSER']
  if (given !== undefined) return given
  for (const name of NAMES) {
    const { stdout, status } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8' })
    if (status === 0) return stdout.trim()
  }
  return undefined
}

/** Throws Unavailable. Whoever asks for it closes it. */
export function browser(): Promise<Browser> {
  const executablePath = installed()
  if (executablePath === undefined)
    throw new Unavailable('no Chromium: apt-get install chromium fonts-noto-cjk')
  return chromium.launch({
    executablePath,
    // Root may not use the sandbox, and no request may leave the machine.
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
}
