import { hash } from 'node:crypto'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Tocsin } from '../installation/processes.ts'
import { browser as launchBrowser } from '../services/browser.ts'
import { describeWith } from '../services/index.ts'
import { accessibilityFaults, Looks } from './console.ts'

const SECRETS = { viewer: 'secret-of-ann', responder: 'secret-of-bob', admin: 'secret-of-cyd' } as const
const TOKENS = Object.entries(SECRETS)
  .map(
    ([role, secret]) => `    - {name: the-${role}, role: ${role}, sha256: ${hash('sha256', secret, 'hex')}}`,
  )
  .join('\n')

await describeWith(launchBrowser, 'a console that needs a login', (browser: Browser) => {
  let tocsin: Tocsin
  const looks = new Looks(browser)
  beforeAll(async () => {
    tocsin = await Tocsin.start({ config: `history: {enabled: false}\napi:\n  tokens:\n${TOKENS}\n` })
    const response = await fetch(`${tocsin.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${SECRETS.admin}` },
      body: JSON.stringify([{ labels: { alertname: 'DiskFull', instance: 'db-1', severity: 'critical' } }]),
    })
    if (response.status !== 200) throw new Error(await response.text())
  })
  afterEach(() => looks.close())
  afterAll(async () => {
    await browser.close()
    await tocsin.remove()
  })

  const logIn = async (path: string, secret: string) => {
    const page = await looks.open(tocsin.url + path)
    await page.getByRole('dialog', { name: 'This installation needs a token' }).waitFor()
    await page.keyboard.type(secret)
    await page.keyboard.press('Enter')
    return page
  }

  it('refuses a token that nobody has, and shows everything after a right one, whose secret no script can read', async () => {
    const page = await logIn('/incidents', 'a-guess')
    await page.getByText('This token is not known.').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await page.getByRole('textbox', { name: 'Token' }).fill(SECRETS.responder)
    await page.keyboard.press('Enter')
    await page.getByRole('row', { name: /DiskFull/ }).waitFor()
    expect(await page.evaluate<string>('document.cookie')).toBe('')
    await page.reload()
    await page.getByRole('row', { name: /DiskFull/ }).waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
  })

  it('lets a responder act, in the name of the token', async () => {
    const page = await logIn('/incidents', SECRETS.responder)
    await page.getByRole('row', { name: /DiskFull/ }).waitFor()
    await page.keyboard.press('a')
    await page.getByRole('gridcell', { name: 'the-responder' }).waitFor()
    const state = page.locator('.table-body .state-word')
    await state.waitFor()
    expect(await state.textContent()).toBe('acknowledged')
  })

  it('shows a viewer what there is to do, disabled, and why', async () => {
    const page = await logIn('/incidents', SECRETS.viewer)
    await page.getByRole('row', { name: /DiskFull/ }).waitFor()
    await page.keyboard.press('*')
    const resolve = page.getByRole('toolbar', { name: '1 selected' }).getByRole('button', { name: 'Resolve' })
    expect(await resolve.getAttribute('aria-disabled')).toBe('true')
    expect(await resolve.getAttribute('title')).toBe('This needs the role responder.')
    await page.keyboard.press('r')
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  it('ends when somebody logs out', async () => {
    const page = await logIn('/incidents', SECRETS.viewer)
    await page.getByRole('row', { name: /DiskFull/ }).waitFor()
    await page.getByRole('button', { name: 'Settings' }).click()
    await page.getByText('Logged in as the-viewer (viewer).').waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('dialog', { name: 'This installation needs a token' }).waitFor()
    expect((await page.context().cookies()).length).toBe(0)
  })
})
