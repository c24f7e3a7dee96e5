import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Tocsin } from '../installation/processes.ts'
import { browser as launchBrowser } from '../services/browser.ts'
import { describeWith } from '../services/index.ts'
import {
  accessibilityFaults,
  apart,
  expectNoSidewaysScroll,
  type Look,
  Looks,
  send,
  startTocsin,
} from './console.ts'

await describeWith(launchBrowser, 'the other pages', (browser: Browser) => {
  let tocsin: Tocsin
  let id: string
  const looks = new Looks(browser)
  beforeAll(async () => {
    tocsin = await startTocsin()
    const shop = (alertname: string, instance: string) => ({
      labels: { alertname, instance, cluster: 'shop', severity: 'critical', service: 'checkout' },
    })
    const incidents = await send(tocsin, [
      shop('DiskFull', 'db-1'),
      shop('HighLatency', 'web-1'),
      shop('HighErrorRate', 'web-2'),
    ])
    id = incidents[0]?.id ?? ''
    await tocsin.post('/api/v1/silences', {
      matchers: ['cluster="elsewhere"'],
      duration_ms: 3_600_000,
      comment: 'moving house',
    })
  })
  afterEach(() => looks.close())
  afterAll(async () => {
    await browser.close()
    await tocsin.remove()
  })
  const look = (path: string, how: Look = {}) => looks.open(tocsin.url + path, how)

  const PAGES = [
    ['an incident', () => `/incidents/${id}`, { en: 'Why grouped', 'zh-CN': '为何归为一组' }],
    ['sources', () => '/sources', { en: 'Try a message', 'zh-CN': '试发消息' }],
    ['silences', () => '/rules', { en: 'moving house', 'zh-CN': 'moving house' }],
    ['grouping', () => '/rules/grouping', { en: 'By evidence', 'zh-CN': '依据证据' }],
  ] as const

  it.each(PAGES)(
    '%s: accessible in both languages and themes, without sideways scroll',
    async (_name, path, words) => {
      const looks_at: Look[] = [
        { language: 'en' },
        { language: 'zh-CN', dark: true, width: 320, height: 640 },
      ]
      for (const how of looks_at) {
        const page = await look(path(), how)
        await page
          .getByText(words[how.language ?? 'en'])
          .first()
          .waitFor()
        expect(await accessibilityFaults(page)).toEqual([])
        await expectNoSidewaysScroll(page)
      }
    },
  )

  it('are reached by keys, and every key is in the help', async () => {
    const page = await look('/incidents')
    await page.getByRole('row', { name: /DiskFull/ }).waitFor()
    for (const [key, name] of [
      ['s', 'Sources'],
      ['r', 'Rules'],
      ['i', 'Incidents'],
    ] as const) {
      await page.keyboard.press('g')
      await page.keyboard.press(key)
      await page.getByRole('link', { name, exact: true }).and(page.locator('[aria-current=page]')).waitFor()
    }
    await page.keyboard.press('?')
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    await help.waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    const keys = await help.locator('kbd').allTextContents()
    for (const key of ['j', 'k', 'x', '*', 'a', 'i', 'r', 's', 'm', 'c', '/', '[', ']', '.', '?'])
      expect(keys).toContain(key)
    await page.keyboard.press('Escape')
    await help.waitFor({ state: 'detached' })
  })

  it('a silence shows whom it mutes before it is made, and can be taken back', async () => {
    const page = await look('/rules')
    await page.getByRole('button', { name: 'New silence' }).click()
    await page.keyboard.type('instance=~"web-.*"')
    await page.getByText('Matches 2 of 3 alerts that fire now.').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await page.getByLabel('Reason').fill('web is being moved')
    await page.keyboard.press('Enter')
    const row = page.getByRole('row', { name: /web is being moved/ })
    await row.waitFor()
    await row.getByRole('cell', { name: '2', exact: true }).waitFor()
    await row.getByRole('button', { name: 'End now' }).click()
    await row.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'New silence' }).click()
    await page.keyboard.type('instance=~"("')
    await page
      .getByText(/invalid label matcher|matchers/i)
      .last()
      .waitFor()
    expect(await page.getByText('web is being moved').count()).toBe(0)
  })

  it('a message is tried, and nothing is taken', async () => {
    const page = await look('/sources')
    await page
      .getByLabel('Message')
      .fill('[{"labels":{"alertname":"Tried","severity":"critical"}},{"labels":{}}]')
    await page.getByRole('button', { name: 'Try it' }).click()
    await page.getByText('1 taken, 1 rejected, 0 left out').waitFor()
    expect((await tocsin.incidents()).some(({ title }) => title.includes('Tried'))).toBe(false)
  })

  it('an incident: alerts are split off, and the way why they were together is told', async () => {
    const page = await look(`/incidents/${id}`)
    await page.getByText('Why is it here?').first().click()
    await page.getByRole('checkbox', { name: /Select HighLatency/ }).check()
    await page.getByRole('button', { name: 'Split off 1 alert' }).click()
    await page.getByText('Split off into an incident of its own.').first().waitFor()
    await expect.poll(async () => (await tocsin.incidents()).length).toBe(2)
  })

  it('settings: the theme is forced and the keys rest, also after the page is loaded again', async () => {
    await send(tocsin, apart(['Settled']))
    const page = await look('/incidents')
    await page.getByRole('row', { name: /Settled/ }).waitFor()
    await page.getByRole('button', { name: 'Settings' }).click()
    await page.getByRole('radio', { name: 'dark' }).check()
    await page.getByRole('checkbox', { name: 'Shortcuts of single keys' }).uncheck()
    expect(await accessibilityFaults(page)).toEqual([])
    await page.reload()
    await page.getByRole('row', { name: /Settled/ }).waitFor()
    expect(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')).toBe(
      'rgb(20, 23, 26)',
    )
    await page.keyboard.press('?')
    expect(await page.getByRole('dialog').count()).toBe(0)
  })
})
