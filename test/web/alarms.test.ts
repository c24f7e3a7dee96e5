import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Tocsin } from '../installation/processes.ts'
import { browser as launchBrowser } from '../services/browser.ts'
import { describeWith } from '../services/index.ts'
import {
  accessibilityFaults,
  expectNoSidewaysScroll,
  type Look,
  Looks,
  send,
  startTocsin,
} from './console.ts'

const NAMES = ['tank-1', 'tank-2', 'tank-3', 'tank-4', 'tank-5']
/** Only ends a test that would never pass. */
const PATIENCE = { timeout: 15_000 }

await describeWith(launchBrowser, 'the alarms of a plant', (browser: Browser) => {
  let tocsin: Tocsin
  const looks = new Looks(browser)
  beforeAll(async () => {
    tocsin = await startTocsin()
    await send(
      tocsin,
      NAMES.map((instance, i) => ({
        labels: {
          alertname: `LevelHigh-${instance}`,
          instance,
          cluster: instance,
          severity: i === 0 ? 'critical' : 'warning',
        },
        annotations: { summary: 'the level is too high', value: '93.5', limit: '90', unit: '%' },
      })),
    )
  })
  afterEach(() => looks.close())
  afterAll(async () => {
    await browser.close()
    await tocsin.remove()
  })

  const look = (query: string, how: Look = {}) => looks.open(`${tocsin.url}/alarms${query}`, how)
  const states = () => '.alarm-row abbr'

  it('tells state, value against its limit, and is accessible', async () => {
    const page = await look('?q=tank-1')
    const row = page.locator('.alarm-row')
    await row.waitFor()
    expect(await row.textContent()).toMatch(
      /UNACKcriticaltank-1LevelHigh-tank-1 the level is too high93\.5 · 90 %/,
    )
    await page.getByRole('button', { name: 'Details of tank-1' }).click()
    await page.getByRole('link', { name: 'Its incident' }).waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await expectNoSidewaysScroll(page)
  })

  it('is worked through by keyboard: acknowledged, shelved with a reason, and back', async () => {
    const page = await look('?q=tank-2')
    await page.locator('.alarm-row').waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('a')
    await expect.poll(() => page.locator(states()).textContent(), PATIENCE).toBe('ACKED')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Shelve…' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Shelve tank-2' }).waitFor()
    await page.keyboard.type('spare part on its way')
    await page.keyboard.press('Enter')
    await page.getByText('No alarm matches the filter.').waitFor()
    await page.getByRole('link', { name: /^Shelved 1/ }).click()
    await expect.poll(() => page.locator(states()).allTextContents(), PATIENCE).toEqual(['SHLVD'])
    await page.getByRole('button', { name: 'Details of tank-2' }).click()
    await page.getByRole('button', { name: 'Unshelve' }).click()
    await expect.poll(() => page.locator('.alarm-row').count(), PATIENCE).toBe(0)
  })

  it('takes one out of service and back, and acknowledges all that are shown', async () => {
    const page = await look('?q=tank-3')
    await page.getByRole('button', { name: 'Details of tank-3' }).click()
    await page.getByRole('button', { name: 'Take out of service…' }).click()
    await page.getByRole('textbox', { name: 'Reason' }).fill('new gauge')
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: /^Out of service 1/ }).click()
    await page.getByRole('button', { name: 'Details of tank-3' }).click()
    await page.getByRole('button', { name: 'Return to service' }).click()
    await page.goto(`${tocsin.url}/alarms?view=unacked`)
    const all = page.getByRole('button', { name: /^Acknowledge all shown \(4\)/ })
    await all.click()
    await page.getByText('4 acknowledged.').first().waitFor()
    await page.getByText('No alarm here.').waitFor()
    expect((await tocsin.incidents()).map(({ state }) => state)).not.toContain('open')
  })

  it('is accessible in Chinese and the dark, as narrow as it gets', async () => {
    const page = await look('', { width: 320, height: 640, dark: true, language: 'zh-CN', touch: true })
    await page.locator('.alarm-row').first().waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await expectNoSidewaysScroll(page)
  })
})
