import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Incident } from '../../schemas/incident.ts'
import { Tocsin, until } from '../installation/processes.ts'

/** What a browser needs to look at a Tocsin of its own, and what every look must hold. */

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
/** Only ends a test that would never pass. */
const PATIENCE_MS = 15_000

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

export function startTocsin(config = ''): Promise<Tocsin> {
  return Tocsin.start({ config: `history: {enabled: false}\n${config}` })
}

export interface Look {
  readonly language?: 'en' | 'zh-CN'
  readonly width?: number
  readonly height?: number
  readonly dark?: boolean
  readonly zone?: string
  readonly touch?: boolean
}

/**
 * The pages that a test opens in a browser. What the browser complains about (broken scripts, what the content security policy
 * stops, requests that go elsewhere) is noted, and told when they are closed.
 */
export class Looks {
  private readonly browser: Browser
  private readonly contexts: BrowserContext[] = []
  private readonly complaints: string[] = []

  constructor(browser: Browser) {
    this.browser = browser
  }

  /** A page of a browser that knows nothing yet. */
  async open(address: string, look: Look = {}): Promise<Page> {
    const context = await this.browser.newContext({
      viewport: { width: look.width ?? 1440, height: look.height ?? 900 },
      locale: look.language ?? 'en',
      colorScheme: look.dark ? 'dark' : 'light',
      timezoneId: look.zone ?? 'Europe/Berlin',
      hasTouch: look.touch ?? false,
    })
    context.setDefaultTimeout(PATIENCE_MS)
    this.contexts.push(context)
    const page = await context.newPage()
    this.listen(page, new URL(address).origin)
    await page.goto(address)
    return page
  }

  /** Throws when the browser complained. */
  async close(): Promise<void> {
    for (const context of this.contexts.splice(0)) await context.close()
    const complaints = this.complaints.splice(0)
    if (complaints.length > 0) throw new Error(`the browser complained: ${complaints.join('\n')}`)
  }

  private listen(page: Page, origin: string): void {
    page.on('console', (message) => {
      // A refusal is an answer; what the page makes of it is looked at.
      const refused = message.text().startsWith('Failed to load resource')
      if (!refused && (message.type() === 'error' || message.type() === 'warning'))
        this.complaints.push(message.text())
    })
    page.on('pageerror', (error) => this.complaints.push(String(error)))
    page.on('request', (request) => {
      if (!request.url().startsWith(origin) && !request.url().startsWith('blob:'))
        this.complaints.push(`a request to ${request.url()}`)
    })
  }
}

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/** What axe-core finds by the rules of WCAG 2.2 A and AA; empty when all is well. Code for the page is text: it runs there. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const options = JSON.stringify({ runOnly: { type: 'tag', values: WCAG } })
  const { violations } = await page.evaluate<{ violations: Violation[] }>(`axe.run(document, ${options})`)
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
  )
}

/** No part of the page is wider than the window: nobody has to scroll sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')
  expect(beyond).toBeLessThanOrEqual(0)
}

interface Sent {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** Sends alerts as Prometheus would, and waits until they are in incidents. */
export async function send(tocsin: Tocsin, alerts: readonly Sent[]): Promise<readonly Incident[]> {
  const response = await fetch(`${tocsin.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts),
  })
  if (response.status !== 200) throw new Error(await response.text())
  await until('the alerts are in incidents', async () => {
    const named = (await tocsin.incidents()).flatMap(({ members }) => members.map(({ labels }) => labels))
    return alerts.every(({ labels }) => named.some((one) => one['alertname'] === labels['alertname']))
  })
  return tocsin.incidents()
}

/** Each is an incident of its own: they lie in scopes of their own. */
export function apart(names: readonly string[], severity = 'warning'): Sent[] {
  return names.map((name) => ({
    labels: { alertname: name, instance: `host-of-${name}`, cluster: `cluster-of-${name}`, severity },
  }))
}
