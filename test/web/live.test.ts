import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Tocsin } from '../installation/processes.ts'
import { browser as launchBrowser } from '../services/browser.ts'
import { describeWith } from '../services/index.ts'
import { apart, Looks, send, startTocsin } from './console.ts'

await describeWith(launchBrowser, 'a console that stays open', (browser: Browser) => {
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
  const look = (path: string) => looks.open(tocsin.url + path)

  it('says when what it shows is old, and comes back by itself without a lost change', async () => {
    await send(tocsin, apart(['BeforeTheBreak']))
    const page = await look('/incidents?panel=none')
    await page.getByText('Live', { exact: true }).waitFor()
    await tocsin.stop()
    await page.getByRole('button', { name: /^Stale since \d\d:\d\d:\d\d$/ }).waitFor()
    expect(await page.getByRole('row', { name: /BeforeTheBreak/ }).count()).toBe(1)
    await tocsin.start()
    await send(tocsin, apart(['AfterTheBreak']))
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByRole('row', { name: /AfterTheBreak/ }).waitFor()
  })

  it('shows in one browser at once what was done in another', async () => {
    const [incident] = await send(tocsin, apart(['Together']))
    const path = `/incidents/${incident?.id ?? ''}`
    const [one, other] = [await look(path), await look(path)]
    await one.getByRole('button', { name: 'Acknowledge' }).waitFor()
    await other.getByRole('button', { name: 'Acknowledge' }).click()
    await one
      .getByRole('listitem')
      .filter({ hasText: 'acknowledged' })
      .and(one.locator('[aria-current=step]'))
      .waitFor()
    await one.getByRole('textbox', { name: 'Add a comment' }).fill('I look at the disk')
    await one.getByRole('textbox', { name: 'Add a comment' }).press('Enter')
    await other.locator('.entry-text', { hasText: 'I look at the disk' }).waitFor()
    expect(await one.getByRole('button', { name: 'Acknowledge' }).count()).toBe(0)
  })

  it('does not lose a command whose answer got lost, and carries it out once', async () => {
    const [incident] = await send(tocsin, apart(['Unanswered']))
    const page = await look(`/incidents/${incident?.id ?? ''}`)
    const keys: (string | undefined)[] = []
    await page.route('**/commands?*', async (route) => {
      keys.push(route.request().headers()['idempotency-key'])
      if (keys.length > 1) return route.continue()
      await route.fetch()
      await route.abort()
    })
    await page.getByRole('textbox', { name: 'Add a comment' }).fill('only once')
    await page.getByRole('textbox', { name: 'Add a comment' }).press('Enter')
    await page.getByRole('button', { name: 'Retry' }).click()
    await expect.poll(() => keys.length).toBe(2)
    await page.getByRole('button', { name: 'Retry' }).waitFor({ state: 'detached' })
    expect(keys[1]).toBe(keys[0])
    await page.locator('.entry-text', { hasText: 'only once' }).waitFor()
    expect(await page.locator('.entry-text', { hasText: 'only once' }).count()).toBe(1)
  })

  it('opens where a link leads, in the time zone of the link', async () => {
    const [incident] = await send(tocsin, apart(['Linked']))
    const page = await look(`/incidents/${incident?.id ?? ''}?tz=Asia/Tokyo`)
    await page.getByRole('heading', { level: 1, name: /Linked/ }).waitFor()
    const title = await page.locator('.stepper time').first().getAttribute('title')
    expect(title).toContain('GMT+09:00')
    await page.goto(`${tocsin.url}/incidents/inc_unknown`)
    await page.getByRole('heading', { name: 'This incident is not kept here' }).waitFor()
    await page.goto(
      `${tocsin.url}/incidents?severity=medium&q=Linked&sort=opened&panel=${incident?.id ?? ''}`,
    )
    await page.getByRole('complementary', { name: /Linked/ }).waitFor()
    expect(await page.getByText('2 filters').count()).toBe(1)
  })
})
