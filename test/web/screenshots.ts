/**
 * `npm run screenshots`: pictures of every page after the demo, in both languages and themes, wide and narrow, into the folder
 * screenshots/, which is not committed.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { exec, Tocsin } from '../installation/processes.ts'
import { browser as launchBrowser } from '../services/browser.ts'
import type { Look } from './console.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const FOLDER = join(ROOT, 'screenshots')
/** So fast that the story takes some seconds. */
const SPEED = '200'

const LOOKS: Readonly<Record<string, Look>> = {
  'wide-light': { width: 1440, height: 900 },
  'wide-dark': { width: 1440, height: 900, dark: true },
  narrow: { width: 390, height: 844 },
}
const LANGUAGES = ['en', 'zh-CN'] as const

async function tellTheStory(tocsin: Tocsin): Promise<string> {
  const main = join(ROOT, 'cli', 'main.ts')
  await exec(process.execPath, [main, 'demo', '--url', tocsin.url, '--speed', SPEED])
  await tocsin.post('/api/v1/silences', {
    matchers: ['alertname="KubeJobFailed"', 'service="invoice-export"'],
    duration_ms: 7_200_000,
    comment: 'finance looks at it in the morning',
  })
  const incidents = await tocsin.incidents()
  return incidents.toSorted((a, b) => b.members_total - a.members_total)[0]?.id ?? ''
}

async function shoot(
  browser: Browser,
  tocsin: Tocsin,
  pages: Readonly<Record<string, string>>,
): Promise<number> {
  let taken = 0
  for (const language of LANGUAGES) {
    for (const [look, { width = 0, height = 0, dark = false }] of Object.entries(LOOKS)) {
      const context = await browser.newContext({
        viewport: { width, height },
        locale: language,
        colorScheme: dark ? 'dark' : 'light',
      })
      const page = await context.newPage()
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(tocsin.url + path, { waitUntil: 'load' })
        await page.locator('.pill[data-state=live]').waitFor()
        await page.locator('main h1, main h2').first().waitFor({ state: 'attached' })
        // What a page asks for comes within moments; the stream stays open, so that the network never rests.
        await page.waitForTimeout(700)
        await page.screenshot({ path: join(FOLDER, `${name}-${language}-${look}.png`) })
        taken++
      }
      await context.close()
    }
  }
  return taken
}

await rm(FOLDER, { recursive: true, force: true })
await mkdir(FOLDER, { recursive: true })
const browser = await launchBrowser()
const tocsin = await Tocsin.start()
try {
  const id = await tellTheStory(tocsin)
  const taken = await shoot(browser, tocsin, {
    incidents: '/',
    incident: `/incidents/${id}`,
    analytics: '/analytics',
    alarms: '/alarms',
    sources: '/sources',
    silences: '/rules',
    grouping: '/rules/grouping',
  })
  process.stdout.write(`${taken} pictures in screenshots/\n`)
} finally {
  await browser.close()
  await tocsin.remove()
}
