import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, TOKENS, type World } from './world.ts'

interface PageEvent {
  readonly event: string
  readonly id: string | null
  readonly data: string
}
/** A script for browsers, so it has no types of its own. */
const SCRIPT: string = new URL('../../api/page/event_stream.js', import.meta.url).href

describe('the status page', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ tokens: TOKENS })
  })
  afterAll(() => world.close())

  const page = (path: string, accept: string) =>
    fetch(world.url + path, { headers: { 'accept-language': accept } })

  it.each([
    ['/', 'en-GB,en;q=0.9', 'en', 'Nothing is open'],
    ['/', 'zh-CN,zh;q=0.9,en;q=0.8', 'zh-CN', '没有未解决的事件'],
    ['/', 'zh-Hant-TW', 'zh-CN', '没有未解决的事件'],
    ['/', 'fr,zh;q=0.5', 'zh-CN', '没有未解决的事件'],
    ['/', 'de', 'en', 'Nothing is open'],
    ['/?lang=zh-CN', 'en', 'zh-CN', '没有未解决的事件'],
    ['/?lang=en', 'zh', 'en', 'Nothing is open'],
    ['/?lang=<script>', 'en', 'en', 'Nothing is open'],
  ])('%s for %s is in %s', async (path, accept, language, text) => {
    const response = await page(path, accept)
    const html = await response.text()
    expect(response.status).toBe(200)
    expect(response.headers.get('content-language')).toBe(language)
    expect(html).toContain(`<html lang="${language}">`)
    expect(html).toContain(text)
    expect(html).not.toContain('{{')
  })

  it('loads only files of its own, which are there, and runs nothing inline', async () => {
    const html = await (await page('/', 'en')).text()
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/)
    const files = [...html.matchAll(/<(?:script|link)[^>]* (?:src|href)="([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    )
    expect(files).toEqual(['/status.svg', '/status.css', '/status.js'])
    for (const file of files)
      expect({ file, status: (await page(file, 'en')).status }).toEqual({ file, status: 200 })
    for (const file of ['/status.js', '/event_stream.js']) {
      const script = await (await page(file, 'en')).text()
      expect(script).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|eval\(|https?:\/\//,
      )
    }
  })

  it('holds no data: what an alert says is only read by its script, with a token', async () => {
    await world.fire({ labels: { alertname: '<img src=x onerror=alert(1)>' } })
    expect(await (await page('/', 'en')).text()).not.toContain('onerror')
  })
})

describe('readEvents', () => {
  const STREAM =
    'retry: 2000\nid: 0.1\n\n:\n\nevent: change\nid: 0.2\ndata: {"title":"温度 <b>"}\n\nevent: resync\nid: 0.3\ndata: {}\n\nevent: half'

  it.each([1, 2, 3, 7, 1_000])('reads the same events from chunks of %i bytes', async (size) => {
    const bytes = Buffer.from(STREAM)
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let i = 0; i < bytes.length; i += size) controller.enqueue(bytes.subarray(i, i + size))
        controller.close()
      },
    })
    const { readEvents } = (await import(SCRIPT)) as {
      readEvents: (response: Response, signal: AbortSignal) => AsyncIterable<PageEvent>
    }
    const events: PageEvent[] = []
    for await (const event of readEvents(new Response(body), new AbortController().signal)) events.push(event)
    expect(events).toEqual([
      { event: 'message', id: '0.1', data: '' },
      { event: 'message', id: null, data: '' },
      { event: 'change', id: '0.2', data: '{"title":"温度 <b>"}' },
      { event: 'resync', id: '0.3', data: '{}' },
    ])
  })
})
