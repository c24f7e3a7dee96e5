import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Browser } from 'playwright-core'
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

await describeWith(launchBrowser, 'the list of incidents', (browser: Browser) => {
  let tocsin: Tocsin
  const looks = new Looks(browser)
  beforeAll(async () => {
    tocsin = await startTocsin()
  })
  afterEach(() => looks.close())
  afterAll(async () => {
    await browser.close()
    await tocsin.remove()
  })

  const look = (path: string, how: Look = {}) => looks.open(tocsin.url + path, how)
  const idOf = async (title: string) =>
    (await tocsin.incidents()).find((incident) => incident.title.startsWith(title))?.id ?? ''
  const stateOf = async (title: string) =>
    (await tocsin.incidents()).find((incident) => incident.title.startsWith(title))?.state

  it('waits for the first alert, with a command that sends one, and shows it without being asked', async () => {
    const page = await look('/')
    await page.getByRole('heading', { name: 'Waiting for the first alert' }).waitFor()
    expect(await page.locator('pre').textContent()).toContain(`${tocsin.url}/api/v2/alerts`)
    expect(await accessibilityFaults(page)).toEqual([])
    await send(tocsin, apart(['Arrives'], 'critical'))
    await page.getByRole('row', { name: /Arrives/ }).waitFor()
    await page.getByRole('button', { name: '1 critical' }).waitFor()
  })

  it('is worked through by keyboard alone', async () => {
    await send(tocsin, apart(['KeysOne', 'KeysTwo']))
    const page = await look('/incidents?q=Keys&sort=opened')
    await page.getByRole('row', { name: /KeysOne/ }).waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    await page.keyboard.press('a')
    await page.getByText('Acknowledged.', { exact: true }).first().waitFor()
    await page.keyboard.press('*')
    await page.getByRole('toolbar', { name: '2 selected' }).waitFor()
    await page.keyboard.press('r')
    await page.getByRole('dialog', { name: 'Resolve' }).waitFor()
    await page.keyboard.type('done by keys')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByText('2 resolved.').first().waitFor()
    expect([await stateOf('KeysOne'), await stateOf('KeysTwo')]).toEqual(['resolved', 'resolved'])
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect.poll(() => stateOf('KeysTwo')).toBe('open')
  })

  it('does not move under a hand: what is new waits, and a new critical one is named at once', async () => {
    await send(tocsin, apart(['StillA', 'StillB']))
    const page = await look('/incidents?q=Still&sort=opened&panel=none')
    await page.getByRole('row', { name: /StillA/ }).waitFor()
    await page.getByRole('grid').focus()
    const order = () => page.locator('.table-body .incident-title').allTextContents()
    const before = await order()
    await send(tocsin, apart(['StillC'], 'critical'))
    await page.getByRole('button', { name: /^1 new/ }).waitFor()
    expect(await order()).toEqual(before)
    await page.locator('.new-critical', { hasText: 'StillC' }).waitFor()
    await page.keyboard.press('.')
    await page.getByRole('row', { name: /StillC/ }).waitFor()
    expect((await order())[0]).toContain('StillC')
  })

  it('tells of a bulk action item by item what came of it', async () => {
    await send(tocsin, apart(['BulkOne', 'BulkTwo']))
    await tocsin.post(`/api/v1/incidents/${await idOf('BulkOne')}/commands`, { kind: 'acknowledge' })
    const page = await look('/incidents?q=Bulk')
    await page.getByRole('row', { name: /BulkOne/ }).waitFor()
    await page.getByRole('checkbox', { name: 'Select all that match' }).check()
    await page
      .getByRole('toolbar', { name: '2 selected' })
      .getByRole('button', { name: 'Acknowledge' })
      .click()
    await page.getByText('Acknowledged. 1 not done').first().waitFor()
    const told = await page.locator('.notice li').allTextContents()
    expect(told).toEqual([expect.stringMatching(/^BulkOne.*not possible while the incident is acknowledged/)])
  })

  it('says which filter hides how many', async () => {
    await send(tocsin, apart(['Hidden']))
    const page = await look('/incidents?q=Hidden&severity=critical')
    await page.getByText('Severity critical hides 1').waitFor()
    await page.getByRole('button', { name: 'Clear all filters' }).click()
    await page.getByRole('row', { name: /Hidden/ }).waitFor()
    expect(new URL(page.url()).search).toBe('')
  })

  it('is where it was after a way back', async () => {
    await send(tocsin, apart(['BackAgain']))
    const page = await look('/incidents?q=BackAgain&panel=none')
    await page.getByRole('row', { name: /BackAgain/ }).waitFor()
    await page.getByRole('link', { name: /BackAgain/ }).click()
    await page.getByRole('heading', { level: 1, name: /BackAgain/ }).waitFor()
    await page.goBack()
    await page.getByRole('row', { name: /BackAgain/ }).waitFor()
    expect(await page.getByRole('searchbox', { name: 'Filter' }).inputValue()).toBe('BackAgain')
  })

  it.each<[string, Look, string]>([
    ['English, light', { width: 1440 }, 'critical'],
    ['Chinese, dark', { width: 1440, dark: true, language: 'zh-CN', zone: 'Asia/Shanghai' }, '紧急'],
    ['English, narrow, dark', { width: 360, height: 740, dark: true, touch: true }, 'critical'],
    ['Chinese, as narrow as it gets', { width: 320, height: 256, language: 'zh-CN' }, '紧急'],
  ])('is accessible and needs no sideways scroll: %s', async (_name, how, word) => {
    await send(tocsin, apart(['Looked'], 'critical'))
    const page = await look('/incidents?q=Looked', how)
    await page.getByRole('row', { name: /Looked/ }).waitFor()
    await page.getByText(word, { exact: true }).first().waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await expectNoSidewaysScroll(page)
  })

  it('shows what an alert says as text, whatever it says', async () => {
    const hostile = '<img src=x onerror="document.title=1">${7*7}{{7*7}}\u202e</script><b>'
    await send(tocsin, [
      {
        labels: {
          alertname: `Hostile${hostile}`,
          instance: hostile,
          cluster: hostile,
          service: 'javascript:alert(1)',
          severity: 'critical',
        },
        annotations: { summary: hostile },
      },
    ])
    const id = await idOf('Hostile')
    await tocsin.post(`/api/v1/incidents/${id}/commands`, { kind: 'comment', comment: hostile })
    await tocsin.post(`/api/v1/incidents/${id}/commands`, { kind: 'assign', assignee: hostile })
    await tocsin.post(`/api/v1/incidents/${id}/commands`, {
      kind: 'link-ticket',
      ticket: { sink: hostile, external_id: hostile, url: 'javascript:alert(1)' },
    })
    const page = await look('/incidents?q=Hostile')
    await page.getByRole('row', { name: /Hostile/ }).waitFor()
    await page.goto(`${tocsin.url}/incidents/${id}`)
    await page.getByRole('heading', { level: 1, name: /Hostile/ }).waitFor()
    expect(await page.locator('img, a[href^="javascript"]').count()).toBe(0)
    expect(await page.title()).toContain('Hostile<img')
    await page.locator('.entry-text', { hasText: '<img src=x' }).first().waitFor()
  })
})
