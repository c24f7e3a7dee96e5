import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { History } from '../../analytics/connection.ts'
import { TruthWriter } from '../../bench/analytics/rows_of_truth.ts'
import { trueIncidents } from '../../bench/analytics/truth.ts'
import { metricAnswer } from '../../schemas/analytics_answer.ts'
import { openHistory } from '../analytics/place.ts'
import { startWorld, type World } from '../api/world.ts'
import { browser as launchBrowser } from '../services/browser.ts'
import { type ClickHouseAddress, clickhouse, describeWith } from '../services/index.ts'
import { accessibilityFaults, expectNoSidewaysScroll, type Look, Looks } from './console.ts'

/** October 2026 in Berlin has an hour twice. */
const TO_MS = Date.UTC(2026, 10, 1)
const DAYS = 60
const SHAPE = {
  incidents: 300,
  from_ms: TO_MS - DAYS * 86_400_000,
  to_ms: TO_MS,
  seed: 3,
  change: { service: 'service-0', at_ms: TO_MS, factor: 1 },
}
const OCTOBER = 'from=2026-10-01&to=2026-10-31'
const AS_THE_API =
  'from=2026-10-01&to=2026-11-01&compare_from=2026-08-31&compare_to=2026-10-01&tz=Europe/Berlin'
const PANELS = 8
/** Only ends a test that would never pass. */
const PATIENCE = { timeout: 15_000 }

async function both(): Promise<readonly [ClickHouseAddress, Browser]> {
  const chromium = await launchBrowser()
  return [await clickhouse(), chromium]
}

await describeWith(both, 'the analytics', ([address, browser]: readonly [ClickHouseAddress, Browser]) => {
  let history: History
  let world: World
  const looks = new Looks(browser)
  beforeAll(async () => {
    const opened = await openHistory(address)
    history = opened.history
    const writer = new TruthWriter(opened.client)
    for (const one of trueIncidents(SHAPE)) await writer.add(one)
    await writer.close()
    world = await startWorld({ parts: { askHistory: (ask) => ask(history.reader()) } })
  })
  afterEach(() => looks.close())
  afterAll(async () => {
    await browser.close()
    await world.close()
    await history.close()
  })

  const look = async (query: string, how: Look = {}) => {
    const page = await looks.open(`${world.url}/analytics?${query}`, how)
    await page
      .locator('.panel-sentence')
      .nth(PANELS - 1)
      .waitFor()
    return page
  }
  const panel = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

  it('tells figures, intervals and changes as the API does, in words and numbers, with the SQL and the rows behind', async () => {
    const page = await look(OCTOBER)
    expect(await accessibilityFaults(page)).toEqual([])
    await expectNoSidewaysScroll(page)
    const answered = await fetch(`${world.url}/api/v1/analytics/metrics/time_to_resolve?${AS_THE_API}`)
    const { groups } = metricAnswer.parse(await answered.json())
    const text = (await panel(page, 'Time to resolve').textContent()) ?? ''
    expect(text).toContain(`n ${groups[0]?.n}, ${groups[0]?.duration?.open} open`)
    expect(text).toContain(groups[0]?.compared?.verdict.text.en)
    expect(text).toMatch(/median95 %: .+ – /)

    const curves = panel(page, 'How long it takes')
    expect(await curves.locator('.panel-sentence').textContent()).toMatch(/^Medians: critical \d/)
    await curves.getByRole('button', { name: /^Table/ }).click()
    await curves.locator('tbody tr').nth(3).waitFor()
    expect(new URL(page.url()).searchParams.get('tables')).toBe('curves')

    const scatter = panel(page, 'Every incident')
    const href = (await scatter.getByRole('link', { name: /^CSV/ }).getAttribute('href')) ?? ''
    const csv = await (await fetch(world.url + href)).text()
    const told = await scatter.locator('.panel-sentence').textContent()
    expect(told).toContain(`${csv.trim().split('\n').length - 1} incidents`)
    await scatter.getByRole('button', { name: /^SQL/ }).click()
    expect(await page.getByRole('dialog').locator('.sql').first().textContent()).toContain('SELECT id')
  })

  it('is asked by keyboard alone, and a mark opens its incident', async () => {
    const page = await look(`${OCTOBER}&tables=curves`)
    const answer = () => panel(page, 'Time to resolve').textContent()
    await panel(page, 'How long it takes').locator('tbody tr').nth(3).waitFor()
    const before = await answer()
    await page.getByRole('combobox', { name: 'Severity' }).focus()
    await page.keyboard.type('critical')
    await page.waitForURL(/severity=critical/)
    await expect.poll(answer, PATIENCE).not.toBe(before)
    await page.getByRole('button', { name: 'clear' }).focus()
    await page.keyboard.press('Enter')
    await expect.poll(answer, PATIENCE).toBe(before)
    const mark = page.locator('.scatter-marks path').last()
    await mark.scrollIntoViewIfNeeded()
    const box = await mark.boundingBox()
    await page.mouse.click((box?.x ?? 0) + 4, (box?.y ?? 0) + 4)
    await page.waitForURL(/\/incidents\/inc_/)
  })

  it('is accessible in Chinese and the dark, as narrow as it gets', async () => {
    const page = await look(OCTOBER, { width: 320, height: 640, dark: true, language: 'zh-CN', touch: true })
    await page.getByRole('heading', { name: '耗时分布' }).waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await expectNoSidewaysScroll(page)
  })
})
