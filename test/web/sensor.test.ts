import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Tocsin, until } from '../installation/processes.ts'
import { browser as launchBrowser } from '../services/browser.ts'
import { describeWith } from '../services/index.ts'
import { accessibilityFaults, expectNoSidewaysScroll, Looks } from './console.ts'

const CONFIG = `
history: {enabled: false}
sources: [{name: plant, kind: http, format: prometheus-json}]
rules:
  suppression: [{name: behind-a-switch, source: ['alertname="SwitchDown"'], target: ['alertname="Unreachable"'], equal: [rack]}]
detectors:
  - {name: hot, match: ['metric="temperature"'], detector: limits, options: {high: 80, deadband: 2}, severity: high}
`
const MINUTE_MS = 60_000

await describeWith(launchBrowser, 'the readings behind an alert', (browser: Browser) => {
  let tocsin: Tocsin
  let id: string
  const looks = new Looks(browser)
  beforeAll(async () => {
    tocsin = await Tocsin.start({ config: CONFIG })
    const began_ms = Date.now() - 60 * MINUTE_MS
    // Ten minutes in the middle nobody measured.
    const minutes = Array.from({ length: 60 }, (_, i) => i).filter((i) => i < 30 || i >= 40)
    const samples = minutes.map((i) => ({
      timestamp: new Date(began_ms + i * MINUTE_MS).toISOString(),
      value: String(i < 50 ? 60 + (i % 5) : 84),
      name: 'temperature',
      labels: { equipment: 'acme/boiler', unit: '°C' },
    }))
    const sent = await tocsin.post('/api/v1/sources/plant', samples)
    if (!sent.ok) throw new Error(await sent.text())
    const incident = await until('there is an incident', async () => (await tocsin.incidents())[0] ?? null)
    id = incident.id
    await until('its readings are kept', async () => {
      const { fingerprint } = incident.members[0] ?? {}
      return (await fetch(`${tocsin.url}/api/v1/series/evidence?fingerprint=${fingerprint}`)).ok
    })
  })
  afterEach(() => looks.close())
  afterAll(async () => {
    await browser.close()
    await tocsin.remove()
  })

  it('are drawn with the limit on the page of the incident, and told in words and numbers', async () => {
    const page = await looks.open(`${tocsin.url}/incidents/${id}`)
    const section = page.getByRole('region', { name: 'Sensor' })
    await section.locator('canvas').waitFor()
    expect(await section.locator('.sensor-head').textContent()).toMatch(
      /^temperature 84 °C when it was raised at .+ · limit 80 °C · it still holds/,
    )
    expect(await accessibilityFaults(page)).toEqual([])
    await section.getByRole('button', { name: 'Table' }).click()
    await section.getByRole('cell', { name: '84 °C' }).first().waitFor()
  })

  it('are watched by detectors that the page of rules lists, beside what is suppressed', async () => {
    const page = await looks.open(`${tocsin.url}/rules/detectors`)
    const row = page.getByRole('row', { name: /^hot/ })
    await row.waitFor()
    expect(await row.textContent()).toBe('hotlimits11temperature · acme/boiler')
    await page.getByRole('link', { name: 'Suppression' }).click()
    await page.getByRole('row', { name: /behind-a-switch.*alertname="SwitchDown"/ }).waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
  })

  it('are drawn beside the alarm as well, on a phone', async () => {
    const page = await looks.open(`${tocsin.url}/alarms`, {
      width: 390,
      height: 844,
      dark: true,
      touch: true,
    })
    await page.getByRole('button', { name: /^Details of/ }).click()
    await page.locator('.sensor canvas').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await expectNoSidewaysScroll(page)
  })
})
